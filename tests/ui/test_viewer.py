"""What the viewer sends is small and plain; what it is sent is checked; what is missing is said."""

import json
import os
from pathlib import Path

import pytest
from pymatgen.core import Structure
from streamlit.testing.v1 import AppTest

from cgcnn.figures.scene import crystal_scene, graph_scene
from cgcnn.graph import build_graph
from cgcnn.ui import molscript, viewer
from cgcnn.ui.molscript import ensure_3dmol
from cgcnn.ui.viewer import CHOSEN, GHOST, _checked, payload

DRAW = (Path(viewer.__file__).parent / "viewer_draw.js").read_text(encoding="utf-8")


def script() -> None:
    from pymatgen.core import Lattice, Structure

    from cgcnn.figures.scene import crystal_scene
    from cgcnn.ui.viewer import crystal_view, studio_view

    scene = crystal_scene(Structure(Lattice.cubic(4.123), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
    assert crystal_view(scene, "light", selected=1) is None
    studio_view(scene, "studio")


def test_the_payload_of_27_cells_is_plain_and_small(rock_salt: Structure) -> None:
    scene = crystal_scene(rock_salt, supercell=3)
    text = json.dumps(payload(scene, 0, 460), allow_nan=False)
    assert len(text) < 120_000  # 343 atoms and 882 sticks


def test_rows_have_the_columns_that_the_script_reads(rock_salt: Structure) -> None:
    sent = payload(crystal_scene(rock_salt), 0, 460)
    assert "const ATOM = { xyz: 0, radius: 1, color: 2, label: 3, tip: 4, site: 5, flags: 6 };" in DRAW
    assert "const EDGE = { start: 0, end: 1, colors: 2, width: 3, tip: 4, flags: 5 };" in DRAW
    assert "const GHOST = 1, FAINT = 2, CHOSEN = 4, CROSSES = 1;" in DRAW
    assert {len(row) for row in sent["atoms"]} == {7} and {len(row) for row in sent["edges"]} == {6}
    assert sent["atoms"][0][3:6] == ["Na 1", "Na 1 at (0.000, 0.000, 0.000)", 0]


def test_the_selected_atom_is_ringed_wherever_it_is_repeated_but_no_ghost_is(rock_salt: Structure) -> None:
    assert sum(bool(row[6] & CHOSEN) for row in payload(crystal_scene(rock_salt), 0, 460)["atoms"]) == 8
    rows = payload(graph_scene(rock_salt, build_graph(rock_salt), 0), 0, 460)["atoms"]
    assert [row[5] for row in rows if row[6] & CHOSEN] == [0]
    assert not any(row[6] & CHOSEN and row[6] & GHOST for row in rows)


@pytest.mark.parametrize(("picked", "site"), [(3, 3), (8, None), (-1, None), ("3", None), (True, None), (None, None)])
def test_only_an_atom_that_is_drawn_can_be_picked(rock_salt: Structure, picked: object, site: int | None) -> None:
    assert _checked(picked, crystal_scene(rock_salt)) == site


def test_text_goes_into_the_page_as_text() -> None:
    scripts = [(Path(viewer.__file__).parent / name).read_text(encoding="utf-8") for name in viewer.SCRIPTS]
    assert not any(word in text for text in scripts for word in ("innerHTML", "insertAdjacent", "addEventListener"))


def test_a_page_shows_both_views(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(viewer, "STATIC", tmp_path)
    monkeypatch.setattr(viewer, "ensure_3dmol", lambda static: "/app/static/vendor/x.js")
    monkeypatch.setenv("STREAMLIT_SERVER_ENABLE_STATIC_SERVING", "true")
    app = AppTest.from_function(script, default_timeout=20).run()
    assert not app.exception
    sent = json.loads(app.get("bidi_component")[0].proto.json)
    assert sent["selected"] == 1 and "CsCl, 2 atoms in the cell" in sent["summary"]


def test_a_missing_script_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "ensure_3dmol", lambda static: None)
    app = AppTest.from_function(script, default_timeout=20).run()
    assert "chemiscope" in app.info[0].value and not app.exception


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = tmp_path / "chemiscope.min.js"
    source.write_text("window.$3Dmol = {};")
    monkeypatch.setattr(molscript, "_shipped", lambda: (source, "9.9.9"))
    return source


def test_the_script_is_copied_once_and_served_by_its_version(bundle: Path, tmp_path: Path) -> None:
    assert ensure_3dmol(tmp_path) == "/app/static/vendor/chemiscope-9.9.9.min.js"
    copy = tmp_path / "vendor" / "chemiscope-9.9.9.min.js"
    assert copy.read_text() == bundle.read_text() and os.listdir(copy.parent) == [copy.name]
    before = copy.stat().st_mtime_ns
    ensure_3dmol(tmp_path)
    assert copy.stat().st_mtime_ns == before


def test_a_torn_copy_is_replaced(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "vendor" / "chemiscope-9.9.9.min.js"
    copy.parent.mkdir()
    copy.write_text("wind")
    ensure_3dmol(tmp_path)
    assert copy.read_text() == bundle.read_text()


def test_no_script_means_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(molscript, "PACKAGE", "no-such-package")
    assert ensure_3dmol(tmp_path) is None
    assert os.listdir(tmp_path) == []


def test_a_disk_that_takes_no_file_means_none(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "vendor").write_text("in the way")
    assert ensure_3dmol(tmp_path) is None


def test_the_installed_bundle_sets_3dmol() -> None:
    shipped = molscript._shipped()
    if shipped is None:
        pytest.skip("needs the package chemiscope")
    assert "$3Dmol" in shipped[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(("picked", "edge"), [(0, 0), (11, 11), (10_000, None), (-1, None), ("1", None), (True, None)])
def test_only_an_edge_that_is_drawn_can_be_picked(rock_salt: Structure, picked: object, edge: int | None) -> None:
    assert viewer._checked_edge(picked, graph_scene(rock_salt, build_graph(rock_salt), 0)) == edge
