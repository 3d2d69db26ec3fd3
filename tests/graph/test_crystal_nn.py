"""The chemist's view, and all rules side by side."""

import pytest
from pymatgen.core import Lattice, Structure

from cgcnn.errors import CrystalError
from cgcnn.graph import NEIGHBOR_RULES, GraphConfig
from cgcnn.graph.crystal_nn import crystal_nn
from cgcnn.graph.neighborhood import CHEMIST, Group, neighborhood, table


@pytest.mark.parametrize(
    ("name", "atom", "distances"), [("rock_salt", 0, [2.82] * 6), ("rutile", 0, [1.946] * 4 + [1.982] * 2)]
)
def test_a_chemist_counts_the_bonds(
    name: str, atom: int, distances: list[float], request: pytest.FixtureRequest
) -> None:
    found = crystal_nn(request.getfixturevalue(name), atom)
    assert found.distance.tolist() == pytest.approx(distances, abs=2e-3)
    assert set(found.center.tolist()) == {atom}


def test_an_isolated_atom_has_no_bond() -> None:
    assert len(crystal_nn(Structure(Lattice.cubic(25.0), ["Na"], [[0, 0, 0]]), 0).center) == 0


def test_noble_gases_raise_no_warning() -> None:
    fcc = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    crystal_nn(Structure(Lattice.cubic(5.3), ["Ar"] * 4, fcc), 0)


def test_an_element_without_a_radius_is_a_sentence() -> None:
    with pytest.raises(CrystalError, match="CrystalNN has no answer for Fm 1 of Fm; compare the other rules"):
        crystal_nn(Structure(Lattice.cubic(4.0), ["Fm"], [[0, 0, 0]]), 0)


def test_oxygen_in_strontium_titanate_under_every_rule(perovskite: Structure) -> None:
    found = {rule: neighborhood(perovskite, GraphConfig(), 2, rule) for rule in [*NEIGHBOR_RULES, CHEMIST]}
    counts = {rule: sum(group.count for group in groups) for rule, groups in found.items()}
    assert (counts["k nearest"], counts["whole shells"], counts[CHEMIST]) == (12, 14, 2)
    assert {(g.symbol, g.count) for g in found["whole shells"]} == {("Ti", 2), ("O", 8), ("Sr", 4)}


def test_rules_share_the_row_of_a_shell_that_rounding_sets_apart() -> None:
    rules = {"a": [Group(2.0, "O", 4)], "b": [Group(2.0 + 1e-7, "O", 6), Group(2.5, "Ti", 1)]}
    assert table(rules, 1e-3) == [(2.0, "O", [4, 6]), (2.5, "Ti", [0, 1])]
