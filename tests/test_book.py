"""A step of the book runs when what it is made from changed, and only then."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from paraclap import book, kernel, pages, sources, tables
from paraclap.pages import BookError

ROOT = Path(__file__).resolve().parent.parent

NOTEBOOK = """# %% [markdown]
# # {title}

# %% tags=["parameters"]
run: str = "demo"  # name of the run
runs: str = "runs"  # folder of all runs
{declarations}

# %%
from pathlib import Path

{code}
"""


def write(folder: Path, name: str, declarations: str, code: str, title: str = "Mini") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(NOTEBOOK.format(title=title, declarations=declarations, code=code))
    return path


APPEND = (
    "with Path(runs, run, '.log').open('a') as log:\n    log.write('{0} ')\n"
    "made = Path(runs, run, 'made{0}')\nmade.exists() or made.touch()"
)


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """Folder with three notebooks that log that they ran, and a params file."""
    folder = tmp_path / "book"
    for number, own in enumerate(("voices", "rand", "draws"), start=1):
        declarations = f"{own}: int = 1  # some number\nscale: float = 1.0  # one for all"
        if number < 3:
            declarations = declarations.splitlines()[0]
        write(folder, f"0{number}_step", declarations, APPEND.format(number))
    (tmp_path / "mini.yaml").write_text("voices: 2\n")
    return folder


def run(folder: Path, *overrides: str, only: str = "") -> str:
    """Run the notebooks; returns the numbers of those that ran in this call."""
    log = folder.parent / "runs" / "mini" / ".log"
    log.unlink(missing_ok=True)
    runs = str(folder.parent / "runs")
    params_file = folder.parent / "mini.yaml"
    done = book.run(params_file, folder=folder, runs=runs, overrides=overrides, only=only)
    assert done == folder.parent / "runs" / "mini"
    return log.read_text().strip() if log.is_file() else ""


def planned(folder: Path, **values: object) -> list[str]:
    """Keys of the steps for these values."""
    defaults = {"run": "mini", "runs": "runs", "voices": 1, "rand": 1, "draws": 1, "scale": 1.0}
    steps = book.plan(book.notebooks(folder), {**defaults, **values}, folder)
    return [step.key for step in steps]


def changed(before: list[str], after: list[str]) -> str:
    pairs = zip(before, after, strict=True)
    return "".join(str(number) for number, (a, b) in enumerate(pairs, start=1) if a != b)


def test_steps_run_once_and_a_changed_parameter_reruns_its_step_and_those_after_it(mini, capsys):
    assert run(mini) == "1 2 3"
    capsys.readouterr()
    assert run(mini) == ""
    assert capsys.readouterr().out.splitlines() == [f"0{n} step: up to date" for n in (1, 2, 3)]
    assert run(mini, "rand=2") == "2 3"
    effective = yaml.safe_load((mini.parent / "runs/mini/params.yaml").read_text())
    assert (effective["voices"], effective["rand"], effective["run"]) == (2, 2, "mini")
    assert run(mini, "rand=2", only="03") == ""
    executed = json.loads((mini.parent / "runs/mini/notebooks/02_step.ipynb").read_text())
    assert "jupytext" not in executed["metadata"]
    assert "rand = 2" in "".join(executed["cells"][2]["source"])
    assert not list(mini.glob("*.ipynb"))


def test_a_step_runs_again_when_something_it_made_is_gone(mini):
    assert run(mini) == "1 2 3"
    (mini.parent / "runs/mini/made2").unlink()
    assert run(mini) == "2"
    assert run(mini, "rand=2") == "2 3"  # made2 was found and kept
    (mini.parent / "runs/mini/made2").unlink()
    assert run(mini, "rand=2") == "2"


def test_a_key_changes_with_a_parameter_of_the_step_or_of_a_step_before(mini):
    before = planned(mini)
    assert changed(before, planned(mini)) == ""
    assert changed(before, planned(mini, voices=2)) == "123"
    assert changed(before, planned(mini, rand=2)) == "23"
    assert changed(before, planned(mini, draws=2)) == "3"
    assert changed(before, planned(mini, scale=2.0)) == "3"


def test_a_key_does_not_change_with_where_runs_are_kept(mini):
    assert changed(planned(mini), planned(mini, runs="elsewhere")) == ""


def test_a_key_changes_with_code_but_not_with_prose_or_tags(mini):
    before = planned(mini)
    second = mini / "02_step.py"
    second.write_text(second.read_text().replace("# # Mini", "# # Another title"))
    assert changed(before, planned(mini)) == ""
    second.write_text(second.read_text().replace("'2 '", "'two '"))
    assert changed(before, planned(mini)) == "23"


def test_a_key_changes_when_a_module_changes_that_the_notebook_reaches(mini, monkeypatch):
    package = mini.parent / "paraclap"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tables.py").write_text("x = 1\n")
    (package / "scores.py").write_text("from paraclap import tables\n")
    (package / "model.py").touch()
    monkeypatch.setattr(sources, "PACKAGE", package)
    for name, module in (("01", "tables"), ("02", "tables"), ("03", "scores")):
        file = mini / f"{name}_step.py"
        file.write_text(f"{file.read_text()}\n# %%\nfrom paraclap import {module}\n")
    before = planned(mini)
    (package / "model.py").write_text("unrelated = 1\n")
    assert changed(before, planned(mini)) == ""
    (package / "scores.py").write_text("from paraclap import tables\ny = 1\n")
    assert changed(before, planned(mini)) == "3"
    (package / "tables.py").write_text("x = 2\n")
    assert changed(before, planned(mini)) == "123"


def test_a_key_changes_when_the_corpus_folder_given_as_parameter_changes(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "labels.csv").write_text("file\na.wav\n")
    files = [write(tmp_path / "book", "01_step", 'corpus: str = "synthesis"  # folder', "")]
    values = {"run": "mini", "runs": "runs", "corpus": str(corpus)}
    before = book.plan(files, values, tmp_path)
    assert book.plan(files, values, tmp_path)[0].key == before[0].key
    (corpus / "labels.csv").write_text("file\na.wav\nb.wav\n")
    assert book.plan(files, values, tmp_path)[0].key != before[0].key


def test_new_prose_reaches_the_executed_copy_without_a_run_and_outputs_stay(tmp_path):
    source = write(tmp_path, "01_step", "rand: int = 1  # number", "print('ran', rand)")
    executed = tmp_path / "run" / "01_step.ipynb"
    kernel.execute(source, executed, {"rand": 7}, "key")
    source.write_text(source.read_text().replace("Mini", "Better words"))
    pages.carry_over_prose(source, executed)
    notebook = json.loads(executed.read_text())
    assert notebook["cells"][0]["source"] == ["# Better words"]
    assert notebook["cells"][-1]["outputs"][0]["text"] == ["ran 7\n"]
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["markdown", *["code"] * 3]
    assert notebook["metadata"]["paraclap"]["key"] == "key"


def test_a_notebook_runs_in_this_environment_whatever_kernels_the_user_has(tmp_path, monkeypatch):
    spec = tmp_path / "user" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "user"))
    source = write(tmp_path, "01_step", "", "import sys\nprint(sys.executable, Path.cwd())")
    kernel.execute(source, tmp_path / "01_step.ipynb", {}, "key")
    notebook = json.loads((tmp_path / "01_step.ipynb").read_text())
    told = f"{sys.executable} {tables.project_folder()}\n"
    assert notebook["cells"][-1]["outputs"][0]["text"] == [told]


def test_a_failing_cell_is_shown_with_its_error_and_finished_steps_are_kept(mini, capsys):
    second = mini / "02_step.py"
    second.write_text(second.read_text() + "\n# %%\nlevels = {}\nlevels['pitch'] / rand\n")
    arguments = [str(mini.parent / "mini.yaml"), "--folder", str(mini), "--no-html"]
    assert book.main([*arguments, "--runs", str(mini.parent / "runs")]) == 1
    told = capsys.readouterr().err
    assert "02_step.py failed in this cell (line 18):" in told
    assert "\n    18  levels = {}\n  > 19  levels['pitch'] / rand\n\nKeyError: 'pitch'" in told
    assert "Traceback" not in told
    assert "02_step.failed.ipynb" in told and "give the same command again" in told
    kept = sorted(f.name for f in (mini.parent / "runs/mini/notebooks").iterdir())
    assert kept == ["01_step.ipynb", "02_step.failed.ipynb"]
    second.write_text(second.read_text().replace("levels['pitch'] / rand", "rand"))
    assert run(mini) == "2 3"
    assert not (mini.parent / "runs/mini/notebooks/02_step.failed.ipynb").exists()


def test_progress_of_a_long_step_is_passed_on_line_by_line(tmp_path, capsys):
    code = (
        "import os\nwith open(os.environ['PARACLAP_PROGRESS'], 'a') as f:\n    f.write('1 of 2\\n')"
    )
    source = write(tmp_path, "01_step", "", code)
    kernel.execute(source, tmp_path / "01_step.ipynb", {}, "key")
    assert "    1 of 2\n" in capsys.readouterr().err
    assert "PARACLAP_PROGRESS" not in os.environ


def test_a_dead_kernel_is_reported(tmp_path):
    source = write(tmp_path, "01_step", "", "import os\nos._exit(9)")
    with pytest.raises(BookError, match=r"01_step\.py stopped: its process died"):
        kernel.execute(source, tmp_path / "01_step.ipynb", {}, "key")


def test_a_run_stopped_in_the_middle_leaves_no_half_notebook_and_no_process(tmp_path):
    code = f"import os, time\nPath({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))"
    folder = tmp_path / "book"
    write(folder, "01_step", "", f"{code}\ntime.sleep(60)")
    (tmp_path / "mini.yaml").touch()
    command = [sys.executable, "-m", "paraclap.book", str(tmp_path / "mini.yaml"), "--no-html"]
    command += ["--folder", str(folder), "--runs", str(tmp_path / "runs")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    pid_file = tmp_path / "pid"
    wait(lambda: pid_file.is_file() and pid_file.read_text() != "", 90)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    wait(lambda: not Path(f"/proc/{pid_file.read_text()}").exists())
    assert list((tmp_path / "runs").rglob("*.ipynb")) == []


def wait(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_that_is_being_made_is_not_made_twice(mini):
    with book.alone(mini), pytest.raises(BookError, match="by another process"), book.alone(mini):
        pass


def test_a_misspelt_parameter_ends_with_the_nearest_known_one(mini, capsys):
    file = mini.parent / "mini.yaml"
    file.write_text("voicse: 3\n")
    assert book.main([str(file), "--folder", str(mini)]) == 1
    assert "'voicse' in mini.yaml" in (told := capsys.readouterr().err)
    assert "did you mean 'voices'?" in told


@pytest.fixture
def small_book(tmp_path: Path) -> tuple[Path, list[Path]]:
    """Prose and settings of the real book with one executed notebook for a chapter."""
    folder = tmp_path / "book"
    folder.mkdir()
    for name in ("glossary.md", "references.md", "references.bib"):
        shutil.copy(ROOT / "book" / name, folder)
    (folder / "index.md").write_text("# Hello\n\nLouder by $x^2$, see {cite}`jing2024paraclap`.\n")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    toc = "format: jb-book\nroot: book/index\nchapters:\n"
    chapters = ("01_step", "glossary", "references")
    (tmp_path / "_toc.yml").write_text(toc + "".join(f"- file: book/{c}\n" for c in chapters))
    source = write(folder, "01_step", "", "print('an output')")
    kernel.execute(source, tmp_path / "notebooks" / "01_step.ipynb", {}, "key")
    return folder, [tmp_path / "notebooks" / "01_step.ipynb"]


def test_pages_are_built_offline_without_warnings_and_only_when_sources_changed(small_book):
    folder, executed = small_book
    site = folder.parent
    assert pages.build(folder, executed, site).endswith(" s")
    page = (site / "_build/html/book/01_step.html").read_text()
    assert "an output" in page
    index = (site / "_build/html/book/index.html").read_text()
    assert pages.first_page(site).is_file()
    assert "_static/mathjax/tex-chtml.js" in index
    assert (site / "_build/html/_static/mathjax/tex-chtml.js").is_file()
    for text in (page, index):
        assert 'src="http' not in text
    assert not (site / "_build/work").exists()
    assert pages.build(folder, executed, site) == "pages: up to date"
    (folder / "glossary.md").write_text("# Glossary\n\n{ref}`nowhere`\n")
    with pytest.raises(BookError, match=r"(?s)complains:.*book/glossary\.md.*nowhere"):
        pages.build(folder, executed, site)
    assert pages.first_page(site).is_file()


def test_pairs_are_written_without_outputs_and_compared_cell_by_cell(tmp_path):
    source = write(tmp_path, "01_step", "", "print(1)")
    pages.write_pairs([source])
    pair = source.with_suffix(".ipynb")
    first = pair.read_bytes()
    pages.write_pairs([source])
    assert pair.read_bytes() == first
    assert pages.unpaired(tmp_path) == []
    kernel.execute(source, pair, {}, "key")
    assert pages.unpaired(tmp_path) == [
        "01_step.ipynb has outputs: make pairs writes it without",
    ]
    source.write_text(source.read_text().replace("print(1)", "print(2)"))
    pages.write_pairs([source])
    source.write_text(source.read_text().replace("print(2)", "print(3)"))
    assert pages.unpaired(tmp_path) == [
        "01_step.ipynb differs from 01_step.py: make pairs, or jupytext --sync",
    ]
    pair.unlink()
    assert "is not there" in pages.unpaired(tmp_path)[0]


def test_scores_are_told_in_columns(tmp_path):
    (tmp_path / "scores.csv").write_text("task,n,uar\npodcast,20,0.41234\nacted,8,0.5\n")
    lines = [line.split() for line in book.scores(tmp_path).splitlines()]
    assert lines == [["task", "n", "uar"], ["podcast", "20", "0.412"], ["acted", "8", "0.500"]]
    assert book.scores(tmp_path / "elsewhere") == ""


def test_the_smallest_things_that_sources_can_be(tmp_path):
    package = tmp_path / "paraclap"
    (package / "corpora").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "_WHERE = {'classify': 'paraclap.zeroshot'}\n\ndef __getattr__(name): ...\n"
    )
    (package / "zeroshot.py").write_text("from . import levels\n")
    (package / "levels.py").write_text("WORDS = 'words.csv'\n")
    (package / "words.csv").touch()
    (package / "scores.py").touch()
    (package / "corpora/__init__.py").write_text("from paraclap.corpora.folder import load\n")
    (package / "corpora/folder.py").touch()

    def reached(code: str) -> list[str]:
        found = sources.modules(code, package)
        return sorted(str(file.relative_to(package)) for file in found)

    assert reached("import paraclap\nparaclap.classify(1)") == [
        "levels.py",
        "words.csv",
        "zeroshot.py",
    ]
    assert reached("from paraclap import corpora") == ["corpora/__init__.py", "corpora/folder.py"]
    assert reached("import paraclap\nparaclap.scores.uar") == ["scores.py"]
    assert reached("from paraclap.levels import fit") == ["levels.py", "words.csv"]
    assert reached("import pandas, paraclap\nprint(paraclap.__version__)") == []
    assert "scores.py" in reached("from paraclap import unknown_name")


def test_a_digest_ignores_comments_and_docstrings_but_no_code(tmp_path):
    file = tmp_path / "a.py"

    def digest(text: str) -> str:
        file.write_text(text)
        return sources.digest(file)

    first = digest('"""Doc."""\n\ndef f():\n    """Say."""\n    return 1\n')
    assert digest('"""Other."""\n\n# why\ndef f():\n    return 1\n') == first
    assert digest('"""Doc."""\n\ndef f():\n    """Say."""\n    return 2\n') != first
