"""The targets of a run, one at a time: what its events say of each, in the words of a page that knows only one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cgcnn.data.targets import TARGETS, Target


@dataclass(frozen=True)
class Shown:
    """The target of a run that a page shows: its name and its place among the run's targets, the main one first."""

    name: str
    index: int
    among: int  # how many targets the run has

    @property
    def target(self) -> Target:
        """Its words and its unit."""
        return TARGETS[self.name]

    @property
    def error(self) -> str:
        """The word for its error: `MAE`, or `Share wrong` of a class."""
        return self.target.error

    def number(self, error: float) -> str:
        """An error as the pages write it: three decimals in its unit, or of a class `12.5 %`."""
        return f"{100 * error:.1f} %" if self.target.is_class else f"{error:.3f}"

    @property
    def is_alone(self) -> bool:
        """True when the run has no other target."""
        return self.among == 1

    def epochs(self, epochs: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The epochs of the run, their errors being those of this target."""
        if self.index == 0:
            return epochs
        return [{**epoch} | {side: _at(epoch.get(f"{side}s"), self.index) for side in ERRORS} for epoch in epochs]

    def baseline(self, data: Mapping[str, Any]) -> float | None:
        """The error on the validation crystals of one constant guess: the mean, or of a class the commoner one."""
        return data.get("val_mean_mae") if self.index == 0 else _at(data.get("val_mean_maes"), self.index)

    def test(self, test: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """What the test crystals that have this target say; None before the end, and where none has it."""
        if not test:
            return None
        found = test if self.index == 0 else test.get("others", {}).get(self.name)
        return found if found and found.get("ids") else None


ERRORS = ("train_mae", "val_mae")


def _at(values: Sequence[Any] | None, index: int) -> Any:
    return values[index] if values and len(values) > index else None


def targets_of(settings: Mapping[str, Any]) -> list[Shown]:
    """All targets of a run, the main one first; `settings` are those of the store, perhaps of an earlier version."""
    dataset = settings["dataset"]
    names = [dataset["target"], *dataset.get("also", ())]
    return [Shown(name, index, len(names)) for index, name in enumerate(names)]


def chosen_target(settings: Mapping[str, Any], key: str = "of_target", words: str = "Target in view") -> Shown:
    """The target to show of a run; the reader chooses where there are several, and the URL keeps the choice."""
    offered = targets_of(settings)
    if len(offered) == 1:
        return offered[0]
    labels = [shown.target.label for shown in offered]
    if st.session_state.get(key) not in (None, *labels):
        del st.session_state[key]  # of another run
    label = st.segmented_control(
        words, labels, default=labels[0], required=True, key=key, bind="query-params", wrap=True
    )
    return offered[labels.index(label) if label in labels else 0]
