"""The environment is described once: conda, pip, pins and hashes agree."""

import re
import shlex
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
REQUIREMENTS = [Requirement(one) for one in ASKED]
PYTHONS = [kind.rpartition(" ")[2] for kind in PROJECT["classifiers"] if ":: 3." in kind]
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
LINES = [line for line in CONSTRAINTS if not line.startswith("#")]
PINS = {canonicalize_name(line.partition("==")[0]): line for line in LINES}


def version(name):
    return PINS[canonicalize_name(name)].partition("==")[2].partition(" ")[0]


def test_each_package_is_pinned_once_to_an_exact_version():
    assert len(PINS) == len(LINES)
    form = r'[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*( ; python_version >= "3\.\d+")?'
    assert [line for line in LINES if not re.fullmatch(form, line)] == []


def test_each_requirement_is_pinned_to_a_version_it_allows_and_installed():
    for one in REQUIREMENTS:
        assert one.specifier.contains(version(one.name)), one
        assert metadata.version(one.name).partition("+")[0] == version(one.name), one


def test_every_pin_but_torch_has_hashes():
    text = (ROOT / "hashes.txt").read_text()
    hashed = {canonicalize_name(n): v for n, v in re.findall(r"^([\w.-]+)==(\S+)", text, re.M)}
    assert hashed == {name: version(name) for name in PINS if name != "torch"}


def test_every_pinned_package_allows_the_oldest_patch_release_of_every_promised_python():
    refused = []
    for name, line in PINS.items():
        marker = Marker(line.partition(" ; ")[2] or "python_version >= '3'")
        minors = [m for m in PYTHONS if marker.evaluate({"python_version": m})]
        if "3.11" in minors:  # else it is not installed here
            asked = SpecifierSet(metadata.metadata(name).get("Requires-Python") or "")
            refused += [f"{name} {asked} {m}.0" for m in minors if not asked.contains(f"{m}.0")]
    assert refused == []


def test_the_pythons_that_are_named_are_those_that_are_allowed():
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}.1")] == PYTHONS


def test_conda_installs_the_same_extras_and_pins():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(line["pip"] for line in conda if isinstance(line, dict))
    assert pip == ["--constraint constraints.txt", f"--editable .[{','.join(EXTRAS)}]"]


def test_copyleft_code_is_an_optional_extra():
    assert not any("espeak" in requirement for requirement in PROJECT["dependencies"])
    assert any("espeak" in requirement for requirement in EXTRAS["speech"])


def test_what_the_package_imports_is_what_it_requires():
    code = "\n".join(file.read_text() for file in (ROOT / "paraclap").rglob("*.py"))
    found = set(re.findall(r"^\s*(?:from|import) (\w+)", code, re.MULTILINE))
    owners = metadata.packages_distributions()
    known = {canonicalize_name(one.name) for one in REQUIREMENTS}
    missing = {
        name
        for name in found - {"paraclap", "paraclap_model"}
        if name in owners and not {canonicalize_name(one) for one in owners[name]} & known
    }
    assert missing <= {"msclap", "G722"}  # of older metadata, see pyproject.toml; for people alone


def test_make_lab_runs_in_a_folder_with_a_space_in_its_name(tmp_path):
    (place := tmp_path / "a b").mkdir()
    shutil.copy(ROOT / "Makefile", place)
    plan = ["make", "--dry-run", "--no-print-directory", "--assume-old=.venv/stamp", "lab"]
    (line,) = subprocess.run(plan, cwd=place, capture_output=True, text=True).stdout.splitlines()
    assert shlex.split(line)[0] == f"JUPYTER_CONFIG_PATH={place}/.jupyter"
