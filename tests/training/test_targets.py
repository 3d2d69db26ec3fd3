"""Several targets at once: sparse labels, classes, and no word from one target to another."""

import math
from dataclasses import replace

import pytest
import torch

from cgcnn.data import DatasetConfig, load_crystals
from cgcnn.errors import ConfigError, DatasetError
from cgcnn.models import CGCNN
from cgcnn.training.experiment import DataReady, EpochMetrics, Experiment, RunConfig, TestMetrics, run_experiment
from cgcnn.training.losses import LOSSES, Objective, error_sums, mean_errors
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor
from cgcnn.training.prepared import prepared
from cgcnn.training.train import Labelled, TrainConfig, Training, outputs_of

ENERGY, MODULUS, GAP = "formation_energy_per_atom", "log10_bulk_modulus", "band_gap"
SPARSE = DatasetConfig(target=ENERGY, also=(MODULUS,), max_sites=4, max_crystals=150)
SMALL = RunConfig(SPARSE, model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16), train=TrainConfig(epochs=4))
NAN = float("nan")


def all_of(generator):
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def disjoint() -> dict[str, Labelled]:
    """Two targets of which each crystal has exactly one."""
    data = dict(all_of(prepared(SPARSE, RunConfig().graph)).data)
    for side, labelled in data.items():
        targets = labelled.targets.clone()
        targets[~targets.isnan().any(dim=1), 1] = NAN
        assert ((~targets.isnan()).sum(dim=1) == 1).all() and (~targets.isnan()).sum(dim=0).min() > 3
        data[side] = replace(labelled, targets=targets)
    return data


def only(labelled: Labelled, n: int) -> Labelled:
    """The crystals that have target n, with that target alone."""
    rows = (~labelled.targets[:, n].isnan()).nonzero().flatten()
    return Labelled([labelled.ids[i] for i in rows], labelled.graph.take(rows), labelled.targets[rows, n : n + 1])


def frozen(n_targets: int, rows: slice) -> CGCNN:
    """A network of which only the last layer learns; its rows are those that a network for all targets has."""
    torch.manual_seed(0)
    whole = CGCNN(SMALL.model, n_targets=2)
    model = CGCNN(SMALL.model, n_targets)
    weights = whole.state_dict()
    last = {name: weights[name][rows] for name in ("head.3.weight", "head.3.bias")}
    model.load_state_dict(weights | last)
    for name, weight in model.named_parameters():
        weight.requires_grad_(name in last)
    return model


def trained(model: CGCNN, data: dict[str, Labelled], **changes) -> CGCNN:
    config = replace(SMALL.train, epochs=12, batch_size=1024, snapshots=0, **changes)
    scale = Normalizer.fit(data["train"].targets, data["train"].n_atoms)
    training = Training(model, data["train"], data["val"], scale, config)
    model.eval()
    model.train = lambda mode=True: model  # the shared batch norm is frozen, too
    list(training.events())
    return model


@pytest.mark.parametrize("loss", LOSSES)
def test_two_targets_of_disjoint_crystals_in_whole_batches_learn_what_each_learns_alone_when_the_rest_is_frozen(
    disjoint: dict[str, Labelled], loss: str
) -> None:
    both = trained(frozen(2, slice(0, 2)), disjoint, loss=loss)
    for n in (0, 1):
        alone = trained(frozen(1, slice(n, n + 1)), {side: only(d, n) for side, d in disjoint.items()}, loss=loss)
        start = frozen(1, slice(n, n + 1)).state_dict()["head.3.weight"]
        assert not torch.allclose(alone.state_dict()["head.3.weight"], start, atol=1e-3)
        for name in ("head.3.weight", "head.3.bias"):
            found = both.state_dict()[name][n : n + 1]
            torch.testing.assert_close(found, alone.state_dict()[name], atol=2e-5, rtol=1e-4)


def test_no_target_hears_of_the_labels_of_another(disjoint: dict[str, Labelled]) -> None:
    other = {
        side: replace(d, targets=torch.stack([d.targets[:, 0], 7 - 3 * d.targets[:, 1]], 1))
        for side, d in disjoint.items()
    }
    one, two = (trained(frozen(2, slice(0, 2)), data).state_dict()["head.3.weight"] for data in (disjoint, other))
    assert torch.equal(one[0], two[0]) and not torch.equal(one[1], two[1])


def test_sparse_targets_train_and_each_is_judged_on_its_own_crystals_in_its_own_unit() -> None:
    events = list(run_experiment(SMALL.with_(**{"dataset.max_crystals": 400, "train.epochs": 15})))
    data = next(e for e in events if isinstance(e, DataReady))
    epochs, test = [e for e in events if isinstance(e, EpochMetrics)], events[-1]
    assert isinstance(test, TestMetrics) and test.others.keys() == {MODULUS}
    assert len(test.ids) == data.labels[ENERGY][2] and len(test.others[MODULUS].ids) == data.labels[MODULUS][2]
    assert epochs[-1].val_maes[0] == epochs[-1].val_mae and len(epochs[-1].train_maes) == 2
    assert test.mae < 0.9 * test.mean_mae and test.others[MODULUS].mae < 0.9 * test.others[MODULUS].mean_mae


def test_the_best_epoch_of_several_targets_is_that_of_their_weighted_mean() -> None:
    experiment = Experiment(SMALL.with_(**{"train.weights": "1, 3"}))
    curve = [e for e in experiment.events() if isinstance(e, EpochMetrics)]
    std = experiment.normalizer.std
    expected = [sum(w * e / s for w, e, s in zip((1, 3), epoch.val_maes, std, strict=True)) / 4 for epoch in curve]
    assert [epoch.score for epoch in curve] == pytest.approx(expected, rel=1e-5)
    assert experiment.best_epoch == expected.index(min(expected)) + 1


def test_the_scale_of_each_target_comes_from_the_training_crystals_that_have_it() -> None:
    targets = torch.tensor([[1.0, NAN], [3.0, 10.0], [NAN, 30.0]])
    scale = Normalizer.fit(targets, torch.tensor([1.0, 2.0, 4.0]), per_atom=(False, True))
    assert scale.mean == pytest.approx((2.0, 6.25)) and scale.std == pytest.approx((2**0.5, 1.25 * 2**0.5))
    z = scale.normalized(targets, torch.tensor([1.0, 2.0, 4.0]))
    assert torch.equal(z.isnan(), targets.isnan())
    back = scale.undo(z, torch.tensor([1.0, 2.0, 4.0]))
    torch.testing.assert_close(back, targets, equal_nan=True)


def test_of_several_targets_only_those_that_grow_with_the_cell_are_learned_per_atom() -> None:
    also = ("formation_energy_per_cell",)
    config = SMALL.with_(**{"dataset.also": also, "train.per_atom": True, "train.epochs": 1})
    experiment = Experiment(config)
    next(e for e in experiment.events() if isinstance(e, DataReady))
    assert experiment.normalizer.per_atom == (False, True)


def test_the_loss_is_the_weighted_mean_over_the_targets_that_the_batch_has() -> None:
    outputs = torch.tensor([[1.0, 5.0, 9.0], [2.0, 6.0, 9.0]], requires_grad=True)
    truth = torch.tensor([[0.0, NAN, NAN], [0.0, 4.0, NAN]])
    loss = Objective("L1", (1.0, 3.0, 100.0), (False,) * 3).of(outputs, truth)
    assert loss.item() == pytest.approx((1 * 1.5 + 3 * 2.0) / 4)
    loss.backward()
    assert torch.equal(outputs.grad == 0, truth.isnan())


def test_a_network_that_says_nan_or_infinity_is_never_taken_for_a_good_one() -> None:
    scale, truth = Normalizer((0.0, 0.0), (1.0, 1.0), is_class=(False, True)), torch.tensor([[1.0, 1.0], [NAN, 0.0]])
    objective = Objective("MSE", (1.0, 1.0), scale.is_class)
    for bad in (NAN, float("inf")):
        said = torch.tensor([[bad, 0.0], [0.0, 0.0]])
        assert not math.isfinite(objective.of(said, truth)) and not math.isfinite(objective.score(said, truth))
        assert not math.isfinite(mean_errors(said, truth, scale)[0])
    assert math.isnan(mean_errors(torch.tensor([[1.0, NAN], [1.0, 0.2]]), truth, scale)[1])


def test_the_score_of_a_class_is_four_times_its_squared_error() -> None:
    objective = Objective("L1", (1.0, 3.0), (True, False))
    score = objective.score(torch.tensor([[0.0, 2.0], [math.log(3), NAN]]), torch.tensor([[1.0, 0.5], [1.0, NAN]]))
    assert score == pytest.approx((4 * (0.25 + 0.0625) / 2 + 3 * 1.5) / 4)


def test_a_batch_without_any_weighted_target_teaches_nothing() -> None:
    outputs = torch.randn(2, 2, requires_grad=True)
    loss = Objective("L1", (1.0, 0.0), (False, False)).of(outputs, torch.tensor([[NAN, 1.0], [NAN, 2.0]]))
    loss.backward()
    assert loss.item() == 0 and not outputs.grad.any()


def test_scales_come_from_the_training_crystals_alone() -> None:
    experiment = Experiment(SMALL.with_(**{"train.epochs": 1}))
    next(e for e in experiment.events() if isinstance(e, DataReady))
    expected = experiment.data["train"].targets.double().nanmean(dim=0)
    assert experiment.normalizer.mean == pytest.approx(expected.tolist())


def test_the_losses_of_shares_add_up_to_the_loss_of_the_batch() -> None:
    torch.manual_seed(0)
    outputs, truth = torch.randn(10, 2), torch.randn(10, 2)
    truth[torch.rand(10, 2) < 0.4] = NAN
    objective, counts = Objective("MSE", (1.0, 2.0), (False, False)), (~truth.isnan()).sum(dim=0)
    shares = [objective.of(outputs[s], truth[s], counts) for s in (slice(0, 3), slice(3, 10))]
    torch.testing.assert_close(sum(shares), objective.of(outputs, truth))


def test_a_class_learns_by_its_log_likelihood_and_errs_by_the_share_it_puts_wrong() -> None:
    logits, truth = torch.tensor([[2.0], [-1.0], [0.0], [5.0]]), torch.tensor([[1.0], [1.0], [0.0], [NAN]])
    scale = Normalizer((0.0,), (1.0,), is_class=(True,))
    p = scale.undo(logits, torch.ones(4))
    torch.testing.assert_close(p, logits.sigmoid())
    expected = -(p[0].log() + p[1].log() + (1 - p[2]).log()) / 3
    torch.testing.assert_close(Objective("L1", (1.0,), (True,)).of(logits, truth), expected.squeeze())
    assert error_sums(p, truth, scale).tolist() == [2.0] and mean_errors(p, truth, scale) == [pytest.approx(2 / 3)]


def test_a_class_is_learned_beside_a_number() -> None:
    config = SMALL.with_(**{"dataset.target": "on_hull", "dataset.also": (GAP,), "dataset.max_crystals": 500})
    events = list(run_experiment(config.with_(**{"train.epochs": 12})))
    test, epochs = events[-1], [e for e in events if isinstance(e, EpochMetrics)]
    assert set(test.truth) == {0.0, 1.0} and all(0 < p < 1 for p in test.predicted)
    wrong = sum((p >= 0.5) != t for p, t in zip(test.predicted, test.truth, strict=True)) / len(test.truth)
    assert test.mae == pytest.approx(wrong) and 0 < test.mean_mae <= 0.5 + 0.2
    assert epochs[-1].train_loss < epochs[0].train_loss


def test_a_predictor_answers_for_each_target(rock_salt) -> None:
    experiment = Experiment(SMALL.with_(**{"dataset.also": (MODULUS, "on_hull")}))
    list(experiment.events())
    predictor = Predictor.of_checkpoint(*experiment.checkpoint())
    energy, modulus, hull = (predictor.of(n).predict([rock_salt])[0] for n in range(3))
    assert predictor.of(1).target.unit == "log10 GPa" and len({energy, modulus, hull}) == 3 and 0 < hull < 1
    many = [predictor.of(n).predict([rock_salt] * 2)[1] for n in range(3)]
    assert many == pytest.approx([energy, modulus, hull], abs=1e-4)


def test_a_run_with_several_targets_goes_on_where_it_was_put_away() -> None:
    config = SMALL.with_(**{"dataset.also": (MODULUS, "on_hull")})
    whole, first, second = (Experiment(config) for _ in range(3))
    expected = [e for e in whole.events() if isinstance(e, EpochMetrics)]
    for n, _ in enumerate(first.events()):
        if n == 7:
            break
    second.restore(*first.state())
    rest = [e for e in second.events() if isinstance(e, EpochMetrics)]
    assert rest[-1].val_maes == expected[-1].val_maes and rest[-1].train_maes == expected[-1].train_maes
    assert outputs_of(second.model, whole.data["test"]).equal(outputs_of(whole.model, whole.data["test"]))


def test_a_crystal_needs_one_of_the_targets_only() -> None:
    both, one = load_crystals(SPARSE.with_(max_crystals=0)), load_crystals(SPARSE.with_(max_crystals=0, also=()))
    assert len(both.crystals) > len(one.crystals)
    assert all({ENERGY, MODULUS} & c.targets.keys() for c in both.crystals)
    assert "It has no value of “Formation energy” or “Bulk modulus”." in both.dropped.values()


@pytest.mark.parametrize("weights", ["1", "1, x", "0, 1", "1, -1", "1, 2, 3", "1, nan"])
def test_weights_that_do_not_fit_the_targets_are_one_sentence(weights: str) -> None:
    with pytest.raises(ConfigError, match="give 2 numbers"):
        SMALL.with_(**{"train.weights": weights})


@pytest.mark.parametrize(("also", "words"), [((ENERGY,), "both the target"), ((GAP, GAP), "twice"), (("x",), "'x'")])
def test_further_targets_that_make_no_sense_are_one_sentence(also: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SMALL.with_(**{"dataset.also": also})


def test_a_target_that_a_share_lacks_is_one_sentence() -> None:
    config = DatasetConfig(target="density", also=("piezo_max",), max_sites=2, max_crystals=60)
    with pytest.raises(DatasetError, match="have a value of “Piezoelectric modulus”"):
        list(run_experiment(RunConfig(config, model=SMALL.model)))
