"""What a worker leaves behind when things go wrong."""

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from cgcnn.data import DatasetConfig
from cgcnn.errors import CrystalError
from cgcnn.models import CGCNN
from cgcnn.runs import worker
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import EpochMetrics, Experiment, RunConfig
from cgcnn.training.train import TrainConfig

SHORT = RunConfig(
    dataset=DatasetConfig(max_sites=4, max_crystals=60),
    model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16),
    train=TrainConfig(epochs=3, batch_size=16),
)


def test_a_run_that_fails_after_an_epoch_keeps_its_network_and_its_test(tmp_path: Path, monkeypatch) -> None:
    whole = Experiment.events

    def broken(self):
        for event in whole(self):
            yield event
            if isinstance(event, EpochMetrics) and event.epoch == 2:
                raise CrystalError("The loss became nan in epoch 3.")

    monkeypatch.setattr(Experiment, "events", broken)
    store = RunStore(tmp_path)
    run_id = store.submit(SHORT)
    worker.work(store, store.take("w"))
    assert (store.run(run_id).state, store.run(run_id).error) == ("failed", "The loss became nan in epoch 3.")
    assert store.events(run_id, kinds=["test"])[0].data["best_epoch"] in (1, 2)
    assert store.checkpoint(run_id) is not None
    store.close()


def test_the_first_batch_is_written_however_soon_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WRITE_EVERY", 3600.0)
    store = RunStore(tmp_path)
    run_id = store.submit(SHORT)
    worker.work(store, store.take("w"))
    assert [event.step for event in store.events(run_id, kinds=["batch"])] == [1]
    store.close()


def test_how_a_run_ended_waits_for_room_on_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BEAT_EVERY", 0.0)
    tries = []

    def write() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise sqlite3.OperationalError("database or disk is full")

    worker.insist(SimpleNamespace(ballast=SimpleNamespace(throw_off=lambda: None)), write)
    assert len(tries) == 3


def test_settings_of_another_version_fail_the_run_with_a_sentence(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run_id = store.submit(SHORT)
    store._db.execute("update runs set config = '{\"train\": 5}'")
    worker.work(store, store.take("w"))
    assert store.run(run_id).state == "failed" and "group of settings" in store.run(run_id).error
    store.close()
