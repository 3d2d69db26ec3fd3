"""Questions that every entry of every dict must answer alike."""

import pytest
import torch
from pymatgen.core import Structure
from pymatgen.core.operations import SymmOp

from cgcnn.graph import GraphConfig, batch, build_graph
from cgcnn.models import MODELS
from cgcnn.nn import ACTIVATIONS, ATTENTIONS, CONVS, NORMS, POOLINGS

WHOLE = GraphConfig(rule="whole shells")
KNOBS = {
    "conv": CONVS,
    "attention": ATTENTIONS,
    "heads": [4],
    "activation": ACTIVATIONS,
    "norm": NORMS,
    "pooling": POOLINGS,
}
ARMS = [
    (name, {knob: value})
    for name, model in MODELS.items()
    for knob, values in KNOBS.items()
    if knob in model.Config.options()
    for value in values
]
LAYERS = [(name, arm) for name, arm in ARMS if {"conv", "attention", "heads"} & arm.keys()]
POOLED = [name for name, model in MODELS.items() if not model.on_grid]


def network(name: str, **changes):
    torch.manual_seed(0)
    return MODELS[name](MODELS[name].Config(**changes), n_targets=2).eval()


def views(structure: Structure) -> dict[str, Structure]:
    rotated = structure.copy()
    rotated.apply_operation(SymmOp.from_axis_angle_and_translation([1, 1, 3], 51.0))
    return {
        "permuted": Structure.from_sites(list(reversed(structure.sites))),
        "shifted": structure.copy().translate_sites(range(len(structure)), [0.21, 0.13, 0.37]),
        "rotated": rotated,
        "supercell": structure * (2, 2, 1),
    }


@pytest.mark.parametrize(("name", "arm"), ARMS, ids=str)
def test_a_batch_predicts_what_its_crystals_predict_alone(
    name: str, arm: dict, rock_salt: Structure, perovskite: Structure, low_symmetry: Structure
) -> None:
    graphs = [build_graph(s) for s in (rock_salt, perovskite, low_symmetry)]
    model = network(name, **arm)
    with torch.no_grad():
        alone, together = torch.cat([model(g) for g in graphs]), model(batch(graphs))
    assert together.shape == (3, 2)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "arm"), LAYERS, ids=str)
@pytest.mark.parametrize("view", ["permuted", "shifted", "rotated", "supercell"])
def test_whole_shells_and_mean_pooling_make_a_prediction_invariant(
    name: str, arm: dict, view: str, perovskite: Structure, rock_salt: Structure, low_symmetry: Structure
) -> None:
    model = network(name, **arm)
    for structure in (perovskite, rock_salt, low_symmetry):
        with torch.no_grad():
            one = model(build_graph(structure, WHOLE))
            other = model(build_graph(views(structure)[view], WHOLE))
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", POOLED)
def test_sum_pooling_sees_the_size_of_the_cell_and_mean_pooling_does_not(name: str, rock_salt: Structure) -> None:
    small, large = build_graph(rock_salt, WHOLE), build_graph(rock_salt * (2, 1, 1), WHOLE)
    with torch.no_grad():
        gap = {
            p: (network(name, pooling=p)(small) - network(name, pooling=p)(large)).abs().max() for p in ("sum", "mean")
        }
    assert gap["sum"] > 0.01 and gap["mean"] < 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_gets_a_finite_gradient(name: str, low_symmetry: Structure, rock_salt: Structure) -> None:
    model = network(name).train()
    model(batch([build_graph(low_symmetry), build_graph(rock_salt)])).square().sum().backward()
    for key, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), key


@pytest.mark.parametrize("name", MODELS)
def test_a_model_names_its_parts_and_its_weights_survive_a_copy(name: str, rock_salt: Structure) -> None:
    model, copy = network(name), MODELS[name](MODELS[name].Config(), n_targets=2).eval()
    assert all(hasattr(model, part) for part in ("embed", "convs", "pool", "head"))
    copy.load_state_dict(model.state_dict())
    graph = build_graph(rock_salt)
    assert torch.equal(model(graph), copy(graph))
