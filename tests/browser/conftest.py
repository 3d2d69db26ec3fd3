"""The app on a free port, and a real browser that can reach nothing else."""

import os
import shutil
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser_kit import FLAGS, Server, Visit, watch
from cgcnn.runs.dispatcher import end_all
from cgcnn.runs.store import RunStore

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Server(tmp_path_factory.mktemp("home"), port)
    running.start()
    yield running
    running.kill()
    end_all(RunStore(running.home))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CRYSTAL_GRAPH_LAB_REQUIRE_BROWSER"):
            pytest.fail("Chromium is not installed, and the browser tests must run here")
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """A window like a laptop's; the test fails if anything outside was asked for, or the console complained."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    watched = watch(context.new_page(), server)
    yield watched
    context.close()
    assert watched.outside == [], "the app asked for something outside this machine"
    assert watched.console == [], "the browser's console complained"
