"""A run in numbers: its errors on test and validation crystals, and what it learns from."""

from collections.abc import Mapping
from functools import cache
from statistics import median
from typing import Any

import streamlit as st

from cgcnn.figures.learning import best_place
from cgcnn.runs.records import Run
from cgcnn.training.experiment import RunConfig
from cgcnn.training.scores import nll, roc_auc
from cgcnn.training.transfer_parts import FROZEN, parts_of
from cgcnn.ui.prose import plain
from cgcnn.ui.run_start import start_words
from cgcnn.ui.run_targets import Shown
from cgcnn.ui.run_words import Seen, label_rows

CLASS_GUESS = "The delta is against always naming the class that is commoner among the training crystals."
SCORE = "what the validation crystals say of all targets together: normalized errors, and of a class 4 (p − y)²"


def numbers(run: Run, mine: Seen, shown: Shown) -> None:
    """The best errors so far as large numbers, and the counts of crystals and weights."""
    if mine.epochs:
        with st.container(horizontal=True):
            _metrics(mine, shown)
    if data := mine.latest.get("data"):
        n_out = data["n_left_out"]
        too_large = " or too many atoms" if run.settings["dataset"]["max_sites"] else ""
        left_out = f" {n_out:,} others of the set have no such value{too_large}." if n_out else ""
        rates = [epoch["crystals_per_second"] for epoch in mine.epochs]
        speed = f", {median(rates):,.0f} crystals a second" if rates else ""
        st.markdown(
            f"{data['n_train']:,} crystals to learn from, {data['n_val']:,} to choose the best epoch, "
            f"{data['n_test']:,} to judge it.{left_out} "
            f"{data['n_parameters']:,} weights on {data['device']}{speed}.{_start(run.config, data['n_parameters'])}"
        )
        if len(labels := data.get("labels", {})) > 1:
            st.dataframe(label_rows(labels), hide_index=True, key=f"labels_{run.id}", width="content")
        if data["n_dropped"]:
            with st.expander(f"{data['n_dropped']:,} crystals have no graph", icon=":material/warning:"):
                st.dataframe([{"crystal": i, "why": why} for i, why in data["dropped"].items()], hide_index=True)


def _start(config: RunConfig, n_weights: int) -> str:
    """What a run starts from, and how many of its weights learn; "" from scratch."""
    if not config.transfer.source:
        return ""
    frozen = sum(part.n_parameters for part in _parts(config.model) if part.state(config.transfer) == FROZEN)
    learning = f"; {n_weights - frozen:,} of its weights learn" if frozen else ""
    return plain(f" Starts {start_words(config.transfer)}{learning}.")


_parts = cache(parts_of)  # the page asks at every look


def _metrics(mine: Seen, shown: Shown) -> None:
    place, unit = best_place(mine.epochs), shown.target.unit
    in_unit = f" ({unit})" if unit else ""
    error = shown.error[:1].lower() + shown.error[1:] if shown.target.is_class else shown.error
    if test := shown.test(mine.latest.get("test")):
        guess, rest = ("the commoner class", "") if shown.target.is_class else ("the mean", _guesses(test, unit))
        gap = test["mae"] - test["mean_mae"]
        less = f"{100 * gap:+.1f} points" if shown.target.is_class else f"{gap:+.3f}"
        st.metric(
            f"Test {error}{in_unit}",
            shown.number(test["mae"]),
            f"{less} against {guess}: {shown.number(test['mean_mae'])} on the test crystals",
            delta_color="inverse",
            border=True,
            help=f"On {len(test['ids'])} crystals never seen. {rest or CLASS_GUESS}",
        )
        if shown.target.is_class:
            _class_metrics(test)
    if place is not None:
        best = shown.epochs(mine.epochs[place : place + 1])[0]
        value = "–" if best["val_mae"] is None else shown.number(best["val_mae"])
        alone = is_chosen_by_error(shown)
        words = f"Best validation {error}{in_unit}" if alone else f"Validation {error}{in_unit}"
        help = f"In epoch {best['epoch']}" + ("." if alone else f", the best one by {SCORE}.")
        st.metric(words, value, border=True, help=help)


def is_chosen_by_error(shown: Shown) -> bool:
    """Whether the best epoch is that of the lowest error shown: not of a class, and not where targets share a score."""
    return shown.is_alone and not shown.target.is_class


def _guesses(test: Mapping[str, Any], unit: str) -> str:
    return (
        f"Always guessing the mean of the training targets errs by {test['mean_mae']:.3f}, "
        f"their median by {test['median_mae']:.3f} {unit}."
    )


def _class_metrics(test: Mapping[str, Any]) -> None:
    """How well the probabilities rank the crystals, and how much they can be trusted."""
    if (area := roc_auc(test["truth"], test["predicted"])) is not None:
        words = (
            "How often a crystal of the second class gets a higher probability than one of the first; 0.5 is guessing."
        )
        st.metric("Test ROC AUC", f"{area:.3f}", border=True, help=words)
    words = "The mean of −ln p of the true class: 0 is certainty, 0.693 a coin; confident mistakes cost most."
    st.metric("Test NLL", f"{nll(test['truth'], test['predicted']):.3f}", border=True, help=words)
