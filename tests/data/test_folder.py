import io
import zipfile
from pathlib import Path

import pytest

from cgcnn.data import DatasetConfig, archive, load_crystals
from cgcnn.data.folder import load, read_folder, save_zip, stored_sets
from cgcnn.data.samples import FOLDER as SAMPLES
from cgcnn.data.targets import TARGETS
from cgcnn.errors import DatasetError

ROCK_SALT = (SAMPLES / "NaCl.cif").read_bytes()
PYRITE = (SAMPLES / "FeS2.cif").read_bytes()


def folder(tmp_path: Path, table: str | bytes | None, **files: bytes) -> Path:
    home = tmp_path / "mine"
    home.mkdir()
    if table is not None:
        (home / "id_prop.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    for name, data in (files or {"a": ROCK_SALT, "b": PYRITE}).items():
        (home / f"{name}.cif").write_bytes(data)
    return home


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return packed.getvalue()


def test_a_table_without_header_gives_the_target_id_prop(tmp_path: Path) -> None:
    loaded = read_folder(folder(tmp_path, "a,1.5\nb,-2\n"))
    assert {c.id: dict(c.targets) for c in loaded.crystals} == {"a": {"id_prop": 1.5}, "b": {"id_prop": -2.0}}
    assert [c.formula for c in loaded.crystals] == ["NaCl", "FeS2"]
    assert not loaded.dropped


def test_a_header_names_the_targets_and_an_empty_cell_is_no_label(tmp_path: Path) -> None:
    loaded = read_folder(folder(tmp_path, "id,band_gap,density\na,5,2.1\nb,,5\n"))
    assert [dict(c.targets) for c in loaded.crystals] == [{"band_gap": 5, "density": 2.1}, {"density": 5}]


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("1.0", "0.0"), ("yes", "No"), ("TRUE", "FALSE")])
def test_a_class_is_1_or_0_however_it_is_written(tmp_path: Path, yes: str, no: str) -> None:
    loaded = read_folder(folder(tmp_path, f"id,metal,magnetic\na,{yes},\nb,{no},{yes}\n"))
    assert [dict(c.targets) for c in loaded.crystals] == [{"metal": 1}, {"metal": 0, "magnetic": 1}]


@pytest.mark.parametrize("wrong", ["2", "0.5", "metal", "nan", "-1", "inf"])
def test_a_class_that_is_neither_is_left_out_and_told_what_to_write(tmp_path: Path, wrong: str) -> None:
    loaded = read_folder(folder(tmp_path, f"id,metal\na,1\nb,{wrong}\n"))
    assert loaded.dropped["b"] == (
        f"Line 3 of id_prop.csv gives '{wrong}', but metal is a class; "
        "write 1 for “metal” or 0 for “has a band gap”, or leave the cell empty."
    )


def test_without_a_header_ones_and_zeros_are_numbers(tmp_path: Path) -> None:
    loaded = read_folder(folder(tmp_path, "a,1\nb,0\n"))
    assert [dict(c.targets) for c in loaded.crystals] == [{"id_prop": 1}, {"id_prop": 0}]
    assert not TARGETS["id_prop"].is_class


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    loaded = read_folder(folder(tmp_path, b'\xef\xbb\xbf"a", 1.5\r\n\r\nb.cif,2\r\n'))
    assert [c.id for c in loaded.crystals] == ["a", "b.cif"]
    assert not loaded.dropped


@pytest.mark.parametrize(
    ("line", "id", "why"),
    [
        ("b,blue", "b", "Line 2 of id_prop.csv gives 'blue', which is no finite number; correct or remove it."),
        ("b,nan", "b", "Line 2 of id_prop.csv gives 'nan', which is no finite number; correct or remove it."),
        ("b,inf", "b", "Line 2 of id_prop.csv gives 'inf', which is no finite number; correct or remove it."),
        ("b,", "b", "Line 2 of id_prop.csv gives no value; write a number after the comma."),
        ("b", "b", "Line 2 of id_prop.csv has 1 cells but 2 are expected; correct the line."),
        ("b,1,2", "b", "Line 2 of id_prop.csv has 3 cells but 2 are expected; correct the line."),
        (",2", "line 2", "Line 2 of id_prop.csv names no crystal; write its id before the comma."),
        ("a,2", "a (line 2)", "Line 2 of id_prop.csv repeats 'a'; the first line is used."),
        ("c,2", "c", "There is no file c.cif for the line of 'c' in id_prop.csv; add the file."),
        ("../b,2", "../b", "There is no file ../b.cif for the line of '../b' in id_prop.csv; add the file."),
    ],
)
def test_a_bad_line_is_left_out_and_named(tmp_path: Path, line: str, id: str, why: str) -> None:
    loaded = read_folder(folder(tmp_path, f"a,1\n{line}\n"))
    assert [c.id for c in loaded.crystals] == ["a"]
    assert loaded.dropped[id] == why


def test_a_file_without_a_line_is_named(tmp_path: Path) -> None:
    assert read_folder(folder(tmp_path, "a,1\n")).dropped == {"b": "id_prop.csv has no line for b.cif; add `b,value`."}


def test_a_broken_file_is_named_and_the_others_load(tmp_path: Path) -> None:
    loaded = read_folder(folder(tmp_path, "a,1\nb,2\n", a=ROCK_SALT, b=b"data_b\n_cell_length_a what\n"))
    assert [c.id for c in loaded.crystals] == ["a"]
    assert loaded.dropped["b"].startswith("b.cif: ")


def test_of_two_files_with_one_id_the_cif_is_read(tmp_path: Path) -> None:
    home = folder(tmp_path, "a,1\n", a=ROCK_SALT)
    (home / "a.vasp").write_text("not read")
    assert read_folder(home).dropped == {"a.vasp": "a.cif is the file of crystal 'a'; remove one of the two."}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (None, "mine holds no id_prop.csv; add it, with one line `id,value` for each crystal."),
        ("", "id_prop.csv is empty; write one line `id,value` for each crystal."),
        (" \n\n", "id_prop.csv is empty; write one line `id,value` for each crystal."),
        ("a 1\nb 2\n", "Line 1 of id_prop.csv is 'a 1', with no comma; write one line `id,value` for each crystal."),
        (b"\xff\xfe\x00\x01", "id_prop.csv is not text in UTF-8; save it as CSV (UTF-8)."),
        (b"a,1\x00\n", "id_prop.csv is no text file; save it as CSV (UTF-8)."),
        ("a,1,2\n", "Line 1 of id_prop.csv has 3 cells and there is no header; keep `id,value`, or name the columns"),
        ("id,colour\na,1\n", "id_prop.csv has a column 'colour', which is no target; use one of formation_energy"),
        ("id,density,density\na,1,2\n", "id_prop.csv has two columns of the same name; remove one."),
        ("id,density\n", "mine gives no crystal with a value (first: a: id_prop.csv has no line for a.cif"),
        ("x,1\n", "mine gives no crystal with a value (first: x: There is no file x.cif for the line of 'x'"),
    ],
)
def test_a_bad_table_is_one_sentence(tmp_path: Path, table: str | bytes | None, why: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_folder(folder(tmp_path, table))
    assert str(caught.value).startswith(why)
    assert str(caught.value).count("\n") == 0


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no folder or zip 'nowhere'"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="No folder is named"):
        load(DatasetConfig(source="folder"))


def test_a_zip_is_read_whatever_folders_it_holds(tmp_path: Path) -> None:
    files = {"set/id_prop.csv": b"a,1\n", "../../evil/a.cif": ROCK_SALT, "__MACOSX/._a.cif": b"x", "set/": b""}
    (tmp_path / "set.zip").write_bytes(zipped(files))
    loaded = read_folder(tmp_path / "set.zip")
    assert [c.formula for c in loaded.crystals] == ["NaCl"]
    assert not loaded.dropped
    assert [file.name for file in tmp_path.rglob("*")] == ["set.zip"]  # nothing is unpacked to disk


def test_two_members_of_one_name_are_named(tmp_path: Path) -> None:
    data = zipped({"id_prop.csv": b"a,1\n", "one/a.cif": ROCK_SALT, "two/a.cif": PYRITE})
    loaded = read_folder(save_zip(data, "set.zip", tmp_path))
    assert loaded.crystals[0].formula == "NaCl"
    assert loaded.dropped == {"two/a.cif": "The zip holds a second file named a.cif; the first one is used."}


def test_a_member_that_unpacks_to_too_much_is_left_out(tmp_path: Path) -> None:
    data = zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": b" " * 6_000_000})
    loaded = read_folder(save_zip(data, "set.zip", tmp_path))
    assert loaded.dropped == {"b": "The file has more than the 5,000,000 bytes allowed; bring a smaller one."}


def test_a_zip_that_unpacks_to_too_much_is_read_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", len(ROCK_SALT))
    data = zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": PYRITE})
    loaded = read_folder(save_zip(data, "set.zip", tmp_path))
    assert [c.id for c in loaded.crystals] == ["a"]
    assert "unpacks to more than" in loaded.dropped["b"]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    with pytest.raises(DatasetError, match="mine holds 3 files, more than the limit of 2"):
        read_folder(folder(tmp_path, "a,1\n"))


def test_a_damaged_member_is_left_out_and_named(tmp_path: Path) -> None:
    data = bytearray(zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": PYRITE}))
    at = data.index(b"b.cif") + 60
    data[at : at + 40] = bytes(40)
    loaded = read_folder(save_zip(bytes(data), "set.zip", tmp_path))
    assert loaded.dropped == {"b": "The file is damaged or encrypted in the zip; pack it again."}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and no more", ROCK_SALT])
def test_what_is_no_zip_is_refused_and_not_kept(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DatasetError, match=r"my\.zip is no zip file that can be opened; pack the folder again."):
        save_zip(data, "my.zip", tmp_path)
    assert stored_sets(tmp_path) == []


def test_a_bad_set_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no id_prop\.csv"):
        save_zip(zipped({"a.cif": ROCK_SALT}), "my.zip", tmp_path)
    assert stored_sets(tmp_path) == []


def test_a_kept_zip_has_a_name_made_from_its_content(tmp_path: Path) -> None:
    data = zipped({"id_prop.csv": b"a,1\n", "a.cif": ROCK_SALT})
    file = save_zip(data, "../my set!.zip", tmp_path)
    assert file == save_zip(data, "../my set!.zip", tmp_path)
    assert file.name.startswith("my-set-")
    assert stored_sets(tmp_path) == [file]
    assert file.read_bytes() == data


def test_a_run_on_a_small_folder_says_how_many_crystals_are_needed(tmp_path: Path) -> None:
    home = folder(tmp_path, "a,1\nb,2\n")
    with pytest.raises(DatasetError, match=r"Only 1 crystals .*but 20 are needed \(1 have more than 8 atoms\)"):
        load_crystals(DatasetConfig(source="folder", path=str(home), target="id_prop"))


def test_a_run_on_the_wrong_target_says_so(tmp_path: Path) -> None:
    home = folder(tmp_path, "a,1\nb,2\n")
    with pytest.raises(DatasetError, match=r"“Formation energy” .*2 have no such value"):
        load_crystals(DatasetConfig(source="folder", path=str(home)))


def test_a_folder_of_enough_crystals_can_be_learned_from(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(20)]
    home = folder(tmp_path, "".join(f"{name},{i}\n" for i, name in enumerate(names)), **dict.fromkeys(names, ROCK_SALT))
    loaded = load_crystals(DatasetConfig(source="folder", path=str(home), target="id_prop"))
    assert [c.id for c in loaded.crystals] == names
