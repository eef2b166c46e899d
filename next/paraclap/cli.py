"""The shell: `paraclap score`, `features`, `queries`, `train`, `book`, `sweep`.

FILES are audio files, one folder, or one CSV or Parquet table with the column ``file`` and, if need
be, ``start`` and ``end``. Results go to stdout or to the file of ``--out``, progress and errors to
stderr. The exit status is 0, 1 with a sentence that says what is wrong, or 2 if the command itself
is misspelt. Each command imports what it needs, so that ``paraclap --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paraclap import __version__

if TYPE_CHECKING:
    import pandas as pd

RUNS = ("runs/demo", "runs/quick")  # the first that has what is needed is used
NO_MODEL = (
    "make one with `make model` (minutes) or `make book`, name a folder with --model, or save the "
    "authors' with paraclap.ParaCLAP.from_released('KeiKinn/paraclap').save_pretrained(FOLDER)."
)
NO_EDGES = "it says what is low and high: run `make book`, or name that of a run with --edges FILE."
ROWS, COLUMNS, FEW = 100, 12, 4  # shown to people; of a table with more columns, a few rows

QUIET: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None}
app = typer.Typer(no_args_is_help=True, add_completion=False, **QUIET)
Files = Annotated[list[Path], typer.Argument(help="Audio files, a folder, or a table of segments.")]
Out = Annotated[str, typer.Option(help="File .parquet or .csv; - is CSV on stdout.")]
Jobs = Annotated[int | None, typer.Option(help="Processes; one per core if left out.")]
Params = Annotated[Path, typer.Argument(help="A file such as params/demo.yaml.")]
Changes = Annotated[list[str] | None, typer.Option("-p", help="Another value, NAME=VALUE.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paraclap {__version__}")
        raise typer.Exit


@app.callback()
def paraclap(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Voices answered in words: which sentence fits how a person speaks?"""


@app.command()
def score(
    files: Files,
    candidates: Annotated[str, typer.Option(help="happy,sad,angry or joy=happy,anger=angry")],
    model: Annotated[str, typer.Option(help="Folder or hub id; that of a run if left out.")] = "",
    template: Annotated[str, typer.Option(help="Sentence with a slot {}.")] = "speaker is {}",
    out: Out = "",
    window: Annotated[float | None, typer.Option(help="Seconds; else each segment whole.")] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds; half a window if left out.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bf16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Find the candidate that fits each voice best."""
    with _errors(out):
        folder = _model(model)
        import torch

        from paraclap.evaluation.scoring import score_files
        from paraclap.evaluation.zeroshot import parse_candidates
        from paraclap.model import ParaCLAP

        if not all(part.strip() for part in candidates.split(",")):
            raise ValueError(f"Empty candidate in {candidates!r}, expected such as happy,sad.")
        words, index = parse_candidates(candidates), _segments(files)
        device = device.replace("auto", "cuda" if torch.cuda.is_available() else "cpu")
        loaded = ParaCLAP.from_pretrained(folder).to(device)
        options: dict[str, Any] = {"precision": precision, "window": window, "hop": hop}
        with _parquet(out) as path:
            score_files(loaded, index, words, path, template, **options)


@app.command()
def features(
    files: Files,
    out: Out = "",
    jobs: Jobs = None,
    engine: Annotated[str, typer.Option(help="loky, dask, or tcp://host:port.")] = "loky",
) -> None:
    """Extract the 88 eGeMAPS functionals and the duration."""
    with _errors(out):
        from paraclap.features import extract

        with _parquet(out) as path:
            extract(_segments(files), path, jobs, engine)


@app.command()
def queries(
    files: Files,
    out: Out = "",
    edges: Annotated[Path | None, typer.Option(help="edges.json of a run.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Table with emotion, gender, ...")] = None,
    templates: Annotated[str, typer.Option(help="paper, diverse, ..., or a .csv.")] = "paper",
    emotion_form: Annotated[str, typer.Option(help="adjective or noun.")] = "adjective",
    jobs: Jobs = None,
) -> None:
    """Find the sentences that hold for voices.

    FILES may be a table that `paraclap features` wrote: without --edges its own rows say what is
    low and high, those of split train if --labels names them. Audio is compared with the run of
    `make book`, or else of `make model`. A .parquet file has a row per segment, CSV one per query.
    """
    with _errors(out):
        from paraclap import tables
        from paraclap.queries.description import describe

        given: Any = _features(files)
        if given is None:
            given, edges = _segments(files), edges or _of_run("edges.json", NO_EDGES)
        known = None if labels is None else tables.read_table(labels)
        found = describe(given, edges, templates, emotion_form, known, jobs)
        _report(found.attrs["failed"], "")
        _print(found, out)


@app.command()
def train(params: Params, changes: Changes = None) -> None:
    """Train the model of a run: chapters 1 to 4 of the book."""
    with _errors():
        from paraclap.book.run import run

        typer.echo(run(params, "1-4", changes or [], html=False) / "model")


@app.command()
def book(
    params: Params,
    changes: Changes = None,
    only: Annotated[str, typer.Option(help="Chapters, such as 03-05 or 01,04.")] = "",
    html: Annotated[bool, typer.Option(help="Build the pages.")] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="Also what is up to date.")] = False,
) -> None:
    """Run the chapters with a params file, and build the book."""
    with _errors():
        from paraclap.book.run import run

        typer.echo(run(params, only, changes or [], html, fresh))


@app.command()
def sweep(
    params: Params,
    grid: Annotated[list[str], typer.Option(help="NAME=VALUE,VALUE; may be given again.")],
) -> None:
    """Run the chapters to the scores for each combination of values."""
    with _errors():
        from paraclap.book.run import sweep as run_all

        values: dict[str, list[str]] = {}
        for axis in grid:
            name, _, listed = axis.partition("=")
            items = [value.strip() for value in listed.split(",")]
            if not name or name in values or not all(items):
                raise ValueError(f"Bad --grid {axis!r}, expected NAME=VALUE,VALUE, each name once.")
            values[name] = items
        typer.echo(run_all(params, values))


# --- what is asked --------------------------------------------------------------------------------


@contextlib.contextmanager
def _errors(out: str = "") -> Iterator[None]:
    """Turn errors that say what to do into a sentence on stderr and exit status 1."""
    try:
        if out not in ("", "-") and Path(out).suffix not in (".parquet", ".csv"):
            raise ValueError(f"Bad --out {out!r}, expected a name in .parquet or .csv, or -.")
        if not Path(out).parent.is_dir():
            raise FileNotFoundError(f"No folder {str(Path(out).parent)!r} for --out: make it.")
        yield
    except (OSError, ValueError, ModuleNotFoundError, RuntimeError) as error:
        if type(error) is RuntimeError:  # not one of ours, nor of a worker that died
            raise
        ours = isinstance(error, OSError) and not error.filename and error.strerror
        typer.echo(ours or error, err=True)
        raise typer.Exit(1) from None


def _segments(files: list[Path]) -> pd.MultiIndex:
    """Segments of one path, which may be a folder or a table, or of several audio files."""
    from paraclap.corpora.segments import list_segments

    notes: list[str] = []
    index = list_segments(files[0] if len(files) == 1 else files, notes)
    for note in notes:
        typer.echo(note, err=True)
    return index


def _features(files: list[Path]) -> pd.DataFrame | None:
    """A table of features on disk; None if the files are something else."""
    from paraclap import tables
    from paraclap.queries.levels import FEATURES

    if len(files) > 1 or files[0].suffix.lower() not in (".csv", ".parquet"):
        return None
    table = tables.read_table(files[0])
    return None if set(FEATURES.values()).isdisjoint(table) else table


def _of_run(name: str, remedy: str) -> Path:
    """A file of the first of the usual runs that has it."""
    from paraclap.files import project_folder

    places = [project_folder() / run / name for run in RUNS]
    if not (there := [place for place in places if place.is_file()]):
        raise FileNotFoundError(f"No {str(places[0])!r}: {remedy}")
    return there[0]


def _model(model: str) -> str:
    """Folder or hub id of the model; says which, and whether it knows synthetic speech only."""
    from paraclap import tables

    folder = Path(model).expanduser()
    if not model:
        folder = _of_run("model/config.json", NO_MODEL).parent
    elif not (folder / "config.json").is_file():
        if model.count("/") != 1 or folder.parent.exists():
            raise FileNotFoundError(f"No model at {model!r}: {NO_MODEL}")
        return model
    labels = folder.parent / "labels.parquet"
    synthetic = labels.is_file() and any(tables.read_table(labels).get("synthetic", ()))
    if not model or synthetic:
        little = ", which learned from synthetic speech: its answers say little about people"
        typer.echo(f"Model: {folder}{little * synthetic}.", err=True)
    return str(folder)


# --- what comes out -------------------------------------------------------------------------------


@contextlib.contextmanager
def _parquet(out: str) -> Iterator[Path]:
    """Parquet file that a step writes, with its list of failures; brought to ``out`` after it."""
    from paraclap import tables

    with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
        path = Path(out) if out.endswith(".parquet") else Path(folder) / "result.parquet"
        yield path
        failed = tables.read_table(path.with_name(f"{path.stem}_failed.csv"))
        _report(failed.to_dict("records"), out)
        if path == Path(out):
            typer.echo(f"Written: {out}", err=True)
            return
        _print(tables.read_table(path), out)
        if out.endswith(".csv"):
            tables.write_table(failed, Path(out).with_name(f"{Path(out).stem}_failed.csv"))


def _report(failed: Any, out: str) -> None:
    """Name segments that could not be read."""
    if failed:
        where = f" (see {Path(out).with_suffix('')}_failed.csv)" if Path(out).suffix else ""
        lines = [f"{len(failed)} segments could not be read{where}:"]
        typer.echo("\n  ".join(lines + [row["reason"] for row in failed[:5]]), err=True)


def _print(table: pd.DataFrame, out: str) -> None:
    """Write a table to a file or stdout; lists of queries become rows, except in Parquet."""
    from paraclap import tables

    if "queries" in table and not out.endswith(".parquet"):
        table = table[["queries"]].explode("queries").rename(columns={"queries": "query"})
    if not out:
        typer.echo(_readable(table))
    elif out == "-":
        table.reset_index().to_csv(sys.stdout, index=False)
    else:
        typer.echo(f"Written: {tables.write_table(table, out)}", err=True)


def _readable(table: pd.DataFrame) -> str:
    """A table for people: short names, the first rows; many columns stand below each other."""
    from paraclap import tables

    wide = table.shape[1] > COLUMNS
    head = tables.show(table, FEW if wide else ROWS).reset_index()
    if head["end"].isna().all() and not head["start"].any():
        head = head.drop(columns=["start", "end"])
    form = {"header": False} if wide else {"index": False, "float_format": "{:.3f}".format}
    text = str((head.T if wide else head).to_string(**form))
    more = len(table) - len(head)
    return text + (f"\n... and {more:,} more: name a file with --out." if more else "")
