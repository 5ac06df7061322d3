"""The command line: ``python book/_pipeline build --scale book --seed 0 --jobs 2``."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from .project import SCALES, BuildError, Project, Settings, usable_cores

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0, 1 with the reason on standard error, 2 for a wrong command line, or 130 if it was
    interrupted.
    """
    options = _parser().parse_args(arguments)
    # SIGINT too: a shell's background jobs are started with it ignored
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        return _run(options)
    except BuildError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\ninterrupted: finished chapters are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace) -> int:
    # Imported here: --help and a wrong option answer at once.
    project = Project(options.root.resolve())
    if options.command == "derived":
        from .derived import check_derived, write_derived  # noqa: PLC0415

        (check_derived if options.check else write_derived)(project)
        return 0
    if options.command == "compare":
        from .compare import compare_ledgers, keep_reference  # noqa: PLC0415

        if options.keep and options.old:
            raise BuildError("--keep keeps the last build's ledger: name no other")
        if options.keep:
            print(f"  {project.shown(keep_reference(project))}: the last build's ledger, kept")
        else:
            old, new = options.old or project.reference, options.new
            compare_ledgers(old, new or project.build / "ledger.json")
        return 0
    if options.command == "pdf":
        from .pdf import make_pdf  # noqa: PLC0415

        make_pdf(project)
        return 0
    settings = Settings(options.scale, options.seed, options.jobs, options.cell_timeout)
    if options.command == "chapter":
        from .chapters import read_chapter  # noqa: PLC0415
        from .execute import run_chapter  # noqa: PLC0415

        return run_chapter(read_chapter(project.book / f"{options.name}.py"), project, settings)
    from .build import build, execute  # noqa: PLC0415

    if options.command == "execute":
        execute(project, settings, options.names, options.published)
    else:
        build(project, settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(add_help=False)
    root.add_argument("--root", type=Path, default=ROOT, help="the project's folder")
    run = argparse.ArgumentParser(add_help=False, parents=[root])
    run.add_argument("--scale", default="book", help=f"one of {', '.join(SCALES)} (book)")
    run.add_argument("--seed", type=int, default=0, help="integer of at least 0 (0)")
    run.add_argument("--jobs", type=int, default=usable_cores(), help="chapters side by side")
    run.add_argument("--cell-timeout", type=int, help="seconds after which a cell is given up")

    # No abbreviations: a mistyped option must not be taken for another.
    parser = argparse.ArgumentParser(
        prog="python book/_pipeline", description=__doc__, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    described = "execute the chapters that have changed, then build and publish the site"
    commands.add_parser("build", parents=[run], help=described, allow_abbrev=False)
    commands.add_parser(
        "pdf", parents=[root], help="print the published site as one PDF", allow_abbrev=False
    )
    only = commands.add_parser(
        "execute", parents=[run], help="execute chapters without the site", allow_abbrev=False
    )
    only.add_argument("names", nargs="*", metavar="NN_name", help="chapters (all)")
    only.add_argument(
        "--published", action="store_true", help="only those that state published values"
    )
    one = commands.add_parser(
        "chapter", parents=[run], help="(a build's own step)", allow_abbrev=False
    )
    one.add_argument("name")
    derived = commands.add_parser(
        "derived", parents=[root], help="bring README, CITATION and environment up to date"
    )
    derived.add_argument("--check", action="store_true", help="only tell what is not")
    compared = commands.add_parser(
        "compare", parents=[root], help="hold a ledger against an older one, claim by claim"
    )
    compared.add_argument(
        "old", type=Path, nargs="?", help="the older ledger, a JSON file (reference/ledger.json)"
    )
    compared.add_argument("new", type=Path, nargs="?", help="the newer (that of the last build)")
    compared.add_argument(
        "--keep", action="store_true", help="make the last build's ledger the one to compare with"
    )
    return parser
