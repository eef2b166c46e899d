"""What was each file of a run made from? One list beside them, written as the steps are made.

``runs/<run>/provenance.json`` holds two tables:

- ``steps``: of each notebook its key, the parameters it declares with their values, the digests of
  the inputs outside the run that they name, the digests of what the steps before had made when it
  began, the versions of the packages, the commit, and when it was made;
- ``files``: of each file of the run its SHA-256, the step that wrote it last, and its size and
  times of change then, by which content is known that need not be read again.

A file that no step wrote keeps the entry that it had: so one that was edited by hand is found.

Conventions: paths are relative to the run folder, with slashes; what is hidden, the executed copies
in ``notebooks/`` and ``params.yaml`` are not listed, the book keeps their state itself.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from paraclap import params, sources, tables

NAME, OWN = "provenance.json", "digest"
_NOT_LISTED = {"notebooks", "params.yaml", NAME}
_NOT_COUNTED = ("run", "runs")  # parameters that name no input

State = tuple[int, int, int]


def files(run_folder: Path) -> dict[str, State]:
    """Files of a run that are listed: size, time of change of the content and of the file.

    Args:
        run_folder: folder of the run
    """
    found = {}
    for path in sorted(run_folder.rglob("*")):
        parts = path.relative_to(run_folder).parts
        if parts[0] in _NOT_LISTED or any(part[0] == "." for part in parts) or not path.is_file():
            continue
        status = path.stat()
        found["/".join(parts)] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the content of files, in hex digits; empty for one that is not there.

    Args:
        folder: that the names are relative to
        names: of the files
    """
    names = list(names)
    with ThreadPoolExecutor() as threads:
        return dict(
            zip(names, threads.map(_sha256, (folder / name for name in names)), strict=True)
        )


def _sha256(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def input_digest(value: object) -> str:
    """Digest of the names and contents of all files at a path given as a parameter, if it is one.

    Args:
        value: of the parameter; a relative path starts from the project folder
    """
    listed = sources.listing(value, tables.project_folder())
    if not listed:
        return ""
    place = tables.project_folder() / Path(str(value)).expanduser()
    return _content(place, tuple(listed))


@cache
def _content(place: Path, listed: tuple[tuple[str, int, int], ...]) -> str:
    folder = place.parent if place.is_file() else place
    names = [place.name] if place.is_file() else [name for name, *_ in listed]
    return _digest(digests(folder, names))


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


# --- the list ----------------------------------------------------------------------------------


def read(run_folder: Path) -> dict[str, Any]:
    """The list of a run, with its two tables; both empty if there is none yet.

    Args:
        run_folder: folder of the run

    Raises:
        ValueError: if it is not as it was written
    """
    path = run_folder / NAME
    if not path.is_file():
        return {"steps": {}, "files": {}}
    listed: dict[str, Any] = tables.read_json(path)
    if not isinstance(listed, dict) or listed.pop(OWN, "") != _digest(listed):
        msg = (
            f"{tables.short(path)!r} was cut short or edited, expected it as it was written: "
            "delete it, and the folder notebooks/ beside it, and make the run again."
        )
        raise ValueError(msg)
    return listed


@contextmanager
def recorded(notebook: Path, executed: Path, key: str, values: Mapping[str, Any]) -> Iterator[None]:
    """Note what a step has made, when the block that makes it ends well.

    Before the block the executed copy loses its key: if the block does not end well, what it has
    written in part is never taken for what the copy says.

    Args:
        notebook: source of the step
        executed: its executed copy, in the folder ``notebooks`` of the run
        key: of the step
        values: its parameters that differ from what the notebook declares
    """
    run_folder = executed.parent.parent
    listed, before = read(run_folder), files(run_folder)
    given = {name: one.default for name, one in params.declared(notebook).items()} | dict(values)
    about = {
        "key": key,
        "parameters": {name: value for name, value in given.items() if name not in _NOT_COUNTED},
        "inputs": inputs(given),
        "reads": reads(listed, notebook.stem, _known(run_folder, listed["files"], before)),
    }
    _forget(executed)
    yield
    _note(run_folder, notebook.stem, listed, before, about | _made_with())


def inputs(values: Mapping[str, Any]) -> dict[str, str]:
    """Digests of what lies at the paths among some parameters, by the name of the parameter.

    Args:
        values: of the parameters
    """
    named = {name: value for name, value in values.items() if name not in _NOT_COUNTED}
    found = {name: input_digest(value) for name, value in named.items()}
    return {name: digest for name, digest in found.items() if digest}


def reads(listed: Mapping[str, Any], step: str, now: Mapping[str, str]) -> dict[str, str]:
    """Digests of what each step before another one has made.

    Args:
        listed: the list of the run
        step: the one that reads, such as ``05_evaluation``
        now: SHA-256 of the files as they are

    Returns:
        step before → digest of its files; what later steps have written over them does not count
    """
    made: dict[str, dict[str, str]] = {}
    for name, entry in listed["files"].items():
        sha256 = now.get(name, "")
        while entry and entry["step"] >= step:
            entry = entry.get("was")
            sha256 = entry["sha256"] if entry else ""
        if entry:
            made.setdefault(entry["step"], {})[name] = sha256
    return {maker: _digest(own) for maker, own in sorted(made.items())}


def _known(run_folder: Path, known: Mapping[str, Any], now: Mapping[str, State]) -> dict[str, str]:
    """SHA-256 of files; those that look as they were noted are not read again."""
    same = {name for name, one in known.items() if list(now.get(name, ())) == one["state"]}
    read_again = digests(run_folder, [name for name in known if name in now and name not in same])
    return {name: known[name]["sha256"] for name in same} | read_again


def take_over(run_folder: Path, other: Path, keys: Mapping[str, str]) -> None:
    """Note steps whose files were taken over from another run.

    Args:
        run_folder: that has the files now
        other: folder of the run that made them
        keys: step → its key in this run; only what was noted there is noted here
    """
    theirs, listed, there = read(other), read(run_folder), files(run_folder)
    made = {
        name: entry["step"]
        for name, entry in theirs["files"].items()
        if entry["step"] in keys and name in there
    }
    now = _known(run_folder, listed["files"], there) | digests(run_folder, made)
    for name, step in made.items():
        listed["files"][name] = {"sha256": now[name], "step": step, "state": there[name]}
    for step in sorted(keys.keys() & theirs["steps"].keys()):
        about = {**theirs["steps"][step], "key": keys[step], "reads": reads(listed, step, now)}
        listed["steps"][step] = about
    _write(run_folder, listed)


def _write(run_folder: Path, listed: Mapping[str, Any]) -> None:
    ordered = {table: dict(sorted(listed[table].items())) for table in ("steps", "files")}
    # Its digest stands in it, so that both are there or neither: one file is renamed at a time.
    text = json.dumps({**ordered, OWN: _digest(ordered)}, indent=2, ensure_ascii=False)
    with tables.atomic_path(run_folder / NAME) as temporary:
        temporary.write_text(text + "\n", "utf-8")


def _forget(executed: Path) -> None:
    """Take the key from an executed copy, if there is one."""
    if executed.is_file():
        notebook = json.loads(executed.read_text("utf-8"))
        notebook["metadata"].get("paraclap", {}).pop("key", None)
        with tables.atomic_path(executed) as temporary:
            temporary.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _note(
    run_folder: Path,
    step: str,
    listed: dict[str, Any],
    before: Mapping[str, State],
    about: dict[str, Any],
) -> None:
    now, known = files(run_folder), listed["files"]
    new = [name for name in now if name not in known or before.get(name) != now[name]]
    for name in set(known) & set(before) - set(now):
        del known[name]  # the step has removed it
    for name, sha256 in digests(run_folder, new).items():
        was = known.get(name)
        if was and was["sha256"] == sha256:  # touched, or linked to by another run
            was["state"] = now[name]
            continue
        while was and was["step"] >= step:
            was = was.get("was")
        entry = {"sha256": sha256, "step": step, "state": now[name]}
        known[name] = entry | ({"was": was} if was else {})
    listed["steps"][step] = about
    _write(run_folder, listed)


def _made_with() -> dict[str, Any]:
    """Versions, commit and time, as they are now."""
    from paraclap import origin

    return {
        "versions": {"python": platform.python_version(), **origin.packages()},
        "commit": origin.commit(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
