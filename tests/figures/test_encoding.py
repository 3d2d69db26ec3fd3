import json
from typing import Any

import pytest

from cgcnn.data.element_distances import differing_bits
from cgcnn.data.elements import BANDS, atom_vector
from cgcnn.figures.encoding import (
    HATCH,
    MARK_COLOR,
    SET_COLOR,
    SHARED_COLOR,
    bits_height,
    compared_bits,
    element_bits,
    latest,
    picked_bit,
)


def cells(option: dict[str, Any], stack: str) -> list[dict[str, Any]]:
    """The cells of one stack in the order of their columns."""
    found = [cell for part in option["series"] if part["stack"] == stack for cell in part["data"] if cell]
    return sorted(found, key=lambda cell: cell["column"])


def filled(option: dict[str, Any], stack: str, color: str) -> list[int]:
    return [cell["column"] for cell in cells(option, stack) if cell["itemStyle"]["color"] == color]


@pytest.mark.parametrize("z", [1, 2, 11, 12, 57, 61, 100])
def test_exactly_the_set_bits_are_filled(z: int) -> None:
    option = element_bits(z)
    assert [cell["column"] for cell in cells(option, "bits")] == list(range(92))
    assert filled(option, "bits", SET_COLOR) == atom_vector(z).nonzero()[0].tolist()
    assert f"{int(atom_vector(z).sum())} of 92 bits are 1" in option["title"]["text"]


def test_a_row_is_a_property_and_its_cells_share_the_width() -> None:
    option = element_bits(11)
    assert option["yAxis"]["data"][:4] == [
        "Group: 1",
        "Period: 3",
        "Electronegativity: 0.93",
        "Covalent radius: 155 pm",
    ]
    for row, band in enumerate(BANDS):
        drawn = [part["data"][row] for part in option["series"] if part["data"][row]]
        assert [cell["column"] for cell in drawn] == list(range(band.first, band.first + band.n_bins))
        assert sum(cell["value"] for cell in drawn) == pytest.approx(1)


def test_a_band_without_a_value_is_hatched_and_no_other() -> None:
    hatched = [cell["column"] for cell in cells(element_bits(12), "bits") if cell["itemStyle"]["decal"] is HATCH]
    assert hatched == list(range(68, 78)), "the electron affinity of Mg"
    assert not [cell for cell in cells(element_bits(11), "bits") if cell["itemStyle"]["decal"] is HATCH]


def test_a_cell_shows_its_range_and_tells_its_meaning() -> None:
    cell = cells(element_bits(11), "bits")[41]
    assert cell["label"]["formatter"] == "137.5\n160"
    assert (
        cell["tooltip"]["formatter"] == "Bit 41 is 1 for Na:<br>its covalent radius, 155 pm, lies in 137.5 to 160 pm."
    )
    assert cells(element_bits(11), "bits")[1]["label"]["formatter"] == "1"


def test_the_chosen_bit_alone_is_framed() -> None:
    framed = [
        cell["column"] for cell in cells(element_bits(11, chosen=30), "bits") if cell["itemStyle"]["borderWidth"] > 2
    ]
    assert framed == [30]


def test_small_type_differs_between_the_themes() -> None:
    light, dark = (cells(element_bits(11, dark=dark), "bits")[0]["label"]["color"] for dark in (False, True))
    assert light != dark


@pytest.mark.parametrize("pair", [(11, 17), (12, 8), (57, 58), (61, 100), (2, 18)])
def test_shared_and_differing_bits_are_marked_in_both_rows(pair: tuple[int, int]) -> None:
    option, (a, b) = compared_bits(*pair), pair
    both = (atom_vector(a) & atom_vector(b)).nonzero()[0].tolist()
    assert filled(option, "upper", SHARED_COLOR) == filled(option, "lower", SHARED_COLOR) == both
    marked = filled(option, "upper", MARK_COLOR) + filled(option, "lower", MARK_COLOR)
    assert len(marked) == differing_bits(a)[b - 1]
    both_rows = [*cells(option, "upper"), *cells(option, "lower")]
    dashed = [cell["column"] for cell in both_rows if cell["itemStyle"]["borderType"] != "solid"]
    assert sorted(dashed) == sorted(marked)


def test_every_cell_in_every_state_sets_the_same_keys_for_a_chart_keeps_what_is_left_out() -> None:
    pictures = [element_bits(2), element_bits(11, chosen=41), compared_bits(11, 17, chosen=3), compared_bits(57, 58)]
    every = [cell for picture in pictures for stack in ("bits", "upper", "lower") for cell in cells(picture, stack)]
    assert len({(*sorted(cell["itemStyle"]), "|", *sorted(cell["label"])) for cell in every}) == 1


def test_a_hatched_row_is_explained_in_the_key() -> None:
    for picture in (element_bits(2), compared_bits(2, 18)):
        assert "no value or one outside all bins" in picture["title"]["subtext"]


def test_a_click_on_a_cell_finds_its_column() -> None:
    option = element_bits(11)
    assert picked_bit(option, (0, 0)) == 0 and picked_bit(option, (4, 3)) == 40
    assert picked_bit(option, (18, 1)) is None, "there is no nineteenth period"
    assert picked_bit(option, (99, 0)) is None and picked_bit(option, (0, 99)) is None


def test_of_all_clicks_the_latest_counts() -> None:
    a, b = (0, 1), (3, 2)
    assert latest(set(), {a}) == a and latest({a}, {a, b}) == b
    assert latest({a, b}, {a}) == b, "a second click takes the first back"
    assert latest({a, b}, set()) is None, "a double click clears all"


def test_pictures_are_plain_json() -> None:
    for option in (element_bits(2), compared_bits(2, 100)):
        json.dumps(option, allow_nan=False)
    assert bits_height(2) > bits_height() > 9 * 40
