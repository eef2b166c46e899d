"""The lock files are whole: each package has its licence on the list and its hashes."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from benchmarks import licences

ROOT = Path(__file__).resolve().parent.parent
LOCK = licences.pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
PAGE = (ROOT / "benchmarks" / "licences.md").read_text(encoding="utf-8")
HASHES = (ROOT / "hashes.txt").read_text(encoding="utf-8")
SHA = r"--hash=sha256:[0-9a-f]{64}"


def rows() -> dict[str, list[str]]:
    cells = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in cells[1:]}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def as_pinned(name: str) -> bool:
    try:
        return metadata.version(name).partition("+")[0] == LOCK[name] or name in licences.SAID
    except metadata.PackageNotFoundError:
        return name in licences.SAID


def test_each_package_of_the_lock_file_is_on_the_list_in_its_version():
    assert {name: row[0] for name, row in rows().items()} == LOCK


def test_each_package_has_a_licence_and_the_list_is_what_the_command_makes():
    found = licences.licences(ROOT / "constraints.txt")
    assert [one.name for one in found if one.licence in ("", "not said", "UNKNOWN")] == []
    fresh, page = licences.report(found)[4:], PAGE.splitlines()[4:]
    others = {
        one.name for one in found if not as_pinned(one.name)
    }  # of an environment of other versions
    assert [line for line in fresh if line.split(" | ")[0].strip("| ") not in others] == [
        line for line in page if line.split(" | ")[0].strip("| ") not in others
    ]


def test_what_is_not_free_and_what_passes_itself_on_comes_first():
    first = list(rows())[:2]
    assert set(first) == {"opensmile", "espeakng-loader"}
    assert "NOT FREE: no use in products without a commercial licence" in PAGE
    assert rows()["espeakng-loader"][2].startswith("GPL")


def test_metadata_that_are_corrected_still_say_something_else():
    assert "MIT" in licences.told("opensmile")
    assert licences.told("espeakng-loader") == ""


def test_each_package_but_torch_has_hashes():
    blocks = re.findall(
        rf"^([A-Za-z0-9_.-]+)==(\S+) (?:; .* )?((?:\\\n +{SHA} ?)+)", HASHES, re.MULTILINE
    )
    hashed = {plain(name): version for name, version, _ in blocks}
    assert hashed == {plain(name): one for name, one in LOCK.items() if name != "torch"}
