"""What is known of a crystal, in cards and a table."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.ui.symmetry import symmetry_of


def fact_cards(structure: Structure) -> None:
    """Formula, space group, lattice, volume and density."""
    found, lattice = symmetry_of(structure), structure.lattice
    facts = {
        "Formula": formula_of(structure),
        "Atoms in the cell": f"{len(structure)}",
        "Space group": f"{found.symbol} (no. {found.number}), {found.crystal_system}",
        "a, b, c": ", ".join(f"{x:.3f}" for x in lattice.abc) + " Å",
        "α, β, γ": ", ".join(f"{x:.1f}" for x in lattice.angles) + "°",
        "Volume": f"{structure.volume:.2f} Å³, {structure.volume / len(structure):.2f} Å³ an atom",
        "Density": f"{structure.density:.2f} g/cm³",
    }
    st.table({"": facts}, border="horizontal")


def atom_table(structure: Structure, selected: int) -> None:
    """Every atom of the cell with its coordinates and Wyckoff letter; the selected one is marked."""
    wyckoff = symmetry_of(structure).sites
    rows = [
        {
            "": "▶" if i == selected else "",
            "Atom": site_label(structure, i),
            "x": x,
            "y": y,
            "z": z,
            "Wyckoff": wyckoff[i],
        }
        for i, (x, y, z) in enumerate(structure.frac_coords.tolist())
    ]
    coordinate = st.column_config.NumberColumn(format="%.4f", help="Fraction of the lattice vector")
    st.dataframe(
        rows,
        hide_index=True,
        height=min(38 + 35 * len(rows), 320),
        column_config={"": st.column_config.TextColumn(width=30), **dict.fromkeys("xyz", coordinate)},
    )
