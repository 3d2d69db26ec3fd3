"""The neighbors of one atom under several rules, one above the other on a common axis of distance."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cgcnn.figures.colors import EDGE_COLOR, element_color
from cgcnn.graph.neighborhood import Group

STEPS = 80  # of the axis; neighbors nearer to each other than one step share a bar
MOST_NAMED = 4  # distances in one tip
ROW = 120  # px


def neighbors_by_rule(rules: Mapping[str, Sequence[Group]], *, center: str, cutoff: float) -> go.Figure:
    """A row of bars for each rule: how many neighbors of which element stand at which distance from `center`.

    Distances in Å, on one axis for all; each row has its own scale of counts, or few neighbors could not be seen
    beside many.
    """
    titles = [f"{rule}: {_count(groups)}" for rule, groups in rules.items()]
    figure = make_subplots(len(rules), 1, shared_xaxes=True, vertical_spacing=0.36 / len(rules), subplot_titles=titles)
    figure.update_annotations(x=0, xanchor="left", font={"size": 14})
    symbols = sorted({group.symbol for groups in rules.values() for group in groups})
    for row, (rule, groups) in enumerate(rules.items(), start=1):
        for symbol in symbols:
            figure.add_trace(_bars(rule, groups, symbol, cutoff), row=row, col=1)
    for symbol in symbols:  # an entry for every element, whichever rows it stands in
        mark = {"color": element_color(symbol), "symbol": "square", "size": 12, "line": _border()}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=symbol, marker=mark)
    figure.update_xaxes(range=[0, cutoff * 1.02], showgrid=False)
    figure.update_xaxes(title=f"Distance (Å), in steps of {cutoff / STEPS:.2g}", row=len(rules), col=1)
    figure.update_yaxes(rangemode="tozero", nticks=4, title="Neighbors", title_font_size=12)
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(
        title=f"Who counts as a neighbor of {center}?",
        barmode="stack",
        height=110 + ROW * len(rules),
        margin={"l": 0, "r": 10, "t": 70, "b": 0},
        legend={"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top", "itemclick": False},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )


def _bars(rule: str, groups: Sequence[Group], symbol: str, cutoff: float) -> go.Bar:
    step = cutoff / STEPS
    bars: dict[int, list[Group]] = {}
    for group in groups:
        if group.symbol == symbol:  # the slack keeps a distance on a step's edge in one bar for every rule
            bars.setdefault(int(group.distance / step + 1e-4), []).append(group)
    return go.Bar(
        x=[(place + 0.5) * step for place in bars],
        y=[sum(group.count for group in shared) for shared in bars.values()],
        width=step,
        customdata=[_distances(shared) for shared in bars.values()],
        marker={"color": element_color(symbol), "line": _border()},
        hovertemplate=f"{rule}: %{{y}} {symbol} at %{{customdata}}<extra></extra>",
        showlegend=False,
    )


def _distances(groups: Sequence[Group]) -> str:
    more = ", …" if len(groups) > MOST_NAMED else ""
    return ", ".join(f"{group.distance:.3f}" for group in groups[:MOST_NAMED]) + f"{more} Å"


def _border() -> dict[str, object]:
    return {"color": EDGE_COLOR, "width": 1}


def _count(groups: Sequence[Group]) -> str:
    n = sum(group.count for group in groups)
    return f"{n} neighbor{'' if n == 1 else 's'}" if n else "none"
