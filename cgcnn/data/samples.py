"""Crystals that come with the lab: the files of sample_cifs/, written from literature, in the order of teaching."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cgcnn.data.cif_blocks import Block, blocks
from cgcnn.data.crystal import Crystal
from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError

FOLDER = Path(__file__).parents[2] / "sample_cifs"
SAMPLES: tuple[str, ...] = (
    *("NaCl", "CsCl", "diamond", "Si"),  # one kind of neighbor each
    *("Cu", "Fe", "Mg"),  # the three packings of metals
    *("ZnS-zincblende", "ZnS-wurtzite"),  # equal first shells, other crystals
    *("SrTiO3", "BaTiO3"),  # a cubic crystal and its polar sister
    *("CaF2", "TiO2-rutile", "TiO2-anatase"),  # one formula, two crystals
    *("graphite", "MoS2"),  # layers
    *("KCl", "LiF", "MgO", "Ge", "GaAs", "ZnO", "Al", "W", "Li2O", "Cu2O", "CdI2", "NiAs", "BN", "MgB2"),
    *("FeS2", "SiO2-quartz", "Al2O3", "CaCO3", "MgAl2O4", "TiNiSn"),
)


@dataclass(frozen=True)
class SampleCard:
    """What the file of a sample says of it in words."""

    name: str
    common_name: str
    structure_type: str
    space_group: str  # Hermann-Mauguin symbol
    space_group_number: int
    source: str
    comment: str = ""


def sample_names() -> tuple[str, ...]:
    """The names of all samples, NaCl first."""
    return SAMPLES


def load_sample(name: str) -> Crystal:
    """A sample in its conventional cell; it carries no targets."""
    return Crystal(name, read_structure(_file(name).read_bytes(), f"{name}.cif"))


@cache
def sample_card(name: str) -> SampleCard:
    """Structure type, space group and literature source of a sample."""
    block = next(blocks(_file(name).read_text(encoding="utf-8")))
    return SampleCard(
        name=name,
        common_name=_text(block, "_chemical_name_common"),
        structure_type=_text(block, "_chemical_name_structure_type"),
        space_group=_text(block, "_space_group_name_h-m_alt"),
        space_group_number=int(_text(block, "_space_group_it_number")),
        source=_text(block, "_publ_section_references"),
        comment=_text(block, "_publ_section_comment"),
    )


def _file(name: str) -> Path:
    if name not in SAMPLES:
        raise CrystalError(f"There is no sample named {name[:40]!r}; choose one of {', '.join(SAMPLES)}.")
    return FOLDER / f"{name}.cif"


def _text(block: Block, tag: str) -> str:
    return " ".join(block.get(tag, [""])[0].split())
