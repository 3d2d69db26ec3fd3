"""The symmetry of the crystal in view, worked out once; and what makes two crystals one to a cache."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.cells import Symmetry, symmetry


def content(structure: Structure) -> tuple[bytes, bytes, tuple[int, ...]]:
    """A structure as plain values: two with the same content are one crystal to a cache."""
    return structure.lattice.matrix.tobytes(), structure.frac_coords.tobytes(), structure.atomic_numbers


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Structure: content})
def symmetry_of(structure: Structure) -> Symmetry:
    """See cgcnn.data.cells.symmetry."""
    return symmetry(structure)
