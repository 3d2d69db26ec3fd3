import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from pymatgen.core import Structure

from cgcnn.errors import ConfigError
from cgcnn.figures.bonds import (
    MOST_ROWS,
    Gaussians,
    NeighborEdge,
    edge_matrix,
    edges_of,
    expand,
    gaussian_curves,
    likeness,
    likeness_bars,
    matrix_rows,
    widths_to_compare,
)
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.nn.basis import GaussianExpansion

KNOBS = Gaussians()


@pytest.fixture
def edges(rock_salt: Structure) -> list[NeighborEdge]:
    return edges_of(rock_salt, build_graph(rock_salt, GraphConfig()), 0)


@pytest.mark.parametrize(("last", "step"), [(8.0, 0.2), (6.0, 0.5), (8.0, 0.3)])
def test_the_numbers_are_those_of_the_network(last: float, step: float) -> None:
    distances = [0.0, 1.03, 2.82, 5.0, 8.0, 9.5]
    ours = expand(distances, Gaussians(step=step, width=step, last=last).centers, step)
    theirs = GaussianExpansion(last, step)(torch.tensor(distances))
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_the_published_row_has_41_gaussians_from_0_to_8() -> None:
    assert (len(KNOBS.centers), KNOBS.centers[0], KNOBS.centers[-1]) == (41, 0, 8)


def test_four_or_five_published_gaussians_see_a_distance() -> None:
    seen = (expand(np.linspace(1, 7, 500), KNOBS.centers, KNOBS.width) > 0.01).sum(axis=1)
    assert set(seen.tolist()) == {4, 5}


def test_a_wrong_width_is_named() -> None:
    with pytest.raises(ConfigError, match="Width σ is 0"):
        Gaussians(width=0.0)


def test_every_combination_of_knobs_has_several_gaussians() -> None:
    assert len(Gaussians(step=1.0, last=2.0).centers) == 3


def test_the_edges_are_those_of_the_graph_nearest_first(edges: list[NeighborEdge]) -> None:
    assert len(edges) == 12 and {edge.name.split()[0] for edge in edges[:6]} == {"Cl"}
    assert edges[0].distance == pytest.approx(2.82) and all(a.distance <= b.distance + 1e-6 for a, b in pairwise(edges))


def test_the_picture_shows_line_vector_and_neighbors(edges: list[NeighborEdge]) -> None:
    figure = gaussian_curves(KNOBS, 2.82, edges)
    assert {(shape.x0, shape.x1) for shape in figure.layout.shapes} == {(2.82, 2.82)}
    bars = next(trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_allclose(bars.y, expand([2.82], KNOBS.centers, KNOBS.width)[0])
    rug = next(trace for trace in figure.data if trace.name == "neighbors")
    assert list(rug.text) == ["6 × Cl at 2.820 Å", "6 × Na at 3.988 Å"]


def test_the_crossings_lie_on_the_curves() -> None:
    crossings = next(trace for trace in gaussian_curves(KNOBS, 2.9).data if trace.name and trace.name.startswith("u,"))
    np.testing.assert_allclose(crossings.y, np.exp(-(((2.9 - crossings.customdata) / 0.2) ** 2)))
    assert set(crossings.x) == {2.9}


def test_axes_have_units_and_backgrounds_are_clear(edges: list[NeighborEdge]) -> None:
    for figure in (gaussian_curves(KNOBS, 2.8), edge_matrix(edges, KNOBS, "Na 1"), likeness_bars(2.8, 2.9, KNOBS)):
        titles = [axis.title.text for axis in figure.select_xaxes() if axis.title.text]
        assert titles and all("(Å)" in title for title in titles) and figure.layout.title.text
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_a_row_of_the_matrix_is_an_edge_with_name_and_distance(edges: list[NeighborEdge]) -> None:
    figure = edge_matrix(edges, KNOBS, "Na 1")
    assert np.shape(figure.data[0].z) == (12, 41)
    assert figure.layout.yaxis.ticktext[0] == f"{edges[0].name}, 2.820 Å" and "12 × 41" in figure.layout.title.text
    assert KNOBS.centers[np.argmax(figure.data[0].z[0])] == pytest.approx(2.8)


def test_a_long_matrix_grows_and_then_stops() -> None:
    many = [NeighborEdge("Na 1", (0, 0, i), 3.0) for i in range(MOST_ROWS + 50)]
    tall = edge_matrix(many[:92], KNOBS, "Na 1")
    assert tall.layout.height / 92 > 13, "a line of small type for each row"
    assert len(edge_matrix(many, KNOBS, "Na 1").data[0].z) == MOST_ROWS
    assert len(matrix_rows(many, KNOBS)) == MOST_ROWS + 50


def test_the_csv_holds_neighbor_distance_and_all_entries(edges: list[NeighborEdge]) -> None:
    rows = matrix_rows(edges, KNOBS)
    assert len(rows) == 12 and len(rows[0]) == 3 + 41
    assert rows[0]["distance (Å)"] == 2.82 and rows[0]["u(2.80 Å)"] == pytest.approx(0.990, abs=1e-3)
    json.dumps(rows, allow_nan=False)


def test_for_dense_centers_the_cosine_follows_the_width_alone() -> None:
    assert likeness(4.0, 4.1, KNOBS.centers, 0.2).cosine == pytest.approx(np.exp(-0.125), abs=0.01)
    assert f"{np.exp(-0.125):.2f}" == "0.88"


def test_equal_distances_are_equal_vectors() -> None:
    same = likeness(2.8, 2.8, KNOBS.centers, 0.2)
    assert same.cosine == pytest.approx(1) and same.euclidean == 0


@pytest.mark.parametrize(
    ("pair", "width", "word"),
    [
        ((2.9, 3.0), 0.05, "2.90 Å falls between two centers"),
        ((2.8, 3.0), 0.05, "Too narrow: a single Gaussian sees 2.80 Å"),
        ((2.76, 2.86), 0.05, "Too narrow: a single Gaussian sees 2.76 Å"),
        ((2.82, 2.83), 0.05, "Too narrow: a single Gaussian sees 2.82 Å"),
        ((2.82, 2.83), 0.2, "Too wide"),
        ((2.8, 3.8), 0.2, "share little"),
        ((7.95, 8.3), 0.2, "Beyond the last center: the largest entry of 8.30 Å is 0.11"),
        ((2.8, 2.9), 1.0, "Too wide"),
        ((2.8, 2.9), 0.2, "Related and yet different"),
        ((9.5, 9.6), 0.2, "Beyond the last center"),
        ((60.0, 60.1), 0.05, "Beyond the last center"),
    ],
)
def test_the_sentence_fits_the_numbers(pair: tuple[float, float], width: float, word: str) -> None:
    found = likeness(*pair, KNOBS.centers, width)
    assert word in found.meaning and np.isfinite(found.cosine)


@pytest.mark.parametrize("step", [0.1, 0.2, 0.55, 1.0])
@pytest.mark.parametrize("last", [2.0, 8.0, 12.0])
def test_too_wide_is_said_of_no_width_below_one_that_is_too_narrow(step: float, last: float) -> None:
    centers = Gaussians(step=step, last=last).centers
    widths = np.arange(0.05, 2.01, 0.05)
    for distance, gap in ((0.0, 0.01), (1.37, 0.1), (1.5, 1.0), (11.0, 1.0)):
        said = [likeness(distance, distance + gap, centers, width).meaning for width in widths]
        wide = [i for i, words in enumerate(said) if words.startswith("Too wide")]
        narrow = [i for i, words in enumerate(said) if words.startswith(("Too narrow", "Narrow"))]
        assert not wide or not narrow or max(narrow) < min(wide)


def test_narrow_chosen_and_wide_are_compared_each_once() -> None:
    assert widths_to_compare(0.2) == [0.05, 0.2, 1.0] and widths_to_compare(1.0) == [0.05, 1.0]
    assert len(likeness_bars(2.8, 2.9, KNOBS).data) == 6
