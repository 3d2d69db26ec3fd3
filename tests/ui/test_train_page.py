"""The Train page in every state of a run, with a store that the test fills instead of a worker."""

import shutil
from errno import ENOSPC
from pathlib import Path
from sqlite3 import OperationalError
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.run_change import change_words, changed, knobs
from cgcnn.ui.run_controls import copied
from page_kit import echarts_titles, opened
from train_kit import batch, chooser, enabled, epoch, words, worked


@pytest.fixture
def runs(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def press(app: AppTest, wanted: str) -> AppTest:
    return app.button(key=f"control_{wanted}").click().run()


def test_the_buttons_stand_in_their_order_and_are_off_without_a_run(app: AppTest) -> None:
    opened(app, "train")
    labels = [b.label for b in app.button if (b.key or "").startswith("control_")]
    assert labels == ["Resume", "Pause", "One batch", "One epoch", "Stop", "Reset"]
    assert enabled(app) == []


@pytest.mark.parametrize(
    ("state", "on"),
    [
        ("", ["pause", "batch", "epoch", "stop", "reset"]),
        ("paused", ["run", "batch", "epoch", "stop", "reset"]),
        ("interrupted", ["run", "batch", "epoch", "stop", "reset"]),
        ("finished", ["reset"]),
        ("failed", ["reset"]),
    ],
)
def test_a_button_is_on_where_it_means_something(app: AppTest, runs: RunStore, state: str, on: list[str]) -> None:
    opened(app, "train", run=worked(runs, batch(1), state=state))
    assert enabled(app) == on and not app.exception


def test_a_paused_run_says_where_it_stands_and_shows_the_last_batch(app: AppTest, runs: RunStore) -> None:
    events = [epoch(1), epoch(2), *[batch(n) for n in range(41, 48)]]
    opened(app, "train", run=worked(runs, *events, state="paused"))
    assert "**Paused** in epoch 3, batch 7 of 20." in words(app)
    assert "loss **0.500**, MAE **0.250** eV/atom" in words(app)
    assert echarts_titles(app) == ["Mean absolute error after each epoch"]
    assert "when the run has finished, or you press Stop" in words(app)


@pytest.mark.parametrize("wanted", ["run", "batch", "epoch"])
def test_a_button_asks_the_store_for_its_word(app: AppTest, runs: RunStore, wanted: str) -> None:
    run_id = worked(runs, batch(1), state="paused")
    press(opened(app, "train", run=run_id), wanted)
    assert (runs.run(run_id).wanted, runs.run(run_id).state) == (wanted, "queued")


def test_the_curve_begins_with_the_first_batches(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", run=worked(runs, batch(1), batch(2)))
    assert echarts_titles(app) and "Batch 2 of 20 in epoch 1" in words(app)


def test_the_axes_of_a_live_run_stand_before_its_first_point(app: AppTest, runs: RunStore) -> None:
    run_id = runs.submit(RunConfig())
    assert echarts_titles(opened(app, "train", run=run_id)) == ["Mean absolute error after each epoch"]
    runs.request(run_id, "stop")
    assert not echarts_titles(app.run()), "it ended without a point"


def test_reset_is_a_new_run_at_step_0_with_the_same_settings_and_pauses_the_old_one(
    app: AppTest, runs: RunStore
) -> None:
    old = worked(runs, batch(1), **{"train.seed": 7})
    press(opened(app, "train", run=old), "reset")
    fresh = runs.runs(1)[0]
    assert fresh.id in app.query_params["run"] and "before the first batch" in words(app)
    assert (fresh.state, fresh.parent, fresh.config) == ("paused", old, runs.run(old).config)
    assert runs.run(old).wanted == "pause"
    assert "reset" not in enabled(app), "nothing was learned yet, so there is nothing to reset"


def test_an_interrupted_run_says_why_and_can_be_resumed(app: AppTest, runs: RunStore) -> None:
    run_id = worked(runs, epoch(1), state="interrupted", error="The disk is full; press Resume.")
    opened(app, "train", run=run_id)
    assert "disk is full" in app.error[0].value and "**Interrupted** after epoch 1 of 60." in words(app)
    press(app, "run")
    assert runs.run(run_id).state == "queued"


def test_a_run_of_somebody_else_can_be_seen_and_repeated_and_not_steered(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", run=worked(runs, batch(1), user="Ada"), who="Bo")
    assert enabled(app) == [] and "belongs to **Ada**" in words(app)
    assert not app.exception


def test_with_a_name_the_list_holds_my_runs_or_everyones(app: AppTest, runs: RunStore) -> None:
    worked(runs, batch(1), user="Ada")
    worked(runs, batch(1), user="Bo")
    opened(app, "train", who="Bo")
    assert len(chooser(app).options) == 1
    app.get_by_key("whose_runs").set_value("Everyone's").run()
    assert len(chooser(app).options) == 2


def test_without_a_run_of_mine_the_page_says_where_those_of_the_class_are(app: AppTest, runs: RunStore) -> None:
    assert "No run yet" in opened(app, "train", who="Bo").info[0].value
    worked(runs, batch(1), user="Ada")
    assert "You have no run yet" in app.run().info[0].value and "Everyone's" in app.info[0].value
    assert "on the left" not in app.info[0].value, "on a phone they are above"


def test_train_submits_under_the_readers_name(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", who="Ada")
    next(b for b in app.button if b.label == "Train").click().run()
    (run,) = runs.runs()
    assert (run.user, run.owner) == ("Ada", "Ada")
    assert "The workers are starting" in words(app)
    assert "see below ↓](#the-run)" in words(app), "on a phone the run stands out of sight"


def test_a_run_that_repeats_another_says_with_what_and_links_to_the_comparison(app: AppTest, runs: RunStore) -> None:
    old = worked(runs, epoch(1), state="finished")
    child = runs.submit(changed(RunConfig(), "model.pooling", "sum"), name="pooling sum instead of mean", parent=old)
    opened(app, "train", run=child)
    assert f"Repeats run {old} with **pooling sum instead of mean**" in words(app)
    (link,) = app.get("page_link")
    assert f"runs={old}%2C{child}" in link.proto.query_string


def test_a_run_whose_parent_was_deleted_still_opens(app: AppTest, runs: RunStore) -> None:
    child = runs.submit(RunConfig(), parent="0123abcd")
    opened(app, "train", run=child)
    assert "which is not here any more" in words(app) and not app.exception


def test_a_run_that_is_over_is_deleted_after_a_second_press(app: AppTest, runs: RunStore) -> None:
    run_id = worked(runs, epoch(1), state="finished")
    opened(app, "train", run=run_id)
    app.button(key="delete_now").click().run()
    assert runs.runs() == [] and not app.exception and not app.error
    assert "run" not in app.query_params


@pytest.mark.parametrize("state", ["", "paused"])
def test_a_run_that_may_go_on_cannot_be_deleted(app: AppTest, runs: RunStore, state: str) -> None:
    opened(app, "train", run=worked(runs, epoch(1), state=state))
    assert "delete_now" not in [b.key for b in app.button]


def test_a_full_disk_is_one_sentence_before_and_after_train(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, runs: RunStore
) -> None:
    usage = shutil.disk_usage(runs.folder)
    monkeypatch.setattr("cgcnn.runs.room.shutil.disk_usage", lambda _: usage._replace(free=1 << 20))
    opened(app, "train")
    assert "has 1 MiB left" in app.warning[0].value
    next(b for b in app.button if b.label == "Train").click().run()
    assert "has 1 MiB left" in app.error[0].value and runs.runs() == [] and not app.exception


@pytest.mark.parametrize("reason", [OSError(ENOSPC, "No space left on device"), OperationalError("disk is full")])
def test_on_a_full_disk_the_page_stands_and_old_runs_can_be_deleted(
    app: AppTest, runs: RunStore, monkeypatch: pytest.MonkeyPatch, reason: Exception
) -> None:
    old = worked(runs, epoch(1), state="finished")
    monkeypatch.setattr("cgcnn.ui.backend.ensure_running", Mock(side_effect=reason))
    assert not opened(app, "train", run=old).exception and not app.error
    app.button(key="delete_now").click().run()
    assert runs.runs() == [] and not app.exception and not app.error


def test_any_other_trouble_with_the_disk_is_one_sentence_at_every_look(
    app: AppTest, runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Mock(side_effect=OperationalError("attempt to write a readonly database"))
    monkeypatch.setattr("cgcnn.ui.backend.ensure_running", trouble)
    opened(app, "train", run=worked(runs, batch(1)))
    for _ in range(2):
        assert not app.run().exception and len(app.error) == 1 and "readonly" in app.error[0].value


def test_a_press_that_comes_too_late_is_one_sentence(app: AppTest, runs: RunStore) -> None:
    run_id = worked(runs, batch(1), state="paused")
    opened(app, "train", run=run_id)
    runs.request(run_id, "stop")
    press(app, "run")
    assert len(app.error) == 1 and "duplicate it" in app.error[0].value


def test_a_title_in_the_list_never_changes_since_the_browser_answers_with_it(app: AppTest, runs: RunStore) -> None:
    run_id = worked(runs, batch(1))
    (before,) = chooser(opened(app, "train", run=run_id)).options
    runs.request(run_id, "pause")
    (after,) = chooser(app.run()).options
    assert before == after and run_id in after


# Change one thing


def test_the_change_is_named_by_the_label_of_its_setting() -> None:
    assert change_words(RunConfig(), changed(RunConfig(), "model.pooling", "sum")) == "pooling sum instead of mean"
    assert change_words(RunConfig(), changed(RunConfig(), "train.epochs", 5)) == "epochs 5 instead of 60"
    assert change_words(RunConfig(), RunConfig()) == ""


def test_every_setting_that_changes_a_number_can_be_changed() -> None:
    names = knobs(RunConfig())
    for name in ("dataset.target", "graph.max_neighbors", "model.n_convs", "train.learning_rate", "train.seed"):
        assert name in names
    assert "dataset.path" not in names and "train.snapshots" not in names


@pytest.mark.parametrize("name", [n for n, k in knobs(RunConfig()).items() if k.option.choices])
def test_every_other_choice_of_a_setting_is_a_change_with_words(name: str) -> None:
    knob = knobs(RunConfig())[name]
    other = next(choice for choice in knob.option.choices if choice != knob.value)
    value = (other,) if isinstance(knob.value, tuple) else other
    assert " instead of " in change_words(RunConfig(), changed(RunConfig(), name, value))


def test_change_one_thing_submits_a_child(app: AppTest, runs: RunStore) -> None:
    old = worked(runs, epoch(1), state="finished")
    opened(app, "train", run=old)
    app.session_state[f"change_{old}"] = True
    app.run()
    app.button(key="change_train").click().run()
    child = runs.runs(1)[0]
    assert (child.parent, child.name) == (old, "Formation energy, Pooling sum, seed 0")
    assert child.config.model.pooling == "sum"


def test_copies_can_be_told_apart_in_the_list(app: AppTest, runs: RunStore) -> None:
    old = worked(runs, epoch(1), state="finished")
    worked(runs, epoch(1), state="finished", name="Formation energy, Pooling sum, seed 0")
    opened(app, "train", run=old)
    app.session_state[f"change_{old}"] = True
    app.run()
    app.button(key="change_train").click().run()
    assert runs.runs(1)[0].name == "Formation energy, Pooling sum, seed 0 (again)"


def test_a_reset_run_is_named_after_the_first_of_its_kind(app: AppTest, runs: RunStore) -> None:
    press(opened(app, "train", run=worked(runs, epoch(1), state="finished")), "reset")
    assert runs.runs(1)[0].name == "A run (reset)"
    assert copied(copied("A run"), "again") == "A run (again)" and copied("") == "(reset)"


def test_a_run_that_shares_its_batches_is_explained_before_it_starts(app: AppTest) -> None:
    opened(app, "train", train_processes="2")
    assert any("share every batch" in info.value for info in app.info)
