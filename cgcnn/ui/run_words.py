"""A run in words: where it stands, what came of the last batch, how long it still takes."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from cgcnn.data.targets import TARGETS, Target
from cgcnn.runs.records import Run
from cgcnn.ui.run_queue import spoken
from cgcnn.ui.run_targets import Shown, targets_of

ASKED = {  # what a running run was asked for -> what it does about it
    "pause": "It pauses after this batch.",
    "batch": "One batch, then it pauses.",
    "epoch": "To the end of the epoch, then it pauses.",
    "stop": "It stops after this batch.",
}
LOSS_WORDS = {
    "L1": "the mean absolute error",
    "MSE": "the mean squared error",
    "Huber": "the Huber loss (half the squared error below 1, about linear above)",
}
READABLE = 1.0  # s
RECENT = 10  # epochs that say how long the next ones take


@dataclass
class Seen:
    """The events of a run that this session has already read."""

    last: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, dict[str, Any]] = field(default_factory=dict)  # kind -> newest data
    batches: list[dict[str, Any]] = field(default_factory=list)  # of the epoch under way
    drawn: tuple[object, dict[str, Any]] = (None, {})  # what the chart depends on, and the chart

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """One more event."""
        self.latest[kind] = data
        if kind == "epoch":
            _place(self.epochs, data, "epoch")
            done = self.epochs[-1]["epoch"]
            self.batches = [batch for batch in self.batches if batch["epoch"] > done]
        elif kind == "batch" and data["epoch"] > (self.epochs[-1]["epoch"] if self.epochs else 0):
            _place(self.batches, data, "step")


def _place(rows: list[dict[str, Any]], row: dict[str, Any], by: str) -> None:
    """Keep rows in order, one of each: a worker that takes over says some things again, and others late."""
    at = bisect_left(rows, row[by], key=lambda known: known[by])
    rows[at : at + (at < len(rows) and rows[at][by] == row[by])] = [row]


def taken_up(mine: Seen) -> str:
    """That another worker, or a press on Resume, took the run up where it stood; "" once the epoch is over."""
    if "resumed" not in mine.latest:
        return ""
    epoch = mine.latest["resumed"].get("epoch", 0)
    is_over = not epoch or (mine.epochs and mine.epochs[-1]["epoch"] >= epoch)
    return "" if is_over else f"Taken up again in epoch {epoch}."


def curve_words(loss: str, target: Target, others: Sequence[Target] = ()) -> str:
    """What the two curves measure, and in what; `others` are the further targets of the run."""
    in_unit = f", in {target.unit}" if target.unit else ""
    error = f"MAE is the mean absolute error of the target{in_unit}."
    if target.is_class:
        error = "Share wrong is the part of the crystals put into the wrong class: the likelier one is the answer."
    return f"{error} Loss is what training makes small: {_loss_words(loss, [target, *others])}, so it has no unit."


def _loss_words(loss: str, targets: Sequence[Target]) -> str:
    number = f"{LOSS_WORDS[loss]} of the normalized target (mean 0, standard deviation 1 on the training crystals)"
    of_class = "−ln p, where p is the probability given to the true class"
    kinds = {target.is_class for target in targets}
    words = of_class if kinds == {True} else number if kinds == {False} else f"{number}, and of a class {of_class}"
    return words if len(targets) == 1 else f"the weighted mean over the {len(targets)} targets of {words}"


def where(run: Run, mine: Seen) -> str:
    """Where a run stands that does not wait in the queue: what follows the name of its state."""
    total = run.settings["train"]["epochs"]
    if run.can_resume:
        return f" {place(run, mine)}."
    if run.state != "running":
        return f": {len(mine.epochs)} of {total} epochs."
    if "data" not in mine.latest:
        progress = mine.latest.get("progress", {"stage": "Starting", "done": 0, "total": 1})
        count = f", {progress['done']:,} of {progress['total']:,}" if progress["total"] > 1 else ""
        return f": {progress['stage'].lower()}{count}."
    under_way = min(total, len(mine.epochs) + 1)
    return f": epoch {under_way} of {total}{time_to_go(mine, total)}. {ASKED.get(run.wanted, '')}".rstrip()


def place(run: Run, mine: Seen) -> str:
    """`in epoch 3, batch 7 of 20`, `after epoch 3 of 60`, or `before the first batch`."""
    if mine.batches:
        batch = mine.batches[-1]
        return f"in epoch {batch['epoch']}, batch {batch['batch']} of {batch['n_batches']}"
    if mine.epochs:
        return f"after epoch {mine.epochs[-1]['epoch']} of {run.settings['train']['epochs']}"
    return "before the first batch, with its initial weights"


def time_to_go(mine: Seen, total: int) -> str:
    """From what the last epochs took themselves: a run may have waited or paused between them."""
    if not mine.epochs:
        return ""
    each = median(epoch["seconds"] for epoch in mine.epochs[-RECENT:])
    done = mine.epochs[-1]["epoch"] + (mine.batches[-1]["batch"] / mine.batches[-1]["n_batches"] if mine.batches else 0)
    return f", about {spoken(each * (total - done))} to go"


def _too_quick(run: Run, mine: Seen) -> bool:
    """True while epochs pass so fast that nobody could read a line for each batch."""
    return (
        run.state == "running"
        and bool(mine.epochs)
        and median(epoch["seconds"] for epoch in mine.epochs[-RECENT:]) < READABLE
    )


def newest(run: Run, mine: Seen, shown: Shown | None = None) -> str:
    """The loss and the error of the last batch, or of the last epoch when none came after it; of one target."""
    shown = shown or targets_of(run.settings)[0]
    if mine.batches and not _too_quick(run, mine):
        b = mine.batches[-1]
        where = f"Batch {b['batch']} of {b['n_batches']} in epoch {b['epoch']}"
        known = shown.index == 0 and b["mae"] is not None  # a batch speaks of the main target alone
        error = f", {_error(shown, b['mae'])}" if known else ""
        return f"{where}: loss **{b['loss']:.3f}**{error}."
    if mine.epochs:
        e = shown.epochs(mine.epochs[-1:])[0]
        sides = {"in training": e["train_mae"], f"{_unit(shown)} in validation".strip(): e["val_mae"]}
        told = [f"**{shown.number(error)}** {where}" for where, error in sides.items() if error is not None]
        return f"Epoch {e['epoch']}: {shown.error} {', '.join(told)}." if told else ""
    return ""


def _error(shown: Shown, error: float) -> str:
    words = shown.error[:1].lower() + shown.error[1:] if shown.target.is_class else shown.error
    return f"{words} **{shown.number(error)}**{_unit(shown)}"


def _unit(shown: Shown) -> str:
    return f" {shown.target.unit}".rstrip()


def label_rows(labels: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    """How many crystals of each side have each target: one row a target."""
    sides = ("to learn from", "best epoch", "test")
    return [{"target": TARGETS[name].label} | dict(zip(sides, n, strict=True)) for name, n in labels.items()]
