"""The Experiments tab: a guess first, runs as asked for, and an answer that a link brings back."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiments import EXPERIMENTS, SMALL
from cgcnn.training.sweep import grid
from cgcnn.ui.experiment_seen import SweepSeen, seconds_to_go, with_heirs
from page_kit import echarts_titles, opened, tables

POOLING = {"model.pooling": ("mean", "sum")}
GUESS = "Mean beats sum: it fits an energy per atom."
EFFECT = {"mean": 0.1, "sum": 0.5}
NO_EFFECT = {"mean": 0.2, "sum": 0.2}
EPOCH = {"train_loss": 1.0, "val_loss": 1.0, "val_mae": 0.5, "train_mae": 0.5, "learning_rate": 0.1, "seconds": 0.5}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    opened_store = RunStore(tmp_path)
    yield opened_store
    opened_store.close()


def begun(store: RunStore, guess: str = GUESS, user: str = "", seeds: Sequence[int] = (0, 1, 2)) -> str:
    planned = grid(SMALL.with_(**{"train.epochs": 4}), POOLING, seeds)
    return store.submit_sweep(
        [p.config for p in planned],
        experiment="pooling",
        title="Mean, sum or max?",
        guess=guess,
        axes=POOLING,
        names=[p.name for p in planned],
        user=user,
    )


def said(mae: float, epochs: int = 4) -> list[tuple[str, int, dict[str, Any]]]:
    events = [("epoch", n, EPOCH | {"epoch": n, "crystals_per_second": 9.0}) for n in range(1, epochs + 1)]
    test = {"best_epoch": epochs, "mae": mae, "mean_mae": 1.0, "median_mae": 1.0}
    test |= {"ids": ["a", "b"], "formulas": ["NaCl", "MgO"], "truth": [0.0, 1.0], "predicted": [mae, 1.0]}
    return [*events, ("test", 1, test)]


def worked(store: RunStore, error: Callable[[Run], float | None], n: int = 1000) -> None:
    """Do what workers would, for `n` runs; a run without an error fails."""
    for _ in range(n):
        lease = store.take("w")
        if lease is None:
            return
        run = store.run(lease.run_id)
        mae = error(run)
        if mae is None:
            store.finish(lease, "failed", "The loss became NaN; lower the learning rate.")
        else:
            store.finish(lease, "finished", events=said(mae))


def errors(of: dict[str, float]) -> Callable[[Run], float | None]:
    """The error of each pooling, a little different for each seed."""
    return lambda run: of[run.config.model.pooling] + 0.01 * run.config.train.seed  # type: ignore[attr-defined]


def tab(app: AppTest, **link: str) -> AppTest:
    return opened(app, "compare", **{"compare_tab": "Experiments"} | link)


def button(app: AppTest, label: str) -> Any:
    return next(b for b in app.button if b.label == label)


def text(app: AppTest) -> str:
    """All sentences on the page, without the marks that keep Markdown away."""
    return " ".join(e.value for e in [*app.markdown, *app.info, *app.warning, *app.error]).replace("\\", "")


def test_every_experiment_has_a_card_that_asks_before_it_tells(app: AppTest, store: RunStore) -> None:
    tab(app)
    assert not app.exception and not app.error
    for key, card in EXPERIMENTS.items():
        assert card.question in text(app) and any(b.key == f"open_{key}" for b in app.button)


@pytest.mark.parametrize("key", EXPERIMENTS)
def test_a_card_runs_only_after_a_guess(app: AppTest, store: RunStore, key: str) -> None:
    tab(app, experiment=key)
    assert not app.exception and not app.error and button(app, "Run it").disabled
    app.radio(key=f"guess_{key}").set_value(EXPERIMENTS[key].guesses[0].words).run()
    assert not button(app, "Run it").disabled and store.sweeps() == []


def test_a_card_opens_by_its_button_and_stands_in_the_url(app: AppTest, store: RunStore) -> None:
    tab(app)
    app.button(key="open_depth").click().run()
    assert "depth" in app.query_params["experiment"] and EXPERIMENTS["depth"].title in app.subheader[0].value
    button(app, "All experiments").click().run()
    assert "experiment" not in app.query_params and any(b.key == "open_depth" for b in app.button)


def test_run_it_submits_the_runs_of_the_card_with_the_guess(app: AppTest, store: RunStore) -> None:
    tab(app, experiment="depth", who="Ann")
    card = EXPERIMENTS["depth"]
    app.radio(key="guess_depth").set_value(card.guesses[1].words).run()
    button(app, "Run it").click().run()
    (sweep,) = store.sweeps()
    runs = list(reversed(store.runs(100, sweep=sweep.id)))
    assert [run.config for run in runs] == [planned.config for planned in card.runs()]
    assert (sweep.experiment, sweep.guess, sweep.user) == ("depth", card.guesses[1].words, "Ann")
    assert not app.exception and sweep.id in app.query_params["sweep"] and "0 of 24 runs done" in progress(app)


def progress(app: AppTest) -> str:
    return app.get("progress")[0].proto.text


def test_an_earlier_result_is_not_shown_on_a_card(app: AppTest, store: RunStore) -> None:
    begun(store)
    worked(store, errors(EFFECT))
    tab(app, experiment="pooling")
    assert not app.get("echarts_chart") and "0.1" not in text(app)


def test_a_queue_that_is_full_is_one_sentence(app: AppTest, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYSTAL_GRAPH_LAB_QUEUED", "3")
    tab(app, experiment="pooling")
    app.radio(key="guess_pooling").set_value(GUESS).run()
    button(app, "Run it").click().run()
    assert not app.exception and len(app.error) == 1 and "3 may" in app.error[0].value and store.sweeps() == []


def test_progress_figure_and_table_show_what_has_finished(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors(EFFECT), n=4)
    tab(app, sweep=sweep)
    assert not app.exception and "4 of 6 runs done" in progress(app)
    assert echarts_titles(app) == ["Test error: formation energy"]
    assert list(tables(app)[0]["runs"]) == ["2 of 3", "2 of 3"]
    assert "So far, with 4 of 6 runs, the lowest mean error is 0.1050 ± 0.0071 eV/atom" in text(app)
    assert "bear out" not in text(app) and "beyond the spread" not in text(app)


def test_an_effect_is_said_and_held_against_the_guess(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors(EFFECT))
    tab(app, sweep=sweep)
    assert not app.exception and "An effect beyond the spread" in text(app)
    assert "The runs bear out this guess" in text(app) and EXPERIMENTS["pooling"].look in text(app)
    assert "3 seeds on one split" in text(app) and not app.get("progress")


def test_no_effect_is_said_and_a_wrong_guess_is_met_kindly(app: AppTest, store: RunStore) -> None:
    sweep = begun(store, user="Ann")
    worked(store, errors(NO_EFFECT))
    tab(app, sweep=sweep, who="Ann")
    assert "No effect beyond the spread" in text(app)
    assert f"Your guess: **{GUESS}**" in text(app) and "A fair guess, but these runs do not show it" in text(app)


def test_a_shared_link_says_whose_guess_it_was(app: AppTest, store: RunStore) -> None:
    sweep = begun(store, user="Ann")
    worked(store, errors(EFFECT))
    tab(app, sweep=sweep, who="Bob")
    assert f"The guess of Ann: **{GUESS}**" in text(app) and "Your guess" not in text(app)


def test_failed_runs_are_named_and_tried_again(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, lambda run: None if run.name == "sum pooling, seed 1" else errors(EFFECT)(run))
    tab(app, sweep=sweep)
    assert not app.exception and "**sum pooling, seed 1** failed: The loss became NaN" in text(app)
    assert list(tables(app)[0]["runs"]) == ["3 of 3", "2 of 3"]
    app.button(key="sweep_again").click().run()
    assert not app.exception and "5 of 6 runs done" in progress(app) and "failed:" not in text(app)
    worked(store, errors(EFFECT))
    app.run()
    assert list(tables(app)[0]["runs"]) == ["3 of 3", "3 of 3"] and not app.get("progress")


def test_all_runs_failed_is_said(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, lambda run: None)
    tab(app, sweep=sweep)
    assert not app.exception and "No run has a result yet" in text(app)


def test_all_runs_pause_resume_and_stop(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    tab(app, sweep=sweep)
    assert not app.get("echarts_chart") and list(tables(app)[0]["mae"]) == ["–", "–"]
    for key, state in (("pause", "paused"), ("run", "queued"), ("stop", "stopped")):
        app.button(key=f"sweep_{key}").click().run()
        assert not app.exception and {run.state for run in store.runs(sweep=sweep)} == {state}
    assert "Try all 6 again" in [b.label for b in app.button]


def test_only_its_owner_steers_an_experiment(app: AppTest, store: RunStore) -> None:
    tab(app, sweep=begun(store, user="Ann"), who="Bob")
    assert all(app.button(key=f"sweep_{key}").disabled for key in ("pause", "run", "stop"))
    assert "belongs to **Ann**" in text(app)


def test_a_link_that_names_an_experiment_alone_opens_its_tab(app: AppTest, store: RunStore) -> None:
    opened(app, "compare", sweep=begun(store))
    assert not app.exception and "0 of 6 runs done" in progress(app)


def test_a_wrong_id_is_one_sentence_above_all_cards(app: AppTest, store: RunStore) -> None:
    tab(app, sweep="deadbeef")
    assert not app.exception and len(app.error) == 1 and "deadbeef" in text(app)
    assert any(b.key == "open_depth" for b in app.button)


def test_a_wrong_card_is_one_sentence_above_all_cards(app: AppTest, store: RunStore) -> None:
    tab(app, experiment="nonsense")
    assert not app.exception and len(app.error) == 1 and any(b.key == "open_depth" for b in app.button)


def test_an_experiment_whose_runs_are_gone_is_said(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors(EFFECT))
    for run in store.runs(sweep=sweep):
        store.delete(run.id)
    tab(app, sweep=sweep)
    assert not app.exception and "have been deleted" in text(app)


def test_earlier_experiments_open_again_mine_or_everyone_s(app: AppTest, store: RunStore) -> None:
    first, _ = begun(store, user="Ann"), begun(store, user="Bob")
    tab(app, who="Ann")
    assert len(app.selectbox(key="sweep_choice").options) == 1
    app.segmented_control(key="whose_sweeps").set_value("Everyone's").run()
    assert len(app.selectbox(key="sweep_choice").options) == 2
    app.selectbox(key="sweep_choice").set_value(first).run()
    assert not app.exception and first in app.query_params["sweep"] and app.get("progress")


def test_one_run_of_each_setting_goes_side_by_side(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, errors(EFFECT))
    tab(app, sweep=sweep)
    app.button(key="sweep_compare").click().run()
    chosen = [store.run(i) for i in app.multiselect(key="compare_choice").value]
    assert not app.exception and [run.name for run in chosen] == ["mean pooling, seed 0", "sum pooling, seed 0"]


def test_a_grid_of_one_s_own_runs_what_was_typed(app: AppTest, store: RunStore) -> None:
    tab(app, experiment="custom", grid_epochs="3", grid_seeds="2")
    assert not app.exception and button(app, "Run it").disabled
    app.selectbox(key="grid_setting_0").set_value("Network: Convolutions").run()
    app.text_input(key="grid_values_0").set_value("0, 2").run()
    app.text_input(key="grid_guess").set_value("Two are better.").run()
    button(app, "Run it").click().run()
    (sweep,) = store.sweeps()
    runs = list(reversed(store.runs(sweep=sweep.id)))
    assert not app.exception and sweep.guess == "Two are better." and sweep.axes == {"model.n_convs": [0, 2]}
    assert [(r.config.model.n_convs, r.config.train.seed) for r in runs] == [(0, 0), (2, 0), (0, 1), (2, 1)]  # type: ignore[attr-defined]
    assert {run.config.train.epochs for run in runs} == {3} and sweep.title == "Convolutions"


def test_another_setting_begins_with_values_of_its_own(app: AppTest, store: RunStore) -> None:
    tab(app, experiment="custom")
    app.selectbox(key="grid_setting_1").set_value("Network: Pooling").run()
    assert app.text_input(key="grid_values_1").value.startswith("mean, sum")
    app.selectbox(key="grid_setting_0").set_value("Training: Learning rate").run()
    assert not app.exception and app.text_input(key="grid_values_0").value == "0.0025, 0.005, 0.01"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("6, twelve", "not a number"), ("6", "nothing to compare"), ("", "no value"), ("6, 6", "listed twice")],
)
def test_a_wrong_grid_is_one_sentence_before_anything_runs(
    app: AppTest, store: RunStore, typed: str, sentence: str
) -> None:
    tab(app, experiment="custom")
    app.text_input(key="grid_values_0").set_value(typed).run()
    assert not app.exception and len(app.error) == 1 and sentence in text(app) and store.sweeps() == []


def test_a_grid_beyond_the_limit_is_refused_with_its_number(app: AppTest, store: RunStore) -> None:
    tab(app, experiment="custom")
    app.text_input(key="grid_values_0").set_value(", ".join(str(k) for k in range(1, 34))).run()
    assert "33 settings with 3 seeds are 99 runs, and at most 96 are allowed" in text(app)


def test_a_grid_like_an_earlier_run_keeps_its_settings(app: AppTest, store: RunStore) -> None:
    run_id = store.submit(SMALL.with_(**{"model.atom_dim": 20, "train.snapshots": 5}), name="mine")
    tab(app, experiment="custom", like=run_id)
    app.text_input(key="grid_guess").set_value("No effect").run()
    button(app, "Run it").click().run()
    (sweep,) = store.sweeps()
    configs = [run.config for run in store.runs(sweep=sweep.id)]
    assert {c.model.atom_dim for c in configs} == {20} and {c.train.snapshots for c in configs} == {0}  # type: ignore[attr-defined]


def test_a_grid_is_asked_again_as_it_was(app: AppTest, store: RunStore) -> None:
    link = {"grid_values_0": "6, 18", "grid_setting_1": "Training: Learning rate", "grid_values_1": "0.01, 0.02"}
    tab(app, experiment="custom", grid_epochs="3", grid_seeds="2", **link)
    app.text_input(key="grid_guess").set_value("None").run()
    button(app, "Run it").click().run()
    button(app, "To the question").click().run()
    assert not app.exception and not app.error and app.text_input(key="grid_values_0").value == "6, 18"
    assert app.text_input(key="grid_values_1").value == "0.01, 0.02" and app.slider(key="grid_seeds").value == 2
    assert "3 epochs" in text(app) and "8 runs" in text(app) and button(app, "Run it").disabled


def test_runs_that_failed_for_one_reason_are_named_together(app: AppTest, store: RunStore) -> None:
    sweep = begun(store)
    worked(store, lambda run: None if run.config.train.seed else errors(EFFECT)(run))
    tab(app, sweep=sweep)
    (warning,) = (w.value.replace("\\", "") for w in app.warning)
    assert "mean pooling, seed 1; sum pooling, seed 1; mean pooling, seed 2" in warning


def test_an_experiment_of_another_version_is_one_sentence(app: AppTest, store: RunStore) -> None:
    (config,) = [p.config for p in grid(SMALL, {"model.n_convs": [1]}, [0])]
    sweep = store.submit_sweep([config], experiment="x", title="x", guess="", axes={"model.gone": [1]}, names=["x"])
    tab(app, sweep=sweep)
    assert not app.exception and len(app.error) == 1 and "model.gone" in text(app)


def test_the_time_to_go_is_that_of_runs_of_the_same_setting(store: RunStore) -> None:
    seen = SweepSeen(store.sweep(begun(store)))
    seen.look(store)
    assert seconds_to_go(seen.members, seen.sweep.axes) is None
    assert seconds_to_go(seen.members, seen.sweep.axes, expected=10) == 60
    worked(store, errors(EFFECT), n=2)
    lease = store.take("w")
    assert lease is not None
    store.record(lease, said(0.1)[:2])
    seen.look(store)
    lasted = [member.lasted for member in seen.members[:2]]
    assert lasted[0] is not None and lasted[1] is not None
    assert seconds_to_go(seen.members, seen.sweep.axes) == pytest.approx(1.5 * lasted[0] + 2 * lasted[1])


def test_a_run_that_has_not_changed_is_not_read_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = SweepSeen(store.sweep(begun(store)))
    worked(store, errors(EFFECT), n=3)
    seen.look(store)
    arms = seen.arms
    monkeypatch.setattr(store, "events", lambda *a, **k: pytest.fail("read again"))
    seen.look(store)
    assert seen.arms is arms


def test_an_heir_counts_only_with_the_same_settings(store: RunStore) -> None:
    begun(store, seeds=[0])
    worked(store, lambda run: None)
    lost = list(reversed(store.runs()))
    again = store.submit(lost[0].config, parent=lost[0].id)
    store.submit(lost[1].config.with_(**{"train.epochs": 9}), parent=lost[1].id)
    assert [run.id for run in with_heirs(lost, store.runs())] == [again, lost[1].id]


@pytest.mark.parametrize("wrong", ["6", "six", "1, " * 40])
def test_a_wrong_value_takes_nothing_away_of_what_was_typed(app: AppTest, store: RunStore, wrong: str) -> None:
    tab(app, experiment="custom")
    app.text_input(key="grid_guess").set_value("No effect").run()
    before = app.text_input(key="grid_values_0").value
    app.text_input(key="grid_values_0").set_value(wrong).run()
    assert not app.exception and len(app.error) == 1 and button(app, "Run it").disabled
    assert app.text_input(key="grid_guess").value == "No effect" and app.slider(key="grid_seeds").value == 3
    assert app.selectbox(key="grid_setting_1").value == "nothing else"
    app.text_input(key="grid_values_0").set_value(before).run()
    assert (
        not app.error and not button(app, "Run it").disabled and app.text_input(key="grid_guess").value == "No effect"
    )


def test_the_link_to_an_answer_names_the_answer_alone(app: AppTest, store: RunStore) -> None:
    tab(app, experiment="custom", grid_epochs="3", grid_values_0="6, 18", grid_strange="1")
    app.text_input(key="grid_guess").set_value("None").run()
    button(app, "Run it").click().run()
    app.run()
    (sweep,) = store.sweeps()
    assert not [name for name in app.query_params if name.startswith("grid_") or name == "experiment"]
    assert app.query_params["sweep"] in (sweep.id, [sweep.id])
