"""A real browser without a network: Chromium, spoken to by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlparse

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
# The middle of an element in the window, once it lies still with nothing over it.
STILL = """async one => {
  if (!one) return null;
  one.scrollIntoView({block: 'center'});
  const middle = () => (b => [b.x + b.width / 2, b.y + b.height / 2])(one.getBoundingClientRect());
  const before = middle();
  await new Promise(done => setTimeout(done, 150));
  const now = middle(), top = document.elementFromPoint(...now);
  return before.join() == now.join() && top && one.contains(top) && now;
}"""
# Addresses of what comes with a page.
LOCAL = re.compile(r"file:|data:|blob:|about:")


class Browser:
    """One tab.

    What goes wrong in a page is collected in ``complaints``, what it loads in ``files``.
    """

    def __init__(self, *flags: str) -> None:
        self.flags = [*FLAGS, *flags]  # of two that contradict each other the last one counts
        self.home = ""  # addresses that begin so are no strangers
        self.complaints: list[str] = []
        self.files: set[Path] = set()
        self._loaded = False
        self._field: int | None = None  # that asks for a file
        self._number = 0

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(
            prefix="paraclap-browser-", ignore_cleanup_errors=True
        )
        command = [
            str(PROGRAM),
            *self.flags,
            f"--user-data-dir={self._profile.name}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._socket = websocket.create_connection(
                self._address(), timeout=PATIENCE, enable_multithread=False
            )
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.ask(f"{domain}.enable")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if hasattr(self, "_socket"):
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def _address(self) -> str:
        """Where the browser listens: it says so in a file, once it does."""
        found = Path(self._profile.name) / "DevToolsActivePort"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found.is_file() and len(lines := found.read_text().splitlines()) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            assert self._process.poll() is None, "Chromium stopped before it listened"
            time.sleep(0.05)
        raise TimeoutError(f"Chromium did not listen within {PATIENCE} s")

    def ask(self, method: str, **values: Any) -> dict[str, Any]:
        """Send a command; what the browser tells meanwhile is taken down."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": values}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while (found := json.loads(self._socket.recv())).get("id") != self._number:
            self._heed(found)
        assert "error" not in found, (method, found)
        return found["result"]

    def _heed(self, found: dict[str, Any]) -> None:
        """Take down what a reader would find in the console, and what was fetched or not."""
        what, values = found.get("method"), found.get("params", {})
        if what == "Page.loadEventFired":
            self._loaded = True
        elif what == "Page.fileChooserOpened":
            self._field = values["backendNodeId"]
        elif what == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            said = details.get("exception", {}).get("description", details["text"])
            self.complaints.append(f"exception: {said[:300]}")
        elif what == "Runtime.consoleAPICalled" and values["type"] in ("error", "assert"):
            said = [str(one.get("value", one.get("description"))) for one in values["args"]]
            self.complaints.append(f"console: {' '.join(said)[:300]}")
        elif what == "Log.entryAdded" and values["entry"]["level"] == "error":
            entry = values["entry"]
            self.complaints.append(f"log: {entry['text'][:300]} {entry.get('url', '')[:200]}")
        elif what == "Network.requestWillBeSent":
            address = values["request"]["url"]
            if address.startswith("file:"):
                self.files.add(Path(unquote(urlparse(address).path)))
            elif not LOCAL.match(address) and not (self.home and address.startswith(self.home)):
                self.complaints.append(f"fetched from elsewhere: {address[:200]}")
        elif what == "Network.loadingFailed" and not values.get("canceled"):
            self.complaints.append(f"not loaded: {values['type']} {values['errorText']}")

    def size(self, width: int, height: int = 900) -> None:
        """Set the size of the window in pixels."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def open(self, page: Path, query: str = "") -> None:
        """Open a page and wait until it is loaded and its equations are set."""
        self.visit(page.resolve().as_uri() + query)
        self.run("window.MathJax?.startup?.promise.then(() => true)")
        self.run(CHECKS)

    def visit(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self.complaints, self.files, self._loaded = [], set(), False
        self.ask("Page.navigate", url=address)
        end = time.monotonic() + PATIENCE
        while not self._loaded:
            assert time.monotonic() < end, f"{address} did not load within {PATIENCE} s"
            self._heed(json.loads(self._socket.recv()))

    def run(self, script: str) -> Any:
        """Value of an expression in the page; a promise is waited for."""
        found = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str) -> Any:
        """Value of an expression once there is one: not null, false or empty."""
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"Nothing within {PATIENCE} s: {script}"
            time.sleep(0.05)
        return value

    def press(self, element: str) -> None:
        """Press the mouse on an element, given by an expression, as a reader does.

        It is waited for until it is there, lies still, and nothing lies over it.
        """
        place = self.wait(f"({STILL})({element})")
        where = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, **where)

    def choose_file(self, element: str, file: Path) -> None:
        """Press an element that asks for a file, and choose this one."""
        self._field = None
        self.ask("Page.setInterceptFileChooserDialog", enabled=True)
        self.press(element)
        end = time.monotonic() + PATIENCE
        while self._field is None:
            assert time.monotonic() < end, f"No file was asked for within {PATIENCE} s: {element}"
            self.run("0")
        self.ask("DOM.setFileInputFiles", files=[str(file)], backendNodeId=self._field)

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

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Save what the page looks like, as PNG."""
        found = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))
