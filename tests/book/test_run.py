"""The runner: what is up to date, what a choice of chapters does, what a failure leaves."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import nbformat
import pytest
import toy_book as toy
from jupytext import read as read_notebook
from jupytext.cli import jupytext
from papermill import PapermillExecutionError, execute_notebook

from paraclap.book import build, notebooks
from paraclap.book import run as runner
from paraclap.book.notebooks import BookError

PYTHON = {"kernel_name": "python3", "progress_bar": False}


@pytest.fixture
def params(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return toy.write(tmp_path)


def chapters_run(params, capsys, *overrides, only="", fresh=False):
    runner.run(params, only, overrides, html=False, fresh=fresh)
    lines = capsys.readouterr().out.splitlines()
    return [line.removesuffix(" ...") for line in lines if line.endswith(" ...")]


def test_a_run_makes_all_chapters_and_a_second_call_none(params, capsys):
    assert chapters_run(params, capsys) == ["01_numbers", "02_squares", "03_sum"]
    assert Path("runs/toy/sum.txt").read_text() == "14.0"
    assert chapters_run(params, capsys) == []


def test_a_changed_parameter_makes_its_chapter_and_those_that_read_from_it(params, capsys):
    chapters_run(params, capsys)
    runner.run(params, "1", ["power=4"], html=False)
    assert capsys.readouterr().out.startswith("Changed: power 2.0 → 4.0. A file stays until")
    assert chapters_run(params, capsys, "power=3") == ["02_squares", "03_sum"]
    assert chapters_run(params, capsys, "power=3", "sign=-1") == ["03_sum"]
    assert Path("runs/toy/sum.txt").read_text() == "-36.0"


def test_a_changed_notebook_makes_its_chapter_again_and_no_other_for_equal_files(params, capsys):
    chapters_run(params, capsys)
    source = Path("book/02_squares.py")
    source.write_text(source.read_text().replace("# # Squares", "# # All squares"))
    notebooks.write_pairs()
    assert chapters_run(params, capsys) == ["02_squares"]


def test_a_file_of_the_user_that_changes_makes_the_chapter_that_reads_it(params, capsys):
    Path("mine.csv").write_text("a")
    chapters_run(params, capsys, "corpus=mine.csv")
    assert chapters_run(params, capsys, "corpus=mine.csv") == []
    Path("mine.csv").write_text("ab")
    assert chapters_run(params, capsys, "corpus=mine.csv") == ["01_numbers"]


def test_a_deleted_file_is_made_again(params, capsys):
    chapters_run(params, capsys)
    Path("runs/toy/squares.csv").unlink()
    assert chapters_run(params, capsys) == ["02_squares"]


def test_fresh_makes_all_again(params, capsys):
    chapters_run(params, capsys)
    Path("runs/toy/checkpoints").mkdir()  # with settings.json: a training
    assert len(chapters_run(params, capsys, fresh=True)) == 3
    assert not Path("runs/toy/checkpoints").exists()


@pytest.mark.parametrize(
    ("only", "names"),
    [("1", ["01"]), ("01-02", ["01", "02"]), ("3,1", ["01", "03"]), ("", ["01", "02", "03"])],
)
def test_chapters_are_chosen_by_their_numbers(params, only, names):
    assert [one.stem[:2] for one in notebooks.select(only)] == names


@pytest.mark.parametrize("only", ["99", "2-1", "x", "1-99", "1,,2"])
def test_a_refused_choice_leaves_the_finished_run_as_it_was(params, capsys, only):
    chapters_run(params, capsys)
    before = Path("runs/toy/params.yaml").read_bytes()
    with pytest.raises(BookError, match="chapter"):
        runner.run(params, only, ["count=9"], html=False)
    assert Path("runs/toy/params.yaml").read_bytes() == before


def test_a_chapter_whose_inputs_no_chapter_has_written_is_refused(params):
    with pytest.raises(BookError, match=r"02_squares reads numbers\.csv"):
        runner.run(params, "2", html=False)


def test_only_runs_the_chosen_chapters(params, capsys):
    chapters_run(params, capsys)
    assert chapters_run(params, capsys, "count=2", only="3") == []
    assert chapters_run(params, capsys, "count=2", only="1") == ["01_numbers"]


def test_a_failing_cell_is_shown_and_the_finished_chapters_stay(params, tmp_path, capsys):
    toy.write(tmp_path, c02='raise RuntimeError("no squares today")')
    with pytest.raises(BookError, match="no squares today"):
        chapters_run(params, capsys)
    failed = nbformat.read("runs/toy/notebooks/02_squares.failed.ipynb", as_version=4)
    assert "no squares today" in str(failed.cells)
    assert not Path("runs/toy/notebooks/02_squares.ipynb").exists()
    toy.write(tmp_path)
    capsys.readouterr()
    assert chapters_run(params, capsys) == ["02_squares", "03_sum"]
    assert not Path("runs/toy/notebooks/02_squares.failed.ipynb").exists()


def test_a_kernel_that_dies_is_reported(params, tmp_path, capsys):
    toy.write(tmp_path, c01="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(BookError, match="its process died"):
        chapters_run(params, capsys)


def test_what_stops_a_chapter_from_outside_is_named(params, monkeypatch):
    monkeypatch.setattr(runner.shutil, "copy", Mock(side_effect=OSError("No space left")))
    with pytest.raises(BookError, match=r"01_numbers: OSError: .*No space left"):
        runner.run(params, html=False)


def test_what_was_done_before_a_kill_is_not_made_again(params, tmp_path, capsys):
    toy.write(tmp_path, c02="import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    code = f"from paraclap.book.run import run; run({str(params)!r}, html=False)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == -9
    toy.write(tmp_path)
    assert chapters_run(params, capsys) == ["02_squares", "03_sum"]


@pytest.mark.parametrize("kept", ["py:percent book/03_sum.ipynb", "ipynb book/03_sum.py"])
@pytest.mark.parametrize(
    "edit",
    [
        lambda cells: cells[-1].update(source="# changed in the editor"),
        lambda cells: cells[-1].metadata.update(tags=["hide-input"]),
        lambda cells: cells.append(nbformat.v4.new_code_cell("1 + 1")),
        lambda cells: cells.pop(),
    ],
)
def test_an_edit_in_an_ipynb_stops_all_until_one_side_is_chosen(params, edit, kept):
    pair, source = Path("book/03_sum.ipynb"), Path("book/03_sum.py")
    notebook = nbformat.read(pair, as_version=4)
    edit(notebook.cells)
    nbformat.write(notebook, pair)
    if "percent" in kept:
        source.write_text(source.read_text() + "\n# both sides were edited\n")
        os.utime(source, (2e9, 2e9))
    before = [side.read_bytes() for side in (pair, source)]
    for stopped in (notebooks.write_pairs, lambda: runner.run(params, html=False)):
        with pytest.raises(BookError, match=r"py:percent book/03_sum\.ipynb.*ipynb book/03"):
            stopped()
    assert [side.read_bytes() for side in (pair, source)] == before
    wanted = cells_of(kept.split()[1])
    jupytext(["--to", *kept.split(), "--quiet"])
    notebooks.write_pairs()
    assert cells_of(pair) == cells_of(source) == wanted


def cells_of(file):
    return [(cell.source, cell.metadata) for cell in read_notebook(file).cells]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_a_sentence_and_what_was_complete_stays(params, tmp_path, capsys, number):
    toy.write(tmp_path, c02='print(file=open(folder / "on", "w"))\nimport time\ntime.sleep(60)')
    command = [sys.executable, "-m", "paraclap.cli", "book", str(params), "--no-html"]
    stopped = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not Path("runs/toy/on").exists():
        time.sleep(0.1)
    os.killpg(stopped.pid, number)
    said = stopped.communicate()[1]
    assert (stopped.returncode, said.splitlines()[-1][:8]) == (130, "Stopped.")
    toy.write(tmp_path)
    assert chapters_run(params, capsys) == ["02_squares", "03_sum"]


def test_neither_a_home_nor_short_names_of_folders_are_needed(tmp_path, params, monkeypatch, capfd):
    monkeypatch.setattr(os, "environ", {**os.environ, "HOME": "/nowhere"})
    (tmp_path / ("long" * 30)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 30)))
    toy.write(tmp_path, c01='import matplotlib\n(folder / "numbers.csv").write_text("1")')
    runner.run(params, "1", html=False)
    page = Path("runs/toy/notebooks/01_numbers.ipynb").read_text()
    assert "writable" not in capfd.readouterr().err + page


def test_papermill_alone_needs_the_name_of_the_run(params, tmp_path):
    code = "from paraclap import tables\ntables.run_folder(run, runs)"
    toy.write(tmp_path, c01=code)
    given = "book/01_numbers.ipynb", "out.ipynb"
    with pytest.raises(PapermillExecutionError, match="expected one: -p run NAME"):
        execute_notebook(*given, {"count": 2}, **PYTHON)
    execute_notebook(*given, {"run": "mine"}, **PYTHON)
    assert [one.name for one in Path("runs").iterdir()] == ["mine"]


def test_two_books_built_at_once_do_not_mix(params, tmp_path, monkeypatch):
    for name in ("_config.yml", "_toc.yml", "book/_static/x.css"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    meeting = threading.Barrier(2)

    def jupyter_book(command, **_):
        source, target = Path(command[4]), Path(command[6]) / "_build" / "html" / "_static"
        target.mkdir(parents=True)
        meeting.wait(20)  # both are at work
        shutil.copy(source / "book" / "a.ipynb", target.parent / "index.html")
        return subprocess.CompletedProcess(command, 0)

    def made(title):
        file = tmp_path / title / "a.ipynb"
        file.parent.mkdir()
        about = {"parameters": title, "start_time": "2026-12-01", "duration": 1.0}
        nbformat.write(nbformat.v4.new_notebook(metadata={"papermill": about}), file)
        build.build([file], "same", tmp_path / "site")
        return title in (tmp_path / "site" / "html" / "index.html").read_text()

    monkeypatch.setattr(build.subprocess, "run", jupyter_book)
    with ThreadPoolExecutor(2) as pool:
        assert any(pool.map(made, ["first", "second"]))


def test_jupyter_book_alone_is_told_what_to_run(params, tmp_path):
    with pytest.raises(SystemExit, match="run `make book`"):
        build.setup(SimpleNamespace(srcdir=tmp_path))


def test_a_second_process_in_the_same_run_is_told_so(params, capsys):
    from paraclap import tables

    Path("runs/toy").mkdir(parents=True)
    code = f"from paraclap.book.run import run; run({str(params)!r}, html=False)"
    with tables.lock(tables.run_folder("toy") / "run", ""):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Another process works on" in done.stderr


def test_twenty_kernels_start_at_once(params, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    nbformat.write(notebook, tmp_path / "in.ipynb")

    def start(number):
        (out := tmp_path / f"{number}").mkdir()
        given = str(tmp_path / "in.ipynb"), str(out / "out.ipynb")
        done = execute_notebook(*given, **PYTHON, config=runner.kernel_settings(str(out)))
        return done.cells[0].outputs[0].text

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(start, range(20))) == ["42\n"] * 20


def test_a_grid_of_values_gives_one_table_of_scores(params, tmp_path, capsys, monkeypatch):
    scores = '(folder / "scores.csv").write_text(f"task,uar\\nsum,{sign}")'
    toy.write(tmp_path, c03=f'(folder / "sum.txt").write_text("")\n{scores}')
    monkeypatch.setattr(runner, "EVALUATION", "1-3")
    table = runner.sweep(params, {"sign": ["1", "-1"], "count": ["2"]})
    assert table.read_text().splitlines() == ["task,uar,sign,count", "sum,1,1,2", "sum,-1,-1,2"]


def test_what_jupyter_book_says_is_shown(monkeypatch, tmp_path):
    said = subprocess.CompletedProcess([], 1, "the cause\n", "WARNING: first\n" + "more\n" * 20)
    monkeypatch.setattr(runner.build.subprocess, "run", lambda *_, **__: said)
    with pytest.raises(BookError, match=r"(?s)complains:.*WARNING: first.*more"):
        runner.build.build([], "toy", tmp_path)
