"""From the vector of a crystal to its targets: the same last layers for every network."""

from collections.abc import Callable
from itertools import pairwise

from torch import nn


def head_of(
    width: int, hidden_dim: int, n_hidden: int, n_targets: int, activation: Callable[[], nn.Module]
) -> nn.Sequential:
    """g, Linear(width → hidden_dim), as many more pairs as asked for, then g, Linear(hidden_dim → n_targets).

    No activation comes last: a normalized target may be negative.
    """
    widths = [width, *[hidden_dim] * n_hidden]
    hidden = [step for a, b in pairwise(widths) for step in (activation(), nn.Linear(a, b))]
    return nn.Sequential(*hidden, activation(), nn.Linear(hidden_dim, n_targets))
