import pytest
from pymatgen.core import Element

from cgcnn.errors import CrystalError
from cgcnn.figures.periodic_table import ROWS, SYMBOLS, clickable_table, periodic_table, picked_element


def cells(figure) -> dict[str, tuple[float, str, str]]:
    """symbol -> (color value, hover text, text color) of the elements that have a value."""
    found = {}
    for layer in figure.data[1:]:
        for z, text, tip in zip(layer.z, layer.text, layer.customdata, strict=True):
            shown = zip(text, z, tip, strict=True)
            found |= {symbol: (value, words, layer.textfont.color) for symbol, value, words in shown if symbol}
    return found


def test_the_table_holds_every_element_once() -> None:
    assert sorted(SYMBOLS) == sorted(Element.from_Z(z).symbol for z in range(1, 119))
    assert {len(row) for row in ROWS} == {18}


def test_elements_stand_in_their_group_and_period() -> None:
    for row, line in enumerate(ROWS[:7]):
        for column, symbol in enumerate(line):
            assert symbol == "." or (Element(symbol).row, Element(symbol).group) == (row + 1, column + 1)


def test_lanthanides_and_actinides_stand_below_a_gap() -> None:
    assert set(ROWS[7]) == {"."}
    assert [symbol for symbol in ROWS[8] if symbol != "."] == [Element.from_Z(z).symbol for z in range(57, 72)]
    assert [symbol for symbol in ROWS[9] if symbol != "."] == [Element.from_Z(z).symbol for z in range(89, 104)]


def test_an_element_without_a_value_is_gray() -> None:
    figure = periodic_table({"Na": 1.0}, title="Crystals", unit="crystals")
    assert cells(figure).keys() == {"Na"}
    gray = [symbol for row in figure.data[0].text for symbol in row if symbol]
    assert sorted([*gray, "Na"]) == sorted(SYMBOLS)
    assert figure.data[0].showscale is False


def test_hovering_shows_value_unit_and_count() -> None:
    table = periodic_table({"Cl": 0.5}, title="Error", unit="eV", counts={"Cl": 1200})
    assert cells(table)["Cl"][1] == "0.5 eV (1,200 crystals)"
    assert cells(periodic_table({"O": 12345}, title="t", unit="crystals"))["O"][1] == "12,345 crystals"


def test_colors_start_at_zero_and_text_is_black_on_the_bright_half() -> None:
    figure = periodic_table({"H": 2.0, "O": 10.0}, title="t", unit="u")
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 10)
    assert cells(figure)["H"][2] == "#ffffff"
    assert cells(figure)["O"][2] == "#000000"


def test_a_logarithmic_scale_has_ticks_at_the_decades() -> None:
    figure = periodic_table({"H": 1, "O": 3000}, title="t", unit="crystals", log=True)
    assert figure.layout.coloraxis.colorbar.ticktext == ("1", "10", "100", "1,000")
    assert cells(figure)["H"][:2] == (0.0, "1 crystal")


@pytest.mark.parametrize("values", [{}, {"H": 5}, {"H": 5, "O": 7}])
def test_few_values_or_none_are_drawn_all_the_same(values: dict[str, float]) -> None:
    for log in (False, True):
        figure = periodic_table(values, title="t", unit="u", log=log)
        assert cells(figure).keys() == values.keys()
        assert figure.layout.coloraxis.cmin < figure.layout.coloraxis.cmax


def test_a_symbol_that_is_no_element_is_named() -> None:
    with pytest.raises(CrystalError, match="'Xx' is no element"):
        periodic_table({"Xx": 1.0}, title="t", unit="u")


def test_zero_has_no_logarithm() -> None:
    with pytest.raises(CrystalError, match="The value of He is 0"):
        periodic_table({"He": 0.0}, title="t", unit="u", log=True)


def test_no_background_is_painted() -> None:
    layout = periodic_table({"Na": 1.0}, title="t", unit="u").layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_a_clickable_table_frames_the_chosen_element_and_answers_for_those_with_a_value() -> None:
    option = clickable_table({"Na": 0, "Cl": 14}, title="t", unit="bits", chosen="Na", no_value="unknown here")
    cells = option["series"][0]["data"]
    assert sorted(cell["name"] for cell in cells) == sorted(SYMBOLS)
    assert [cell["name"] for cell in cells if cell["itemStyle"]["borderWidth"] > 1] == ["Na"]
    answers = {picked_element(option, place) for place in range(-1, len(cells) + 1)}
    assert answers == {None, "Na", "Cl"}
    tips = {cell["name"]: cell["tooltip"]["formatter"] for cell in cells}
    assert tips["Cl"] == "<b>Cl</b>: 14 bits" and tips["Og"] == "<b>Og</b>: unknown here"


def test_one_element_far_beyond_the_others_does_not_take_all_colors() -> None:
    values = {symbol: 0.1 + 0.001 * n for n, symbol in enumerate(SYMBOLS[:60])} | {"Kr": 1.2}
    table = periodic_table(values, title="Error", unit="eV", counts=dict.fromkeys(values, 9)).layout.coloraxis
    assert table.cmax < 0.2 and table.colorbar.ticktext[-1] == f"≥ {table.cmax:.2g}"
    usual = periodic_table(dict(values, Kr=0.16), title="Error", unit="eV", counts=dict.fromkeys(values, 9))
    assert usual.layout.coloraxis.cmax == 0.16 and usual.layout.coloraxis.colorbar.ticktext is None


def test_an_element_of_few_crystals_is_marked() -> None:
    figure = periodic_table({"Kr": 1.2, "O": 0.1}, title="Error", unit="eV", counts={"Kr": 2, "O": 40})
    assert cells(figure).keys() == {"Kr*", "O"} and "fewer than 3" in figure.layout.title.subtitle.text
