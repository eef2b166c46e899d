"""Does what a section of CONTRIBUTING.md says, in a copy of the project, all in one process.

    cd COPY; python tests/followed.py "Add a corpus"

A block that starts with the name of a file is written there; a diff is applied; Python and shell
are run; text is what the Python before it has to print. Commands of the project run in this
process, so that what is slow to import is imported once.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

TEXT = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text("utf-8")


class Block(NamedTuple):
    """A fenced block: its language, and what stands in it."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """Name of the file that it is, if its first line says so."""
        first = re.match(r"# ([a-z_]+/\S+\.\w+)\n", self.text)
        return first[1] if first else ""


def blocks(title: str) -> list[Block]:
    """Blocks of a section."""
    section = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [Block(*found) for found in re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)]


def follow(title: str) -> None:
    """Do what a section says."""
    printed, names = "", {"__name__": "contributing"}
    for block in blocks(title):
        if block.file:
            write(block)
        elif block.language == "diff":
            subprocess.run(["git", "apply", "-"], input=block.text, text=True, check=True)
        elif block.language == "sh":
            for line in block.text.splitlines():
                shell(line)
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block.text, "CONTRIBUTING.md", "exec"), names)
            printed = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
        else:
            assert printed == block.text, f"printed:\n{printed}expected:\n{block.text}"


def write(block: Block) -> None:
    """Write the file that a block is."""
    Path(block.file).parent.mkdir(exist_ok=True)
    Path(block.file).write_text(block.text.removeprefix(f"# {block.file}\n"), "utf-8")


def shell(line: str) -> None:
    """Run a line of shell."""
    if line.startswith((".venv/bin/", "make ")):
        program, *arguments = shlex.split(line)
        assert not ours(Path(program).name)(arguments), line
    else:
        subprocess.run(["bash", "-euc", line], check=True)


def ours(program: str) -> Callable[[list[str]], Any]:
    """What a program of the project does, as a function of its arguments."""
    from paraclap import book, command

    programs: dict[str, Callable[[list[str]], Any]] = {
        "make": lambda targets: book.main([f"--write-{target}" for target in targets]),
        "paraclap": lambda arguments: command.app(arguments, standalone_mode=False),
        "pytest": lambda arguments: pytest.main(["--assert=plain", *arguments]),
    }
    return programs[program]


if __name__ == "__main__":
    follow(sys.argv[1])
