"""The deeper tabs of the Graph page, opened one by one and read."""

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

from cgcnn.data import shelf
from cgcnn.data.cells import symmetry
from cgcnn.data.targets import TARGETS
from cgcnn.graph import GraphConfig, build_graph, cut_shells
from cgcnn.graph.classes import MergedGraph, merged_graph
from cgcnn.graph.cost import Cost
from cgcnn.graph.neighborhood import Group
from cgcnn.ui.graph_cached import costs_of
from cgcnn.ui.graph_classes import against_symmetry, by_depth
from cgcnn.ui.graph_cost import sentence, times
from cgcnn.ui.graph_invariance import amount, unmoved
from cgcnn.ui.graph_rules import in_words
from page_kit import TABS, opened_tab

DEEP = TABS["graph"][1][3:]
CRYSTALS = [("NaCl", "as given"), ("diamond", "as given"), ("Cu", "primitive"), ("SiO2-quartz", "as given")]


def opened(app: AppTest, tab: str, **link: str) -> AppTest:
    return opened_tab(app, "graph", tab, **link)


def words(app: AppTest) -> str:
    return "\n".join(markdown.value for markdown in app.markdown)


@pytest.mark.parametrize(("crystal", "cell"), CRYSTALS)
@pytest.mark.parametrize("tab", DEEP)
def test_a_tab_opens_for_every_kind_of_crystal(app: AppTest, tab: str, crystal: str, cell: str) -> None:
    opened(app, tab, crystal=crystal, cell=cell)
    assert not app.exception and not app.error
    assert "graph_tab" in app.query_params and app.session_state["graph_tab"] == tab


@pytest.mark.parametrize("tab", DEEP)
def test_a_tab_opens_for_a_cell_of_512_atoms(app: AppTest, tab: str, rock_salt: Structure, tmp_path: Path) -> None:
    text = (rock_salt * (4, 4, 4)).to(fmt="poscar")
    key = shelf.keep(text.encode(), "POSCAR", tmp_path / "crystals")
    opened(app, tab, crystal=key, mine=key)
    assert not app.exception and not app.error


@pytest.mark.parametrize("tab", DEEP)
def test_an_isolated_atom_is_one_sentence_under_every_tab(app: AppTest, tab: str) -> None:
    opened(app, tab, cutoff="2.0")
    assert not app.exception
    assert len(app.error) == 1 and "no neighbor within 2 Å" in app.error[0].value


def test_only_the_open_tab_is_worked_out(app: AppTest) -> None:
    costs_of.clear()
    opened(app, "Cost")
    assert "as N to the power **1.00**" in words(app)
    assert not any(box.key == "network_choice" for box in app.selectbox)
    assert not any(toggle.key == "all_edges" for toggle in app.toggle)


def test_invariance_tells_the_fault_of_k_nearest(app: AppTest) -> None:
    text = words(opened(app, "Invariance", crystal="SrTiO3"))
    assert "**k nearest:** the predictions spread over **" in text
    assert "**whole shells:** the prediction stays the same" in text
    assert "13.6 edges an atom instead of 12, and it answers −1.92 instead of −3.54 eV/atom" in text


@pytest.mark.parametrize(
    ("crystal", "why"),
    [("SiO2-quartz", "no shell of this crystal is cut"), ("Si", "each of them holds one element only")],
)
def test_a_crystal_that_nothing_moves_says_why(app: AppTest, crystal: str, why: str) -> None:
    text = words(opened(app, "Invariance", crystal=crystal))
    assert "No description moves the prediction" in text and why in text
    assert text.count("stays the same within 0.1 meV/atom") == 2


def test_a_cut_shell_that_mixes_elements_is_named_where_nothing_moved(perovskite: Structure) -> None:
    said = unmoved(perovskite, cut_shells(perovskite, GraphConfig()))
    assert said.endswith("although the cut shell of O 3 mixes O and Sr.")


def test_rock_salt_leads_to_the_crystal_that_shows_the_fault(app: AppTest) -> None:
    opened(app, "Invariance")
    assert "the predictions spread" not in words(app)
    next(b for b in app.button if b.label.startswith("Open SrTiO3")).click().run()
    assert not app.exception and app.sidebar.selectbox(key="crystal_choice").value == "SrTiO3"
    assert "the predictions spread" in words(app)


@pytest.mark.parametrize("network", ["band gap", "bulk modulus", "metal or not"])
def test_other_networks_are_asked_in_their_own_unit(app: AppTest, network: str) -> None:
    opened(app, "Invariance", crystal="SrTiO3", network=network)
    assert not app.exception and not app.error and "whole shells" in words(app)


def test_another_neighbor_count_than_the_network_learned_with_is_told(app: AppTest) -> None:
    assert "k = 12 within 8 Å; here k = 18 within 8 Å" in words(opened(app, "Invariance", neighbors="18"))


def test_a_cell_too_large_to_describe_is_one_sentence(app: AppTest, rock_salt: Structure, tmp_path: Path) -> None:
    key = shelf.keep((rock_salt * (5, 4, 4)).to(fmt="poscar").encode(), "POSCAR", tmp_path / "crystals")
    opened(app, "Invariance", crystal=key, mine=key)
    assert not app.exception and "640 atoms" in app.error[0].value and "limit 600" in app.error[0].value


def test_rules_stand_beside_the_chemists_view(app: AppTest) -> None:
    text = words(opened(app, "Neighbor rules"))
    assert "**k nearest:** 12 (6 Cl, 6 Na)" in text and "**CrystalNN:** 6 (6 Cl), all at 2.8" in text


def test_an_atom_that_crystal_nn_cannot_judge_leaves_the_other_rules(app: AppTest, tmp_path: Path) -> None:
    fermium = Structure(Lattice.cubic(4.0), ["Fm"], [[0, 0, 0]]).to(fmt="poscar")
    key = shelf.keep(fermium.encode(), "POSCAR", tmp_path / "crystals")
    opened(app, "Neighbor rules", crystal=key, mine=key)
    assert not app.exception and "CrystalNN has no answer" in app.error[0].value.replace("\\", "")
    assert "**whole shells:** 18 (18 Fm)" in words(app)


def test_the_network_sees_rock_salt_as_two_atoms(app: AppTest) -> None:
    text = words(opened(app, "Symmetry", rule="whole shells"))
    assert "**For the network, NaCl is 2 kinds of atoms and 4 kinds of edges.**" in text
    assert "exactly the 2 orbits of space group Fm-3m" in text


def test_a_cut_shell_that_breaks_the_symmetry_is_named(perovskite: Structure) -> None:
    merged = MergedGraph((0, 1, 2, 3, 3), (("Sr",), ("Ti",), ("O",), ("O",)), (), (3, 4))
    text = against_symmetry(perovskite, merged, symmetry(perovskite), GraphConfig())
    assert "such as O 3 and O 4, which symmetry makes equal. A cut shell broke the symmetry" in text
    assert by_depth(merged).endswith("knows 3, by their 92 bits; after 1 at most 4.")


def test_orbits_that_the_network_merges_are_named() -> None:
    alloy = Structure(Lattice.cubic(3.9), ["La", "Ce"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    config = GraphConfig(rule="whole shells")
    text = against_symmetry(alloy, merged_graph(build_graph(alloy, config)), symmetry(alloy), config)
    assert "The network takes La 1 and Ce 2 for the same" in text


def test_amounts_have_a_unit_and_no_sign_at_zero() -> None:
    energy, modulus = TARGETS["formation_energy_per_atom"], TARGETS["log10_bulk_modulus"]
    assert amount(-0.0889, energy, signed=True) == "−88.9 meV/atom"
    assert amount(-1e-7, energy, signed=True) == "0.0 meV/atom"
    assert amount(0.01234, modulus, signed=True) == "+0.0123 log10 GPa"


def test_neighbors_in_words() -> None:
    assert in_words([]) == "none"
    assert in_words([Group(2.0, "O", 2), Group(3.0, "O", 4)]) == "6 (6 O), out to 3.000 Å"


def test_one_size_alone_gives_no_exponent() -> None:
    assert sentence([Cost(9, 90, 900, 0.1)]).startswith("9 atoms have 90 edges")


def test_noisy_times_claim_no_exponent_and_stand_beside_a_line_in_proportion_to_n() -> None:
    noisy = [Cost(8, 96, 1, 1e-3), Cost(16, 192, 1, 9e-3), Cost(32, 384, 1, 4e-3)]
    assert "twice the edges" in sentence(noisy) and "work" not in sentence(noisy)
    lines = times({"radius": noisy}, "radius")
    assert all(line.exponent != line.exponent for line in lines.values())
    assert lines["in proportion to N"].values == pytest.approx([1.0, 2.0, 4.0])


def test_a_crystal_goes_by_the_name_of_the_page(app: AppTest) -> None:
    assert "**For the network, diamond is 1 kind of atom and" in words(opened(app, "Symmetry", crystal="diamond"))


def test_the_merged_graph_gives_the_answer_of_the_whole_one(app: AppTest) -> None:
    opened(app, "Symmetry", crystal="NaCl")
    assert "4 messages instead of 96" in words(app)
    table = next(table.value for table in app.dataframe if "Each once" in table.value)
    assert table["All"].tolist()[:2] == ["8", "96"] and table["All"].iloc[2] == table["Each once"].iloc[2]


def test_a_radius_that_holds_too_many_leaves_the_other_rules(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgcnn.graph.build.MAX_EDGES", 500)
    costs_of.clear()
    opened(app, "Cost")
    assert not app.exception and "All pairs of NaCl" in app.error[0].value
    assert "as N to the power **1.00**" in words(app)
