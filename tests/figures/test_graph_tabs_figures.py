"""Pictures of the deeper tabs of the Graph page."""

import json

import pytest
from pymatgen.core import Structure

from cgcnn.errors import CrystalError
from cgcnn.figures.classes import class_names, merged_picture
from cgcnn.figures.cost import Growth, growth
from cgcnn.figures.invariance import moved_answers
from cgcnn.figures.rules import neighbors_by_rule
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.graph.classes import MergedGraph, merged_graph
from cgcnn.graph.neighborhood import Group

CHANGES = {
    "k nearest": [("rotated", 3.0), ("rotated", 40.0), ("control", -9.0)],
    "whole shells": [("rotated", 0.0), ("rotated", 0.0), ("control", -8.0)],
}


def test_each_description_is_a_dot_and_the_control_stands_apart() -> None:
    figure = moved_answers(CHANGES, unit="meV/atom", control="control")
    assert [list(trace.x) for trace in figure.data] == [[3.0, 40.0], [0.0, 0.0], [-9.0], [-8.0]]
    assert [list(axis.ticktext) for axis in figure.select_yaxes()] == [["rotated"], ["control"]]
    assert figure.layout.xaxis.title.text == "Change of the prediction (meV/atom)"


def test_a_far_control_squeezes_no_dot_onto_the_zero_line_and_rounding_stays_there() -> None:
    far = {"k nearest": [("rotated", 40.0), ("control", -1106.0)]}
    assert moved_answers(far, unit="", control="control").layout.xaxis.range[1] == pytest.approx(44.0)
    still = {"k nearest": [("rotated", 1e-4), ("control", -1106.0)]}
    assert moved_answers(still, unit="", control="control").layout.xaxis.range[1] > 10


def test_rules_differ_in_color_and_in_shape() -> None:
    marks = [trace.marker for trace in moved_answers(CHANGES, unit="", control="control").data]
    assert marks[0].color != marks[1].color and marks[0].symbol != marks[1].symbol


def test_growth_is_drawn_on_logarithmic_axes_with_its_exponent() -> None:
    figure = growth({"radius": Growth([8, 16], [80, 160], 1.0)}, title="Edges", axis="Time", unit="ms")
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.data[0].name == "radius: N<sup>1.00</sup>" and figure.layout.yaxis.title.text == "Time (ms)"


def test_a_single_size_has_no_exponent() -> None:
    assert growth({"radius": Growth([8], [80], float("nan"))}, title="", axis="").data[0].name == "radius"


def test_every_rule_has_a_row_with_its_count_and_bars_by_element() -> None:
    rules = {"k nearest": [Group(2.0, "O", 4), Group(2.5, "Ti", 1)], "CrystalNN": []}
    figure = neighbors_by_rule(rules, center="O 3", cutoff=8.0)
    assert [a.text for a in figure.layout.annotations] == ["k nearest: 5 neighbors", "CrystalNN: none"]
    assert [list(trace.y) for trace in figure.data if trace.type == "bar"][:2] == [[4], [1]]
    assert figure.layout.xaxis2.title.text == "Distance (Å), in steps of 0.1"


def test_neighbors_too_near_to_draw_apart_share_a_bar_of_their_sum() -> None:
    groups = [Group(1.605, "O", 2), Group(1.614, "O", 2), Group(1.7, "O", 1), Group(1.6999999, "Si", 1)]
    oxygen, silicon = neighbors_by_rule({"radius": groups}, center="Si 2", cutoff=8.0).data[:2]
    assert list(oxygen.y) == [4, 1] and oxygen.customdata[0] == "1.605, 1.614 Å"
    assert oxygen.x[1] == silicon.x[0], "a distance on the edge of a step falls into one bar"


def test_an_arrow_names_the_nearest_and_counts_the_rest(rock_salt: Structure) -> None:
    far = merged_graph(build_graph(rock_salt, GraphConfig(rule="radius", cutoff=5.0)))
    link = merged_picture(far, formula="NaCl")["series"][0]["links"][0]
    assert link["value"] == "6 at 2.82 Å, 8 farther"
    assert link["tooltip"]["formatter"] == "each Na: sees of Cl 6 at 2.820 Å, 8 at 4.884 Å"


@pytest.fixture
def shells_of_salt(rock_salt: Structure) -> MergedGraph:
    return merged_graph(build_graph(rock_salt, GraphConfig(rule="whole shells")))


def test_arrows_of_the_merged_graph_say_how_many_and_how_far(shells_of_salt: MergedGraph) -> None:
    series = merged_picture(shells_of_salt, formula="NaCl")["series"][0]
    assert [(link["source"], link["target"], link["value"]) for link in series["links"]] == [
        (0, 1, "6 at 2.82 Å"),
        (1, 0, "6 at 2.82 Å"),
    ]
    assert series["data"][0]["label"]["formatter"] == "Na × 4\nitself: 12 at 3.99 Å"


def test_the_merged_graph_is_plain_data(shells_of_salt: MergedGraph) -> None:
    json.dumps(merged_picture(shells_of_salt, formula="NaCl"))


def test_classes_of_one_element_are_numbered_and_twins_share_a_name() -> None:
    found = MergedGraph((0, 1, 2, 2), (("O",), ("O",), ("La", "Ce")), (), (3,))
    assert class_names(found) == ["O(1)", "O(2)", "La/Ce"]


def test_too_many_classes_are_refused_with_the_limit() -> None:
    many = MergedGraph(tuple(range(30)), (("Si",),) * 30, (), (30,))
    with pytest.raises(CrystalError, match="30 classes of atoms"):
        merged_picture(many, formula="Si")
