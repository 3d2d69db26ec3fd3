import json

import pytest

from cgcnn.errors import ConfigError
from cgcnn.models import MODELS
from cgcnn.training.experiment import RunConfig
from cgcnn.training.sweep import (
    NO_AXES,
    WORDS,
    arm_words,
    arms,
    axes_words,
    axis_kind,
    axis_options,
    grid,
    limits,
    parse_values,
    shares_test,
    split_varies,
    value_words,
    values_of,
)

BASE = RunConfig()
AXES = {"graph.max_neighbors": (6, 12), "graph.rule": ("k nearest", "whole shells")}


def test_a_grid_holds_every_combination_with_every_seed() -> None:
    runs = grid(BASE, AXES, seeds=(3, 5))
    found = {(r.config.graph.max_neighbors, r.config.graph.rule, r.config.train.seed) for r in runs}
    assert len(runs) == len(found) == 8
    assert {r.config.dataset for r in runs} == {BASE.dataset}  # one split for all


def test_a_round_of_all_arms_comes_before_the_next_seed() -> None:
    assert [run.seed for run in grid(BASE, AXES, seeds=(0, 1))] == [0] * 4 + [1] * 4


def test_a_run_is_named_by_what_it_changes() -> None:
    assert grid(BASE, AXES, seeds=(0,))[1].name == "k = 6, whole shells, seed 0"


def test_where_the_crystals_change_each_seed_draws_its_own_split() -> None:
    runs = grid(BASE, {"dataset.max_crystals": (100, 200)}, seeds=(0, 1))
    assert all(run.config.dataset.seed == run.config.train.seed == run.seed for run in runs)


def test_the_split_itself_can_be_an_axis() -> None:
    runs = grid(BASE, {"dataset.seed": (7, 8)}, seeds=(0, 1))
    assert [run.config.dataset.seed for run in runs] == [7, 8, 7, 8]


def test_the_arm_of_a_run_can_be_read_from_its_settings_after_json() -> None:
    for run, values in zip(grid(BASE, AXES, seeds=(0,)), arms(AXES), strict=True):
        revived = RunConfig.from_dict(json.loads(json.dumps(run.config.to_dict())))
        assert values_of(revived, AXES) == values
        assert arm_words(values_of(revived, AXES)) == run.arm


@pytest.mark.parametrize(
    ("axes", "seeds", "words"),
    [
        ({}, (0,), "nothing to compare"),
        ({"graph.max_neighbors": ()}, (0,), "Neighbors k has no value"),
        ({"graph.max_neighbors": (6, 6)}, (0,), "Neighbors k 6 is listed twice"),
        ({"model.n_convs": (0, 0)}, (0,), "Convolutions 0 is listed twice"),
        ({"graph.max_neighbors": (6, 99)}, (0,), "Neighbors k is 99; it must lie between 1 and 48"),
        ({"model.pooling": ("mean", "median")}, (0,), "Pooling is 'median'; choose one of mean, sum, max"),
        ({"model.depth": (1, 2)}, (0,), "no setting 'model.depth' to compare; choose one of dataset.max_sites"),
        ({"train.seed": (1, 2)}, (0,), "repeated with several seeds anyway"),
        ({"dataset.target": ("band_gap",)}, (0,), "different units"),
        (AXES, (), "The seeds are none"),
        (AXES, (1, 1), "The seeds are 1, 1; give one at least, and each only once"),
    ],
)
def test_a_wrong_grid_is_refused_in_a_sentence(axes: dict, seeds: tuple, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        grid(BASE, axes, seeds)


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("graph.max_neighbors", "6, 12 ,18;24,", [6, 12, 18, 24]),
        ("model.pooling", "Mean, SUM", ["mean", "sum"]),
        ("train.per_atom", "yes, no", [True, False]),
        ("train.learning_rate", "1e-3\n0.01", [0.001, 0.01]),
        ("model.n_convs", "3.0", [3]),
        ("model.conv", "weight-shared, no convolution", ["weight-shared", "no convolution"]),
    ],
)
def test_what_a_reader_types_becomes_values_of_the_right_type(field: str, text: str, values: list) -> None:
    found = parse_values(field, text)
    assert found == values
    assert {type(value) for value in found} == {axis_kind(field)}


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("graph.max_neighbors", "six", "Neighbors k: 'six' is not a number"),
        ("graph.max_neighbors", "6.5", "Neighbors k: 6.5 is not a whole number"),
        ("graph.max_neighbors", "0", "Neighbors k is 0; it must lie between 1 and 48"),
        ("graph.max_neighbors", " , ", "Neighbors k has no value"),
        ("graph.cutoff", "nan", "Cutoff r: 'nan' is not a number"),
        ("model.pooling", "median", "Pooling is 'median'; choose one of"),
        ("train.per_atom", "perhaps", "'perhaps' is neither yes nor no"),
        ("train.threads", "1, 2", "how long a run takes, not what it learns"),
        ("nothing", "1", "no setting 'nothing'"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(field: str, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_values(field, text)


@pytest.mark.parametrize("field", axis_options())
def test_every_axis_takes_its_default_and_has_words_for_it(field: str) -> None:
    default = values_of(BASE, [field])[field]
    assert len(grid(BASE, {field: (default,)}, seeds=(0,))) == 1
    assert value_words(field, default)


def test_every_field_named_here_exists() -> None:
    assert WORDS.keys() <= {field for m in MODELS.values() for field in axis_options(BASE.with_(model=m.Config()))}
    assert all(values_of(BASE, [field]) for field in NO_AXES)
    assert not NO_AXES.keys() & axis_options().keys()


def test_an_axis_is_labelled_with_its_unit_and_without_remarks() -> None:
    (cutoff, amount) = axes_words({"graph.cutoff": (4.0,), "dataset.max_crystals": (0, 1500)})
    assert (cutoff.label, cutoff.words) == ("Cutoff r (Å)", ("Cutoff r 4 Å",))
    assert (amount.label, amount.words) == ("Crystals used", ("all crystals", "1,500 crystals"))


def test_what_the_experiment_cannot_tell_depends_on_what_the_seeds_vary() -> None:
    assert limits(["graph.max_neighbors"], 3).startswith("3 seeds on one split")
    assert limits(["dataset.max_crystals"], 5).startswith("5 seeds, each with its own split:")


def test_amounts_of_training_crystals_share_the_test_crystals_of_a_seed() -> None:
    assert split_varies(["dataset.train_crystals"]) and shares_test(["dataset.train_crystals", "model.pooling"])
    assert not shares_test(["dataset.train_crystals", "dataset.val_fraction"])
    assert "the same test crystals for all settings of a seed" in limits(["dataset.train_crystals"], 5)
