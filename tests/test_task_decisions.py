"""Context-dependent decision and delayed discrimination: statistics, targets, masks, errors."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare, ks_2samp, kstest

from ltr_core.tasks import ContextDecision, DelayedDiscrimination

QUIET = ContextDecision(noise=0.0)
COMPARE = DelayedDiscrimination()
CHANCE = 1e-3  # what falls below this is not left to chance
STIMULUS = slice(6, 46)  # after a fixation of 3, for 20, in steps of 0.5
DECISION = slice(56, 96)


def drawn(n_trials, seed=0):
    """Trials without noise, with the context and both coherences of each."""
    trials = QUIET.sample(n_trials, np.random.default_rng(seed))
    inputs = trials.inputs.numpy()
    return trials, inputs[:, 20, :2].argmax(-1), inputs[:, 20, 2:]


def test_inputs_are_there_during_the_stimulus_alone():
    trials, context, coherences = drawn(200)
    expected = np.zeros((200, 96, 4))
    for trial in range(200):
        expected[trial, STIMULUS, context[trial]] = 1
        expected[trial, STIMULUS, 2:] = coherences[trial]
    np.testing.assert_array_equal(trials.inputs, expected)


def test_the_target_is_the_sign_of_the_sense_that_the_context_names():
    trials, context, coherences = drawn(200)
    expected = np.zeros((200, 96, 1))
    for trial in range(200):
        expected[trial, DECISION, 0] = 0.5 if coherences[trial, context[trial]] > 0 else -0.5
    np.testing.assert_array_equal(trials.targets, expected)
    other = coherences[np.arange(200), 1 - context]
    agreeing = (np.sign(trials.targets[:, -1, 0].numpy()) == np.sign(other)).mean()
    assert 0.4 < agreeing < 0.6, "the other sense must tell nothing"


@pytest.mark.parametrize("counts", [True, False])
def test_the_mask_holds_the_decision_and_the_fixation_if_it_counts(counts):
    trials = ContextDecision(fixation_counts=counts).sample(3, np.random.default_rng(0))
    expected = np.zeros(96)
    expected[DECISION] = 1
    expected[: STIMULUS.stop] = counts
    np.testing.assert_array_equal(trials.mask, np.tile(expected, (3, 1)))


def test_coherences_are_even_over_eight_values_and_independent_of_the_context():
    _, context, coherences = drawn(8000)
    levels = np.array([-8, -4, -2, -1, 1, 2, 4, 8]) / 8
    np.testing.assert_array_equal(QUIET.signed_coherences, levels)
    first, second = (np.searchsorted(levels, coherences[:, i]) for i in (0, 1))
    np.testing.assert_array_equal(levels[np.stack([first, second], -1)], coherences)
    assert chisquare(np.bincount(first)).pvalue > CHANCE
    assert chisquare(np.bincount(second)).pvalue > CHANCE
    assert chisquare(np.bincount(context)).pvalue > CHANCE
    for one, other, shape in ((context, first, (2, 8)), (first, second, (8, 8))):
        counts = np.zeros(shape)
        np.add.at(counts, (one, other), 1)
        assert chi2_contingency(counts).pvalue > CHANCE


def test_the_condition_names_context_and_coherences():
    trials, context, coherences = drawn(300)
    n = len(QUIET.signed_coherences)
    i, j = trials.condition // n % n, trials.condition % n
    np.testing.assert_array_equal(trials.condition // n**2, context)
    np.testing.assert_array_equal(QUIET.signed_coherences[i], coherences[:, 0])
    np.testing.assert_array_equal(QUIET.signed_coherences[j], coherences[:, 1])


@pytest.mark.parametrize("dt", [0.5, 0.1])
def test_noise_is_on_the_senses_at_all_times_and_scales_with_the_step(dt):
    noisy, quiet = (
        ContextDecision(dt=dt, noise=noise).sample(400, np.random.default_rng(1)).inputs
        for noise in (0.05, 0.0)
    )
    noise = (noisy - quiet).numpy()
    assert (noise[..., :2] == 0).all()
    sd = 0.05 / np.sqrt(dt)
    np.testing.assert_allclose(noise[..., 2:].std(axis=0), sd, rtol=0.2)
    assert noise[..., 2:].std() == pytest.approx(sd, rel=0.01)
    assert kstest(noise[::7, ::7, 2].ravel() / sd, "norm").pvalue > CHANCE


def rejected_pairs(n, rng):
    """Pairs from the definition: drawn again until they are far enough apart."""
    pairs = rng.uniform(0.5, 1.5, (4 * n, 2))
    return pairs[np.abs(pairs[:, 0] - pairs[:, 1]) >= 0.2][:n]


def amplitudes(trials):
    """Both stimuli of each trial, and the steps between the end of one and the second's onset."""
    inputs = trials.inputs[..., 0].numpy()
    second = np.array([np.flatnonzero(trial[8:])[0] + 8 for trial in inputs])
    return np.stack([inputs[:, 6], inputs[np.arange(len(inputs)), second]], -1), second - 8


def test_pairs_of_stimuli_are_distributed_as_by_rejection():
    pairs, _ = amplitudes(COMPARE.sample(6000, np.random.default_rng(5)))
    expected = rejected_pairs(6000, np.random.default_rng(6))
    assert np.abs(pairs[:, 0] - pairs[:, 1]).min() >= 0.2
    for statistic in (
        lambda p: p[:, 0],
        lambda p: p[:, 1],
        lambda p: p[:, 0] - p[:, 1],
        lambda p: np.abs(p[:, 0] - p[:, 1]),
        lambda p: p.sum(1),
        lambda p: p.min(1),
    ):
        assert ks_2samp(statistic(pairs), statistic(expected)).pvalue > CHANCE
    # the test can tell: uniform pairs of which the close ones are moved apart do not pass
    naive = np.sort(np.random.default_rng(7).uniform(0.5, 1.3, (6000, 2)), axis=1)
    naive[:, 1] = np.minimum(np.maximum(naive[:, 1], naive[:, 0] + 0.2), 1.5)
    difference = np.abs(naive[:, 1] - naive[:, 0])
    assert ks_2samp(difference, np.abs(expected[:, 0] - expected[:, 1])).pvalue < 1e-6


def test_delays_are_uniform_and_independent_of_what_is_larger():
    trials = COMPARE.sample(6000, np.random.default_rng(8))
    _, delays = amplitudes(trials)
    counts = np.zeros((2, 16))  # from 2 to 8, in steps of 0.5, rounded down
    np.add.at(counts, (trials.condition.numpy(), delays), 1)
    assert (counts[:, :4] == 0).all()
    assert chisquare(counts[:, 4:].ravel()).pvalue > CHANCE
    assert chi2_contingency(counts[:, 4:]).pvalue > CHANCE


@pytest.mark.parametrize("counts", [True, False])
def test_the_output_of_the_larger_stimulus_is_wanted_in_the_decision(counts):
    trials = DelayedDiscrimination(fixation_counts=counts).sample(100, np.random.default_rng(9))
    assert trials.inputs.shape == (100, 2 * (3 + 1 + 8 + 1 + 5 + 10), 1)
    pairs, delays = amplitudes(trials)
    for trial in range(100):
        onset = 8 + delays[trial]
        inputs, targets, mask = np.zeros(56), np.zeros((56, 2)), np.zeros(56)
        inputs[6:8], inputs[onset : onset + 2] = pairs[trial]
        larger = 0 if pairs[trial, 0] > pairs[trial, 1] else 1
        targets[onset + 12 : onset + 32, larger] = 0.5
        mask[onset + 12 : onset + 32] = 1
        mask[: onset + 2] = counts
        np.testing.assert_array_equal(trials.inputs[trial, :, 0], inputs)
        np.testing.assert_array_equal(trials.targets[trial], targets)
        np.testing.assert_array_equal(trials.mask[trial], mask)
        assert trials.condition[trial] == larger


def test_the_longest_delay_fits_into_a_trial():
    task = DelayedDiscrimination(delay=(8.0, 8.0))
    trials = task.sample(2, np.random.default_rng(0))
    assert trials.mask.shape[1] == COMPARE.n_steps
    assert (trials.mask[:, -20:] == 1).all()
    assert (trials.mask[:, -21] == 0).all()


@pytest.mark.parametrize(
    ("task", "settings", "named"),
    [
        (ContextDecision, {"coherences": ()}, "at least one"),
        (ContextDecision, {"coherences": (0.0, 1.0)}, "no sign to judge"),
        (ContextDecision, {"coherences": (-1.0,)}, "not negative"),
        (ContextDecision, {"decision": 0.0}, "decision is 0.0, shorter than one step"),
        (ContextDecision, {"noise": float("nan")}, "noise is nan"),
        (DelayedDiscrimination, {"least_difference": 1.0}, "no pair of stimuli is left"),
        (DelayedDiscrimination, {"amplitudes": (1.5, 0.5)}, "amplitudes is .* lower end"),
        (DelayedDiscrimination, {"delay": (8.0, 2.0)}, "delay is .* lower end"),
        (DelayedDiscrimination, {"dt": 2.0}, "stimulus is 1.0, shorter than one step of dt = 2.0"),
        (DelayedDiscrimination, {"fixation": -3.0}, "fixation is -3.0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(task, settings, named):
    with pytest.raises(ValueError, match=named):
        task(**settings)
