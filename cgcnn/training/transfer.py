"""What a network takes along to a new property: the embedding and the first convolutions of another one.

The study that the Transfer page repeats freezes the embedding and the first one to three of four convolutions, and
trains the rest anew on the new property. That batch norm of frozen blocks stands still, too, is our reading.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import torch
from torch import Tensor, nn

from cgcnn.config import Config, option
from cgcnn.errors import ConfigError
from cgcnn.models.cgcnn import CGCNN
from cgcnn.models.published import PUBLISHED, load_published, published_file

PUBLISHED_PREFIX = "published: "
AFTER = ("n_convs", "hidden_dim", "n_hidden", "pooling")  # settings of what is never taken over


@dataclass(frozen=True)
class TransferConfig(Config):
    """Where a network begins: from scratch, or with parts of a trained one."""

    source: str = option(
        "",
        "Start from",
        "Empty: from scratch. Else `published: ` and the name of a network published with CGCNN, or the id of a run.",
    )
    taken: int = option(
        1,
        "Convolutions taken over",
        "The embedding and so many first convolutions come from the source; what follows begins anew.",
        minimum=0,
        maximum=8,
    )
    frozen: bool = option(
        True, "Freeze them", "What was taken over stays as it is; else it learns on, which is called fine-tuning."
    )
    norm_learns: bool = option(
        False,
        "Batch norm moves on",
        "Frozen batch norm goes on counting means and variances of the new crystals; else it stands still, too.",
    )
    rate: float = option(
        0.1,
        "Rate of what was taken over",
        "A factor on its learning rate when it is not frozen: it knows something already.",
        minimum=0.0,
        maximum=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        name = self.source.removeprefix(PUBLISHED_PREFIX)
        if name != self.source and name not in PUBLISHED:
            raise ConfigError(f"There is no published network {name!r}; choose one of {', '.join(PUBLISHED)}.")

    @property
    def published(self) -> str:
        """The name of the published network it starts from; "" for a run, or for none."""
        return self.source.removeprefix(PUBLISHED_PREFIX) if self.source.startswith(PUBLISHED_PREFIX) else ""

    @property
    def run(self) -> str:
        """The id of the run it starts from; "" for a published network, or for none."""
        return "" if self.published else self.source


@dataclass(frozen=True)
class Taken:
    """The parts of a network that came from another one, and how they are treated while the rest learns."""

    parts: tuple[nn.Module, ...]
    config: TransferConfig

    @classmethod
    def of(cls, model: nn.Module, config: TransferConfig) -> "Taken":
        """The embedding and the first convolutions of a model; frozen where the settings say so."""
        if config.taken > len(model.convs):  # type: ignore[arg-type]
            raise ConfigError(
                f"{config.taken} convolutions are to be taken over and the network has {len(model.convs)}; "  # type: ignore[arg-type]
                "take fewer, or give it more."
            )
        embeddings = [part for name, part in model.named_children() if name.startswith("embed")]
        taken = cls((*embeddings, *list(model.convs)[: config.taken]), config)  # type: ignore[arg-type]
        for weight in taken.weights():
            weight.requires_grad_(not config.frozen)
        return taken

    def weights(self) -> Iterator[nn.Parameter]:
        """All weights that were taken over."""
        for part in self.parts:
            yield from part.parameters()

    def rest(self) -> None:
        """After `model.train()`: frozen parts whose batch norm stands still go back to eval mode."""
        if self.config.frozen and not self.config.norm_learns:
            for part in self.parts:
                part.eval()


def parameter_groups(model: nn.Module, taken: Taken | None, learning_rate: float) -> list[dict[str, Any]]:
    """The weights that learn, with their learning rates; those that begin anew come first."""
    old = {id(weight) for weight in taken.weights()} if taken else set()
    new = [weight for weight in model.parameters() if id(weight) not in old and weight.requires_grad]
    groups: list[dict[str, Any]] = [{"params": new, "lr": learning_rate}]
    if taken and not taken.config.frozen:
        groups.append({"params": list(taken.weights()), "lr": learning_rate * taken.config.rate})
    return groups


def published_source(name: str) -> tuple[dict[str, Tensor], Config]:
    """Weights and settings of a published network."""
    model, _, _ = load_published(published_file(name))
    hidden_dim = cast(nn.Linear, model.head[1]).out_features
    shape = CGCNN.Config(n_convs=len(model.convs), atom_dim=model.embed.out_features, hidden_dim=hidden_dim)
    return model.state_dict(), shape


def take_over(
    model: nn.Module, own: Config, weights: Mapping[str, Tensor], source: Config, config: TransferConfig
) -> Taken:
    """Copy the embedding and the first convolutions of a source into a fresh model.

    ConfigError when the two networks differ in what is taken over, or the source has too few convolutions.
    """
    if why := mismatch(own, source, config.taken):
        raise ConfigError(why)
    taken = Taken.of(model, config)
    heads = tuple(f"convs.{n}." for n in range(config.taken))
    chosen = {name: w for name, w in weights.items() if name.startswith("embed") or name.startswith(heads)}
    fresh = model.state_dict()
    if wrong := [n for n in fresh if n.startswith(("embed", *heads)) and _shape(chosen.get(n)) != fresh[n].shape]:
        raise ConfigError(f"The source has no fitting {wrong[0]}; its file is damaged: choose another source.")
    model.load_state_dict(chosen, strict=False)
    return taken


def mismatch(own: Config, source: Config, taken: int) -> str:
    """Why parts of the source do not fit into a network of these settings, and what to set; "" when they do."""
    if type(own) is not type(source):
        return "The source is a network of another kind; choose the same model as the source."
    for field in fields(own):
        mine, theirs = getattr(own, field.name), getattr(source, field.name)
        if field.name not in AFTER and mine != theirs:
            label = field.metadata["option"].label
            return f"{label} is {mine} here and {theirs} in the source, whose convolutions expect that; set {theirs}."
    has = getattr(source, "n_convs", taken)
    if taken > has:
        return f"{taken} convolutions are to be taken over and the source has {has}; take {has} at most."
    return ""


def _shape(tensor: Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape
