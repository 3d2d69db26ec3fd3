"""The Train page in every state of a run, with a store that the test fills instead of a worker."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.runs.records import Lease, Load
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.run_change import change_words, changed, knobs
from cgcnn.ui.run_controls import CONTROLS
from cgcnn.ui.run_queue import FASTEST, FORGOTTEN, SLOWEST, Watchers, load_words, ordinal, pace, queue_words, spoken
from cgcnn.ui.run_words import Seen, place, time_to_go
from page_kit import echarts_titles, opened

Event = tuple[str, int, dict[str, Any]]
DATA: Event = (
    "data",
    1,
    {"n_train": 100, "n_val": 10, "n_test": 10, "n_parameters": 80833, "device": "cpu", "val_mean_mae": 0.6}
    | {"n_left_out": 0, "n_dropped": 0, "dropped": {}},
)


def batch(step: int, n: int = 20) -> Event:
    about = {"epoch": (step - 1) // n + 1, "batch": (step - 1) % n + 1, "n_batches": n}
    return "batch", step, {"step": step, **about, "loss": 0.5, "mae": 0.25}


def epoch(n: int, seconds: float = 2.0) -> Event:
    losses = {"train_loss": 1.0 / n, "val_loss": 1.0 / n, "train_mae": 0.4 / n, "val_mae": 0.5 / n}
    return "epoch", n, {"epoch": n, **losses, "learning_rate": 0.01, "seconds": seconds, "crystals_per_second": 50.0}


@pytest.fixture
def runs(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def worked(runs: RunStore, *events: Event, state: str = "", error: str = "", user: str = "", **config: Any) -> str:
    """A run that a worker took, with these events; left in `state`, or still running."""
    run_id = runs.submit(RunConfig().with_(**config), user=user, name="A run")
    lease = runs.take("worker-1")
    assert isinstance(lease, Lease)
    runs.record(lease, [DATA, *events])
    if state:
        runs.finish(lease, state, error)
    return run_id


def words(app: AppTest) -> str:
    return " ".join(m.value for m in app.markdown)


def enabled(app: AppTest) -> list[str]:
    return [c.wanted for c in CONTROLS if not app.button(key=f"control_{c.wanted}").disabled]


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


def chooser(app: AppTest) -> Any:
    return next(s for s in app.selectbox if s.label == "Run")


def test_train_submits_under_the_readers_name(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", who="Ada")
    next(b for b in app.button if b.label == "Train").click().run()
    (run,) = runs.runs()
    assert (run.user, run.owner) == ("Ada", "Ada")
    assert "The workers are starting" in words(app)


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
    assert " instead of " in change_words(RunConfig(), changed(RunConfig(), name, other))


def test_change_one_thing_submits_a_child(app: AppTest, runs: RunStore) -> None:
    old = worked(runs, epoch(1), state="finished")
    opened(app, "train", run=old)
    app.session_state[f"change_{old}"] = True
    app.run()
    app.button(key="change_train").click().run()
    child = runs.runs(1)[0]
    assert child.parent == old and child.name == "pooling sum instead of mean" and child.config.model.pooling == "sum"


# The pace and the words, without a page


def test_thirty_watchers_look_less_often_and_never_at_what_is_over() -> None:
    assert pace("live", 1) == FASTEST and pace("live", 30) == pytest.approx(0.9)
    assert pace("live", 300) == SLOWEST == pace("live", 1, starts_at_once=False)
    assert pace("over", 1) is None


def test_a_watcher_who_left_counts_no_more() -> None:
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    watchers = Watchers(clock)
    assert (watchers.look("a"), watchers.look("b")) == (1, 2)
    now[0] += FORGOTTEN + 1
    assert watchers.look("b") == 1


def test_the_queue_in_words() -> None:
    assert queue_words(Load(2, 2, 5, 3), 2) == "2 of 2 slots busy, 5 runs wait; yours is 3rd in line."
    assert queue_words(Load(2, 1, 1, 3), 0) == "A slot is free: it starts in a moment."
    assert load_words(Load(2, 2, 1, 3)) == "2 of 2 slots busy, 1 run waits"
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]
    )
    assert [spoken(s) for s in (12.3, 180, 7200)] == ["12 s", "3 min", "2.0 h"]


def mine(*events: Event) -> Seen:
    found = Seen()
    for kind, _, data in events:
        found.take(kind, data)
    return found


def test_the_time_to_go_comes_from_the_epochs_themselves() -> None:
    assert time_to_go(mine(epoch(1, 2.0), epoch(2, 2.0)), 12) == ", about 20 s to go"
    assert time_to_go(mine(batch(1)), 12) == ""


def test_the_batches_of_a_finished_epoch_are_forgotten() -> None:
    assert mine(batch(1), batch(2)).batches[-1]["batch"] == 2
    assert mine(batch(1), epoch(1), batch(1)).batches == [], "a late word of an epoch that is over"


def test_a_place_is_an_epoch_or_a_batch(runs: RunStore) -> None:
    run = runs.run(runs.submit(RunConfig()))
    assert place(run, mine()) == "before the first batch, with its initial weights"
    assert place(run, mine(epoch(1))) == "after epoch 1 of 60"
    assert place(run, mine(epoch(1), batch(22))) == "in epoch 2, batch 2 of 20"
