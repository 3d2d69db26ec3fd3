"""A training that was put away goes on with the same numbers as one that never stopped."""

import json

import pytest
import torch
from safetensors.torch import load, save

from cgcnn.data import DatasetConfig
from cgcnn.errors import CrystalError
from cgcnn.models import CGCNN
from cgcnn.training.experiment import BatchMetrics, EpochMetrics, Experiment, RunConfig
from cgcnn.training.train import OPTIMIZERS, TrainConfig, kept_epochs

SHORT = RunConfig(
    dataset=DatasetConfig(max_sites=4, max_crystals=60),
    model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16),
    train=TrainConfig(epochs=4, batch_size=16),
)


def numbers(event: object) -> object:
    """An event without the times of its machine."""
    if isinstance(event, BatchMetrics):
        return event
    assert isinstance(event, EpochMetrics)
    return (event.epoch, event.train_loss, event.val_loss, event.train_mae, event.val_mae, event.learning_rate)


def learned(experiment: Experiment, until: int = 10**9) -> list[object]:
    found: list[object] = []
    for event in experiment.events():
        if isinstance(event, BatchMetrics | EpochMetrics):
            found.append(numbers(event))
            if len(found) == until:
                break
    return found


def through_a_file(experiment: Experiment) -> tuple[dict[str, torch.Tensor], dict]:
    tensors, about = experiment.state()
    return load(save(tensors)), json.loads(json.dumps(about))


def twin(config: RunConfig, pieces: list[int]) -> tuple[list[object], Experiment]:
    """The run, put away after each number of events of `pieces` and taken up by a new Experiment."""
    found, experiment = [], Experiment(config)
    for piece in pieces:
        found += learned(experiment, piece)
        following = Experiment(config)
        following.restore(*through_a_file(experiment))
        torch.randn(7)  # whatever else this process draws in between
        experiment = following
    return found + learned(experiment), experiment


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_bit_for_bit(optimizer: str) -> None:
    config = SHORT.with_(**{"train.optimizer": optimizer})
    whole = Experiment(config)
    expected = learned(whole)
    found, resumed = twin(config, [1, 2, 1, 1, 4, 3])  # within epochs, before and after the end of one
    assert found == expected
    weights = resumed.model.state_dict()
    assert all(torch.equal(w, weights[name]) for name, w in whole.model.state_dict().items())
    assert resumed.result() == whole.result() and resumed.best_epoch == whole.best_epoch


def test_a_state_of_other_settings_is_refused() -> None:
    experiment = Experiment(SHORT)
    learned(experiment, 1)
    with pytest.raises(CrystalError, match="other settings"):
        Experiment(SHORT.with_(**{"train.seed": 5})).restore(*through_a_file(experiment))


def test_a_state_of_other_data_is_refused() -> None:
    experiment = Experiment(SHORT)
    learned(experiment, 1)
    tensors, about = through_a_file(experiment)
    other = Experiment(SHORT)
    other.restore(tensors, about | {"fingerprint": "of other crystals"})
    with pytest.raises(CrystalError, match="data set has changed"):
        learned(other)


def test_before_the_training_there_is_no_state() -> None:
    with pytest.raises(CrystalError, match="not begun"):
        Experiment(SHORT).state()


@pytest.mark.parametrize(("epochs", "n"), [(60, 12), (3, 12), (2000, 12), (60, 2), (60, 1), (60, 0), (60, 100)])
def test_kept_epochs_are_few_distinct_and_end_with_the_last(epochs: int, n: int) -> None:
    kept = kept_epochs(TrainConfig(epochs=epochs, snapshots=n))
    assert kept == sorted(set(kept)) and len(kept) == min(n, epochs + 1)
    assert not kept or kept[-1] == epochs
    assert n < 2 or kept[0] == 0


def test_a_snapshot_holds_the_network_its_predictions_and_its_vectors() -> None:
    experiment = Experiment(SHORT)
    learned(experiment, 6)
    tensors, about = experiment.snapshot()
    n = len(about["ids"])
    assert tensors["predicted"].shape == (n,) and tensors["vectors"].shape == (n, 16)
    assert len(about["truth"]) == len(about["formulas"]) == n and about["epoch"] == 1
    assert torch.equal(tensors["weights.embed.weight"], experiment.model.state_dict()["embed.weight"])


def test_a_run_that_an_earlier_version_put_away_goes_on_bit_for_bit() -> None:
    whole, first, second = (Experiment(SHORT) for _ in range(3))
    expected = learned(whole)
    before = learned(first, 7)
    tensors, about = through_a_file(first)
    (error,) = about["training"].pop("errors")
    about["training"]["error"], about["best_mae"] = error, about.pop("best_score")
    second.restore(tensors, about)
    assert before + learned(second) == expected and second.best_epoch == whole.best_epoch
