"""One color and one radius for each element, in 3D, charts and tables alike; and one palette for shells."""

from functools import cache

from pymatgen.core import Element
from pymatgen.vis.structure_vtk import EL_COLORS

UNKNOWN_COLOR = "#b0b0b0"  # elements beyond Mt have no color in the Jmol scheme
UNKNOWN_RADIUS = 1.5  # Å; elements that Slater did not tabulate: heavier noble gases, At, Fr and beyond Am
EDGE_COLOR = "#8b929c"  # reads on white and on near black alike

# Okabe and Ito, "Color universal design" (2008): told apart by color-blind eyes, here nearest shell first.
SHELL_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#a6970a")


@cache
def element_color(symbol: str) -> str:
    """The color `#rrggbb` of an element in the Jmol scheme, as shipped with pymatgen."""
    rgb = EL_COLORS["Jmol"].get(symbol)
    return UNKNOWN_COLOR if rgb is None else "#{:02x}{:02x}{:02x}".format(*rgb)


def label_color(background: str) -> str:
    """Black or white, whichever has the higher contrast (WCAG 2.2) on `#rrggbb`."""
    channels = [int(background[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"  # equal contrast to both at 0.179


def shell_color(shell: int) -> str:
    """The color of the edges to a shell, counted from 0 for the nearest; far shells share a gray."""
    return SHELL_COLORS[shell] if shell < len(SHELL_COLORS) else EDGE_COLOR


@cache
def atomic_radius(symbol: str) -> float:
    """The atomic radius in Å of Slater, J. Chem. Phys. 41, 3199 (1964): two of them sum to a bond length."""
    radius = Element(symbol).atomic_radius
    return UNKNOWN_RADIUS if radius is None else float(radius)


def ball_radius(symbol: str) -> float:
    """The radius in Å of an atom in ball and stick: small enough to see past, and still in order of size."""
    return 0.22 + 0.2 * atomic_radius(symbol)
