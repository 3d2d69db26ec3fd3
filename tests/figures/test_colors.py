"""Every element has a color that its label can be read on, and a radius."""

import pytest
from pymatgen.core import Element

from cgcnn.figures.colors import (
    EDGE_COLOR,
    SHELL_COLORS,
    atomic_radius,
    ball_radius,
    element_color,
    label_color,
    shell_color,
)

SYMBOLS = [element.symbol for element in Element]


@pytest.mark.parametrize(("symbol", "color"), [("O", "#ff0d0d"), ("C", "#909090"), ("H", "#ffffff")])
def test_the_colors_are_those_of_jmol(symbol: str, color: str) -> None:
    apart = [abs(int(element_color(symbol)[i : i + 2], 16) - int(color[i : i + 2], 16)) for i in (1, 3, 5)]
    assert max(apart) <= 2  # the table in pymatgen differs from Jmol's by rounding


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_element_has_a_color_and_a_radius(symbol: str) -> None:
    assert len(element_color(symbol)) == 7 and 0.2 < ball_radius(symbol) < 1.0 < 2 * ball_radius(symbol) + 1
    assert 0.2 < atomic_radius(symbol) < 3.0


def contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_label_can_be_read(symbol: str) -> None:
    color = element_color(symbol)
    assert contrast(color, label_color(color)) >= 4.5  # WCAG 2.2, level AA


def test_shells_beyond_the_palette_share_a_color() -> None:
    assert [shell_color(n) for n in range(len(SHELL_COLORS) + 2)] == [*SHELL_COLORS, EDGE_COLOR, EDGE_COLOR]
