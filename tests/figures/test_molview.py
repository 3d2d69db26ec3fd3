"""The page for py3Dmol asks no outside host, repeats itself letter for letter, and lets nothing in."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Structure

from cgcnn.errors import CrystalError
from cgcnn.figures.molview import first_view, molview_html
from cgcnn.figures.scene import crystal_scene, graph_scene
from cgcnn.graph import build_graph

SCRIPT = "/app/static/vendor/chemiscope-1.1.0.min.js"


def page(structure: Structure, **options: object) -> str:
    return molview_html(crystal_scene(structure, **options), SCRIPT, 460, "#ffffff")


def test_the_page_names_no_outside_host(rock_salt: Structure) -> None:
    html = page(rock_salt)
    assert "http" not in html and re.findall(r"[\"'(]//", html) == []
    assert SCRIPT in html


def test_the_same_scene_gives_the_same_page(rock_salt: Structure) -> None:
    assert page(rock_salt) == page(rock_salt) != page(rock_salt, supercell=2)
    assert "UNIQUEID" not in page(rock_salt)


def test_no_text_of_the_scene_reaches_the_page(rock_salt: Structure) -> None:
    scene = crystal_scene(rock_salt)
    evil = "</script><script>alert(1)</script>"
    atoms = tuple(replace(atom, label=evil, tip=evil) for atom in scene.atoms)
    scene = replace(scene, subject=evil, summary=evil, note=evil, legend=(), atoms=atoms)
    assert molview_html(scene, SCRIPT, 460, "#ffffff") == page(rock_salt)


@pytest.mark.parametrize("url", ["//evil.example/x.js", "https://evil.example/x.js", "/x');alert('1", "x.js", ""])
def test_a_script_from_elsewhere_is_refused(rock_salt: Structure, url: str) -> None:
    with pytest.raises(CrystalError, match="must be a path on this server"):
        molview_html(crystal_scene(rock_salt), url, 460, "#ffffff")


def test_a_background_that_is_no_color_is_refused(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="must be a color such as #ffffff"):
        molview_html(crystal_scene(rock_salt), SCRIPT, 460, "red;} body {")


def test_every_atom_is_a_sphere_of_its_own_color_and_radius(rock_salt: Structure) -> None:
    html = page(rock_salt)
    model = json.loads(re.findall(r'addModel\((".*?"),"xyz"', html)[0])
    assert model.splitlines()[0] == "27" and len(model.splitlines()) == 29
    styles = re.findall(r'setStyle\((\{"model".*?\}),(\{"sphere".*?\}\})\)', html)
    assert sorted(len(json.loads(who)["serial"]) for who, _ in styles) == [13, 14]


def test_each_stick_is_two_half_cylinders_and_the_cell_is_twelve(rock_salt: Structure) -> None:
    assert page(rock_salt).count("addCylinder(") == 2 * 54 + 12


def test_ghosts_are_a_translucent_model_of_their_own(perovskite: Structure) -> None:
    html = molview_html(graph_scene(perovskite, build_graph(perovskite), 1), SCRIPT, 460, "#171614")
    assert {json.loads(s)["sphere"]["opacity"] for s in re.findall(r'(\{"sphere".*?\}\})\)', html)} == {1.0, 0.45}


def test_a_lost_script_is_said_in_the_frame(rock_salt: Structure) -> None:
    assert "The 3D script could not be loaded" in page(rock_salt)


def test_the_first_view_is_a_rotation_with_c_upright(low_symmetry: Structure) -> None:
    turn = first_view(crystal_scene(low_symmetry))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) > 0 and (turn @ low_symmetry.lattice.matrix[2])[1] > 0
