"""The attention CGCNN has the parameters that its source counts, and refuses heads that do not divide."""

import pytest
import torch

from cgcnn.errors import ConfigError
from cgcnn.models import MODELS, AttentionCGCNN

SHAPE = {"n_convs": 4, "hidden_dim": 32}  # of the networks published with CGCNN


def count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_as_published_it_has_52609_parameters_against_96641() -> None:
    assert count(AttentionCGCNN(AttentionCGCNN.Config(**SHAPE))) == 52_609
    assert count(MODELS["CGCNN"](MODELS["CGCNN"].Config(**SHAPE))) == 96_641


def test_one_layer_has_half_the_weights_of_a_gated_one() -> None:
    assert count(AttentionCGCNN().convs[0]) == 11_136 and count(MODELS["CGCNN"]().convs[0]) == 22_144


@pytest.mark.parametrize(
    ("changes", "extra"),
    [({"heads": 4}, 64 * 64 + 64), ({"attention": "stabilised"}, 64 * 64 + 64 + (64 + 41) * 64)],
    ids=["four heads and what joins them", "query and key"],
)
def test_what_a_variant_costs(changes: dict, extra: int) -> None:
    assert count(AttentionCGCNN(AttentionCGCNN.Config(**changes)).convs[0]) == 11_136 + extra


def test_heads_that_do_not_divide_the_atom_vector_are_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^6 heads cannot share an atom vector of 64 numbers.* such as 4\.$"):
        AttentionCGCNN.Config(heads=6)
    with pytest.raises(ConfigError, match=r"choose one of as published, stabilised"):
        AttentionCGCNN.Config(attention="multi")


def test_the_gaussian_row_is_checked_as_in_cgcnn() -> None:
    for model in MODELS.values():
        if "gaussian_step" in model.Config.options():
            with pytest.raises(ConfigError, match="at most half"):
                model.Config(gaussian_max=1.0, gaussian_step=1.0)
