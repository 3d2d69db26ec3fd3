"""What each atom does to an answer, as colors: on the crystal in 3D, and along an axis by group of atoms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor, log10

import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from pymatgen.core import Structure

from cgcnn.data.crystal import site_label
from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS
from cgcnn.figures.parts import Atom, Edge, Entry, Scene
from cgcnn.figures.scene import crystal_scene

SCALE = "Viridis"  # in order of lightness, so that color-blind eyes can follow it
DIGITS = 3  # after the point
STOPS = 5  # colors in the legend of the 3D picture
LABELS_UP_TO = 150  # atoms; beyond it names cover the spheres
EQUAL = 1e-6  # of the largest value; atoms that differ by less share one color


def contribution_scene(
    structure: Structure,
    values: Sequence[float],
    *,
    label: str,
    unit: str,
    digits: int = DIGITS,
    selected: int | None = None,
) -> Scene:
    """The crystal with each atom in the color of its value (`label`, in `unit`); the legend says which is which."""
    if len(values) != len(structure):
        raise CrystalError(f"There are {len(values)} values for {len(structure)} atoms; give one for each atom.")
    scene = crystal_scene(structure, selected=selected, labels=len(structure) <= LABELS_UP_TO)
    colors = value_colors(values)
    low, high = min(values), max(values)
    digits = digits_between(low, high, digits)  # one number of them for the whole picture

    def colored(atom: Atom) -> Atom:
        tip = f"{site_label(structure, atom.site)}: {number(values[atom.site], digits)} {unit}".rstrip()
        return replace(atom, color=colors[atom.site], tip=tip)

    def gray(edge: Edge) -> Edge:
        return replace(edge, colors=(EDGE_COLOR, EDGE_COLOR))

    span = f"{label} from {number(low, digits)} to {number(high, digits)} {unit}".rstrip()
    return replace(
        scene,
        atoms=tuple(colored(atom) for atom in scene.atoms),
        edges=tuple(gray(edge) for edge in scene.edges),
        legend=_legend(low, high, label, unit, digits),
        summary=f"{scene.summary} Atoms are colored by value: {span}.",
    )


def value_colors(values: Sequence[float]) -> list[str]:
    """A color `#rrggbb` for each value, dark for the least and bright for the greatest; one color if all are equal."""
    low, high = _span(values)
    places = [min(1.0, max(0.0, (value - low) / (high - low))) for value in values]  # rounding may step over an end
    return [_hex(color) for color in sample_colorscale(SCALE, places)]


def contribution_strip(
    groups: Mapping[str, Sequence[tuple[str, float]]],
    *,
    title: str,
    axis: str,
    unit: str,
    digits: int = DIGITS,
    marks: Mapping[str, float] | None = None,
) -> go.Figure:
    """A dot for each atom (name, value in `unit`) in the row of its group; `marks` are named vertical lines."""
    if not any(groups.values()):
        raise CrystalError("There is no atom to draw; choose a crystal.")
    dots = [(group, name, value) for group, atoms in groups.items() for name, value in atoms]
    low, high = _span([value for _, _, value in dots])
    ends = _span([value for _, _, value in dots] + [*(marks or {}).values()])
    tip = f"<b>%{{text}}</b> (%{{y}})<br>%{{x:.{digits_between(low, high, digits) + 1}f}} {unit}<extra></extra>"
    marker = {"color": [v for _, _, v in dots], "colorscale": SCALE, "cmin": low, "cmax": high, "size": 13}
    marker |= {"line": {"width": 1, "color": EDGE_COLOR}, "showscale": True, "colorbar": _bar(unit)}
    columns = {"x": [v for _, _, v in dots], "y": [g for g, _, _ in dots], "text": [n for _, n, _ in dots]}
    figure = go.Figure(go.Scatter(columns, mode="markers", marker=marker, hovertemplate=tip, showlegend=False))
    for (name, at), color, dash in zip((marks or {}).items(), SHELL_COLORS[1::2], ("solid", "dash"), strict=False):
        words = f"{name} {number(at, digits)} {unit}".rstrip()
        line = {"color": color, "width": 2, "dash": dash}
        upright = {"x": [at, at], "y": [0, 1], "yaxis": "y2"}
        figure.add_scatter(**upright, mode="lines", name=words, line=line, hoverinfo="name")
    room = 0.06 * (ends[1] - ends[0])
    figure.update_xaxes(title=axis, range=[ends[0] - room, ends[1] + room])
    return _laid_out(figure, title, len(groups))


def number(value: float, digits: int = DIGITS) -> str:
    """A value with so many digits after the point, and a true minus sign unless all digits are zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def digits_between(low: float, high: float, least: int = DIGITS) -> int:
    """How many digits after the point tell the colors of a legend apart: two of a step, and `least` at least."""
    step = (high - low) / (STOPS - 1)
    return least if _alike(low, high) else min(max(least, 1 - floor(log10(step))), 12)


def _laid_out(figure: go.Figure, title: str, n_groups: int) -> go.Figure:
    clear = "rgba(0, 0, 0, 0)"
    figure.update_yaxes(title=None, autorange="reversed", type="category", showgrid=True)
    figure.update_layout(
        title=title,
        height=230 + 30 * n_groups,
        margin={"l": 8, "r": 8, "t": 105, "b": 50},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )
    return figure


def _bar(unit: str) -> dict[str, object]:
    return {"title": {"text": unit or "value"}, "thickness": 10, "outlinewidth": 0, "nticks": 5}


def _legend(low: float, high: float, label: str, unit: str, digits: int) -> tuple[Entry, ...]:
    """The color bar as rows of a legend: the label with its unit first, then colors at even steps."""
    if _alike(low, high):
        return (Entry(value_colors([low])[0], f"{label}: {number(low, digits)} {unit}".rstrip()),)
    steps = [low + n * (high - low) / (STOPS - 1) for n in range(STOPS)]
    texts = [number(step, digits) for step in steps]
    texts[0], texts[-1] = f"{label}: {texts[0]}", f"{texts[-1]} {unit}".rstrip()
    return tuple(Entry(color, text) for color, text in zip(value_colors(steps), texts, strict=True))


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Least and greatest value; a little room around equal ones, so that they stand in the middle of the scale."""
    low, high = min(values), max(values)
    return (low - 0.5, low + 0.5) if _alike(low, high) else (low, high)


def _alike(low: float, high: float) -> bool:
    return high - low <= EQUAL * max(abs(low), abs(high), 1.0)


def _hex(rgb: str) -> str:
    """`rgb(68, 1, 84)` as `#440154`."""
    channels = [round(float(part)) for part in rgb[4:-1].split(",")]
    return "#{:02x}{:02x}{:02x}".format(*channels)
