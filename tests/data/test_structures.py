"""Every format loads, every broken file is one sentence, and hostile sizes never reach the costly work."""

import json
from pathlib import Path

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Element, Lattice, Structure
from pymatgen.io.cif import CifParser

from cgcnn.data import structures
from cgcnn.data.checks import LAST_ELEMENT, MAX_ATOMS
from cgcnn.data.structures import read_structure, write_structure
from cgcnn.errors import CrystalError
from malformed import CIF, GOOD, JSON, POSCAR, ROWS, SITES, SYMMETRY, XSF, XYZ, cif, in_cell, labeled, many_rows, stated

COD_FORMULAS = {1000041: "NaCl", 1000050: "KCl", 1101051: "ZnS", 1507756: "BaTiO3", 7206075: "TiO2"}


def read(text: str, name: str = "x.cif") -> Structure:
    return read_structure(text.encode(), name)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("pasted", [False, True])
def test_every_format_gives_rock_salt_by_name_and_as_pasted_text(name: str, pasted: bool) -> None:
    structure = read(GOOD[name], "" if pasted else name)
    assert structure.composition.reduced_formula == "NaCl"
    assert structure.volume / len(structure) == pytest.approx(5.64**3 / 8)
    closest = structure.distance_matrix + 9 * np.eye(len(structure))
    assert closest.min() == pytest.approx(2.82)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_read_is_pure_elements_inside_the_cell_and_nothing_else(name: str) -> None:
    structure = read(GOOD[name], name)
    assert all(type(site.specie) is Element for site in structure)
    assert (structure.frac_coords >= 0).all() and (structure.frac_coords < 1).all()
    assert not structure.site_properties


def test_two_thousand_rows_load() -> None:
    text = CIF.replace("F m -3 m", "P 1").replace("5.64", "60")
    rows = many_rows(MAX_ATOMS)
    assert len(read(text[: text.index("Na1 Na1+")] + rows)) == MAX_ATOMS


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", GOOD)
def test_any_line_end_loads(name: str, ending: str) -> None:
    assert read(GOOD[name].replace("\n", ending), name) == read(GOOD[name], name)


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_any_common_coding_of_an_umlaut_loads(coding: str) -> None:
    assert read_structure(CIF.encode(coding), "x.cif") == read(CIF)


@pytest.mark.parametrize(
    "name",
    ["POSCAR", "poscar", "CONTCAR", "POSCAR_NaCl", "POSCAR.txt", "nacl.vasp", "C:\\up\\POSCAR", "nacl.txt", "nacl"],
)
def test_a_poscar_is_known_by_name_or_content(name: str) -> None:
    assert len(read(POSCAR, name)) == 2


@pytest.mark.parametrize(
    "change",
    [
        ("1.0\n", "-44.851536\n"),  # minus the volume of the cell
        ("Direct\n", "Selective dynamics\nDirect\n"),
        ("0.5 0.5 0.5", "0.5 0.5 0.5 T T F Cl\n\n 0 0 0\n 0 0 0"),  # flags, a label, then velocities
        ("Na Cl\n", "Na_pv/4c5f Cl/18a0\n"),
        ("NaCl\n", "\n"),
        ("Direct\n0.0 0.0 0.0\n0.5 0.5 0.5", "Cartesian\n0 0 0\n2.82 2.82 2.82"),
        ("NaCl\n1.0", "Na Cl\n1.0"),
    ],
)
def test_the_forms_of_a_poscar_mean_the_same_crystal(change: tuple[str, str]) -> None:
    assert np.allclose(read(POSCAR.replace(*change), "POSCAR").distance_matrix, read(POSCAR, "POSCAR").distance_matrix)


def test_a_vasp_4_poscar_names_its_elements_in_the_comment_or_behind_the_rows() -> None:
    old = POSCAR.replace("Na Cl\n", "")
    assert read(old.replace("NaCl", "Na Cl"), "POSCAR").formula == "Na1 Cl1"
    rows = old.replace("0.0 0.0 0.0", "0 0 0 K").replace("0.5 0.5 0.5", ".5 .5 .5 Br")
    assert read(rows, "POSCAR").formula == "K1 Br1"


def test_columns_of_extended_xyz_may_stand_in_any_order() -> None:
    text = XYZ.replace("species:S:1:pos:R:3", "id:I:1:pos:R:3:species:S:1:forces:R:3")
    text = text.replace("Na 0.0 0.0 0.0", "1 0 0 0 Na 9 9 9").replace("Cl 2.82 2.82 2.82", "2 2.82 2.82 2.82 Cl 9 9 9")
    assert read(text, "x.xyz") == read(XYZ, "x.xyz")


def test_the_first_of_several_structures_counts() -> None:
    assert read("data_global\n_audit_author x\n" + CIF + CIF.replace("Na", "K")).formula == "Na4 Cl4"
    assert read(XYZ + XYZ.replace("Na", "K"), "x.xyz").formula == "Na1 Cl1"
    assert read(f"[{JSON}, {JSON.replace('Na', 'K')}]", "x.json").formula == "Na1 Cl1"


def test_pymatgens_own_json_loads_and_nothing_in_it_is_imported() -> None:
    structure = Structure(
        Lattice.cubic(5), ["Fe3+", "O2-"], [[0, 0, 0], [0.5, 0.5, 0.5]], site_properties={"magmom": [1, 0]}
    )
    assert read(structure.to_json(), "x.json").formula == "Fe1 O1"
    data = json.loads(JSON)
    data["properties"] = {"@module": "no_such_module", "@class": "Danger"}
    assert read(json.dumps(data), "x.json").formula == "Na1 Cl1"


def test_deuterium_counts_as_hydrogen() -> None:
    assert read(CIF.replace("Na1 Na1+", "D1 D")).formula == "H4 Cl4"
    assert read(JSON.replace('"Na"', '"D"'), "x.json").formula == "H1 Cl1"


@pytest.mark.parametrize("z", range(1, LAST_ELEMENT + 1))
def test_every_element_up_to_fermium_loads(z: int) -> None:
    symbol = Element.from_Z(z).symbol
    assert read(POSCAR.replace("Na Cl", f"{symbol} {symbol}"), "POSCAR").atomic_numbers == (z, z)


@pytest.mark.parametrize("label", ["Fe1", "FE1", "Fe", "Fe2A", "Fe2+", "Fe(1)"])
def test_an_element_may_be_read_from_its_label(label: str) -> None:
    text = CIF.replace("_atom_site_type_symbol", "_atom_site_x").replace("Na1 Na1+", f"{label} z")
    assert read(text).formula == "Fe4 Cl4"


@pytest.mark.parametrize(("label", "formula"), {"O1A": "O", "N1B": "N", "C12": "C", "NA1": "Na"}.items())
def test_the_letters_before_the_first_digit_of_a_label_are_its_element(label: str, formula: str) -> None:
    assert read(labeled(label)[1].decode()).composition.get(formula) == 4


def test_rows_that_stand_for_no_atom_are_skipped() -> None:
    text = CIF.replace("fract_z\n", "fract_z\n_atom_site_calc_flag\n").replace("0 0 0", "0 0 0 d")
    text = text.replace("0.5 0.5 0.5", "0.5 0.5 0.5 .\nCg1 X 0.2 0.3 0.4 dum")
    assert read(text).formula == "Na4 Cl4"


@pytest.mark.parametrize(
    "formula", [stated("Cl Na", "4"), stated("NaCl"), stated("Na4 Cl4", "4"), stated("H2 Na Cl", "4")]
)
def test_a_formula_that_agrees_but_for_hydrogen_loads(formula: str) -> None:
    assert read(CIF.replace(SYMMETRY, f"{SYMMETRY}\n{formula}")).formula == "Na4 Cl4"


@pytest.mark.parametrize(("formula", "atoms"), {stated("Si", "8"): 8, stated("Si", "16"): 16, "": 16}.items())
def test_the_formula_decides_between_two_origins(formula: str, atoms: int) -> None:
    text = CIF.replace(SYMMETRY, formula + "_space_group_name_H-M_alt 'F d -3 m'").replace("5.64", "6.5")
    assert len(read(text.replace(ROWS, "Si1 Si 0.125 0.125 0.125"))) == atoms


def test_the_cell_decides_between_the_unique_axes_and_between_the_axes_of_r() -> None:
    row = "Na1 Na 0.1 0.2 0.25"
    assert len(read(in_cell("P 21/m", "5 6 7", "90 90 110", row)[1].decode())) == 2
    assert len(read(in_cell("P 21/m", "5 6 7", "90 110 90", "Na1 Na 0.1 0.25 0.2")[1].decode())) == 2
    assert len(read(in_cell("R -3 m", "4 4 4", "60 60 60", "Na1 Na 0 0 0")[1].decode())) == 1
    assert len(read(in_cell("R -3 m", "4 4 12", "90 90 120", "Na1 Na 0 0 0")[1].decode())) == 3


def test_images_that_rounding_put_apart_meet_in_their_middle() -> None:
    structure = read(CIF.replace("Na1 Na1+ 0 0 0", "Na1 Na1+ 0.001 0.001 0.001"))
    assert np.allclose(structure.frac_coords[:4] * 2 % 1, 0, atol=1e-12)


def test_the_bond_of_h2_is_no_overlap() -> None:
    structure = Structure(Lattice.cubic(3), ["H", "H"], [[0, 0, 0], [0.74 / 3, 0, 0]])
    assert len(read(write_structure(structure, "poscar"), "POSCAR")) == 2


def test_rounded_thirds_of_a_special_position_are_one_atom() -> None:
    text = CIF.replace("F m -3 m", "P 63/m m c").replace("_cell_angle_gamma 90", "_cell_angle_gamma 120")
    text = text[: text.index("Na1 Na1+")] + "Mg1 Mg 0.3333 0.6667 0.25\n"
    assert read(text).formula == "Mg2"


def test_a_magnetic_cif_loads_without_its_moments() -> None:
    operations = "loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n-x,-y,-z,-1\n"
    centering = "loop_\n_space_group_symop_magn_centering.xyz\nx,y,z,+1\nx+1/2,y+1/2,z,+1\n"
    name, data = cif("_space_group_name_H-M_alt 'F m -3 m'", operations + centering)
    assert read_structure(data, name.replace(".cif", ".mcif")).formula == "Na2 Cl2"


@pytest.mark.parametrize(
    "symbol", ["P n m a", "P 63/m m c", "I 41/a m d", "R -3 m", "F d -3 m", "I a -3 d", "P 1 21/c 1"]
)
def test_a_named_space_group_unfolds_as_in_pymatgen(symbol: str) -> None:
    cell = CIF.replace("5.64", "12").replace(
        "_cell_angle_gamma 90", f"_cell_angle_gamma {120 if symbol[:4] in ('R -3', 'P 63') else 90}"
    )
    text = cell[: cell.index("Na1 Na1+")].replace("F m -3 m", symbol) + "Na1 Na 0.08 0.21 0.35\n"
    with pytest.warns(UserWarning):
        theirs = CifParser.from_str(text).parse_structures(primitive=False)[0]
    ours = read(text)
    assert len(ours) == len(theirs) and StructureMatcher(primitive_cell=False).fit(ours, theirs)


@pytest.mark.parametrize("number", COD_FORMULAS)
def test_crystals_of_the_open_database_load_and_go_to_file_and_back(number: int, cod: Path) -> None:
    structure = read_structure((cod / f"{number}.cif").read_bytes(), f"{number}.cif")
    assert structure.composition.reduced_formula == COD_FORMULAS[number]
    for form in ("cif", "poscar"):
        assert StructureMatcher().fit(read(write_structure(structure, form), ""), structure)


@pytest.mark.parametrize("crystal", ["rock_salt", "perovskite", "rutile", "low_symmetry"])
@pytest.mark.parametrize("form", ["cif", "poscar"])
def test_a_crystal_survives_writing_and_reading(crystal: str, form: str, request: pytest.FixtureRequest) -> None:
    structure = request.getfixturevalue(crystal)
    again = read(write_structure(structure, form), "")
    assert StructureMatcher(ltol=1e-4, stol=1e-4, angle_tol=0.01, scale=False).fit(again, structure)


def test_a_written_cif_has_its_symmetry_and_p1_where_spglib_fails(
    rock_salt: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Fm-3m" in write_structure(rock_salt, "cif")
    writer = structures.CifWriter
    monkeypatch.setattr(structures, "CifWriter", lambda s, symprec=None: None if symprec else writer(s))
    assert "'P 1'" in write_structure(rock_salt, "cif")


def test_an_unknown_format_to_write_names_the_known_ones(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="cif, poscar"):
        write_structure(rock_salt, "docx")


def test_good_texts_hold_the_same_crystal() -> None:
    assert len(SITES) == 2 and "PRIMCOORD" in XSF
    assert StructureMatcher().fit(read(XSF, "x.xsf"), read(CIF))


@pytest.mark.parametrize("format", ["cif", "poscar"])
def test_a_noble_gas_is_written_without_a_warning(format: str) -> None:
    assert "Ar" in write_structure(Structure(Lattice.cubic(5.3), ["Ar"], [[0, 0, 0]]), format)
