"""A run steered in a real browser: pause, step, resume, change one thing, stop, reset; and found again afterwards."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from browser_kit import Server, Visit
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.prose import PARTED
from runs_kit import until

pytestmark = pytest.mark.browser
SMALL = "train_epochs=200&data_max_crystals=300&train_batch_size=16"


def press(page: Page, control: str) -> None:
    page.locator(f".st-key-control_{control}").get_by_role("button").click()


def stands(page: Page, words: str) -> None:
    """Wait until the line on where the run stands says this."""
    expect(page.locator(".st-key-run_state")).to_contain_text(re.compile(words))


def run_in_view(page: Page, other: str = "") -> str:
    """The run in the address, once it is another one than `other`."""
    page.wait_for_function(
        "other => { const run = new URLSearchParams(location.search).get('run'); return run && run !== other }",
        arg=other,
    )
    return re.findall(r"[?&]run=([0-9a-f]{8})", page.url)[0]


def test_a_run_is_steered_from_its_first_point_to_a_new_one(visit: Visit, server: Server) -> None:
    store, page = RunStore(server.home), visit.page
    visit.open(f"{server.url}/train?{SMALL}")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".st-key-run_state")).to_contain_text(re.compile(r"Batch|Epoch \d"), timeout=60_000)
    page.locator("[class*=st-key-curves_] canvas").first.wait_for()
    first = run_in_view(page)

    press(page, "pause")
    stands(page, "Paused (in|after) epoch")
    n_batches = len(store.events(first, kinds=["batch"]))
    press(page, "batch")
    until(lambda: len(store.events(first, kinds=["batch"])) > n_batches)
    page.wait_for_timeout(500)
    stands(page, "Paused in epoch")
    assert len(store.events(first, kinds=["batch"])) == n_batches + 1, "one batch and no more"
    press(page, "epoch")
    stands(page, "Paused after epoch")

    press(page, "run")
    stands(page, "Running")
    page.get_by_role("button", name="Change one thing").click()
    page.get_by_role("button", name="Train with this change").click()
    expect(page.get_by_text(f"Repeats run {first} with pooling sum instead of mean.")).to_be_visible()
    expect(page.get_by_role("link", name="Compare the two")).to_be_visible()
    child = run_in_view(page, first)
    store.request(first, "stop")

    expect(page.get_by_text("Best validation MAE")).to_be_visible()
    press(page, "stop")
    expect(page.get_by_test_id("stMetric").filter(has_text="Test MAE")).to_be_visible()
    press(page, "reset")
    stands(page, "Paused before the first batch")
    fresh = run_in_view(page, child)
    page.reload()
    stands(page, "Paused before the first batch")
    assert (store.run(fresh).parent, store.run(child).state) == (child, "stopped")
    assert "Traceback" not in server.log


def test_back_and_forward_change_the_run_in_view(visit: Visit, server: Server) -> None:
    store, page = RunStore(server.home), visit.page
    first, second = [store.submit(RunConfig(), name=name, paused=True) for name in ("First", "Second")]
    visit.open(f"{server.url}/train")
    for run_id in (first, second):
        page.get_by_role("combobox", name="Run").last.click()
        page.get_by_role("option", name=re.compile(run_id)).click()
        page.wait_for_url(re.compile(run_id))
        visit.settle()
    page.get_by_role("button", name="Change one thing").click()
    page.get_by_role("button", name="Train with this change").click()
    third = run_in_view(page, second)
    store.request(third, "pause")
    for move, run_id in [
        (page.go_back, second), (page.go_back, first), (page.go_forward, second), (page.go_forward, third)
    ]:  # fmt: skip
        move()
        in_view(page, run_id)
    for run_id in (second, first):
        page.go_back()
        in_view(page, run_id)
    page.go_back()
    expect(page.locator(".st-key-run_state")).to_have_count(0)
    page.wait_for_timeout(1000)
    assert "run=" not in page.url


def in_view(page: Page, run_id: str) -> None:
    """The run is in the list and in the address, and stays there."""
    expect(page.get_by_role("combobox", name="Run").last).to_have_value(re.compile(run_id))
    page.wait_for_timeout(1000)
    assert run_id in page.url


def test_tabs_and_refreshes_of_one_browser_are_one_user(visit: Visit, server: Server) -> None:
    store, page = RunStore(server.home), visit.page
    owners = []
    for look in range(3):
        tab = page.context.new_page() if look == 2 else page
        tab.goto(f"{server.url}/train?{SMALL}")
        tab.get_by_role("button", name="Train", exact=True).click()
        run_id = run_in_view(tab)
        owners.append(store.run(run_id).owner)
        store.request(run_id, "stop")
    assert len(set(owners)) == 1 and owners[0].startswith("browser ")


def test_a_mistake_that_quotes_addresses_shows_them_letter_by_letter(visit: Visit, server: Server) -> None:
    page, quoted = visit.page, "www.evil.example a@b.co http://evil.example &lt;b&gt;"
    visit.open(f"{server.url}/train?{urlencode({'run': quoted})}")
    shown = page.get_by_test_id("stAlert").first
    expect(shown).to_contain_text("There is no run")
    assert quoted in (shown.text_content() or "").replace(PARTED, "")
    assert shown.locator("a").count() == 0


def test_on_a_phone_a_link_leads_down_to_the_run(visit: Visit, server: Server) -> None:
    store, page = RunStore(server.home), visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    visit.open(f"{server.url}/train?{SMALL}")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("link", name="see below").click()
    expect(page.locator(".st-key-run_state")).to_be_in_viewport()
    store.request(run_in_view(page), "stop")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.get_by_role("link", name="see below")).to_be_hidden()


def test_a_run_is_found_again_in_another_window_and_deleted_for_both(visit: Visit, server: Server) -> None:
    store, page = RunStore(server.home), visit.page
    visit.open(f"{server.url}/train?train_epochs=2&data_max_crystals=300&train_batch_size=16")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Test MAE")).to_be_visible()
    run_id = run_in_view(page)
    other = page.context.new_page()
    other.goto(page.url)
    stands(other, "Finished: 2 of 2 epochs")
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("button", name="Delete this run").click()
    expect(page.get_by_text("Finished: 2 of 2 epochs")).to_have_count(0)
    assert run_id not in [run.id for run in store.runs()]
    other.reload()
    expect(other.get_by_text(f"There is no run '{run_id}' here")).to_be_visible()
