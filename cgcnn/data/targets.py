"""What can be predicted: each target's words, unit, whether it grows with the number of atoms, or its two classes."""

from dataclasses import dataclass

NEVER_SURE = 0.995  # from this probability on, rounding would write 100 %


@dataclass(frozen=True)
class Target:
    """A property of a crystal. An extensive one belongs to the cell and doubles with a doubled cell.

    A class is known as 0 or 1 and predicted as the probability of 1; `classes` are the words for 0 and for 1.
    """

    label: str
    unit: str
    help: str
    extensive: bool = False
    task: str = "regression"  # or "classification"
    classes: tuple[str, ...] = ()  # (word for 0, word for 1)

    @property
    def is_class(self) -> bool:
        """Whether it says which of two classes a crystal belongs to."""
        return self.task == "classification"

    @property
    def error(self) -> str:
        """What its error is called: the mean absolute error, or the share of crystals put into the wrong class."""
        return "Share wrong" if self.is_class else "MAE"

    def text(self, value: float, digits: int = 3) -> str:
        """A value as a person reads it: `-1.70 eV/atom`; of a class the likelier one: `metal (83 %)`."""
        if self.is_class:
            sure = max(value, 1 - value)
            return f"{self.word(value)} ({'over 99' if sure >= NEVER_SURE else f'{100 * sure:.0f}'} %)"
        return f"{value:.{digits}f} {self.unit}".rstrip()

    def word(self, value: float) -> str:
        """The class that a label of 0 or 1, or a probability, stands for: from 1/2 on the second one."""
        return self.classes[int(value >= 0.5)]

    def error_text(self, error: float, digits: int = 3) -> str:
        """An error as a person reads it: `MAE 0.039 eV/atom`, of a class `12.5 % in the wrong class`."""
        if self.is_class:
            return f"{100 * error:.1f} % in the wrong class"
        return f"{self.error} {self.text(error, digits)}"

    @property
    def axis(self) -> str:
        """The title of an axis: label, and unit in brackets where there is one."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def _class(label: str, classes: tuple[str, str], help: str) -> Target:
    return Target(label, "", help, task="classification", classes=classes)


TARGETS: dict[str, Target] = {
    "formation_energy_per_atom": Target(
        "Formation energy",
        "eV/atom",
        "Energy of the crystal less that of its elements; negative: it forms from them by itself.",
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
    "metal": _class(
        "Metal or not",
        ("has a band gap", "metal"),
        "Whether the formula has a measured band gap, or is listed as a metal; see the Data page for who says so.",
    ),
    "on_hull": _class(
        "Stable or not",
        ("above the hull", "on the hull"),
        "On the hull: no mixture of other known phases is lower in energy, by the calculation and its corrections.",
    ),
    "magnetic": _class(
        "Magnetic or not",
        ("not magnetic", "magnetic"),
        "For your own table, 1 or 0 by a threshold of your own; the built-in set knows no magnetic moments.",
    ),
    "id_prop": Target("Value of id_prop.csv", "", "The number that your own table gives, in the unit you chose."),
}
