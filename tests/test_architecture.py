"""The law of imports: the order of the lecture."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ["config", "errors", "data", "graph", "nn", "models", "training", "explain", "runs"]
MAY_IMPORT = {room: CORE[: i + 1] for i, room in enumerate(CORE)}
MAY_IMPORT["errors"] = []
MAY_IMPORT["config"] = ["errors"]
MAY_IMPORT["figures"] = ["config", "errors", "data", "graph", "figures"]
MAY_IMPORT["ui"] = [*CORE, "figures", "ui"]
MAY_IMPORT["__main__"] = CORE
NEVER = {
    "data": {"torch", "streamlit"},
    "nn": {"pymatgen"},
    "training": {"plotly", "streamlit", "pathlib"},
    "explain": {"plotly"},
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "cgcnn":
            found |= {f"cgcnn.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "cgcnn").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_rooms_before_it(path: Path) -> None:
    room = path.relative_to(ROOT / "cgcnn").parts[0].removesuffix(".py")
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "cgcnn" and rest:
            assert rest.split(".")[0] in MAY_IMPORT.get(room, []), f"{room} must not import {name}"
        assert top not in NEVER.get(room, set()), f"{room} must not import {name}"
        assert room == "ui" or top != "streamlit", f"only ui may import streamlit, not {room}"


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda p: p.name)
def test_a_page_holds_widgets_and_calls(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= {"cgcnn", "streamlit"}, "move what needs more into cgcnn"
    assert len(path.read_text().splitlines()) <= 90, "a page is a screen; move what it works out into cgcnn"


def test_models_never_import_each_other() -> None:
    models = {path.stem for path in (ROOT / "cgcnn/models").glob("*.py")} - {"__init__", "published"}
    for path in (ROOT / "cgcnn/models").glob("*.py"):
        if path.stem in models:
            others = {f"cgcnn.models.{m}" for m in models - {path.stem}}
            assert not imports(path) & others


def test_importing_the_library_does_not_import_streamlit() -> None:
    code = "import sys, cgcnn, cgcnn.runs.worker, cgcnn.models; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
