"""A hub on this machine that has one repository, ``you/voices``, with branches."""

import contextlib
import functools
import http.server
import json
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants


@contextlib.contextmanager
def serve(branches: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set]:
    """Serve ``folder/<commit>`` of each branch; what was asked for: tokens and commits."""
    asked = set[tuple[str | None, str]]()

    class Hub(http.server.SimpleHTTPRequestHandler):
        def send_head(self):
            _, *place = self.path.partition("?")[0].split("/")
            is_file = place[0] != "api"
            revision = place[3] if is_file else "".join(place[5:6]) or "main"
            self.commit = branches.get(revision, revision)
            if is_file:
                asked.add((self.headers["Authorization"], self.commit))
                self.path = "/".join(["", self.commit, *place[4:]])
            elif "tree" not in place and self.commit in branches.values():
                self.path = f"/{self.commit}.json"
                (folder / self.path[1:]).write_text(json.dumps({"sha": self.commit, "id": "a/b"}))
            return super().send_head()

        def end_headers(self):
            is_there = (folder / self.commit).is_dir()
            self.send_header("X-Error-Code", "EntryNotFound" if is_there else "RevisionNotFound")
            self.send_header("X-Repo-Commit", self.commit)
            self.send_header("ETag", f'"{zlib.crc32(self.path.encode())}"')
            super().end_headers()

        def log_message(self, *_):
            """Say nothing."""

    handler = functools.partial(Hub, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr("transformers.utils.hub._hf_api", None)
        yield asked
        server.shutdown()
