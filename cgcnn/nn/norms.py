"""What keeps the numbers inside a network in range, or nothing."""

from collections.abc import Callable

from torch import nn

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch norm": nn.BatchNorm1d,
    "layer norm": nn.LayerNorm,
    "none": lambda width: nn.Identity(),
}
