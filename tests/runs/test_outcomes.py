from pathlib import Path

from cgcnn.runs.outcomes import outcome, outcomes
from cgcnn.runs.store import RunStore
from cgcnn.training.arms import gathered
from cgcnn.training.experiments import EXPERIMENTS


def test_an_experiment_that_has_just_been_queued_is_all_live(tmp_path: Path) -> None:
    store, card = RunStore(tmp_path), EXPERIMENTS["cell"]
    runs = card.runs()
    about = {"experiment": "cell", "title": card.title, "guess": "", "axes": card.axes}
    sweep = store.submit_sweep([r.config for r in runs], names=[r.name for r in runs], **about)
    found = outcomes(store, sweep)
    assert [one.config for one in found] == [run.config for run in runs]
    assert [arm.n_live for arm in gathered(store.sweep(sweep).axes, found)] == [4, 4, 4, 4]
    store.close()


def test_a_finished_run_gives_its_test_error_and_the_median_pace(tmp_path: Path) -> None:
    store, config = RunStore(tmp_path), EXPERIMENTS["cell"].base
    epochs = [("epoch", n, {"epoch": n, "seconds": seconds}) for n, seconds in enumerate((9.0, 1.0, 2.0), 1)]
    run_id = store.adopt(config, [*epochs, ("test", 3, {"mae": 0.2, "mean_mae": 0.7})], None, name="one")
    found = outcome(store, store.run(run_id))
    assert (found.mae, found.mean_mae, found.seconds, found.is_live) == (0.2, 0.7, 2.0, False)
    store.close()
