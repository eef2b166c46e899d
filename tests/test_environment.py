"""The environment is described once: conda, pip and the pins agree."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
PINS = {canonicalize_name(n): v for n, _, v in (line.partition("==") for line in LINES)}
REQUIREMENTS = [*PROJECT["dependencies"], *(r for extra in EXTRAS.values() for r in extra)]


@pytest.mark.parametrize("line", LINES)
def test_a_pin_is_one_exact_version_without_place_or_local_suffix(line):
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_each_requirement_is_pinned_to_a_version_it_allows(requirement):
    parsed = Requirement(requirement)
    assert parsed.specifier.contains(PINS[canonicalize_name(parsed.name)])


def test_no_package_is_pinned_twice():
    assert len(PINS) == len(LINES)


def test_what_is_installed_is_what_is_pinned():
    names = [canonicalize_name(Requirement(r).name) for r in REQUIREMENTS]
    installed = {name: metadata.version(name).partition("+")[0] for name in names}
    assert installed == {name: PINS[name] for name in names}


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
