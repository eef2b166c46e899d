"""A run is what it says it is, or it is said what is not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from paraclap import manifest, params, sameness, sources, steps, tables, verifying

FIRST = """# %% [markdown]
# # Numbers

# %% tags=["parameters"]
run: str = "mini"  # name of the run
runs: str = "runs"  # folder of all runs
count: int = 3  # rows
words: str = "none"  # folder of texts
jobs: int = 1  # processes

# %%
import pandas as pd

from paraclap import tables

place = tables.run_folder(run, runs)
numbers = pd.DataFrame({"number": range(count), "file": str(place / "voice")})
tables.write_table(numbers, place / "numbers.parquet", "numbers")
tables.write_json({"count": count}, place / "more" / "about.json")
"""
SECOND = """# %% [markdown]
# # Sums

# %% tags=["parameters"]
run: str = "mini"  # name of the run
runs: str = "runs"  # folder of all runs
factor: int = 2  # of the sum

# %%
import os

import pandas as pd

from paraclap import tables

place = tables.run_folder(run, runs)
total = factor * tables.read_table(place / "numbers.parquet")["number"].sum()
tables.write_table(pd.DataFrame({"total": [total]}), place / "sums.csv", "sums")
with tables.atomic_path(place / "more" / "chance.txt") as temporary:
    temporary.write_text(os.urandom(8).hex())
"""


def make(home: Path) -> Path:
    """Make the steps that are not finished, as the book does; their code runs in this process."""
    files = steps.notebooks(home / "book")
    values = params.of_run(home / "mini.yaml", [f"runs={home / 'runs'}"], files)
    place = tables.run_folder("mini", values["runs"])
    (place / "params.yaml").write_text(yaml.safe_dump(values))
    for one in steps.plan(files, values, place):
        with manifest.recorded(one.notebook, one.executed, one.key, one.values):
            execute(one, values)
    return place


def execute(step: steps.Step, values: dict[str, object]) -> None:
    """Run the code of a step, and leave the copy that says so."""
    code = compile("\n".join(sources.code(step.notebook)), step.name, "exec")
    exec(code, dict(values))
    copy = {"cells": [], "metadata": {"paraclap": {"key": step.key, "artefacts": []}}}
    step.executed.parent.mkdir(exist_ok=True)
    step.executed.write_text(json.dumps(copy))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a book of two steps, an input, a params file, and the run made from them."""
    home = tmp_path_factory.mktemp("verified")
    (home / "book").mkdir()
    (home / "book" / "01_numbers.py").write_text(FIRST)
    (home / "book" / "02_sums.py").write_text(SECOND)
    (home / "words").mkdir()
    (home / "words" / "a.txt").write_text("one")
    (home / "mini.yaml").write_text(f"words: {home / 'words'}\n")
    make(home)
    return home


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """The run, to be damaged."""
    return Path(shutil.copytree(made / "runs" / "mini", tmp_path / "runs" / "mini"))


def statuses(made: Path, run: Path) -> dict[str, str]:
    found = verifying.check(run, made / "book")
    return dict(zip(found["file"], found["status"], strict=True))


def edit(path: Path, text: str) -> None:
    """Other content of the same length, with the time of change restored."""
    before = path.stat()
    path.write_bytes(text.encode().ljust(before.st_size, b" ")[: before.st_size])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_every_file_of_a_fresh_run_is_the_same_and_says_what_it_was_made_from(made, run, capsys):
    assert verifying.main([str(run), "--quick", "--folder", str(made / "book")]) == 0
    told = capsys.readouterr().out
    assert "6 files: 6 same." in told
    listed = manifest.read(run)
    assert {entry["step"] for entry in listed["files"].values()} == {"01_numbers", "02_sums"}
    for about in listed["steps"].values():
        assert {"key", "parameters", "inputs", "reads", "versions", "commit", "made"} == set(about)
        assert {"python", "paraclap", "pandas"} <= set(about["versions"])
    first, second = listed["steps"].values()
    assert first["parameters"]["count"] == 3
    assert set(first["inputs"]) == {"words"}
    assert set(second["reads"]) == {"01_numbers"}


def test_a_file_edited_by_hand_with_its_time_restored_is_found_and_what_read_it_is_stale(made, run):
    edit(run / "numbers.parquet", "another table")
    found = statuses(made, run)
    assert found["numbers.parquet"] == "changed"
    assert found["more/about.json"] == "same"
    assert {found["sums.csv"], found["sums.csv.key"], found["more/chance.txt"]} == {"stale"}
    assert verifying.main([str(run), "--quick", "--folder", str(made / "book")]) == 1


def test_a_missing_file_and_one_that_no_step_wrote_are_named(made, run, capsys):
    (run / "sums.csv").unlink()
    (run / "notes.txt").write_text("mine")
    found = statuses(made, run)
    assert (found["sums.csv"], found["notes.txt"]) == ("missing", "unknown")
    assert found["numbers.parquet"] == "same"
    assert verifying.verify(run, made / "book", quick=True) == 1
    assert "missing" in capsys.readouterr().out


def test_other_content_of_an_input_with_its_time_restored_makes_what_follows_stale(made, run):
    file = made / "words" / "a.txt"
    status = file.stat()
    edit(file, "two")
    manifest._content.cache_clear()  # as in another process
    found = verifying.check(run, made / "book").set_index("file")
    file.write_text("one")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    manifest._content.cache_clear()
    assert found.loc["numbers.parquet", "why"] == "other content at words"
    assert set(statuses(made, run).values()) == {"same"}


@pytest.mark.parametrize(
    ("change", "stale", "why"),
    [
        ({"count": 4}, {"numbers.parquet", "sums.csv"}, "other count"),
        ({"factor": 3}, {"sums.csv"}, "other factor"),
        ({"jobs": 2}, set(), ""),
    ],
)
def test_other_parameters_make_their_step_and_those_after_it_stale(made, run, change, stale, why):
    values = yaml.safe_load((run / "params.yaml").read_text())
    (run / "params.yaml").write_text(yaml.safe_dump({**values, **change}))
    found = verifying.check(run, made / "book").set_index("file")
    tables_ = found.loc[["numbers.parquet", "sums.csv"]]
    assert set(tables_.index[tables_["status"] == "stale"]) == stale
    assert why in set(found["why"]) | {""}


def test_other_code_makes_a_step_stale_and_other_prose_does_not(made, run, tmp_path):
    copy = Path(shutil.copytree(made / "book", tmp_path / "book"))
    second = copy / "02_sums.py"
    second.write_text(SECOND.replace("# # Sums", "# # Totals"))
    assert set(verifying.check(run, copy)["status"]) == {"same"}
    second.write_text(SECOND.replace("factor *", "factor +"))
    found = verifying.check(run, copy).set_index("file")["status"]
    assert (found["numbers.parquet"], found["sums.csv"]) == ("same", "stale")


def test_a_step_that_was_begun_and_not_finished_is_not_taken_for_finished(made, run):
    """Made with other parameters, stopped in the middle, asked for with the first ones again."""
    files = steps.notebooks(made / "book")
    values = yaml.safe_load((run / "params.yaml").read_text())
    first = steps.plan(files, values, run)[0]
    other = steps.plan(files, {**values, "count": 5}, run)[0]
    assert steps.is_finished(first)
    given = other.notebook, other.executed, other.key, other.values
    with pytest.raises(KeyboardInterrupt), manifest.recorded(*given):
        tables.write_table(pd.DataFrame({"number": range(5)}), run / "numbers.parquet", "numbers")
        raise KeyboardInterrupt
    assert not steps.is_finished(first)
    assert statuses(made, run)["numbers.parquet"] == "changed"
    kept = json.loads(first.executed.read_text())["metadata"]["paraclap"]
    assert kept == {"artefacts": []}


def noted(run: Path, step: str, **written: str) -> None:
    """A step that writes some files."""
    source = run.parent / f"{step}.py"
    source.write_text('# %% tags=["parameters"]\nrun: str = "mini"  # name\n')
    with manifest.recorded(source, run / "notebooks" / f"{step}.ipynb", "key", {}):
        for name, content in written.items():
            (run / name).write_text(content)


def test_what_a_later_step_writes_over_is_no_change_for_the_steps_between(tmp_path):
    run = tmp_path / "mini"
    run.mkdir()
    noted(run, "01_a", model="one")
    noted(run, "02_b", scores="two")
    noted(run, "03_c", model="three")
    listed = manifest.read(run)
    now = manifest.digests(run, listed["files"])
    assert manifest.reads(listed, "02_b", now) == listed["steps"]["02_b"]["reads"]
    noted(run, "01_a", model="four")
    listed = manifest.read(run)
    now = manifest.digests(run, listed["files"])
    assert listed["files"]["model"]["step"] == "01_a"
    assert manifest.reads(listed, "02_b", now) != listed["steps"]["02_b"]["reads"]


def test_what_was_made_from_an_edited_file_is_stale_once_the_edit_is_undone(tmp_path):
    run = tmp_path / "mini"
    run.mkdir()
    noted(run, "01_a", labels="one")
    edit(run / "labels", "own")
    noted(run, "02_b", scores="two")
    listed = manifest.read(run)
    assert listed["files"]["labels"]["step"] == "01_a"
    edit(run / "labels", "one")
    now = manifest.digests(run, listed["files"])
    assert now["labels"] == listed["files"]["labels"]["sha256"]
    assert manifest.reads(listed, "02_b", now) != listed["steps"]["02_b"]["reads"]


def test_a_file_that_another_run_links_to_meanwhile_keeps_its_step(tmp_path):
    run = tmp_path / "mini"
    run.mkdir()
    noted(run, "01_a", model="one")
    with manifest.recorded(run.parent / "01_a.py", run / "notebooks" / "02_b.ipynb", "key", {}):
        os.link(run / "model", tmp_path / "linked")
    assert manifest.read(run)["files"]["model"]["step"] == "01_a"


def test_steps_taken_over_from_another_run_are_noted_with_the_files_as_they_are_here(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    noted(first, "01_a", labels="first/voice")
    noted(first, "02_b", scores="two")
    noted(first, "03_c", more="three")
    (second / "labels").write_text("second/voice")
    os.link(first / "scores", second / "scores")
    manifest.take_over(second, first, {"01_a": "key 1", "02_b": "key 2"})
    listed = manifest.read(second)
    now = manifest.digests(second, listed["files"])
    assert now == {name: entry["sha256"] for name, entry in listed["files"].items()}
    assert [about["key"] for about in listed["steps"].values()] == ["key 1", "key 2"]
    assert manifest.reads(listed, "02_b", now) == listed["steps"]["02_b"]["reads"]
    assert set(listed["files"]) == {"labels", "scores"}


def test_an_edited_list_and_a_run_without_one_are_refused(made, run, capsys):
    edit(run / manifest.NAME, json.dumps({"steps": {}, "files": {"a": {"step": "01_numbers"}}}))
    assert verifying.main([str(run), "--quick", "--folder", str(made / "book")]) == 2
    assert "was cut short or edited" in capsys.readouterr().err
    (run / manifest.NAME).unlink()
    assert verifying.main([str(run), "--quick", "--folder", str(made / "book")]) == 2
    assert "make the run again to have one" in capsys.readouterr().err


def test_a_list_is_read_whatever_became_of_the_files_beside_it(made, run):
    """Its digest stands in it: no stop between two files leaves it for edited."""
    assert not (run / f"{manifest.NAME}.key").exists()
    whole = json.loads((run / manifest.NAME).read_text("utf-8"))
    assert manifest.read(run) == {name: whole[name] for name in ("steps", "files")}
    whole["steps"].popitem()
    (run / manifest.NAME).write_text(json.dumps(whole), "utf-8")
    with pytest.raises(ValueError, match="was cut short or edited"):
        manifest.read(run)


def test_made_again_what_is_determined_is_equal_and_chance_is_found(made, run, capsys):
    assert verifying.main([str(run), "--folder", str(made / "book")]) == 1
    found = capsys.readouterr().out
    assert "differs: 1, more/chance.txt" in found
    assert "numbers.parquet 01_numbers 1" in " ".join(found.split())
    assert found.count("equal") >= 2
    assert sorted(path.name for path in run.iterdir()) == [
        *("more", "notebooks", "numbers.parquet", "params.yaml", "provenance.json"),
        *("sums.csv", "sums.csv.key"),
    ]


# --- files -------------------------------------------------------------------------------------


def test_tables_are_compared_by_value_with_the_folder_of_the_run_and_times_left_out(tmp_path):
    for number, name in enumerate(("one", "two")):
        place = tmp_path / name
        table = pd.DataFrame({"file": [str(place / "a.wav")], "x": [1.5], "mtime_ns": [number]})
        tables.write_table(table, place / "t.parquet", f"key {number}")
        table["x"] += 1e-12 * number
        tables.write_table(table, place / "other.csv")
        tables.write_table(table, place / "speed.csv")
        tables.write_json({"a": str(place / "b"), "date": number}, place / "j.json")
        made = (
            "commit 62634d8, on 2026-11-20",
            "commit paraclap 0.1.0, no checkout, on 2026-11-21",
        )
        (place / "card.md").write_text(f"Of {place / 'model'}: {made[number]}; UAR 0.5")
        (place / "other.md").write_text(f"{made[number]}; UAR 0.{number}")
    (tmp_path / "one" / "gone.txt").touch()
    asked = ("t.parquet", "other.csv", "speed.csv", "j.json", "card.md", "other.md", "gone.txt")
    found = [sameness.compare(name, tmp_path / "one", tmp_path / "two") for name in asked]
    assert found == ["equal", "differs", "timed", "equal", "equal", "differs", "not made"]


def test_models_are_compared_by_their_weights(tmp_path):
    import torch
    from safetensors.torch import save_file

    weights = {"a": torch.tensor([1.0, float("nan")]), "b": torch.zeros(2, dtype=torch.bfloat16)}
    for name, value in (("one", 0.0), ("two", 0.0), ("three", 1e-3)):
        (tmp_path / name).mkdir()
        own = {**weights, "b": weights["b"] + value}
        save_file(own, tmp_path / name / "m.safetensors", {"made": name})
    found = [
        sameness.compare("m.safetensors", tmp_path / "one", tmp_path / b) for b in ("two", "three")
    ]
    assert found == ["equal", "differs"]
