import json

import numpy as np
import plotly.graph_objects as go
import pytest

from cgcnn.errors import CrystalError
from cgcnn.figures.classification import (
    CLASS_COLORS,
    RIGHT_COLORS,
    WRONG_COLORS,
    RocCurve,
    confusion_figure,
    probability_histogram,
    roc_figure,
)

CLASSES = ("has a band gap", "metal")
CURVE = RocCurve("this run", [0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1], [np.inf, 0.8, 0.4, 0.35, 0.1], 0.75)
COUNTS = [[90, 10], [5, 15]]


def contrast(first: str, second: str) -> float:
    """The contrast of two colors `#rrggbb`, by WCAG 2.2."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(t for t in figure.data if t.name == name)


def roc(threshold: float | None = 0.5) -> go.Figure:
    return roc_figure([CURVE], classes=CLASSES, title="ROC curve", threshold=threshold)


def test_the_roc_curve_runs_from_corner_to_corner_with_its_area_in_the_legend() -> None:
    line = trace(roc(), "this run, AUC 0.750")
    assert (line.x[0], line.y[0], line.x[-1], line.y[-1]) == (0, 0, 1, 1)
    assert trace(roc(), "guessing, AUC 0.5").x == (0, 1)


def test_the_axes_say_what_is_called_what() -> None:
    layout = roc().layout
    assert layout.xaxis.title.text == "Called “metal” though “has a band gap”"
    assert layout.yaxis.title.text == "Called “metal” rightly"


@pytest.mark.parametrize(("threshold", "point"), [(0.5, (0, 0.5)), (0.35, (0.5, 1)), (0.9, (0, 0)), (0.0, (1, 1))])
def test_the_ring_is_where_the_threshold_cuts(threshold: float, point: tuple[float, float]) -> None:
    ring = trace(roc(threshold), f"p = {threshold:g}")
    assert (ring.x[0], ring.y[0]) == point


def test_without_a_threshold_there_is_no_ring() -> None:
    assert [t.mode for t in roc(None).data] == ["lines", "lines"]


def test_many_curves_have_one_entry_each_and_differ() -> None:
    curves = [RocCurve(f"run {n}", [0, 1], [0, 1], [np.inf, 0.5], 0.5) for n in range(9)]
    figure = roc_figure(curves, classes=CLASSES, title="ROC curves")
    lines = [t for t in figure.data if t.mode == "lines"][1:]
    assert len({(t.line.color, t.line.dash) for t in lines}) == 9
    assert sum(t.showlegend is not False for t in figure.data) == 9 + 2  # and guessing, and one ring


def test_a_roc_curve_is_plain_json() -> None:
    assert "Infinity" not in json.dumps(json.loads(roc().to_json()))


def test_every_cell_has_its_count_and_its_share_of_the_true_class() -> None:
    figure = confusion_figure(COUNTS, classes=CLASSES, title="Confusion")
    texts = {(a.y, a.x): a.text for a in figure.layout.annotations}
    assert texts[0, 0] == "<b>90</b><br>90% of its row"
    assert texts[1, 0] == "<b>5</b><br>25% of its row"
    assert figure.layout.title.subtitle.text == "87.5% of 120 crystals in the right class"


def test_rows_are_true_and_columns_predicted_classes() -> None:
    layout = confusion_figure(COUNTS, classes=CLASSES, title="Confusion").layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("Predicted", "True")
    assert layout.xaxis.ticktext == layout.yaxis.ticktext == CLASSES
    assert layout.yaxis.autorange == "reversed"  # class 0 stands above


@pytest.mark.parametrize("right", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_the_words_of_a_cell_can_be_read(right: float) -> None:
    n = round(100 * right)
    figure = confusion_figure([[n, 100 - n], [100 - n, n]], classes=CLASSES, title="Confusion")
    heat = figure.data[0]
    for cell in figure.layout.annotations:
        low, high = RIGHT_COLORS if cell.x == cell.y else WRONG_COLORS
        share = abs(heat.z[cell.y][cell.x])
        mixed = [round(int(low[i : i + 2], 16) * (1 - share) + int(high[i : i + 2], 16) * share) for i in (1, 3, 5)]
        assert contrast(cell.font.color, "#{:02x}{:02x}{:02x}".format(*mixed)) >= 4.5


def test_an_empty_wrong_cell_has_the_color_of_wrong_ones() -> None:
    z = confusion_figure([[4, 0], [0, 4]], classes=CLASSES, title="Confusion").data[0].z
    assert z[0][1] < 0 < z[0][0]


def test_a_class_without_crystals_is_an_empty_row() -> None:
    figure = confusion_figure([[4, 0], [0, 0]], classes=CLASSES, title="Confusion")
    assert [a.text for a in figure.layout.annotations][2:] == ["<b>0</b><br>0% of its row"] * 2


def test_every_crystal_stands_in_one_bar_of_its_true_class() -> None:
    figure = probability_histogram([0, 0, 1, 1], [0.05, 0.95, 0.95, 1.0], classes=CLASSES, title="Probabilities")
    none, metal = figure.data
    assert (none.name, sum(none.y), none.y[0], none.y[-1]) == ("true: has a band gap (2)", 2, 1, 1)
    assert (metal.name, sum(metal.y), metal.y[-1]) == ("true: metal (2)", 2, 2)
    assert (none.marker.color, metal.marker.color) == CLASS_COLORS
    assert figure.layout.xaxis.title.text == "Predicted probability of “metal”"


def test_the_classes_differ_by_more_than_color() -> None:
    none, metal = probability_histogram([0, 1], [0.2, 0.8], classes=CLASSES, title="Probabilities").data
    assert none.marker.pattern.shape != metal.marker.pattern.shape


def test_nothing_to_draw_is_a_sentence() -> None:
    with pytest.raises(CrystalError, match="both classes"):
        roc_figure([], classes=CLASSES, title="ROC curve")
    with pytest.raises(CrystalError, match="No crystal has both"):
        confusion_figure(np.zeros((2, 2)), classes=CLASSES, title="Confusion")
    with pytest.raises(CrystalError, match="No crystal has both"):
        probability_histogram([], [], classes=CLASSES, title="Probabilities")


def test_the_page_shines_through_every_figure() -> None:
    figures = [
        roc(),
        confusion_figure(COUNTS, classes=CLASSES, title="Confusion"),
        probability_histogram([0, 1], [0.2, 0.8], classes=CLASSES, title="Probabilities"),
    ]
    assert {figure.layout.plot_bgcolor for figure in figures} == {"rgba(0, 0, 0, 0)"}
