"""Pictures of a crystal on a grid."""

import numpy as np
import pytest

from cgcnn.figures.voxels import density_slice, numbers_against_pitch

VALUES = np.arange(16.0).reshape(4, 4)
ATOMS = [("Na", 0.5, 1.0, 0.1), ("Cl", 1.5, 0.2, -0.2), ("Na", 0.1, 0.1, 0.0)]


def test_a_slice_is_drawn_in_angstrom_on_a_scale_that_no_slice_changes() -> None:
    cells = density_slice(VALUES, pitch=0.5, z=0.75, channel="Period", highest=20.0).data[0]
    assert list(cells.x) == list(cells.y) == [0.25, 0.75, 1.25, 1.75]
    assert (cells.zmin, cells.zmax) == (0, 20.0) and cells.z[1][2] == 6.0


def test_a_slice_says_what_it_shows_and_is_square() -> None:
    layout = density_slice(VALUES, pitch=0.5, z=0.75, channel="Period", highest=20.0).layout
    assert layout.title.text == "Period: the voxels from z = 0.5 to 1 Å"
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("x (Å)", "y (Å)")
    assert layout.yaxis.scaleanchor == "x" and list(layout.xaxis.range) == [0, 2.0]


def test_atoms_near_the_plane_are_dots_by_element() -> None:
    figure = density_slice(VALUES, pitch=0.5, z=0.25, channel="Period", highest=20.0, atoms=ATOMS)
    assert [(trace.name, list(trace.x)) for trace in figure.data[1:]] == [("Na", [0.5, 0.1]), ("Cl", [1.5])]


def test_numbers_stand_against_the_pitch_on_logarithmic_axes_beside_the_graph() -> None:
    lines = {"one channel": [(0.1, 1_000_000), (1.0, 1_000)], "all": [(0.1, 6_000_000), (1.0, 6_000)]}
    figure = numbers_against_pitch(lines, graph=4_672, chosen=(1.0, 1_000), cube=10.0)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.xaxis.title.text == "Pitch Δ (Å)"
    graph = next(trace for trace in figure.data if trace.name == "crystal graph: 4,672")
    assert list(graph.y) == [4_672, 4_672] and list(graph.x) == [0.1, 1.0]
    assert figure.data[0].y[0] == pytest.approx(1e6)
