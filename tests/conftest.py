"""Crystals built from lattice and basis, and places to look for the data that only some machines have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

torch.set_num_threads(1)


# Unfolding Fm-3m takes pymatgen half a second, so it does it once; each test gets a copy, which it may change.
@pytest.fixture(scope="session")
def unfolded() -> dict[str, Structure]:
    corners = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    return {
        "NaCl": Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], corners[:2]),
        "SrTiO3": Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], corners),
    }


@pytest.fixture
def rock_salt(unfolded: dict[str, Structure]) -> Structure:
    return unfolded["NaCl"].copy()


@pytest.fixture
def perovskite(unfolded: dict[str, Structure]) -> Structure:
    return unfolded["SrTiO3"].copy()


@pytest.fixture
def rutile() -> Structure:
    lattice = Lattice.tetragonal(4.594, 2.959)
    return Structure.from_spacegroup("P4_2/mnm", lattice, ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]])


@pytest.fixture
def low_symmetry() -> Structure:
    """Seven atoms at random in a skewed cell, no two closer than 1 Å: nothing is equal by symmetry."""
    rng = np.random.default_rng(7)
    lattice = Lattice.from_parameters(5.1, 6.3, 7.2, 83, 101, 95)
    while True:
        structure = Structure(lattice, ["Na", "Cl", "O", "Ti", "Fe", "Si", "Ca"], rng.random((7, 3)))
        if structure.is_valid(tol=1.0):
            return structure


@pytest.fixture
def cod() -> Path:
    """Five public-domain files of the Crystallography Open Database."""
    if not (SHARED / "cod").is_dir():
        pytest.skip("needs ../shared/data/cod, which is not part of the repository")
    return SHARED / "cod"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The app in Streamlit's test runner, with an empty home."""
    from page_kit import new_app  # here, since most tests need no Streamlit

    yield from new_app(tmp_path, monkeypatch)
