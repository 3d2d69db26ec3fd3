import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgcnn.errors import CrystalError
from cgcnn.figures.colors import element_color
from cgcnn.figures.graph import adjacency, distance_histogram, edge_table
from cgcnn.figures.quotient import MOST_NODES, picked_atom, quotient_graph
from cgcnn.graph import GraphConfig, Shell, build_graph, shells

SHELLS = [Shell(2.0, {"Cl": 6}, {"Cl": 6}), Shell(3.0, {"Na": 8, "Cl": 4}, {"Na": 6}), Shell(4.5, {"Na": 3}, {})]


def histogram(**options) -> dict:
    return distance_histogram(SHELLS, center="Na 1", cutoff=5.0, **options)


def bars(option: dict, name: str) -> list:
    return next(s["data"] for s in option["series"] if s["name"] == name)


@pytest.fixture
def primitive(rock_salt: Structure) -> Structure:
    return rock_salt.get_primitive_structure()


@pytest.fixture
def copper() -> Structure:
    return Structure(Lattice.from_parameters(2.553, 2.553, 2.553, 60, 60, 60), ["Cu"], [[0, 0, 0]])


def test_a_shell_is_one_bar_for_each_element_kept_and_left() -> None:
    option = histogram(max_neighbors=12)
    assert bars(option, "Cl") == [[2.0, 6], [3.0, None], [4.5, None]]
    assert bars(option, "Na") == [[2.0, None], [3.0, 6], [4.5, None]]
    assert bars(option, "Cl left") == [[2.0, None], [3.0, 4], [4.5, None]]
    assert bars(option, "Na left") == [[2.0, None], [3.0, 2], [4.5, 3]]


def test_bars_have_the_colors_of_their_elements_and_what_is_left_is_pale() -> None:
    styles = {s["name"]: s["itemStyle"] for s in histogram()["series"] if s["type"] == "bar"}
    assert styles["Cl"]["color"] == styles["Cl left"]["color"] == element_color("Cl")
    assert styles["Cl left"]["opacity"] < 1
    assert "opacity" not in styles["Cl"]


def test_the_kth_neighbor_and_the_cutoff_are_marked() -> None:
    marks = histogram(max_neighbors=12)["series"][0]["markLine"]["data"]
    assert [(mark["xAxis"], mark["label"]["formatter"]) for mark in marks] == [
        (5.0, "cutoff 5 Å"),
        (3.0, "neighbor 12: 3.000 Å"),
    ]


@pytest.mark.parametrize("k", [None, 99])
def test_without_a_kth_neighbor_only_the_cutoff_is_marked(k: int | None) -> None:
    assert len(histogram(max_neighbors=k)["series"][0]["markLine"]["data"]) == 1


def test_a_cut_shell_is_said_and_told_on_hovering() -> None:
    option = histogram(max_neighbors=12)
    assert option["title"]["subtext"] == "the shell at 3.00 Å is cut: 6 of 12 kept"
    assert option["series"][0]["data"][1]["name"] == "3.000 Å: 8 Na (6 kept), 4 Cl (0 kept)"


def test_whole_shells_are_said_too(rock_salt: Structure) -> None:
    graph = build_graph(rock_salt, GraphConfig(max_neighbors=6))
    option = distance_histogram(shells(rock_salt, graph, 0, 8.0), center="Na 1", cutoff=8.0, max_neighbors=6)
    assert option["title"]["subtext"] == "6 neighbors kept, in whole shells"
    assert bars(option, "Cl")[0] == [pytest.approx(2.82), 6]


def test_axes_carry_their_units() -> None:
    option = histogram()
    assert option["xAxis"]["name"] == "Distance (Å)"
    assert option["yAxis"]["name"] == "Neighbors"


def test_primitive_rock_salt_folds_into_two_nodes_and_one_line_of_six(primitive: Structure) -> None:
    (series,) = quotient_graph(primitive, build_graph(primitive, GraphConfig(max_neighbors=6)))["series"]
    assert [node["atom"] for node in series["data"]] == [0, 1]
    assert [link["value"] for link in series["links"]] == ["×6"]


def test_edges_to_own_images_are_counted_at_the_node(copper: Structure) -> None:
    (series,) = quotient_graph(copper, build_graph(copper))["series"]
    (node,) = series["data"]
    assert node["label"]["formatter"] == "Cu 1\nitself ×12"
    assert node["tooltip"]["formatter"] == "Cu 1: 12 neighbors, 12 of them its own images"
    assert series["links"] == []


def test_an_edge_that_is_not_returned_is_counted_both_ways(perovskite: Structure) -> None:
    (series,) = quotient_graph(perovskite, build_graph(perovskite), selected=1)["series"]
    words = {(link["source"], link["target"]): link["value"] for link in series["links"]}
    assert words[(1, 0)] == "×6 / ×0"  # titanium takes six of eight Sr; Sr takes its twelve O
    assert words[(1, 2)] == "×2"


def test_only_the_selected_node_stands_out(perovskite: Structure) -> None:
    nodes = quotient_graph(perovskite, build_graph(perovskite), selected=2)["series"][0]["data"]
    thick = [node["atom"] for node in nodes if node["itemStyle"]["borderWidth"] > 1]
    assert thick == [2]
    assert all(
        node["select"]["itemStyle"] == {k: node["itemStyle"][k] for k in node["select"]["itemStyle"]} for node in nodes
    )


def test_the_layout_is_the_same_every_time(perovskite: Structure) -> None:
    graph = build_graph(perovskite)
    assert quotient_graph(perovskite, graph) == quotient_graph(perovskite, graph)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_size_is_strict_json_with_valid_links(primitive: Structure, size: int) -> None:
    cell = primitive * [size, size, size]
    option = quotient_graph(cell, build_graph(cell), selected=0)
    json.dumps(option, allow_nan=False)
    (series,) = option["series"]
    assert len(series["data"]) == len({node["name"] for node in series["data"]}) == len(cell)
    assert all(link[end] < len(cell) for link in series["links"] for end in ("source", "target"))


def test_a_large_cell_shows_the_selected_atom_and_its_neighbors_only(primitive: Structure) -> None:
    cell = primitive * [4, 4, 4]
    option = quotient_graph(cell, build_graph(cell, GraphConfig(max_neighbors=6)), selected=5)
    (series,) = option["series"]
    assert len(series["data"]) == 7
    assert series["data"][0]["atom"] == 5
    assert all(link["source"] == 0 for link in series["links"])
    assert option["title"]["subtext"] == "Cl 6 and 6 neighbors, of 128 atoms of NaCl"


def test_a_large_cell_with_many_neighbors_stays_readable(primitive: Structure) -> None:
    cell = primitive * [4, 4, 4]
    option = quotient_graph(cell, build_graph(cell, GraphConfig(rule="radius", cutoff=9.0)))
    assert len(option["series"][0]["data"]) == MOST_NODES


def test_a_click_on_a_node_is_its_atom(primitive: Structure) -> None:
    cell = primitive * [4, 4, 4]
    option = quotient_graph(cell, build_graph(cell), selected=5)
    node = {"data_type": "node", "data_indices": [1]}
    assert picked_atom(option, [node]) == option["series"][0]["data"][1]["atom"]
    assert picked_atom(option, [{"data_type": "edge", "data_indices": [0]}]) is None
    assert picked_atom(option, [{"data_type": "node", "data_indices": [999]}]) is None
    assert picked_atom(option, []) is None


def test_the_adjacency_matrix_counts_edges_by_center_and_neighbor(perovskite: Structure) -> None:
    figure = adjacency(perovskite, build_graph(perovskite))
    (cells,) = figure.data
    assert list(cells.x) == list(cells.y) == ["Sr 1", "Ti 2", "O 3", "O 4", "O 5"]
    np.testing.assert_equal(cells.z[1], [6, np.nan, 2, 2, 2])  # a pair without an edge is no number
    assert np.nansum(cells.z, axis=1).tolist() == [12] * 5
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Neighbor", "Center")
    assert figure.layout.yaxis.scaleanchor == "x"


def test_too_large_an_adjacency_matrix_is_refused_with_advice(rock_salt: Structure) -> None:
    cell = rock_salt * [4, 4, 4]
    with pytest.raises(CrystalError, match=r"512 rows \(limit 300\); choose the primitive cell"):
        adjacency(cell, build_graph(cell))


def test_the_edge_table_names_atoms_images_distances_and_shells(rock_salt: Structure) -> None:
    rows = edge_table(rock_salt, build_graph(rock_salt), atom=0)
    assert len(rows) == 12
    assert [row["shell"] for row in rows] == [1] * 6 + [2] * 6
    assert {row["center"] for row in rows} == {"Na 1"}
    assert rows[0]["distance (Å)"] == 2.82
    assert all(row["image"].startswith("(") and len(row["image"].split()) == 3 for row in rows)


def test_shells_are_counted_anew_for_every_center(low_symmetry: Structure) -> None:
    rows = edge_table(low_symmetry, build_graph(low_symmetry))
    first = {row["center"]: row["shell"] for row in reversed(rows)}
    assert len(rows) == 7 * 12
    assert set(first.values()) == {1}
