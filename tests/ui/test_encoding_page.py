"""The Encoding page, used through Streamlit's own test runner."""

from typing import Any

import pytest
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

import page_kit
from cgcnn.data.samples import sample_names
from cgcnn.figures.bonds import Gaussians
from cgcnn.ui.current import Current
from cgcnn.ui.encoding_bonds import largest
from cgcnn.ui.prose import prose
from page_kit import echarts_titles

BEYOND = "Atomic number 101 is not among the 100 elements (H to Fm) that the encoding knows; replace that element."
TABS = ["Atoms", "Two elements", "Periodic table", "Bonds"]


def opened(app: AppTest, tab: str = "Atoms", **link: str) -> AppTest:
    return page_kit.opened(app, "encoding", encoding=tab, **link)


def info(app: AppTest) -> list[str]:
    return [element.value for element in app.info]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_without_a_mistake(app: AppTest, tab: str) -> None:
    opened(app, tab)
    assert not app.exception and not app.error
    assert app.get("echarts_chart") or app.get("plotly_chart")


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_shows_all_its_species(app: AppTest, name: str) -> None:
    opened(app, crystal=name)
    assert not app.exception and not app.error
    assert echarts_titles(app) and all("of 92 bits are 1" in title for title in echarts_titles(app))


def test_the_element_follows_the_selected_atom_until_one_is_chosen(app: AppTest) -> None:
    opened(app)
    assert app.selectbox(key="element_choice").value == "Na"
    app.sidebar.selectbox(key="atom_choice").set_value(4).run()
    assert app.selectbox(key="element_choice").value == "Cl"
    app.selectbox(key="element_choice").set_value("La").run()
    assert echarts_titles(app)[-1].startswith("La:") and "exactly the bits of Ce" in app.warning[0].value


def test_another_crystal_forgets_the_chosen_element(app: AppTest) -> None:
    opened(app)
    app.selectbox(key="element_choice").set_value("La").run()
    app.sidebar.selectbox(key="crystal_choice").set_value("Si").run()
    assert app.selectbox(key="element_choice").value == "Si"


def test_a_link_opens_its_elements_and_bit(app: AppTest) -> None:
    opened(app, "Two elements", element="He", against="Mg", bit="70", crystal="Si")
    assert [app.selectbox(key=f"{name}_choice").value for name in ("element", "against", "bit")] == ["He", "Mg", 70]
    assert "outside all bins (-3 to 3.7 eV)" in info(app)[0] and "missing in the source" in info(app)[1]


@pytest.mark.parametrize(
    "link", [{"element": "Xx"}, {"bit": "92"}, {"bit": "-1"}, {"distance": "nan"}, {"against": ""}]
)
def test_a_wrong_link_still_opens_the_page(app: AppTest, link: dict[str, str]) -> None:
    for tab in TABS:
        opened(app, tab, **link)
        assert not app.exception and not app.error


def test_a_bit_can_be_chosen_from_the_list(app: AppTest) -> None:
    opened(app)
    app.selectbox(key="bit_choice").set_value(30).run()
    assert (
        info(app)[0].startswith("Bit 30 (1.9 to 2.25) is 0 for Na: its electronegativity")
        and "30" in app.query_params["bit"]
    )


def test_the_two_species_of_the_crystal_are_compared(app: AppTest) -> None:
    opened(app, "Two elements")
    assert echarts_titles(app) == ["Na above Cl: 14 of 92 bits differ"]
    assert [metric.value for metric in app.metric] == ["14", "2", "9", "9"]


def test_twins_are_called_so_in_the_comparison_and_an_element_is_no_twin_of_itself(app: AppTest) -> None:
    opened(app, "Two elements", element="La", against="Ce")
    assert [w.value for w in app.warning] == [
        "La and Ce have exactly the same 92 bits: the network cannot tell them apart."
    ]
    app.selectbox(key="against_choice").set_value("La").run()
    assert not app.warning


@pytest.mark.parametrize(
    ("knobs", "distance", "words"),
    [
        (Gaussians(), 8.0, "The largest: u(8.00 Å) = 1.000, u(7.80 Å) = 0.368, u(7.60 Å) = 0.018."),
        (Gaussians(width=0.05), 2.4, "Only one is 0.001 or more: u(2.40 Å) = 1.000."),
        (Gaussians(width=0.05, step=1.0), 2.5, "No Gaussian sees it: all entries are below 0.001."),
    ],
)
def test_entries_that_are_zero_are_not_called_the_largest(knobs: Gaussians, distance: float, words: str) -> None:
    assert largest(knobs, distance) == words


def test_a_crystal_of_one_species_is_compared_with_the_next_element(app: AppTest) -> None:
    opened(app, "Two elements", crystal="Cu")
    assert echarts_titles(app)[0].startswith("Cu above Zn")


def test_what_cannot_be_told_apart_is_named(app: AppTest) -> None:
    text = " ".join(m.value for m in opened(app, "Periodic table").markdown)
    assert "La = Ce" in text and "Bk = Cf = Es = Fm" in text and "92 different vectors" in text and "69 (" in text


def test_the_distance_starts_at_the_nearest_neighbor_and_stays_where_it_is_put(app: AppTest) -> None:
    opened(app, "Bonds")
    assert app.slider(key="distance_choice").value == 2.82
    app.slider(key="distance_choice").set_value(4.0).run()
    app.slider(key="gaussian_step").set_value(0.5).run()
    assert app.slider(key="distance_choice").value == 4.0 and "becomes 17 numbers" in " ".join(
        m.value for m in app.markdown
    )


def test_a_link_sets_distance_knobs_and_gap(app: AppTest) -> None:
    link = {"distance": "3.5", "gaussian_step": "0.4", "gaussian_width": "0.5", "gaussian_last": "6.0", "gap": "0.3"}
    opened(app, "Bonds", **link)
    keys = ["distance_choice", "gaussian_step", "gaussian_width", "gaussian_last", "gap"]
    assert [app.slider(key=key).value for key in keys] == [3.5, 0.4, 0.5, 6.0, 0.3]


def test_the_matrix_follows_the_neighbor_rule(app: AppTest) -> None:
    opened(app, "Bonds", neighbors="6")
    assert any("6 × 41" in button.label for button in app.get("download_button"))


def test_an_atom_without_neighbors_is_told_in_the_bond_part_only(app: AppTest) -> None:
    opened(app, "Bonds", cutoff="2.0")
    assert not app.exception and "no neighbor within 2 Å" in app.error[0].value
    assert len(app.get("plotly_chart")) == 2, "Gaussians and widths need no neighbor"


def test_the_atom_part_needs_no_graph(app: AppTest) -> None:
    opened(app, "Atoms", cutoff="2.0")
    assert app.sidebar.slider(key="cutoff").value == 2.0
    assert not app.error and len(echarts_titles(app)) == 2


@pytest.mark.parametrize("tab", TABS)
def test_an_element_beyond_the_table_is_a_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch, tab: str) -> None:
    heavy = Structure(Lattice.cubic(4.2), ["Md", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    shown = Current("heavy", "MdO", "", "", heavy)
    monkeypatch.setattr("cgcnn.ui.current.prepared", lambda *view: shown)
    opened(app, tab)
    assert not app.exception
    assert [error.value.replace("\\", "") for error in app.error] == [BEYOND] * (tab != "Bonds")
    assert app.get("echarts_chart") or app.get("plotly_chart")


def test_explanations_are_three_sentences_at_most() -> None:
    headings = ["What am I looking at?", "What does the comparison show?", "What does the table show?"]
    headings += ["What do the Gaussians show?", "What is the matrix?", "What does the width do?"]
    for heading in headings:
        assert prose("encoding", heading).count("\n") == 2, "one line a sentence"


def test_the_origin_of_the_bits_names_its_source() -> None:
    text: Any = prose("encoding", "Where do the 92 numbers come from?")
    assert "mendeleev 0.3.6" in text and "atom_init.json" in text
