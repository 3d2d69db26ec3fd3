"""Networks that others trained: the checkpoints published with CGCNN, read into our model key by key."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

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


def load_published(file: Path) -> tuple[CGCNN, float, float]:
    """The network in eval mode, with the mean and standard deviation that undo its z-score: y = mean + std × output.

    Reads a checkpoint of a regression network of the reference code (`*.pth.tar`), never executing anything in it.
    """
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
        weights, scale, shape = saved["state_dict"], saved["normalizer"], saved["args"]
        config = CGCNN.Config(n_convs=shape["n_conv"], atom_dim=shape["atom_fea_len"], hidden_dim=shape["h_fea_len"])
    except (OSError, KeyError, TypeError, RuntimeError, ValueError, UnpicklingError) as reason:
        raise CrystalError(
            f"{Path(file).name} is no checkpoint of a published CGCNN regression network; choose one of its .pth.tar."
        ) from reason
    model = CGCNN(config)
    model.load_state_dict(renamed(weights))
    return model.eval(), float(scale["mean"]), float(scale["std"])


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of the reference code under our names."""
    return {".".join(OURS.get(word, word) for word in key.split(".")): tensor for key, tensor in weights.items()}
