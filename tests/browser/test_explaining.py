"""The pages that explain, by hand: an atom, an edge, a cell of a map, a bit, an element, the theme."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from browser_kit import Server, Visit

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).parents[2] / "sample_cifs"
# Where the canvas of a 3D view drew an edge or an atom, in pixels of the window.
MIDDLE_OF_EDGE = """(canvas, n) => {
    const { p, q } = canvas.viewer.hits.edges.find(hit => hit.i === n), box = canvas.getBoundingClientRect();
    return [box.left + 0.6 * p[0] + 0.4 * q[0], box.top + 0.6 * p[1] + 0.4 * q[1]];
}"""
PLACE_OF_ATOM = """(canvas, site) => {
    const hit = canvas.viewer.hits.atoms.find(hit => canvas.viewer.data.atoms[hit.i][5] === site);
    const box = canvas.getBoundingClientRect();
    return [box.left + hit.x, box.top + hit.y];
}"""


def press(visit: Visit, chart: Locator, across: float, down: float) -> None:
    """A click at a part of the width and the height of a picture."""
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    visit.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    visit.settle()


def test_a_click_on_an_edge_and_on_an_atom_choose_what_the_convolution_page_takes_apart(
    visit: Visit, server: Server
) -> None:
    visit.open(f"{server.url}/convolution?network=formation+energy")
    canvas = visit.page.locator(".st-key-conv_canvas canvas").first
    canvas.wait_for()
    visit.page.mouse.click(*canvas.evaluate(MIDDLE_OF_EDGE, 5))
    expect(visit.page).to_have_url(re.compile(r"edge=6"))
    expect(visit.page.get_by_role("combobox", name="Edge")).to_have_value(re.compile("Na 1 → Cl 8"))
    visit.page.mouse.click(*canvas.evaluate(PLACE_OF_ATOM, 6))
    expect(visit.page).to_have_url(re.compile(r"atom=7"))
    expect(visit.page.get_by_role("combobox", name="Edge")).to_have_value(re.compile("Cl 7 → Na"))


def test_a_click_on_a_map_chooses_edge_feature_and_layer(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/convolution?network=formation+energy")
    maps = [visit.page.locator(f".st-key-{key} canvas").first for key in ("messages", "layers")]
    maps[0].wait_for()
    press(visit, maps[0], 0.7, 0.45)
    expect(visit.page).to_have_url(re.compile(r"edge=\d+"))
    expect(visit.page).to_have_url(re.compile(r"feature=\d+"))
    press(visit, maps[1], 0.5, 0.42)
    expect(visit.page).to_have_url(re.compile(r"layer=[234]"))


def test_a_click_on_a_bit_says_what_it_means_and_stays(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/encoding")
    bits = visit.page.locator(".st-key-bits_Cl canvas").first
    bits.wait_for()
    said = visit.page.get_by_test_id("stAlert").first
    before = said.inner_text()
    for down in (0.2, 0.25, 0.3, 0.35):  # some bit lies on this line down the picture
        press(visit, bits, 0.5, down)
        visit.page.wait_for_timeout(500)
        if said.inner_text() != before:
            break
    expect(said).to_contain_text(re.compile(r"Bit \d+ .* is [01] for Cl: its .*\."))
    bit = re.search(r"Bit \d+", said.inner_text()).group()
    visit.page.reload()
    expect(said).to_contain_text(bit)


def test_the_theme_is_switched_by_hand_and_the_pictures_follow(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/encoding")
    bits = visit.page.locator(".st-key-bits_Na canvas").first
    bits.wait_for()

    def background() -> str:
        return visit.page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")

    light = background()
    visit.page.get_by_test_id("stMainMenuButton").click()
    visit.page.get_by_role("menuitemradio", name="Dark").click()
    visit.page.keyboard.press("Escape")
    visit.settle()
    assert background() != light
    expect(visit.page.get_by_role("heading", name="Encoding")).to_be_visible()


def test_many_files_are_answered_and_each_bad_one_is_named(visit: Visit, server: Server, tmp_path: Path) -> None:
    bad = tmp_path / "notes.cif"
    bad.write_text("no crystal here")
    visit.open(f"{server.url}/predict?predict_tab=Many+crystals")
    files = [SAMPLES / "MgO.cif", SAMPLES / "CsCl.cif", bad]
    visit.page.get_by_test_id("stMain").locator('input[type="file"]').set_input_files(files)
    expect(visit.page.get_by_test_id("stMain").get_by_test_id("stAlert").filter(has_text="notes.cif")).to_have_count(1)
    expect(visit.page.get_by_role("button", name=re.compile("CSV")).last).to_be_visible()
    assert "Traceback" not in server.log


def test_the_picture_of_strontium_titanate_names_its_spread(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/graph?graph_tab=Invariance&crystal=SrTiO3")
    expect(visit.page.get_by_text(re.compile(r"the predictions spread over \d\d\.\d meV/atom"))).to_be_visible()
    expect(visit.page.get_by_text(re.compile("whole shells: the prediction stays the same"))).to_be_visible()
