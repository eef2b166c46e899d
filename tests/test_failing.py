"""A failing cell is shown to its reader: the line, the error, where it was raised, what to do."""

from __future__ import annotations

from pathlib import Path

from paraclap import failing, kernel, sources
from paraclap.pages import BookError

HEAD = "# %%\nimport paraclap\n\n# %%\n"


def failed(folder: Path, cell: str) -> list[str]:
    """Lines that are told of a notebook whose second cell fails."""
    notebook = folder / "01_step.py"
    notebook.write_text(HEAD + cell)
    try:
        kernel.execute(notebook, folder / "run" / "01_step.ipynb", {}, "key")
    except BookError as error:
        return str(error).splitlines()
    raise AssertionError


def test_the_line_that_failed_is_marked_and_the_place_in_the_package_is_named(tmp_path):
    cell = (
        "from pathlib import Path\nfrom paraclap import sources\n\nsources.cells(Path('nowhere'))"
    )
    lines = failed(tmp_path, cell)
    assert lines[0] == "01_step.py failed in this cell (line 5):"
    assert lines[2:6] == [
        "    5  from pathlib import Path",
        "    6  from paraclap import sources",
        "    7",
        "  > 8  sources.cells(Path('nowhere'))",
    ]
    at = next(n for n, line in enumerate(lines) if line.startswith("    raised in "))
    assert lines[at].startswith("    raised in paraclap/sources.py, line ")
    assert "nowhere" in "".join(lines[6:at])
    assert lines[-2].endswith("01_step.failed.ipynb")
    assert not [line for line in lines if "papermill" in line or "site-packages" in line]


def test_a_cell_that_is_no_python_is_marked_too(tmp_path):
    lines = failed(tmp_path, "value = 1\nvalue = = 2\n")
    assert "  > 6  value = = 2" in lines
    assert [line for line in lines if line.startswith("SyntaxError: ")]


def test_of_a_long_cell_the_lines_around_are_shown(tmp_path):
    notebook = tmp_path / "01_step.py"
    source = "\n".join(f"line{number}()" for number in range(1, 61))
    notebook.write_text(HEAD + source)
    stack = ["\x1b[31mNameError\x1b[0m", "Cell \x1b[32mIn[2], line 30\x1b[0m"]
    told = failing.told(notebook, source, "NameError: x", stack, tmp_path / "f", sources.PACKAGE)
    assert "  > 34  line30()" in told
    assert "line21()" not in told and "line22()" in told
    assert "line38()" in told and "line39()" not in told
    assert "raised in" not in told


def test_a_cell_that_is_not_in_the_notebook_is_numbered_from_one(tmp_path):
    notebook = tmp_path / "01_step.py"
    notebook.write_text(HEAD)
    told = failing.told(notebook, "rand = x", "NameError: x", [], tmp_path / "f", sources.PACKAGE)
    assert told.startswith("01_step.py failed in this cell:\n\n    1  rand = x\n\nNameError: x\n")
