"""Sums, means, maxima and weights over rows that share an index: the only two loops of a graph network, without a loop.

A row of a merged graph stands for several equal ones (see `CrystalGraph`): `copies` says for how many.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

Copies = Float[Tensor, " rows"] | None  # whole numbers


def segment_sum(
    values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int, copies: Copies = None
) -> Float[Tensor, "n d"]:
    """Row k of the result is the sum of all values whose index is k, in float32 at least; zero where there is none."""
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    if copies is not None:
        values = values * copies[:, None]
    return values.new_zeros(n, values.shape[1]).index_add(0, index, values)


def segment_mean(
    values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int, copies: Copies = None
) -> Float[Tensor, "n d"]:
    """Row k of the result is the mean of all values whose index is k; zero where there is none."""
    each = torch.ones(len(index), device=index.device) if copies is None else copies
    count = each.new_zeros(n).index_add(0, index, each).clamp(min=1)
    return segment_sum(values, index, n, copies) / count[:, None]


def segment_max(
    values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int, copies: Copies = None
) -> Float[Tensor, "n d"]:
    """Row k of the result is the maximum, feature by feature, of all values whose index is k; copies change nothing."""
    start = values.new_zeros(n, values.shape[1])
    return start.scatter_reduce(0, index[:, None].expand_as(values), values, "amax", include_self=False)


def segment_softmax(
    values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int, copies: Copies = None
) -> Float[Tensor, "rows d"]:
    """exp(value) over the sum of it among all rows with the same index, where each row counts as often as it says.

    A row gets the weight of one of its copies. The largest value is taken off first, which changes nothing but
    keeps exp from overflowing at 88.
    """
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    largest = segment_max(values.detach(), index, n)
    raised = torch.exp(values - largest.index_select(0, index))
    return raised / segment_sum(raised, index, n, copies).index_select(0, index)
