"""What the experiments show and cost: `python -m benchmarks.experiments [key ...] > table.md` runs them as a page does.

Each experiment is submitted to a store in a temporary folder and trained by the real dispatcher with two slots. Printed
is Markdown for docs/experiments.md; how far it is goes to the other stream. Without a key, all of them are run.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from cgcnn.runs.dispatcher import end_all, ensure_running
from cgcnn.runs.limits import Limits
from cgcnn.runs.outcomes import outcomes
from cgcnn.runs.store import RunStore
from cgcnn.training.answers import Answer, answer, spread_words
from cgcnn.training.arms import gathered
from cgcnn.training.experiments import EXPERIMENTS, Card
from cgcnn.training.guesses import judged
from cgcnn.training.sweep import limits

SLOTS = 2


def submitted(store: RunStore, key: str, card: Card) -> str:
    """Queue all runs of an experiment; the answer is its id."""
    runs = card.runs()
    return store.submit_sweep(
        [planned.config for planned in runs],
        experiment=key,
        title=card.title,
        guess="",
        axes=card.axes,
        names=[planned.name for planned in runs],
    )


def waited(store: RunStore, sweep_id: str) -> float:
    """Wait until all runs have ended; the seconds from the first start to the last end."""
    while True:
        runs = store.runs(1000, sweep=sweep_id)
        live = sum(run.is_live for run in runs)
        print(f"\r{len(runs) - live} of {len(runs)} runs ", end="", file=sys.stderr, flush=True)
        if not live:
            return max(run.ended or 0 for run in runs) - min(run.started or run.created for run in runs)
        ensure_running(store)
        time.sleep(1)


def markdown(card: Card, found: Answer, baseline: float, seconds: float) -> str:
    """A section of docs/experiments.md."""
    unit = f" ({found.unit})" if found.unit else ""
    n_runs = sum(len(arm.maes) + arm.n_lost for arm in found.arms)
    rows = [f"| {arm.words} | {arm.text()} | {len(arm.maes)} | {arm.seconds or 0:.2f} |" for arm in found.arms]
    guesses = [f"- *{guess.words}* {judged(guess, found).sentence}" for guess in card.guesses]
    lines = [
        f"## {card.title}",
        card.question,
        f"{n_runs} runs, {seconds:.0f} s with two workers. Always predicting the mean: {baseline:.3g} {found.unit}.",
        f"| setting | test MAE{unit} | seeds | s per epoch |\n|---|---|---|---|\n" + "\n".join(rows),
        f"**{found.sentence}**",
        f"{spread_words(found)} {limits(card.axes, len(card.seeds))}",
        *found.remarks,
        "\n".join(guesses),
    ]
    return "\n\n".join(lines) + "\n"


def measured(store: RunStore, key: str) -> str:
    """Run one experiment to its answer."""
    card, begun = EXPERIMENTS[key], time.perf_counter()
    sweep_id = submitted(store, key, card)
    seconds = waited(store, sweep_id)
    found = outcomes(store, sweep_id)
    baseline = statistics.fmean(one.mean_mae for one in found if one.mean_mae is not None)
    judgement = answer(gathered(card.axes, found), unit=card.target.unit, baseline=baseline)
    print(f"{key}: {time.perf_counter() - begun:.0f} s with the start of the workers", file=sys.stderr)
    return markdown(card, judgement, baseline, seconds)


def main(keys: list[str]) -> None:
    """Run the experiments one after the other and print a section for each."""
    os.environ["CRYSTAL_GRAPH_LAB_SLOTS"] = str(SLOTS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        store = RunStore(Path(home), Limits.from_environment())
        ensure_running(store)
        try:
            for key in keys or EXPERIMENTS:
                print(measured(store, key), flush=True)
        finally:
            end_all(store)
            store.close()


if __name__ == "__main__":
    main(sys.argv[1:])
