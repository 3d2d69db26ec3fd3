"""Edges grow with the crystal, not with its square."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgcnn.graph import NEIGHBOR_RULES, GraphConfig, build_graph
from cgcnn.graph.cost import MOST_EDGES, TRIES, costs, doublings, line_graph_size, slope


@pytest.fixture
def copper() -> Structure:
    return Structure(Lattice.from_parameters(2.553, 2.553, 2.553, 60, 60, 60), ["Cu"], [[0, 0, 0]])


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
@pytest.mark.parametrize("name", ["copper", "rock_salt", "perovskite", "rutile", "low_symmetry"])
def test_edges_grow_as_the_first_power_of_the_atoms(name: str, rule: str, request: pytest.FixtureRequest) -> None:
    found = list(costs(request.getfixturevalue(name), GraphConfig(rule=rule), most_atoms=600))
    assert len(found) >= 5
    assert slope([c.n_atoms for c in found], [c.n_edges for c in found]) == pytest.approx(1.0, abs=0.02)
    assert slope([c.n_atoms for c in found], [c.n_line_edges for c in found]) == pytest.approx(1.0, abs=0.02)


def test_a_few_thousand_atoms_are_reached_and_not_passed(rock_salt: Structure) -> None:
    assert [c.n_atoms for c in costs(rock_salt, GraphConfig())] == [8 * 2**n for n in range(10)]


def test_many_edges_end_the_line_before_it_takes_long(rock_salt: Structure) -> None:
    found = list(costs(rock_salt, GraphConfig(rule="radius", cutoff=12.0)))
    assert found[-1].n_edges <= MOST_EDGES < 2 * found[-1].n_edges


def test_a_cell_doubles_along_its_shortest_side(rutile: Structure) -> None:
    assert doublings(rutile, 48) == [(1, 1, 1), (1, 1, 2), (2, 1, 2), (2, 2, 2)]


def test_a_cell_beyond_the_limit_is_still_measured_once(rock_salt: Structure) -> None:
    assert doublings(rock_salt, 4) == [(1, 1, 1)]


def test_the_line_graph_of_rock_salt_has_n_k_squared_edges(rock_salt: Structure) -> None:
    whole = build_graph(rock_salt, GraphConfig(rule="whole shells"))
    assert (whole.n_edges, line_graph_size(whole)) == (144, 2592)  # 8 atoms, k = 18


def test_a_slope_is_the_exponent_and_one_point_has_none() -> None:
    assert slope([1, 10, 100], [3, 300, 30_000]) == pytest.approx(2.0)
    assert slope([5], [7]) != slope([5], [7])


def test_a_small_cell_is_tried_more_often_than_a_large_one(
    rock_salt: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []
    monkeypatch.setattr("cgcnn.graph.cost.build_graph", lambda s, c: built.append(len(s)) or build_graph(s, c))
    clock = iter(np.cumsum([0.001 * (n % 2) for n in range(100)] + [0.05 * (n % 2) for n in range(100)]))
    monkeypatch.setattr("cgcnn.graph.cost.perf_counter", lambda: float(next(clock)))
    list(costs(rock_salt, GraphConfig(), most_atoms=8))
    assert built == [8] * TRIES
