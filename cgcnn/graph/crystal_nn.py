"""A chemist's view of who is bonded: CrystalNN, Zimmermann and Jain, RSC Adv. 10, 6063 (2020), as pymatgen has it."""

import warnings

import numpy as np
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.errors import CrystalError
from cgcnn.graph.neighbors import Neighbors, ordered
from cgcnn.graph.sites import Sites

# CrystalNN says so of every structure of bare elements; pymatgen, of every noble gas.
EXPECTED = ("No oxidation states specified", "CrystalNN: cannot locate an appropriate radius", "No Pauling")


def crystal_nn(structure: Structure, atom: int) -> Neighbors:
    """The neighbors of one atom, sorted by distance; none where CrystalNN sees no bond.

    It weighs the faces of the atom's Voronoi cell by solid angle, distance and electronegativity. CrystalError
    where it has no answer, as for elements without a radius.
    """
    from pymatgen.analysis.local_env import CrystalNN  # half a second, which only this comparison needs

    with warnings.catch_warnings():
        for message in EXPECTED:
            warnings.filterwarnings("ignore", message=message)
        try:
            found = CrystalNN().get_nn_info(structure, atom)
        except Exception as reason:  # None radii, a flat Voronoi cell: its ways to fail have no common type
            raise CrystalError(
                f"CrystalNN has no answer for {site_label(structure, atom)} of {formula_of(structure)}; "
                "compare the other rules, or select another atom."
            ) from reason
    return _pairs(structure, atom, found)


def _pairs(structure: Structure, atom: int, found: list[dict]) -> Neighbors:
    neighbor = np.array([bond["site_index"] for bond in found], dtype=np.int64)
    image = np.array([bond["image"] for bond in found], dtype=np.int64).reshape(-1, 3)
    sites = Sites.of(structure)
    ends = sites.coords[neighbor] + image @ sites.lattice[0]
    distance = np.linalg.norm(ends - sites.coords[atom], axis=1)
    return ordered(sites, Neighbors(np.full(len(found), atom), neighbor, image, distance))
