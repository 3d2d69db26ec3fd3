"""Two ways to show a scene: a light canvas that answers clicks and needs no WebGL, and py3Dmol."""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from cgcnn.figures.parts import Atom, Edge, Scene
from cgcnn.ui.molscript import ensure_3dmol

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "static"  # beside app.py; Streamlit serves it as /app/static
SCRIPTS = (
    "viewer_math.js",
    "viewer_colors.js",
    "viewer_draw.js",
    "viewer_save.js",
    "viewer_hands.js",
    "viewer.js",
)
PAGE_COLORS = {"light": "#ffffff", "dark": "#171614"}  # Streamlit's own, where the theme sets none
GHOST, FAINT, CHOSEN = 1, 2, 4  # flags of an atom; viewer_draw.js reads them
CROSSES = 1  # flag of an edge; FAINT is shared

_canvas = component(
    "crystal_view",
    html=(HERE / "viewer.html").read_text(encoding="utf-8"),
    css=(HERE / "viewer.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
)


@dataclass(frozen=True)
class Picked:
    """What was clicked just now: the site of an atom, or the place of an edge in `Scene.edges`."""

    site: int | None = None
    edge: int | None = None


def crystal_view(scene: Scene, key: str, selected: int | None = None, height: int = 460) -> int | None:
    """Show a scene on a canvas of `height` pixels; the site that was clicked just now, or None.

    The answer lasts one rerun: keep it in the session state. `selected` rings an atom, else the scene's own.
    """
    return _shown(scene, key, selected, height, edges_answer=False).site


def edge_view(scene: Scene, key: str, selected: int | None = None, height: int = 460) -> Picked:
    """The same picture, in which a click on an edge counts too."""
    return _shown(scene, key, selected, height, edges_answer=True)


def _shown(scene: Scene, key: str, selected: int | None, height: int, edges_answer: bool) -> Picked:
    data = payload(scene, scene.selected if selected is None else selected, height) | {"edges_answer": edges_answer}
    result = _canvas(key=key, data=data, on_picked_change=lambda: None, on_picked_edge_change=lambda: None)
    return Picked(_checked(result.picked, scene), _checked_edge(result.picked_edge, scene))


def payload(scene: Scene, selected: int | None, height: int) -> dict[str, Any]:
    """What the canvas is sent: rows of plain values, to 0.001 Å; viewer_draw.js names their columns."""
    return {
        "subject": scene.subject,
        "summary": scene.summary,
        "note": scene.note,
        "legend": [{"color": e.color, "text": e.text, "shape": e.shape} for e in scene.legend],
        "atoms": [_atom_row(atom, selected) for atom in scene.atoms],
        "edges": [_edge_row(edge) for edge in scene.edges],
        "cell": [[_rounded(line.a), _rounded(line.b), line.strong] for line in scene.cell],
        "axes": [_rounded(axis) for axis in scene.axes],
        "center": _rounded(scene.center),
        "radius": round(scene.radius, 3),
        "selected": selected,
        "height": height,
    }


def studio_view(scene: Scene, key: str, height: int = 460) -> None:
    """Show a scene by py3Dmol (WebGL), described for screen readers; say so where its script is missing."""
    from cgcnn.figures.molview import molview_html  # py3Dmol brings IPython, which the light view can do without

    script = ensure_3dmol(STATIC)
    if script is None:
        st.info("The studio view needs the package chemiscope; install it, or use the light view.")
        return
    if not st.get_option("server.enableStaticServing"):
        st.info("The studio view needs static files; set server.enableStaticServing, or use the light view.")
        return
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    html = molview_html(scene, f"/{base}{script}" if base else script, height, _page_color())
    with st.container(key=key):
        st.html(" ".join(f"<span style='color:{e.color}'>●</span> {escape(e.text)}" for e in scene.legend))
        st.iframe(html, height=height, alt=scene.summary)
        if scene.note:
            st.markdown(scene.note)


def _page_color() -> str:
    kind = st.context.theme.type or "light"
    color = st.get_option(f"theme.{kind}.backgroundColor") or st.get_option("theme.backgroundColor") or ""
    return color if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else PAGE_COLORS[kind]


def _rounded(xyz: tuple[float, float, float]) -> list[float]:
    return [round(x, 3) for x in xyz]


def _atom_row(atom: Atom, selected: int | None) -> list[Any]:
    chosen = atom.site == selected and not atom.ghost
    flags = GHOST * atom.ghost + FAINT * atom.faint + CHOSEN * chosen
    return [
        _rounded(atom.xyz),
        round(atom.radius, 3),
        atom.color,
        atom.label,
        atom.tip,
        atom.site,
        flags,
    ]


def _edge_row(edge: Edge) -> list[Any]:
    return [
        edge.start,
        edge.end,
        edge.colors,
        edge.width,
        edge.tip,
        CROSSES * edge.crosses + FAINT * edge.faint,
    ]


def _checked(picked: Any, scene: Scene) -> int | None:
    """A browser may send anything; only the site of an atom that is drawn counts."""
    known = type(picked) is int and any(atom.site == picked for atom in scene.atoms)
    return picked if known else None


def _checked_edge(picked: Any, scene: Scene) -> int | None:
    return picked if type(picked) is int and 0 <= picked < len(scene.edges) else None
