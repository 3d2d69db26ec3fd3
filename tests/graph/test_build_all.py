"""A large set, shard by shard: the same graphs, from the disk, from other processes, and when something breaks."""

import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.graph import CrystalGraph, GraphConfig, build_all, build_graphs, many
from cgcnn.graph.build import Built, finished
from cgcnn.graph.graph_files import GraphFiles, _names
from cgcnn.graph.graph_process import GraphProcess
from cgcnn.graph.merge import lightest
from cgcnn.graph.sites import Sites

CONFIG = GraphConfig()
ISOLATED = Structure(Lattice.cubic(30.0), ["Ar"], [[0, 0, 0]])


@pytest.fixture
def crystals(
    rock_salt: Structure, perovskite: Structure, rutile: Structure, low_symmetry: Structure
) -> list[Structure]:
    return [rock_salt, ISOLATED, perovskite, rutile, low_symmetry, ISOLATED, rutile]


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST_CRYSTALS", 2)


def drained(steps: Generator[int, None, Built]) -> tuple[list[int], Built]:
    said = []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as end:
            return said, end.value


def same(one: CrystalGraph, other: CrystalGraph) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in _names()]
    return all(a is b is None or torch.equal(a, b) for a, b in pairs) and one.n_crystals == other.n_crystals


def test_shards_are_at_most_so_many_crystals_and_atoms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "MOST_ATOMS", 100)
    found = many.spans([10, 10, 10, 95, 300, 1, 1, 1])
    assert [(s.start, s.stop) for s in found] == [(0, 2), (2, 3), (3, 4), (4, 5), (5, 7), (7, 8)]
    assert many.spans([]) == []


def test_a_set_in_shards_is_the_set_at_once(crystals: list[Structure]) -> None:
    said, built = drained(build_all(crystals, CONFIG))
    whole = build_graphs(crystals, CONFIG)
    assert said == [2, 4, 6, 7]
    assert (built.kept, built.dropped) == (whole.kept, whole.dropped) == ((0, 2, 3, 4, 6), whole.dropped)
    assert same(built.graph, whole.graph)


def test_merged_shards_are_the_set_merged(crystals: list[Structure]) -> None:
    _, built = drained(build_all(crystals, CONFIG, light=True))
    assert same(built.graph, lightest(build_graphs(crystals, CONFIG).graph))


def test_light_shards_hold_no_places_and_others_do(crystals: list[Structure], low_symmetry: Structure) -> None:
    for some in (crystals, [low_symmetry] * 3):  # of which none is merged
        light = drained(build_all(some, CONFIG, light=True))[1].graph
        plain = drained(build_all(some, CONFIG))[1].graph
        assert light.fractional is None and light.lattice is None
        assert plain.fractional.shape == (plain.n_atoms, 3) and plain.lattice.shape == (plain.n_crystals, 3, 3)


@pytest.mark.parametrize("crystals", [[], [ISOLATED, ISOLATED, ISOLATED]], ids=["no crystals", "none has a graph"])
def test_nothing_to_build_is_an_empty_graph(crystals: list[Structure]) -> None:
    _, built = drained(build_all(crystals, CONFIG, light=True))
    assert (built.graph.n_crystals, built.kept, len(built.dropped)) == (0, (), len(crystals))


def test_what_was_built_once_is_read_the_next_time(
    crystals: list[Structure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = drained(build_all(crystals, CONFIG, light=True, cache=GraphFiles(tmp_path)))
    monkeypatch.setattr(many, "finished", None)
    said, again = drained(build_all(crystals, CONFIG, light=True, cache=GraphFiles(tmp_path)))
    assert said == [2, 4, 6, 7] and same(first.graph, again.graph)
    assert (first.kept, first.dropped) == (again.kept, again.dropped)


def test_damaged_files_are_built_again(crystals: list[Structure], tmp_path: Path) -> None:
    _, first = drained(build_all(crystals, CONFIG, cache=GraphFiles(tmp_path)))
    sound = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path, data in sound.items():
        path.write_bytes(data[: len(data) // 2])
    _, again = drained(build_all(crystals, CONFIG, cache=GraphFiles(tmp_path)))
    assert same(first.graph, again.graph) and len(sound) == 4
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == sound


def test_other_settings_meet_no_kept_graphs(crystals: list[Structure], tmp_path: Path) -> None:
    drained(build_all(crystals, CONFIG, cache=GraphFiles(tmp_path)))
    other = CONFIG.with_(max_neighbors=3)
    _, built = drained(build_all(crystals, other, cache=GraphFiles(tmp_path)))
    assert same(built.graph, build_graphs(crystals, other).graph)


def test_room_is_made_once_at_the_end_of_a_build_that_kept_something(
    crystals: list[Structure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr(GraphFiles, "make_room", lambda files: made.append(len([*tmp_path.iterdir()])))
    for _ in range(2):  # the second keeps nothing new
        drained(build_all(crystals, CONFIG, cache=GraphFiles(tmp_path)))
    assert made == [4]
    closed = build_all(crystals, CONFIG.with_(max_neighbors=3), cache=GraphFiles(tmp_path))
    next(closed)
    closed.close()
    monkeypatch.setattr(many, "refusals", None)  # a fault in a later shard
    with pytest.raises(TypeError):
        drained(build_all(crystals, CONFIG.with_(max_neighbors=3), cache=GraphFiles(tmp_path)))
    assert made == [4, 5]


def test_a_set_larger_than_the_limit_finds_again_what_was_kept(
    crystals: list[Structure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained(build_all(crystals, CONFIG, cache=GraphFiles(tmp_path / "all")))
    sizes = [path.stat().st_size for path in (tmp_path / "all").iterdir()]
    files, built = GraphFiles(tmp_path / "few", limit=sum(sizes) - 1), []
    drained(build_all(crystals, CONFIG.with_(max_neighbors=8), cache=files))

    def counted(*question: Any) -> Any:
        built.append(question)
        return finished(*question)

    monkeypatch.setattr(many, "finished", counted)
    for n_built in (4, 5, 6):
        drained(build_all(crystals, CONFIG, cache=files))
        assert len(built) == n_built
        assert sum(path.stat().st_size for path in files.folder.iterdir()) <= files.limit


def test_a_set_larger_than_the_limit_pushes_out_none_of_its_own(
    crystals: list[Structure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GraphFiles, "make_room", lambda files: None)
    drained(build_all(crystals, CONFIG, cache=GraphFiles(tmp_path / "all")))
    sizes = [path.stat().st_size for path in (tmp_path / "all").iterdir()]
    files = GraphFiles(tmp_path / "few", limit=sum(sizes) - 1)
    for _ in range(2):  # what is read the second time counts as well
        drained(build_all(crystals, CONFIG, cache=files))
        assert 0 < sum(path.stat().st_size for path in files.folder.iterdir()) <= files.limit


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[GraphProcess]:
    """The processes that a build starts; it starts them at once."""
    found: list[GraphProcess] = []

    def start(*settings: Any) -> GraphProcess:
        found.append(GraphProcess(*settings))
        return found[-1]

    monkeypatch.setattr(many, "GraphProcess", start)
    monkeypatch.setattr(many, "WORTH", 0.0)
    return found


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphProcess]:
    (tmp_path / "cgcnn.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    process = GraphProcess(CONFIG, True)
    yield process
    process.end()


def test_a_process_answers_as_this_one_would_and_ends_when_asked_no_more(
    process: GraphProcess, crystals: list[Structure]
) -> None:  # started in a folder with another library of this name
    for part in (crystals, crystals[2:]):
        sites = Sites.of(*part)
        (graph, isolated), (expected, alone) = process.ask(sites), finished(sites, CONFIG, True)
        assert same(graph, expected) and np.array_equal(isolated, alone)
    assert process._process.stdin
    process._process.stdin.close()  # as when the starter dies
    assert process._process.wait(timeout=30) == 0


def test_two_processes_give_what_one_gives(
    crystals: list[Structure], started: list[GraphProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, ask, begun = threading.Event(), GraphProcess.ask, threading.Event()

    def asked(process: GraphProcess, sites: Sites) -> Any:
        answer = ask(process, sites)
        answered.set()
        return answer

    def patient(*question: Any) -> Any:
        if begun.is_set():  # the first shard is built before another process is thought of
            assert answered.wait(60), "the other process never answered"
        begun.set()
        return finished(*question)

    monkeypatch.setattr(GraphProcess, "ask", asked)
    monkeypatch.setattr(many, "finished", patient)
    said, built = drained(build_all(crystals * 3, CONFIG, light=True, processes=2))
    assert said[-1] == 21 and answered.is_set() and len(started) == 1
    assert same(built.graph, drained(build_all(crystals * 3, CONFIG, light=True))[1].graph)
    assert not psutil.pid_exists(started[0].pid)


TROUBLE = {"killed": GraphProcess.kill, "hanging": lambda process: psutil.Process(process.pid).suspend()}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_lost_process_is_worked_around(
    trouble: str, crystals: list[Structure], started: list[GraphProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = GraphProcess.ask

    def troubled(process: GraphProcess, sites: Sites) -> Any:
        TROUBLE[trouble](process)
        return ask(process, sites)

    monkeypatch.setattr(GraphProcess, "ask", troubled)
    _, built = drained(build_all(crystals * 3, CONFIG, processes=3))
    assert same(built.graph, build_graphs(crystals * 3, CONFIG).graph)
    assert not any(psutil.pid_exists(process.pid) for process in started)


@pytest.mark.parametrize("place", ["cgcnn.graph.many.GraphProcess", "threading.Thread.start"])
def test_where_no_process_can_be_had_this_one_does_the_work(
    place: str, crystals: list[Structure], started: list[GraphProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def none_to_be_had(*settings: object) -> None:
        asked.append(settings)
        raise OSError(12, "Cannot allocate memory") if place.endswith("Process") else RuntimeError("no more threads")

    monkeypatch.setattr(place, none_to_be_had)
    _, built = drained(build_all(crystals * 3, CONFIG, processes=3))
    assert same(built.graph, build_graphs(crystals * 3, CONFIG).graph)
    assert asked and not started


def test_no_more_processes_are_started_than_have_work(
    crystals: list[Structure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "GraphProcess", None)  # each thread fails to start its own, and ends
    for structures, asked, begun in ((crystals * 9, 99, 7), (crystals, 99, 4), (crystals, 2, 2), ([], 99, 0)):
        with many.Crew(many.Work(structures, CONFIG, False, None), {}) as crew:
            crew.start(asked)
            assert len(crew._threads) == begun


def test_cores_that_are_not_ours_are_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many.os, "sched_getaffinity", lambda process: {0, 3, 5, 6}, raising=False)
    for load, idle in ((0.2, 4), (1.4, 3), (64.0, 1)):
        monkeypatch.setattr(many.psutil, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        assert many.idle_cores() == idle


def test_closing_the_build_leaves_no_process(crystals: list[Structure], started: list[GraphProcess]) -> None:
    steps = build_all(crystals * 20, CONFIG, processes=3)
    while not started:
        next(steps)
    steps.close()
    assert not any(psutil.pid_exists(process.pid) for process in started)
    assert not any(thread.name.startswith("graphs") for thread in threading.enumerate())


def test_little_work_starts_no_process(crystals: list[Structure], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "GraphProcess", None)
    said, _ = drained(build_all(crystals, CONFIG, processes=8))
    assert said[-1] == len(crystals)
