"""Networks: one file a paper. Each is a class with a `.Config`, built as `Model(config, n_targets)`."""

from cgcnn.models.cgcnn import CGCNN

MODELS = {"CGCNN": CGCNN}

__all__ = ["CGCNN", "MODELS"]
