"""The kept networks of a run, read once: what they said of the validation crystals, and of the crystal in view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch
from pymatgen.core import Structure
from torch import Tensor, nn

from cgcnn.data.targets import TARGETS, Target
from cgcnn.errors import ConfigError, RunError
from cgcnn.explain.record import record
from cgcnn.figures.epochs import Plane, parity_span, plane_of, shares_of_gates
from cgcnn.graph import CrystalGraph, build_graph
from cgcnn.nn.gated_conv import GatedConv
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.symmetry import content

Gates = list[list[float]]  # of each layer the % of gates in each step from closed to open; no layer: there are none


@dataclass(frozen=True)
class Kept:
    """The validation crystals through all kept epochs of a run; what is fixed for all of them stands here once.

    Of several targets it is the main one, and the crystals are those that have it.
    """

    config: RunConfig
    target: Target
    names: list[str]
    truth: list[float]
    predicted: Mapping[int, list[float]]  # by epoch
    vectors: Mapping[int, np.ndarray]  # (crystals, d) by epoch
    plane: Plane
    span: tuple[float, float]  # of the parity plot

    @property
    def epochs(self) -> list[int]:
        """The kept epochs, in order."""
        return list(self.predicted)

    @property
    def maes(self) -> dict[int, float]:
        """The validation error at each kept epoch: MAE, or of a class the share put into the wrong one."""
        truth = np.asarray(self.truth)
        return {epoch: float(np.abs(self._answers(p) - truth).mean()) for epoch, p in self.predicted.items()}

    def _answers(self, predicted: list[float]) -> np.ndarray:
        values = np.asarray(predicted)
        return (values >= 0.5).astype(float) if self.target.is_class else values


@st.cache_resource(max_entries=8, show_spinner="Reading the kept networks")
def kept(_runs: RunStore, run_id: str, epochs: tuple[int, ...]) -> Kept:
    """All snapshots of a run but their weights; `epochs` is what the store knows of by now."""
    found = {epoch: _runs.snapshot(run_id, epoch) for epoch in epochs}
    about = found[epochs[-1]][1]
    try:
        config = RunConfig.from_dict(about["config"])
    except ConfigError as reason:
        raise RunError(f"The networks of run {run_id} do not fit this version; train it again.") from reason
    predicted = {epoch: tensors["predicted"].tolist() for epoch, (tensors, _) in found.items()}
    vectors = {epoch: tensors["vectors"].numpy().astype(float) for epoch, (tensors, _) in found.items()}
    return Kept(
        config,
        TARGETS[config.dataset.target],
        [f"{formula} ({crystal})" for formula, crystal in zip(about["formulas"], about["ids"], strict=True)],
        about["truth"],
        predicted,
        vectors,
        plane_of(list(vectors.values())),
        parity_span(about["truth"], list(predicted.values())),
    )


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={Structure: content})
def gates_of(_runs: RunStore, run_id: str, epochs: tuple[int, ...], structure: Structure) -> dict[int, Gates]:
    """How far the gates stand open for all edges of a crystal, at every kept epoch; the graph is built once."""
    model: nn.Module | None = None
    found: dict[int, Gates] = {}
    for epoch in epochs:
        tensors, about = _runs.snapshot(run_id, epoch)
        if model is None:
            config = RunConfig.from_dict(about["config"])
            graph, model = build_graph(structure, config.graph), config.new_model().eval()
        model.load_state_dict({n.removeprefix("weights."): t for n, t in tensors.items() if n.startswith("weights.")})
        found[epoch] = [shares_of_gates(gates.numpy()) for gates in layer_gates(model, graph)]
    return found


@torch.no_grad()
def layer_gates(model: nn.Module, graph: CrystalGraph) -> Sequence[Tensor]:
    """σ(z_f) of each convolution that has gates: a tensor (edges, d) a layer."""
    gated = [n for n, part in model.named_modules() if isinstance(part, GatedConv)]
    if not gated:
        return []
    calls: Any = record(model, graph, inside=True).calls
    return [torch.sigmoid(calls[f"{name}.norm_message"][0].output.chunk(2, dim=1)[0]) for name in gated]
