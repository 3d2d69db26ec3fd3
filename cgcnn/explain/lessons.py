"""Where published networks are known to be wrong: the crystal, the network, and what is true of it, with a source.

What the network says is not written here; it is asked, so that the lesson is true of the network at hand.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """One honest failure, to be opened and looked at."""

    title: str
    crystal: str  # a name of SAMPLES
    network: str  # a name of PUBLISHED
    truth: str  # what is true, in one or two sentences
    source: str
    remark: str  # what to learn from it


LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "Diamond costs too much",
        "diamond",
        "formation energy",
        "Graphite is carbon's zero by definition. Diamond lies 0.02 eV/atom above it by experiment, and its near "
        "twins of the built-in set 0.14 eV/atom by DFT (mp-616440, a stacking variant of diamond).",
        "NIST Chemistry WebBook (1.9 kJ/mol, standard state 298 K); Faber et al., Int. J. Quantum Chem. 115, 1094 "
        "(2015)",
        "Its nearest crystals are diamond-like carbon, so no warning appears: a familiar crystal can be wrong too.",
    ),
    Lesson(
        "Diamond, a metal?",
        "diamond",
        "metal or not",
        "Diamond is an insulator with a band gap of 5.5 eV.",
        "Madelung, Semiconductors: Data Handbook, 3rd ed., Springer (2004)",
        "A probability near 1 says how sure the network is, not that it is right.",
    ),
    Lesson(
        "Graphite with a gap",
        "graphite",
        "band gap",
        "Graphite is a semimetal: its bands overlap by about 0.04 eV, so there is no gap at all.",
        "Dresselhaus and Dresselhaus, Adv. Phys. 51, 1 (2002)",
        "The crystals that this network learned from have a mean gap of 2.35 eV; it hardly knows the answer “none”.",
    ),
)
