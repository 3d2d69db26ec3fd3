"""What keeps the numbers inside a network in range, or nothing. Rows may count more than once: see `CrystalGraph`."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.nn.segment import Copies


class BatchNorm(nn.BatchNorm1d):
    """(x − mean) / √(var + ε) · γ + β, feature by feature, over all rows of a batch.

    A row that stands for several equal ones counts as often, and where several processes share a batch, the rows of
    them all count. (torch's own batch norm, used where neither is so, takes no weights; its SyncBatchNorm needs a GPU.)
    """

    def forward(self, x: Float[Tensor, "rows d"], copies: Copies = None) -> Float[Tensor, "rows d"]:
        """Same shape; training also moves the running statistics."""
        if not self.training or (copies is None and not is_shared()):
            return super().forward(x)
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        if len(x) == 1 and not is_shared() and (copies is None or copies.item() < 2):
            raise ValueError("Batch norm learns from two rows at least, and got one.")
        with torch.autocast(x.device.type, enabled=False):  # statistics of rounded numbers would be off by a percent
            normed, mean, var, n = _Normed.apply(x.to(self.weight.dtype), self.weight, self.bias, copies, self.eps)
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * (n / (n - 1)), self.momentum)  # torch too keeps the unbiased variance
        return normed.to(x.dtype)


class _Normed(torch.autograd.Function):
    """Batch norm and its gradient (Ioffe and Szegedy, arXiv:1502.03167, section 3), with sums over all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, copies: Copies, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, n = weighted_mean(x, copies)
        centered = x - mean
        scratch = centered * centered  # every new array of this size costs as much as two passes over it
        var, _ = weighted_mean(scratch, copies)
        scale = torch.rsqrt(var + eps)
        ctx.save_for_backward(centered, weight, scale, n, copies)
        ctx.mark_non_differentiable(mean, var, n)
        return torch.addcmul(bias, centered, weight * scale, out=scratch), mean, var, n

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        centered, weight, scale, n, copies = ctx.saved_tensors
        scratch = grad * centered
        of_bias, of_weight = grad.sum(dim=0), scratch.sum(dim=0) * scale  # of the rows here
        through_mean, through_var = (added_up(torch.cat([of_bias, of_weight])) / n).chunk(2)
        torch.addcmul(through_mean, centered, scale * through_var, out=scratch)
        if copies is not None:
            scratch *= copies[:, None]
        return torch.sub(grad, scratch, out=scratch).mul_(weight * scale), of_weight, of_bias, None, None


def weighted_mean(x: Float[Tensor, "rows d"], copies: Copies) -> tuple[Float[Tensor, " d"], Tensor]:
    """The mean of each column over the rows of all processes, a row counting as often as it says; and their number."""
    if copies is None:
        here = torch.cat([x.sum(dim=0), x.new_tensor([float(len(x))])])
    else:
        here = torch.cat([copies @ x, copies.sum()[None]])
    total = added_up(here)
    return total[:-1] / total[-1], total[-1]


def is_shared() -> bool:
    """True when several processes work on one batch."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def added_up(x: Tensor) -> Tensor:
    """`x`, replaced by its sum over all processes; ConnectionError when one of them has ended."""
    if is_shared():
        try:
            dist.all_reduce(x)
        except RuntimeError as reason:
            raise ConnectionError("One of the processes that share this run has ended.") from reason
    return x


class LayerNorm(nn.LayerNorm):
    """Each row on its own (Ba et al., arXiv:1607.06450), so it does not matter how often a row counts."""

    def forward(self, x: Float[Tensor, "rows d"], copies: Copies = None) -> Float[Tensor, "rows d"]:
        """Same shape."""
        return super().forward(x)


class NoNorm(nn.Identity):
    """The equation of the paper: no norm."""

    def forward(self, x: Float[Tensor, "rows d"], copies: Copies = None) -> Float[Tensor, "rows d"]:
        """What came in."""
        return x


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch norm": BatchNorm,
    "layer norm": LayerNorm,
    "none": lambda width: NoNorm(),
}
