"""JupyterLab for real: the server that ``make lab`` starts, and a small run to look at in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
import psutil

from paraclap import audio, features, levels, tables
from paraclap.model import ParaCLAP
from paraclap.playground import measuring
from paraclap.towers import build

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 90  # seconds
TOKEN = "test"


def small_run(voices: pd.DataFrame, model: ParaCLAP, folder: Path) -> Path:
    """Write what a playground reads of a run: two models, labels, edges, queries.

    Args:
        voices: labels table
        model: its own model; the other one is made here
        folder: of the run
    """
    model.save_pretrained(folder / "model")
    build("smoke", "smoke", 16, 0.2, "mean", seed=2).save_pretrained(folder / "variants/b/model")
    tables.write_table(voices.assign(synthetic=True), folder / "labels.parquet")
    values = [features.measure(audio.read(*segment)) for segment in voices.index[::3]]
    measured = pd.DataFrame(values, columns=measuring.names())
    levels.save(levels.fit(measured), folder / "edges.json")
    said = pd.DataFrame({"queries": [["is loud"], ["is loud", "has a high pitch"]]})
    tables.write_table(said, folder / "queries.parquet")
    return folder


class Lab:
    """A JupyterLab server on a free port of this machine, with the settings of the project.

    Attributes:
        address: Where it listens, with a slash at the end.
    """

    address = ""

    def __init__(self, folder: Path, state: Path) -> None:
        """Prepare a server.

        Args:
            folder: what it shows
            state: where it keeps what it would keep at home
        """
        self.folder, self.state = folder, state

    def __enter__(self) -> Self:
        """Start, and wait until it listens."""
        self.state.mkdir(parents=True)
        own = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
        lab = {"SETTINGS_DIR": "settings", "WORKSPACES_DIR": "workspaces"}
        environment = {
            **os.environ,
            **{f"JUPYTER_{name}": str(self.state / part) for name, part in own.items()},
            **{f"JUPYTERLAB_{name}": str(self.state / part) for name, part in lab.items()},
            "JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"),
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
        }
        environment.pop("PARACLAP_PROGRESS", None)
        with (self.state / "log").open("w") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.address = self._listening()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _command(self) -> list[str]:
        settings = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": "0",
            "ServerApp.root_dir": str(self.folder),
            "IdentityProvider.token": TOKEN,
        }
        told = [f"--{name}={value}" for name, value in settings.items()]
        return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *told]

    def _listening(self) -> str:
        """Where it listens: it says so in a file, once it does."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for file in (self.state / "runtime").glob("jpserver-*.json"):
                if text := file.read_text("utf-8"):
                    return str(json.loads(text)["url"])
            assert self._process.poll() is None, self.log()
            time.sleep(0.1)
        raise TimeoutError(f"JupyterLab did not listen within {PATIENCE} s: {self.log()}")

    def log(self) -> str:
        """What the server has said last."""
        return (self.state / "log").read_text("utf-8")[-3000:]

    def notebook(self, name: str) -> str:
        """Address of a file, opened as a double click opens it."""
        return f"{self.address}lab/tree/{name}?token={TOKEN}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server and its kernels, whatever they do."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(self._process.pid)]
            family += family[0].children(recursive=True)
            self._process.terminate()
            _, left = psutil.wait_procs(family, timeout=5)
            for one in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        self._process.wait(10)
