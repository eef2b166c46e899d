"""Who may import whom, read from the source: the arrows of the package follow the data."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "paraclap"

# The rooms in the order in which data pass through them. A module imports from rooms further up
# or its own, never from those below. Two come earlier than in the book: the words that name
# levels, and the evaluation, whose calls give training its dev score.
ROOMS = [
    {
        "whole",
        "reading",
        "progress",
        "provenance",
        "tables",
        "leakage",
        "workers",
        "cluster",
        "shards",
    },
    {"sources", "params"},
    {"emotion_words", "templates"},
    {"_torchaudio", "headers", "audio", "contours"},
    {"espeak", "shaping", "voices", "spoken", "synthesis"},
    {"store", "signals"},
    {"corpora"},
    {"features"},
    {"levels"},
    {"wordings", "joining", "sampling", "queries", "variety", "objections"},
    {
        "machine",
        "schedule",
        "texts",
        "pairs",
        "towers",
        "processor",
        "configuration",
        "foreign",
        "pooling",
        "registering",
        "model",
        "released",
        "weights",
        "pretrained",
        "rewording",
        "paraphrasing",
        "loss",
        "measured",
        "objectives",
        "targets",
        "checkpoint",
        "settings",
        "recipes",
        "dimensional",
        "text_cache",
        "flops",
        "gradients",
        "masking",
        "processes",
        "stepping",
        "speed",
    },
    {
        "zeroshot",
        "inference",
        "folding",
        "listing",
        "pieces",
        "scoring",
        "interfaces",
        "estimator",
        "saying",
        "mteb_encoder",
    },
    {"resampling", "scores", "references"},
    {"inputs", "loop", "launch", "training"},
    {
        "tasks",
        "quoted",
        "evaluation",
        "origin",
        "exposure",
        "results",
        "collecting",
        "card",
        "carrying",
        "publishing",
        "comparison",
        "stopwatch",
        "hardware",
        "throughput",
        "scaling",
    },
    {"systems", "evidence"},
    {"outcome", "contest"},
    {"looking"},
    {"figures"},
    {"playground"},
    {
        "colophon",
        "pages",
        "_preloaded",
        "ending",
        "forked",
        "failing",
        "kernel",
        "choosing",
        "manifest",
        "steps",
        "book",
        "sameness",
        "remaking",
        "verifying",
        "sharing",
        "compared",
        "sweep",
        "shown",
        "command",
    },
    {"__init__"},
]
WITHOUT_TORCH = (
    *("corpora", "features", "levels", "queries", "scores", "references", "tables"),
    *("resampling", "origin", "exposure", "results", "card", "evidence"),
)
WITHOUT_PANDAS = ("model", "loss")
WITHOUT_HEAVY = ("book", "pages", "kernel", "params", "sources")

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(file: Path) -> str:
    """First part of a module's name below the package."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(file: Path, top_level_only: bool = False) -> set[str]:
    """Dotted names of the modules and names that a file imports."""
    tree = ast.parse(file.read_text("utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                folder = [PACKAGE.name, *file.parent.relative_to(PACKAGE).parts]
                base = ".".join([*folder[: len(folder) - node.level + 1], base]).strip(".")
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def own(file: Path) -> set[str]:
    """Rooms of the package that a file imports from."""
    parts = [name.split(".") for name in imports(file)]
    rooms = {name[1] for name in parts if name[0] == "paraclap" and len(name) > 1}
    return {r for r in rooms if (PACKAGE / f"{r}.py").exists() or (PACKAGE / r).is_dir()}


def others(file: Path, top_level_only: bool = False) -> set[str]:
    """Packages of other people that a file imports."""
    return {name.split(".")[0] for name in imports(file, top_level_only)} - {"paraclap"}


def reached(file: Path, seen: set[Path] | None = None) -> set[str]:
    """Packages of other people that come along when a file is imported."""
    seen = set() if seen is None else seen
    if file in seen:
        return set()
    seen.add(file)
    found = others(file, top_level_only=True)
    for name in own(file):
        for target in (PACKAGE / f"{name}.py", *(PACKAGE / name).glob("*.py")):
            if target.exists():
                found |= reached(target, seen)
    return found


def names(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", MODULES, ids=names)
def test_no_module_imports_a_later_step(file):
    place = {name: number for number, group in enumerate(ROOMS) for name in group}
    assert room(file) in place, f"{file.name} has no room yet: add it to ROOMS, in its place"
    later = {name for name in own(file) if place.get(name, -1) > place[room(file)]}
    assert later == set()


@pytest.mark.parametrize("file", MODULES, ids=names)
def test_torch_stays_out_of_the_steps_before_the_model(file):
    if room(file) in WITHOUT_TORCH:
        assert not reached(file) & {"torch", "torchaudio", "transformers"}


@pytest.mark.parametrize("file", MODULES, ids=names)
def test_pandas_stays_out_of_the_model(file):
    if room(file) in WITHOUT_PANDAS:
        assert "pandas" not in others(file)


@pytest.mark.parametrize("file", MODULES, ids=names)
def test_only_figures_draw(file):
    if room(file) != "figures":
        assert not others(file) & {"matplotlib", "seaborn"}


@pytest.mark.parametrize("file", MODULES, ids=names)
def test_no_module_imports_a_notebook_or_a_test(file):
    assert not others(file) & {"book", "tests"}


@pytest.mark.parametrize("name", WITHOUT_HEAVY)
def test_the_book_runner_starts_without_papermill_jupyter_or_torch(name):
    heavy = {"papermill", "nbformat", "nbclient", "jupytext", "jupyter_book", "torch"}
    assert not reached(PACKAGE / f"{name}.py") & heavy


def test_notebooks_import_the_package_and_define_nothing():
    for notebook in sorted((ROOT / "book").glob("[0-9]*.py")):
        tree = ast.parse(notebook.read_text("utf-8"))
        banned = (ast.FunctionDef, ast.ClassDef, ast.Try, ast.AsyncFunctionDef)
        lines = [node.lineno for node in ast.walk(tree) if isinstance(node, banned)]
        assert lines == [], notebook.name


def test_no_room_is_named_twice():
    assert sum(map(len, ROOMS)) == len(set().union(*ROOMS))
