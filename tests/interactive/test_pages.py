"""Pages of the book play without a network, and say in words what they show without scripts."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from browser import SERVED, Browser

from paraclap import interactive
from paraclap.interactive.confusion import confusion
from paraclap.interactive.voice_map import voice_map

AT = """(() => {
  const views = [...Bokeh.index.roots].flatMap(root => root.child_views ?? []);
  const view = views.find(one => one.frame);
  const box = view.canvas_view.el.getBoundingClientRect(), {x_scale, y_scale} = view.frame;
  return [box.x + x_scale.compute(%s), box.y + y_scale.compute(%s)];
})()"""


@pytest.fixture
def few(labels):
    return labels.head(3).assign(x=[0.0, 1.0, 2.0], y=[0.0, 2.0, 1.0])


def write(folder, page):
    (folder / "book").mkdir()
    (folder / "_static").mkdir()
    for name, file in interactive.static_files().items():
        shutil.copy(file, folder / "_static" / name)
    path = folder / "book" / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><article>{page._repr_html_()}</article>")
    return path


def test_scripts_stay_beside_the_pages_of_the_book_and_come_along_in_jupyterlab(few, monkeypatch):
    page = voice_map(few, ["emotion"])
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert len(page._repr_html_()) < 100_000
    monkeypatch.setenv("JPY_SESSION_NAME", "chapter.ipynb")
    assert len(page._repr_html_()) > 1_000_000


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        opened.size(800)
        yield opened


def click(browser, x, y):
    browser.wait("window.Bokeh && [...Bokeh.index.roots].length")
    browser.wait(f"{AT % (x, y)}[0] > 0")
    browser.click(*browser.run(AT % (x, y)))


def test_a_point_that_is_pressed_plays_and_other_colours_can_be_chosen(browser, few, tmp_path):
    browser.open(write(tmp_path, voice_map(few, ["emotion", "gender"])))
    click(browser, 1.0, 2.0)
    browser.wait("window.paraclapSound?.currentTime > 0")
    models = "[...Bokeh.documents[0]._all_models.values()]"
    browser.run(f"{models}.find(one => one.type == 'Select').value = 'gender'")
    browser.wait(f"{models}.find(one => one.type == 'Div').text.includes('female')")
    assert browser.run("document.querySelector('details').open") is False
    assert browser.complaints == []


def test_a_cell_that_is_pressed_plays_one_clip_after_the_other(browser, labels, tmp_path):
    answers = labels.head(6)[["label"]].set_axis(["truth"], axis=1)
    answers = answers.assign(prediction="anger", anger=0.9, sadness=0.1)
    browser.open(write(tmp_path, confusion(answers, ["anger", "sadness"])))
    said = "[...Bokeh.documents[0]._all_models.values()].find(one => one.type == 'Div').text"
    click(browser, 0.5, 1.5)
    browser.wait("window.paraclapSound?.currentTime > 0")
    assert "anger answered anger (3), clip 1: " in browser.run(said)
    for x, y, words in ((0.5, 1.5, "clip 2: "), (1.5, 0.5, "no clip")):
        browser.run("new Promise(done => setTimeout(done, 400))")  # else it is a double click
        click(browser, x, y)
        browser.wait(f"{said}.includes('{words}')")
    assert browser.complaints == []


def test_without_scripts_the_words_are_there(browser, few, tmp_path):
    path = write(tmp_path, voice_map(few, ["emotion"]))
    for file in (tmp_path / "_static").iterdir():
        file.unlink()
    browser.open(path)
    assert "anger (2)" in browser.run("document.querySelector('details').innerText")


def test_a_recording_arrives_as_samples(tmp_path):
    code = (Path(interactive.__file__).parent / "recorder.js").read_text("utf-8")
    code = code.replace("export default { render }", "render({ model, el: document.body })")
    model = "{ send: (_, __, [content]) => { window.sent = [...new Uint8Array(content)]; } }"
    script = f"<script>const model = {model};{code}</script>"
    (tmp_path / "index.html").write_text(f"<!doctype html><meta charset=utf-8><body>{script}")
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, Browser(*SERVED) as browser:
        Thread(target=server.serve_forever, daemon=True).start()
        browser.visit(f"http://127.0.0.1:{server.server_port}/")
        browser.run("document.querySelector('button').click()")
        browser.wait("parseFloat(document.querySelector('span').textContent) > 0.5")
        browser.run("document.querySelector('button').click()")
        content = bytes(browser.wait("window.sent"))
        server.shutdown()
    signal = np.frombuffer(content, np.float32)
    assert len(signal) > 0.5 * 16_000 and abs(signal).max() > 0.1
