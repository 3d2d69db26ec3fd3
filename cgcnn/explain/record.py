"""What the named parts of a network took and gave while it looked at a graph, caught by forward hooks."""

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cgcnn.graph import CrystalGraph


@dataclass(frozen=True)
class Call:
    """One use of a part: its positional arguments and what it returned."""

    inputs: tuple[Any, ...]
    output: Tensor


Calls = dict[str, list[Call]]


@dataclass(frozen=True)
class Recording:
    """The calls of one forward pass, by the part's name in `named_modules()`: `convs.0`, `convs.0.norm_sum`."""

    graph: CrystalGraph
    calls: Calls

    def call(self, name: str, nth: int = 0) -> Call:
        """The nth use of a part; KeyError when the network has no such part, or did not use it."""
        return self.calls[name][nth]

    @property
    def atom_vectors(self) -> list[Tensor]:
        """v after the embedding and after each convolution: R + 1 tensors (atoms, d)."""
        layers = sorted((n for n in self.calls if n.startswith("convs.") and n.count(".") == 1), key=_number)
        if not layers:
            return [self.call("pool").inputs[0]]
        return [self.call(layers[0]).inputs[0], *(self.call(layer).output for layer in layers)]

    @property
    def edge_vectors(self) -> Tensor:
        """u (edges, k): the expanded distances."""
        return self.call("embed_edge").output

    @property
    def crystal_vectors(self) -> Tensor:
        """What pooling gave (crystals, d): the network's own vector of each crystal."""
        return self.call("pool").output


def _number(name: str) -> int:
    return int(name.rsplit(".", 1)[1])


def record(model: nn.Module, graph: CrystalGraph, *, inside: bool = False) -> Recording:
    """Run a network on a graph in the mode it is in, and keep what each named part took and gave.

    With `inside`, the parts of each convolution too: of a large graph that fills the memory.
    """
    twin = _twin(model)
    parts = {name: part for name, part in twin.named_modules() if inside or not _within_layer(name)}
    return Recording(graph, _caught(twin, parts, (graph,)))


def record_layer(layer: nn.Module, v: Tensor, u: Tensor, graph: CrystalGraph) -> tuple[Tensor, Calls]:
    """Run one convolution alone: v' (atoms, d), and what its parts took and gave."""
    twin = _twin(layer)
    calls = _caught(twin, {"": twin, **dict(twin.named_children())}, (v, u, graph))
    return calls[""][0].output, calls


def _within_layer(name: str) -> bool:
    return name.startswith("convs.") and name.count(".") > 1


def _twin(module: nn.Module) -> nn.Module:
    """The same module with the same tensors, but with hooks of its own: other readers run the original meanwhile."""
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    return deepcopy(module, shared)


@torch.no_grad()
def _caught(twin: nn.Module, parts: dict[str, nn.Module], arguments: tuple[Any, ...]) -> Calls:
    calls: Calls = defaultdict(list)

    def hook(name: str) -> Any:
        return lambda part, inputs, output: calls[name].append(Call(inputs, output))

    for name, part in parts.items():
        part.register_forward_hook(hook(name))
    twin(*arguments)
    return dict(calls)
