"""A trained network with all it needs to answer for a new crystal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from jaxtyping import Float
from pymatgen.core import Structure
from torch import Tensor, nn

from cgcnn.data.targets import TARGETS, Target
from cgcnn.errors import ConfigError, CrystalError
from cgcnn.graph import CrystalGraph, GraphConfig, build_graph, build_graphs
from cgcnn.graph.merge import lightest
from cgcnn.models.published import PUBLISHED, load_published, published_file
from cgcnn.training.experiment import RunConfig
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.quick import FEW_ATOMS, quick_of


@dataclass(frozen=True)
class Predictor:
    """A network in eval mode, the graphs that it learned from, and the way from its output to a target's unit."""

    model: nn.Module
    graph: GraphConfig
    normalizer: Normalizer  # of all targets
    target: Target  # the one that is asked for
    index: int = 0  # which output of the network that is
    targets: tuple[Target, ...] = ()  # of all outputs; () means the one

    @classmethod
    def of_checkpoint(cls, weights: Mapping[str, Tensor], about: Mapping[str, Any]) -> Self:
        """From what `Experiment.checkpoint` gave; ConfigError when settings and weights do not belong together."""
        try:
            config = RunConfig.from_dict(about["config"])
            model = config.new_model().eval()
            model.load_state_dict(dict(weights))
            normalizer = Normalizer.from_dict(about["normalizer"])
        except (KeyError, TypeError, RuntimeError) as reason:
            words = "The weights and the settings of this network contradict each other; train it again."
            raise ConfigError(words) from reason
        targets = tuple(TARGETS[name] for name in config.dataset.targets)
        return cls(model, config.graph, normalizer, targets[0], 0, targets)

    @classmethod
    def published(cls, name: str) -> Self:
        """One of PUBLISHED: k nearest, k = 12 within 8 Å. Where fewer are in reach the original pads; we do not."""
        model, mean, std = load_published(published_file(name))
        target = PUBLISHED[name].target
        scale = Normalizer((mean,), (std,), is_class=(target.is_class,))
        return cls(model, GraphConfig(), scale, target)

    def of(self, index: int) -> Self:
        """The same network, asked for another of its targets."""
        return replace(self, target=self.targets[index], index=index)

    @torch.inference_mode()
    def predict(self, structures: Sequence[Structure]) -> list[float]:
        """One value for each structure, in the target's own unit; CrystalError for the first that has no graph."""
        if not structures:
            return []
        if len(structures) > 1:
            built = build_graphs(structures, self.graph)
            if built.dropped:
                raise CrystalError(next(iter(built.dropped.values())))
            return self.of_graph(self._light(built.graph)).tolist()
        graph = build_graph(structures[0], self.graph)
        if graph.n_atoms <= FEW_ATOMS and (quick := quick_of(self.model)):
            outputs = torch.from_numpy(quick(graph))
            return self.in_unit(outputs[None], graph.atoms_per_crystal).tolist()
        # Where "k nearest" cuts shells, few atoms of a large cell are equal, and looking for them takes time too.
        return self.of_graph(graph if self.graph.rule == "k nearest" else self._light(graph)).tolist()

    @torch.no_grad()
    def of_graph(self, graph: CrystalGraph) -> Float[Tensor, " crystals"]:
        """One value for each crystal of a graph, in the target's own unit."""
        return self.in_unit(self.model(graph), graph.atoms_per_crystal)

    def in_unit(
        self, outputs: Float[Tensor, "crystals targets"], n_atoms: Float[Tensor, " crystals"]
    ) -> Float[Tensor, " crystals"]:
        """From what the network says to the unit of the target that is asked for; of a class, its probability."""
        return self.normalizer.undo(outputs, n_atoms.float())[:, self.index]

    def _light(self, graph: CrystalGraph) -> CrystalGraph:
        """A merged graph where the network needs no more."""
        return graph if self.model.on_grid else lightest(graph)
