"""What the compared runs said of their test crystals: parity plots, and of classes ROC curves and confusions."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cgcnn.data.csv_text import csv_of
from cgcnn.figures.classification import RocCurve, confusion_figure, roc_figure
from cgcnn.figures.compare import Curve, parity_plots, shortened
from cgcnn.training.scores import confusion, roc_auc, roc_points
from cgcnn.ui.compare_differences import Compared, label_of

SIDE_BY_SIDE = 3  # parity plots in a row


def predictions(runs: Sequence[Compared], names: Sequence[str]) -> None:
    """Parity plots of the test crystals, or of classes ROC curves and confusions, and all of it as CSV."""
    st.subheader("Predictions of the test crystals")
    classes = [one for one in runs if one.target.is_class]
    if classes:
        _roc(classes, names)
    figures = _figures(runs, names)
    side_by_side = 2 if len(figures) in (1, 2, 4) else SIDE_BY_SIDE
    for start in range(0, len(figures), side_by_side):
        columns = st.columns(side_by_side)
        for column, figure, one in zip(columns, figures[start:], runs[start:], strict=False):
            column.plotly_chart(figure, key=f"parity_{one.letter}")
    st.download_button(
        "Predictions as CSV", csv_of(prediction_rows(runs)), "predictions.csv", icon=":material/download:"
    )


def _figures(runs: Sequence[Compared], names: Sequence[str]) -> list[Any]:
    """For each run its parity plot, or of a class its table of confusions."""
    numbers = [one for one in runs if not one.target.is_class]
    curves = curves_of(runs, names)
    of_numbers = [curve for curve, one in zip(curves, runs, strict=True) if not one.target.is_class]
    plots = iter(parity_plots([one.test for one in numbers], of_numbers, [one.target for one in numbers]))
    return [
        _confusion(one, curve.label) if one.target.is_class else next(plots)
        for one, curve in zip(runs, curves, strict=True)
    ]


def _confusion(run: Compared, label: str) -> Any:
    counts = confusion(run.test["truth"], run.test["predicted"])
    return confusion_figure(counts, classes=run.target.classes, title=shortened(label))


def _roc(runs: Sequence[Compared], names: Sequence[str]) -> None:
    """One picture with the ROC curves of the runs that tell the same classes apart."""
    curves = []
    for one, curve in zip(runs, curves_of(runs, names), strict=True):
        points, area = roc_points(one.test["truth"], one.test["predicted"]), roc_area(one)
        if one.shown.name == runs[0].shown.name and points is not None and area is not None:
            curves.append(RocCurve(curve.label, *points, area))
    if curves:
        figure = roc_figure(curves, classes=runs[0].target.classes, title="ROC curves, test crystals")
        st.plotly_chart(figure, key="compare_roc")


def prediction_rows(runs: Sequence[Compared]) -> list[dict[str, Any]]:
    """One row for each test crystal of each run."""
    return [
        {"run": one.letter, "id": i, "formula": f, "truth": t, "predicted": p}
        for one in runs
        for i, f, t, p in zip(*(one.test[k] for k in ("ids", "formulas", "truth", "predicted")), strict=True)
    ]


def curves_of(runs: Sequence[Compared], names: Sequence[str]) -> list[Curve]:
    """The runs as curves, each with its words and its place in the order of colors."""
    return [Curve(label_of(one, names, runs), one.number, one.epochs) for one in runs]


def roc_area(run: Compared) -> float | None:
    """The area under the ROC curve of a class."""
    if not run.target.is_class or not run.test:
        return None
    return roc_auc(run.test["truth"], run.test["predicted"])
