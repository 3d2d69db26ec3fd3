"""What an atom does to the answer adds up, or the gap is told."""

from dataclasses import replace

import pytest
import torch
from pymatgen.core import Structure

from cgcnn.data.cells import symmetry
from cgcnn.data.samples import load_sample
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.explain.contributions import Contributions, contributions, digits, grouped, orbit_labels
from cgcnn.explain.record import record
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models import CGCNN
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor

PER_ATOM, PER_CELL = TARGETS["formation_energy_per_atom"], TARGETS["formation_energy_per_cell"]


def network(pooling: str = "mean", extensive: bool = False, per_atom: bool = False) -> Predictor:
    torch.manual_seed(1)
    model = CGCNN(CGCNN.Config(n_convs=2, atom_dim=16, pooling=pooling)).eval()
    target = PER_CELL if extensive else PER_ATOM
    return Predictor(model, GraphConfig(), Normalizer((-1.0,), (2.0,), (per_atom,)), target)


def parts_of(predictor: Predictor, structure: Structure) -> Contributions:
    return contributions(predictor, record(predictor.model, build_graph(structure, predictor.graph)))


def linear(predictor: Predictor) -> Predictor:
    """The same network with a head without a bend in it."""
    predictor.model.head = torch.nn.Linear(16, 1)
    return predictor


@pytest.mark.parametrize("pooling", ["mean", "sum"])
@pytest.mark.parametrize("extensive", [False, True])
@pytest.mark.parametrize("per_atom", [False, True])
def test_the_answer_beside_the_atoms_is_the_prediction(
    pooling: str, extensive: bool, per_atom: bool, low_symmetry: Structure
) -> None:
    predictor = network(pooling, extensive, per_atom)
    assert parts_of(predictor, low_symmetry).answer == pytest.approx(predictor.predict([low_symmetry])[0], rel=1e-4)


@pytest.mark.parametrize(("pooling", "per_atom"), [("mean", False), ("mean", True), ("sum", False)])
@pytest.mark.parametrize("extensive", [False, True])
def test_a_linear_head_leaves_no_gap(pooling: str, per_atom: bool, extensive: bool, low_symmetry: Structure) -> None:
    parts = parts_of(linear(network(pooling, extensive, per_atom)), low_symmetry)
    assert parts.gap == pytest.approx(0, abs=1e-3)


def test_the_published_head_is_not_linear_so_there_is_a_gap(perovskite: Structure) -> None:
    parts = parts_of(Predictor.published("formation energy"), perovskite)
    assert parts.gap is not None and abs(parts.gap) > 0.01
    assert parts.combined == pytest.approx(sum(parts.values) / 5)


def test_equal_atoms_alone_say_what_the_crystal_says(rock_salt: Structure) -> None:
    copper = Structure(rock_salt.lattice, ["Cu"], [[0, 0, 0]])
    parts = parts_of(network(), copper * (2, 1, 1))
    assert parts.values[0] == pytest.approx(parts.values[1]) and parts.gap == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["Fe", "graphite", "Cu"])
def test_the_gap_of_an_element_with_equal_atoms_is_no_rounding_error(name: str) -> None:
    parts = parts_of(Predictor.published("formation energy"), load_sample(name).structure)
    assert parts.gap == 0.0 or abs(parts.gap or 0) > 1e-4


def test_rounding_is_measured_by_the_numbers_that_were_added() -> None:
    parts = Contributions((2e-7,), "eV", "", "", "", 2e-7, 1e-7, scale=1.7)
    assert parts.gap == 0.0 and replace(parts, scale=0.0).gap == pytest.approx(-1e-7)


@pytest.mark.parametrize(("std", "count"), [(1.0, 3), (0.1, 3), (0.02, 4), (3e-6, 8)])
def test_an_answer_has_digits_by_the_spread_of_its_target(std: float, count: int) -> None:
    assert digits(replace(network(), normalizer=Normalizer((0.0,), (std,)))) == count


def test_parts_of_an_extensive_answer_add_up_and_double_with_the_cell(low_symmetry: Structure) -> None:
    predictor = network(extensive=True, per_atom=True)
    one, two = (parts_of(predictor, cell) for cell in (low_symmetry, low_symmetry * (2, 1, 1)))
    assert one.combined == pytest.approx(sum(one.values)) and two.combined == pytest.approx(2 * one.combined, rel=1e-4)
    assert not one.on_scale


def test_the_maxima_of_all_atoms_are_all_features_and_equal_atoms_share(rock_salt: Structure) -> None:
    parts = parts_of(network("max"), rock_salt)
    assert parts.combined == pytest.approx(16) and parts.answer is None and parts.gap is None
    assert [g.high - g.low for g in grouped(parts.values, ["Na"] * 4 + ["Cl"] * 4)] == pytest.approx([0, 0], abs=1e-6)


def test_a_classifier_gives_probabilities(rock_salt: Structure) -> None:
    parts = parts_of(Predictor.published("metal or not"), rock_salt)
    assert all(0 <= value <= 1 for value in parts.values)
    assert parts.answer == pytest.approx(Predictor.published("metal or not").predict([rock_salt])[0], abs=1e-6)


def test_an_unknown_pooling_is_a_mistake_that_names_the_known_ones(rock_salt: Structure) -> None:
    predictor = network()
    predictor.model.pool.gather = torch.add  # type: ignore[union-attr]
    predictor.model.forward = lambda graph: None  # type: ignore[method-assign]
    with pytest.raises(CrystalError, match="mean, sum, max"):
        parts_of(predictor, rock_salt)


def test_groups_keep_the_order_of_the_atoms() -> None:
    first, second = grouped([1.0, 5.0, 3.0], ["b", "a", "b"])
    assert (first.label, first.atoms, first.mean, first.low, first.high) == ("b", (0, 2), 2.0, 1.0, 3.0)
    assert second.atoms == (1,)


def test_orbits_are_named_by_element_and_site(rutile: Structure, low_symmetry: Structure) -> None:
    assert set(orbit_labels(rutile, symmetry(rutile))) == {"Ti 2a", "O 4f"}
    twice = Structure(low_symmetry.lattice, ["Na", "Na", "Cl"], low_symmetry.frac_coords[:3])
    assert orbit_labels(twice, symmetry(twice)) == ["Na 1a", "Na 1a (2)", "Cl 1a"]
