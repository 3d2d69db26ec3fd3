"""What the Experiments tab says in words, and the grids that it refuses."""

from typing import Any

import pytest

from cgcnn.errors import ConfigError, RunError
from cgcnn.runs.records import Load
from cgcnn.training.experiments import SMALL
from cgcnn.training.sweep import axis_options, parse_values
from cgcnn.ui.experiment_custom import allowed_words, planned_runs, suggestion
from cgcnn.ui.experiment_words import held_words, progress_words, size_words, time_words

POOLING = {"model.pooling": ("mean", "sum")}


def test_a_grid_too_large_is_refused_before_it_is_made() -> None:
    axes: dict[str, list[Any]] = {"train.seed": list(range(10**6)), "no.field": list(range(10**6))}
    with pytest.raises(RunError, match="at most 48"):
        planned_runs(SMALL, axes, [0], 48)
    with pytest.raises(ConfigError, match="nothing to compare"):
        planned_runs(SMALL, {"model.n_convs": [2]}, [0, 1], 48)


def test_suggested_values_are_allowed_for_every_setting() -> None:
    for field, meaning in axis_options(SMALL).items():
        assert parse_values(field, suggestion(field, SMALL), SMALL) and allowed_words(meaning).endswith(".")


def test_what_is_held_equal_is_said_and_a_setting_that_varies_is_not_among_it() -> None:
    words = held_words(SMALL, ["model.pooling"], (0, 1))
    assert "the same 1,000 crystals of up to 8 atoms in the same split by chemical system, 25 epochs" in words
    assert words.endswith("Seeds 0, 1 change the initial weights and the order of the crystals, and nothing else.")
    assert "split by" not in held_words(SMALL, ["dataset.max_crystals"], (0, 1))
    assert "epochs" not in held_words(SMALL, ["train.epochs"], (0, 1))


def test_sizes_and_times_are_said_in_words() -> None:
    assert size_words(POOLING, 3) == "Pooling: mean, sum; each with 3 seeds"
    assert time_words(24, 480, Load(2, 0, 0, 2)) == "24 runs, about 4 min on a quiet machine (2 at a time)."
    assert "now 2 of 2 slots busy, 5 runs wait, so it takes longer" in time_words(24, 480, Load(2, 2, 5, 2))


def test_progress_is_one_line() -> None:
    quiet, busy = Load(2, 2, 0, 2), Load(2, 2, 5, 2)
    states = ["finished"] * 6 + ["failed", "running", "queued"]
    assert progress_words(states, 120, quiet) == "7 of 9 runs done, about 2 min to go"
    assert progress_words(["queued"], None, busy) == "0 of 1 run done, 2 of 2 slots busy, 5 runs wait"
    assert progress_words(["finished", "paused", "interrupted"], None, quiet) == "1 of 3 runs done, 2 paused"
