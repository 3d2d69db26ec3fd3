"""Every broken file is one sentence, and hostile sizes never reach the work that they would cost."""

import random
import re
import time

import pytest

from cgcnn.data import cif as cif_reader
from cgcnn.data import structures
from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError
from malformed import CIF, GOOD, MALFORMED, listed


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(CrystalError) as caught:
        read_structure(data, name)
    return str(caught.value)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_in_one_sentence_that_names_it(name: str) -> None:
    filename, data = MALFORMED[name]
    message = refusal(data, filename)
    assert message.startswith(f"{filename}: ") and message.endswith(".") and "\n" not in message
    assert len(message) < 300 and not re.search(r"Error|Exception|Traceback|could not be read as", message)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_paste_is_refused_as_well(name: str) -> None:
    assert refusal(MALFORMED[name][1], "").startswith("The pasted text: ")


@pytest.mark.parametrize(
    ("name", "words"),
    {
        "partial occupancy": ["site 'Na1'", "occupancy 0.5", "ordered cell"],
        "overlapping atoms": ["Na1 (atom", "Cl1 (atom", "0.28 Å"],
        "300 rows in Fm-3m": ["300 rows", "192", "57,600", "20,000"],
        "element beyond fermium": ["atom 2", "Lr", "103", "100"],
        "negative length": ["length a", "-5 Å"],
        "POSCAR with a row too few": ["2 atoms", "1 row"],
        "text for a number": ["coordinate y", "'Cl1'", "'half'"],
        "gzip": ["gzip", "unpack"],
        "plain XYZ of a molecule": ["molecule", "Lattice"],
        "web page": ["web page", "download"],
        "far too much room": ["2 to 30,000 Å³"],
        "cubic group in a cell of three lengths": ["'F m -3 m'", "5, 6.1, 7.2 Å", "90, 90, 90°", "correct"],
        "monoclinic group with several glides that fit": ["'P 21/c'", "90, 90, 110°"],
        "operation that does not fit the cell": ["'y,x-y,z'", "5.64"],
        "operations that are no group": ["operations (3)", "not listed"],
        "too few operations for the formula": ["'Cl Na'", "holds 4", "Na1 Cl1"],
        "wrong count of formulas": ["holds 2", "Na4 Cl4"],
        "label of two elements": ["'Ti/Al'", "_atom_site_type_symbol"],
        "two disorder groups": ["'1' and '2'", "ordered cell"],
        "split site": ["'Na1'", "0.048 Å", "more digits"],
    }.items(),
)
def test_the_sentence_says_where_the_number_and_what_to_do(name: str, words: list[str]) -> None:
    message = refusal(MALFORMED[name][1], MALFORMED[name][0])
    assert all(word in message for word in words), message


def test_a_malformed_upload_takes_no_time() -> None:
    start = time.perf_counter()
    for filename, data in MALFORMED.values():
        refusal(data, filename)
    assert time.perf_counter() - start < 20  # about 0.6 s in all; unfolding and searching would take minutes


def test_the_check_of_384_operations_takes_no_time() -> None:
    operations = [f"{sign}x+{i}/192,y,z" for sign in ("", "-") for i in range(192)]
    filename, data = listed(*operations[:-1], "-x,y+0.4,z")
    start = time.perf_counter()
    assert "no complete group" in refusal(data, filename)
    assert time.perf_counter() - start < 5  # 0.2 s


@pytest.mark.parametrize("name", ["too many rows", "100,000 rows", "300 rows in Fm-3m", "too many operations"])
def test_hostile_sizes_never_reach_the_unfolding(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cif_reader, "unfold", lambda *_: pytest.fail("the count must come first"))
    refusal(MALFORMED[name][1], MALFORMED[name][0])


@pytest.mark.parametrize("name", ["too many atoms in POSCAR", "too many atoms in XYZ", "too many sites in JSON"])
def test_hostile_counts_never_reach_the_checks_of_atoms(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "checked", lambda *_: pytest.fail("the count must come first"))
    refusal(MALFORMED[name][1], MALFORMED[name][0])


def test_an_unforeseen_fault_is_one_clean_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(text: str) -> None:
        raise RuntimeError("ValueError: odd\nthing\x1b[31m")

    monkeypatch.setitem(structures.READERS, "CIF", fault)
    expected = "x.cif could not be read as CIF: odd; check the file, or save it again with another program."
    assert refusal(CIF.encode(), "x.cif") == expected


PIECES = [
    "nan",
    "-1",
    "1e30",
    "9" * 400,
    "\x00",
    "'",
    "\n;",
    "loop_",
    "data_",
    "_",
    "(",
    "{",
    "]",
    "\n\n",
    "#",
    "Xx",
    "1/0",
    "?",
]


def mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.choice([1, 1, 2, 4])):
        start = rng.randrange(len(text) + 1)
        end = start + rng.choice([0, 1, 5, 40])
        piece = rng.choice([rng.choice(PIECES), "", text[start:end] * 30, chr(rng.randrange(300))])
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_fifty_random_faults_end_in_a_structure_or_a_sentence(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        name = rng.choice(list(GOOD))
        try:
            assert read_structure(mutated(GOOD[name], rng).encode(), rng.choice([name, ""])).is_ordered
        except CrystalError as error:
            assert "\n" not in str(error) and len(str(error)) < 400
