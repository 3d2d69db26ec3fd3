"""Runs that start from other runs: they wait, they find the network, and nobody takes it from under them."""

from pathlib import Path

import pytest

from cgcnn.errors import RunError
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer import published_source
from runs_kit import SHORT, dispatched, finished, until


@pytest.fixture
def store(tmp_path: Path):
    opened = RunStore(tmp_path)
    yield opened
    opened.close()


def both(store: RunStore, *sources: str) -> list[str]:
    """An experiment of a first run and others that start from `sources`; the ids, the first first."""
    configs = [SHORT, *(SHORT.with_(**{"transfer.source": source}) for source in sources)]
    names = [f"run {n}" for n in range(len(configs))]
    sweep = store.submit_sweep(configs, experiment="transfer", title="", guess="", axes={}, names=names)
    return [run.id for run in reversed(store.runs(sweep=sweep))]


def test_a_run_waits_until_the_run_that_it_starts_from_is_over(store: RunStore) -> None:
    first, heir = both(store, "#0")
    assert store.run(heir).config.transfer.source == first
    lease = store.take("w")
    assert lease.run_id == first and store.take("v") is None
    assert store.waits_for(heir).id == first and store.waits_for(first) is None
    store.finish(lease, "finished")
    assert store.take("v").run_id == heir and store.waits_for(heir) is None


def test_a_paused_source_is_waited_for_and_others_pass(store: RunStore) -> None:
    first, heir = both(store, "#0")
    store.request(first, "pause")
    other = store.submit(SHORT)
    assert store.take("w").run_id == other and store.take("v") is None and store.waits_for(heir).id == first


@pytest.mark.parametrize("source", ["#1", "#7", "#x", "#"])
def test_a_place_that_no_earlier_run_has_is_one_sentence_and_nothing_is_queued(store: RunStore, source: str) -> None:
    with pytest.raises(RunError, match="1 come before it"):
        both(store, source)
    assert not store.runs()


def test_a_run_that_others_wait_to_start_from_is_not_deleted(store: RunStore) -> None:
    first, heir = both(store, "#0")
    store.finish(store.take("w"), "finished")
    with pytest.raises(RunError, match=f"Run {heir} waits to start from run {first}"):
        store.delete(first)
    store.request(heir, "stop")
    store.delete(first)


def test_a_worker_trains_the_source_and_then_the_run_that_starts_from_it(tmp_path: Path) -> None:
    with dispatched(tmp_path, slots=2) as store:
        first, heir = both(store, "#0")
        finished(store, heir)
        taken, kept = store.checkpoint(first)[0], store.checkpoint(heir)[0]
        assert taken["embed.weight"].equal(kept["embed.weight"])
        assert not taken["head.1.weight"].equal(kept["head.1.weight"])


def test_a_run_whose_source_left_no_network_fails_in_one_sentence(tmp_path: Path) -> None:
    with dispatched(tmp_path) as store:
        lost = store.submit(SHORT.with_(**{"transfer.source": "0123abcd"}))
        (tmp_path / "checkpoints" / "deadbeef.safetensors").write_bytes(b"no tensors")
        damaged = store.submit(SHORT.with_(**{"transfer.source": "deadbeef"}))
        unfit = store.submit(SHORT.with_(**{"transfer.source": "published: band gap"}))
        until(lambda: all(store.run(one).state == "failed" for one in (lost, damaged, unfit)))
        assert "'0123abcd'" in store.run(lost).error and "'deadbeef'" in store.run(damaged).error
        n = published_source("band gap")[1].atom_dim
        assert f"Atom vector is 16 here and {n} in the source" in store.run(unfit).error
