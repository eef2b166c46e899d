"""Is a run still what it says it is? Its files against what was noted, and against a second run.

    python -m paraclap.verifying runs/demo --quick
    python -m paraclap.verifying runs/demo

The quick form hashes every file of the run and every input, and compares with what was noted when
it was made (:mod:`paraclap.manifest`); times of change do not count. The full form then makes the
whole run again in a folder of its own and compares content: tables value by value, models weight by
weight (:mod:`paraclap.remaking`). Nothing in the run is changed.

A file is *same*, *changed* (other bytes than its step wrote), *missing*, *unknown* (no step wrote
it), or *stale*: it is as its step wrote it, but what the step was made from has changed since,
which is its code, its parameters, its inputs, or what the steps before it made.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap import manifest, params, remaking, sameness, steps, tables
from paraclap.pages import BookError

SAME, CHANGED, MISSING, STALE, UNKNOWN = "same", "changed", "missing", "stale", "unknown"
_GOOD = (sameness.EQUAL, sameness.TIMED)
WORST = (CHANGED, MISSING, UNKNOWN, STALE, SAME)


def check(run_folder: Path, folder: Path | None = None) -> pd.DataFrame:
    """Compare the files of a run with what was noted when they were made.

    Args:
        run_folder: folder of the run
        folder: of the notebooks, ``book/`` of the project if left out

    Returns:
        a row per file: `file, step, status, why`

    Raises:
        FileNotFoundError: if nothing was noted
        ValueError: if what was noted was edited
    """
    listed = manifest.read(run_folder)
    if not listed["files"]:
        msg = f"No {manifest.NAME} in {tables.short(run_folder)!r}: make the run again to have one."
        raise FileNotFoundError(msg)
    there = manifest.files(run_folder)
    now = manifest.digests(run_folder, there)
    reasons = stale(listed, now, run_folder, folder or tables.project_folder() / "book")
    rows = []
    for name in sorted({*there, *listed["files"]}):
        entry = listed["files"].get(name, {})
        step = entry.get("step", "")
        status = _status(entry, now.get(name), reasons.get(step, ""))
        why = reasons[step] if status == STALE else ""
        rows.append({"file": name, "step": step, "status": status, "why": why})
    return pd.DataFrame(rows)


def _status(entry: Mapping[str, Any], sha256: str | None, reason: str) -> str:
    if not entry:
        return UNKNOWN
    if sha256 is None:
        return MISSING
    if sha256 != entry["sha256"]:
        return CHANGED
    return STALE if reason else SAME


def stale(
    listed: Mapping[str, Any], now: Mapping[str, str], run_folder: Path, folder: Path
) -> dict[str, str]:
    """Steps whose result does not follow from what is there now, with the reason.

    Args:
        listed: what was noted
        now: SHA-256 of the files of the run
        run_folder: folder of the run
        folder: of the notebooks
    """
    values = remaking.values(run_folder)
    files = steps.notebooks(folder.resolve())
    planned = {step.notebook.stem: step for step in steps.plan(files, values, run_folder)}
    found = {}
    for name, about in listed["steps"].items():
        reason = _moved(about, values) or _read(about, manifest.reads(listed, name, now))
        if reason := reason or _planned(about, values, planned.get(name)):
            found[name] = reason
    return found


def _moved(about: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    given = {name: value for name, value in values.items() if name in about["parameters"]}
    then, now = about["inputs"], manifest.inputs(given)
    other = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    return f"other content at {', '.join(other)}" if other else ""


def _read(about: Mapping[str, Any], now: Mapping[str, str]) -> str:
    other = [maker for maker, digest in about["reads"].items() if now.get(maker) != digest]
    return f"it read other files of {', '.join(other[:3])}" if other else ""


def _planned(about: Mapping[str, Any], values: Mapping[str, Any], step: steps.Step | None) -> str:
    if step is None:
        return "its notebook is gone"
    then = about["parameters"]
    counted = {name: value for name, value in then.items() if name not in steps.NOT_COUNTED}
    other = [name for name, value in counted.items() if values.get(name, value) != value]
    if other and step.key != about["key"]:
        return f"other {', '.join(other[:5])}"
    if step.key != about["key"]:
        return "its code, or a step before it, is another now"
    return "" if steps.is_finished(step) else "it was begun again, or what it made is gone"


# --- command line ------------------------------------------------------------------------------


def summary(checked: pd.DataFrame) -> pd.DataFrame:
    """One row per artefact, the worst of its files; a key belongs to what it is the key of.

    Args:
        checked: as :func:`check` gives it, with the column `again` or without

    Returns:
        `artefact, step, files, status, again` (the number of files that were made again and are not
        equal, of those compared), `why`
    """
    rows = []
    names = checked["file"].str.split("/").str[0].str.removesuffix(".key")
    for name, own in checked.groupby(names, sort=False):
        worst = min(own["status"], key=WORST.index)
        those = own[own["status"] == worst]
        told = (
            worst if len(those) == len(own) else f"{worst}: {len(those)}, {those['file'].iloc[0]}"
        )
        row = {"artefact": name, "step": own["step"].max(), "files": len(own), "status": told}
        if "again" in own:
            row["again"] = _remade(own)
        rows.append({**row, "why": those["why"].iloc[0]})
    return pd.DataFrame(rows)


def _remade(own: pd.DataFrame) -> str:
    bad = own[~own["again"].isin(_GOOD)]
    if len(bad):
        return f"{bad['again'].iloc[0]}: {len(bad)}, {bad['file'].iloc[0]}"
    return sameness.EQUAL if (own["again"] == sameness.EQUAL).any() else sameness.TIMED


def is_good(checked: pd.DataFrame) -> bool:
    """Whether every file is as it should be.

    Args:
        checked: as :func:`check` gives it, with the column `again` or without
    """
    good = (checked["status"] == SAME).all()
    if "again" in checked:
        good &= checked["again"].isin(_GOOD).all()
    return bool(good)


def verify(run_folder: Path, folder: Path | None = None, quick: bool = False) -> int:
    """Verify a run and print what was found.

    Args:
        run_folder: folder of the run
        folder: of the notebooks, ``book/`` of the project if left out
        quick: whether not to make it again

    Returns:
        exit status: 0 if every file is as it should be, else 1
    """
    checked = check(run_folder, folder)
    if not quick:
        checked = _joined(checked, remaking.again(run_folder, folder))
    shown = summary(checked).rename(columns={"why": ""})
    print(shown.to_string(index=False, justify="left"))
    counts = checked["status"].value_counts()
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    print(f"\n{len(checked):,} files: {told}.")
    return 0 if is_good(checked) else 1


def _joined(checked: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Both tables, without what the second run has under another name, such as cached samples."""
    cached = ~again["file"].isin(checked["file"]) & again["again"].isin(_GOOD)
    both = checked.merge(again[~cached], "outer", "file")
    return both.fillna({"status": MISSING, "step": "", "why": "", "again": sameness.ABSENT})


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status: 0 all same, 1 not all, 2 it cannot be said."""
    parser = argparse.ArgumentParser(prog="python -m paraclap.verifying", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=Path, help="folder of the run, such as runs/demo")
    parser.add_argument("--quick", action="store_true", help="hashes alone: make nothing again")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="folder of the notebooks")
    args = parser.parse_args(arguments)
    try:
        return verify(args.run.resolve(), args.folder, args.quick)
    except (BookError, params.ParamsError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
