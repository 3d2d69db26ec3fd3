"""The network in NumPy says what the network in PyTorch says."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from pymatgen.core import Structure

from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models import CGCNN
from cgcnn.models.published import PUBLISHED
from cgcnn.nn import POOLINGS
from cgcnn.training.predictor import Predictor
from cgcnn.training.quick import quick_of, softplus

CRYSTALS = ["rock_salt", "perovskite", "rutile", "low_symmetry"]


@pytest.mark.parametrize("rule", ["k nearest", "whole shells"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_network_gives_one_answer_both_ways(
    name: str, rule: str, request: pytest.FixtureRequest
) -> None:
    model = Predictor.published(name).model
    quick = quick_of(model)
    for crystal in CRYSTALS:
        graph = build_graph(request.getfixturevalue(crystal), GraphConfig(rule=rule))
        with torch.no_grad():
            expected = model(graph)[0]
        assert quick is not None
        torch.testing.assert_close(torch.from_numpy(quick(graph)), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("changes", [{"pooling": p} for p in POOLINGS] + [{"n_hidden": 3}, {"n_convs": 1}], ids=str)
def test_a_network_with_learned_statistics_is_folded_right(changes: dict, low_symmetry: Structure) -> None:
    torch.manual_seed(0)
    model, graph = CGCNN(CGCNN.Config(**changes), n_targets=2), build_graph(low_symmetry)
    model(graph), model.eval()  # batch norm has seen something
    quick = quick_of(model)
    assert quick is not None
    torch.testing.assert_close(torch.from_numpy(quick(graph)), model(graph)[0].detach(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "changes", [{"conv": "weight-shared"}, {"norm": "none"}, {"activation": "ReLU"}, {"n_convs": 0}]
)
def test_another_network_has_no_quick_twin_and_is_asked_itself(changes: dict, rock_salt: Structure) -> None:
    model = CGCNN(CGCNN.Config(**changes)).eval()
    published = Predictor.published("band gap")
    asked = Predictor(model, published.graph, published.normalizer, published.target)
    assert quick_of(model) is None
    assert asked.predict([rock_salt]) == pytest.approx(asked.of_graph(build_graph(rock_salt)).tolist())


def test_softplus_neither_overflows_nor_vanishes() -> None:
    x = np.array([-100.0, -20.0, 0.0, 20.0, 1000.0], dtype=np.float32)
    assert softplus(x).tolist() == pytest.approx([0.0, 2e-9, np.log(2), 20.0, 1000.0], abs=1e-7)


def test_one_crystal_is_answered_like_many(rock_salt: Structure, perovskite: Structure) -> None:
    published = Predictor.published("formation energy")
    alone = [published.predict([s])[0] for s in (rock_salt, perovskite)]
    assert alone == pytest.approx(published.predict([rock_salt, perovskite]), abs=1e-5)


def test_a_network_that_learns_on_is_asked_as_it_is_now(rock_salt: Structure) -> None:
    published = Predictor.published("formation energy")
    before = published.predict([rock_salt])
    with torch.no_grad():
        for weight in published.model.parameters():
            weight.mul_(0.5)
    after = published.predict([rock_salt])
    assert after != before and after == pytest.approx(published.of_graph(build_graph(rock_salt)).tolist(), abs=1e-5)


@pytest.mark.parametrize("part", ["activation", "norm_message", "norm_sum"])
def test_one_changed_part_of_one_layer_is_noticed(part: str) -> None:
    model = CGCNN().eval()
    assert quick_of(model) is not None
    other = deepcopy(model)
    setattr(other.convs[1], part, torch.nn.Identity())
    assert quick_of(other) is None and quick_of(model.train()) is None
