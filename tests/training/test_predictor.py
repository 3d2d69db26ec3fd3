"""The networks that Xie and Grossman published, to the last printed digit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError
from cgcnn.graph import GraphConfig
from cgcnn.models.published import PUBLISHED, load_published, published_file
from cgcnn.training.predictor import Predictor

GOLDEN = {  # crystal: what the published code says, in the order of PUBLISHED
    "1000041": (-2.1133, -3.3883, 4.7741, -0.6838, 1.3808, 0.9818, 0.3125, 0.0000),
    "1000050": (-2.1395, -3.2870, 4.3820, 0.3649, 1.2745, 0.9500, 0.2616, 0.0000),
    "1101051": (-1.1314, -3.5113, 2.0293, 1.9347, 1.8491, 1.5264, 0.2828, 0.0158),
    "1507756": (-3.5268, -8.0577, 1.9110, 2.8408, 2.0781, 1.8947, 0.2499, 0.0280),
    "7206075": (-3.3803, -8.8911, 2.6892, 2.2210, 2.2460, 1.6967, 0.3440, 0.2118),
}


@pytest.mark.parametrize(("place", "name"), list(enumerate(PUBLISHED)), ids=str)
def test_published_weights_give_published_outputs(place: int, name: str, cod: Path) -> None:
    predictor = Predictor.published(name)
    for crystal, golden in GOLDEN.items():
        structure = read_structure((cod / f"{crystal}.cif").read_bytes(), f"{crystal}.cif")
        assert f"{predictor.predict([structure])[0]:.4f}" == f"{golden[place]:.4f}", crystal


def test_the_folded_classifier_is_the_softmax_of_its_two_outputs(rock_salt: Structure) -> None:
    file = published_file("metal or not")
    model, mean, std = load_published(file)
    assert (mean, std) == (0.0, 1.0) and model.head[3].out_features == 1
    assert all(0 < p < 1 for p in Predictor.published("metal or not").predict([rock_salt, rock_salt * (2, 1, 1)]))


def test_a_network_is_asked_on_graphs_of_another_rule(perovskite: Structure) -> None:
    published = Predictor.published("formation energy")
    shells = replace(published, graph=published.graph.with_(rule="whole shells"))
    assert shells.graph.rule == "whole shells" and published.graph.rule == "k nearest"
    assert abs(shells.predict([perovskite])[0] - published.predict([perovskite])[0]) > 0.1


def test_many_crystals_are_answered_as_one_by_one(rock_salt: Structure, perovskite: Structure) -> None:
    predictor = Predictor.published("band gap")
    together = predictor.predict([rock_salt, perovskite])
    alone = [predictor.predict([structure])[0] for structure in (rock_salt, perovskite)]
    assert torch.allclose(torch.tensor(together), torch.tensor(alone), atol=1e-5)


def test_no_crystal_has_no_answer_and_the_first_without_a_graph_is_named(rock_salt: Structure) -> None:
    published = Predictor.published("band gap")
    lonely = Structure(Lattice.cubic(30.0), ["He"], [[0, 0, 0]])
    assert published.predict([]) == []
    with pytest.raises(CrystalError, match="1 of 1 atoms of He has no neighbor"):
        published.predict([rock_salt, lonely])


def test_a_large_cell_of_whole_shells_is_asked_by_its_quotient(rock_salt: Structure) -> None:
    published = Predictor.published("formation energy")
    whole = replace(published, graph=GraphConfig(rule="whole shells"))
    assert whole.predict([rock_salt * (3, 3, 3)]) == pytest.approx(whole.predict([rock_salt]), abs=1e-5)
