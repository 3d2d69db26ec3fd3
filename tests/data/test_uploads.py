"""What people bring comes in through one door: paths in a zip lead nowhere, and every limit is a sentence."""

import tomllib
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cgcnn.data import shelf
from cgcnn.data.archive import zip_files
from cgcnn.data.folder import read_kept, read_zip, save_zip, stored_sets
from cgcnn.data.samples import FOLDER
from cgcnn.data.sandbox import read_untrusted, read_untrusted_set
from cgcnn.errors import CrystalError, DatasetError
from malformed import zipped
from page_kit import opened

ROCK_SALT = (FOLDER / "NaCl.cif").read_bytes()


# Zips


@pytest.mark.parametrize(
    "name", ["../../evil/a.cif", "/etc/a.cif", "C:\\evil\\a.cif", "..\\..\\a.cif", "deep/er/a.cif"]
)
def test_the_path_of_a_member_is_ignored(tmp_path: Path, name: str) -> None:
    kept = save_zip(zipped({"id_prop.csv": b"a,1\n", name: ROCK_SALT}), "set.zip", tmp_path / "home")
    assert [crystal.id for crystal in read_kept(kept).crystals] == ["a"]
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [kept]


def test_a_link_in_a_zip_is_a_text_and_leads_nowhere() -> None:
    link = zipfile.ZipInfo("b.cif")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    packed = BytesIO(zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT}))
    with zipfile.ZipFile(packed, "a") as out:
        out.writestr(link, str(FOLDER / "NaCl.cif"))
    loaded = read_untrusted_set(packed.getvalue(), "set.zip")
    assert [c.id for c in loaded.crystals] == ["a"] and "b" in loaded.dropped


def test_a_zip_in_a_zip_is_named_and_not_opened() -> None:
    files = {"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": zipped({"c.cif": ROCK_SALT})}
    dropped = read_untrusted_set(zipped(files), "set.zip").dropped
    assert dropped == {"b": "b.cif: it is packed (zip); unpack it and bring the crystal files themselves."}


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_unpacks_without_a_limit_is_refused(packing: int) -> None:
    files, _ = zip_files(zipped({"a.cif": b" " * 50_000_000}, packing), "set.zip")
    with pytest.raises(DatasetError, match=r"packed in a way not known here; pack an ordinary zip"):
        files["a.cif"]()


def test_a_bomb_that_lies_about_its_size_is_counted_as_it_comes_out() -> None:
    data = zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": b" " * 50_000_000})
    lie = data.replace((50_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert lie != data
    assert set(read_untrusted_set(lie, "set.zip").dropped) == {"b"}


def test_a_zip_of_too_many_entries_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the count must come first"))
    with pytest.raises(DatasetError, match=r"set\.zip has 60,001 entries, and 20,000 files are allowed"):
        zip_files(b"PK\x01\x02" * 60_001, "set.zip")


@pytest.mark.parametrize("name", ["a\nb.cif", "a\x1b[31m.cif", "x" * 5_000 + ".cif"])
def test_an_odd_name_in_a_zip_is_left_out_and_shown_on_one_line(name: str) -> None:
    _, dropped = zip_files(zipped({name: ROCK_SALT}), "set.zip")
    (shown, why), *_ = dropped.items()
    assert shown.isprintable() and len(shown) <= 100
    assert why == "A file name is one line of at most 100 characters; rename the file."


def test_a_zip_with_an_odd_name_of_its_own_is_named_on_one_line() -> None:
    with pytest.raises(DatasetError, match=r"^set\.zip is no zip file that can be opened; pack the folder again\.$"):
        read_untrusted_set(b"no zip", "evil/\ns\x00et.zip")


def test_an_odd_id_is_left_out_and_shown_on_one_line() -> None:
    table = b'a,1\n"b\nc",2\n' + b"d" * 5_000 + b",3\n"
    dropped = read_untrusted_set(zipped({"id_prop.csv": table, "a.cif": ROCK_SALT}), "set.zip").dropped
    assert list(dropped) == ["line 2", "line 3"]
    assert all(why.endswith("so shorten it.") and why.isprintable() and len(why) < 200 for why in dropped.values())


def test_a_set_of_too_many_atoms_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgcnn.data.folder.MAX_SET_ATOMS", 15)
    data = zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": ROCK_SALT})
    with pytest.raises(DatasetError, match=r"^set\.zip holds more than 15 atoms in all; split the set\.$"):
        read_zip(data, "set.zip", lambda *_: None)


def test_a_bad_set_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        save_zip(b"no zip", "set.zip", tmp_path)
    assert stored_sets(tmp_path) == []


def test_a_set_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"^The set 'gone' is gone; upload its zip again\.$"):
        read_kept(tmp_path / "gone.zip")


# What comes after reading


@pytest.mark.parametrize(
    ("length", "atoms", "why"),
    [
        ("nan", "Na", "no number"),
        ("0.9", "Na", "length a is 0.9 Å; it must lie between 1 and"),
        ("1.2", "Na", "1.73 Å³ of room, and 2 to 30,000 Å³ are allowed"),
        ("32", "Na", "3.28e+04 Å³ of room"),
        ("5", "Lr", "element 103; the networks know elements 1 to 100"),
        ("5", "X", "unknown element"),
    ],
)
def test_a_crystal_outside_the_limits_is_refused(length: str, atoms: str, why: str) -> None:
    with pytest.raises(CrystalError) as caught:
        read_untrusted(poscar(length, atoms, 1).encode(), "POSCAR")
    assert why in str(caught.value)


@pytest.mark.parametrize(("length", "atoms"), [("1.3", "H"), ("30", "Fm")])
def test_a_crystal_at_the_limits_is_read(length: str, atoms: str) -> None:
    assert len(read_untrusted(poscar(length, atoms, 1).encode(), "POSCAR")) == 1


def test_two_thousand_atoms_are_read_and_one_more_is_not() -> None:
    assert len(read_untrusted(poscar("60", "Na", 2_000).encode(), "POSCAR")) == 2_000
    with pytest.raises(CrystalError, match=r"holds 2,001 atoms, more than the 2,000 allowed; bring a smaller cell\.$"):
        read_untrusted(poscar("60", "Na", 2_001).encode(), "POSCAR")


def poscar(length: str, atoms: str, count: int) -> str:
    """Atoms of one kind on a grid in a cube."""
    grid = np.stack(np.meshgrid(*[np.arange(13)] * 3), axis=-1).reshape(-1, 3)[:count] / 13
    rows = "\n".join(" ".join(f"{x:.6f}" for x in row) for row in grid)
    return f"x\n1.0\n{length} 0 0\n0 {length} 0\n0 0 {length}\n{atoms}\n{count}\nDirect\n{rows}\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', '{"name": "x", "structure": {}}'])
def test_a_damaged_file_on_the_shelf_is_a_sentence(tmp_path: Path, text: str) -> None:
    key = shelf.keep(ROCK_SALT, "NaCl.cif", tmp_path)
    (tmp_path / f"{key}.json").write_text(text)
    with pytest.raises(CrystalError, match=r"is damaged; upload the crystal again\.$"):
        shelf.kept(key, tmp_path)


def test_the_server_is_closed_to_what_it_need_not_hear() -> None:
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableCORS"] is True and config["server"]["enableXsrfProtection"] is True
    assert config["server"]["maxUploadSize"] == 20
    assert config["client"]["showErrorDetails"] == "none"


# On the Data page


def brought(app: Any, data: bytes) -> Any:
    """The Data page after a zip was brought."""
    return opened(app, "data").file_uploader(key="set_zip").set_value(("mine.zip", data, "application/zip")).run()


def test_a_set_that_is_brought_is_the_one_in_view(app: Any) -> None:
    page = brought(app, zipped({"id_prop.csv": b"id,band_gap\na,5\nb,1\n", "a.cif": ROCK_SALT, "b.cif": b"what"}))
    assert not page.exception and not page.error
    assert str(page.session_state["set"]).startswith("mine-")
    assert any("1 crystals that you brought" in text.value for text in page.markdown)


def test_a_set_that_is_none_is_a_sentence_on_the_page(app: Any) -> None:
    page = brought(app, b"no zip")
    assert [error.value for error in page.error] == [
        "mine.zip is no zip file that can be opened; pack the folder again."
    ]
    assert not page.run().exception
