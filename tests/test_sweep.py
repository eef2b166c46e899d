"""A sweep makes many runs, each step once, goes on after a failure, and compares them all."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from paraclap import compared, params, sharing, steps, sweep, tables

VOICES = """# %% tags=["parameters"]
run: str = "demo"  # name of the run
runs: str = "runs"  # folder of all runs
seed: int = 0  # of every draw

# %%
from pathlib import Path
import pandas as pd
folder = Path(runs, run)
voice = folder / "corpus" / "a.wav"
voice.parent.mkdir(exist_ok=True)
voice.write_text("a voice")
labels = pd.DataFrame({"file": [str(voice)], "corpus": ["acted"], "synthetic": [True]})
labels["start"], labels["end"] = pd.Timedelta(0), pd.Timedelta(seconds=1)
labels.to_parquet(folder / "labels.parquet")
(folder / "failed.csv").write_text(f"file\\n{voice}\\n")
"""
SCORES = """# %% tags=["parameters"]
run: str = "demo"  # name of the run
runs: str = "runs"  # folder of all runs
rand: int = 1  # sentences
words: str = "a"  # some words

# %%
from pathlib import Path
import pandas as pd
scores = {"task": ["acted"], "chance": [0.5], "n": [9], "uar": [1 / rand]}
scores |= {"uar_low": [0.1], "uar_high": [0.9]}
pd.DataFrame(scores).to_csv(Path(runs, run, "scores.csv"), index=False)
"""


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A project of two notebooks: the first speaks a voice, the second scores."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "01_voices.py").write_text(VOICES)
    (tmp_path / "book" / "02_scores.py").write_text(SCORES)
    (tmp_path / "mini.yaml").write_text("seed: 3\n")
    return tmp_path


def ran(mini: Path, *arguments: str) -> int:
    more = ["--folder", str(mini / "book"), "--runs", str(mini / "runs"), "--only", "01-02"]
    return sweep.main([str(mini / "mini.yaml"), *more, *arguments])


# --- runs --------------------------------------------------------------------------------------


def test_a_sweep_makes_equal_steps_once_survives_a_failure_and_goes_on(
    mini: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(mini, "--grid", "rand=2,0,1") == 1
    said = capsys.readouterr()
    assert re.findall(r"01 voices: (.*)", re.sub(r"\d+\.\d s", "ran", said.out)) == [
        "ran",
        *["as in mini-rand2", "up to date"] * 2,
    ]
    assert "Failed: mini-rand0: 02_scores.py failed in this cell" in said.err
    place = mini / "runs" / "mini-rand-sweep"
    table = pd.read_csv(place / "scores.csv")
    assert table[["run", "rand", "task", "speech", "uar"]].to_numpy().tolist() == [
        ["mini-rand2", 2, "acted", "synthetic", 0.5],
        ["mini-rand1", 1, "acted", "synthetic", 1.0],
    ]
    page = (place / "index.html").read_text("utf-8")
    assert page.index("mini-rand1</th>") < page.index("mini-rand2</th>")
    assert "ZeroDivisionError" in page and "data:image/png" in page

    taken = mini / "runs" / "mini-rand1"
    assert (taken / "corpus/a.wav").samefile(mini / "runs/mini-rand2/corpus/a.wav")
    files = tables.read_table(taken / "labels.parquet").index.get_level_values("file")
    assert files.tolist() == [str(taken / "corpus" / "a.wav")]
    assert str(taken) in (taken / "failed.csv").read_text()
    told = (taken / "notebooks" / "01_voices.ipynb").read_text()
    assert 'run = \\"mini-rand1\\"' in told and "mini-rand2" not in told

    (mini / "book" / "02_scores.py").write_text(SCORES.replace("1 / rand", "1 / (rand + 1)"))
    assert ran(mini, "--grid", "rand=0") == 0
    assert "01 voices: up to date" in capsys.readouterr().out


def test_steps_are_alike_until_a_parameter_of_one_differs(mini: Path) -> None:
    notebooks = steps.notebooks(mini / "book")
    base = params.of_run(mini / "mini.yaml", [], notebooks)
    first = sharing.keys(notebooks, base)
    assert sharing.keys(notebooks, {**base, "run": "other"}) == first
    later = sharing.keys(notebooks, {**base, "rand": 5})
    assert later[0] == first[0] and later[1] != first[1]
    assert not set(sharing.keys(notebooks, {**base, "seed": 5})) & set(first)


# --- the grid ----------------------------------------------------------------------------------


def planned(mini: Path, *grid: str, files: tuple[str, ...] = ("mini.yaml",)) -> list[sweep.Run]:
    notebooks = steps.notebooks(mini / "book")
    points = sweep.grid(grid, params.declared_by_all(notebooks))
    return sweep.plan([mini / file for file in files], points, notebooks, ["runs=elsewhere"])


def test_a_grid_is_every_combination_of_its_values(mini: Path) -> None:
    runs = planned(mini, "rand=1,3", "seed=0,1")
    assert [run.name for run in runs] == [
        "mini-rand1-seed0",
        "mini-rand1-seed1",
        "mini-rand3-seed0",
        "mini-rand3-seed1",
    ]
    assert runs[2].values["rand"] == 3 and runs[2].values["run"] == "mini-rand3-seed0"
    assert {run.values["runs"] for run in runs} == {"elsewhere"}


def test_a_grid_file_and_several_params_files_do_the_same(mini: Path) -> None:
    (mini / "grid.yaml").write_text('words: ["a,b", c]\n')
    (mini / "other.yaml").write_text("rand: 4\n")
    runs = planned(mini, str(mini / "grid.yaml"), files=("mini.yaml", "other.yaml"))
    assert [run.name for run in runs] == [
        "mini-wordsa_b",
        "mini-wordsc",
        "other-wordsa_b",
        "other-wordsc",
    ]
    assert runs[0].values["words"] == "a,b" and runs[2].values["rand"] == 4
    assert [run.name for run in planned(mini, files=("mini.yaml", "other.yaml"))] == [
        "mini",
        "other",
    ]


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (["rnad=1,2"], "Unknown parameter 'rnad' in the grid, .* did you mean 'rand'"),
        (["rand=1,x"], "Bad rand in the grid: got 'x'"),
        (["rand=1,1"], "given twice"),
        (["rand=1", "rand=2"], "given twice"),
        (["words=a b,a-b,a_b"], r"Bad names of runs \['mini-wordsa_b'\]"),
    ],
)
def test_a_bad_grid_is_refused_before_anything_runs(
    mini: Path, grid: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(mini, *[part for one in grid for part in ("--grid", one)]) == 1
    assert re.search(said, capsys.readouterr().err)
    assert not list((mini / "runs").glob("*/notebooks"))


# --- the page ----------------------------------------------------------------------------------


class Read(HTMLParser):
    """Headings, pictures without words, and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.loaded: list[str] = []
        self.bare = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []
        self.bare += tag == "img" and not own.get("alt")
        self.loaded += [own[name] or "" for name in ("src", "href") if name in own]


def scores(*rows: tuple[Any, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["run", "task", "speech", "uar"])
    return table.assign(n=9, chance=0.5, uar_low=table["uar"] - 0.1, uar_high=table["uar"] + 0.1)


def runs(*names: str) -> list[sweep.Run]:
    return [sweep.Run(name, Path("a.yaml"), {"words": name}, {}) for name in names]


def test_the_page_loads_nothing_escapes_names_and_says_whose_speech_it_is() -> None:
    table = scores(("<b>", "acted", "synthetic", 0.6), ("b", "acted", "synthetic", 0.7))
    page = compared.page(runs("<b>", "b", "c"), table, {"c": "<script>"}, "x & y")
    read = Read(page)
    assert [one for one in read.loaded if not one.startswith("data:image/png")] == ["scores.csv"]
    assert read.bare == 0
    assert (
        read.headings[0] == 1
        and max(b - a for a, b in zip(read.headings, read.headings[1:], strict=False)) <= 1
    )
    assert "<b>" not in page and "<script>" not in page and "x &amp; y" in page
    assert "Synthetic speech:" in page and "voices of a speech synthesiser" in page


def test_the_highest_mean_stands_first_and_kinds_of_speech_are_never_averaged() -> None:
    table = scores(
        ("a", "acted", "synthetic", 0.9),
        ("a", "podcast", "recorded", 0.5),
        ("a", "radio", "recorded", 0.5),
        ("b", "acted", "synthetic", 0.1),
        ("b", "podcast", "recorded", 0.7),
        ("b", "radio", "recorded", 0.6),
    )
    done = compared.ranked(table)
    assert done.index.tolist() == ["b", "a"]
    assert done.columns.to_list() == [
        ("recorded", "mean"),
        ("synthetic", "acted"),
        ("recorded", "podcast"),
        ("recorded", "radio"),
    ]
    assert done["recorded", "mean"].round(6).tolist() == [0.65, 0.5]
    page = compared.page(runs("a", "b"), table, {}, "x")
    assert page.count("★</span>") == 4


def test_a_sweep_without_scores_says_so() -> None:
    page = compared.page(runs("a"), compared.scored([]), {}, "x")
    assert "Without scores" in page and "<table>" not in page


def test_a_notebook_that_is_taken_over_stays_a_notebook(mini: Path) -> None:
    import nbformat

    assert ran(mini, "--grid", "rand=1,2", "--only", "01") == 0
    file = mini / "runs" / "mini-rand2" / "notebooks" / "01_voices.ipynb"
    nbformat.validate(nbformat.read(file, as_version=4))
    key = json.loads(file.read_text("utf-8"))["metadata"]["paraclap"]["key"]
    run = planned(mini, "rand=2")[0]
    values = {**run.values, "runs": str(mini / "runs")}
    folder = mini / "runs" / "mini-rand2"
    assert key == steps.plan(steps.notebooks(mini / "book"), values, folder)[0].key
