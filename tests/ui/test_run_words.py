"""The pace and the words of a run, without a page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cgcnn.data.targets import TARGETS
from cgcnn.runs.records import Load
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.train import LOSSES
from cgcnn.ui.run_queue import FASTEST, FORGOTTEN, SLOWEST, Watchers, load_words, ordinal, pace, queue_words, spoken
from cgcnn.ui.run_targets import targets_of
from cgcnn.ui.run_words import LOSS_WORDS, Seen, curve_words, label_rows, newest, place, taken_up, time_to_go
from train_kit import Event, batch, epoch


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


def test_what_a_second_worker_says_late_or_again_finds_its_place() -> None:
    late = mine(batch(5), batch(2), batch(4), batch(5), batch(1))
    assert [b["step"] for b in late.batches] == [1, 2, 4, 5]
    assert [e["epoch"] for e in mine(epoch(2), epoch(1), epoch(2)).epochs] == [1, 2]


def test_a_run_that_was_taken_up_again_says_so_until_that_epoch_is_over() -> None:
    resumed: Event = ("resumed", 2, {"attempt": 2, "epoch": 3, "batch": 2})
    assert taken_up(mine(epoch(1), epoch(2), resumed)) == "Taken up again in epoch 3."
    assert taken_up(mine(resumed, epoch(3))) == taken_up(mine(epoch(1))) == ""


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_explained_beside_the_choice_of_the_curve(loss: str) -> None:
    words = curve_words(loss, TARGETS["band_gap"])
    assert words.endswith("so it has no unit.") and "of the target, in eV." in words and "weighted" not in words


def test_the_curves_of_classes_and_of_several_targets_are_explained() -> None:
    of_class = curve_words("L1", TARGETS["metal"])
    assert of_class.startswith("Share wrong") and "−ln p" in of_class and LOSS_WORDS["L1"] not in of_class
    both = curve_words("L1", TARGETS["band_gap"], [TARGETS["metal"]])
    assert "over the 2 targets" in both and LOSS_WORDS["L1"] in both and "−ln p" in both


SEVERAL = RunConfig().with_(**{"dataset.target": "band_gap", "dataset.also": ("metal", "density")})


def of_several(step: int, mae: float | None) -> Event:
    kind, at, data = batch(step)
    return kind, at, data | {"mae": mae}


def scored(n: int, maes: list[float | None]) -> Event:
    kind, at, data = epoch(n)
    return kind, at, data | {"train_maes": maes, "val_maes": maes, "score": 1.0 / n}


def test_a_batch_without_the_main_target_tells_its_loss_alone(tmp_path: Path) -> None:
    runs = RunStore(tmp_path)
    run = runs.run(runs.submit(SEVERAL))
    assert newest(run, mine(of_several(1, None))) == "Batch 1 of 20 in epoch 1: loss **0.500**."
    assert newest(run, mine(of_several(1, 0.25))).endswith(", MAE **0.250** eV.")
    assert "MAE" not in newest(run, mine(of_several(1, 0.25)), targets_of(run.settings)[2])


def test_an_epoch_speaks_of_the_target_that_is_shown(tmp_path: Path) -> None:
    runs = RunStore(tmp_path)
    run = runs.run(runs.submit(SEVERAL))
    seen, (gap, metal, density) = mine(scored(1, [0.5, 0.25, None])), targets_of(run.settings)
    assert newest(run, seen, gap) == "Epoch 1: MAE **0.400** in training, **0.500** eV in validation."
    assert newest(run, seen, metal) == "Epoch 1: Share wrong **25.0 %** in training, **25.0 %** in validation."
    assert newest(run, seen, density) == ""


def test_how_many_crystals_have_each_target_is_a_row() -> None:
    rows = label_rows({"band_gap": [1200, 1, 2], "metal": [3, 4, 5]})
    assert rows[0] == {"target": "Band gap (non-metals)", "to learn from": 1200, "best epoch": 1, "test": 2}


def test_a_place_is_an_epoch_or_a_batch(tmp_path: Path) -> None:
    runs = RunStore(tmp_path)
    run = runs.run(runs.submit(RunConfig()))
    assert place(run, mine()) == "before the first batch, with its initial weights"
    assert place(run, mine(epoch(1))) == "after epoch 1 of 60"
    assert place(run, mine(epoch(1), batch(22))) == "in epoch 2, batch 2 of 20"
