import numpy as np

from cgcnn.figures.colors import element_color
from cgcnn.figures.pooling import CellBar, pooling_bars
from cgcnn.figures.smoothing import similarity_curves, similarity_map

CELL = CellBar("primitive cell (2)", ["Na 1", "Cl 2"], ["Na", "Cl"], [1.0, 3.0], {"mean": 2.0, "sum": 4.0, "max": 3.0})


def test_the_atoms_lie_end_to_end_in_their_colors() -> None:
    bar = pooling_bars([CELL], 4).data[0]
    assert list(bar.base) == [0, 1.0] and list(bar.x) == [1.0, 3.0]
    assert list(bar.marker.color) == [element_color("Na"), element_color("Cl")]


def test_each_pooling_is_marked_where_it_ends_up() -> None:
    marks = {trace.name: list(trace.x) for trace in pooling_bars([CELL], 4).data[1:]}
    assert marks == {"mean": [2.0], "max": [3.0], "sum": [4.0]}
    heights = {trace.name: trace.y[0] for trace in pooling_bars([CELL], 4).data[1:]}
    assert heights["max"] != heights["mean"], "they may fall on one value, as for one kind of atoms"


def test_similarities_are_drawn_by_layer_and_by_pair() -> None:
    curves = similarity_curves({"two atoms of one element": [1.0, 0.9]})
    assert list(curves.data[0].x) == [0, 1] and list(curves.data[0].y) == [1.0, 0.9]
    square = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert similarity_map(square, ["Na 1", "Cl 2"], 1).data[0].z.tolist() == square.tolist()
