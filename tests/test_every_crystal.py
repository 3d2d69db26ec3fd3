"""Every page and every tab, with every sample and with the crystals that are hardest to show."""

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

from cgcnn.data import samples, shelf
from cgcnn.data.structures import write_structure
from page_kit import TABS, VIEWS, opened, opened_tab

ODD = {
    "one element": lambda: samples.load_sample("diamond").structure,
    "one atom in the cell": lambda: Structure(Lattice.cubic(3.35), ["Po"], [[0, 0, 0]]),
    "an atom alone in a box of 30 Å": lambda: Structure(Lattice.cubic(30.0), ["Ar"], [[0, 0, 0]]),
    "500 atoms": lambda: samples.load_sample("SrTiO3").structure * (4, 5, 5),
}


@pytest.mark.parametrize("page", TABS)
def test_the_tabs_that_are_tested_are_the_tabs_of_the_page(app: AppTest, page: str) -> None:
    opened(app, page)
    assert [tab.label for tab in app.tabs] == TABS[page][1]


@pytest.mark.parametrize(("page", "tab"), VIEWS, ids=str)
def test_every_sample_is_shown(app: AppTest, page: str, tab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgcnn.graph.cost.MOST_EDGES", 20_000)  # the sizes beyond take a second for each crystal
    monkeypatch.setattr("cgcnn.graph.cost.TRIES", 1)  # as many as make a time precise, which nothing here looks at
    opened_tab(app, page, tab)
    for name in samples.sample_names():
        app.sidebar.selectbox(key="crystal_choice").set_value(name).run()
        assert not app.exception and not app.error, name
        assert app.title[0].value


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(("page", "tab"), VIEWS, ids=str)
def test_a_crystal_that_is_hard_to_show_is_shown_or_told_of(
    app: AppTest, page: str, tab: str, name: str, tmp_path: Path
) -> None:
    data = write_structure(ODD[name](), "poscar").encode()
    opened_tab(app, page, tab, crystal=shelf.keep(data, "POSCAR", tmp_path / "crystals"))
    assert not app.exception and app.title[0].value
    lonely = name.endswith("30 Å") and (page in ("graph", "convolution", "predict") or tab == "Bonds")
    large = name.startswith("500") and tab == "Adjacency"
    assert ["no neighbor" in error.value for error in app.error] == [True] * lonely + [False] * large
