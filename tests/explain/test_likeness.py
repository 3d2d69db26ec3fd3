"""Distances between crystal vectors, and what they say of the crystals."""

import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data import builtin
from cgcnn.data.cells import strained
from cgcnn.data.crystal import Crystal
from cgcnn.data.samples import load_sample
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.explain.likeness import (
    Reference,
    most_alike,
    nearest_others,
    others_alike,
    reference,
    target_name,
    vectors_of,
)
from cgcnn.explain.record import record
from cgcnn.graph import build_graph
from cgcnn.models.published import PUBLISHED
from cgcnn.training.predictor import Predictor

NAMES = ("NaCl", "KCl", "LiF", "Cu", "Al")


@pytest.fixture(scope="module")
def published() -> Predictor:
    return Predictor.published("formation energy")


@pytest.fixture(scope="module")
def known(published: Predictor) -> Reference:
    crystals = [Crystal(name, load_sample(name).structure, {"formation_energy_per_atom": 1.0}) for name in NAMES]
    return reference(published, vectors_of(published, crystals, step=2))


def test_a_crystal_is_at_no_distance_from_itself_in_any_cell(published: Predictor, known: Reference) -> None:
    graph = build_graph(load_sample("NaCl").structure * (2, 1, 1), published.graph)
    first = most_alike(known, record(published.model, graph).crystal_vectors[0], 1)[0]
    assert first.id == "NaCl" and first.distance < 1e-2 and first.truth == 1.0


def test_the_reference_holds_the_networks_own_answers(published: Predictor, known: Reference) -> None:
    alone = published.predict([load_sample(name).structure for name in NAMES])
    assert known.predicted == pytest.approx(alone, abs=1e-4) and known.formulas == list(NAMES)


def test_leave_one_out_distances_are_those_of_a_slow_loop(known: Reference) -> None:
    rows = list(known.vectors)
    slow = [min(float((a - b).norm()) for j, b in enumerate(rows) if j != i) for i, a in enumerate(rows)]
    assert nearest_others(known.vectors).tolist() == pytest.approx(slow, rel=1e-5)


def test_far_is_what_all_but_one_in_a_hundred_keep(known: Reference) -> None:
    assert float(known.own.median()) < known.far <= float(known.own.max())


def test_chunks_of_rows_leave_each_row_itself_out() -> None:
    own = nearest_others(torch.arange(1200.0)[:, None])
    assert own.shape == (1200,) and own.unique().tolist() == [1.0]


def test_a_crystal_without_a_graph_is_left_out(published: Predictor) -> None:
    lonely = Crystal("lonely", Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]]))
    found = list(vectors_of(published, [lonely, load_sample("Cu")]))
    assert [crystal.id for crystals, _ in found for crystal in crystals] == ["Cu"]
    with pytest.raises(CrystalError, match="two are needed"):
        reference(published, found)


def test_targets_that_no_set_knows_have_no_name() -> None:
    assert target_name(TARGETS["band_gap"]) == "band_gap"
    assert target_name(PUBLISHED["Fermi energy"].target) == ""


def test_the_twin_of_diamond_that_the_lesson_names_is_what_it_says() -> None:
    twin = builtin.find("mp-616440")
    assert twin.formula == "C" and twin.targets["formation_energy_per_atom"] == pytest.approx(0.14, abs=5e-3)
    assert (build_graph(twin.structure, Predictor.published("band gap").graph).distance < 1.6).sum() == 4 * len(
        twin.structure
    )


def test_a_crystal_of_the_reference_is_told_from_its_neighbors(published: Predictor, known: Reference) -> None:
    vector = record(published.model, build_graph(load_sample("NaCl").structure, published.graph)).crystal_vectors[0]
    itself, others = others_alike(known, vector, "NaCl", 2)
    assert [alike.id for alike in itself] == ["NaCl"] and len(others) == 2
    assert others[0].distance == pytest.approx(float(known.own[0]), rel=1e-3), "the distance that was left out of it"


def test_a_stretched_crystal_is_another_one(published: Predictor, known: Reference) -> None:
    stretched = strained(load_sample("NaCl").structure, 5)
    vector = record(published.model, build_graph(stretched, published.graph)).crystal_vectors[0]
    itself, others = others_alike(known, vector, "NaCl", 1)
    assert itself == [] and others[0].distance > 0.01
