"""The small language in which criteria are written: arithmetic, comparisons, min, max, mean.

``min(fit) >= 0.9 and max(error) < 2 * mean(baseline)``: names stand for arrays of values, one per
network or seed; every comparison must be between single numbers, so that it is said whether all
or the average is meant. Nothing else of Python is understood, so a ledger's expression is
safe to evaluate wherever it comes from.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": np.min,
    "max": np.max,
    "mean": np.mean,
    "median": np.median,
    "sum": np.sum,
    "abs": np.abs,
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def names_in(expression: str) -> set[str]:
    """The names of measured values in an expression."""
    nodes = list(ast.walk(_parse(expression)))
    called = {
        node.func.id
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return {node.id for node in nodes if isinstance(node, ast.Name)} - called - set(FUNCTIONS)


def evaluate(expression: str, values: Mapping[str, np.ndarray]) -> bool:
    """Whether the expression is true of the values.

    Raises ValueError for what is not part of the language, an unknown name, a comparison of
    arrays, a value that is not finite, or an expression that is not true or false.
    """
    result = _value(_parse(expression), values)
    if not isinstance(result, bool):
        raise ValueError(f"'{expression}' is {result}, neither true nor false: compare it.")
    return result


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"'{expression}' cannot be read: {error.msg}.") from error


def _value(node: ast.expr, values: Mapping[str, np.ndarray]) -> Any:  # noqa: PLR0911 - by node
    match node:
        case ast.BoolOp(op, parts):
            truths = [_truth(_value(part, values), part) for part in parts]
            return all(truths) if isinstance(op, ast.And) else any(truths)
        case ast.UnaryOp(ast.Not(), part):
            return not _truth(_value(part, values), part)
        case ast.UnaryOp(ast.USub(), part):
            return -_number(_value(part, values), part)
        case ast.BinOp(left, op, right) if type(op) in _BINARY:
            sides = [_number(_value(side, values), side) for side in (left, right)]
            with np.errstate(all="ignore"):
                return _finite(_BINARY[type(op)](*sides), node)
        case ast.Compare(left, ops, rights) if all(type(op) in _COMPARISONS for op in ops):
            sides = [_single(_value(side, values), side) for side in (left, *rights)]
            pairs = zip(ops, sides[:-1], sides[1:], strict=True)
            return all(bool(_COMPARISONS[type(op)](a, b)) for op, a, b in pairs)
        case ast.Call(ast.Name(name), [argument], []) if name in FUNCTIONS:
            return FUNCTIONS[name](_number(_value(argument, values), argument))
        case ast.Name(name) if name in values:
            return np.asarray(values[name], dtype=float)
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    raise ValueError(
        f"'{ast.unparse(node)}' is not part of the language of criteria: use numbers, the names "
        f"{sorted(values)}, + - * / **, < <= > >=, and, or, not, and {', '.join(FUNCTIONS)}."
    )


def _truth(value: Any, node: ast.expr) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"'{ast.unparse(node)}' is not a comparison, so neither true nor false.")
    return value


def _number(value: Any, node: ast.expr) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"'{ast.unparse(node)}' is true or false, where a number is needed.")
    return value


def _single(value: Any, node: ast.expr) -> float:
    if np.size(_number(value, node)) != 1:
        raise ValueError(
            f"'{ast.unparse(node)}' is {np.size(value)} values: say min, max, mean or median."
        )
    return float(_finite(np.asarray(value).reshape(()), node))


def _finite(value: Any, node: ast.expr) -> Any:
    if not np.isfinite(value).all():
        raise ValueError(f"'{ast.unparse(node)}' is not finite.")
    return value
