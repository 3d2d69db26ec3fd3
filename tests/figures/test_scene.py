"""A scene shows what is in the crystal and in its graph, no less and no more."""

from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgcnn.errors import CrystalError
from cgcnn.figures import graph_scene as graph_module
from cgcnn.figures import scene as scene_module
from cgcnn.figures.graph_scene import SAME_SHELL as SHELL_GAP
from cgcnn.figures.parts import HOME, Scene
from cgcnn.figures.scene import STYLES, crystal_scene, graph_scene
from cgcnn.figures.sticks import sticks
from cgcnn.graph import NEIGHBOR_RULES, CrystalGraph, GraphConfig, build_graph
from cgcnn.graph.neighbor_shells import SAME_SHELL


def length(scene: Scene, place: int) -> float:
    edge = scene.edges[place]
    return float(np.linalg.norm(np.subtract(scene.atoms[edge.start].xyz, scene.atoms[edge.end].xyz)))


def test_rock_salt_shows_fourteen_na_and_thirteen_cl(rock_salt: Structure) -> None:
    atoms = crystal_scene(rock_salt).atoms
    assert Counter(atom.symbol for atom in atoms) == {"Na": 14, "Cl": 13}


def test_without_its_boundary_a_cell_shows_its_own_atoms(rock_salt: Structure) -> None:
    assert len(crystal_scene(rock_salt, boundary=False).atoms) == 8


def test_an_atom_a_hair_off_a_face_is_repeated_like_one_on_it(rock_salt: Structure) -> None:
    rock_salt.translate_sites(range(8), [-1e-6, 1e-6, 0], to_unit_cell=False)
    assert len(crystal_scene(rock_salt).atoms) == 27


def test_atoms_outside_the_cell_are_drawn_in_it(low_symmetry: Structure) -> None:
    drawn = {atom.xyz for atom in crystal_scene(low_symmetry).atoms}
    low_symmetry.translate_sites([0, 3], [2, -1, 1], to_unit_cell=False)
    moved = {atom.xyz for atom in crystal_scene(low_symmetry).atoms}
    np.testing.assert_allclose(sorted(moved), sorted(drawn), atol=1e-8)


def test_every_image_lies_its_lattice_vector_from_the_listed_atom(low_symmetry: Structure) -> None:
    for atom in crystal_scene(low_symmetry, supercell=2).atoms:
        there = low_symmetry[atom.site].coords + np.array(atom.image) @ low_symmetry.lattice.matrix
        np.testing.assert_allclose(atom.xyz, there)


def test_a_supercell_shows_the_small_cell_too(rock_salt: Structure) -> None:
    scene = crystal_scene(rock_salt, supercell=3)
    assert len(scene.atoms) == 7**3
    assert Counter(line.strong for line in scene.cell) == {True: 12, False: 12}


def test_sticks_of_rock_salt_are_the_54_contacts_of_na_and_cl(rock_salt: Structure) -> None:
    scene = crystal_scene(rock_salt)
    lengths = [length(scene, n) for n in range(len(scene.edges))]
    np.testing.assert_allclose(lengths, [2.82] * 54)


@pytest.mark.parametrize(("symbol", "count"), [("Ti", 6), ("Sr", 12), ("O", 6)])
def test_sticks_of_perovskite_make_octahedra_and_join_no_two_oxygens(
    perovskite: Structure, symbol: str, count: int
) -> None:
    ends = Counter(i for i, *_ in sticks(perovskite))
    assert {ends[i] for i, site in enumerate(perovskite) if site.specie.symbol == symbol} == {count}


@pytest.mark.parametrize("change", [1e-3, -1e-3])
def test_sticks_of_iron_stop_at_its_eight_nearest(change: float) -> None:
    iron = Structure(Lattice.tetragonal(2.866, 2.866 * (1 + change)), ["Fe", "Fe"], [[0, 0, 0], [0.5] * 3])
    assert Counter(i for i, *_ in sticks(iron)) == {0: 8, 1: 8}


def test_noble_gas_atoms_are_not_joined() -> None:
    assert sticks(Structure(Lattice.cubic(5.4), ["Ar"], [[0, 0, 0]])) == []


@pytest.mark.parametrize("style", STYLES)
def test_every_style_draws_every_atom(rock_salt: Structure, style: str) -> None:
    assert len(crystal_scene(rock_salt, style).atoms) == 27


def test_space_filling_spheres_of_rock_salt_touch(rock_salt: Structure) -> None:
    radius = {atom.symbol: atom.radius for atom in crystal_scene(rock_salt, "space filling").atoms}
    assert radius["Na"] + radius["Cl"] == pytest.approx(2.82, abs=0.12)  # Slater's own mean deviation


def test_the_camera_holds_everything(low_symmetry: Structure) -> None:
    scene = crystal_scene(low_symmetry, supercell=2)
    reach = [np.linalg.norm(np.subtract(a.xyz, scene.center)) + a.radius for a in scene.atoms]
    assert max(reach) <= scene.radius + 1e-9


def test_wrong_style_and_supercell_are_refused_by_name(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="'wire'; choose one of ball and stick, space filling"):
        crystal_scene(rock_salt, "wire")
    with pytest.raises(CrystalError, match="supercell is 0; it must lie between 1 and 10"):
        crystal_scene(rock_salt, supercell=0)


def test_a_supercell_too_large_to_see_is_reduced_and_says_so(
    rock_salt: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_module, "MAX_ATOMS", 100)
    scene = crystal_scene(rock_salt, supercell=5)
    assert len(scene.atoms) == 125
    assert scene.note == "5 × 5 × 5 cells hold 1,000 atoms (limit 100); 2 × 2 × 2 are drawn."


def test_a_cell_too_large_to_see_shows_its_middle_and_says_so(
    rock_salt: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_module, "MAX_ATOMS", 5)
    scene = crystal_scene(rock_salt * 2)
    assert len(scene.atoms) == 5
    assert scene.note == "The cell has 64 atoms; the 5 nearest to its center are drawn."


@pytest.fixture(params=NEIGHBOR_RULES)
def graph(request: pytest.FixtureRequest, rock_salt: Structure) -> CrystalGraph:
    return build_graph(rock_salt, GraphConfig(rule=request.param, cutoff=4.5))


def test_every_edge_of_a_selected_atom_is_in_the_scene(rock_salt: Structure, graph: CrystalGraph) -> None:
    scene = graph_scene(rock_salt, graph, selected=2)
    own = [edge for edge in scene.edges if not edge.faint]
    ends = {(scene.atoms[e.end].site, scene.atoms[e.end].image) for e in own}
    mine = (graph.center == 2).nonzero().flatten().tolist()
    assert ends == {(int(graph.neighbor[k]), tuple(graph.image[k].tolist())) for k in mine}
    assert len(own) == len(mine)


def test_edges_end_where_the_displacement_says(low_symmetry: Structure) -> None:
    graph = build_graph(low_symmetry)
    scene = graph_scene(low_symmetry, graph, selected=4)
    own = [edge for edge in scene.edges if not edge.faint]
    ends = [scene.atoms[edge.end].xyz for edge in own]
    there = low_symmetry[4].coords + graph.displacement[graph.center == 4].numpy()
    np.testing.assert_allclose(ends, there, atol=1e-5)


def test_every_edge_has_a_line_when_nothing_is_selected(low_symmetry: Structure) -> None:
    graph = build_graph(low_symmetry)
    scene = graph_scene(low_symmetry, graph)
    inside = {frozenset((e.start, e.end)) for e in scene.edges if not e.crosses}
    crossing = (graph.image != 0).any(dim=1)
    pairs = zip(graph.center[~crossing].tolist(), graph.neighbor[~crossing].tolist(), strict=True)
    assert inside == {frozenset(pair) for pair in pairs}
    assert sum(e.crosses for e in scene.edges) == int(crossing.sum())


def test_edges_that_cross_the_cell_end_at_ghosts_labelled_with_their_image(perovskite: Structure) -> None:
    scene = graph_scene(perovskite, build_graph(perovskite), selected=1)
    crossing = [scene.atoms[edge.end] for edge in scene.edges if edge.crosses]
    assert crossing and all(atom.ghost for atom in crossing)
    assert all(atom.ghost == (atom.image != HOME) for atom in scene.atoms)
    assert "(0 0 1)" in {atom.label for atom in crossing}


def test_shells_are_told_apart_by_color_nearest_first(rock_salt: Structure) -> None:
    scene = graph_scene(rock_salt, build_graph(rock_salt), selected=0)
    assert [entry.text for entry in scene.legend[2:]] == ["6 Cl at 2.820 Å", "6 Na at 3.988 Å"]
    colors = Counter(edge.colors[0] for edge in scene.edges if not edge.faint)
    assert colors == {scene.legend[2].color: 6, scene.legend[3].color: 6}


def test_a_mixed_shell_names_both_elements(perovskite: Structure) -> None:
    scene = graph_scene(perovskite, build_graph(perovskite, GraphConfig(rule="whole shells")), selected=2)
    assert scene.legend[-1].text == "8 O + 4 Sr at 2.761 Å"


def test_one_shell_can_be_shown_alone(rock_salt: Structure) -> None:
    scene = graph_scene(rock_salt, build_graph(rock_salt), selected=0, shells=1)
    assert sum(not edge.faint for edge in scene.edges) == 6


def test_tips_name_both_ends_the_distance_and_the_image(rock_salt: Structure) -> None:
    scene = graph_scene(rock_salt, build_graph(rock_salt), selected=0)
    tips = {edge.tip for edge in scene.edges}
    assert {"Na 1 → Cl 6, 2.820 Å", "Na 1 → Cl 6, 2.820 Å, image (0 0 −1)"} <= tips


def test_atoms_that_the_selection_does_not_reach_are_faint(rock_salt: Structure) -> None:
    graph = build_graph(rock_salt, GraphConfig(max_neighbors=6))
    faint = [atom.label for atom in graph_scene(rock_salt, graph, selected=0).atoms if atom.faint]
    assert faint == ["Na 2", "Na 3", "Na 4", "Cl 5"]


def test_an_atom_that_neighbors_itself_ends_at_its_own_ghost(rock_salt: Structure) -> None:
    primitive = rock_salt.get_primitive_structure()
    scene = graph_scene(primitive, build_graph(primitive), selected=0)
    ends = [scene.atoms[edge.end] for edge in scene.edges]
    assert sum(atom.site == 0 and atom.ghost for atom in ends) == 6


def test_too_many_edges_ask_for_an_atom(rock_salt: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "MAX_EDGES", 50)
    graph = build_graph(rock_salt)
    scene = graph_scene(rock_salt, graph)
    assert (len(scene.edges), len(scene.atoms)) == (0, 8)
    assert scene.note.endswith("are too many to draw at once (limit 50); pick an atom to see its edges.")
    assert sum(not edge.faint for edge in graph_scene(rock_salt, graph, selected=0).edges) == 12


def test_a_selection_outside_the_cell_is_refused(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="Atom 9 is selected, but the cell has 8 atoms"):
        graph_scene(rock_salt, build_graph(rock_salt), selected=8)


def test_a_shell_is_the_same_here_as_in_the_graph_room() -> None:
    assert SHELL_GAP == SAME_SHELL
