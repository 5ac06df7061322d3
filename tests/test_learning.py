"""Recorded learning: its gradient, its record, its interruptions, its failures."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ltr_core import checkpoints, learning, pretraining
from ltr_core.learning import Diverged, Epoch, adaptation_schedule, reach, record_learning
from ltr_core.pretraining import NotProficient, pretrain
from ltr_core.rnn import RNN, random_networks, simulate
from ltr_core.tasks import CurlField, Hand, Reaching, Trials, VisuomotorRotation

TASK = Reaching(n_targets=3, preparation=0.1, movement=0.2, hold=0.1)
HAND = Hand()
FIELD = CurlField(2.0)
SCHEDULE = adaptation_schedule(FIELD, baseline=3, perturbed=4, washout=2)


@pytest.fixture
def networks():
    return random_networks(2, 8, TASK.n_inputs, TASK.n_outputs, seed=0)


@pytest.fixture
def record(networks):
    return record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.05, seed=1)


def loss_on(record, weights, networks, network, trial):
    """The error of one network on the trial that the record holds, by the wanted path itself."""
    one = RNN(weights[None], networks.inward[[network]], networks.outward[[network]])
    trials = TASK.trials(record.condition[network, [trial]])
    force = simulate(one, trials.inputs[None], TASK.dt).output
    perturbation = FIELD if record.epoch[trial] == "perturbed" else None
    cursor = HAND.move(force, TASK.dt, perturbation).cursor[0, 0]
    return (cursor - trials.targets[0]).square().sum(-1).mean() / TASK.distance**2


@pytest.mark.parametrize(("network", "trial"), [(0, 0), (1, 5), (0, 8)])
def test_each_step_is_the_gradient_of_its_trial_by_finite_differences(
    record, networks, network, trial
):
    before, after = record.weights[network, trial], record.weights[network, trial + 1]
    gradient = (before - after) / 0.05
    rng = np.random.default_rng(0)
    for post, pre in rng.integers(0, 8, size=(12, 2)):
        nudge = torch.zeros_like(before)
        nudge[post, pre] = 1e-5
        up, down = (loss_on(record, before + s * nudge, networks, network, trial) for s in (1, -1))
        assert gradient[post, pre].item() == pytest.approx(((up - down) / 2e-5).item(), abs=1e-8)
    assert gradient.abs().max() > 1e-5


def test_the_record_holds_what_happened(record, networks):
    assert record.weights.shape == (2, 10, 8, 8)
    assert record.epoch == ("baseline",) * 3 + ("perturbed",) * 4 + ("washout",) * 2
    torch.testing.assert_close(record.weights[:, 0], networks.recurrent)
    torch.testing.assert_close(record.change[:, 4], record.weights[:, 5] - networks.recurrent)
    torch.testing.assert_close(record.goal, TASK.target_positions[record.condition])
    for trial in (2, 5):
        inputs = record.inputs[:, [trial]]
        now = networks._replace(recurrent=record.weights[:, trial])
        activity = simulate(now, inputs, TASK.dt).activity[:, 0]
        torch.testing.assert_close(record.activity[:, trial], activity)
        for network in range(2):
            expected = loss_on(record, now.recurrent[network], networks, network, trial)
            torch.testing.assert_close(record.error[network, trial], expected)


@given(counted=arrays(np.bool_, (2, 20)), elsewhere=st.floats(-1, 1))
def test_the_error_counts_what_the_mask_counts_and_nothing_else(counted, elsewhere):
    counted[:, 3] = True
    mask = torch.from_numpy(counted.astype(float))
    trials = TASK.trials(torch.tensor([0, 2]))
    moved = torch.where(mask[..., None] > 0, trials.targets, trials.targets + elsewhere)
    masked, other = (
        Trials(trials.inputs[None], targets[None], mask[None], trials.condition[None])
        for targets in (trials.targets, moved)
    )
    network = random_networks(1, 6, TASK.n_inputs, TASK.n_outputs, seed=2)
    out = reach(network, TASK, HAND, masked)
    torch.testing.assert_close(reach(network, TASK, HAND, other).error, out.error)
    for trial in range(2):
        wanted, seen = (p[trial][counted[trial]] for p in (trials.targets, out.cursor[0]))
        mean = (wanted - seen).square().sum(-1).mean() / TASK.distance**2
        torch.testing.assert_close(out.error[0, trial], mean)


def test_a_trial_in_which_nothing_counts_is_refused(networks):
    trials = Trials(*(part[None] for part in TASK.trials(torch.tensor([0, 1]))))
    with pytest.raises(ValueError, match="mask is 0 at every time"):
        reach(networks, TASK, HAND, trials._replace(mask=torch.zeros_like(trials.mask)))


def test_the_record_tells_the_hand_from_the_cursor(networks):
    turn = adaptation_schedule(VisuomotorRotation(np.pi / 2), baseline=1, perturbed=1, washout=1)
    record = record_learning(networks, TASK, HAND, turn, learning_rate=0.0)
    torch.testing.assert_close(record.cursor[:, 0], record.hand_path[:, 0])
    hand, cursor = record.hand_path[:, 1], record.cursor[:, 1]
    torch.testing.assert_close(cursor, torch.stack([-hand[..., 1], hand[..., 0]], dim=-1))


def test_networks_meet_the_targets_in_orders_of_their_own_the_same_for_a_seed(networks, record):
    again = record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.05, seed=1)
    torch.testing.assert_close(again.weights, record.weights, rtol=0, atol=0)
    other = record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.05, seed=2)
    assert not torch.equal(other.condition, record.condition)
    assert not torch.equal(record.condition[0], record.condition[1])


def test_without_a_learning_rate_nothing_changes(networks):
    still = record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.0)
    assert not still.change.any()


def test_reaches_to_each_target_are_found(networks):
    record = record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.0, seed=3)
    first, last = record.reaches(1, "perturbed", "first"), record.reaches(1, "perturbed", "last")
    conditions = record.condition[1, 3:7].tolist()
    for target in range(3):
        assert first[target].item() == 3 + conditions.index(target)
        assert last[target].item() == 6 - conditions[::-1].index(target)
    with pytest.raises(ValueError, match="'rest' is none of the epochs"):
        record.reaches(0, "rest", "first")


def test_pretraining_makes_networks_proficient():
    task = Reaching(n_targets=4, preparation=0.1, movement=0.3, hold=0.1)
    raw = random_networks(2, 20, task.n_inputs, task.n_outputs, seed=0)
    trained = pretrain(
        raw, task, HAND, n_steps=150, n_trials=8, learning_rate=5e-3, proficiency=0.3
    )
    every = Trials(*(part[None] for part in task.trials(torch.arange(4))))
    before, after = (reach(n, task, HAND, every).error.mean(1).sqrt() for n in (raw, trained))
    assert (after <= 0.3).all()
    assert (after < 0.5 * before).all()


def test_pretraining_that_does_not_get_there_says_so(networks):
    with pytest.raises(NotProficient, match="more n_steps"):
        pretrain(networks, TASK, HAND, n_steps=1, proficiency=0.01)


def test_a_diverging_pretraining_names_cause_and_remedy(networks):
    wild = networks._replace(outward=networks.outward * 1e200)
    with pytest.raises(Diverged, match="lower learning_rate") as caught:
        pretrain(wild, TASK, HAND, n_steps=3)
    assert caught.value.record is None


def test_a_diverging_learning_keeps_the_trials_before(networks, monkeypatch):
    honest, calls = learning.reach, []

    def breaks_at_the_fifth(*arguments):
        calls.append(1)
        out = honest(*arguments)
        return out._replace(error=out.error * torch.inf) if len(calls) == 5 else out

    monkeypatch.setattr(learning, "reach", breaks_at_the_fifth)
    with pytest.raises(Diverged, match=r"trial 4 \(perturbed\).*lower learning_rate") as caught:
        record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.05, seed=1)
    kept = caught.value.record
    assert kept.error.shape == (2, 4)
    assert kept.weights.shape == (2, 5, 8, 8)
    assert torch.isfinite(kept.weights).all()


@pytest.mark.parametrize(
    ("schedule", "rate", "named"),
    [
        ([], 0.1, "empty"),
        ([Epoch("rest", 0)], 0.1, "'rest' has 0 trials"),
        ([Epoch("a", 1), Epoch("a", 1)], 0.1, "share a name"),
        ([Epoch("a", 1)], -0.1, "learning_rate"),
        ([Epoch("a", 1)], float("nan"), "learning_rate"),
    ],
)
def test_impossible_schedules_and_rates_are_named(networks, schedule, rate, named):
    with pytest.raises(ValueError, match=named):
        record_learning(networks, TASK, HAND, schedule, learning_rate=rate)


class Interrupted(Exception):
    pass


def interrupt(monkeypatch, module, at):
    """Make `module.reach` raise at its n-th call, as a killed process would end."""
    honest, calls = module.reach, []

    def raises(*arguments):
        calls.append(1)
        if len(calls) == at:
            raise Interrupted
        return honest(*arguments)

    monkeypatch.setattr(module, "reach", raises)
    return honest


def test_interrupted_learning_goes_on_to_the_same_end(networks, tmp_path, monkeypatch, record):
    monkeypatch.setattr(learning, "CHECKPOINT_EVERY", 2)
    path = tmp_path / "deep" / "record.safetensors"
    settings = {"learning_rate": 0.05, "seed": 1, "checkpoint": path}
    honest = interrupt(monkeypatch, learning, at=6)
    with pytest.raises(Interrupted):
        record_learning(networks, TASK, HAND, SCHEDULE, **settings)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    calls = []
    monkeypatch.setattr(learning, "reach", lambda *a: calls.append(1) or honest(*a))
    resumed = record_learning(networks, TASK, HAND, SCHEDULE, **settings)
    assert len(calls) == 9 - 4
    for name in ("weights", "activity", "hand_path", "cursor", "error"):
        torch.testing.assert_close(getattr(resumed, name), getattr(record, name), rtol=0, atol=0)


def test_interrupted_pretraining_goes_on_to_the_same_end(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "CHECKPOINT_EVERY", 3)
    path = tmp_path / "pretrained.safetensors"
    settings = {"n_steps": 10, "n_trials": 3, "proficiency": 10.0}
    whole = pretrain(networks, TASK, HAND, **settings)
    honest = interrupt(monkeypatch, pretraining, at=8)
    with pytest.raises(Interrupted):
        pretrain(networks, TASK, HAND, **settings, checkpoint=path)
    monkeypatch.setattr(pretraining, "reach", honest)
    resumed = pretrain(networks, TASK, HAND, **settings, checkpoint=path)
    for one, other in zip(resumed[:3], whole[:3], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_checkpoint_of_other_settings_or_a_broken_one_is_refused_and_kept(
    networks, tmp_path, monkeypatch
):
    monkeypatch.setattr(learning, "CHECKPOINT_EVERY", 2)
    path = tmp_path / "record.safetensors"
    record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.05, checkpoint=path)
    content = path.read_bytes()
    with pytest.raises(ValueError, match="made with other settings"):
        record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.06, checkpoint=path)
    assert path.read_bytes() == content
    path.write_bytes(content[:100])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        record_learning(networks, TASK, HAND, SCHEDULE, learning_rate=0.05, checkpoint=path)
    assert path.read_bytes() == content[:100]


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    path = tmp_path / "kept.safetensors"
    checkpoints.save(path, {"x": torch.ones(3)}, "a")

    def full_disk(tensors, target, metadata):
        target.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full_disk)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(path, {"x": torch.zeros(3)}, "a")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    saved = checkpoints.load(path, "a")
    assert saved is not None
    torch.testing.assert_close(saved["x"], torch.ones(3))
