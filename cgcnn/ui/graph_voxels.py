"""The tab Voxels: the crystal as a picture on a grid, what it costs, and what a mere description does to it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
import torch
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of
from cgcnn.data.csv_text import csv_of
from cgcnn.explain.descriptions import CONTROL
from cgcnn.explain.voxels import (
    FROM_FILE,
    MOVE,
    SAME,
    TURN,
    Change,
    GridSize,
    changes,
    farthest_off,
    graph_numbers,
    grid_size,
    marks_near,
    placed,
    slice_of,
    views,
)
from cgcnn.figures.voxels import density_slice, numbers_against_pitch
from cgcnn.graph import CrystalGraph
from cgcnn.models import VoxelCNN
from cgcnn.nn.voxels import CHANNELS, DensityGrid, unknown_weights
from cgcnn.training.predictor import Predictor
from cgcnn.ui.graph_cached import HASHES
from cgcnn.ui.graph_invariance import amount
from cgcnn.ui.link import linked
from cgcnn.ui.networks import FIRST, finished_runs, network
from cgcnn.ui.prose import explained, mistakes_shown, plain

CUBE, SIGMA = 10.0, 0.6  # Å; the cube of the source, and the width of an atom that the network has by default
PITCHES = (0.1, 0.2, 0.25, 0.4, 0.5, 1.0, 1.25, 2.0)  # Å; the cube is a whole number of each
COARSE = 0.5  # Å; fine enough to find the highest density by
UNTRAINED = "untrained: random weights"
HOW = {"as given": "as given", "turned": "turned", "moved": "origin moved", "from a file": FROM_FILE}  # word -> view
EXPLAINED = {
    "as given": "The axes and the origin of the cell are those of the file or the sample.",
    "turned": f"The whole crystal is turned by {TURN:g}° about z. Every distance is as before.",
    "origin moved": "The origin of the cell is put elsewhere: all atoms move by "
    f"({', '.join(f'{step:g}' for step in MOVE)}) Å.",
    FROM_FILE: "A CIF keeps three lengths and three angles, not how the cell stood; read back, it may be turned.",
}


def voxels_tab(structure: Structure, graph: CrystalGraph) -> None:
    """Picture and cost side by side, then what changes; a knob of one part draws only that part again."""
    with mistakes_shown():
        placed(structure)  # refuses an element that has no weights
    st.fragment(_grid)(structure, graph)
    st.divider()
    st.fragment(_what_changes)(structure)


def _grid(structure: Structure, graph: CrystalGraph) -> None:
    picture, cost = st.columns(2, gap="large")
    with picture:
        pitch = _picture(structure)
    with cost:
        _cost(structure, graph, pitch)


def _picture(structure: Structure) -> float:
    """The slice with its four controls; gives the chosen pitch in Å."""
    told = st.segmented_control(
        "The same crystal",
        list(HOW),
        default="as given",
        required=True,
        key="voxel_view",
        bind="query-params",
    )
    left, right = st.columns(2)
    channel = left.selectbox("Channel", CHANNELS, index=2, key="voxel_channel", bind="query-params")
    pitch = right.select_slider("Pitch Δ (Å)", PITCHES, value=0.5, key="voxel_pitch", bind="query-params")
    height = st.slider("Height z (Å)", 0.0, CUBE, 0.0, 0.1, key="voxel_z", bind="query-params")
    view = HOW[told]
    seen, grid = views(structure)[view], DensityGrid(CUBE, pitch, SIGMA)
    layer = min(int(height / pitch + 1e-6), grid.n - 1)
    figure = density_slice(
        slice_of(seen, grid, channel, layer),
        pitch=pitch,
        z=float(grid.centers[layer]),
        channel=channel,
        highest=_highest(seen, channel),
        atoms=[(mark.symbol, mark.x, mark.y, mark.off) for mark in marks_near(seen, grid, layer)],
    )
    alt = f"Heat map of one layer of voxels through {formula_of(structure)}, {told}, with the atoms near it as dots"
    st.plotly_chart(figure, key="voxel_slice", width="stretch", alt=alt)
    st.markdown(EXPLAINED[view])
    _say_unknown(structure, channel)
    explained("graph", "What is a voxel?")
    return float(pitch)


def _say_unknown(structure: Structure, channel: str) -> None:
    missing = sorted({site.specie.symbol for site in structure} & set(unknown_weights()[channel]))
    if missing:
        st.markdown(f"No {channel.lower()} of {', '.join(missing)} is known here, so this channel does not see it.")


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def _highest(structure: Structure, channel: str) -> float:
    """The highest density in the cube, so that one color means one density at every height and pitch."""
    grid = DensityGrid(CUBE, COARSE, SIGMA)
    return float(grid(placed(structure))[0, CHANNELS.index(channel)].max()) or 1.0


def _cost(structure: Structure, graph: CrystalGraph, pitch: float) -> None:
    """The sentence, the curve and the table of what a grid costs beside the graph in view."""
    sizes, numbers = [grid_size(CUBE, each) for each in PITCHES], graph_numbers(graph)
    chosen = grid_size(CUBE, pitch)
    st.markdown("\n".join(f"- {each}" for each in findings(structure, graph, chosen)))
    lines = {
        "one channel": [(size.pitch, size.numbers) for size in sizes],
        f"all {len(CHANNELS)} channels": [(size.pitch, size.all_numbers) for size in sizes],
    }
    figure = numbers_against_pitch(lines, graph=numbers, chosen=(pitch, chosen.numbers), cube=CUBE)
    alt = f"Numbers of a grid against its pitch, beside the {numbers:,} numbers of the crystal graph"
    st.plotly_chart(figure, key="voxel_numbers", width="stretch", alt=alt)
    rows = size_rows(sizes, graph)
    st.dataframe(rows, hide_index=True, height=38 + 35 * len(rows))
    name = f"{formula_of(structure)}_voxels.csv"
    st.download_button("Sizes as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def findings(structure: Structure, graph: CrystalGraph, size: GridSize) -> list[str]:
    """What the chosen pitch costs and blurs, in two sentences."""
    numbers, times = graph_numbers(graph), size.numbers / graph_numbers(graph)
    more = f"{times:.3g} times as many as" if times >= 1 else f"{100 * times:.2g} % of"
    worst = farthest_off(structure, size.pitch)
    return [
        f"**Size:** {size.n}³ = **{size.numbers:,} numbers a channel**, {more} the **{numbers:,}** that CGCNN reads of "
        f"the crystal graph in view ({graph.n_atoms:,} × 92 for atoms, {graph.n_edges:,} × 41 for edges).",
        f"**Blur:** put into the voxel that holds it, an atom may be up to Δ√3 / 2 = **{size.off:.3f} Å** off; "
        f"here the worst is {worst:.3f} Å off. A soft ball wider than a voxel tells more finely where it is; "
        "a graph keeps the distances themselves.",
    ]


def size_rows(sizes: Sequence[GridSize], graph: CrystalGraph) -> list[dict[str, Any]]:
    """A row for each pitch, and the crystal graph as the last one."""
    rows = [
        {
            "Pitch (Å)": f"{size.pitch:g}",
            "Numbers a channel": f"{size.numbers:,}",
            f"{len(CHANNELS)} channels": memory(size.bytes),
            "Off by up to (Å)": f"{size.off:.3f}",
        }
        for size in sizes
    ]
    numbers = graph_numbers(graph)
    own = ("graph", f"{numbers:,}", memory(4 * numbers), "0")
    return [*rows, dict(zip(rows[0], own, strict=True))]


def memory(n_bytes: int) -> str:
    """Bytes as a person reads them: `19 kB`, `24 MB`."""
    return f"{n_bytes / 1e6:.3g} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.3g} kB"


def _what_changes(structure: Structure) -> None:
    """Grid and answers under descriptions that tell of the same crystal."""
    st.markdown("#### What changes when only the description does?")
    with mistakes_shown():
        _shown_changes(structure)


def _shown_changes(structure: Structure) -> None:
    runs = [run for run in finished_runs() if isinstance(run.config.model, VoxelCNN.Config)]
    keys = ["", *(run.id for run in runs)]
    names = {"": UNTRAINED} | {run.id: f"run: {run.name}" for run in runs}
    asked_elsewhere = linked("network", "")  # on the other pages
    index = keys.index(asked_elsewhere) if asked_elsewhere in keys else 0
    key = st.selectbox("Voxel network", keys, index, format_func=names.__getitem__, key="voxel_network")
    asked = network(key) if key else None
    found = _changes_of(structure, key, asked.stamp if asked else "")
    st.markdown("\n".join(f"- {each}" for each in verdicts(found, asked.predictor if asked else None)))
    rows = change_rows(found)
    st.dataframe(rows, hide_index=True, height=38 + 35 * len(rows))
    st.markdown(
        f"An answer's move is given in multiples of what a strain of 1 %, a real change, moves it by. Voxel network: "
        f"{plain(names[key])}. Graph network: the published CGCNN for {FIRST}, on whole shells."
    )
    name = f"{formula_of(structure)}_voxel_changes.csv"
    st.download_button("Changes as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")
    explained("graph", "Why does the grid change?")


@st.cache_data(max_entries=64, show_spinner="Putting the crystal onto the grid in other words …", hash_funcs=HASHES)
def _changes_of(structure: Structure, key: str, stamp: str) -> list[Change]:
    """See cgcnn.explain.voxels; `stamp` is another one for other weights."""
    model = network(key).predictor.model if key else _untrained()
    assert isinstance(model, VoxelCNN)
    return changes(structure, model, network(FIRST).predictor)


@st.cache_resource(show_spinner=False)
def _untrained() -> VoxelCNN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VoxelCNN().eval()


def verdicts(found: Sequence[Change], trained: Predictor | None = None) -> list[str]:
    """What is kept and what is broken, as measured; then the worst case in numbers, for a trained network with unit."""
    exact = [change for change in found if change.kind != CONTROL]
    broken = [change for change in exact if change.voxel > SAME]
    kept = [change.kind for change in exact if change.voxel <= SAME]
    said = [f"**The voxel network keeps its answer:** {', '.join(kept)}."] if kept else []
    if broken:
        said.append(f"**It changes its answer:** {', '.join(change.kind for change in broken)}.")
        worst = max(broken, key=lambda change: change.voxel)
        said.append(
            f"Worst is **{worst.kind}**: the grid changes by {100 * worst.grid:.0f} % and the answer by "
            f"**{worst.voxel:.3g} times** what a strain of 1 % does{in_unit(worst, trained)}. The crystal is the same."
        )
    largest = max(change.graph for change in exact)
    if largest <= SAME:
        said.append("**The graph network keeps its answer** under all of them.")
    return said


def in_unit(change: Change, trained: Predictor | None) -> str:
    """`, by 670 meV/atom`; nothing of random weights, of a class, or of a target that is learned per atom."""
    if trained is None or trained.target.is_class or trained.normalizer.per_atom[0] or trained.target.extensive:
        return ""
    return f", by {amount(change.moved * trained.normalizer.std[0], trained.target)}"


def change_rows(found: Sequence[Change]) -> list[dict[str, str]]:
    """A row for each kind of description."""
    return [
        {
            "Description": change.kind + (f", {change.tries} tries" if change.tries > 1 else ""),
            "Grid changes by": f"{100 * change.grid:.1f} %",
            "Voxel answer moves": f"{change.voxel:.2f} ×",
            "Graph answer moves": f"{change.graph:.2f} ×",
        }
        for change in found
    ]
