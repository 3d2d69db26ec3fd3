"""The nonlinearities g that a layer may use."""

import math
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn


class ShiftedSoftplus(nn.Module):
    """g(x) = ln(1 + eˣ) − ln 2, which is zero at zero (Schütt et al., J. Chem. Phys. 148, 241722 (2018))."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element; same shape."""
        return F.softplus(x) - math.log(2.0)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "softplus": nn.Softplus,
    "ReLU": nn.ReLU,
    "SiLU": nn.SiLU,
    "tanh": nn.Tanh,
    "ELU": nn.ELU,
    "shifted softplus": ShiftedSoftplus,
}
