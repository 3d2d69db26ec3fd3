"""What becomes of all atoms: pooled in several cells, and ever more alike from layer to layer."""

import streamlit as st
from pymatgen.core import Structure
from torch import Tensor, nn

from cgcnn.data.crystal import site_label
from cgcnn.errors import CrystalError
from cgcnn.explain.crystal_cells import PooledCell, pooled_cells
from cgcnn.explain.smoothing import MOST_ATOMS, mean_similarity, similarities, spread
from cgcnn.figures.pooling import CellBar, pooling_bars
from cgcnn.figures.smoothing import similarity_curves, similarity_map
from cgcnn.graph import GraphConfig
from cgcnn.ui.layer_choice import Asked, Look, Place
from cgcnn.ui.prose import show_mistake
from cgcnn.ui.symmetry import content


def pooling_tab(structure: Structure, config: GraphConfig, asked: Asked, place: Place) -> None:
    """Mean, sum and maximum of the crystal in the cell in view, its conventional, its primitive and a larger one."""
    try:
        cells = _pooled(structure, asked.model, config, asked.key)
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return
    f = place.feature
    st.plotly_chart(pooling_bars([_bar(cell, f) for cell in cells], f), key="pooling")
    st.dataframe([_row(cell, cells[0], asked) for cell in cells], hide_index=True)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Structure: content})
def _pooled(structure: Structure, _model: nn.Module, config: GraphConfig, key: str) -> list[PooledCell]:
    return pooled_cells(_model, structure, config)


def _bar(cell: PooledCell, f: int) -> CellBar:
    labels = [site_label(cell.structure, n) for n in range(len(cell.structure))]
    symbols = [site.specie.symbol for site in cell.structure]
    pooled = {kind: float(vector[f]) for kind, vector in cell.pooled.items()}
    return CellBar(f"{cell.name} ({len(symbols)})", labels, symbols, cell.v[:, f].tolist(), pooled)


def _row(cell: PooledCell, first: PooledCell, asked: Asked) -> dict[str, object]:
    """How far each pooled vector lies from that of the cell in view, and what the network says."""
    row: dict[str, object] = {"cell": cell.name, "atoms": len(cell.structure)}
    for kind, vector in cell.pooled.items():
        row[f"{kind}: change of the vector"] = f"{100 * _change(vector, first.pooled[kind]):.2f} %"
    return row | {"what the network says": _said(cell, asked)}


def _change(vector: Tensor, first: Tensor) -> float:
    return float((vector - first).norm() / first.norm().clamp(min=1e-12))


def _said(cell: PooledCell, asked: Asked) -> str:
    if asked.trained is None:
        return f"{float(cell.output[0, 0]):.4g} (untrained)"
    return asked.trained.predictor.target.text(cell.value(asked.trained.predictor), 4)


def smoothing_tab(structure: Structure, look: Look, place: Place) -> None:
    """How alike the atoms' vectors are after each layer: two curves, and a map of all pairs after the chosen layer."""
    symbols = [site.specie.symbol for site in structure][:MOST_ATOMS]
    if len(structure) > MOST_ATOMS:
        st.markdown(f"The first {MOST_ATOMS} of {len(structure):,} atoms are compared.")
    squares = [similarities(v[:MOST_ATOMS]) for v in look.v]
    several = len(set(symbols)) > 1
    kinds = {"two atoms of one element": True} | ({"two atoms of different elements": False} if several else {})
    curves = {name: [mean_similarity(square, symbols, same) for square in squares] for name, same in kinds.items()}
    lines, square = st.columns(2, gap="large")
    with lines:
        st.plotly_chart(similarity_curves(curves), key="smoothing")
        if several:
            apart = [spread(v[:MOST_ATOMS], symbols) for v in look.v]
            st.markdown(
                f"Measured by their own length, the mean vectors of the elements lie **{apart[0]:.2f}** apart after "
                f"the embedding and **{apart[-1]:.2f}** after the last layer; 0 would make them one."
            )
    with square:
        labels = [site_label(structure, n) for n in range(len(symbols))]
        after = min(place.layer + 1, len(squares) - 1)
        st.plotly_chart(similarity_map(squares[after].numpy(), labels, after), key="similar")
