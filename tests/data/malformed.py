"""Good texts of every format, and uploads that are wrong in one way each: name -> (file name, bytes)."""

import gzip
import io
import json
import zipfile

CELL = (
    "\n".join(f"_cell_length_{x} 5.64" for x in "abc")
    + "\n"
    + "\n".join(f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma"))
)
SYMMETRY = "_space_group_name_H-M_alt 'F m -3 m'"
COLUMNS = "loop_\n_atom_site_label\n_atom_site_type_symbol\n" + "\n".join(f"_atom_site_fract_{x}" for x in "xyz")
ROWS = "Na1 Na1+ 0 0 0\nCl1 Cl1- 0.5 0.5 0.5"
CIF = f"data_NaCl\n_publ_author_name 'A. Müller'\n{CELL}\n{SYMMETRY}\n{COLUMNS}\n{ROWS}\n"
POSCAR = """NaCl
1.0
0.00 2.82 2.82
2.82 0.00 2.82
2.82 2.82 0.00
Na Cl
1 1
Direct
0.0 0.0 0.0
0.5 0.5 0.5
"""
XSF = """CRYSTAL
PRIMVEC
0.00 2.82 2.82
2.82 0.00 2.82
2.82 2.82 0.00
PRIMCOORD
2 1
11 0.0 0.0 0.0
17 2.82 2.82 2.82
"""
XYZ = """2
Lattice="0.0 2.82 2.82 2.82 0.0 2.82 2.82 2.82 0.0" Properties=species:S:1:pos:R:3 pbc="T T T"
Na 0.0 0.0 0.0
Cl 2.82 2.82 2.82
"""
SITES = [
    {"species": [{"element": "Na", "oxidation_state": 1, "occu": 1}], "abc": [0.0, 0.0, 0.0]},
    {"species": [{"element": "Cl", "oxidation_state": -1, "occu": 1}], "abc": [0.5, 0.5, 0.5]},
]
MATRIX = [[0.0, 2.82, 2.82], [2.82, 0.0, 2.82], [2.82, 2.82, 0.0]]
JSON = json.dumps({"@class": "Structure", "lattice": {"matrix": MATRIX}, "sites": SITES})
GOOD = {"nacl.cif": CIF, "POSCAR": POSCAR, "nacl.xsf": XSF, "nacl.extxyz": XYZ, "nacl.json": JSON}


def many_rows(count: int) -> str:
    """The rows of a CIF with `count` sodium atoms."""
    return "\n".join(f"Na{i} Na {i % 97 / 97:.4f} {i % 89 / 89:.4f} {i % 83 / 83:.4f}" for i in range(count))


def cif(old: str, new: str) -> tuple[str, bytes]:
    """The good CIF with one text replaced by another."""
    assert old in CIF
    return "wrong.cif", CIF.replace(old, new).encode()


def poscar(old: str, new: str) -> tuple[str, bytes]:
    """The good POSCAR with one text replaced by another."""
    assert old in POSCAR
    return "POSCAR", POSCAR.replace(old, new).encode()


def lattice_of_json(**changes: object) -> tuple[str, bytes]:
    """The good JSON with other entries at the top."""
    return "wrong.json", json.dumps({**json.loads(JSON), **changes}).encode()


def occupied(occupancy: str) -> tuple[str, bytes]:
    """The good CIF with an occupancy for its sodium."""
    columns = f"{COLUMNS}\n_atom_site_occupancy"
    return "wrong.cif", f"data_x\n{CELL}\n{SYMMETRY}\n{columns}\nNa1 Na 0 0 0 {occupancy}\nCl1 Cl .5 .5 .5 1\n".encode()


def in_cell(symbol: str, lengths: str, angles: str, rows: str = ROWS) -> tuple[str, bytes]:
    """A CIF with a space group and a cell that may not fit each other."""
    names = [f"_cell_length_{x}" for x in "abc"] + [f"_cell_angle_{x}" for x in ("alpha", "beta", "gamma")]
    cell = "\n".join(f"{name} {value}" for name, value in zip(names, f"{lengths} {angles}".split(), strict=True))
    return "wrong.cif", f"data_x\n{cell}\n_space_group_name_H-M_alt '{symbol}'\n{COLUMNS}\n{rows}\n".encode()


def listed(*operations: str, more: str = "") -> tuple[str, bytes]:
    """The good CIF with a list of operations in place of its space group."""
    return cif(SYMMETRY, "\n".join([more, "loop_", "_space_group_symop_operation_xyz", *operations]))


def labeled(label: str) -> tuple[str, bytes]:
    """The good CIF without its column of elements, and another label for its sodium."""
    text = CIF.replace("_atom_site_type_symbol", "_atom_site_id").replace("Na1 Na1+", f"{label} 1")
    return "wrong.cif", text.encode()


def stated(formula: str, units: str = "?") -> str:
    """Lines that state a formula and how many of them the cell holds."""
    return f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {units}\n"


def zipped(files: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return packed.getvalue()


MALFORMED: dict[str, tuple[str, bytes]] = {
    "empty file": ("empty.cif", b""),
    "only white space": ("blank.cif", b" \n\t\r\n "),
    "binary data": ("photo.cif", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))),
    "damaged UTF-16": ("utf16.cif", b"\xff\xfe" + CIF.encode("utf-16-le")[:101]),
    "gzip": ("nacl.cif.gz", gzip.compress(CIF.encode(), mtime=0)),
    "zip": ("nacl.cif", b"PK\x03\x04" + b"\x14\x00" * 40),
    "web page": ("nacl.cif", b"<!DOCTYPE html>\n<html><body>data_NaCl</body></html>"),
    "too many bytes": ("huge.cif", CIF.encode() + b"# padding\n" * 500_001),
    "unknown format": ("notes.txt", b"Dear all,\nplease find the crystal attached.\n"),
    "partial occupancy": occupied("0.5(1)"),
    "occupancy above one": occupied("1.5"),
    "occupancy is a word": occupied("half"),
    "mixed species in one CIF site": cif("Na1 Na1+ 0", "Na1 '0.8Na + 0.2K' 0"),
    "mixed species in a JSON site": lattice_of_json(
        sites=[{"species": [{"element": "Na", "occu": 0.5}, {"element": "K", "occu": 0.5}], "abc": [0, 0, 0]}]
    ),
    "hydrogens without coordinates": (
        "wrong.cif",
        f"data_x\n{CELL}\n{SYMMETRY}\n{COLUMNS}\n_atom_site_attached_hydrogens\nO1 O 0 0 0 2\n".encode(),
    ),
    "plain XYZ of a molecule": ("water.xyz", b"3\nwater\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n"),
    "molecule in JSON": ("water.json", json.dumps({"@class": "Molecule", "sites": SITES}).encode()),
    "molecule in XSF": ("water.xsf", b"MOLECULE\nATOMS\n8 0 0 0\n1 0.96 0 0\n"),
    "slab in extended XYZ": ("slab.xyz", XYZ.replace("T T T", "T T F").encode()),
    "zero volume": poscar("2.82 2.82 0.00", "2.82 2.82 5.64"),
    "no room for the atoms": cif("5.64", "1.2"),
    "far too much room": cif("5.64", "90"),
    "negative length": cif("_cell_length_a 5.64", "_cell_length_a -5"),
    "length is nan": cif("_cell_length_a 5.64", "_cell_length_a nan"),
    "huge exponent": cif("_cell_length_a 5.64", "_cell_length_a 1e30"),
    "endless exponent": poscar("0.00 2.82 2.82", "0.00 1e999 2.82"),
    "angle of 180 degrees": cif("_cell_angle_gamma 90", "_cell_angle_gamma 180"),
    "angles that close no cell": (
        "wrong.cif",
        CIF.replace("alpha 90", "alpha 30").replace("beta 90", "beta 40").encode(),
    ),
    "overlapping atoms": cif("0.5 0.5 0.5", "0.05 0 0"),
    "two atoms in one place": poscar("0.5 0.5 0.5", "1.0 0.0 0.0"),
    "too many rows": ("rows.cif", CIF.replace(ROWS, many_rows(10_000)).encode()),
    "100,000 rows": ("rows.cif", CIF.replace(ROWS, many_rows(100_000)).encode()),
    "300 rows in Fm-3m": ("rows.cif", CIF.replace(ROWS, many_rows(300)).encode()),
    "too many images that all count": cif(
        "Na1 Na1+ 0 0 0", "\n".join(f"Na{i} Na .{i}1 .2{i} .3{i}7" for i in range(1, 13))
    ),
    "too many atoms in POSCAR": poscar("1 1\n", "9000 9000\n"),
    "too many atoms in XYZ": ("big.xyz", XYZ.replace("2\n", "123456789\n", 1).encode()),
    "too many atoms in XSF": ("big.xsf", XSF.replace("2 1", "50000 1").encode()),
    "too many sites in JSON": lattice_of_json(sites=SITES * 1_500),
    "too many operations": cif(SYMMETRY, "loop_\n_space_group_symop_operation_xyz\n" + "x,y,z\n" * 500),
    "operation that is none": cif(SYMMETRY, "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\nx,x,z"),
    "operation divided by zero": cif(SYMMETRY, "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\nx+1/0,y,z"),
    "unknown space group": cif("F m -3 m", "F m -7 m"),
    "no symmetry": cif(SYMMETRY, ""),
    "cubic group in a cell of three lengths": in_cell("F m -3 m", "5 6.1 7.2", "90 90 90"),
    "cubic group in a skew cell": in_cell("P 4 3 2", "5 6 7", "80 85 95"),
    "hexagonal group in a square cell": in_cell("P 63/m m c", "4 4 6", "90 90 90"),
    "rhombohedral axes in a hexagonal cell": in_cell("R -3 m :R", "4 4 12", "90 90 120"),
    "monoclinic group with the other angle": in_cell("P 1 21/m 1", "5 6 7", "90 90 110"),
    "monoclinic group with several glides that fit": in_cell("P 21/c", "5 6 7", "90 90 110"),
    "operation that does not fit the cell": listed("x,y,z", "y,x-y,z"),
    "operations that are no group": listed("x,y,z", "-x,-y,z", "-x,y,-z"),
    "translations that are no group": listed("x,y,z", "x+0.3,y,z"),
    "operations without the identity": listed("-x,-y,z"),
    "too few operations for the formula": listed("x,y,z", more=stated("Cl Na", "4")),
    "formula of another crystal": cif(SYMMETRY, SYMMETRY + "\n" + stated("K Cl")),
    "formula that is no part of the cell": cif(SYMMETRY, SYMMETRY + "\n" + stated("Na2 Cl")),
    "wrong count of formulas": cif(SYMMETRY, SYMMETRY + "\n" + stated("Na Cl", "2")),
    "label of a word": labeled("Iron1"),
    "label of another word": labeled("Carbon"),
    "label of a vacancy": labeled("Vac1"),
    "label of a dummy": labeled("Du1"),
    "label of two elements": labeled("Ti/Al"),
    "label of two elements with a comma": labeled("Fe,Ni"),
    "label of two parts": labeled("Fe0.5Ni0.5"),
    "label of a water": labeled("Ow1"),
    "two disorder groups": (
        "wrong.cif",
        f"data_x\n{CELL}\n{SYMMETRY}\n{COLUMNS}\n_atom_site_disorder_group\n"
        "Na1 Na 0 0 0 1\nCl1 Cl .5 .5 .5 2\n".encode(),
    ),
    "only dummies": (
        "wrong.cif",
        f"data_x\n{CELL}\n{SYMMETRY}\n{COLUMNS}\n_atom_site_calc_flag\nNa1 Na 0 0 0 dum\n".encode(),
    ),
    "split site": cif("Na1 Na1+ 0 0 0", "Na1 Na1+ 0.006 0 0"),
    "no cell": cif(CELL, ""),
    "no angle": cif("_cell_angle_gamma 90", ""),
    "no atoms": cif(f"{COLUMNS}\n{ROWS}", ""),
    "no elements": cif("_atom_site_label\n_atom_site_type_symbol\n", "_atom_site_a\n_atom_site_b\n"),
    "no coordinate": cif("Na1 Na1+ 0 0 0", "Na1 Na1+ ? ? ?"),
    "no data block": cif("data_NaCl", ""),
    "text for a number": cif("0.5 0.5 0.5", "0.5 half 0.5"),
    "coordinate is nan": cif("0.5 0.5 0.5", "nan 0.5 0.5"),
    "cut off in a row": ("cut.cif", CIF[: CIF.rindex("0.5 0.5")].encode()),
    "cut off in a text field": ("cut.cif", f"data_x\n_publ_section_title\n;\nOn salt\n{CIF}".encode()),
    "POSCAR cut off": ("POSCAR", POSCAR[:40].encode()),
    "POSCAR with a row too few": poscar("0.5 0.5 0.5\n", ""),
    "POSCAR with a row too many": poscar("0.5 0.5 0.5\n", "0.5 0.5 0.5\n0.1 0.2 0.3\n"),
    "POSCAR with a count too many": poscar("1 1\n", "1 1 1\n"),
    "POSCAR with no atoms": poscar("1 1\n", "0 0\n"),
    "POSCAR without elements": ("POSCAR", POSCAR.replace("Na Cl\n", "").replace("NaCl", "salt").encode()),
    "POSCAR with a word in a vector": poscar("0.00 2.82 2.82", "0.00 abc 2.82"),
    "XSF without PRIMCOORD": ("wrong.xsf", XSF[: XSF.index("PRIMCOORD")].encode()),
    "XYZ cut off": ("cut.xyz", XYZ[: XYZ.index("Cl")].encode()),
    "XYZ with eight lattice numbers": ("wrong.xyz", XYZ.replace('="0.0 ', '="').encode()),
    "unknown element": cif("Na1 Na1+", "Xx1 Xx"),
    "tetrahedral site of unknown element": (
        "wrong.cif",
        CIF.replace("_atom_site_type_symbol", "_atom_site_id").replace("Na1 Na1+", "T1 1").encode(),
    ),
    "dummy species in JSON": lattice_of_json(sites=[{"species": [{"element": "X0+", "occu": 1}], "abc": [0, 0, 0]}]),
    "element beyond fermium": poscar("Na Cl", "Na Lr"),
    "atomic number zero": ("wrong.xsf", XSF.replace("11 0.0", "0 0.0").encode()),
    "zero sites in JSON": lattice_of_json(sites=[]),
    "JSON of something else": ("config.json", b'{"epochs": 30, "model": "CGCNN"}'),
    "JSON cut off": ("cut.json", JSON[:-30].encode()),
    "JSON nested without end": ("deep.json", b"[" * 200_000),
    "JSON with nan": lattice_of_json(lattice={"matrix": [[float("nan"), 0, 0], *MATRIX[1:]]}),
    "JSON with an odd matrix": lattice_of_json(lattice={"matrix": "cubic"}),
}
