"""What keeps the numbers inside a network in range, or nothing."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
    """(x − mean) / √(var + ε) · γ + β, feature by feature, over all rows of a batch.

    Where several processes share a batch, over the rows of them all, each row counting once: the numbers of one
    process that has the whole batch. (torch's own SyncBatchNorm needs a GPU.)
    """

    def forward(self, x: Float[Tensor, "rows d"]) -> Float[Tensor, "rows d"]:
        """Same shape; training also moves the running statistics."""
        if not (self.training and is_shared()):
            return super().forward(x)
        mean, var, n = moments(x.detach())
        self._remember(mean, var * n / (n - 1))  # torch keeps the unbiased variance
        return _SharedNorm.apply(x, self.weight, self.bias, mean, torch.rsqrt(var + self.eps), n)

    def _remember(self, mean: Tensor, var: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)


def is_shared() -> bool:
    """True when several processes work on one batch."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def add_up(x: Tensor) -> None:
    """Replace `x` by its sum over all processes; ConnectionError when one of them has ended."""
    try:
        dist.all_reduce(x)
    except RuntimeError as reason:
        raise ConnectionError("One of the processes that share this run has ended.") from reason


def moments(x: Float[Tensor, "rows d"]) -> tuple[Float[Tensor, " d"], Float[Tensor, " d"], Tensor]:
    """Mean and (biased) variance of every feature over the rows of all processes, and the number of rows.

    Each process looks at its own rows in two passes; what they found is put together in float64.
    """
    own_mean = x.mean(dim=0)  # torch.var_mean would take ten times as long along this dimension
    own_var = (x - own_mean).square_().mean(dim=0).double()
    own_mean, n = own_mean.double(), torch.full_like(own_var[:1], len(x))
    both = torch.cat([n, n * own_mean, n * (own_var + own_mean**2)])
    add_up(both)
    n, first, second = both.split([1, x.shape[1], x.shape[1]])
    mean = first / n
    return mean.to(x.dtype), (second / n - mean**2).clamp(min=0).to(x.dtype), n.to(x.dtype)


class _SharedNorm(torch.autograd.Function):
    """Batch norm and its gradient (Ioffe and Szegedy, arXiv:1502.03167, section 3), with sums over all processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor, n: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight, mean, scale, n)
        return torch.addcmul(bias, x - mean, weight * scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale, n = ctx.saved_tensors
        centered = x - mean
        of_bias, of_weight = grad.sum(dim=0), (grad * centered).sum(dim=0) * scale  # of the rows here
        total = torch.cat([of_bias, of_weight])
        add_up(total)
        through_mean, through_var = (total / n).chunk(2)
        of_x = (grad - through_mean - centered * (scale * through_var)) * (weight * scale)
        return of_x, of_weight, of_bias, None, None, None


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch norm": BatchNorm,
    "layer norm": nn.LayerNorm,
    "none": lambda width: nn.Identity(),
}
