"""Networks: one file a paper. Each is a class with a `.Config`, built as `Model(config, n_targets)`."""

from cgcnn.models.attention import AttentionCGCNN
from cgcnn.models.cgcnn import CGCNN
from cgcnn.models.voxel import VoxelCNN

Network = CGCNN | AttentionCGCNN | VoxelCNN

MODELS: dict[str, type[Network]] = {"CGCNN": CGCNN, "attention CGCNN": AttentionCGCNN, "voxel CNN": VoxelCNN}

__all__ = ["CGCNN", "MODELS", "AttentionCGCNN", "Network", "VoxelCNN"]
