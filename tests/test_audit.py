"""What is known of the packages that we install: asked as osv.dev is, and looked up by hand."""

from __future__ import annotations

import json
import re
import tomllib
import urllib.request
from itertools import chain
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from benchmarks import audit, licences

ROOT = Path(__file__).resolve().parent.parent
LOCK = licences.pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
ROWS = audit.listed()
RECORD = """
id: PYSEC-2026-1
modified: 2026-05-24T10:00:00Z
published: 2026-05-24T10:00:00Z
aliases: [CVE-2026-1]
affected:
- package: {name: Some_Package, ecosystem: PyPI}
  ranges:
  - type: GIT
    events: [{introduced: '0'}, {fixed: 0a1b2c}]
  - type: ECOSYSTEM
    events: [{fixed: 1.4.2}, {introduced: '1.2'}, {introduced: '2.0'}, {last_affected: 2.3.1}]
  versions: ['0.9']
"""
TOUCHED = ("0.9", "1.2", "1.4.1", "1.4.2rc1", "2.0", "2.3.1")
UNTOUCHED = ("0.8", "1.1.9", "1.2rc1", "1.4.2", "1.9", "2.3.2", "3.0")


@pytest.fixture
def known(tmp_path) -> dict[str, list[audit.Record]]:
    (tmp_path / "vulns" / "some-package").mkdir(parents=True)
    (tmp_path / "vulns" / "some-package" / "PYSEC-2026-1.yaml").write_text(RECORD)
    gone = yaml.safe_load(RECORD) | {"id": "PYSEC-2026-2", "withdrawn": "2026-06-01T00:00:00Z"}
    (tmp_path / "gone.json").write_text(json.dumps(gone, default=str))
    (tmp_path / "README.yaml").write_text("about: nothing")
    return audit.by_package(audit.records(tmp_path))


def query(version: str, name: str = "some-package") -> dict:
    return {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}


@pytest.mark.parametrize("version", TOUCHED)
def test_a_record_is_found_for_each_version_that_it_names(known, version):
    found = audit.answer(known, query(version, "Some.Package"))["vulns"]
    assert [one["id"] for one in found] == ["PYSEC-2026-1"]


@pytest.mark.parametrize("version", UNTOUCHED)
def test_nothing_is_found_for_other_versions_and_packages(known, version):
    assert audit.answer(known, query(version)) == {}
    assert audit.answer(known, query("1.3", "some")) == {}


def test_the_service_answers_as_osv_does(known):
    with audit.serving(known) as url:
        assert url.startswith("http://127.0.0.1:")
        answers = []
        for version in ("1.3", "3.0"):
            content = json.dumps(query(version)).encode()
            request = urllib.request.Request(url, content, method="POST")
            with urllib.request.urlopen(request, timeout=5) as response:
                answers.append(json.loads(response.read()))
    assert answers[0]["vulns"][0]["published"] == "2026-05-24T10:00:00Z"
    assert answers[1] == {}


def test_a_bound_that_is_no_version_is_looked_at_rather_than_passed_over():
    bounds = [{"introduced": "0"}, {"last_affected": "2.6.0-NA"}]
    assert audit.touches({"ranges": [{"type": "ECOSYSTEM", "events": bounds}]}, "99")


def test_a_folder_without_records_is_refused(tmp_path):
    (tmp_path / "README.md").write_text("empty")
    with pytest.raises(FileNotFoundError, match="No OSV records under"):
        audit.records(tmp_path)


BOUND = st.tuples(st.integers(0, 4), st.integers(0, 3)).map(lambda one: f"{one[0]}.{one[1]}")


@given(low=BOUND, high=BOUND, upper=st.sampled_from(["<", "<="]), version=BOUND)
def test_a_row_of_the_list_touches_what_its_specifier_contains(low, high, upper, version):
    row = {"package": "a", "advisory": "X", "affected": f">={low},{upper}{high}", "source": ""}
    found = audit.answer(audit.by_package([audit.as_record(row)]), query(version, "a"))
    if Version(low) < Version(high) or (low == high and upper == "<="):
        assert bool(found) == SpecifierSet(row["affected"]).contains(version)


def test_findings_carry_what_the_list_says_of_them():
    hole = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}
    said = [{"name": "some-package", "version": "1.0", "vulns": [hole]},
            {"name": "other", "version": "1", "vulns": []}]  # fmt: skip
    rows = [{"package": "Some_Package", "advisory": "GHSA-1 CVE-1", "reached": "no: never called"}]
    expected = ("some-package", "1.0", "PYSEC-1 CVE-1", "2.0")
    assert audit.findings(said, rows) == [(*expected, "no: never called")]
    assert audit.findings(said, []) == [(*expected, "")]


# --- the list ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["advisory"].split()[0])
def test_no_pinned_version_has_a_known_hole_without_a_reason(row):
    assert row["pinned"] == LOCK[row["package"]], "look at the row again, then correct `pinned`"
    record = audit.by_package([audit.as_record(row)])
    touched = bool(audit.answer(record, query(row["pinned"], row["package"])))
    assert touched == (row["reached"] != "no: fixed")
    assert touched or Version(row["fixed"]) <= Version(row["pinned"])
    assert all(one.startswith("https://") for one in row["source"].split())


def test_the_list_names_no_hole_twice():
    names = [(row["package"], one) for row in ROWS for one in row["advisory"].split()]
    assert len(names) == len(set(names))


def lower_bounds() -> dict[str, Version]:
    """The lowest versions that pyproject.toml allows, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {
        canonicalize_name(one.name): Version(bound.version)
        for one in map(Requirement, named)
        for bound in one.specifier
        if bound.operator in (">=", "==")
    }


def test_lower_bounds_exclude_versions_with_holes_that_are_fixed():
    bounds = lower_bounds()
    fixed = [row for row in ROWS if row["fixed"] and canonicalize_name(row["package"]) in bounds]
    assert {"torch", "transformers", "pillow", "pyarrow", "Jinja2"} <= {
        row["package"] for row in fixed
    }
    for row in fixed:
        lowest = str(bounds[canonicalize_name(row["package"])])
        record = audit.by_package([audit.as_record(row)])
        assert audit.answer(record, query(lowest, row["package"])) == {}, row["advisory"]


def test_what_a_reason_says_is_never_called_is_never_called():
    folders = [ROOT / name for name in ("paraclap", "benchmarks", "book")]
    texts = [one.read_text(encoding="utf-8") for folder in folders for one in folder.rglob("*.py")]
    assert not [one for one in texts if "load_checkpoint_" in one]  # of accelerate
    asked = [
        one for text in texts for one in re.findall(r"[.](?:query|eval)\(([^)]*)\)", text) if one
    ]
    assert asked == ['"low > chance"']  # of pandas: sentences of ours alone
    writers = re.findall(r'format="(\w+)"', " ".join(texts))
    assert not {"OGG", "OPUS"} & set(writers)  # of libsndfile


# --- the record of the last audit --------------------------------------------------------------

MADE = json.loads((ROOT / "benchmarks" / "audit.json").read_text(encoding="utf-8"))


def test_the_audit_looked_at_every_package_and_would_have_found_something():
    assert MADE["audited"] >= 200
    assert MADE["skipped"] == []
    assert all(MADE["control"].values())
    assert re.fullmatch("[0-9a-f]{40}", MADE["database"]["commit"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", MADE["database"]["date"])
    assert MADE["database"]["records"] > 2_000


def test_the_audit_found_what_the_list_says_and_each_has_its_reason():
    found = {(canonicalize_name(one["package"]), name) for one in MADE["findings"]["list"]
             for name in one["advisory"].split()}  # fmt: skip
    open_ = {(canonicalize_name(row["package"]), name) for row in ROWS
             for name in row["advisory"].split() if row["reached"] != "no: fixed"}  # fmt: skip
    assert found == open_
    assert all(one["reached"] for kind in MADE["findings"].values() for one in kind)
