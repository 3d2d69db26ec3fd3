"""Layers: tensors in, tensors out. Each family of alternatives is a dict from the name that users see."""

from cgcnn.nn.activations import ACTIVATIONS
from cgcnn.nn.attention_conv import ATTENTIONS, AttentionConv
from cgcnn.nn.basis import GaussianExpansion
from cgcnn.nn.gated_conv import GatedConv
from cgcnn.nn.head import head_of
from cgcnn.nn.norms import NORMS
from cgcnn.nn.pooling import POOLINGS
from cgcnn.nn.weight_shared_conv import SelfConv, WeightSharedConv

CONVS = {"gated": GatedConv, "weight-shared": WeightSharedConv, "no convolution": SelfConv}

__all__ = [
    "ACTIVATIONS",
    "ATTENTIONS",
    "CONVS",
    "NORMS",
    "POOLINGS",
    "AttentionConv",
    "GaussianExpansion",
    "head_of",
]
