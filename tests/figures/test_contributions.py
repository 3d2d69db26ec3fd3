"""Colors that follow values, in 3D and along an axis."""

import pytest
from pymatgen.core import Structure

from cgcnn.errors import CrystalError
from cgcnn.figures.contributions import contribution_scene, contribution_strip, number, value_colors

LABEL = {"label": "Value of the atom alone", "unit": "eV/atom"}


def test_every_image_of_an_atom_has_the_color_of_its_value(rock_salt: Structure) -> None:
    values = [-1.0] * 4 + [1.0] * 4
    scene = contribution_scene(rock_salt, values, **LABEL)
    low, high = value_colors([-1.0, 1.0])
    assert {(atom.symbol, atom.color) for atom in scene.atoms} == {("Na", low), ("Cl", high)}
    assert all(atom.color == value_colors(values)[atom.site] for atom in scene.atoms)


def test_the_legend_is_a_color_bar_with_its_unit(rock_salt: Structure) -> None:
    scene = contribution_scene(rock_salt, list(range(8)), **LABEL)
    assert len(scene.legend) == 5 and scene.legend[0].text == "Value of the atom alone: 0.000"
    assert scene.legend[-1].text == "7.000 eV/atom" and "from 0.000 to 7.000 eV/atom" in scene.summary
    assert scene.atoms[0].tip == "Na 1: 0.000 eV/atom"


def test_equal_values_share_one_color_and_one_line_of_the_legend(rock_salt: Structure) -> None:
    scene = contribution_scene(rock_salt, [2.0] * 8, **LABEL)
    assert len(scene.legend) == 1 and {atom.color for atom in scene.atoms} == {scene.legend[0].color}


def test_values_and_atoms_must_match(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="3 values for 8 atoms"):
        contribution_scene(rock_salt, [1.0, 2.0, 3.0], **LABEL)


def test_the_strip_has_a_dot_for_each_atom_and_a_line_for_each_mark() -> None:
    groups = {"Na 4a": [("Na 1", -1.0), ("Na 2", -1.1)], "Cl 4b": [("Cl 5", -3.0)]}
    marks = {"answer": -2.0, "mean of atoms": -1.7}
    figure = contribution_strip(groups, title="T", axis="Value (eV/atom)", unit="eV/atom", marks=marks)
    dots, answer, mean = figure.data
    assert list(dots.x) == [-1.0, -1.1, -3.0] and list(dots.y) == ["Na 4a", "Na 4a", "Cl 4b"]
    assert answer.x == (-2.0, -2.0) and mean.name == "mean of atoms −1.700 eV/atom"
    assert figure.layout.xaxis.title.text == "Value (eV/atom)" and figure.layout.title.text == "T"
    assert dots.marker.colorbar.title.text == "eV/atom"


def test_the_strip_lets_the_page_shine_through_and_refuses_nothing() -> None:
    figure = contribution_strip({"Cu": [("Cu 1", 0.0)]}, title="T", axis="x", unit="")
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)" and len(figure.data) == 1
    with pytest.raises(CrystalError, match="no atom"):
        contribution_strip({}, title="T", axis="x", unit="")


@pytest.mark.parametrize(("value", "text"), [(-1.5, "−1.500"), (0.0, "0.000"), (-1.2e-7, "0.000"), (123.4, "123.400")])
def test_numbers_keep_three_digits_and_a_true_minus(value: float, text: str) -> None:
    assert number(value) == text


def test_all_numbers_of_a_legend_have_one_format_and_differ(rock_salt: Structure) -> None:
    values = [3.8e-6] * 4 + [1.1e-3] * 4
    texts = [entry.text.split()[-1] for entry in contribution_scene(rock_salt, values, label="P", unit="").legend]
    assert texts == ["0.00000", "0.00028", "0.00055", "0.00083", "0.00110"]


def test_values_that_differ_by_rounding_stand_in_the_middle_of_the_axis() -> None:
    groups = {"C 2b": [("C 1", 1.7), ("C 2", 1.7 + 1e-7)]}
    figure = contribution_strip(groups, title="T", axis="x", unit="eV", marks={"answer": 1.7})
    low, high = figure.layout.xaxis.range
    assert low < 1.2 and high > 2.2


def test_large_values_that_differ_by_rounding_have_a_color() -> None:
    assert len(value_colors([4246520.5, 4246520.500000001, 4246520.4999])) == 3
