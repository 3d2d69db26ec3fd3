"""Sixty damaged zips of a run: each is taken in or refused in one sentence, and a refused one leaves nothing behind."""

import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgcnn.errors import CrystalError
from cgcnn.runs.export import export_zip, zipped
from cgcnn.runs.imported import import_zip
from cgcnn.runs.store import RunStore
from cgcnn.runs.worker import work
from damage import damaged, damaged_network, headers_damaged
from runs_kit import SHORT


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    store = RunStore(tmp_path_factory.mktemp("there"))
    run_id = store.submit(SHORT, name="sound")
    lease = store.take("here")
    assert lease is not None
    work(store, lease)
    yield export_zip(store, run_id)
    store.close()


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """The zip with its headers, or one of its members, damaged."""
    if rng.random() < 0.3:
        return headers_damaged(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([name for name in files if name.endswith((".json", ".jsonl", ".safetensors"))])
    files[name] = (damaged_network if name.endswith(".safetensors") else damaged)(files[name], rng)
    return zipped(files)


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_zip_of_a_run_is_taken_in_or_refused_in_a_sentence(
    exported: bytes, seed: int, tmp_path: Path
) -> None:
    rng, refused = random.Random(seed), 0
    store = RunStore(tmp_path / "home")
    for _ in range(10):
        before = sorted(tmp_path.rglob("*.safetensors")), len(store.runs())
        try:
            run = store.run(import_zip(store, spoiled(exported, rng)))
            assert run.state == "finished" and run.config
        except CrystalError as mistake:
            refused += 1
            text = str(mistake)
            assert text.endswith(".") and text.isprintable() and len(text) < 400 and "Traceback" not in text, text
            assert (sorted(tmp_path.rglob("*.safetensors")), len(store.runs())) == before
    assert refused > 2, "the damage is real"
    store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
