"""The environment is described once: conda, pip and the pins agree."""

from __future__ import annotations

import os
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from benchmarks import versions

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
LOCK = os.environ.get("PARACLAP_LOCK", "constraints.txt")  # what this environment is made of
LOCKS = ("constraints.txt", "versions/lowest.txt", "versions/newest.txt")


def lines(lock: str) -> list[str]:
    text = (ROOT / lock).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(lock: str) -> dict[str, str]:
    return {
        canonicalize_name(name): version.partition(" ;")[0]
        for name, _, version in (line.partition("==") for line in lines(lock))
    }


LINES = lines("constraints.txt")
REQUIREMENTS = [*PROJECT["dependencies"], *(r for extra in EXTRAS.values() for r in extra)]


@pytest.mark.parametrize("line", LINES)
def test_a_pin_is_one_exact_version_without_place_or_local_suffix(line):
    marker = r"( ; python_version >= \"3\.\d+\")?"
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*" + marker, line)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_requirement_is_pinned_to_a_version_it_allows(lock):
    pinned = pins(lock)
    for parsed in map(Requirement, REQUIREMENTS):
        assert parsed.specifier.contains(pinned[canonicalize_name(parsed.name)]), parsed


def test_the_lowest_versions_are_the_lower_bounds():
    pinned = pins("versions/lowest.txt")
    for parsed in map(Requirement, REQUIREMENTS):
        (bound,) = parsed.specifier
        assert bound.operator in (">=", "==")
        lowest = pinned[canonicalize_name(parsed.name)]  # of stubs, whose day is in their version
        assert f"{lowest}.".startswith(f"{bound.version}."), parsed


def test_the_newest_versions_are_not_older_than_the_pinned_ones():
    pinned, newest = pins("constraints.txt"), pins("versions/newest.txt")
    for parsed in map(Requirement, REQUIREMENTS):
        name = canonicalize_name(parsed.name)
        assert Version(newest[name]) >= Version(pinned[name]), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_package_is_pinned_twice(lock):
    assert len(pins(lock)) == len(lines(lock))


def test_the_pythons_that_are_named_are_those_that_are_allowed_and_tried():
    allowed = Requirement(f"python{PROJECT['requires-python']}").specifier
    named = [kind.rpartition(" ")[2] for kind in PROJECT["classifiers"] if ":: 3." in kind]
    assert named == [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}.1")]
    assert {one.python for one in versions.ENVIRONMENTS.values()} == set(named)


def test_what_is_installed_is_what_is_pinned():
    names = [canonicalize_name(Requirement(r).name) for r in REQUIREMENTS]
    installed = {name: metadata.version(name).partition("+")[0] for name in names}
    pinned = pins(LOCK)
    assert installed == {name: pinned[name] for name in names}


def test_every_pinned_package_allows_the_oldest_patch_release_of_every_promised_python():
    minors = [kind.rpartition(" ")[2] for kind in PROJECT["classifiers"] if ":: 3." in kind]
    refused = []
    for line in lines(LOCK):
        name, marker = line.partition("==")[0], line.partition(" ; ")[2]
        concerned = [
            m for m in minors if not marker or Marker(marker).evaluate({"python_version": m})
        ]
        if "3.11" not in concerned:
            continue  # not installed here
        asked = SpecifierSet(metadata.metadata(name).get("Requires-Python") or "")
        refused += [f"{name} {asked} {m}.0" for m in concerned if not asked.contains(f"{m}.0")]
    assert refused == []


def test_conda_installs_the_same_python_extras_and_pins():
    python = next(line for line in CONDA if str(line).startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(
        python.partition("=")[2]
    )
    pip = next(line["pip"] for line in CONDA if isinstance(line, dict))
    extras = ",".join(EXTRAS)
    assert pip == ["--constraint constraints.txt", f"--editable .[{extras}]"]


def test_copyleft_code_is_an_optional_extra():
    assert not any("espeak" in requirement for requirement in PROJECT["dependencies"])
    assert any("espeak" in requirement for requirement in EXTRAS["speech"])
