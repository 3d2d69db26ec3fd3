"""Other cells hold the same crystal; symmetry is that of the International Tables."""

import numpy as np
import pytest
import spglib
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Element, Lattice, Structure

from cgcnn.data.cells import conventional_cell, primitive_cell, strained, supercell, symmetry
from cgcnn.errors import CrystalError

CRYSTALS = ["rock_salt", "perovskite", "rutile", "low_symmetry"]


@pytest.fixture(params=CRYSTALS)
def structure(request: pytest.FixtureRequest) -> Structure:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("change", [primitive_cell, conventional_cell, lambda s: supercell(s, (2, 1, 2))])
def test_another_cell_is_the_same_crystal_of_plain_elements(structure: Structure, change) -> None:
    other = change(structure)
    assert other.volume / len(other) == pytest.approx(structure.volume / len(structure))
    assert StructureMatcher().fit(other, structure)
    assert all(type(site.specie) is Element for site in other)


def test_rock_salt_has_two_atoms_in_the_primitive_and_eight_in_the_conventional_cell(rock_salt: Structure) -> None:
    assert len(primitive_cell(rock_salt)) == 2
    assert len(conventional_cell(primitive_cell(rock_salt))) == 8


@pytest.mark.parametrize(
    ("crystal", "symbol", "number", "system", "sites"),
    [
        ("rock_salt", "Fm-3m", 225, "cubic", {"4a", "4b"}),
        ("perovskite", "Pm-3m", 221, "cubic", {"1a", "1b", "3c"}),
        ("rutile", "P4_2/mnm", 136, "tetragonal", {"2a", "4f"}),
        ("low_symmetry", "P1", 1, "triclinic", {"1a"}),
    ],
)
def test_symmetry_is_that_of_the_tables(crystal, symbol, number, system, sites, request) -> None:
    found = symmetry(request.getfixturevalue(crystal))
    assert (found.symbol, found.number, found.crystal_system) == (symbol, number, system)
    assert set(found.sites) == sites


def test_atoms_of_one_orbit_stay_equivalent_in_a_supercell(rock_salt: Structure) -> None:
    assert symmetry(supercell(rock_salt, (1, 1, 2))).orbits == (0,) * 8 + (1,) * 8


def test_oxidation_states_neither_survive_nor_disturb(rock_salt: Structure) -> None:
    plain = symmetry(rock_salt)
    rock_salt.add_oxidation_state_by_element({"Na": 1, "Cl": -1})
    assert symmetry(rock_salt) == plain
    for cell in (primitive_cell(rock_salt), supercell(rock_salt, (2, 1, 1)), strained(rock_salt, 1)):
        assert all(type(site.specie) is Element for site in cell)


def test_two_percent_of_strain_lengthens_every_distance_by_two_percent(structure: Structure) -> None:
    assert np.allclose(strained(structure, 2).distance_matrix, 1.02 * structure.distance_matrix)
    assert strained(structure, -2).volume == pytest.approx(0.98**3 * structure.volume)


def test_the_structure_given_is_never_changed(structure: Structure) -> None:
    before = structure.copy()
    symmetry(structure), primitive_cell(structure), supercell(structure, (2, 2, 2)), strained(structure, 5)
    assert structure == before


@pytest.mark.parametrize("repeats", [(0, 1, 1), (20, 20, 20)])
def test_a_supercell_without_atoms_or_with_too_many_is_refused(rock_salt: Structure, repeats) -> None:
    with pytest.raises(CrystalError, match=r"NaCl would hold .* atoms; choose"):
        supercell(rock_salt, repeats)


def test_a_strain_that_crushes_the_crystal_is_refused(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="-100 %"):
        strained(rock_salt, -100)


@pytest.mark.parametrize("failure", [None, spglib.SpglibError("no"), TypeError("odd cell")])
def test_where_spglib_fails_the_answer_is_p1_and_the_cell_itself(
    rock_salt: Structure, failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_, **__) -> None:
        if failure:
            raise failure

    monkeypatch.setattr(spglib, "get_symmetry_dataset", fails)
    monkeypatch.setattr(spglib, "standardize_cell", fails)
    assert symmetry(rock_salt).number == 1 and symmetry(rock_salt).orbits == tuple(range(8))
    assert primitive_cell(rock_salt) == rock_salt == conventional_cell(rock_salt)


def test_two_atoms_in_one_place_have_a_plain_answer() -> None:
    broken = Structure(Lattice.cubic(4), ["Na", "Na"], [[0, 0, 0], [0, 0, 0]])
    assert symmetry(broken).number >= 1 and len(primitive_cell(broken)) >= 1


@pytest.mark.parametrize("cell", [primitive_cell, lambda s: supercell(s, (2, 1, 1))])
def test_multiplicities_are_those_of_the_tables_in_any_cell(rock_salt: Structure, cell) -> None:
    assert set(symmetry(cell(rock_salt)).sites) == {"4a", "4b"}
