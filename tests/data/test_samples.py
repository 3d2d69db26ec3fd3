import warnings

import numpy as np
import pytest
from pymatgen.core import Structure

from cgcnn.data.cells import conventional_cell, symmetry
from cgcnn.data.samples import FOLDER, SAMPLES, load_sample, sample_card, sample_names
from cgcnn.errors import CrystalError

FACTS = [  # crystal, atom, its nearest element, how many, distance in Å as textbooks give it
    ("NaCl", "Na", "Cl", 6, 2.820),
    ("CsCl", "Cs", "Cl", 8, 3.571),
    ("diamond", "C", "C", 4, 1.545),
    ("Si", "Si", "Si", 4, 2.352),
    ("Cu", "Cu", "Cu", 12, 2.556),
    ("Fe", "Fe", "Fe", 8, 2.482),
    ("ZnS-zincblende", "Zn", "S", 4, 2.342),
    ("SrTiO3", "Ti", "O", 6, 1.953),
    ("SrTiO3", "Sr", "O", 12, 2.761),
    ("CaF2", "Ca", "F", 8, 2.366),
    ("CaF2", "F", "Ca", 4, 2.366),
    ("TiO2-rutile", "O", "Ti", 2, 1.949),
    ("TiO2-anatase", "Ti", "O", 4, 1.934),
    ("graphite", "C", "C", 3, 1.423),
    ("MoS2", "Mo", "S", 6, 2.414),
    ("CdI2", "Cd", "I", 6, 2.986),
    ("NiAs", "As", "Ni", 6, 2.428),
    ("Cu2O", "Cu", "O", 2, 1.849),
    ("SiO2-quartz", "O", "Si", 1, 1.605),
    ("Al2O3", "Al", "O", 3, 1.855),
    ("CaCO3", "C", "O", 3, 1.281),
    ("MgAl2O4", "Mg", "O", 4, 1.924),
    ("TiNiSn", "Ni", "Sn", 4, 2.572),
    ("BaTiO3", "Ti", "O", 1, 1.869),
]


def test_every_file_is_a_sample_and_rock_salt_comes_first() -> None:
    assert sorted(SAMPLES) == sorted(file.stem for file in FOLDER.glob("*.cif"))
    assert len(set(SAMPLES)) == len(SAMPLES) >= 26
    assert sample_names()[0] == "NaCl"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_the_space_group_that_its_file_states(name: str) -> None:
    found, card = symmetry(load_sample(name).structure), sample_card(name)
    assert found.number == card.space_group_number
    assert found.symbol.replace("_", "") == card.space_group.replace(" ", "")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_given_in_its_conventional_cell(name: str) -> None:
    structure = load_sample(name).structure
    conventional = conventional_cell(structure)
    assert len(structure) == len(conventional)
    np.testing.assert_allclose(structure.lattice.parameters, conventional.lattice.parameters, atol=1e-6)


@pytest.mark.parametrize("name", SAMPLES)
def test_pymatgen_reads_the_same_crystal_and_finds_nothing_to_mend(name: str) -> None:
    with warnings.catch_warnings():
        # pymatgen says so of every coordinate 1/3, however many digits it has
        warnings.filterwarnings(
            "ignore", ".*fractional coordinates rounded to ideal values to avoid issues with finite"
        )
        other = Structure.from_file(FOLDER / f"{name}.cif")
    structure = load_sample(name).structure
    assert sorted(other.atomic_numbers) == sorted(structure.atomic_numbers)
    np.testing.assert_allclose(
        np.sort(other.distance_matrix, None), np.sort(structure.distance_matrix, None), atol=1e-4
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_no_two_atoms_of_a_sample_are_closer_than_one_angstrom(name: str) -> None:
    assert load_sample(name).structure.is_valid(tol=1.0)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_card_of_a_sample_is_complete(name: str) -> None:
    card = sample_card(name)
    assert card.common_name and card.structure_type
    assert 1920 < int(card.source[-5:-1]) < 2010  # each source ends with its year in brackets


@pytest.mark.parametrize("name", SAMPLES)
def test_the_table_of_sources_repeats_what_the_file_says(name: str) -> None:
    card = sample_card(name)
    rows = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    row = next(row for row in rows if row.startswith(f"| {name} |"))
    for fact in (card.structure_type, f"{card.space_group} ({card.space_group_number})", card.source):
        assert fact in row
    assert f"a = {load_sample(name).structure.lattice.a:.3f}" in row


@pytest.mark.parametrize(("name", "center", "neighbor", "count", "distance"), FACTS)
def test_the_first_shell_is_the_textbook_one(
    name: str, center: str, neighbor: str, count: int, distance: float
) -> None:
    structure = load_sample(name).structure
    atom = next(site for site in structure if site.specie.symbol == center)
    around = [other for other in structure.get_neighbors(atom, 5.0) if other.specie.symbol == neighbor]
    shell = [other for other in around if abs(other.nn_distance - distance) < 0.002]
    assert len(shell) == count
    assert min(other.nn_distance for other in around) > distance - 0.002


def test_rock_salt_has_8_atoms_in_a_cube_of_5_64_angstrom() -> None:
    structure = load_sample("NaCl").structure
    assert len(structure) == 8
    assert structure.lattice.abc == (5.64, 5.64, 5.64)


def test_an_unknown_sample_is_named() -> None:
    with pytest.raises(CrystalError, match="no sample named 'NaCL'; choose one of NaCl, "):
        load_sample("NaCL")


def test_a_path_is_no_sample() -> None:
    with pytest.raises(CrystalError, match="no sample"):
        load_sample("../README")
