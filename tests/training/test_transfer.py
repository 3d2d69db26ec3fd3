"""What a network takes along stays as it was, what begins anew is new, and wrong sources are said in one sentence."""

import pytest
import torch

from cgcnn.data import DatasetConfig
from cgcnn.errors import ConfigError, CrystalError
from cgcnn.models import CGCNN, MODELS
from cgcnn.models.published import PUBLISHED
from cgcnn.training.experiment import BatchMetrics, EpochMetrics, Experiment, RunConfig
from cgcnn.training.train import TrainConfig
from cgcnn.training.transfer import Taken, TransferConfig, mismatch, parameter_groups, published_source, take_over

SHAPE = CGCNN.Config(n_convs=3, atom_dim=16, hidden_dim=16)
SOURCE = RunConfig(DatasetConfig(max_sites=4, max_crystals=80), model=SHAPE, train=TrainConfig(epochs=2, batch_size=16))
HEIR = SOURCE.with_(**{"dataset.target": "band_gap", "transfer.source": "abcdef12", "transfer.taken": 2})


@pytest.fixture(scope="module")
def source():
    experiment = Experiment(SOURCE)
    list(experiment.events())
    return experiment.checkpoint()


def heir(source, **changes) -> Experiment:
    return Experiment(HEIR.with_(**changes), checkpoint_of={"abcdef12": source}.get)


def begun(experiment: Experiment) -> dict[str, torch.Tensor]:
    """The weights before the first step."""
    events = experiment.events()
    while experiment.training is None:
        next(events)
    return {name: w.clone() for name, w in experiment.model.state_dict().items()}


def test_frozen_weights_and_frozen_batch_norm_do_not_change_by_a_single_bit(source) -> None:
    experiment = heir(source)
    list(experiment.events())
    learned = experiment.model.state_dict()
    kept = [name for name in learned if name.startswith(("embed", "convs.0.", "convs.1."))]
    assert sum("running" in name for name in kept) == 8  # two batch norms in each of two convolutions
    assert all(torch.equal(learned[name], source[0][name]) for name in kept)
    assert all(experiment.best_weights[name].equal(source[0][name]) for name in kept)


def test_what_begins_anew_differs_from_the_source_and_then_learns(source) -> None:
    at_first, experiment = begun(heir(source)), heir(source)
    list(experiment.events())
    for name in ("convs.2.linear.weight", "head.1.weight", "head.3.weight"):
        assert not torch.equal(at_first[name], source[0][name])
        assert not torch.equal(at_first[name], experiment.model.state_dict()[name])


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_so_many_convolutions_come_from_the_source(source, taken: int) -> None:
    at_first = begun(heir(source, **{"transfer.taken": taken}))
    same = [torch.equal(at_first[f"convs.{n}.linear.weight"], source[0][f"convs.{n}.linear.weight"]) for n in range(3)]
    assert same == [n < taken for n in range(3)] and torch.equal(at_first["embed.weight"], source[0]["embed.weight"])


def test_with_the_switch_frozen_batch_norm_counts_on_and_its_weights_still_stand(source) -> None:
    experiment = heir(source, **{"transfer.norm_learns": True})
    list(experiment.events())
    learned = experiment.model.state_dict()
    assert not torch.equal(learned["convs.0.norm_sum.running_mean"], source[0]["convs.0.norm_sum.running_mean"])
    assert torch.equal(learned["convs.0.norm_sum.weight"], source[0]["convs.0.norm_sum.weight"])


def test_fine_tuning_moves_what_was_taken_over_at_its_own_rate(source) -> None:
    experiment = heir(source, **{"transfer.frozen": False, "transfer.rate": 0.25})
    list(experiment.events())
    new, old = experiment.training.optimizer.param_groups
    assert old["lr"] == pytest.approx(0.25 * new["lr"]) and len(old["params"]) + len(new["params"]) > 10
    assert not torch.equal(experiment.model.state_dict()["embed.weight"], source[0]["embed.weight"])


def test_every_weight_is_in_one_group_or_frozen() -> None:
    model = CGCNN(SHAPE)
    taken = Taken.of(model, TransferConfig(taken=1))
    (group,) = parameter_groups(model, taken, 0.01)
    assert len(group["params"]) + len(list(taken.weights())) == len(list(model.parameters()))
    assert not any(weight.requires_grad for weight in taken.weights())


def test_a_transfer_run_goes_on_bit_for_bit_and_needs_its_source_no_more(source) -> None:
    whole, first, second = heir(source), heir(source), Experiment(HEIR)
    expected = [e.val_mae for e in whole.events() if isinstance(e, EpochMetrics)]
    next(e for e in first.events() if isinstance(e, BatchMetrics) and e.step == 2)
    second.restore(*first.state())
    assert [e.val_mae for e in second.events() if isinstance(e, EpochMetrics)] == expected
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name]), name


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_lends_all_its_layers_with_no_key_missing_or_left_over(name: str) -> None:
    weights, config = published_source(name)
    model = CGCNN(config)
    assert sum(p.numel() for p in model.parameters()) == 96_641
    found = model.load_state_dict(weights, strict=False)
    assert not found.missing_keys and not found.unexpected_keys
    fresh = CGCNN(config)
    take_over(fresh, config, weights, config, TransferConfig(source=f"published: {name}", taken=4))
    assert all(torch.equal(w, weights[n]) for n, w in fresh.state_dict().items() if not n.startswith("head"))
    assert not torch.equal(fresh.head[1].weight, weights["head.1.weight"])


def test_a_run_starts_from_a_published_network() -> None:
    config = HEIR.with_(**{"model": published_source("band gap")[1], "transfer.source": "published: band gap"})
    at_first, weights = begun(Experiment(config)), published_source("band gap")[0]
    assert torch.equal(at_first["convs.1.linear.weight"], weights["convs.1.linear.weight"])
    assert not torch.equal(at_first["convs.2.linear.weight"], weights["convs.2.linear.weight"])


@pytest.mark.parametrize("name", [n for n in MODELS if n != "CGCNN"])
def test_every_model_takes_over_its_first_layers(name: str) -> None:
    kind = MODELS[name]
    torch.manual_seed(0)
    one, other = kind(kind.Config()), kind(kind.Config())
    take_over(other, kind.Config(), one.state_dict(), kind.Config(), TransferConfig(source="x", taken=1))
    new = other.state_dict()
    assert all(torch.equal(w, new[n]) for n, w in one.state_dict().items() if n.startswith(("embed", "convs.0.")))
    moved = [
        n for n, w in one.state_dict().items() if w.is_floating_point() and w.ndim > 1 and not torch.equal(w, new[n])
    ]
    assert moved and all(n.startswith(("convs.1", "convs.2", "head")) for n in moved)


@pytest.mark.parametrize(
    ("own", "taken", "words"),
    [
        (SHAPE.with_(atom_dim=32), 1, "Atom vector is 32 here and 16 in the source"),
        (SHAPE.with_(activation="ReLU"), 1, "Activation g is ReLU here and softplus"),
        (SHAPE.with_(n_convs=5), 4, "4 convolutions are to be taken over and the source has 3"),
        (MODELS["attention CGCNN"].Config(), 1, "another kind"),
        (SHAPE.with_(hidden_dim=64, n_hidden=2, pooling="sum", n_convs=5), 3, ""),
    ],
)
def test_networks_that_do_not_fit_are_said_with_what_to_set(own, taken: int, words: str) -> None:
    assert words in mismatch(own, SHAPE, taken) and bool(words) == bool(mismatch(own, SHAPE, taken))


def test_more_convolutions_than_there_are_is_one_sentence(source) -> None:
    with pytest.raises(ConfigError, match="3 convolutions are to be taken over and the network has 2"):
        list(heir(source, **{"model.n_convs": 2, "transfer.taken": 3}).events())


def test_a_source_that_is_gone_is_one_sentence() -> None:
    with pytest.raises(CrystalError, match="Run abcdef12, from which this one starts, has left no network"):
        list(Experiment(HEIR).events())
    with pytest.raises(ConfigError, match="no published network 'gravity'"):
        TransferConfig(source="published: gravity")


def test_a_damaged_source_is_one_sentence(source) -> None:
    damaged = {name: w for name, w in source[0].items() if name != "convs.0.linear.bias"}
    with pytest.raises(ConfigError, match=r"no fitting convs\.0\.linear\.bias"):
        list(heir((damaged, source[1])).events())
