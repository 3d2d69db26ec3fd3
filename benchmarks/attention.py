"""Attention against the gate: `python -m benchmarks.attention [--seeds 4] [--epochs 60] > table.md`.

Formation energy of the built-in crystals; all networks with 4 convolutions, 64 numbers an atom and a hidden width of
32, the shape of those published with CGCNN; else the default run. The arms take turns within each seed, so the seconds
that are compared were spent side by side. Printed is Markdown for docs/attention.md; how far it is goes to the other
stream.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgcnn.config import Config
from cgcnn.explain.attention import Attention, as_published_on, attention_of
from cgcnn.explain.record import record
from cgcnn.graph import CrystalGraph
from cgcnn.graph.graph_files import GraphFiles
from cgcnn.models import MODELS
from cgcnn.training.experiment import Experiment, RunConfig
from cgcnn.training.train import EpochMetrics

SHAPE = {"n_convs": 4, "hidden_dim": 32}
GATED = "gated"
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    GATED: ("CGCNN", {}),
    "as published": ("attention CGCNN", {"attention": "as published"}),
    "as published, 4 heads": ("attention CGCNN", {"attention": "as published", "heads": 4}),
    "stabilised": ("attention CGCNN", {"attention": "stabilised"}),
    "stabilised, 4 heads": ("attention CGCNN", {"attention": "stabilised", "heads": 4}),
}


@dataclass(frozen=True)
class Trained:
    """One run: its test MAE and that of guessing the mean (eV/atom), median seconds of an epoch, and its attention."""

    mae: float
    mean_mae: float
    seconds: float
    n_parameters: int
    neighbors: list[float]  # of each layer: how many of an atom's neighbors count, on the test crystals
    scores: list[float]  # of each layer: the largest less the smallest score around an atom


def model_of(arm: str) -> Config:
    """The settings of an arm's network."""
    name, changes = ARMS[arm]
    return MODELS[name].Config(**SHAPE, **changes)


def trained(arm: str, seed: int, epochs: int, files: GraphFiles) -> Trained:
    """Train one network to its test error."""
    config = RunConfig(model=model_of(arm)).with_(**{"train.seed": seed, "train.epochs": epochs})
    experiment = Experiment(config, files)
    seconds = [event.seconds for event in experiment.events() if isinstance(event, EpochMetrics)]
    result, graph = experiment.result(), experiment.data["test"].graph
    found = attention_in(experiment.model.eval(), graph)
    return Trained(
        mae=result.mae,
        mean_mae=result.mean_mae,
        seconds=statistics.median(seconds),
        n_parameters=sum(weight.numel() for weight in experiment.model.parameters()),
        neighbors=[mean_of_atoms(one.effective, graph) for one in found],
        scores=[mean_of_atoms(one.contrast, graph) for one in found],
    )


def attention_in(model: torch.nn.Module, graph: CrystalGraph) -> list[Attention]:
    """The network's own attention; of a gated one, what the published score makes of its vectors."""
    own = attention_of(model, graph)
    if own:
        return own
    seen = record(model, graph)
    return as_published_on(seen.atom_vectors[:-1], seen.edge_vectors, graph)


def mean_of_atoms(values: Tensor, graph: CrystalGraph) -> float:
    """The mean over atoms and heads of (atoms, heads), where a merged atom counts as often as it stands for."""
    of_atoms = values.mean(dim=1).double()
    copies = torch.ones_like(of_atoms) if graph.multiplicity is None else graph.multiplicity.double()
    return float(copies @ of_atoms / copies.sum())


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation; of a single value no deviation."""
    mean = statistics.fmean(values)
    return f"{mean:.4f} ± {statistics.stdev(values):.4f}" if len(values) > 1 else f"{mean:.4f}"


def errors(runs: dict[str, list[Trained]]) -> str:
    """Parameters, errors, the difference to the gated network seed by seed, and time."""
    gated = runs[GATED]
    rows = []
    for arm, found in runs.items():
        apart = spread([one.mae - base.mae for one, base in zip(found, gated, strict=True)]) if arm != GATED else "–"
        ratio = statistics.median(one.seconds / base.seconds for one, base in zip(found, gated, strict=True))
        mae = spread([one.mae for one in found])
        rows.append(f"| {arm} | {found[0].n_parameters:,} | {mae} | {apart} | {ratio:.2f} |")
    head = "| network | parameters | test MAE (eV/atom) | less that of gated, same seed | time of an epoch, gated = 1 |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def heard(runs: dict[str, list[Trained]], what: str) -> str:
    """A number of Trained layer by layer, mean over the seeds."""
    layers = len(runs[GATED][0].neighbors)
    rows = []
    for arm, found in runs.items():
        name = "gated: what the published score makes of it" if arm == GATED else arm
        means = [statistics.fmean(getattr(one, what)[n] for one in found) for n in range(layers)]
        rows.append(f"| {name} | " + " | ".join(f"{mean:.3g}" for mean in means) + " |")
    heads = " | ".join(f"layer {n + 1}" for n in range(layers))
    return "\n".join([f"| network | {heads} |", "|---|" + "---|" * layers, *rows])


def main() -> None:
    """Train all arms with each seed and print three tables."""
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--seeds", type=int, default=4)
    ask.add_argument("--epochs", type=int, default=RunConfig().train.epochs)
    asked = ask.parse_args()
    runs: dict[str, list[Trained]] = {arm: [] for arm in ARMS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.seeds):
            for arm in ARMS:
                runs[arm].append(trained(arm, seed, asked.epochs, GraphFiles(Path(folder))))
                print(f"seed {seed}, {arm}: {runs[arm][-1].mae:.4f} eV/atom", file=sys.stderr, flush=True)
    guess = runs[GATED][0].mean_mae
    print(f"{asked.seeds} seeds, {asked.epochs} epochs; always guessing the mean: {guess:.3f} eV/atom.\n")
    print(errors(runs), "\nNeighbors that count, of the test crystals, after training:", sep="\n")
    print(heard(runs, "neighbors"), "\nLargest less smallest score around an atom:", heard(runs, "scores"), sep="\n\n")


if __name__ == "__main__":
    main()
