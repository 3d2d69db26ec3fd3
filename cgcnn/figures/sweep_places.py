"""Where the arms of an experiment stand along the horizontal axis: at their number, or one band for each word."""

from dataclasses import dataclass
from typing import Any, Protocol

WIDE = 10.0  # a numeric axis whose largest value is this many times its smallest is logarithmic
MOST_LABELS = 8  # words under the axis; more are thinned by the chart


class Axis(Protocol):
    """One setting of the grid."""

    @property
    def label(self) -> str:
        """Its name, with its unit."""

    @property
    def values(self) -> tuple[Any, ...]:
        """The values it takes."""

    @property
    def words(self) -> tuple[str, ...]:
        """Each value as a reader says it."""


@dataclass(frozen=True)
class Places:
    """Where the arms stand along the horizontal axis: at their number, or one band for each word."""

    axis: Axis
    n_series: int

    @property
    def is_numeric(self) -> bool:
        """True for three or more numbers: then the distance between two of them means something."""
        return len(self.axis.values) > 2 and all(type(value) in (int, float) for value in self.axis.values)

    @property
    def is_log(self) -> bool:
        """True for positive numbers over more than a decade."""
        low, high = (min(self.axis.values), max(self.axis.values)) if self.is_numeric else (0, 0)
        return low > 0 and high / low >= WIDE

    def at(self, place: int, series: int) -> float:
        """The horizontal place of a value in a series; series stand a little apart."""
        aside = series - (self.n_series - 1) / 2
        if not self.is_numeric:
            return place + 0.5 + aside * min(0.22, 0.8 / self.n_series)
        value = float(self.axis.values[place])
        low, high = min(self.axis.values), max(self.axis.values)
        if self.is_log:
            return float(value * (high / low) ** (0.012 * aside))
        return float(value + 0.012 * (high - low) * aside)


def across(places: Places) -> list[dict[str, Any]]:
    """The horizontal axis; words stand on an axis of bands over a hidden one of numbers."""
    title = {"name": places.axis.label, "nameLocation": "middle", "nameGap": 30}
    if not places.is_numeric:
        n = len(places.axis.words)
        label = {"interval": 0 if n <= MOST_LABELS else "auto", "overflow": "break", "width": 104, "lineHeight": 14}
        bands = {"type": "category", "data": list(places.axis.words), "axisLabel": label, "position": "bottom"}
        return [{"type": "value", "min": 0, "max": n, "show": False}, {**bands, **title, "nameGap": 38}]
    values = [float(value) for value in places.axis.values]
    low, high = min(values), max(values)
    if places.is_log:
        room = (high / low) ** 0.06
        ends: dict[str, Any] = {"type": "log", "min": low / room, "max": high * room}
    else:
        ends = {"type": "value", "min": low - 0.06 * (high - low), "max": high + 0.06 * (high - low)}
    ticks = {"axisLabel": {"customValues": values}, "axisTick": {"customValues": values}}
    return [{**ends, **ticks, **title, "splitLine": {"show": False}, "axisLine": {"onZero": False}}]
