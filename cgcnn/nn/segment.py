"""Sums, means and maxima over the rows that share an index: the only two loops of a graph network, without a loop."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def segment_sum(values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int) -> Float[Tensor, "n d"]:
    """Row k of the result is the sum of all values whose index is k; zero where there is none."""
    return values.new_zeros(n, values.shape[1]).index_add(0, index, values)


def segment_mean(values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int) -> Float[Tensor, "n d"]:
    """Row k of the result is the mean of all values whose index is k; zero where there is none."""
    count = torch.bincount(index, minlength=n).clamp(min=1)
    return segment_sum(values, index, n) / count[:, None]


def segment_max(values: Float[Tensor, "rows d"], index: Int[Tensor, " rows"], n: int) -> Float[Tensor, "n d"]:
    """Row k of the result is the maximum, feature by feature, of all values whose index is k."""
    start = values.new_zeros(n, values.shape[1])
    return start.scatter_reduce(0, index[:, None].expand_as(values), values, "amax", include_self=False)
