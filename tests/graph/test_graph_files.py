"""Kept graphs are a convenience: right or not there, and never in the way."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import torch
from pymatgen.core import Structure

from cgcnn.graph import CrystalGraph, GraphConfig, build_graph
from cgcnn.graph import graph_files as kept
from cgcnn.graph.build import read
from cgcnn.graph.graph_files import GraphFiles, Shard, code_version, from_bytes, key_of, to_bytes
from cgcnn.graph.merge import merged

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def shard(rock_salt: Structure) -> Shard:
    return Shard(merged(build_graph(rock_salt)), {3: "No neighbor within 8 Å."})


def same(one: CrystalGraph, other: CrystalGraph) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in kept._names()]
    return all(a is b is None or torch.equal(a, b) for a, b in pairs) and one.n_crystals == other.n_crystals


def test_a_shard_comes_back_as_it_was(shard: Shard, rutile: Structure, tmp_path: Path) -> None:
    files, plain = GraphFiles(tmp_path / "new" / "folder"), Shard(build_graph(rutile), {})
    for key, given in ((KEY, shard), (OTHER, plain)):
        files.save(key, given)
        found = files.load(key)
        assert found and found.dropped == given.dropped and same(found.graph, given.graph)
    assert files.load("c" * 64) is None


def test_bytes_and_back_is_the_shard(shard: Shard) -> None:
    back = from_bytes(to_bytes(shard))
    assert back.dropped == shard.dropped and same(back.graph, shard.graph)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[:-1],
    "cut in the checksum": lambda data: data[:20],
    "one bit turned": lambda data: data[:500] + bytes([data[500] ^ 4]) + data[501:],
    "a bit of the checksum turned": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "longer": lambda data: data + b"\0",
    "another program's": lambda data: b"PK\3\4" + bytes(1000),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_not_believed(damage: str, shard: Shard, tmp_path: Path) -> None:
    files = GraphFiles(tmp_path)
    files.save(KEY, shard)
    (path,) = tmp_path.iterdir()
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert files.load(KEY) is None


def test_a_file_under_another_name_is_not_believed(shard: Shard, tmp_path: Path) -> None:
    files = GraphFiles(tmp_path)
    files.save(KEY, shard)
    (path,) = tmp_path.iterdir()
    path.rename(tmp_path / f"{OTHER}.graphs")
    assert files.load(OTHER) is None


def test_the_key_tells_crystals_settings_and_code_apart(
    rock_salt: Structure, rutile: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, nudged = GraphConfig(), rock_salt.copy()
    nudged.translate_sites([0], [1e-15, 0, 0], to_unit_cell=False)
    sets = [[rock_salt], [nudged], [rutile], [rock_salt, rutile], [rutile, rock_salt]]
    keys = {key_of(read(structures, config), config, False) for structures in sets}
    keys |= {key_of(read([rock_salt], c), c, m) for c in (config, GraphConfig(max_neighbors=11)) for m in (True, False)}
    monkeypatch.setattr(kept, "code_version", lambda: "of tomorrow")
    keys.add(key_of(read([rock_salt], config), config, False))
    assert len(keys) == len(sets) + 3 + 1


def test_the_version_is_that_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    now = code_version()
    code_version.cache_clear()
    monkeypatch.setattr(kept.inspect, "getsource", lambda module: f"edited {module.__name__}")
    assert code_version() != now
    code_version.cache_clear()


def test_a_folder_that_cannot_be_written_is_no_error(shard: Shard, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    files = GraphFiles(tmp_path / "file" / "folder")
    files.save(KEY, shard)
    assert files.load(KEY) is None


def test_a_full_disk_leaves_nothing_behind(shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept.os, "replace", full)
    GraphFiles(tmp_path).save(KEY, shard)
    assert list(tmp_path.iterdir()) == []


def test_what_was_used_longest_ago_makes_room(shard: Shard, tmp_path: Path) -> None:
    GraphFiles(tmp_path).save(KEY, shard)
    size = (tmp_path / f"{KEY}.graphs").stat().st_size
    files = GraphFiles(tmp_path, limit=2 * size)
    files.save(OTHER, shard)
    for age, key in enumerate((OTHER, KEY)):
        os.utime(tmp_path / f"{key}.graphs", (age, age))
    files.load(OTHER)  # the older one, but used now
    files.save("c" * 64, shard)
    assert sorted(path.stem[0] for path in tmp_path.iterdir()) == ["b", "c"]


def test_what_a_dead_writer_left_is_cleared_away(shard: Shard, tmp_path: Path) -> None:
    for name, age in (("old.part", 2 * kept.FORGOTTEN), ("new.part", 0.0)):
        (tmp_path / name).write_bytes(b"half")
        then = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    (tmp_path / "notes.txt").write_text("not ours")
    GraphFiles(tmp_path, limit=0).save(KEY, shard)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.part", "notes.txt"]


def test_writers_of_one_shard_do_not_disturb_each_other(shard: Shard, tmp_path: Path) -> None:
    files = GraphFiles(tmp_path)
    files.save(KEY, shard)
    seen: list[Shard | None] = []

    def write_and_read() -> None:
        for _ in range(20):
            files.save(KEY, shard)
            seen.append(files.load(KEY))

    threads = [Thread(target=write_and_read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen) and [path.name for path in tmp_path.iterdir()] == [f"{KEY}.graphs"]
