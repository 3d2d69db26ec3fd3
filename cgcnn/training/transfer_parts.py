"""Which parts of a network stay, learn on or begin anew when it starts from another one, with their parameters."""

from collections.abc import Sequence
from dataclasses import dataclass

from cgcnn.config import Config
from cgcnn.training.experiment import RunConfig
from cgcnn.training.transfer import TransferConfig

FROZEN, TUNED, NEW = "frozen", "tuned", "new"


@dataclass(frozen=True)
class Part:
    """One part of a network in the order in which a crystal passes it."""

    name: str  # as a reader knows it
    n_parameters: int
    is_embedding: bool = False
    conv: int = 0  # its number among the convolutions, from 1; 0 for none

    def state(self, transfer: TransferConfig) -> str:
        """What becomes of it: FROZEN, TUNED (taken over and learning on) or NEW."""
        is_taken = bool(transfer.source) and (self.is_embedding or 0 < self.conv <= transfer.taken)
        return NEW if not is_taken else FROZEN if transfer.frozen else TUNED


def parts_of(config: Config) -> list[Part]:
    """Embedding, convolutions and head of a network with one target; pooling has no parameters and is left out."""
    model = RunConfig(model=config).new_model()
    counts = {name: sum(w.numel() for w in module.parameters()) for name, module in model.named_children()}
    embedding = sum(n for name, n in counts.items() if name.startswith("embed"))
    convs = [sum(w.numel() for w in conv.parameters()) for conv in model.convs]  # type: ignore[union-attr]
    return [
        Part("Embedding", embedding, is_embedding=True),
        *(Part(f"Convolution {number}", n, conv=number) for number, n in enumerate(convs, 1)),
        Part("Head", counts["head"]),
    ]


def n_learning(parts: Sequence[Part], transfer: TransferConfig) -> int:
    """How many parameters learn."""
    return sum(part.n_parameters for part in parts if part.state(transfer) != FROZEN)
