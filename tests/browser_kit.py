"""A new user's app on a free port, and a browser window that notes everything that goes wrong in it."""

import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'
expect.set_options(timeout=20_000)


@dataclass
class Server:
    """The app as the README starts it, with a home of its own."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text()

    def start(self) -> None:
        environment = os.environ | {"CRYSTAL_GRAPH_LAB_HOME": str(self.home)}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).close()
                return
            except OSError:
                try:
                    self.process.wait(timeout=0.1)
                except subprocess.TimeoutExpired:
                    continue
                break
        raise AssertionError(f"the app did not start:\n{self.log}")

    def kill(self) -> None:
        """What a power cut does: no goodbye."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@dataclass
class Visit:
    """A browser window and everything that went wrong in it."""

    page: Page
    outside: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Wait until the script has run and the page stands still."""
        self.page.locator(READY).wait_for(timeout=30_000)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.get_by_role("heading", level=1).first.wait_for(timeout=30_000)
        self.settle()


def watch(page: Page, server: Server) -> Visit:
    """Note every request that leaves the machine and every complaint of the console."""
    visit = Visit(page)

    def note_request(request) -> None:
        if not request.url.startswith((server.url, "data:", "blob:", f"ws://127.0.0.1:{server.port}", "about:")):
            visit.outside.append(request.url)

    page.on("request", note_request)

    def note_complaint(message) -> None:
        # A link to a page makes Streamlit look for its server below that page's path first, and find nothing.
        probing = message.location["url"].endswith(("/_stcore/health", "/_stcore/host-config"))
        if message.type == "error" and not probing:
            visit.console.append(message.text)

    page.on("console", note_complaint)
    page.on("pageerror", lambda error: visit.console.append(str(error)))
    return visit
