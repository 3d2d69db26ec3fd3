"""What is read apart is read the same, cannot take more than its share, and leaves nothing behind."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgcnn.data import sandbox, sandbox_client
from cgcnn.data.folder import read_folder
from cgcnn.data.samples import FOLDER, SAMPLES
from cgcnn.data.sandbox import Limits, read_untrusted, read_untrusted_set
from cgcnn.data.sandbox_client import COMMAND, Sandbox
from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError, DatasetError
from malformed import GOOD, MALFORMED, zipped

ROCK_SALT = (FOLDER / "NaCl.cif").read_bytes()
HOSTILE = """
import os, pathlib, resource, subprocess, sys, time
from cgcnn.data import sandbox_host
from cgcnn.errors import CrystalError

def spin(data, name, tell):
    while True: pass

def spin_in_a_set(data, name, tell):
    tell("b.cif", 1, 2)
    spin(data, name, tell)

def write(data, name, tell):
    with open(data.decode(), "wb", buffering=0) as file: file.write(b"x")

def tell_files(data, name, tell):
    open_now = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return {"files": [os.readlink(file) for file in open_now if os.path.lexists(file)]}

sandbox_host.KINDS |= {
    "spin": spin,
    "spin in a set": spin_in_a_set,
    "sleep": lambda *_: time.sleep(60),
    "hoard": lambda *_: {"size": len(bytearray(2**31))},
    "die": lambda *_: os.abort(),
    "write": write,
    "fork": lambda *_: {"pid": os.fork()},
    "files": tell_files,
    "environment": lambda *_: dict(os.environ),
}
sandbox_host.main()
"""
QUICK = Limits(cpu=1, wall=30.0, memory=1024)


@pytest.fixture(scope="module")
def hostile() -> Iterator[Sandbox]:
    """A sandbox whose reader can also misbehave in every way that a file might make it."""
    opened = Sandbox([sys.executable, "-B", "-W", "ignore", "-c", HOSTILE])
    yield opened
    opened.close()


def refused(answer: sandbox_client.Answer, limits: Limits = QUICK) -> str:
    with pytest.raises(CrystalError) as caught:
        sandbox._value(answer, "x.cif", limits)
    return str(caught.value)


# The same crystal


@pytest.mark.parametrize("name", SAMPLES)
def test_a_crystal_comes_back_bit_for_bit(name: str) -> None:
    data = (FOLDER / f"{name}.cif").read_bytes()
    here, there = read_structure(data, f"{name}.cif"), read_untrusted(data, f"{name}.cif")
    assert there.as_dict() == here.as_dict()
    assert there.frac_coords.tobytes() == here.frac_coords.tobytes()
    assert there.lattice.matrix.tobytes() == here.lattice.matrix.tobytes()


@pytest.mark.parametrize("name", GOOD)
def test_every_format_is_read(name: str) -> None:
    assert read_untrusted(GOOD[name].encode(), name).reduced_formula == "NaCl"
    assert read_untrusted(GOOD[name].encode(), "").reduced_formula == "NaCl"


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_in_the_same_words(name: str) -> None:
    filename, data = MALFORMED[name]
    with pytest.raises(CrystalError) as here:
        read_structure(data, filename)
    with pytest.raises(CrystalError) as there:
        read_untrusted(data, filename)
    assert str(there.value) == str(here.value)


def test_a_set_is_the_one_that_is_read_here(tmp_path: Path) -> None:
    data = zipped({"id_prop.csv": b"a,0.1\nb,2\nc,3\n", "a.cif": ROCK_SALT, "b.cif": b"what"})
    (tmp_path / "set.zip").write_bytes(data)
    here, there = read_folder(tmp_path / "set.zip"), read_untrusted_set(data, "set.zip")
    assert there.dropped == here.dropped
    assert [(c.id, c.targets, c.structure) for c in there.crystals] == [
        (c.id, c.targets, c.structure) for c in here.crystals
    ]


def test_progress_names_each_file_of_a_set() -> None:
    said: list[tuple[str, int, int]] = []
    data = zipped({"id_prop.csv": b"a,1\nb,2\n", "a.cif": ROCK_SALT, "b.cif": ROCK_SALT})
    read_untrusted_set(data, "set.zip", lambda *words: said.append(words))
    assert said == [("a.cif", 0, 2), ("b.cif", 1, 2)]


def test_a_bad_set_is_a_mistake_of_the_same_kind() -> None:
    with pytest.raises(DatasetError, match=r"^my\.zip holds no id_prop\.csv; add it"):
        read_untrusted_set(zipped({"a.cif": ROCK_SALT}), "my.zip")


# Its share


def test_a_file_that_takes_too_long_is_refused_with_the_number(hostile: Sandbox) -> None:
    answer = hostile.ask("spin", "x.cif", b"", QUICK)
    assert refused(answer) == "x.cif: reading it took more than 1 s; bring a smaller cell (up to 2,000 atoms)."
    assert answer.usage.signal == signal.SIGXCPU and 0.9 < answer.usage.cpu < 2.5


def test_a_set_that_takes_too_long_names_the_file(hostile: Sandbox) -> None:
    said = refused(hostile.ask("spin in a set", "set.zip", b"", QUICK))
    assert said.endswith(": reading it took more than 1 s (it stopped at b.cif); remove that file, or split the set.")


def test_a_reader_that_waits_for_ever_is_ended(hostile: Sandbox) -> None:
    answer = hostile.ask("sleep", "x.cif", b"", Limits(cpu=1, wall=0.3, memory=1024))
    assert answer.usage.signal == signal.SIGALRM and answer.usage.seconds < 2
    assert "took more than" in refused(answer)


def test_a_file_that_takes_too_much_memory_is_refused_with_the_number(hostile: Sandbox) -> None:
    said = refused(hostile.ask("hoard", "x.cif", b"", QUICK))
    assert said.startswith("x.cif: reading it takes more than 1,024 MiB of memory; bring a smaller cell")


def test_a_crash_is_a_sentence(hostile: Sandbox) -> None:
    assert refused(hostile.ask("die", "x.cif", b"", QUICK)).startswith("x.cif: the reader failed on it; check it")


def test_an_unforeseen_fault_goes_to_the_log_and_not_to_the_page(
    hostile: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    assert "Traceback" not in refused(hostile.ask("no such kind", "x.cif", b"", QUICK))
    assert "KeyError" in caplog.text


def test_nothing_can_be_written(hostile: Sandbox, tmp_path: Path) -> None:
    refused(hostile.ask("write", "x.cif", str(tmp_path / "out").encode(), QUICK))
    assert all(file.stat().st_size == 0 for file in tmp_path.iterdir())


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may fork whatever the limit")
def test_no_process_can_be_started(hostile: Sandbox) -> None:
    assert "the reader failed" in refused(hostile.ask("fork", "x.cif", b"", QUICK))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_reader_holds_no_file_of_the_lab(hostile: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w"):
        files = hostile.ask("files", "x.cif", b"", QUICK).said["value"]["files"]
    assert len([file for file in files if file.startswith("socket:")]) == 1
    assert {file for file in files if not file.startswith(("socket:", "pipe:"))} == {os.devnull}


def test_a_reader_knows_no_keys(hostile: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MP_API_KEY", "secret")
    hostile.close()
    assert "MP_API_KEY" not in hostile.ask("environment", "x.cif", b"", QUICK).said["value"]


# Many, and again


def test_a_slow_file_holds_up_nobody(hostile: Sandbox) -> None:
    hostile.ask("crystal", "NaCl.cif", ROCK_SALT, QUICK)
    slow = threading.Thread(target=hostile.ask, args=("sleep", "x.cif", b"", Limits(cpu=1, wall=3.0, memory=1024)))
    slow.start()
    assert "value" in hostile.ask("crystal", "NaCl.cif", ROCK_SALT, QUICK).said
    assert slow.is_alive()
    slow.join()


def test_everyone_gets_their_own_answer() -> None:
    got: dict[str, str] = {}

    def student(name: str) -> None:
        got[name] = read_untrusted((FOLDER / f"{name}.cif").read_bytes(), f"{name}.cif").reduced_formula

    threads = [threading.Thread(target=student, args=(name,)) for name in ("NaCl", "MgO", "KCl", "Si", "W", "GaAs")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {name: name for name in got} and len(got) == 6


@pytest.mark.skipif(not sandbox_client.FORKS, reason="nothing stays warm here")
def test_a_lost_reader_is_started_again() -> None:
    with_loss = Sandbox()
    with_loss.ask("crystal", "NaCl.cif", ROCK_SALT, sandbox.CRYSTAL)
    os.kill(with_loss._process.pid, signal.SIGKILL)
    assert "value" in with_loss.ask("crystal", "NaCl.cif", ROCK_SALT, sandbox.CRYSTAL).said
    with_loss.close()


def test_a_reader_that_cannot_start_is_a_sentence() -> None:
    broken = Sandbox([sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(CrystalError, match=r"^x\.cif cannot be read now, since its reader is lost; try again\.$"):
        broken.ask("crystal", "x.cif", ROCK_SALT, QUICK)
    broken.close()


@pytest.mark.skipif(not sandbox_client.FORKS, reason="nothing stays warm here")
def test_the_reader_ends_with_the_lab() -> None:
    opened = Sandbox(COMMAND)
    opened.warm()
    process = opened._process
    opened._control.close()
    assert process.wait(30) == 0
    opened.close()


def test_where_nothing_can_fork_a_process_is_started_for_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_client, "FORKS", False)
    assert read_untrusted(ROCK_SALT, "NaCl.cif") == read_structure(ROCK_SALT, "NaCl.cif")
    with pytest.raises(CrystalError, match=r"^empty\.cif: it is empty"):
        read_untrusted(b"", "empty.cif")
