"""JupyterLab started for real: a newcomer opens the playground, runs it, and asks about a voice.

Pictures of each step are kept in the folder that ``PARACLAP_ARTEFACTS`` names, else beside the
other temporary files of pytest.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from browser import DESK, PROGRAM, SERVED, Browser
from conftest import tone
from lab import ROOT, Lab, small_run

from paraclap import tables
from paraclap.towers import build

NAME = "17_playground.py"
PANELS = "document.querySelector('.paraclap-playground')"
MENUS = "[...document.querySelectorAll('.lm-MenuBar-item')]"
THEIRS = ("debugger", "/api/kernels")  # JupyterLab itself, about a kernel that is busy
CELLS = "document.querySelectorAll('.jp-Notebook .jp-Cell').length"


def button(name: str) -> str:
    """The button of the playground with this name on it."""
    return (
        f"[...{PANELS}.querySelectorAll('button')].find(one => one.textContent.trim() == '{name}')"
    )


def tab(name: str) -> str:
    """The tab of the playground with this name on it."""
    tabs = f"[...{PANELS}.querySelectorAll('.lm-TabBar-tab')]"
    return f"{tabs}.find(one => one.textContent.includes('{name}'))"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("PARACLAP_ARTEFACTS") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def book(voices: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the book with the playground alone, which looks at a run of tones."""
    place = tmp_path_factory.mktemp("lab")
    model = build("smoke", "smoke", 16, 0.2, "mean", seed=1).eval()
    small_run(voices, model, place / "runs" / "tones")
    source = (ROOT / "book" / NAME).read_text("utf-8")
    for name, value in {"run": '"tones"', "runs": f'"{place}/runs"', "jobs": "1"}.items():
        before, _, after = source.partition(f"\n{name}: ")
        kind, _, rest = after.partition(" = ")
        source = f"{before}\n{name}: {kind} = {value}  #{rest.partition('#')[2]}"
    (place / "book").mkdir()
    (place / "book" / NAME).write_text(source, "utf-8")
    return place / "book"


@pytest.fixture(scope="module")
def browser(book: Path) -> Iterator[Browser]:
    """The playground, opened as by a double click, all of its cells run."""
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with Lab(book, book.parent / "state") as lab, Browser(*SERVED) as opened:
        opened.home = lab.address
        opened.size(DESK, 1000)
        opened.visit(lab.notebook(NAME))
        opened.wait(f"{CELLS} > 5")
        opened.wait("/Idle/.test(document.querySelector('#jp-main-statusbar').innerText)")
        opened.press(f"{MENUS}.find(one => one.textContent == 'Run')")
        opened.press("document.querySelector('.lm-Menu-item[data-command=\"runmenu:run-all\"]')")
        opened.wait(f"!!{PANELS}")
        yield opened


def told(browser: Browser) -> str:
    return str(browser.run(f"{PANELS}.innerText"))


def test_a_py_file_opens_as_a_notebook_and_its_cells_give_a_score(browser, book, pictures):
    browser.picture(pictures / "lab_notebook.png", whole=False)
    assert browser.run("document.querySelectorAll('.jp-Notebook .jp-MarkdownCell').length") > 5
    assert "on average over" in browser.run("document.querySelector('.jp-Notebook').textContent")
    assert (
        browser.run("document.querySelectorAll('.jp-OutputArea-output.jp-mod-error').length") == 0
    )
    answers = tables.read_table(book.parent / "runs" / "tones" / "playground.csv")
    assert answers["probability"].between(0, 1).all()


def test_pressing_ask_gives_an_answer_with_its_spread_levels_and_queries(browser, pictures):
    browser.press(button("Ask"))
    browser.wait(f"!!{PANELS}.querySelector('.pcp-lead')")
    browser.run(f"{PANELS}.scrollIntoView()")
    browser.picture(pictures / "lab_answer.png", whole=False)
    shown = told(browser)
    assert "Closest is" in shown
    assert "synthetic speech" in shown
    assert "Measured, beside the voices of the run" in shown
    assert "What holds, closest first" in shown
    wide = browser.run(f"{PANELS}.querySelector('.pcp img').naturalWidth")
    assert wide > 500


def test_a_recording_of_the_microphone_becomes_the_voice(browser, pictures):
    browser.press(button("Record"))
    record = f"{PANELS}.querySelector('.paraclap-recorder button')"
    browser.press(record)
    browser.wait("parseFloat(document.querySelector('.paraclap-recorder span').innerText) > 1")
    browser.picture(pictures / "lab_recording.png", whole=False)
    browser.press(record)
    browser.wait(f"/recording.wav/.test({PANELS}.innerText)")
    browser.press(button("Ask"))
    browser.wait(f"/Asked about recording.wav/.test({PANELS}.innerText)")
    assert browser.run(f"{PANELS}.querySelector('audio').duration") > 0.9


def test_an_upload_larger_than_servers_take_by_default_becomes_the_voice(browser, tmp_path):
    file = tmp_path / "long.wav"
    signal = np.tile(tone(200, 0.3, 1.0)[:, None], (3 * 58, 2))
    soundfile.write(file, signal, 48_000)
    assert file.stat().st_size > 10 * 2**20
    browser.press(button("Upload"))
    browser.choose_file(f"{PANELS}.querySelector('.widget-upload')", file)
    browser.wait(f"/long.wav 58.00 s/.test({PANELS}.innerText)")


@pytest.mark.parametrize(
    ("name", "opens", "shows"),
    [
        ("Compare", "Compare two models", "differ most"),
        ("Find", "Find voices", "Farthest"),
        ("Export", "Export", "rows written"),
    ],
)
def test_the_other_panels_answer(browser, pictures, name, opens, shows):
    browser.press(tab(opens))
    browser.press(button(name))
    browser.wait(f"/{shows}/.test({PANELS}.innerText)")
    browser.run(f"{button(name)}.scrollIntoView()")
    browser.picture(pictures / f"lab_{name.lower()}.png", whole=False)


def test_a_mistake_is_told_in_the_panel(browser, pictures):
    browser.press(tab("Find"))
    fields = f"[...{PANELS}.querySelectorAll('input[placeholder^=\"the folder\"]')]"
    browser.press(f"{fields}.find(one => one.offsetParent)")
    browser.ask("Input.insertText", text="nowhere/model")
    browser.press(button("Find"))
    browser.wait(f"/No model at/.test({PANELS}.innerText)")
    browser.picture(pictures / "lab_mistake.png", whole=False)


def test_nothing_of_ours_was_complained_of_in_the_console(browser):
    ours = [one for one in browser.complaints if not any(word in one for word in THEIRS)]
    assert ours == []


def test_the_pictures_show_something(pictures):
    """A picture of one colour would compress to almost nothing."""
    for file in sorted(pictures.glob("lab_*.png")):
        data = file.read_bytes()
        assert struct.unpack(">I", data[16:20])[0] == DESK, file.name
        assert len(zlib.compress(data)) > 20_000, file.name
