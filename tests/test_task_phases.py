"""What holds for all tasks, and the two for linear networks."""

import sys

import numpy as np
import pytest
import torch

import ltr_core
from ltr_core import tasks
from ltr_core.tasks import (
    Associations,
    ContextDecision,
    Cosine,
    DelayedDiscrimination,
    FixedPoint,
    FlipFlop,
    Noisy,
    Reaching,
    Task,
)
from ltr_core.tasks.phases import whole_steps

PHASED = [FlipFlop, ContextDecision, DelayedDiscrimination, FixedPoint, Cosine]


# These need arguments, and are tried in files of their own.
OTHERS = {Associations, Noisy}


def lines_run(task, n_trials):
    """How many lines of the package of tasks are run to draw trials."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if not frame.f_code.co_filename.startswith(tasks.__path__[0]):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        task.sample(n_trials, np.random.default_rng(0))
    finally:
        sys.settrace(before)
    return count


def test_every_task_of_the_package_is_tried():
    offered = {kind for name, kind in vars(tasks).items() if name in tasks.__all__}
    drawn = {kind for kind in offered if isinstance(kind, type) and hasattr(kind, "sample")}
    assert drawn - {Task} == {*PHASED, Reaching, *OTHERS}, "add it to PHASED above"
    names = {kind.__name__ for kind in drawn}
    assert names <= set(ltr_core.__all__), "add it to ltr_core/__init__.pyi and describe it"


@pytest.mark.parametrize("task", PHASED)
def test_no_line_is_run_for_each_trial(task):
    assert 0 < lines_run(task(), 512) == lines_run(task(), 8)


def test_a_line_for_each_block_of_trials_is_noticed():
    assert lines_run(Reaching(), 512) > lines_run(Reaching(), 8) + 50


@pytest.mark.parametrize("kind", [*PHASED, Reaching])
def test_every_task_offers_what_a_task_does(kind):
    task = kind()
    assert isinstance(task, Task)
    trials = task.sample(7, np.random.default_rng(4))
    n_time = len(task.time)
    assert trials.inputs.shape == (7, n_time, task.n_inputs)
    assert trials.targets.shape == (7, n_time, task.n_outputs)
    assert trials.mask.shape == (7, n_time)
    assert trials.condition.shape == (7,)
    assert trials.mask.sum(1).min() > 0
    idle = (trials.targets[trials.mask == 0] == 0).all() or kind is Cosine
    assert idle, "targets must be 0 where the mask is"
    torch.testing.assert_close(torch.diff(task.time), torch.full((n_time - 1,), task.dt).double())
    with pytest.raises(ValueError, match="n_trials is 0"):
        task.sample(0, np.random.default_rng(0))


@pytest.mark.parametrize("kind", [FlipFlop, ContextDecision, DelayedDiscrimination])
def test_the_same_generator_gives_the_same_trials_and_another_others(kind):
    first, again, other = (kind().sample(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(first.inputs, other.inputs)


@pytest.mark.parametrize(
    ("duration", "dt", "steps"),
    [(0.3, 0.1, 3), (0.29, 0.1, 2), (1.0, 0.5, 2), (0.7, 0.5, 1), (0.4, 0.5, 0), (50.0, 0.1, 500)],
)
def test_durations_are_rounded_down_to_whole_steps(duration, dt, steps):
    assert whole_steps(duration, dt) == steps


def test_a_fixed_point_is_judged_at_the_end_of_a_constant_input():
    trials = FixedPoint(target_amplitude=2.0).sample(3, np.random.default_rng(0))
    assert trials.inputs.shape == (3, 202, 1)
    expected = torch.zeros(202, dtype=torch.float64)
    expected[2:] = 1
    torch.testing.assert_close(trials.inputs[1, :, 0], expected)
    expected = torch.zeros(202, dtype=torch.float64)
    expected[-2:] = 1
    torch.testing.assert_close(trials.mask[2], expected)
    torch.testing.assert_close(trials.targets[2, :, 0], 2 * expected)


def test_a_cosine_begins_at_its_crest_and_counts_for_two_periods():
    trials = Cosine(target_amplitude=0.5).sample(2, np.random.default_rng(0))
    assert (trials.inputs == 0).all()
    target = trials.targets[0, :, 0]
    assert len(target) == 200
    # the crests are at 0 and 5, the trough at 2.5, a zero at 1.25 between steps 12 and 13
    assert target[[0, 50]].tolist() == pytest.approx([0.5, 0.5])
    assert target[25].item() == pytest.approx(-0.5)
    assert target[12] > 0 > target[13]
    torch.testing.assert_close(target[:150], target[50:])
    assert (trials.mask[1, :100] == 1).all()
    assert (trials.mask[1, 100:] == 0).all()


@pytest.mark.parametrize(
    ("task", "settings", "named"),
    [
        (FixedPoint, {"duration": 1.5}, "shorter than fixation"),
        (FixedPoint, {"decision": 0.1}, "decision is 0.1, shorter than one step"),
        (FixedPoint, {"target_amplitude": float("inf")}, "target_amplitude is inf"),
        (Cosine, {"duration": 9.9}, "duration is 9.9, shorter than the 2 periods"),
        (Cosine, {"n_periods": 0}, "n_periods is 0"),
        (Cosine, {"period": 0.05}, "period is 0.05, shorter than one step"),
        (Cosine, {"dt": -0.1}, "dt is -0.1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(task, settings, named):
    with pytest.raises(ValueError, match=named):
        task(**settings)
