"""Do the packages of the lock file have known holes?

    python -m benchmarks.audit DATABASE

``DATABASE`` is a folder of OSV records, YAML or JSON, such as a checkout of
github.com/pypa/advisory-database. Its records, and those that were looked up by hand
(``advisories.csv``), are served on a port of this machine the way osv.dev does, and pip-audit asks
there; nothing leaves the machine. An answer is as old as the database, whose commit and date stand
beside it in ``audit.json``.

pip-audit is in no lock file: install it elsewhere and name it with ``--pip-audit``.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import hashlib
import json
import os
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
LISTED = Path(__file__).with_name("advisories.csv")
# Versions with known holes: where none is found in them, silence about the lock file says nothing.
CONTROL = {"pillow": "8.0.0", "jinja2": "2.10", "torch": "1.13.0"}
EVENTS = {">=": "introduced", "<": "fixed", "<=": "last_affected"}

Record = Mapping[str, Any]
Known = Mapping[str, Sequence[Record]]


class Finding(NamedTuple):
    """A pinned package with a known hole, where it is mended, and why that is no worry."""

    package: str
    version: str
    advisory: str
    fixed: str
    reached: str


def touches(affected: Record, version: str) -> bool:
    """Whether a version is among the affected ones of a record.

    A bound that is no version counts as touching: somebody should look.

    >>> kind = {"type": "ECOSYSTEM", "events": [{"introduced": "4.56.0"}, {"fixed": "5.3.0"}]}
    >>> [touches({"ranges": [kind]}, one) for one in ("4.55.4", "4.56.0", "5.2.9", "5.3.0")]
    [False, True, True, False]
    """
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
    try:
        return any(_inside(one["events"], Version(version)) for one in ranges)
    except InvalidVersion:
        return True


def _inside(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    bounds = [(Version(bound), kind) for event in events for kind, bound in event.items()]
    inside = False
    for bound, kind in sorted(bounds):
        if bound < version or (bound == version and kind != "last_affected"):
            inside = kind == "introduced"
    return inside


def answer(known: Known, query: Record) -> dict[str, Any]:
    """What osv.dev answers to ``POST /v1/query``: records that touch a version; nothing if none.

    Args:
        known: Records by package.
        query: ``{"package": {"name": …, "ecosystem": "PyPI"}, "version": …}``.
    """
    name = canonicalize_name(query["package"]["name"])
    found = [
        record
        for record in known.get(name, ())
        if not record.get("withdrawn")
        and any(touches(one, query["version"]) for one in _of(record, name))
    ]
    return {"vulns": found} if found else {}


def _of(record: Record, name: str) -> list[Record]:
    """What a record says of one package of PyPI."""
    found = []
    for affected in record["affected"]:
        package = affected.get("package", {})
        if package.get("ecosystem") == "PyPI" and canonicalize_name(package["name"]) == name:
            found.append(affected)
    return found


def records(folder: Path) -> list[Record]:
    """OSV records under a folder.

    Raises:
        FileNotFoundError: If there are none.
    """
    reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times faster
    files = sorted(one for one in folder.rglob("*") if one.suffix in (".yaml", ".json"))
    read = [reader(one.read_text(encoding="utf-8")).get_single_data() for one in files]
    found = [one for one in read if isinstance(one, dict) and one.get("affected")]
    if not found:
        raise FileNotFoundError(
            f"No OSV records under {folder.name!r}, expected YAML or JSON files with `affected`: "
            "give a checkout of github.com/pypa/advisory-database."
        )
    return found


def by_package(every: Iterable[Record]) -> dict[str, list[Record]]:
    """Records by the packages that they are about."""
    known: dict[str, list[Record]] = defaultdict(list)
    for record in every:
        named = [one["package"] for one in record["affected"] if "package" in one]
        for name in sorted({str(canonicalize_name(one["name"])) for one in named}):
            known[name].append(record)
    return known


def listed(table: Path = LISTED) -> list[dict[str, str]]:
    """Rows of the list that was made by hand."""
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_record(row: Mapping[str, str]) -> Record:
    """A row of the list as an OSV record; ``affected`` is a specifier, several joined by ``or``.

    >>> row = {"package": "a", "advisory": "X-1 Y-2", "affected": ">=2,<2.5", "source": "…"}
    >>> as_record(row)["affected"][0]["ranges"][0]["events"]
    [{'introduced': '2'}, {'fixed': '2.5'}]
    """
    first, *aliases = row["advisory"].split()
    ranges = [
        {"type": "ECOSYSTEM", "events": events(part)} for part in row["affected"].split(" or ")
    ]
    package = {"name": canonicalize_name(row["package"]), "ecosystem": "PyPI"}
    affected = [{"package": package, "ranges": ranges}]
    return {"id": first, "aliases": aliases, "details": row["source"], "affected": affected}


def events(specifier: str) -> list[dict[str, str]]:
    """Bounds of a specifier as OSV events, from 0 where it names no lower one."""
    bounds = [{EVENTS[one.operator]: one.version} for one in SpecifierSet(specifier)]
    lower = [one for one in bounds if "introduced" in one] or [{"introduced": "0"}]
    return lower + [one for one in bounds if "introduced" not in one]


def stamp(time: datetime.datetime) -> str:
    """A time that YAML has read as one, as OSV writes it."""
    return time.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def serving(known: Known) -> Iterator[str]:
    """The address at which records can be asked for, on this machine alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            content = json.dumps(answer(known, json.loads(asked)), default=stamp).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def asked(known: Known, lock: str, tool: str) -> list[dict[str, Any]]:
    """What pip-audit says of each package of a lock file."""
    with tempfile.TemporaryDirectory() as cache, serving(known) as url:
        (Path(cache) / "lock.txt").write_text(lock, encoding="utf-8")
        command = [
            *(tool, "--requirement", f"{cache}/lock.txt", "--no-deps", "--disable-pip"),
            *("--vulnerability-service", "osv", "--osv-url", url, "--cache-dir", f"{cache}/cache"),
            *("--format", "json", "--progress-spinner", "off"),
        ]
        here = os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        run = subprocess.run(command, capture_output=True, text=True, env=here)
    if not run.stdout:
        raise RuntimeError(f"pip-audit failed: {run.stderr[-500:]}")
    found: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    return found


def findings(said: Iterable[Record], rows: Iterable[Mapping[str, str]]) -> list[Finding]:
    """Holes that were found, each with what the list says of it, empty if nothing."""
    reasons = {(canonicalize_name(row["package"]), one): row["reached"] for row in rows
               for one in row["advisory"].split()}  # fmt: skip
    found = {
        Finding(
            one["name"],
            one["version"],
            " ".join([hole["id"], *sorted(hole["aliases"])]),
            " ".join(hole["fix_versions"]),
            next((reasons[key] for key in _names(one, hole) if key in reasons), ""),
        )
        for one in said
        for hole in one.get("vulns", ())
    }
    return sorted(found)


def _names(package: Record, hole: Record) -> list[tuple[str, str]]:
    return [(canonicalize_name(package["name"]), name) for name in (hole["id"], *hole["aliases"])]


def origin(folder: Path) -> dict[str, str]:
    """Commit and date of a checkout; empty if it is none."""
    command = ["git", "-C", str(folder), "log", "-1", "--format=%H %cs"]
    run = subprocess.run(command, capture_output=True, text=True)
    return dict(zip(("commit", "date"), run.stdout.split(), strict=False))


def report(database: Known, lock: Path, tool: str) -> dict[str, Any]:
    """Ask about the lock file, and before that about versions that are known to have holes.

    Raises:
        RuntimeError: If nothing is found in those.
    """
    control = asked(database, "".join(f"{name}=={one}\n" for name, one in CONTROL.items()), tool)
    if deaf := [one["name"] for one in control if not one.get("vulns")]:
        raise RuntimeError(f"Nothing found in old versions of {deaf}: the database is not whole.")
    text, rows = lock.read_text(encoding="utf-8"), listed()
    said, by_hand = asked(database, text, tool), asked(by_package(map(as_record, rows)), text, tool)
    version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "made": str(datetime.date.today()),
        "tool": version,
        "lock": {"file": lock.name, "sha256": hashlib.sha256(text.encode()).hexdigest()},
        "control": {f"{one['name']} {one['version']}": len(one["vulns"]) for one in control},
        "audited": sum("vulns" in one for one in said),
        "skipped": [one["name"] for one in said if "vulns" not in one],
        "listed": len(rows),
        "findings": {
            "database": [one._asdict() for one in findings(said, rows)],
            "list": [one._asdict() for one in findings(by_hand, rows)],
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, print, write beside this file; fail where a hole has no reason to be none of ours."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit")
    parser.add_argument("database", type=Path)
    parser.add_argument("--lock", type=Path, default=ROOT / "constraints.txt")
    parser.add_argument("--pip-audit", default="pip-audit")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    args = parser.parse_args(arguments)
    every = records(args.database)
    about = {"database": origin(args.database) | {"records": len(every)}}
    found = about | report(by_package(every), args.lock, args.pip_audit)
    args.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    new = [
        one["advisory"] for some in found["findings"].values() for one in some if not one["reached"]
    ]
    if new:
        raise SystemExit(f"{len(new)} holes that nobody has looked at yet: {new[:5]}")


if __name__ == "__main__":
    main()
