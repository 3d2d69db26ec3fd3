"""A thousand damaged files: each is a crystal within the limits, or one clear sentence, and leaves nothing behind."""

import json
import random
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure
from safetensors.torch import save

from cgcnn.data import sandbox
from cgcnn.data.checks import LAST_ELEMENT, LENGTHS, MAX_ATOMS, VOLUME_PER_ATOM
from cgcnn.data.crystal import CrystalSet
from cgcnn.data.folder import save_zip
from cgcnn.data.samples import FOLDER
from cgcnn.data.sandbox_wire import unpack_set, unpack_structure
from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor
from damage import damaged, damaged_network, good, odd_name, set_of

KEPT = re.compile(r"[A-Za-z0-9-]{1,40}-[0-9a-f]{10}\.zip")
ROUNDS = 20  # parts of the thousand, each a test of its own


# What must come of it


def one_clear_sentence(text: str) -> bool:
    """What a page can show as it is."""
    return text.endswith(".") and text.isprintable() and len(text) < 400 and "Traceback" not in text


def within_the_limits(structure: Structure) -> bool:
    """What every page can work with."""
    low, high = VOLUME_PER_ATOM
    lengths = np.array(structure.lattice.abc)
    return (
        1 <= len(structure) <= MAX_ATOMS
        and bool(np.isfinite(structure.cart_coords).all())
        and bool(((lengths > LENGTHS[0] - 1e-6) & (lengths < LENGTHS[1] + 1e-6)).all())
        and low <= structure.volume / len(structure) * (1 + 1e-9)
        and structure.volume / len(structure) <= high * (1 + 1e-9)
        and all(1 <= z <= LAST_ELEMENT for z in structure.atomic_numbers)
    )


def read(kind: str, name: str, data: bytes) -> Structure | CrystalSet:
    """What the sandbox gives of a file, if it took no more than its share."""
    limits = sandbox.CRYSTAL if kind == "crystal" else sandbox.set_limits(data)
    answer = sandbox.SANDBOX.ask(kind, name, data, limits)
    used = answer.usage
    assert used.signal == 0 and "fault" not in answer.said, answer
    assert used.seconds < 10 and used.cpu < 5 and used.memory < 1024, used
    value = sandbox._value(answer, name, limits)
    return unpack_structure(value) if kind == "crystal" else unpack_set(value)


def check(kind: str, name: str, data: bytes) -> str:
    """Which of the two it came to: "read" or "refused"."""
    try:
        found = read(kind, name, data)
    except CrystalError as mistake:
        assert one_clear_sentence(str(mistake)), mistake
        return "refused"
    if isinstance(found, CrystalSet):
        assert all(within_the_limits(crystal.structure) for crystal in found.crystals)
        assert all(id.isprintable() and one_clear_sentence(why) for id, why in found.dropped.items()), found.dropped
    else:
        assert within_the_limits(found)
    return "read"


@pytest.fixture(autouse=True)
def tidy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing appears outside the home: not beside it, and not where a path in a file or the reader itself stands."""
    monkeypatch.chdir(tmp_path)
    before = listing()
    yield
    assert listing() == before
    assert {file.name for file in tmp_path.iterdir()} <= {"home"}
    assert all(KEPT.fullmatch(file.name) for file in tmp_path.glob("home/sets/*"))


def listing() -> set[Path]:
    """Files with names of crystals in the places that the damage names, and where the reader works."""
    places = (Path(__file__).parents[2], FOLDER, Path("/etc"), Path("/tmp"), Path("/"))
    return {file for place in places for ending in ("cif", "json", "vasp", "zip") for file in place.glob(f"*.{ending}")}


@pytest.mark.parametrize("round", range(ROUNDS))
def test_forty_damaged_files_are_crystals_or_sentences(round: int) -> None:
    rng = random.Random(round)
    ends = []
    for _ in range(40):
        name, text = rng.choice(good())
        ends.append(check("crystal", odd_name(name, rng), damaged(text.encode(), rng)))
    assert ends.count("refused") > 10  # the damage is real


@pytest.mark.parametrize("round", range(ROUNDS))
def test_eight_damaged_sets_are_crystals_or_sentences(round: int, tmp_path: Path) -> None:
    rng = random.Random(1_000 + round)
    for _ in range(8):
        name, data = odd_name("set.zip", rng), set_of(rng)
        end = check("set", name, data)
    with nullcontext() if end == "read" else pytest.raises(CrystalError):
        save_zip(data, name, tmp_path / "home")


@pytest.fixture(scope="module")
def network() -> bytes:
    """An untrained network as a run keeps it."""
    config = RunConfig()
    about = {"config": config.to_dict(), "normalizer": Normalizer((0.0,), (1.0,)).to_dict(), "epoch": 1}
    return save(config.new_model().state_dict(), {"about": json.dumps(about)})


def kept(data: bytes, store: RunStore) -> tuple[Any, Any] | None:
    """What the store gives of a network's damaged file; None when it said in one clear sentence that it cannot."""
    run_id = store.submit(RunConfig())
    store.checkpoint_file(run_id).write_bytes(data)
    try:
        return store.checkpoint(run_id)
    except RunError as mistake:
        assert one_clear_sentence(str(mistake)), mistake
        return None


@pytest.mark.parametrize("round", range(4))
def test_ten_damaged_networks_are_read_or_refused(round: int, network: bytes, store: RunStore) -> None:
    rng = random.Random(2_000 + round)
    found = [kept(damaged_network(network, rng), store) for _ in range(10)]
    assert found.count(None) > 3  # the damage is real


@pytest.mark.parametrize("odd", ["no normalizer", "a tensor too few", "a tensor of another shape"])
def test_a_network_that_contradicts_itself_is_refused(odd: str, network: bytes, store: RunStore) -> None:
    weights, about = kept(network, store) or pytest.fail("a sound network must be read")
    name = next(iter(weights))
    if odd == "no normalizer":
        del about["normalizer"]
    elif odd == "a tensor too few":
        del weights[name]
    else:
        weights[name] = weights[name][:1]
    with pytest.raises(CrystalError) as caught:
        Predictor.of_checkpoint(weights, about)
    assert one_clear_sentence(str(caught.value))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    opened = RunStore(tmp_path / "home")
    yield opened
    opened.close()
