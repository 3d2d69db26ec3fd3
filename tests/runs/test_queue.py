"""Who is next, how many may wait, and what a user may ask of a run."""

import os
from pathlib import Path

import pytest

from cgcnn.errors import ConfigError, RunError
from cgcnn.runs.fair import Waiting, fair_order
from cgcnn.runs.limits import Limits
from cgcnn.runs.store import RunStore
from cgcnn.runs.version import code_version, is_newer
from runs_kit import SHORT


def store_of(folder: Path, **limits: int) -> RunStore:
    return RunStore(folder, Limits(slots=2, min_free_mib=1).with_(**limits))


def started(store: RunStore, slots: int) -> str:
    """The owners of all queued runs in the order in which they start, when the oldest running run always ends next."""
    order, leases = "", []
    while True:
        while len(leases) < slots and (lease := store.take("w")):
            leases.append(lease)
            order += store.run(lease.run_id).owner
        if not leases:
            return order
        store.finish(leases.pop(0), "finished")


@pytest.mark.parametrize(("slots", "expected"), [(1, "abcaaaaa"), (2, "abcaaaaa")])
def test_who_sends_one_run_does_not_wait_for_one_who_sends_six(tmp_path: Path, slots: int, expected: str) -> None:
    store = store_of(tmp_path, slots=slots)
    for owner in "aaaaaabc":
        store.submit(SHORT, owner=owner)
    assert started(store, slots) == expected
    store.close()


def test_a_turn_taken_before_the_others_came_counts_too(tmp_path: Path) -> None:
    store = store_of(tmp_path, slots=1)
    store.submit(SHORT, owner="greedy")
    first = store.take("w")
    store.submit(SHORT, owner="greedy")
    store.submit(SHORT, owner="late")
    store.finish(first, "finished")
    assert started(store, 1) == "lategreedy"
    store.close()


def test_the_order_shown_is_the_order_in_which_runs_start(tmp_path: Path) -> None:
    store = store_of(tmp_path, slots=1)
    ids = [store.submit(SHORT, owner=owner) for owner in "aabbc"]
    shown = sorted(ids, key=store.queue_position)
    taken = []
    for _ in ids:
        lease = store.take("w")
        taken.append(lease.run_id)
        store.finish(lease, "finished")
    assert taken == shown and [ids.index(i) for i in shown] == [0, 2, 4, 1, 3]
    store.close()


def test_without_rivals_the_oldest_is_next() -> None:
    waiting = [Waiting(str(i), "a", float(i)) for i in range(4)]
    assert fair_order(waiting[::-1], {}, {}, 1) == ["0", "1", "2", "3"]


def test_no_more_runs_start_than_there_are_slots_nor_than_a_user_may_have(tmp_path: Path) -> None:
    store = store_of(tmp_path, slots=3, running_per_user=2)
    for _ in range(4):
        store.submit(SHORT, owner="a")
    assert [store.take("w") is not None for _ in range(3)] == [True, True, False]
    store.submit(SHORT, owner="b")
    assert store.take("w") is not None and store.take("w") is None
    assert (store.load().running, store.load().queued, store.load().slots) == (3, 2, 3)
    store.close()


def test_too_many_waiting_runs_are_refused_in_a_sentence(tmp_path: Path) -> None:
    store = store_of(tmp_path, queued_per_user=2, queued=3)
    for owner in "aab":
        store.submit(SHORT, owner=owner)
    with pytest.raises(RunError, match="2 of your runs wait already"):
        store.submit(SHORT, owner="a")
    with pytest.raises(RunError, match="3 runs wait already"):
        store.submit(SHORT, owner="c")
    assert len(store.runs()) == 3
    store.close()


def sweep(store: RunStore, n: int) -> str:
    configs = [SHORT.with_(**{"train.seed": seed}) for seed in range(n)]
    return store.submit_sweep(
        configs, experiment="custom", title="Seeds", guess="none", axes={"train.seed": list(range(n))},
        names=[f"seed {seed}" for seed in range(n)], owner="a",
    )  # fmt: skip


def test_an_experiment_is_queued_whole_or_not_at_all(tmp_path: Path) -> None:
    store = store_of(tmp_path, sweep_size=3, queued_per_user=4)
    kept = store.sweep(sweep(store, 3))
    assert (kept.title, kept.guess, kept.axes) == ("Seeds", "none", {"train.seed": [0, 1, 2]})
    assert [run.name for run in store.runs(sweep=kept.id)] == ["seed 2", "seed 1", "seed 0"]
    for n, words in ((4, "at most 3"), (2, "wait already"), (0, "at most 3")):
        with pytest.raises(RunError, match=words):
            sweep(store, n)
    assert len(store.sweeps()) == 1 and len(store.runs()) == 3
    with pytest.raises(RunError, match="no experiment"):
        store.sweep("0")
    store.close()


def test_pausing_and_resuming_in_the_queue(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    first, second = store.submit(SHORT), store.submit(SHORT)
    store.request(first, "pause")
    assert store.run(first).state == "paused" and store.take("w").run_id == second
    store.request(first, "epoch")
    lease = store.take("w")
    assert (lease.run_id, lease.wanted) == (first, "epoch")
    store.finish(lease, "paused")
    store.request(first, "stop")
    assert store.run(first).state == "stopped", "nothing was learned, so there is nothing to judge"
    with pytest.raises(RunError, match="is stopped; duplicate it"):
        store.request(first, "run")
    with pytest.raises(RunError, match="cannot be asked to 'fly'"):
        store.request(second, "fly")
    store.close()


def test_a_paused_run_that_learned_is_judged_before_it_stops(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run_id = store.submit(SHORT)
    lease = store.take("w")
    store.finish(lease, "paused", events=[("epoch", 1, {"val_mae": 1.0})])
    store.request(run_id, "stop")
    assert store.run(run_id).state == "queued" and store.take("w").wanted == "stop"
    store.close()


def test_a_run_can_be_deleted_once_it_is_over(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run_id = store.submit(SHORT)
    with pytest.raises(RunError, match="still at work"):
        store.delete(run_id)
    lease = store.take("w")
    store.save_snapshot(lease, 0, {}, {})
    store.finish(lease, "finished", events=[("epoch", 1, {})])
    store.delete(run_id)
    assert not store.runs() and not store.events(run_id) and not list(tmp_path.rglob("*.safetensors"))
    store.close()


def test_a_run_from_elsewhere_is_taken_in_as_finished(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run_id = store.adopt(SHORT, [("epoch", 1, {"val_mae": 0.5})], None, name="brought", user="ada")
    run = store.run(run_id)
    assert (run.state, run.name, run.user, run.config) == ("finished", "brought", "ada", SHORT)
    assert [event.kind for event in store.events(run_id)] == ["epoch"] and store.take("w") is None
    store.close()


def test_without_room_on_the_disk_nothing_is_begun(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run_id = store.submit(SHORT)
    store.ballast.min_free = 1 << 60
    with pytest.raises(RunError, match=r"MiB left, and runs need .*make room"):
        store.submit(SHORT)
    assert store.take("w") is None and store.run(run_id).state == "queued"
    store.close()


def test_the_store_of_an_earlier_version_opens_with_all_its_runs(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run_id = store.submit(SHORT, name="old")
    store._db.executescript("drop index runs_by_state; drop index runs_by_sweep;")
    for column in ("owner", "attempt", "lost", "parent", "sweep", "width", "since"):
        store._db.execute(f"alter table runs drop column {column}")
    store._db.execute("alter table processes drop column remote")
    store.close()
    again = store_of(tmp_path)
    assert again.run(run_id).name == "old" and again.take("w").run_id == run_id
    again.close()


def test_limits_come_from_the_environment_and_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYSTAL_GRAPH_LAB_SLOTS", "3")
    assert Limits.from_environment().n_slots == 3
    monkeypatch.setenv("CRYSTAL_GRAPH_LAB_SLOTS", "many")
    with pytest.raises(ConfigError, match="CRYSTAL_GRAPH_LAB_SLOTS is 'many'"):
        Limits.from_environment()
    monkeypatch.setenv("CRYSTAL_GRAPH_LAB_SLOTS", "9999")
    with pytest.raises(ConfigError, match="between 0 and 256"):
        Limits.from_environment()


@pytest.mark.parametrize("wanted", ["run", "stop"])
def test_what_is_asked_while_a_run_is_being_put_away_is_not_lost(tmp_path: Path, wanted: str) -> None:
    store = store_of(tmp_path)
    run_id = store.submit(SHORT)
    lease = store.take("w")
    store.request(run_id, "pause")
    assert store.record(lease, [("epoch", 1, {})]) == "pause"
    store.request(run_id, wanted)
    store.finish(lease, "paused")
    assert store.run(run_id).state == "queued" and store.take("x").wanted == wanted
    store.close()


def test_a_half_written_file_does_not_keep_a_run_from_being_deleted(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    run_id = store.submit(SHORT)
    store.save_snapshot(store.take("w"), 0, {}, {})
    draft = store.networks.epochs_folder(run_id) / ".3.safetensors.77.abcd"
    draft.write_bytes(b"half")
    store.abandon("w", "signal 9")
    store.request(run_id, "stop")
    store.delete(run_id)
    assert not draft.exists() and not store.runs()
    store.close()


def test_old_drafts_are_swept_out_and_new_ones_left(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    old, new = (tmp_path / "states" / f".0a0a0a0a.safetensors.{n}" for n in (1, 2))
    for draft in (old, new):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.networks.sweep_out()
    assert not old.exists() and new.exists()
    store.close()


def test_a_run_that_cannot_be_taken_in_leaves_nothing(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    with pytest.raises(TypeError):
        store.adopt(SHORT, [("epoch", 1, {"not": object()})], b"weights", name="broken")
    assert not store.runs() and not list(tmp_path.rglob("*.safetensors"))
    store.close()


def test_runs_that_wait_at_their_start_count_as_waiting(tmp_path: Path) -> None:
    store = store_of(tmp_path, queued_per_user=2)
    ids = [store.submit(SHORT, owner="a", paused=True) for _ in range(2)]
    with pytest.raises(RunError, match="2 of your runs wait already"):
        store.submit(SHORT, owner="a", paused=True)
    store.request(ids[0], "run")
    assert store.take("w").run_id == ids[0]
    store.close()


def test_of_two_codes_only_the_newer_takes_over() -> None:
    assert is_newer("200.b", "100.a") and not is_newer("100.a", "200.b") and not is_newer("200.a", "100.a")
    assert is_newer(code_version(), "") and code_version() == code_version()
