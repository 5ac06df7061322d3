"""The picture of example trials: what is drawn is what was given."""

from collections import defaultdict

import numpy as np
import pytest
from chart_parts import picture, spec, table

from ltr_core.charts import trials as trials_chart
from ltr_core.tasks import ContextDecision, Cosine, DelayedDiscrimination, FlipFlop

TASK = FlipFlop(duration=30.0)
SHOWN = TASK.sample(3, np.random.default_rng(0))


def lines(chart):
    """Times and values of each line, by kind, channel and trial."""
    found = defaultdict(lambda: ([], []))
    for row in table(chart, "kind", "value"):
        time, values = found[row["kind"], row["channel"], row["trial"]]
        time.append(row["time"])
        values.append(row["value"])
    return found


def test_lines_are_the_inputs_and_the_targets_where_they_count():
    drawn = lines(trials_chart(SHOWN, TASK.time))
    for trial in range(3):
        for channel in range(2):
            time, values = drawn["input", f"input {channel + 1}", f"trial {trial + 1}"]
            assert time == pytest.approx(TASK.time.tolist())
            assert values == SHOWN.inputs[trial, :, channel].tolist()
            _, values = drawn["target", f"output {channel + 1}", f"trial {trial + 1}"]
            counts = SHOWN.mask[trial] > 0
            wanted = SHOWN.targets[trial, :, channel]
            assert values == [
                w if c else None for w, c in zip(wanted.tolist(), counts.tolist(), strict=True)
            ]


def test_the_bands_cover_the_steps_that_count():
    chart = trials_chart(SHOWN, TASK.time, names=["a", "b", "c"])
    covered = np.zeros(SHOWN.mask.shape)
    for row in table(chart, "kind", "end"):
        if row["kind"] == "counts":
            inside = (TASK.time >= row["time"] - 1e-9) & (TASK.time < row["end"] - 1e-9)
            covered["abc".index(row["trial"])] += inside.numpy()
    np.testing.assert_array_equal(covered, SHOWN.mask)


def test_a_network_is_drawn_at_all_times_beside_the_target():
    output = SHOWN.targets + 0.25
    chart = trials_chart(SHOWN, TASK.time, output, output_names=["left", "right"])
    drawn = lines(chart)
    _, values = drawn["network", "right", "trial 2"]
    assert values == pytest.approx(output[1, :, 1].tolist())
    assert any(value is not None for value in drawn["target", "right", "trial 2"][1])
    assert "network" in picture(chart)
    assert "network" not in picture(trials_chart(SHOWN, TASK.time))


@pytest.mark.parametrize(
    ("task", "n_trials"),
    [(FlipFlop(), 2), (ContextDecision(), 1), (DelayedDiscrimination(), 4), (Cosine(), 1)],
)
def test_every_task_can_be_shown_within_the_page(task, n_trials):
    chart = trials_chart(task.sample(n_trials, np.random.default_rng(1)), task.time)
    assert "time (τ)" in picture(chart)
    assert all(panel["spec"]["width"] * n_trials < 560 for panel in spec(chart)["vconcat"])


def test_long_trials_are_thinned():
    task = Cosine(dt=0.01)
    chart = trials_chart(task.sample(1, np.random.default_rng(0)), task.time)
    time, values = lines(chart)["target", "output 1", "trial 1"]
    assert 150 < len(time) <= 300
    assert values[0] == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="5 trials: choose from 1 to 4"):
        trials_chart(TASK.sample(5, np.random.default_rng(0)), TASK.time)
    with pytest.raises(ValueError, match="time has 59 values"):
        trials_chart(SHOWN, TASK.time[1:])
    with pytest.raises(ValueError, match=r"output has shape \(2, 60, 2\)"):
        trials_chart(SHOWN, TASK.time, SHOWN.targets[:2])
    with pytest.raises(ValueError, match="names of inputs has 1 values"):
        trials_chart(SHOWN, TASK.time, input_names=["one"])
    with pytest.raises(ValueError, match="not distinct"):
        trials_chart(SHOWN, TASK.time, names=["a", "a", "b"])
