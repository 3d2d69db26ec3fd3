"""What can be predicted: each target's words, unit, and whether it grows with the number of atoms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A property of a crystal. An extensive one belongs to the cell and doubles with a doubled cell."""

    label: str
    unit: str
    help: str
    extensive: bool = False
    task: str = "regression"

    def text(self, value: float, digits: int = 3) -> str:
        """A value as a person reads it: `-1.70 eV/atom`."""
        return f"{value:.{digits}f} {self.unit}".rstrip()

    @property
    def axis(self) -> str:
        """The title of an axis: label, and unit in brackets where there is one."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


TARGETS: dict[str, Target] = {
    "formation_energy_per_atom": Target(
        "Formation energy",
        "eV/atom",
        "Energy gained when the crystal forms from its elements; negative means stable.",
    ),
    "formation_energy_per_cell": Target(
        "Formation energy of the cell",
        "eV",
        "The same energy for the whole cell: it grows with the cell.",
        extensive=True,
    ),
    "e_above_hull": Target(
        "Energy above the hull",
        "eV/atom",
        "How far the crystal lies above the most stable mixture of phases.",
    ),
    "band_gap": Target(
        "Band gap (non-metals)", "eV", "PBE gap of crystals that have one; metals are absent from this set."
    ),
    "log10_bulk_modulus": Target("Bulk modulus", "log10 GPa", "Resistance to uniform compression, as log10(K / GPa)."),
    "log10_shear_modulus": Target("Shear modulus", "log10 GPa", "Resistance to shear, as log10(G / GPa)."),
    "poisson_ratio": Target("Poisson ratio", "", "How much a crystal thins when it is stretched."),
    "log10_refractive_index": Target("Refractive index", "log10", "Bending of light, as log10(n)."),
    "dielectric_total": Target("Dielectric constant", "", "Electronic and ionic response to an electric field."),
    "piezo_max": Target("Piezoelectric modulus", "C/m²", "Largest charge per area under strain."),
    "volume_per_atom": Target("Volume per atom", "Å³/atom", "Room that one atom takes in the crystal."),
    "density": Target("Density", "g/cm³", "Mass per volume of the crystal."),
    "id_prop": Target("Value of id_prop.csv", "", "The number that your own table gives, in the unit you chose."),
}
