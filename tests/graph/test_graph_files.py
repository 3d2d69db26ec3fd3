"""Kept graphs are a convenience: right or not there, and never in the way."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import torch
from pymatgen.core import Structure

from cgcnn.graph import CrystalGraph, GraphConfig, build, build_graph, merge, neighbors
from cgcnn.graph import graph_files as kept
from cgcnn.graph.build import read
from cgcnn.graph.graph_files import GraphFiles, Shard, code_version, from_bytes, key_of, to_bytes
from cgcnn.graph.merge import merged
from cgcnn.graph.sites import Sites

ROOT = Path(__file__).parents[2]
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


def test_places_and_cells_are_kept_where_there_are_any(rutile: Structure, shard: Shard) -> None:
    kept_graph = from_bytes(to_bytes(Shard(build_graph(rutile), {}))).graph
    assert torch.equal(kept_graph.fractional, build_graph(rutile).fractional) and kept_graph.lattice.shape == (1, 3, 3)
    assert from_bytes(to_bytes(shard)).graph.fractional is None


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


def test_the_key_tells_crystals_settings_and_code_apart(rock_salt: Structure, rutile: Structure) -> None:
    config, nudged = GraphConfig(), rock_salt.copy()
    nudged.translate_sites([0], [1e-15, 0, 0], to_unit_cell=False)
    sets = [[rock_salt], [nudged], [rutile], [rock_salt, rutile], [rutile, rock_salt]]
    configs = (config, GraphConfig(max_neighbors=11))
    keys = {key_of(read(structures, config), config, False, "1") for structures in sets}
    keys |= {key_of(read([rock_salt], c), c, light, "1") for c in configs for light in (True, False)}
    keys.add(key_of(read([rock_salt], config), config, False, "2"))
    assert len(keys) == len(sets) + 3 + 1


CHANGES = [
    (neighbors, "TIE", 2e-5),
    (neighbors, "GROWTH", 1.4),
    (merge, "SAME", 1e-4),
    (merge, "WORTH", 0.5),
    (build, "MAX_EDGES", 10),
    (build, "graph_of", build_graph),
    (Sites, "part", Sites.of),
    (CrystalGraph, "take", CrystalGraph.to),
]


@pytest.mark.parametrize(("place", "name", "value"), CHANGES, ids=[change[1] for change in CHANGES])
def test_whatever_decides_a_graph_changes_the_version(
    place: object, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = code_version()
    monkeypatch.setattr(place, name, value)
    assert code_version() != now
    monkeypatch.undo()
    assert code_version() == now


def test_a_rule_that_is_put_in_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    now = code_version()
    monkeypatch.setitem(neighbors.NEIGHBOR_RULES, "k nearest", lambda *question: neighbors.whole_shells(*question))
    assert code_version() != now


OLD, NEW = "10 * TIE, centers), count)", "10 * TIE, centers), count - 1)"
BUILD = """
from pathlib import Path
from pymatgen.core import Lattice, Structure
from cgcnn.graph import GraphConfig, build_all, neighbors
from cgcnn.graph.graph_files import GraphFiles
from cgcnn.graph.graph_process import GraphProcess
from cgcnn.graph.sites import Sites
crystal = Structure(Lattice.cubic(4.1), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
def build():
    built = yield from build_all([crystal], GraphConfig(), cache=GraphFiles(Path("kept")))
    print(built.graph.degree.tolist(), flush=True)
"""
WARM = f"""
path = Path(neighbors.__file__)
path.write_text(path.read_text().replace({OLD!r}, {NEW!r}))
process = GraphProcess(GraphConfig(), False)
[*build()]
try:
    print(process.ask(Sites.of(crystal)))
except (EOFError, OSError):
    print("ended at once")
finally:
    process.end()
"""


def test_a_rule_edited_while_a_process_runs_on_gives_nobody_else_its_old_graphs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "cgcnn", tmp_path / "cgcnn", ignore=shutil.ignore_patterns("__pycache__"))
    command, settings = [sys.executable, "-P", "-c"], os.environ | {"PYTHONPATH": str(tmp_path)}
    old = subprocess.Popen([*command, BUILD + WARM], cwd=tmp_path, env=settings, stdout=subprocess.PIPE, text=True)
    with old:
        assert old.stdout and old.stdout.readline() == "[12, 12]\n"
        fresh = subprocess.run([*command, BUILD + "[*build()]"], cwd=tmp_path, env=settings, stdout=subprocess.PIPE)
        assert fresh.stdout == b"[11, 11]\n"
        assert old.stdout.read() == "ended at once\n", "the old process used one that had loaded the new rule"


def test_a_folder_that_cannot_be_written_is_no_error(shard: Shard, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    files = GraphFiles(tmp_path / "file" / "folder")
    files.save(KEY, shard)
    files.make_room()
    assert files.load(KEY) is None and files.size(KEY) == 0


def test_a_shard_larger_than_what_is_left_is_not_kept(shard: Shard, tmp_path: Path) -> None:
    files = GraphFiles(tmp_path)
    files.save(KEY, shard)
    size = files.size(KEY)
    files.save(OTHER, shard, size - 1)
    assert files.load(OTHER) is None
    files.save(OTHER, shard, size)
    assert files.load(OTHER)


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
    files.make_room()
    assert sorted(path.stem[0] for path in tmp_path.iterdir()) == ["b", "c"]


def test_what_a_dead_writer_left_is_cleared_away(shard: Shard, tmp_path: Path) -> None:
    for name, age in (("old.part", 2 * kept.FORGOTTEN), ("new.part", 0.0)):
        (tmp_path / name).write_bytes(b"half")
        then = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    (tmp_path / "notes.txt").write_text("not ours")
    GraphFiles(tmp_path).save(KEY, shard)
    GraphFiles(tmp_path, limit=0).make_room()
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
