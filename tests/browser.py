"""A real browser without a network: Chromium, spoken to by its DevTools protocol."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlparse

import pytest
import websocket

CHECKS = (Path(__file__).parent / "page_checks.js").read_text("utf-8")
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60  # seconds
DESK, PHONE = 1300, 390  # pixels: widths of a window
FLAGS = [
    "--headless=new",
    "--no-sandbox",  # it runs as root in a container, and opens pages of our own alone
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the network is cut
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]
# For pages of a server on this machine, whose microphone is one that beeps.
SERVED = [
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
LOCAL = re.compile(r"file:|data:|blob:|about:")  # addresses of what comes with a page


class Browser:
    """One tab.

    What goes wrong in a page is collected in ``complaints``, what it loads in ``files``.
    """

    def __init__(self, *flags: str) -> None:
        self.flags = [*FLAGS, *flags]  # of two that contradict each other the last one counts
        self.complaints: list[str] = []
        self.files: set[Path] = set()
        self._number, self._loaded, self._session = 0, False, ""

    def __enter__(self) -> Self:
        if not PROGRAM:
            pytest.skip("no Chromium on this machine: pages are not opened")
        with ExitStack() as stack:
            made = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
            profile = stack.enter_context(made)
            command = [PROGRAM, *self.flags, f"--user-data-dir={profile}", "about:blank"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = stack.enter_context(subprocess.Popen(command, **quiet))
            stack.callback(process.terminate)
            place = Path(profile) / "DevToolsActivePort"  # where it says that it listens
            found = _patiently(lambda: place.is_file() and place.read_text().splitlines(), "start")
            address = f"ws://127.0.0.1:{found[0]}{found[1]}"
            self._socket = websocket.create_connection(address, timeout=PATIENCE)
            stack.callback(self._socket.close)
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.ask(f"{domain}.enable")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, method: str, **values: Any) -> dict[str, Any]:
        """Send a command; what the browser tells meanwhile is taken down."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": values}
        message |= {"sessionId": self._session} if self._session else {}
        self._socket.send(json.dumps(message))
        while (found := json.loads(self._socket.recv())).get("id") != self._number:
            self._heed(found.get("method"), found.get("params", {}))
        assert "error" not in found, (method, found)
        return found["result"]

    def _heed(self, what: str, values: dict[str, Any]) -> None:
        """Take down what a reader would find in the console, and what was fetched or not."""
        if what == "Page.loadEventFired":
            self._loaded = True
        elif what == "Runtime.exceptionThrown":
            self.complaints.append(f"exception: {values['exceptionDetails']}"[:500])
        elif what == "Runtime.consoleAPICalled" and values["type"] in ("error", "assert"):
            self.complaints.append(f"console: {values['args']}"[:500])
        elif what == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.complaints.append(f"log: {values['entry']}"[:500])
        elif what == "Network.requestWillBeSent":
            address = values["request"]["url"]
            if address.startswith("file:"):
                self.files.add(Path(unquote(urlparse(address).path)))
            elif not LOCAL.match(address):
                self.complaints.append(f"fetched from elsewhere: {address[:200]}")
        elif what == "Network.loadingFailed" and not values.get("canceled"):
            self.complaints.append(f"not loaded: {values['type']} {values['errorText']}")

    def size(self, width: int, height: int = 900) -> None:
        """Set the size of the window in pixels."""
        sizes = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **sizes)

    def open(self, page: Path, query: str = "") -> None:
        """Open a page and wait until it is loaded and its equations are set."""
        self.visit(page.resolve().as_uri() + query)
        self.run("window.MathJax?.startup?.promise.then(() => true)")
        self.run(CHECKS)

    def visit(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self.complaints, self.files, self._loaded = [], set(), False
        self.ask("Page.navigate", url=address)
        _patiently(lambda: self.run("0") or self._loaded, address)

    def run(self, script: str) -> Any:
        """Value of an expression in the page; a promise is waited for."""
        how = {"awaitPromise": True, "returnByValue": True}
        found = self.ask("Runtime.evaluate", expression=script, **how)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str) -> Any:
        """Value of an expression once there is one: not null, false or empty."""
        return _patiently(lambda: self.run(script), script)

    def click(self, x: float, y: float) -> None:
        """Press the mouse at a place of the window, in pixels."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            where = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self.ask("Input.dispatchMouseEvent", type=kind, **where)

    def check(self, *names: str) -> dict[str, list[str]]:
        """Findings of the named checks of ``page_checks.js``; empty if all is well."""
        return self.run(f"pageChecks({json.dumps(names)})")

    def unfold(self) -> None:
        """Open all that is folded, so that it is looked at as well."""
        self.run(
            "document.querySelectorAll('.toggle-hidden')"
            ".forEach(one => one.classList.remove('toggle-hidden', 'toggle-hidden-text'));"
            "document.querySelectorAll('article details').forEach(one => { one.open = true; })"
        )

    def theme(self, name: str) -> None:
        """Take the light or the dark theme."""
        self.run(f"document.documentElement.dataset.theme = {name!r}; undefined")


def _patiently(look: Any, what: str) -> Any:
    """What ``look`` finds, once it finds something."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, f"Nothing within {PATIENCE} s: {what}"
        time.sleep(0.05)
    return found
