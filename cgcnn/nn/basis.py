"""From a distance to a vector: one number for each of a row of Gaussians."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.errors import ConfigError


class GaussianExpansion(nn.Module):
    """u_k(d) = exp(−(d − μ_k)² / σ²), μ = 0, s, 2s … D, σ = s, as the reference code of CGCNN has it (no factor 2)."""

    centers: Tensor

    def __init__(self, largest: float = 8.0, step: float = 0.2) -> None:
        """`largest` D and `step` s in Å; 8.0 and 0.2 give the published 41 Gaussians."""
        super().__init__()
        self.width = step
        count = round(largest / step) + 1
        self.register_buffer("centers", torch.arange(count) * step, persistent=False)

    def forward(self, distance: Float[Tensor, " edges"]) -> Float[Tensor, "edges k"]:
        """Distances in Å to vectors with entries between 0 and 1.

        None is below e⁻⁵⁰ = 2e-22: the rest would be denormal numbers, which a processor handles ten times slower.
        """
        return torch.exp(-(((distance[:, None] - self.centers) / self.width) ** 2).clamp(max=50.0))

    def __len__(self) -> int:
        """The number of Gaussians."""
        return len(self.centers)


def check_gaussians(largest: float, step: float) -> None:
    """ConfigError for a row of fewer than three Gaussians; both in Å."""
    if step > largest / 2:
        raise ConfigError(
            f"Gaussian step is {step:g} Å and the last Gaussian is at {largest:g} Å; "
            "make the step at most half of that, or every distance looks alike."
        )
