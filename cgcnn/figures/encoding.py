"""The 92 bits of an element as nine rows of cells, one row a property; and two elements, cell under cell."""

from collections.abc import Iterable, Mapping
from typing import Any

from cgcnn.data.elements import BANDS, SYMBOLS, Band, BitMeaning, atom_vector, bit_in_words, describe_bits
from cgcnn.figures.colors import SHELL_COLORS, label_color

SET_COLOR, MARK_COLOR, SHARED_COLOR = SHELL_COLORS[:3]
TEXT_COLORS = {False: "#5b636d", True: "#a7afb9"}  # of small type on an empty cell: 6:1 or more; True: dark theme
LINE_COLOR = "rgba(128, 134, 142, 0.55)"
EMPTY = "rgba(128, 134, 142, 0.08)"
HATCH = {
    "symbol": "rect",
    "color": "rgba(128, 134, 142, 0.6)",
    "dashArrayX": [1, 0],
    "dashArrayY": [2, 5],
    "rotation": -0.785,
}
PLAIN = {"symbol": "none"}  # no pattern
HEAD = 78  # px, of title and key
HATCHED = "hatched: all 0, no value or one outside all bins"
# Of an empty cell. Every key is here, for a chart merges pictures: what a later one leaves out stays as it was.
BLANK = {"color": EMPTY, "borderColor": LINE_COLOR, "borderWidth": 1, "borderType": "solid", "decal": PLAIN}
Cell = dict[str, Any]
Place = tuple[int, int]
Selection = Iterable[Mapping[str, Any]]


def element_bits(z: int, *, chosen: int | None = None, dark: bool = False) -> dict[str, Any]:
    """The 92 bits of element z as an ECharts option: a row for each property, a cell for each bin.

    The column `chosen` is framed; `dark` is the theme it is shown in. `picked_bit` reads a click.
    """
    meanings = describe_bits(z)
    rows = [[_bit(z, meaning, bin, chosen, dark) for bin in range(meaning.band.n_bins)] for meaning in meanings]
    title = f"{SYMBOLS[z - 1]}: {int(atom_vector(z).sum())} of 92 bits are 1"
    key = f"filled: 1, empty: 0\n{HATCHED}"
    return _option(title, key, meanings, _stack(rows, "bits"), [_row_name(meaning) for meaning in meanings])


def compared_bits(a: int, b: int, *, chosen: int | None = None, dark: bool = False) -> dict[str, Any]:
    """The bits of elements a (upper cells) and b (lower cells) as an ECharts option; differing bits are marked."""
    upper, lower = describe_bits(a), describe_bits(b)
    rows = {
        "upper": [_compared_row(a, mine, other, chosen, dark) for mine, other in zip(upper, lower, strict=True)],
        "lower": [_compared_row(b, mine, other, chosen, dark) for mine, other in zip(lower, upper, strict=True)],
    }
    differ = int((atom_vector(a) != atom_vector(b)).sum())
    title = f"{SYMBOLS[a - 1]} above {SYMBOLS[b - 1]}: {differ} of 92 bits differ"
    key = f"green: 1 in both; orange: 1 in one, dashed in the other\n{HATCHED}"
    names = [f"{m.band.name}: {m.short_text} and {o.short_text}" for m, o in zip(upper, lower, strict=True)]
    series = [part for stack, cells in rows.items() for part in _stack(cells, stack)]
    return _option(title, key, upper, series, names)


def bits_height(lines: int = 1) -> int:
    """The height in pixels of a picture with `lines` rows of cells for each property."""
    return HEAD + len(BANDS) * _row_height(lines) + 8


def clicked(selected: Selection) -> set[Place]:
    """The cells that a chart holds as selected, as (series, place in it); `selected` as the chart's state has it."""
    return {(part["series_index"], place) for part in selected for place in part["data_indices"]}


def latest(before: set[Place], now: set[Place]) -> Place | None:
    """The cell clicked last: a chart remembers all clicks, and a second click on a cell takes the first back."""
    return next((next(iter(news)) for news in (now - before, before - now, now) if len(news) == 1), None)


def picked_bit(option: Mapping[str, Any], place: Place) -> int | None:
    """The column of a cell of `element_bits` or `compared_bits`."""
    series, row = place
    cells = option["series"][series]["data"] if series < len(option["series"]) else []
    return cells[row]["column"] if row < len(cells) and cells[row] else None


def _bit(z: int, meaning: BitMeaning, bin: int, chosen: int | None, dark: bool) -> Cell:
    """One cell of `element_bits`."""
    column, style = meaning.band.first + bin, dict(BLANK)
    if meaning.column == column:
        style |= {"color": SET_COLOR, "borderColor": SET_COLOR}
    elif meaning.column is None:
        style |= {"decal": HATCH}
    return _cell(z, meaning.band, bin, style, chosen, dark)


def _compared_row(z: int, mine: BitMeaning, other: BitMeaning, chosen: int | None, dark: bool) -> list[Cell]:
    """One element's cells of one property, colored by what the other element has there."""
    cells = []
    for bin in range(mine.band.n_bins):
        column, style = mine.band.first + bin, dict(BLANK)
        if mine.column == other.column == column:
            style |= {"color": SHARED_COLOR, "borderColor": SHARED_COLOR}
        elif mine.column == column:
            style |= {"color": MARK_COLOR, "borderColor": MARK_COLOR}
        elif other.column == column:
            style |= {"borderColor": MARK_COLOR, "borderWidth": 2, "borderType": [3, 3]}
        elif mine.column is None:
            style |= {"decal": HATCH}
        cells.append(_cell(z, mine.band, bin, style, chosen, dark))
    return cells


def _cell(z: int, band: Band, bin: int, style: dict[str, Any], chosen: int | None, dark: bool) -> Cell:
    column, filled = band.first + bin, style["color"].startswith("#")
    if column == chosen:
        style = style | {"borderColor": SHELL_COLORS[4], "borderWidth": 3, "borderType": "solid"}
    text_color = label_color(style["color"]) if filled else TEXT_COLORS[dark]
    label = {"formatter": _short(band, bin) if style["decal"] is PLAIN else "", "color": text_color}
    return {
        "value": 1 / band.n_bins,
        "column": column,
        "name": f"bit {column}",
        "itemStyle": style,
        "select": {"itemStyle": style},  # what is chosen is ours to say, for the list can choose too
        "label": label,
        "tooltip": {"formatter": _folded(bit_in_words(z, column))},
    }


def _short(band: Band, bin: int) -> str:
    """What fits into a cell: a kind, or the two ends of a range."""
    if band.labels:
        return "–" if band.labels[bin] == "none" else band.labels[bin]
    return "{:.4g}\n{:.4g}".format(*band.edges[bin : bin + 2])


def _folded(sentence: str) -> str:
    """A sentence in lines that fit on a telephone."""
    for stop, end in ((": ", ":"), (", so ", ", so"), (", far ", ", far"), ("; ", ";")):
        sentence = sentence.replace(stop, f"{end}<br>")
    return sentence


def _row_name(meaning: BitMeaning) -> str:
    return f"{meaning.band.name}: {meaning.short_text}"


def _stack(rows: list[list[Cell]], stack: str) -> list[dict[str, Any]]:
    """Rows of cells as stacked bars: the n-th series holds the n-th cell of each row, where there is one."""
    longest = max(len(row) for row in rows)
    return [
        {
            "type": "bar",
            "stack": stack,
            "barWidth": 27,
            "barGap": "15%",
            "selectedMode": "multiple",
            "cursor": "pointer",
            "label": {"show": True, "position": "inside", "fontSize": 9.5, "lineHeight": 11},
            "emphasis": {"disabled": True},
            "data": [row[place] if place < len(row) else None for row in rows],
        }
        for place in range(longest)
    ]


def _row_height(lines: int) -> int:
    return 22 + 31 * lines


def _option(
    title: str, key: str, meanings: list[BitMeaning], series: list[dict[str, Any]], names: list[str]
) -> dict[str, Any]:
    lines = len({part["stack"] for part in series})
    above = {"inside": True, "margin": 0, "align": "left", "verticalAlign": "bottom", "fontSize": 12}
    above |= {"padding": [0, 0, 19 + 15 * (lines - 1), 0], "interval": 0}
    bare = {"axisLine": {"show": False}, "axisTick": {"show": False}, "splitLine": {"show": False}}
    return {
        "animation": False,
        "aria": {"enabled": True, "decal": {"show": True}},
        "title": {"text": title, "subtext": key, "subtextStyle": {"lineHeight": 15}, "top": 2, "left": 0},
        "grid": {"left": 2, "right": 2, "top": HEAD, "bottom": 2},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": {"type": "value", "min": 0, "max": 1, "show": False},
        "yAxis": {"type": "category", "data": names, "inverse": True, "axisLabel": above, "z": 5, **bare},
        "series": series,
    }
