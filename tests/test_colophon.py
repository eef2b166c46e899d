"""What the foot of a page says of its making is what its notebook was executed with."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from paraclap import colophon, origin

DECLARED = """\
run: str = "demo"  # name
runs: str = "runs"  # where
seed: int = 0  # of draws
voices: int = 9  # how many"""


def executed(folder: Path, given: str, made: bool = True) -> Path:
    """An executed copy with these injected parameters."""
    new = nbformat.v4.new_code_cell
    cells = [new(DECLARED, metadata={"tags": ["parameters"]})]
    if given:
        cells += [new(f"# Parameters\n{given}", metadata={"tags": ["injected-parameters"]})]
    ended = {"papermill": {"end_time": "2026-11-21T08:05:59.71+00:00"}}
    cells += [new("print(1)", metadata=ended)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    if made:
        notebook.metadata["paraclap"] = {"key": "0"}
    file = folder / "runs" / "mine" / "notebooks" / "05_evaluation.ipynb"
    file.parent.mkdir(parents=True)
    nbformat.write(notebook, file)
    return file


def foot(file: Path) -> list[str]:
    """Lines of the note."""
    target = file.parent / "copy.ipynb"
    colophon.copy(file, target)
    cell = nbformat.read(target, as_version=4).cells[-1]
    assert cell.cell_type == "markdown"
    return cell.source.splitlines()


def test_the_note_says_run_seed_changes_commit_date_and_how_to_make_it_again(tmp_path):
    file = executed(tmp_path, 'run = "mine"\nruns = "/far/off"\nseed = 3\nvoices = 12')
    assert foot(file) == [
        "```{admonition} How this page was made",
        ":class: dropdown made-by",
        "",
        "- **Run**: `mine`",
        "- **Seed**: 3",
        "- **Parameters that differ from the defaults**: `voices = 12`",
        f"- **Code**: `{origin.commit()}`",
        "- **Executed**: 2026-11-21, 08:05 UTC",
        "- **To make it again**: `python -m paraclap.book runs/mine/params.yaml --only 05`",
        "```",
    ]


@pytest.mark.parametrize("given", ["", 'run = "mine"'])
def test_a_page_made_with_the_defaults_says_so(tmp_path, given):
    told = foot(executed(tmp_path, given))
    assert "- **Seed**: 0" in told
    assert "- **Parameters that differ from the defaults**: none" in told


def test_the_executed_copy_itself_stays_as_it_is(tmp_path):
    file = executed(tmp_path, "seed = 3")
    before = file.read_bytes()
    foot(file)
    assert file.read_bytes() == before


def test_a_notebook_that_was_not_executed_for_a_run_gets_no_note(tmp_path):
    file = executed(tmp_path, "", made=False)
    target = tmp_path / "copy.ipynb"
    colophon.copy(file, target)
    assert target.read_bytes() == file.read_bytes()
