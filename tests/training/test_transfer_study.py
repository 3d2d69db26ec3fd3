"""A transfer study: its runs, its table, its crystals, and what can be said of them."""

from collections.abc import Callable

import pytest

from cgcnn.data.targets import TARGETS
from cgcnn.errors import ConfigError
from cgcnn.training.arms import Outcome
from cgcnn.training.transfer import TransferConfig
from cgcnn.training.transfer_answers import Finding, findings, named_best, row_by_seed
from cgcnn.training.transfer_crystals import Material, errors_without, material, material_words
from cgcnn.training.transfer_parts import n_learning, parts_of
from cgcnn.training.transfer_study import (
    COMBINED,
    CUT,
    ENERGY,
    LIVE,
    OWN,
    PUBLISHED_ENERGY,
    SCRATCH,
    THEIRS,
    TUNED,
    Step,
    Study,
    Table,
    cell_words,
    network,
    plan,
    read,
    steps,
)

BULK = "bulk modulus"
Error = Callable[[Step], float | None]


def filled(study: Study, error: Error, is_live: bool = False) -> Table:
    """The table when each run had this error; None: it is live, or it failed."""
    found = {}
    for step in steps(study):
        mae = error(step)
        found[step.planned.name] = Outcome(step.planned.config, mae, is_live=is_live and mae is None)
    return read(study, found)


def by_source(means: dict[str, float], spread: float = 0.01) -> Error:
    """Every run has the mean of its source, and seeds differ by `spread`, in another order for each source."""
    order = {name: n for n, name in enumerate(means)}
    return lambda step: means[step.source] + spread * ((step.planned.seed + order[step.source]) % 3)


def answers(means: dict[str, float], spread: float = 0.01, **study: object) -> list[Finding]:
    rows = tuple(name for name in means if name != SCRATCH)
    return findings(filled(Study(sources=rows, **study), by_source(means, spread)))  # type: ignore[arg-type]


def test_a_study_is_one_round_for_each_seed_with_sources_before_what_starts_from_them() -> None:
    planned = plan(Study(seeds=2))
    assert len(planned) == 2 * (5 + 1 + 5 * 3)
    for number, one in enumerate(planned):
        start = one.config.transfer.source
        if start:
            source = planned[int(start.removeprefix("#"))]
            assert int(start.removeprefix("#")) < number and source.seed == one.seed
            assert not source.config.transfer.source


def test_every_run_of_a_study_has_a_name_of_its_own() -> None:
    names = [one.name for one in plan(Study(tuned=True))]
    assert len(set(names)) == len(names) == 3 * (5 + 1 + 5 * 4)


def test_the_name_of_a_run_begins_with_what_its_network_predicts() -> None:
    for step in steps(Study(target="metal", tuned=True)):
        target = step.planned.config.dataset.target
        assert step.planned.name.startswith(TARGETS[target].label)
    names = [one.name for one in plan(Study(target="metal"))]
    assert {"Metal or not, from formation energy (cut), 1 frozen, seed 1", "Metal or not, from scratch, seed 2"} <= set(
        names
    )
    assert {"Formation energy, source, seed 1", "Formation energy (cut), source, seed 1"} <= set(names)


def test_a_study_whose_runs_have_their_former_names_fills_the_same_table() -> None:
    study = Study(sources=(BULK,), seeds=2)
    former = {
        f"{cell_words(step.source, step.column)}, seed {step.planned.seed}": Outcome(step.planned.config, 0.5)
        for step in steps(study)
    }
    assert "bulk modulus, 2 frozen, seed 1" in former
    assert read(study, former) == filled(study, lambda step: 0.5)


def test_all_networks_that_learn_the_new_property_share_crystals_and_split() -> None:
    found = {step.planned.config.dataset for step in steps(Study()) if step.column != OWN or step.source == SCRATCH}
    assert len(found) == 1


def test_sources_of_equal_size_learn_from_equally_many_crystals() -> None:
    configs = {step.source: step.planned.config for step in steps(Study(seeds=1)) if step.column == OWN}
    amounts = {name: configs[name].dataset.train_crystals for name in LIVE}
    assert amounts == {ENERGY: 0, CUT: 600, BULK: 600, "shear modulus": 600, COMBINED: 600}
    assert len(configs[COMBINED].dataset.targets) == 3


def test_a_published_source_needs_no_run_of_its_own() -> None:
    found = steps(Study(sources=("published: bulk modulus",), frozen=("2",), seeds=1))
    assert [step.planned.config.transfer.source for step in found] == ["", "published: bulk modulus"]
    assert found[1].planned.config.transfer.taken == 2


def test_fine_tuning_takes_all_convolutions_over_and_lets_them_learn() -> None:
    (tuned,) = [s for s in steps(Study(sources=(BULK,), frozen=(), tuned=True, seeds=1)) if s.column == TUNED]
    assert tuned.planned.config.transfer == TransferConfig(source="#0", taken=4, frozen=False)


def test_a_study_goes_to_json_and_back() -> None:
    study = Study(target="density", sources=(BULK, "published: Fermi energy"), frozen=("3", "0"), seeds=4)
    assert Study.from_dict(study.to_dict()) == study and study.frozen == ("0", "3")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"sources": ()}, "no row"),
        ({"frozen": ()}, "no column"),
        ({"target": "log10_bulk_modulus"}, "learns the new property itself"),
    ],
)
def test_a_study_that_has_no_table_is_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Study(**wrong)  # type: ignore[arg-type]


def test_every_outcome_stands_in_its_place_of_the_table() -> None:
    study = Study(sources=(ENERGY, BULK), seeds=2)
    table = filled(study, lambda step: float(steps(study).index(step)))
    for step in steps(study):
        row = table.row(step.source)
        cell = table.scratch if row is None else row.own if step.column == OWN else row.cells[int(step.column) - 1]
        assert cell is not None and cell.by_seed[step.planned.seed] == steps(study).index(step)


def test_runs_to_come_and_runs_without_a_result_are_counted_apart() -> None:
    study = Study(sources=(BULK,), frozen=("1",), seeds=3)
    live = filled(study, lambda step: None if step.planned.seed else 1.0, is_live=True)
    lost = filled(study, lambda step: None if step.planned.seed else 1.0)
    assert (live.scratch.n_live, live.scratch.n_lost, live.is_over) == (2, 0, False)
    assert (lost.scratch.n_live, lost.scratch.n_lost, lost.is_over) == (0, 2, True)


def test_a_run_without_a_finite_error_is_lost() -> None:
    table = filled(Study(sources=(BULK,), seeds=2), lambda step: float("nan") if step.column == "1" else 0.5)
    assert table.rows[0].cells[0].n_lost == 2 and findings(table)


def test_runs_that_started_from_a_source_without_a_result_are_lost_with_it() -> None:
    study = Study(sources=(BULK,), seeds=2)
    table = filled(study, lambda step: None if (step.source, step.column) == (BULK, OWN) and step.planned.seed else 0.5)
    assert [(list(cell.by_seed), cell.n_lost) for cell in table.rows[0].cells] == [([0], 1)] * 3
    assert list(table.scratch.by_seed) == [0, 1]


def test_the_published_network_of_formation_energy_stands_for_formation_energy() -> None:
    published = {PUBLISHED_ENERGY: 0.5, BULK: 0.9, SCRATCH: 0.9}
    assert answers(published)[0].found == "yes"
    assert answers({ENERGY: 0.7, **published})[0].found == "yes"


@pytest.mark.parametrize(("name", "target"), [("band gap", "band_gap"), ("metal or not", "metal")])
def test_a_published_source_that_learned_the_new_property_itself_is_refused(name: str, target: str) -> None:
    with pytest.raises(ConfigError, match="learns the new property itself"):
        Study(sources=(f"published: {name}", BULK), target=target)


def test_nothing_is_judged_before_every_run_has_ended() -> None:
    table = filled(Study(), lambda step: None if step.column == "3" else 1.0, is_live=True)
    assert {finding.found for finding in findings(table)} == {"unknown"}


def test_nothing_is_judged_with_one_seed() -> None:
    found = answers({SCRATCH: 0.8, ENERGY: 0.1, BULK: 0.9}, seeds=1)
    assert {finding.found for finding in found} == {"unknown"} and "two seeds" in found[0].sentence


def test_a_row_that_is_missing_is_said_before_seeds_that_are_missing() -> None:
    best, combined, _ = answers({SCRATCH: 0.8, ENERGY: 0.1, BULK: 0.9}, seeds=1)
    assert "needs the row “combined”" in combined.sentence and "two seeds" in best.sentence


def test_runs_that_were_stopped_are_counted_where_too_few_are_left() -> None:
    found = findings(filled(Study(sources=(BULK, COMBINED, ENERGY)), lambda step: None))
    assert {finding.sentence for finding in found} == {
        "Nobody can tell: 30 of the runs have no result, and too few are left to judge by."
    }


def test_the_errors_of_a_class_are_told_in_percent() -> None:
    table = filled(Study(target="metal", sources=(BULK, CUT)), by_source({SCRATCH: 0.2, BULK: 0.4, CUT: 0.3}))
    assert table.scratch.by_seed[0] == pytest.approx(20) and table.row(BULK).own.by_seed[0] < 1  # type: ignore[union-attr]
    assert (table.study.error, table.study.unit) == ("share wrong", "%")
    assert "20.0 %" in findings(table)[0].sentence.replace("21.0", "20.0")


def test_a_source_that_beats_all_others_beyond_chance_transfers_best() -> None:
    found = answers({SCRATCH: 0.8, ENERGY: 0.5, CUT: 0.8, BULK: 0.9, COMBINED: 1.0})[0]
    assert found.found == "yes" and f"beats {BULK} and {COMBINED}" in found.sentence
    assert f"{ENERGY} helps; {BULK} and {COMBINED} harm;" in found.sentence


def test_a_source_that_another_beats_beyond_chance_does_not_transfer_best() -> None:
    found = answers({SCRATCH: 0.8, ENERGY: 0.9, BULK: 0.5})[0]
    assert found.found == "no" and found.sentence.startswith(f"No: {BULK} beats it")


def test_sources_within_the_spread_leave_the_first_question_open() -> None:
    found = answers({SCRATCH: 0.8, ENERGY: 0.81, BULK: 0.8}, spread=0.1)[0]
    assert found.found == "open" and "chance alone explains up to" in found.sentence


@pytest.mark.parametrize(
    ("combined", "found"), [(0.5, "yes"), (1.5, "no"), (1.0, "open")], ids=["far below", "far above", "equal"]
)
def test_combined_is_held_against_each_single_property_of_equal_size(combined: float, found: str) -> None:
    one = answers({SCRATCH: 1.0, CUT: 1.0, BULK: 1.0, COMBINED: combined, ENERGY: 0.1})[1]
    assert one.found == found and CUT in one.sentence and BULK in one.sentence
    assert f"{ENERGY} (0.1" not in one.sentence, "it had more crystals"


def test_the_spread_of_single_runs_is_held_against_the_range_of_the_cells() -> None:
    means = {SCRATCH: 0.8, ENERGY: 0.81, BULK: 0.82}
    assert answers(means, spread=0.2)[2].found == "yes" and answers(means, spread=1e-4)[2].found == "no"


def test_what_each_seed_alone_would_have_announced_is_told() -> None:
    study = Study(sources=(ENERGY, BULK), frozen=("1",), seeds=2)
    table = filled(study, lambda step: 0.1 if (step.source == ENERGY) == (step.planned.seed == 0) else 0.5)
    assert named_best(table) == {0: "formation energy, 1 frozen", 1: SCRATCH}
    assert "they do not agree" in findings(table)[2].sentence


def test_a_row_counts_by_its_mean_over_frozen_counts_and_without_fine_tuning() -> None:
    study = Study(sources=(BULK,), frozen=("1", "3"), tuned=True, seeds=2)
    table = filled(study, lambda step: 9.0 if step.column == TUNED else float(step.column.replace(OWN, "7")))
    assert row_by_seed(table.rows[0], study.columns) == {0: 2.0, 1: 2.0}


def test_the_published_shape_has_the_published_numbers_of_parameters() -> None:
    parts = parts_of(network())
    assert [part.n_parameters for part in parts] == [5952, 22144, 22144, 22144, 22144, 2113]
    assert n_learning(parts, TransferConfig()) == 96_641
    assert n_learning(parts, TransferConfig(source="#0", taken=3)) == 96_641 - 5_952 - 3 * 22_144
    assert n_learning(parts, TransferConfig(source="#0", taken=4, frozen=False)) == 96_641


def test_their_lowest_error_is_that_of_formation_energy_with_two_frozen() -> None:
    assert min(mae for _, maes in THEIRS.values() for mae in maes) == THEIRS[ENERGY][1][1] == 0.765


def test_the_crystals_of_a_study_are_counted_and_those_met_before_are_named() -> None:
    found = material(Study())
    sizes = {name: source.n_train for name, source in found.sources.items()}
    assert sizes[ENERGY] > sizes[CUT] == sizes[BULK] == sizes[COMBINED] == 600 and found.n_train == 200
    assert found.again < found.kin and 100 < found.n_apart == found.n_test - len(found.kin)


@pytest.mark.parametrize(
    ("strict", "end"),
    [
        (True, "with the switch on, only the other 152 judge."),
        (False, "with the switch off, all 220 judge."),
        (None, "one table is judged by the other 152 alone, one by all."),
    ],
)
def test_who_judges_is_said_for_each_place_of_the_switch(strict: bool | None, end: str) -> None:
    again, kin = frozenset("ab"), frozenset(str(n) for n in range(68))
    words = material_words(Study(), Material({}, 200, 73, 220, again, kin), strict)[-1]
    assert words.startswith("68 of the 220 test crystals share") and "(2 are that very crystal)" in words
    assert words.endswith(end)


def test_an_error_without_some_crystals_is_the_mean_over_the_others() -> None:
    test = {"ids": ["a", "b", "c"], "truth": [1.0, 2.0, 3.0], "predicted": [1.5, 2.0, 9.0]}
    assert errors_without(test, "band_gap", {"c"}) == (0.25, 0.5)
    assert errors_without(test, "band_gap", {"a", "b", "c"}) is None


def test_of_a_class_the_error_is_the_share_wrong() -> None:
    test = {"ids": ["a", "b", "c", "d"], "truth": [1.0, 1.0, 0.0, 1.0], "predicted": [0.9, 0.2, 0.4, 0.6]}
    assert errors_without(test, "metal") == (0.25, 0.25)
