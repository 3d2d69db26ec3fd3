"""Pages, opened and read through Streamlit's own test runner; the fixture `app` stands in conftest.py."""

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from cgcnn.runs.dispatcher import end_all
from cgcnn.runs.store import RunStore

ROOT = Path(__file__).parents[1]
TABS: dict[str, tuple[str, list[str]]] = {  # page -> the URL parameter of its lazy tabs, and their names
    "graph": (
        "graph_tab",
        ["Edges", "Quotient graph", "Adjacency", "Invariance", "Cost", "Neighbor rules", "Symmetry", "Voxels"],
    ),
    "encoding": ("encoding", ["Atoms", "Two elements", "Periodic table", "Bonds"]),
    "convolution": (
        "conv_tab",
        ["Step by step", "What if", "Attention", "Pooling", "Over-smoothing", "Code of this layer"],
    ),
    "compare": ("compare_tab", ["Runs", "Experiments", "Epoch by epoch"]),
    "transfer": ("transfer_tab", ["Table", "Curves", "Combined or single", "One network"]),
    "predict": ("predict_tab", ["Atoms", "Nearest crystals", "Many crystals", "Lessons"]),
}
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
VIEWS = [(page, tab) for page in PAGES for tab in TABS.get(page, ("", [""]))[1]]  # every page, and every tab of it


def new_app(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app with a home of its own and no worker: the pages are what is tested."""
    monkeypatch.setenv("CRYSTAL_GRAPH_LAB_HOME", str(home))
    monkeypatch.setattr("cgcnn.ui.backend.ensure_running", lambda store: None)
    monkeypatch.setattr("cgcnn.ui.predict_known.AT_ONCE", False)  # no thread outlives the test that began it
    # Every AppTest would read the metadata of all installed packages, 0.2 s, for components that none of them brings.
    monkeypatch.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)
    # AppTest forgets between runs that app.py called st.navigation, and would run a page without its frame.
    monkeypatch.setattr(script_runner, "_mpa_v1", lambda path: runpy.run_path(path, run_name="__main__"))
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    end_all(RunStore(home))


def opened(app: AppTest, page: str, **link: str) -> AppTest:
    """Open a page as a link with these parameters would."""
    app.query_params.update(link)
    app.run()
    return app if page == "crystal" else app.switch_page(f"pages/{page}.py").run()


def opened_tab(app: AppTest, page: str, tab: str, **link: str) -> AppTest:
    """Open one of VIEWS."""
    return opened(app, page, **link, **({TABS[page][0]: tab} if tab else {}))


def echarts_titles(app: AppTest) -> list[str]:
    """The titles of all ECharts pictures on the page; of one with several titles, the first."""
    titles = [json.loads(chart.proto.spec)["title"] for chart in app.get("echarts_chart")]
    return [title[0]["text"] if isinstance(title, list) else title["text"] for title in titles]


def tables(app: AppTest) -> list[Any]:
    """All tables on the page, as data frames."""
    return [frame.value for frame in app.dataframe]
