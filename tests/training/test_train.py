"""Learning: it learns, it repeats itself bit for bit, and it judges itself on what it has not seen."""

import pytest
import torch

from cgcnn.data import DatasetConfig
from cgcnn.data.crystal import Crystal
from cgcnn.errors import ConfigError, CrystalError, DatasetError
from cgcnn.graph import CrystalGraph, GraphConfig, batch, build_graph
from cgcnn.models import CGCNN
from cgcnn.training.experiment import DataReady, Experiment, RunConfig, TestMetrics, run_experiment
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor
from cgcnn.training.train import (
    DEVICES,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    EpochMetrics,
    Labelled,
    TrainConfig,
    device_of,
    train,
)

SMALL = RunConfig(
    dataset=DatasetConfig(max_sites=4, max_crystals=60),
    model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16),
    train=TrainConfig(epochs=8, batch_size=16),
)


def epochs(config: RunConfig) -> list[EpochMetrics]:
    return [event for event in run_experiment(config) if isinstance(event, EpochMetrics)]


def test_the_loss_falls_and_the_result_beats_both_constant_guesses() -> None:
    events = list(run_experiment(SMALL.with_(**{"dataset.max_crystals": 300, "train.epochs": 20})))
    curve = [event for event in events if isinstance(event, EpochMetrics)]
    assert curve[-1].train_loss < 0.6 * curve[0].train_loss
    assert isinstance(events[-1], TestMetrics)
    assert events[-1].mae < 0.8 * min(events[-1].mean_mae, events[-1].median_mae)


def test_the_same_settings_give_the_same_numbers_bit_for_bit() -> None:
    one, other = ([(e.train_loss, e.val_mae) for e in epochs(SMALL)] for _ in range(2))
    assert one == other


def test_another_seed_changes_the_weights_but_not_the_split() -> None:
    one, other = (list(run_experiment(SMALL.with_(**{"train.seed": seed})))[-1] for seed in (0, 1))
    assert one.predicted != other.predicted and one.ids == other.ids


def test_every_model_gets_the_same_split() -> None:
    ids = [
        list(run_experiment(SMALL.with_(**{"model.conv": c, "train.epochs": 1})))[-1].ids
        for c in ("gated", "no convolution")
    ]
    assert ids[0] == ids[1]


def test_the_best_epoch_is_kept_and_judged() -> None:
    experiment = Experiment(SMALL.with_(**{"train.learning_rate": 0.1, "train.schedule": "constant"}))
    curve = [e for e in experiment.events() if isinstance(e, EpochMetrics)]
    assert experiment.result().best_epoch == min(curve, key=lambda e: e.val_mae).epoch


def test_a_stopped_experiment_still_has_a_result() -> None:
    experiment = Experiment(SMALL)
    events = experiment.events()
    while not isinstance(next(events), EpochMetrics):
        pass
    events.close()
    assert experiment.result().best_epoch == 1
    with pytest.raises(CrystalError, match="No epoch was finished"):
        Experiment(SMALL).result()


def test_a_predictor_says_what_the_experiment_said() -> None:
    experiment = Experiment(SMALL)
    list(experiment.events())
    result, crystals = experiment.result(), experiment.splits["test"]
    again = Predictor.of_checkpoint(*experiment.checkpoint()).predict([crystal.structure for crystal in crystals])
    assert again == pytest.approx(result.predicted, abs=1e-5)


def test_a_diverging_loss_ends_the_run_with_advice() -> None:
    wild = {"train.optimizer": "SGD", "train.learning_rate": 10.0, "train.loss": "MSE", "model.norm": "none"}
    with pytest.raises(CrystalError, match="lower the learning rate"):
        list(run_experiment(SMALL.with_(**{**wild, "train.schedule": "constant", "train.epochs": 50})))


def test_crystals_that_have_no_graph_are_dropped_by_name() -> None:
    config = SMALL.with_(**{"graph.cutoff": 2.8, "train.epochs": 1, "dataset.max_crystals": 200})
    ready = next(event for event in run_experiment(config) if isinstance(event, DataReady))
    assert ready.n_dropped > 0 and all("no neighbor within 2.8 Å" in why for why in ready.dropped.values())
    assert ready.n_train + ready.n_val + ready.n_test + ready.n_dropped == 200


def test_a_cutoff_that_leaves_nothing_is_refused_in_a_sentence() -> None:
    with pytest.raises((DatasetError, ConfigError)):
        list(run_experiment(SMALL.with_(graph=GraphConfig(cutoff=1.0))))


WAYS = {"optimizer": OPTIMIZERS, "loss": LOSSES, "schedule": SCHEDULES}


@pytest.mark.parametrize("knob", [(name, value) for name, values in WAYS.items() for value in values])
def test_every_choice_of_how_to_learn_trains(knob: tuple[str, str]) -> None:
    name, value = knob
    curve = epochs(SMALL.with_(**{f"train.{name}": value, "train.epochs": 3, "train.learning_rate": 0.003}))
    assert curve[-1].train_loss < curve[0].train_loss


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_stays_between_nothing_and_the_full_rate(schedule: str) -> None:
    factors = [SCHEDULES[schedule](t / 100) for t in range(100)]
    assert min(factors) > 0 and max(factors) == pytest.approx(1.0, abs=0.02)


def test_per_atom_learning_lets_mean_pooling_fit_an_extensive_target() -> None:
    cell = SMALL.with_(
        **{"dataset.target": "formation_energy_per_cell", "dataset.max_crystals": 300, "train.epochs": 15}
    )
    as_given, per_atom = (
        list(run_experiment(cell.with_(**{"train.per_atom": flag})))[-1].mae for flag in (False, True)
    )
    assert per_atom < as_given


def test_the_normalizer_knows_the_training_split_alone_and_undoes_itself() -> None:
    targets, n_atoms = torch.tensor([[2.0], [4.0], [9.0]]), torch.tensor([1.0, 2.0, 3.0])
    for per_atom in (False, True):
        scale = Normalizer.fit(targets, n_atoms, per_atom)
        z = scale.normalized(targets, n_atoms)
        assert z.mean().item() == pytest.approx(0.0, abs=1e-6) and z.std().item() == pytest.approx(1.0, abs=1e-6)
        torch.testing.assert_close(scale.undo(z, n_atoms), targets)
        assert Normalizer.from_dict(scale.to_dict()) == scale


def test_a_constant_target_does_not_divide_by_zero() -> None:
    scale = Normalizer.fit(torch.full((3, 1), 5.0), torch.ones(3))
    assert scale.normalized(torch.full((3, 1), 5.0), torch.ones(3)).tolist() == [[0.0]] * 3


def test_a_device_that_is_absent_is_refused_by_name() -> None:
    absent = [name for name in DEVICES if not DEVICES[name]()]
    for name in absent:
        with pytest.raises(ConfigError, match=f"no {name} device"):
            device_of(name)
    assert device_of("cpu").type == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_learns_what_the_cpu_learns() -> None:
    cpu, gpu = (list(run_experiment(SMALL.with_(**{"train.device": d})))[-1].mae for d in ("cpu", "cuda"))
    assert gpu == pytest.approx(cpu, rel=0.2)


def test_bfloat16_learns_nearly_the_same_and_keeps_its_weights_in_float32() -> None:
    exact, rough = (Experiment(SMALL.with_(**{"train.precision": p})) for p in ("float32", "bfloat16"))
    losses = [[e.train_loss for e in each.events() if isinstance(e, EpochMetrics)] for each in (exact, rough)]
    assert losses[0] != losses[1] and losses[1] == pytest.approx(losses[0], rel=0.05)
    assert {w.dtype for w in rough.model.parameters()} == {torch.float32}


def test_a_set_is_trained_on_as_its_quotient_and_learns_what_every_edge_would_teach() -> None:
    experiment = Experiment(SMALL.with_(**{"train.epochs": 3}))
    merged = [e for e in experiment.events() if isinstance(e, EpochMetrics)]
    plain = {
        side: Labelled(d.ids, plain_graph(experiment.splits[side]), d.targets) for side, d in experiment.data.items()
    }
    assert experiment.data["train"].graph.n_edges < 0.5 * plain["train"].graph.n_edges
    model = experiment.config.new_model()
    events = train(model, plain["train"], plain["val"], experiment.normalizer, experiment.config.train)
    whole = [e for e in events if isinstance(e, EpochMetrics)]
    assert [e.val_mae for e in merged] == pytest.approx([e.val_mae for e in whole], rel=1e-3)


def plain_graph(crystals: list[Crystal]) -> CrystalGraph:
    return batch([build_graph(crystal.structure) for crystal in crystals])


def test_a_share_without_enough_graphs_is_refused_before_training() -> None:
    with pytest.raises(DatasetError, match=r"crystals are left for (test|validation|training).*have no graph"):
        list(run_experiment(SMALL.with_(**{"graph.cutoff": 1.9, "dataset.max_crystals": 300})))


@pytest.mark.parametrize("n", [3, 5, 47, 48])
def test_no_batch_holds_a_single_crystal(n: int) -> None:
    experiment = Experiment(SMALL.with_(**{"train.batch_size": 2, "train.epochs": 1}))
    list(experiment.events())
    some = experiment.data["train"]
    part = Labelled(some.ids[:n], some.graph.take(torch.arange(n)), some.targets[:n])
    list(train(experiment.model, part, part, experiment.normalizer, TrainConfig(epochs=1, batch_size=2)))


def test_learning_per_atom_is_obeyed_whatever_the_target() -> None:
    experiment = Experiment(SMALL.with_(**{"train.per_atom": True, "train.epochs": 1}))
    list(experiment.events())
    assert experiment.normalizer.per_atom == (True,)


def test_the_rate_that_is_reported_is_the_rate_that_was_used() -> None:
    curve = epochs(SMALL.with_(**{"train.schedule": "steps", "train.epochs": 3, "train.learning_rate": 0.01}))
    assert [e.learning_rate for e in curve] == pytest.approx([0.01, 0.001, 0.0001])
