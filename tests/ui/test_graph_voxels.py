"""The tab Voxels of the Graph page, opened and read."""

from dataclasses import replace
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

from cgcnn.data import shelf
from cgcnn.data.targets import TARGETS
from cgcnn.explain.descriptions import CONTROL
from cgcnn.explain.voxels import Change, grid_size, views
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models import VoxelCNN
from cgcnn.nn.voxels import n_voxels
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor
from cgcnn.ui.graph_voxels import (
    CUBE,
    EXPLAINED,
    HOW,
    PITCHES,
    change_rows,
    findings,
    in_unit,
    memory,
    size_rows,
    verdicts,
)
from page_kit import opened_tab

FOUND = [
    Change("rotated", 3, 1.2, 16.0, 0.0),
    Change("supercell", 1, 0.0, 0.0, 0.00005),
    Change(CONTROL, 1, 0.1, 1.0, 1.0),
]


def opened(app: AppTest, **link: str) -> AppTest:
    return opened_tab(app, "graph", "Voxels", **link)


def words(app: AppTest) -> str:
    return "\n".join(markdown.value for markdown in app.markdown)


def test_rock_salt_costs_what_the_source_says(app: AppTest) -> None:
    text = words(opened(app))
    assert not app.exception and not app.error
    assert "20³ = **8,000 numbers a channel**" in text and "**4,672** that CGCNN reads" in text
    assert (
        "0.433 Å" in text and "**It changes its answer:** rotated, origin shifted, primitive cell from a file." in text
    )


@pytest.mark.parametrize("crystal", ["SiO2-quartz", "Cu", "diamond"])
def test_it_opens_for_every_kind_of_crystal(app: AppTest, crystal: str) -> None:
    opened(app, crystal=crystal)
    assert not app.exception and not app.error
    assert "keeps its answer" in words(app)


def test_every_knob_stands_in_the_link(app: AppTest) -> None:
    opened(app, voxel_view="turned", voxel_channel="Period", voxel_pitch="0.2", voxel_z="2.0")
    assert not app.exception
    assert "50³ = **125,000 numbers a channel**" in words(app) and EXPLAINED["turned"] in words(app)
    assert app.selectbox(key="voxel_channel").value == "Period" and app.slider(key="voxel_z").value == 2.0


def test_the_last_layer_is_shown_at_the_top_of_the_cube(app: AppTest) -> None:
    opened(app, voxel_z="10.0", voxel_pitch="2")
    assert not app.exception and not app.error


def test_a_channel_that_cannot_see_an_element_says_so(app: AppTest, tmp_path: Path) -> None:
    oxide = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.87), ["Yb", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    key = shelf.keep(oxide.to(fmt="poscar").encode(), "POSCAR", tmp_path / "crystals")
    opened(app, crystal=key, mine=key, voxel_channel="Electronegativity")
    assert not app.exception and "No electronegativity of Yb is known here" in words(app)


def test_a_cell_too_large_to_describe_leaves_the_picture(app: AppTest, rock_salt: Structure, tmp_path: Path) -> None:
    key = shelf.keep((rock_salt * (5, 4, 4)).to(fmt="poscar").encode(), "POSCAR", tmp_path / "crystals")
    opened(app, crystal=key, mine=key)
    assert not app.exception and len(app.error) == 1 and "limit 600" in app.error[0].value
    assert "numbers a channel" in words(app)


def test_every_way_of_putting_the_crystal_down_is_explained(rock_salt: Structure) -> None:
    assert set(HOW.values()) == set(EXPLAINED) == set(views(rock_salt))


def test_the_cube_is_a_whole_number_of_voxels_at_each_pitch() -> None:
    assert all(n_voxels(CUBE, pitch) * pitch == pytest.approx(CUBE) for pitch in PITCHES)


def test_what_was_measured_is_said_and_no_more() -> None:
    kept, changed, worst, graph = verdicts(FOUND)
    assert kept.endswith("supercell.") and changed.endswith("rotated.")
    assert "by 120 %" in worst and "**16 times**" in worst and "keeps its answer** under all" in graph
    assert len(verdicts([FOUND[1], FOUND[2]])) == 2, "nothing is called worst where nothing moved"
    assert len(verdicts([Change("rotated", 1, 1.0, 1.0, 0.5), FOUND[2]])) == 2, "nor a graph network steady that is not"


def test_a_trained_network_moves_in_its_own_unit() -> None:
    energy, gap = TARGETS["formation_energy_per_atom"], TARGETS["metal"]
    network = Predictor(VoxelCNN(), GraphConfig(), Normalizer((0.0,), (1.5,)), energy)
    change = Change("rotated", 1, 1.0, 9.0, 0.0, moved=0.4)
    assert in_unit(change, network) == ", by 600.0 meV/atom"
    assert in_unit(change, None) == in_unit(change, replace(network, target=gap)) == ""


def test_the_table_names_tries_and_multiples() -> None:
    row = change_rows(FOUND)[0]
    assert row["Description"] == "rotated, 3 tries" and row["Voxel answer moves"] == "16.00 ×"


def test_a_coarse_grid_is_a_share_of_the_graph(rock_salt: Structure) -> None:
    graph = build_graph(rock_salt)
    assert "2.7 % of the **4,672**" in findings(rock_salt, graph, grid_size(CUBE, 2.0))[0]
    assert size_rows([grid_size(CUBE, 0.1)], graph)[0]["6 channels"] == "24 MB"
    assert [*size_rows([grid_size(CUBE, 0.1)], graph)[-1].values()] == ["graph", "4,672", "18.7 kB", "0"]
    assert memory(999) == "0.999 kB"
