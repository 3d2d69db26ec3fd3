"""A scene as a page for py3Dmol: spheres and cylinders; 3Dmol reads no file and guesses no bond."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import py3Dmol

from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, label_color
from cgcnn.figures.parts import Point, Scene

MAX_STICKS = 3_000  # cylinders; each is a mesh of its own in 3Dmol; more take seconds to build
CELL_WIDTH = 0.03  # Å, radius
FAINT, GHOST = 0.25, 0.45  # opacity
DASH = 0.28  # Å
PATIENCE = 15_000  # ms before a script that has not come counts as lost
LOST = "The 3D script could not be loaded; reload the page, or use the light view, which needs none."
BLIND = "The 3D view could not start, perhaps for want of WebGL; use the light view, which needs none."

# 3Dmol fails in silence (a blank box); this says so. It stands before py3Dmol's own script.
HEAD = """<style>html, body {{ margin: 0; overflow: hidden; background: {background}; }}</style>
<p id="lost_UNIQUEID" hidden style="margin: 1rem; font: 1rem sans-serif; color: {ink};"></p>
<script>
(function () {{
  function say(text) {{
    var lost = document.getElementById("lost_UNIQUEID");
    lost.textContent = text;
    lost.hidden = false;
  }}
  window.addEventListener("error", function (e) {{
    if (e.target && e.target.tagName === "SCRIPT") say("{lost}");
  }}, true);
  window.addEventListener("unhandledrejection", function () {{ say("{blind}"); }});
  setTimeout(function () {{ if (!window.$3Dmol) say("{lost}"); }}, {ms});
}})();
</script>
"""


def molview_html(scene: Scene, script_url: str, height: int, background: str) -> str:
    """A page, `height` pixels high, that shows the scene by py3Dmol with the script at the path `script_url`.

    The same scene gives the same page, letter for letter, so that a rerun does not reload it. Only
    numbers, colors and element symbols go in.
    """
    if not re.fullmatch(r"/[\w./-]+", script_url) or script_url.startswith("//"):
        raise CrystalError(f"The 3D script's address is {script_url!r}; it must be a path on this server.")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", background):
        raise CrystalError(f"The background is {background!r}; it must be a color such as #ffffff.")
    wide: Any = "100%"  # py3Dmol takes CSS lengths too
    view = py3Dmol.view(width=wide, height=int(height), js=script_url)
    view.setBackgroundColor(background)
    places = _turned(scene, [atom.xyz for atom in scene.atoms])
    _add_atoms(view, scene, places)
    _add_edges(view, scene, places)
    _add_cell(view, scene)
    view.zoomTo()
    view.zoom(1.15)
    # py3Dmol's own comments cite a web page; leave no outside address in what we serve.
    body = re.sub(r"(?m)^\s*//.*\n", "", view.startjs + view.endjs)
    head = HEAD.format(background=background, ink=label_color(background), lost=LOST, blind=BLIND, ms=PATIENCE)
    page = head + body
    return page.replace("UNIQUEID", hashlib.sha256(page.encode()).hexdigest()[:16])


def first_view(scene: Scene) -> np.ndarray:
    """The canvas's first view as a rotation; its rows are right, up and towards the eye."""
    a, _, c = (np.array(axis) / np.linalg.norm(axis) for axis in scene.axes)
    right = np.cross(c, a) / np.linalg.norm(np.cross(c, a))
    upright = np.array([right, np.cross(a, right), a])
    (s, t), (u, v) = (np.sin([0.26, -0.42]), np.cos([0.26, -0.42]))
    tilt = np.array([[1, 0, 0], [0, u, -s], [0, s, u]])
    return tilt @ np.array([[v, 0, t], [0, 1, 0], [-t, 0, v]]) @ upright


def _turned(scene: Scene, points: list[Point]) -> list[Point]:
    turned = (np.array(points) - scene.center) @ first_view(scene).T
    return [(x, y, z) for x, y, z in turned.round(4).tolist()]


def _add_atoms(view: py3Dmol.view, scene: Scene, places: list[Point]) -> None:
    """One model for each opacity, since 3Dmol keeps one for a whole model; a style for each color and size."""
    by_opacity: dict[float, list[int]] = defaultdict(list)
    for n, atom in enumerate(scene.atoms):
        by_opacity[GHOST if atom.ghost else FAINT if atom.faint else 1.0].append(n)
    for model, (opacity, members) in enumerate(by_opacity.items()):
        rows = [f"{scene.atoms[n].symbol} {' '.join(map(str, places[n]))}" for n in members]
        view.addModel("\n".join([str(len(rows)), "", *rows]), "xyz", {"assignBonds": False})
        styles: dict[tuple[str, float], list[int]] = defaultdict(list)
        for serial, n in enumerate(members):  # xyz gives no other number
            styles[scene.atoms[n].color, scene.atoms[n].radius].append(serial)
        for (color, radius), serials in styles.items():
            sphere = {"color": color, "radius": round(radius, 3), "opacity": opacity}
            view.setStyle({"model": model, "serial": serials}, {"sphere": sphere})
    for atom, place in zip(scene.atoms, places, strict=True):
        if atom.chosen:
            _add_halo(view, place, atom.radius)


def _add_halo(view: py3Dmol.view, place: Point, radius: float) -> None:
    sphere = {
        "center": _xyz(place),
        "radius": round(1.35 * radius, 3),
        "color": SHELL_COLORS[4],
        "opacity": 0.4,
    }
    view.addSphere(sphere)


def _add_edges(view: py3Dmol.view, scene: Scene, places: list[Point]) -> None:
    if 2 * len(scene.edges) > MAX_STICKS:
        return
    for edge in scene.edges:
        a, b = np.array(places[edge.start]), np.array(places[edge.end])
        opacity = FAINT if edge.faint else 1.0
        if edge.crosses:
            for p, q in _dashes(a, b):
                _add_cylinder(view, p, q, edge.width / 2, edge.colors[0], opacity)
        elif edge.colors[0] == edge.colors[1]:
            _add_cylinder(view, a, b, edge.width / 2, edge.colors[0], opacity)
        else:
            _add_cylinder(view, a, (a + b) / 2, edge.width / 2, edge.colors[0], opacity)
            _add_cylinder(view, (a + b) / 2, b, edge.width / 2, edge.colors[1], opacity)


def _add_cell(view: py3Dmol.view, scene: Scene) -> None:
    ends = _turned(scene, [p for line in scene.cell for p in (line.a, line.b)])
    for n, line in enumerate(scene.cell):
        radius = CELL_WIDTH if line.strong else CELL_WIDTH / 2
        _add_cylinder(view, np.array(ends[2 * n]), np.array(ends[2 * n + 1]), radius, EDGE_COLOR, 1.0)


def _add_cylinder(view: py3Dmol.view, a: np.ndarray, b: np.ndarray, radius: float, color: str, opacity: float) -> None:
    ends = {"start": _xyz(a.tolist()), "end": _xyz(b.tolist())}
    view.addCylinder({**ends, "radius": radius, "color": color, "opacity": opacity, "fromCap": 1, "toCap": 1})


def _dashes(a: np.ndarray, b: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    count = max(1, round(float(np.linalg.norm(b - a)) / (2 * DASH)))
    stops = np.linspace(0, 1, 2 * count + 1)[:, None]
    points = a + stops * (b - a)
    return [(points[n], points[n + 1]) for n in range(0, 2 * count, 2)]


def _xyz(place: Sequence[float]) -> dict[str, float]:
    return {axis: round(value, 4) for axis, value in zip("xyz", place, strict=True)}
