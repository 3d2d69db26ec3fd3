"""One network trained by several processes: each works on its share of every batch, and all make the same step.

The gradients are added up as one vector, with the loss in it, instead of by DistributedDataParallel: that averages
over processes and not over crystals, renames the weights of a kept state, and cannot carry the loss along.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgcnn.errors import ConfigError
from cgcnn.nn.norms import added_up, is_shared

E = TypeVar("E")


@dataclass(frozen=True)
class Team:
    """The processes that train one network together; the first of them speaks for all."""

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls) -> "Team":
        """The team that this process belongs to; alone unless a process group was set up."""
        return cls(dist.get_rank(), dist.get_world_size()) if is_shared() else cls()

    def mine(self, chosen: Int[Tensor, " crystals"]) -> Int[Tensor, " share"]:
        """The share of this process; shares differ by one crystal at most."""
        return torch.tensor_split(chosen, self.size)[self.rank]

    def together(self, model: nn.Module, numbers: Sequence[float]) -> list[float]:
        """Add up the gradients of all processes in place, and some numbers beside them."""
        if self.size == 1:
            return list(numbers)
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        total = torch.cat([*(grad.flatten() for grad in grads), grads[0].new_tensor(numbers)])
        added_up(total)
        *parts, sums = total.split([*(grad.numel() for grad in grads), len(numbers)])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))
        return sums.tolist()

    def gathered(self, share: Float[Tensor, "share t"], n: int) -> Float[Tensor, "n t"]:
        """The rows of all processes, in the order in which `mine` shared them out."""
        if self.size == 1:
            return share
        rows = share.new_zeros(n, share.shape[1])
        rows[self.mine(torch.arange(n))] = share
        added_up(rows)
        return rows

    def agreed(self, go_on: bool) -> bool:
        """What the first process says; the others wait for it."""
        word = torch.tensor([int(go_on)])
        try:
            dist.broadcast(word, 0)
        except RuntimeError as reason:
            raise ConnectionError("One of the processes that share this run has ended.") from reason
        return bool(word)

    def refuse_small_batches(self, n_crystals: int) -> None:
        """ConfigError when a batch of `n_crystals` leaves a process without work."""
        if n_crystals < self.size:
            raise ConfigError(
                f"A batch has {n_crystals} crystals and {self.size} processes share it; "
                "take larger batches, or fewer processes."
            )


def in_step(events: Iterator[E]) -> Iterator[E]:
    """The same events; when the first process asks for no more, all the others stop after the same event."""
    team = Team.here()
    if team.size == 1:
        yield from events
        return
    for event in events:
        try:
            yield event
        except GeneratorExit:
            if team.rank == 0:
                team.agreed(False)
            raise
        if not team.agreed(True):
            return


def notice(processes: int) -> str:
    """What a reader should know before a run is shared; "" for one process."""
    if processes < 2:
        return ""
    return (
        f"{processes} processes share every batch: the same training as with one, but sums run in another order, so "
        f"results differ in the last digits. It takes {processes} slots and a few seconds to start, and is faster "
        "only when an epoch takes many seconds and that many cores are free."
    )
