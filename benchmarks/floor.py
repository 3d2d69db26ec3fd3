"""The floor under an epoch: what its multiplications, exponentials and memory traffic must take on this very device."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.race import Device
from cgcnn.graph import CrystalGraph

N_CONVS, WIDTH = 3, 128  # of the network: two times 64 numbers for each edge and convolution
GAUSSIANS = 41
# One exp for each of 64 gates and two (exp, log) for each of 64 softplus, in each convolution.
EXPS_OF_EDGE = N_CONVS * 3 * WIDTH // 2
# How often the (edges, 128) numbers must pass through memory in a convolution, at least: written once they are mixed,
# read for the mean and variance, read for the gate; on the way back read again, their gradient written, and read.
PASSES = 6
TRIES = 9


@dataclass(frozen=True)
class Rates:
    """The best that this device did in this run."""

    flops: float  # of a float32 matrix product, a second
    exps: float  # a second
    bytes: float  # read or written while copying, a second

    def __str__(self) -> str:
        """In a sentence."""
        return f"{self.flops / 1e9:.0f} GFLOP/s, {self.exps / 1e9:.2f} G exp/s, {self.bytes / 1e9:.0f} GB/s"


@dataclass(frozen=True)
class Floor:
    """The least times of one crystal and epoch, in s."""

    products: float
    exps: float
    traffic: float

    @property
    def total(self) -> float:
        """One after another, as plain PyTorch does them."""
        return self.products + self.exps + self.traffic

    def __str__(self) -> str:
        """In a sentence."""
        parts = f"products {self.products * 1e6:.0f}, exponentials {self.exps * 1e6:.0f}"
        return f"{self.total * 1e6:.0f} µs per crystal ({parts}, memory {self.traffic * 1e6:.0f})"


def rates(n_edges: int, device: Device) -> Rates:
    """Measure on tensors of the size that a batch with `n_edges` edges has."""
    square = torch.randn(1024, 1024, device=device.name)
    edges, other = torch.randn(n_edges, WIDTH, device=device.name), torch.empty(n_edges, WIDTH, device=device.name)
    product = min(device.seconds(lambda: torch.mm(square, square), TRIES))
    exp = min(device.seconds(lambda: torch.exp(edges, out=other), TRIES))
    copy = min(device.seconds(lambda: other.copy_(edges), TRIES))
    return Rates(2 * 1024**3 / product, edges.numel() / exp, 2 * edges.nbytes / copy)


def floor_of(graph: CrystalGraph, learn: Callable[[], object], found: Rates) -> Floor:
    """From the multiplications that `learn` (forward and backward of `graph`) does, counted by PyTorch itself."""
    with FlopCounterMode(display=False) as counter:
        learn()
    exps = graph.n_edges * (EXPS_OF_EDGE + GAUSSIANS)
    traffic = graph.n_edges * WIDTH * 4 * PASSES * N_CONVS
    n = graph.n_crystals
    return Floor(counter.get_total_flops() / found.flops / n, exps / found.exps / n, traffic / found.bytes / n)
