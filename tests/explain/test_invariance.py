"""The fault of "k nearest", measured through the function that the page calls."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.explain.descriptions import CONTROL, RANDOM, descriptions, rotated
from cgcnn.explain.invariance import Invariance, invariance, shown_scale
from cgcnn.graph import GraphConfig
from cgcnn.training.predictor import Predictor

MEV = 1e-3  # eV


@pytest.fixture(scope="module")
def published() -> Predictor:
    return Predictor.published("formation energy")


def by_rule(structure: Structure, predictor: Predictor, **options) -> dict[str, Invariance]:
    return {result.rule: result for result in invariance(structure, predictor, **options)}


def test_k_nearest_moves_the_published_answer_for_strontium_titanate(
    perovskite: Structure, published: Predictor
) -> None:
    found = by_rule(perovskite, published)["k nearest"]
    assert found.spread > 30 * MEV and not found.holds
    assert max(reading.moved for reading in found.exact) >= 0.2


def test_whole_shells_keep_the_answer_for_strontium_titanate(perovskite: Structure, published: Predictor) -> None:
    found = by_rule(perovskite, published)["whole shells"]
    assert found.spread < 0.1 * MEV and found.holds
    assert all(reading.moved == pytest.approx(0.0) for reading in found.exact)
    assert found.given.value == pytest.approx(-1.92, abs=0.01), "untrusted: the network never saw 13.6 edges an atom"


@pytest.mark.parametrize("rule", ["k nearest", "whole shells"])
def test_rock_salt_hides_the_fault(rock_salt: Structure, published: Predictor, rule: str) -> None:
    found = by_rule(rock_salt, published)[rule]
    assert found.spread < 0.1 * MEV and found.holds


@pytest.mark.parametrize("rule", ["k nearest", "whole shells"])
@pytest.mark.parametrize("name", ["rock_salt", "perovskite", "rutile"])
def test_strain_changes_distances_and_the_answer(
    name: str, rule: str, published: Predictor, request: pytest.FixtureRequest
) -> None:
    found = by_rule(request.getfixturevalue(name), published)[rule]
    assert found.control.stretch > 0.02 and abs(found.change(found.control)) > 1 * MEV
    assert all(reading.stretch < 1e-4 for reading in found.exact)


def test_the_neighbor_count_of_the_page_is_used(perovskite: Structure, published: Predictor) -> None:
    found = by_rule(perovskite, published, graph=GraphConfig(max_neighbors=14), draws=1)
    assert found["k nearest"].given.edges_per_atom == 14


def test_every_kind_has_its_row_and_the_control_comes_last(perovskite: Structure, published: Predictor) -> None:
    rows = by_rule(perovskite, published)["k nearest"].summaries()
    assert [(row.kind, row.tries) for row in rows[:3]] == [(kind, 5) for kind in RANDOM]
    cells = [f"{cell} cell (equal but for rounding)" for cell in ("primitive", "conventional")]
    assert [row.kind for row in rows[3:]] == ["supercell 2 × 2 × 1", *cells, CONTROL]


def test_a_cell_says_how_it_differs_from_the_one_given(rock_salt: Structure, rutile: Structure) -> None:
    told = [d.kind for d in descriptions(rock_salt).exact[-2:]]
    assert told == ["primitive cell (2 atoms)", "conventional cell (also 8 atoms)"]
    moved = Structure(rutile.lattice, rutile.species, rutile.frac_coords + np.array([0.1, 0, 0]))
    assert descriptions(moved).exact[-1].kind == "conventional cell (also 6 atoms)"


def test_edges_by_pair_tell_who_was_taken(perovskite: Structure, published: Predictor) -> None:
    rows = {pair: counts for pair, *counts in by_rule(perovskite, published)["k nearest"].pair_rows()}
    assert rows["Sr–O"] == pytest.approx([2.4] * 3), "the 12 O of Sr are a whole shell"
    assert rows["O–Sr"][1] < rows["O–Sr"][2], "how many Sr an O takes is an accident"


def test_one_seed_gives_one_answer(perovskite: Structure, published: Predictor) -> None:
    assert invariance(perovskite, published, draws=2) == invariance(perovskite, published, draws=2)


def test_an_untidy_cell_is_left_out_because_spglib_makes_another_crystal_of_it(
    rutile: Structure, published: Predictor
) -> None:
    noise = 1e-4 * np.random.default_rng(0).standard_normal((len(rutile), 3))
    untidy = Structure(rutile.lattice, rutile.species, rutile.frac_coords + noise)
    found = by_rule(untidy, published, draws=1)["whole shells"]
    assert not [reading.kind for reading in found.exact if reading.kind.startswith("primitive cell")]
    assert "The primitive cell (also 6 atoms) is left out" in found.note and found.holds


def test_a_rotation_keeps_lengths_and_hand(low_symmetry: Structure) -> None:
    turned = rotated(low_symmetry, np.random.default_rng(3))
    assert turned.lattice.abc == pytest.approx(low_symmetry.lattice.abc)
    assert np.linalg.det(turned.lattice.matrix) == pytest.approx(np.linalg.det(low_symmetry.lattice.matrix))


def test_a_large_cell_gets_fewer_tries_and_says_so(rock_salt: Structure) -> None:
    told = descriptions(rock_salt * (4, 4, 4))
    assert [d.kind for d in told.exact] == [*RANDOM, "primitive cell (2 atoms)", "conventional cell (8 atoms)"]
    assert told.note == "To stay quick with 512 atoms: 1 random try of each kind, not 5, no supercell."


def test_too_large_a_cell_is_refused_with_the_limit(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match=r"NaCl has 640 atoms.*limit 600.*primitive cell"):
        descriptions(rock_salt * (4, 4, 5))


def test_an_extensive_answer_is_compared_per_atom(rock_salt: Structure, published: Predictor) -> None:
    class Counts(torch.nn.Module):
        def forward(self, graph):  # type: ignore[no-untyped-def]
            return graph.atoms_per_crystal[:, None].float()

    target = TARGETS["formation_energy_per_cell"]
    cell = Predictor(Counts(), published.graph, type(published.normalizer)((0.0,), (1.0,)), target)
    assert by_rule(rock_salt, cell, draws=1)["k nearest"].spread == 0.0
    assert shown_scale(target) == (1000.0, "meV per atom")


def test_an_atom_with_no_neighbor_is_named(published: Predictor) -> None:
    with pytest.raises(CrystalError, match="no neighbor within 8 Å"):
        invariance(Structure(Lattice.cubic(9.0), ["Na"], [[0, 0, 0]]), published)
