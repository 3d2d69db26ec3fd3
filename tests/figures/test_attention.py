"""The pictures of attention show the weights that they are given."""

import numpy as np
import pytest
from pymatgen.core import Structure

from cgcnn.figures.attention import (
    HEAVY,
    THICK,
    THIN,
    Dot,
    Layers,
    attention_scene,
    effective_by_layer,
    self_product,
    weights_by_distance,
)
from cgcnn.figures.colors import EDGE_COLOR
from cgcnn.graph import build_graph


def test_an_edge_is_as_thick_and_as_strong_in_color_as_its_weight(rock_salt: Structure) -> None:
    weights = [0.4, 0.2, *[0.0] * 10]
    scene = attention_scene(rock_salt, build_graph(rock_salt), 2, weights)
    assert len(scene.edges) == 12, "no edges of other atoms"
    assert [edge.width for edge in scene.edges[:3]] == pytest.approx([THICK, (THICK + THIN) / 2, THIN])
    assert scene.edges[0].colors == (HEAVY, HEAVY) and scene.edges[2].colors == (EDGE_COLOR, EDGE_COLOR)
    assert scene.edges[1].tip.endswith(": weight 0.2")
    assert [entry.text for entry in scene.legend[-4:]] == ["weight 0", "0.13", "0.27", "0.4"]
    assert "from 0 to 0.4" in scene.summary


def test_equal_dots_are_drawn_once_and_counted() -> None:
    dots = [Dot(2.82, 0.1, "Cl", True)] * 6 + [Dot(3.99, 0.05, "Na", True), Dot(2.82, 0.12, "Cl", False)]
    figure = weights_by_distance(dots, 1 / 12, "Weights")
    small, *large = figure.data
    assert [(trace.name, list(trace.text)) for trace in large] == [("to Cl", ["6 edges"]), ("to Na", ["1 edge"])]
    assert small.marker.size < large[0].marker.size and [t.showlegend for t in figure.data] == [True, False, True]
    assert figure.layout.xaxis.title.text == "Distance (Å)" and figure.layout.yaxis.title.text == "Weight c"
    assert figure.layout.annotations[0].text == "all alike: 0.0833"


def test_a_line_and_a_band_for_each_score() -> None:
    curves = {"published score": Layers([8, 3], [7, 2], [9, 4]), "learned score": Layers([12, 11], [12, 10], [12, 12])}
    figure = effective_by_layer(curves, 12, 1)
    band, line = figure.data[:2]
    assert len(figure.data) == 4 and list(line.x) == [1, 2] and list(line.y) == [8, 3]
    assert list(band.y) == [9, 4, 2, 7] and figure.layout.yaxis.title.text == "Neighbors that count"


def test_the_curve_of_the_product_begins_at_zero_and_marks_the_edges_within_it() -> None:
    figure = self_product(np.array([1.5, 7.5]), np.array([1.2, 1.3]), [1.0, 4.5])
    assert figure.layout.yaxis.range[0] == 0
    assert list(figure.data[1].x) == [4.5] and list(figure.data[1].y) == pytest.approx([1.25])
