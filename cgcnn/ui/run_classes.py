"""What a classifier said of its test crystals: ROC curve, confusion matrix, probabilities, and a threshold to move."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cgcnn.data.targets import Target
from cgcnn.figures.classification import RocCurve, confusion_figure, probability_histogram, roc_figure
from cgcnn.training.scores import THRESHOLD, accuracy, balanced_accuracy, confusion, roc_auc, roc_points

ONE_CLASS = "Only one class is among the test crystals, so there is no ROC curve: test on more crystals."


def class_figures(test: Mapping[str, Any], target: Target) -> None:
    """The three pictures of a class; `test` has the fields of TargetTest."""
    truth, probability = test["truth"], test["predicted"]
    threshold = st.slider(
        f"Call a crystal “{target.classes[1]}” from this probability on",
        0.0,
        1.0,
        THRESHOLD,
        0.01,
        key="threshold",
        bind="query-params",
        help="The curve shows every threshold at once. Errors elsewhere on this page are those of 0.5.",
    )
    st.markdown(threshold_words(test, threshold))
    roc(test, target, threshold)
    left, right = st.columns(2, gap="small")
    with left:
        table = confusion(truth, probability, threshold)
        st.plotly_chart(confusion_figure(table, classes=target.classes, title="Confusions"), key="confusion")
    with right:
        title, classes = "Probabilities", target.classes
        figure = probability_histogram(truth, probability, classes=classes, title=title, threshold=threshold)
        st.plotly_chart(figure, key="probabilities")


def roc(test: Mapping[str, Any], target: Target, threshold: float) -> None:
    """The ROC curve, or the sentence why there is none."""
    points, area = roc_points(test["truth"], test["predicted"]), roc_auc(test["truth"], test["predicted"])
    if points is None or area is None:
        st.info(ONE_CLASS, icon=":material/info:")
        return
    curve = RocCurve("this network", *points, area)
    figure = roc_figure([curve], classes=target.classes, title="ROC curve, test crystals", threshold=threshold)
    st.plotly_chart(figure, key="roc")


def threshold_words(test: Mapping[str, Any], threshold: float) -> str:
    """How many crystals come into the right class from this threshold on."""
    right = accuracy(test["truth"], test["predicted"], threshold)
    words = f"From {threshold:.2f} on: **{100 * right:.1f} %** of {len(test['ids']):,} crystals in the right class"
    balanced = balanced_accuracy(test["truth"], test["predicted"], threshold)
    return f"{words}, **{100 * balanced:.1f} %** on average of both classes." if balanced is not None else f"{words}."
