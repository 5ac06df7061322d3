"""Sessions with a brain-computer interface: each bin in its place; learning in the real one."""

import copy

import numpy as np
import pytest
from scipy.io import savemat

from ltr_core.bci import load_hennig
from ltr_core.registry import available, fetch

TRIALS = {1: (1, 2, 4), 2: (5, 6)}  # of the blocks; 3 was left out
BINS = {1: [*range(1, 21)], 2: [1, 2, 4, 7, 8], 4: [*range(3, 9)], 5: [1, 2], 6: [*range(1, 12)]}
TARGET = {1: 45, 2: 315, 4: 0, 5: 45, 6: 90}
WRONG = (2, 6)  # trials whose target was not reached
N_LATENTS, N_CHANNELS = 3, 7


def latent(trial, time):
    """What a bin's latents are: a value that no other bin has."""
    return np.array([trial + time / 100, -trial, time**2])


def session():
    """The variables of a small file, in the structure of the real ones."""
    rng = np.random.default_rng(0)
    blocks = []
    for trials in TRIALS.values():
        rows = [(trial, time) for trial in trials for time in BINS[trial]]
        index = np.array([trial for trial, _ in rows], np.uint16)
        blocks.append(
            {
                "block_name": "all",
                "trial_index": index,
                "time": np.array([time for _, time in rows], np.uint8),
                "target": np.array([TARGET[trial] for trial in index], np.uint16),
                "isCorrect": np.array([trial not in WRONG for trial in index], np.uint8),
                # before the release of the cursor a value that would be seen in any mean
                "progress_wmp": np.array([t * 10.0 + k if k > 6 else 1e6 for t, k in rows]),
                "latents": np.array([latent(*row) for row in rows]),
            }
        )
    factors = {
        "L": rng.normal(size=(N_CHANNELS, N_LATENTS)),
        "spikeRot": rng.normal(size=(N_LATENTS, N_LATENTS)),
        "spikeCountMean": rng.uniform(1, 5, N_CHANNELS),
        "spikeCountStd": rng.uniform(1, 2, N_CHANNELS),
    }
    return {"opts": {"minTime": 1}, "Bs": blocks, "D": {"FactorAnalysisParams": factors}}


def written(path, variables):
    """The file of some variables; columns are (n, 1), as MATLAB has them."""
    if isinstance(variables.get("Bs"), list):
        blocks = np.empty((len(variables["Bs"]), 1), object)
        blocks[:, 0] = variables["Bs"]
        names = [*variables["Bs"][0]]
        struct = np.empty(blocks.shape, [(name, object) for name in names])
        for place, block in enumerate(variables["Bs"]):
            for name in names:
                value = block[name]
                column = isinstance(value, np.ndarray) and value.ndim == 1
                struct[place, 0][name] = value[:, None] if column else value
        variables = variables | {"Bs": struct}
    savemat(path, variables)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return written(tmp_path_factory.mktemp("bci") / "session.mat", session())


def test_every_bin_stands_in_its_place(file):
    recording = load_hennig(file).recording
    assert recording.activity.shape == (5, 20, N_LATENTS)
    assert not recording.counts
    assert recording.dt == pytest.approx(0.045)
    assert recording.time[6] == 0  # the seventh bin, in which the cursor is released
    trials = [1, 2, 4, 5, 6]
    assert recording.trial_id.tolist() == trials
    assert recording.condition.tolist() == [TARGET[trial] for trial in trials]
    assert recording.epoch.tolist() == ["intuitive"] * 3 + ["perturbed"] * 2
    for place, trial in enumerate(trials):
        at = np.array(BINS[trial]) - 1
        expected = np.full((20, N_LATENTS), np.nan)
        expected[at] = [latent(trial, time) for time in BINS[trial]]
        np.testing.assert_array_equal(recording.activity[place], expected)


def test_how_each_trial_went(file):
    found = load_hennig(str(file))
    assert found.n_bins.tolist() == [20, 5, 6, 2, 11]
    assert found.correct.tolist() == [True, False, True, True, False]
    assert found.target.tolist() == [45, 315, 0, 45, 90]
    means = [10 + np.mean(range(7, 21)), 20 + 7.5, 40 + 7.5, np.nan, 60 + 9.0]
    np.testing.assert_allclose(found.progress, means)


def test_channels_are_what_the_latents_predict(file):
    latents = load_hennig(file).recording
    channels = load_hennig(file, space="channels").recording
    assert channels.activity.shape == (5, 20, N_CHANNELS)
    factors = session()["D"]["FactorAnalysisParams"]
    rotation = np.linalg.inv(factors["spikeRot"])
    for place, time in [(0, 19), (1, 3), (4, 10)]:
        unrotated = latents.activity[place, time] @ rotation
        expected = factors["spikeCountMean"] + factors["spikeCountStd"] * (factors["L"] @ unrotated)
        np.testing.assert_allclose(channels.activity[place, time], expected)
    assert (np.isnan(channels.activity).all(2) == np.isnan(latents.activity).all(2)).all()
    observed = channels.activity[channels.observed.all(2)]
    values = np.linalg.svd(observed - factors["spikeCountMean"], compute_uv=False)
    assert (values > 1e-9 * values[0]).sum() == N_LATENTS


def test_an_unknown_space_is_refused(file):
    with pytest.raises(ValueError, match="space is 'spikes': it is one of latents, channels"):
        load_hennig(file, space="spikes")


def _without(name):
    def change(variables):
        for block in variables["Bs"]:
            del block[name]

    return change


def _in_second_block(name, value):
    def change(variables):
        variables["Bs"][1][name][-1] = value

    return change


def _rows_lost(variables):
    variables["Bs"][0]["target"] = variables["Bs"][0]["target"][:-1]


def _one_block(variables):
    del variables["Bs"][1]


def _blocks_swapped(variables):
    variables["Bs"].reverse()


def _trial_in_both_blocks(variables):
    variables["Bs"][1]["trial_index"][variables["Bs"][1]["trial_index"] == 5] = 4


def _other_latents(variables):
    variables["Bs"][1]["latents"] = variables["Bs"][1]["latents"][:, :2]


def _broken_degrees(variables):
    for block in variables["Bs"]:
        block["target"] = block["target"] + 0.5


def _text(variables):
    for block in variables["Bs"]:
        block["time"] = "soon"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("latents"), r"Bs\(1\) lacks latents: it holds block_name, trial_index, time"),
        (_one_block, "must hold two blocks"),
        (_blocks_swapped, "not in order"),
        (_trial_in_both_blocks, "not in order"),
        (_other_latents, "its blocks have 3 and 2 latents"),
        (_rows_lost, "differ in their rows"),
        (_broken_degrees, "whole degrees"),
        (_text, r"time of Bs\(1\) is no array of numbers"),
        (_in_second_block("time", 21), "from 1 to 20"),
        (_in_second_block("time", 0), "from 1 to 20"),
        (_in_second_block("time", 3), "two rows for one bin"),
        (_in_second_block("target", 180), "target changes within a trial"),
        (_in_second_block("isCorrect", 1), "isCorrect changes within a trial"),
        (_in_second_block("latents", np.nan), "NaN or infinity"),
        (_in_second_block("progress_wmp", np.inf), "NaN or infinity"),
        (lambda variables: variables.pop("Bs"), "lacks Bs"),
        (lambda variables: variables.update(Bs=3.0), "must hold two blocks"),
    ],
)
def test_files_of_another_structure_are_refused(tmp_path, change, message):
    variables = session()
    change(variables)
    path = written(tmp_path / "other.mat", variables)
    with pytest.raises(ValueError, match=message) as raised:
        load_hennig(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda factors: factors.pop("L"), "lacks L: it holds spikeRot"),
        (lambda factors: factors.update(L=factors["L"].T), "have shapes .* for 3 latents"),
        (lambda factors: factors.update(spikeRot=np.zeros((3, 3))), "cannot be inverted"),
    ],
)
def test_channels_need_a_factor_analysis_that_fits(tmp_path, change, message):
    variables = copy.deepcopy(session())
    change(variables["D"]["FactorAnalysisParams"])
    path = written(tmp_path / "other.mat", variables)
    assert load_hennig(path).recording.n_trials == 5
    with pytest.raises(ValueError, match=message):
        load_hennig(path, space="channels")


def test_damaged_files_are_refused(file, tmp_path):
    whole = file.read_bytes()
    path = tmp_path / "part.mat"
    for length in [0, 1, 50, 128, 129, 200, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"part\.mat is n"):
            load_hennig(path)
    path.write_text("trial,time\n1,2\n")
    with pytest.raises(ValueError, match=r"is no \.mat file"):
        load_hennig(path)
    with pytest.raises(FileNotFoundError):
        load_hennig(tmp_path / "absent.mat")


@pytest.fixture(scope="module")
def real():
    if not available("hennig2021"):
        pytest.skip("the data set hennig2021 is not at hand")
    return fetch("hennig2021")


def test_the_real_session_shows_learning(real):
    found = load_hennig(real)
    recording = found.recording
    assert recording.activity.shape == (794, 20, 10)
    assert recording.trial_id.tolist() == list(range(1, 795))
    assert recording.conditions == tuple(range(0, 360, 45))
    perturbed = recording.epoch == "perturbed"
    assert (perturbed.sum(), (~perturbed).sum()) == (600, 194)
    assert (perturbed == (np.arange(794) >= 194)).all()
    learned = found.progress[perturbed]
    assert learned[:50].mean() == pytest.approx(40, abs=1)
    assert learned[-50:].mean() == pytest.approx(58, abs=1)
    assert (~found.correct).sum() == 5
    assert recording.observed.any(2).sum() == found.n_bins.sum() == 3009 + 10397


def test_the_real_channels_vary_in_ten_dimensions(real):
    channels = load_hennig(real, space="channels").recording
    assert channels.activity.shape == (794, 20, 94)
    observed = channels.activity[channels.observed.all(2)]
    values = np.linalg.svd(observed - observed.mean(0), compute_uv=False)
    assert (values > 1e-9 * values[0]).sum() == 10
    assert observed.mean() == pytest.approx(3.2, abs=0.3)  # threshold crossings in 45 ms
