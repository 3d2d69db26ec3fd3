"""The Transfer page: something true at once, a study as asked for, and an answer that a link brings back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_study import Study, plan
from page_kit import echarts_titles, opened, tables

SOURCE = "Formation energy + Bulk modulus + Shear modulus, source"
HEIR = "Band gap (non-metals), from combined, 1 frozen"
SMALL = Study(sources=("formation energy (cut)", "combined"), frozen=("1",), seeds=2, epochs=2)
EPOCH = {"train_loss": 1.0, "val_loss": 1.0, "val_mae": 0.5, "train_mae": 0.5, "learning_rate": 0.1, "seconds": 0.5}
DATA = {"val_mean_mae": 1.0, "val_mean_maes": [1.0, 1.0, 1.0]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    opened_store = RunStore(tmp_path)
    yield opened_store
    opened_store.close()


def begun(store: RunStore, study: Study = SMALL, user: str = "") -> str:
    planned = plan(study)
    return store.submit_sweep(
        [one.config for one in planned],
        experiment="transfer",
        title="A study",
        guess="",
        axes={"study": [study.to_dict()]},
        names=[one.name for one in planned],
        user=user,
    )


def said(mae: float) -> list[tuple[str, int, dict[str, Any]]]:
    """What a run says that errs by `mae` on every crystal."""
    epochs = [("epoch", n, EPOCH | {"epoch": n, "crystals_per_second": 9.0}) for n in (1, 2)]
    test = {"best_epoch": 2, "mae": mae, "mean_mae": 1.0, "median_mae": 1.0, "ids": ["a", "b"]}
    test |= {"formulas": ["NaCl", "MgO"], "truth": [0.0, 1.0], "predicted": [mae, 1.0 + mae], "others": {}}
    return [("data", 1, DATA), *epochs, ("test", 1, test)]


def worked(store: RunStore, error: Callable[[Run], float | None], n: int = 1000) -> None:
    """Do what workers would, for `n` runs; a run without an error fails."""
    for _ in range(n):
        lease = store.take("w")
        if lease is None:
            return
        mae = error(store.run(lease.run_id))
        if mae is None:
            store.finish(lease, "failed", "The loss became NaN; lower the learning rate.")
        else:
            store.finish(lease, "finished", events=said(mae))


def errors(run: Run) -> float:
    """Combined transfers better than the single property, and seeds differ a little."""
    usual = 0.2 if "from combined" in run.name else 0.8
    return usual + 0.01 * run.config.train.seed


def text(app: AppTest) -> str:
    return " ".join(e.value for e in [*app.markdown, *app.info, *app.warning, *app.error]).replace("\\", "")


def test_the_page_shows_parts_and_the_published_table_with_no_click(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer")
    assert not app.exception and not app.error
    assert echarts_titles(app) == ["What stays and what begins anew", "A published study: test error of the band gap"]
    theirs = tables(app)[0]
    assert list(theirs["2 frozen"])[:2] == ["0.812", "0.765"] and "one run each" in app.caption[0].value


def test_the_form_says_how_many_runs_it_takes_and_what_is_met_again(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer")
    assert "63 runs" in text(app) and "of the 220 test crystals share their chemical system" in text(app)


def test_run_submits_the_study_of_the_form_and_it_stands_in_the_url(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", study_seeds="1", study_sources="combined", study_frozen="2", study_epochs="3", who="Ann")
    app.button(key="run_study").click().run()
    (sweep,) = store.sweeps()
    study = Study(sources=("combined",), frozen=("2",), seeds=1, epochs=3)
    assert (sweep.experiment, sweep.user, Study.from_dict(sweep.axes["study"][0])) == ("transfer", "Ann", study)
    runs = list(reversed(store.runs(100, sweep=sweep.id)))
    assert [run.name for run in runs] == [one.name for one in plan(study)]
    assert runs[-1].config.transfer.source == runs[0].id, "the transferred run names its source by id"
    assert not app.exception and sweep.id in app.query_params["study"] and app.get("progress")


def test_too_many_runs_are_one_sentence_and_no_button(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", study_seeds="10")
    assert app.button(key="run_study").disabled and len(app.error) == 1 and "210 runs" in text(app)


def test_a_source_that_learns_the_new_property_is_left_out(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", study_target="Bulk modulus (log10 GPa)")
    assert not app.exception and not app.error and "learned already: “bulk modulus”, “combined”" in text(app)


def test_a_table_fills_cell_by_cell_without_a_verdict(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors, n=5)
    opened(app, "transfer", study=sweep)
    assert not app.exception and not app.error and "5 of 10 runs done" in app.get("progress")[0].proto.text
    assert "judged when all runs have ended" in text(app)
    assert list(tables(app)[0]["1 frozen"]) == ["0.800 (1 of 2)", "0.800 (1 of 2)", "0.200 (1 of 2)"]
    assert tables(app)[1]["1 frozen"].iloc[0] == "0.812", "theirs stands beside"


def test_at_the_end_the_three_claims_are_answered(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors)
    opened(app, "transfer", study=sweep)
    assert not app.exception and not app.get("progress")
    questions = [info.value for info in app.info]
    assert len(questions) == 3 and "Does combined beat single at equal size?" in questions[1].replace("\\", "")
    assert "combined (0.2" in text(app) and "test error: band gap" in echarts_titles(app)[0].lower()


def test_curves_are_drawn_for_sources_and_for_the_new_property(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors)
    opened(app, "transfer", study=sweep, transfer_tab="Curves")
    assert not app.exception
    assert echarts_titles(app) == ["How the sources learned", "How the new property was learned, 1 frozen"]


def test_combined_and_single_stand_beside_the_published_rows(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors)
    opened(app, "transfer", study=sweep, transfer_tab="Combined or single")
    assert not app.exception
    by_first = {frame["learned first"].iloc[0]: frame for frame in tables(app)}
    assert list(by_first["combined"]["crystals"]) == ["600", "600"]
    assert list(by_first["from scratch"]["learned first"])[1:] == [
        "combined",
        "formation energy (cut)",
        "formation energy",
    ]


@pytest.mark.parametrize("tab", ["Curves", "Combined or single"])
def test_a_tab_without_a_study_says_where_to_begin_one(app: AppTest, store: RunStore, tab: str) -> None:
    opened(app, "transfer", transfer_tab=tab)
    assert not app.exception and not app.error and "**Table** tab" in text(app)


def test_lost_runs_are_tried_again_from_the_new_source(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, lambda run: None if run.name in (f"{SOURCE}, seed 1", f"{HEIR}, seed 1") else errors(run))
    opened(app, "transfer", study=sweep)
    assert not app.exception and "The loss became NaN" in text(app)
    app.button(key="study_again").click().run()
    assert not app.exception
    again = {run.name: run for run in store.runs(100) if run.parent}
    source, heir = again[f"{SOURCE}, seed 1"], again[f"{HEIR}, seed 1"]
    assert heir.config.transfer.source == source.id
    worked(store, errors)
    app.run()
    assert "of 2)" not in " ".join(tables(app)[0]["1 frozen"]) and not app.get("progress")


def test_a_wrong_id_is_one_sentence_above_the_form(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", study="deadbeef")
    assert not app.exception and len(app.error) == 1 and "deadbeef" in text(app) and app.button(key="run_study")


def test_a_study_opens_again_from_the_list_and_not_from_that_of_experiments(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    opened(app, "compare", compare_tab="Experiments")
    assert not [box for box in app.selectbox if box.key == "sweep_choice"]
    app.switch_page("pages/transfer.py").run()
    app.selectbox(key="study_choice").set_value(sweep).run()
    assert not app.exception and sweep in app.query_params["study"]


def test_the_experiments_tab_leads_a_study_to_its_own_page(app: AppTest, store: RunStore) -> None:
    opened(app, "compare", compare_tab="Experiments", sweep=begun(store))
    assert not app.exception and not app.error and "shown on the page **Transfer**" in text(app)


def test_one_network_starts_from_a_published_one_and_is_watched_on_train(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", transfer_tab="One network", one_taken="3")
    app.button(key="train_one").click().run()
    (run,) = store.runs()
    assert not app.exception and run.config.transfer.source == "published: formation energy"
    assert run.config.transfer.taken == 3 and run.config.dataset.target == "band_gap"
    assert run.name == "Band gap (non-metals), from published: formation energy, 3 frozen, seed 0"


def test_a_lesson_locks_the_controls_of_one_network(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", transfer_tab="One network", one_epochs="7", lock="one_taken,one_frozen,one_epochs")
    locked = [app.slider(key="one_taken"), app.toggle(key="one_frozen"), app.number_input(key="one_epochs")]
    assert not app.exception and not app.error and all(widget.disabled for widget in locked)
    assert not app.number_input(key="one_seed").disabled
    app.button(key="train_one").click().run()
    assert store.runs()[0].config.train.epochs == 7


def test_one_network_from_scratch_is_the_baseline(app: AppTest, store: RunStore) -> None:
    opened(app, "transfer", transfer_tab="One network", one_from="from scratch")
    app.button(key="train_one").click().run()
    (run,) = store.runs()
    assert not app.exception and not run.config.transfer.source
    assert run.name == "Band gap (non-metals), from scratch, seed 0"


def test_the_switch_of_the_judges_goes_from_tab_to_tab_and_into_the_link(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors)
    opened(app, "transfer", study=sweep)
    app.toggle(key="study_strict").set_value(False).run()
    assert app.query_params["study_strict"] == "false"
    app.session_state["transfer_tab"] = "Combined or single"
    app.run()
    assert not app.exception and app.query_params["study_strict"] == "false"
    assert not app.toggle(key="study_strict").value
    assert any("Judged by all" in caption.value for caption in app.caption)


def test_a_link_says_on_the_combined_tab_which_crystals_judge(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    opened(app, "transfer", study=sweep, transfer_tab="Combined or single")
    assert any("that no source trained here has met" in caption.value for caption in app.caption)


def test_a_class_is_told_by_the_share_wrong_and_without_the_published_band_gaps(app: AppTest, store: RunStore) -> None:
    sweep = begun(store, SMALL.with_(target="metal"))
    worked(store, lambda run: 0.25)
    opened(app, "transfer", study=sweep)
    captions = " ".join(caption.value for caption in app.caption)
    assert not app.exception and "**Here**: test share wrong in %" in text(app) and "MAE" not in text(app)
    assert "commoner class of these test crystals is wrong for 50.0 %" in captions and len(tables(app)) == 1
    assert "learned the band gap" in captions


def test_what_is_unknown_for_one_reason_is_said_once(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, lambda run: None)
    opened(app, "transfer", study=sweep)
    assert len([info for info in app.info if "Nobody can tell" in info.value]) == 1
    assert "stopped or failed runs again" in app.button(key="study_again").label


def test_from_a_study_one_comes_back_to_the_form_as_it_was(app: AppTest, store: RunStore) -> None:
    sweep = begun(store, SMALL.with_(target="density"))
    opened(app, "transfer", study=sweep)
    app.button(key="back_to_studies").click().run()
    assert not app.exception and app.button(key="run_study")
    assert app.multiselect(key="study_sources").value == list(SMALL.sources)
    assert app.selectbox(key="study_target").value == "Density (g/cm³)" and "10 runs" in text(app)
