"""A class of thirty on two slots: real dispatcher, real workers, tiny runs."""

import time
from collections.abc import Callable, Iterator

import pytest

from cgcnn.data import DatasetConfig
from cgcnn.models import CGCNN
from cgcnn.runs.dispatcher import end_all, ensure_running
from cgcnn.runs.limits import PREFIX
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.train import TrainConfig

CLASS = [f"student {n}" for n in range(1, 30)]
GREEDY, HER_RUNS = "greedy", 6
TINY = RunConfig(
    dataset=DatasetConfig(max_sites=4, max_crystals=40),
    model=CGCNN.Config(n_convs=1, atom_dim=8, hidden_dim=8),
    train=TrainConfig(epochs=2, batch_size=16, snapshots=0),
)
LONG = TINY.with_(**{"train.epochs": 2000})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(f"{PREFIX}SLOTS", "2")
        store = RunStore(tmp_path_factory.mktemp("classroom"))
        ensure_running(store)
        until(lambda: store.load().workers >= 2, seconds=90)  # 6 s on two idle cores
        yield store
        end_all(store)
        store.close()


@pytest.fixture(scope="module")
def lesson(store: RunStore) -> list[Run]:
    """One owner asks for six runs, then 29 others for one each, all within 2 s: the runs, once all are over."""
    begun = time.monotonic()
    names, about = [f"seed {n}" for n in range(HER_RUNS)], {"experiment": "custom", "title": "six", "guess": ""}
    hers = store.submit_sweep([TINY] * HER_RUNS, names=names, axes={}, user=GREEDY, **about)
    ids = [run.id for run in store.runs(sweep=hers)] + [store.submit(TINY, user=user) for user in CLASS]
    assert time.monotonic() - begun < 2
    until(lambda: store.load().running + store.load().queued == 0, seconds=30)
    runs = sorted((store.run(run_id) for run_id in ids), key=started)
    last = max(run.ended or 0.0 for run in runs)
    print(f"{len(runs)} runs in {last - min(run.created for run in runs):.1f} s: {[run.owner for run in runs]}")
    return runs


def until(true: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def started(run: Run) -> float:
    assert run.started is not None, f"{run.owner} never started"
    return run.started


def test_the_runs_of_the_whole_class_finish(lesson: list[Run]) -> None:
    assert len(lesson) == HER_RUNS + len(CLASS)
    assert {(run.state, run.error, run.attempt) for run in lesson} == {("finished", "", 1)}


def test_nobody_starts_a_second_run_while_somebody_waits_for_a_first(lesson: list[Run]) -> None:
    first: dict[str, Run] = {}
    for run in lesson:  # in the order in which they started
        if run.owner in first:
            passed_over = [r.owner for r in lesson if r.created < started(run) < started(r) and r.owner not in first]
            assert not passed_over, f"{run.owner} started again before {passed_over}"
        first.setdefault(run.owner, run)


def test_the_greedy_owner_waits_until_all_others_had_their_turn(lesson: list[Run]) -> None:
    everybody_is_there = max(run.created for run in lesson)
    hers = [started(run) for run in lesson if run.owner == GREEDY][1:]  # of her first it is her turn
    after = [start for start in hers if start > everybody_is_there]  # before that she may take slots nobody wants
    assert after and min(after) > max(started(run) for run in lesson if run.owner != GREEDY)


def test_two_runs_train_at_once_and_never_three(lesson: list[Run]) -> None:
    under_way = [sum(started(r) <= started(run) < (r.ended or 0.0) for r in lesson) for run in lesson]
    assert max(under_way) == 2


def test_a_stopped_run_frees_its_slot_at_once(store: RunStore, lesson: list[Run]) -> None:
    long = [store.submit(LONG, user=user) for user in ("one", "two")]
    until(lambda: all(store.events(run_id, kinds=["epoch"]) for run_id in long))
    waiting = store.submit(TINY, user="three")
    asked = time.time()
    store.request(long[0], "stop")
    until(lambda: store.run(waiting).started)
    store.request(long[1], "stop")
    took = started(store.run(waiting)) - asked
    print(f"the slot was taken {took:.2f} s after Stop")
    assert took < 5  # the goal is 1 s; a test shares the machine with others
    until(lambda: not any(store.run(run_id).is_live for run_id in [*long, waiting]))
