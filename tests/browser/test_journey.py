"""The newcomer's journey: see rock salt, see its graph, press Train, and watch a network learn."""

import re
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from browser_kit import Server, Visit, watch
from cgcnn.runs.store import RunStore
from malformed import MALFORMED

pytestmark = pytest.mark.browser
PAGES = {  # page -> its 3D view
    "": "crystal_canvas",
    "graph": "graph_canvas",
    "encoding": None,
    "convolution": "conv_canvas",
    "train": None,
    "compare": None,
    "predict": "contribution_canvas",
    "data": "entry",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_draws_in_both_themes_and_on_a_phone(
    browser: Browser, server: Server, theme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    visit = watch(context.new_page(), server)
    for page, view in PAGES.items():
        visit.open(f"{server.url}/{page}")
        if view is not None:
            expect(visit.page.locator(f".st-key-{view} canvas")).to_have_attribute("aria-label", re.compile("atoms"))
            assert painted(visit.page.locator(f".st-key-{view} canvas")), f"the 3D view of {page} shows something"
        assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), (
            "no sideways scroll"
        )
    context.close()
    assert visit.outside == [] and visit.console == []


def test_the_canvas_shows_the_crystal_and_a_click_selects_an_atom_everywhere(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/?atom=1")
    canvas = visit.page.locator(".st-key-crystal_canvas canvas").first
    canvas.wait_for()
    assert painted(canvas)
    before = visit.page.url
    box = canvas.bounding_box()
    for x in range(2, 9):  # some atom lies on this line across the picture
        canvas.click(position={"x": box["width"] * x / 10, "y": box["height"] * 0.5})
        visit.settle()
        if visit.page.url != before:
            break
    assert "atom=" in visit.page.url
    visit.page.get_by_role("link", name="Graph").click()
    visit.page.get_by_role("heading", name="Crystal graph", level=1).wait_for()
    visit.settle()
    assert "atom=" in visit.page.url, "the link in the menu keeps the selected atom"


def painted(canvas: Locator) -> bool:
    """True when a canvas shows more than a few colors."""
    return canvas.evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size > 50"
    )


def test_py3dmol_draws_from_the_installed_packages(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/?viewer=py3Dmol")
    frame = visit.page.frame_locator("iframe").first
    frame.locator("canvas").first.wait_for(timeout=30_000)


def test_a_slider_of_the_graph_answers_and_stands_in_the_link(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/graph")
    expect(visit.page.get_by_text("cuts a shell in two")).to_be_visible()
    slider = visit.page.get_by_role("slider", name="Neighbors k").first
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
    expect(visit.page.get_by_text("No shell is cut")).to_be_visible()
    assert "neighbors=18" in visit.page.url


def test_train_draws_a_curve_that_survives_refresh_and_a_dead_server(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/train?train_epochs=300&data_max_crystals=400")
    visit.page.get_by_role("button", name="Train", exact=True).click()
    expect(visit.page.get_by_text("Best validation MAE")).to_be_visible(timeout=30_000)
    store = RunStore(server.home)
    (run,) = [r for r in store.runs() if r.state == "running"]
    assert f"run={run.id}" in visit.page.url
    visit.page.reload()
    expect(visit.page.get_by_text("Best validation MAE")).to_be_visible()
    address, seen = visit.page.url, len(store.events(run.id, kinds=["epoch"]))
    visit.page.goto("about:blank")
    server.kill()
    server.start()
    visit.open(address)
    expect(visit.page.get_by_text("Best validation MAE")).to_be_visible()
    epochs = [e.step for e in store.events(run.id, kinds=["epoch"])]
    assert epochs == list(range(1, len(epochs) + 1)) and len(epochs) > seen, "no point is lost and the run went on"
    pressed = time.monotonic()
    visit.page.get_by_role("button", name="Stop").click()
    expect(visit.page.get_by_text("stopped").first).to_be_visible()
    assert time.monotonic() - pressed < 10
    expect(visit.page.get_by_text("Test MAE").first).to_be_visible()
    visit.page.get_by_role("tab", name="The crystal in view").click()
    expect(visit.page.get_by_text("What this network says of NaCl")).to_be_visible()


def test_bad_uploads_are_one_sentence_each_and_leave_no_traceback_in_the_log(
    visit: Visit, server: Server, tmp_path: Path
) -> None:
    files = []
    for number, (filename, data) in enumerate(MALFORMED.values()):
        if 0 < len(data) < 100_000 and len(files) < 24:
            files.append(tmp_path / f"{number}-{filename or 'pasted.cif'}")
            files[-1].write_bytes(data)
    visit.open(server.url)
    visit.page.get_by_text("Add your crystal").click()
    visit.page.locator('input[type="file"]').first.set_input_files(files)
    expect(visit.page.get_by_test_id("stAlert")).to_have_count(len(files))
    sentences = visit.page.get_by_test_id("stAlert").all_inner_texts()
    assert all(file.name in text for file, text in zip(files, sentences, strict=True))
    assert "Traceback" not in server.log and not any("Traceback" in text for text in sentences)


def test_a_crystal_of_the_built_in_set_is_opened_on_every_page(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/data?neighbors=18")
    visit.page.get_by_role("button", name="Look at Pd on every page").click()
    expect(visit.page.get_by_role("combobox", name="Crystal")).to_have_value(re.compile("Pd mp-2"))
    visit.page.get_by_role("link", name="Crystal", exact=True).click()
    expect(visit.page.get_by_role("heading", name="Pd mp-2")).to_be_visible()


def test_one_press_of_back_undoes_one_choice(visit: Visit, server: Server) -> None:
    visit.open(f"{server.url}/?crystal=MgO")
    entries = visit.page.evaluate("history.length")
    visit.page.get_by_role("combobox", name="Crystal").click()
    visit.page.get_by_role("option", name=re.compile("^CsCl")).click()
    expect(visit.page.get_by_role("heading", name="CsCl")).to_be_visible()
    visit.settle()
    assert visit.page.evaluate("history.length") <= entries + 1
    visit.page.go_back()
    expect(visit.page.get_by_role("heading", name="MgO")).to_be_visible()


def test_an_uploaded_crystal_is_found_again_after_a_refresh(visit: Visit, server: Server) -> None:
    sample = Path(__file__).parents[2] / "sample_cifs/MgO.cif"
    visit.open(server.url)
    visit.page.get_by_text("Add your crystal").click()
    visit.page.locator('input[type="file"]').first.set_input_files(sample)
    expect(visit.page.get_by_role("heading", name="MgO.cif")).to_be_visible()
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="MgO.cif")).to_be_visible()


def test_the_server_says_it_is_healthy(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}/_stcore/health") as answer:
        assert answer.read() == b"ok"
