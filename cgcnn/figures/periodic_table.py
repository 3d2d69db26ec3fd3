"""The periodic table as a map: one value for each element, by color."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sequential

from cgcnn.errors import CrystalError
from cgcnn.figures.colors import SHELL_COLORS

TABLE = """
H  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  He
Li Be .  .  .  .  .  .  .  .  .  .  B  C  N  O  F  Ne
Na Mg .  .  .  .  .  .  .  .  .  .  Al Si P  S  Cl Ar
K  Ca Sc Ti V  Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y  Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I  Xe
Cs Ba .  Hf Ta W  Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn
Fr Ra .  Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
.  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
.  .  La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu .
.  .  Ac Th Pa U  Np Pu Am Cm Bk Cf Es Fm Md No Lr .
"""
ROWS = [line.split() for line in TABLE.split("\n")[1:-1]]
SYMBOLS = [symbol for row in ROWS for symbol in row if symbol != "."]
X_EDGES = list(range(19))
Y_EDGES = [0, 1, 2, 3, 4, 5, 6, 7, 7.4, 8.4, 9.4]  # the row of dots is a gap
SEAM = "rgba(128, 128, 128, 0.7)"  # between cells
DARK_TEXT_FROM = 0.45  # of the color range: there black and white read equally well on Viridis
CHOSEN_COLOR = SHELL_COLORS[1]  # the frame of the chosen element; stands out from all of Viridis
FEW = 3  # crystals; a value of fewer tells more of these crystals than of the element, and is marked
MOST_VALUES = 97  # % of the values on the scale of colors; one beyond must not take the whole of it
EMPTY = "rgba(128, 128, 128, 0.13)"  # a cell without a value, on white and on black alike


def periodic_table(
    values: Mapping[str, float],
    *,
    title: str,
    unit: str,
    counts: Mapping[str, int] | None = None,
    log: bool = False,
) -> go.Figure:
    """Color each element by its value; the others stay gray.

    `counts` say over how many crystals each value is a mean: they are shown on hovering, elements with less than FEW
    carry a *, and the scale of colors ends where all but the largest values do. With `log` the color follows the
    logarithm, so that rare elements can be told apart.
    """
    _check(values, log)
    shown = {symbol: log10(value) if log else value for symbol, value in values.items()}
    tips = {symbol: _tip(value, unit, (counts or {}).get(symbol)) for symbol, value in values.items()}
    low, high = _span(shown.values(), log)
    high = scale_end(list(shown.values())) if counts and low == 0 and high > 0 else high
    bright = {symbol for symbol, value in shown.items() if value - low >= DARK_TEXT_FROM * (high - low)}
    missing = {symbol: 0.0 for symbol in SYMBOLS if symbol not in values}
    figure = go.Figure(_cells(missing, {}, "#808080"))
    figure.data[0].update(colorscale=[EMPTY, EMPTY], showscale=False)
    for names, text_color in ((shown.keys() - bright, "#ffffff"), (bright, "#000000")):
        layer = _cells({name: shown[name] for name in names}, tips, text_color)
        figure.add_trace(layer.update(coloraxis="coloraxis"))
    axis: dict[str, Any] = {"colorscale": "Viridis", "cmin": low, "cmax": high, "colorbar": _colorbar(unit)}
    axis["colorbar"] |= _decades(low, high) if log else clipped_ticks(low, high, shown.values())
    figure.update_layout(coloraxis=axis)
    _lay_out(figure, title)
    _mark_few(figure, counts or {})
    return figure


def scale_end(values: Sequence[float]) -> float:
    """Where a scale of colors from zero ends: at the largest value, unless a few lie far beyond all others."""
    known = sorted(values)
    usual = known[(len(known) - 1) * MOST_VALUES // 100]
    return float(f"{usual:.2g}") if known[-1] > 1.3 * usual > 0 else known[-1]


def clipped_ticks(low: float, high: float, values: Iterable[float]) -> dict[str, Any]:
    """Ticks of a scale that values go beyond: ≤ and ≥ stand at its ends; none of our own if no value does."""
    known = [*values] or [0.0]
    under, over = min(known) < low, max(known) > high
    words = [f"{'≤ ' if under else ''}{low:.2g}", f"{(low + high) / 2:.2g}", f"{'≥ ' if over else ''}{high:.2g}"]
    return {"tickvals": [low, (low + high) / 2, high], "ticktext": words} if under or over else {}


def _mark_few(figure: go.Figure, counts: Mapping[str, int]) -> None:
    few = {symbol for symbol, n in counts.items() if n < FEW}
    if not few:
        return
    for layer in figure.data[1:]:
        layer.text = [[f"{symbol}*" if symbol in few else symbol for symbol in row] for row in layer.text]
    figure.update_layout(title_subtitle_text=f"* fewer than {FEW} crystals", margin_t=56, height=366)


def clickable_table(
    values: Mapping[str, float], *, title: str, unit: str, chosen: str, no_value: str = "no value"
) -> dict[str, Any]:
    """The same map as an ECharts option, whose cells answer to clicks and taps; `picked_element` reads them.

    The element `chosen` is framed; an element without a value is gray, and its hover text is `no_value`.
    """
    _check(values, log=False)
    low, high = _span(values.values(), log=False)
    bright = low + DARK_TEXT_FROM * (high - low)
    places = [(x, y, symbol) for y, row in enumerate(ROWS) for x, symbol in enumerate(row) if symbol != "."]
    known = [_known_cell(x, y, s, values[s], values[s] >= bright, s == chosen) for x, y, s in places if s in values]
    for cell in known:
        cell["tooltip"] = {"formatter": f"<b>{cell['name']}</b>: {_words(cell['value'][2], unit)}"}
    known.sort(key=lambda cell: cell["name"] == chosen)  # drawn last, its frame lies above the others
    unknown = [_unknown_cell(x, y, symbol, low, no_value) for x, y, symbol in places if symbol not in values]
    label = {"show": True, "formatter": "{b}", "fontSize": 11}
    series = {
        "type": "heatmap",
        "selectedMode": "multiple",
        "cursor": "pointer",
        "label": label,
        "data": known + unknown,
    }
    axis = {"type": "category", "show": False}
    scale = {"type": "continuous", "min": low, "max": high, "inRange": {"color": list(sequential.Viridis)}}
    scale |= {"orient": "horizontal", "left": "24%", "top": 40, "itemHeight": 120, "itemWidth": 9, "calculable": False}
    return {
        "animation": False,
        "title": {"text": title, "top": 4, "left": 0},
        "grid": {"left": 0, "right": 0, "top": 34, "bottom": 2},
        "tooltip": {"trigger": "item", "confine": True},
        "visualMap": scale | {"text": [f"{high:g} {unit}", f"{low:g}"]},
        "xAxis": axis | {"data": [str(group) for group in range(1, 19)]},
        "yAxis": axis | {"data": [str(row) for row in range(len(ROWS))], "inverse": True},
        "series": [series],
    }


def picked_element(option: Mapping[str, Any], picked: int) -> str | None:
    """The symbol of cell `picked` of a clickable table; None where it has no value."""
    cells = option["series"][0]["data"]
    known = 0 <= picked < len(cells) and cells[picked].get("visualMap", True)
    return cells[picked]["name"] if known else None


def _known_cell(x: int, y: int, symbol: str, value: float, bright: bool, chosen: bool) -> dict[str, Any]:
    border = {"borderColor": CHOSEN_COLOR, "borderWidth": 4} if chosen else {"borderColor": SEAM, "borderWidth": 1}
    return {
        "name": symbol,
        "value": [x, y, value],
        "itemStyle": border,
        "select": {"itemStyle": border},  # the chart remembers every click; only the chosen element is framed
        "label": {"color": "#000000" if bright else "#ffffff"},
    }


def _unknown_cell(x: int, y: int, symbol: str, low: float, no_value: str) -> dict[str, Any]:
    """A gray cell; it carries a number all the same, for without one it would not be drawn."""
    style = {"color": EMPTY, "borderColor": SEAM, "borderWidth": 1}
    return {
        "name": symbol,
        "value": [x, y, low],
        "visualMap": False,
        "itemStyle": style,
        "select": {"itemStyle": style},
        "label": {"color": "#808080"},
        "tooltip": {"formatter": f"<b>{symbol}</b>: {no_value}"},
    }


def _cells(values: Mapping[str, float], tips: Mapping[str, str], text_color: str) -> go.Heatmap:
    return go.Heatmap(
        x=X_EDGES,
        y=Y_EDGES,
        z=[[values.get(symbol) for symbol in row] for row in ROWS],
        text=[[symbol if symbol in values else "" for symbol in row] for row in ROWS],
        customdata=[[tips.get(symbol, "no value") for symbol in row] for row in ROWS],
        texttemplate="%{text}",  # without a size, the text shrinks with the cells
        textfont={"color": text_color},
        hovertemplate="<b>%{text}</b>: %{customdata}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )


def _tip(value: float, unit: str, count: int | None) -> str:
    words = _words(value, unit)
    return words if count is None else f"{words} ({_words(count, 'crystals')})"


def _words(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
    return f"{number} {'crystal' if unit == 'crystals' and value == 1 else unit}".rstrip()


def _check(values: Mapping[str, float], log: bool) -> None:
    if unknown := [symbol for symbol in values if symbol not in SYMBOLS]:
        raise CrystalError(f"{unknown[0]!r} is no element of the periodic table; use symbols such as Na.")
    if log and (low := [symbol for symbol, value in values.items() if value <= 0]):
        raise CrystalError(
            f"The value of {low[0]} is {values[low[0]]:g}, which has no logarithm; draw it on a linear scale."
        )


def _colorbar(unit: str) -> dict:
    """Horizontal, in the free room above the transition metals, so that it costs the table no width."""
    return {
        "orientation": "h",
        "title": {"text": unit, "side": "top"},
        "x": 7 / 18,
        "len": 9 / 18,
        "y": 0.995,
        "yanchor": "top",
        "thickness": 8,
        "nticks": 5,
        "outlinewidth": 0,
    }


def _span(shown: Iterable[float], log: bool) -> tuple[float, float]:
    """The range of colors: from zero, or of logarithms from the least; never empty."""
    known = [*shown] or [0.0]
    low = min(known) if log else min(0.0, *known)
    return low, max(known) if max(known) > low else low + 1


def _decades(low: float, high: float) -> dict:
    """Ticks at 1, 10, 100, ... when colors follow logarithms; at both ends where no two decades are in reach."""
    ticks: list[float] = list(range(ceil(low), floor(high) + 1))
    ticks = ticks if len(ticks) > 1 else [low, high]
    return {"tickvals": ticks, "ticktext": [f"{10.0**tick:,.4g}" for tick in ticks]}


def _lay_out(figure: go.Figure, title: str) -> None:
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**hidden, range=[X_EDGES[0], X_EDGES[-1]])
    figure.update_yaxes(**hidden, range=[Y_EDGES[-1], Y_EDGES[0]])
    figure.update_layout(
        title=title,
        height=350,
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
