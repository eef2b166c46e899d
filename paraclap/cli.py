"""The shell: `paraclap score`, `models`, `export`, `features`, `queries`, and those of the book.

Results go to stdout or to the file of ``--out``, progress and errors to stderr. The exit status is
0, 1 with a sentence that says what is wrong, or 2 if the command itself is misspelt. Each command
imports what it needs, so that ``paraclap --help`` answers at once.
"""

import contextlib
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

ABOUT = "Voices answered in words: which sentence fits how a person speaks?"
app = typer.Typer(help=ABOUT, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
Files = Annotated[list[Path], typer.Argument(help="Audio files, a folder, or a table of segments.")]
Out = Annotated[str, typer.Option(help="File .parquet or .csv; - is CSV on stdout.")]
Jobs = Annotated[int | None, typer.Option(help="Processes; one per core if left out.")]
Params = Annotated[Path, typer.Argument(help="A file such as params/demo.yaml.")]
Values = Annotated[list[str] | None, typer.Option("-p", help="Another value, NAME=VALUE.")]
Grid = Annotated[list[str], typer.Option(help="NAME=VALUE,VALUE; may be given again.")]
Engine = Annotated[str, typer.Option(help="loky, dask, or tcp://host:port.")]
Only = Annotated[str, typer.Option(help="Chapters, such as 03-05 or 01,04.")]
Html = Annotated[bool, typer.Option(help="Build the pages.")]
Check = Annotated[bool, typer.Option("--check", help="Compare, write nothing.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Also what is up to date; train anew.")]


@contextlib.contextmanager
def _errors(out: str = "") -> Iterator[None]:
    """Turn errors that say what to do into a sentence on stderr and exit status 1."""
    try:
        if out not in ("", "-") and Path(out).suffix not in (".parquet", ".csv"):
            raise ValueError(f"Bad --out {out!r}, expected a name in .parquet or .csv, or -.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped. The same command goes on with what is not complete.", err=True)
        raise typer.Exit(130) from None
    except (OSError, ValueError, ModuleNotFoundError, RuntimeError) as error:
        if type(error) is RuntimeError:  # not one of ours, nor of a worker that died
            raise
        ours = isinstance(error, OSError) and not error.filename and error.strerror
        remedy = ": pip install 'paraclap[book,cluster]'." if getattr(error, "name", "") else ""
        typer.echo(f"{ours or error}{remedy}", err=True)
        raise typer.Exit(1) from None


@app.command()
def score(
    files: Files,
    candidates: Annotated[str, typer.Option(help="happy,sad,angry or joy=happy,anger=angry")],
    model: Annotated[
        str, typer.Option(help="Folder, hub id or `released`; else one at hand.")
    ] = "",
    template: Annotated[str, typer.Option(help="Sentence with a slot {}.")] = "speaker is {}",
    out: Out = "",
    window: Annotated[float | None, typer.Option(help="Seconds; else each segment whole.")] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds; half a window if left out.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bf16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps, ...")] = "auto",
) -> None:
    """Find the candidate that fits each utterance best."""
    with _errors(out), _parquet(out) as path:
        folder = _model(model)
        import torch

        from paraclap.evaluation.scoring import score_files
        from paraclap.evaluation.zeroshot import parse_candidates
        from paraclap.model import ParaCLAP

        words, rows = parse_candidates(candidates), _segments(files)
        device = device.replace("auto", str(torch.accelerator.current_accelerator(True) or "cpu"))
        net = ParaCLAP.from_pretrained(folder).to(device)
        score_files(net, rows, words, path, template, precision=precision, window=window, hop=hop)


@app.command()
def models() -> None:
    """List the models at hand: what each learned from, where it is, its size."""
    from paraclap.tables import project_folder, read_table

    found = [("released", "MSP-Podcast", _released())]
    for folder in sorted((project_folder() / "runs").glob("*/model")):
        labels = folder.with_name("labels.parquet")
        rows: Any = read_table(labels).query("split == 'train'") if labels.is_file() else {}
        kind = " (synthetic speech)" * bool(any(rows.get("synthetic", ())))
        learned = ", ".join(sorted({*rows.get("corpus", "?")})) + kind
        found.append((folder.parent.name, learned, folder))
    for name, learned, folder in found:
        if (weights := folder / "model.safetensors").is_file():
            size = f"{weights.stat().st_size / 1e6:,.0f} MB"
            typer.echo(f"{name}: learned from {learned}; {folder}, {size}")
        elif name == "released":
            typer.echo("released: not here, `--model released` fetches it")


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="Folder, hub id, or `released`.")],
    out: Annotated[Path, typer.Argument(help="Folder of the graphs.")],
) -> None:
    """Write both encoders of a model as ONNX graphs, for machines without torch."""
    with _errors():
        from paraclap.interop.onnx import export as write
        from paraclap.model import ParaCLAP

        typer.echo("\n".join(map(str, write(ParaCLAP.from_pretrained(model), out).values())))


@app.command()
def features(files: Files, out: Out = "", jobs: Jobs = None, engine: Engine = "loky") -> None:
    """Extract the 88 eGeMAPS functionals and the duration.

    Signals are resampled to 16 kHz before openSMILE, which gives other values for 48 kHz itself.
    """
    with _errors(out), _parquet(out) as path:
        from paraclap.features import extract

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
    """Find the sentences that hold for utterances.

    FILES may be a table of features; without --edges, its own rows say what is low and high.
    """
    with _errors(out):
        from paraclap import tables
        from paraclap.corpora.folder import read_labels
        from paraclap.queries import FEATURES, describe

        is_table = files[0].suffix.lower() in (".csv", ".parquet")
        given: Any = tables.read_table(files[0]) if is_table else ()
        if set(FEATURES.values()).isdisjoint(given):
            given, edges = _segments(files), _of_run("edges.json", "--edges FILE", edges)
        known = _noted(read_labels, labels) if labels else None
        found = describe(given, edges, templates, emotion_form, known, jobs)
        _print(found, out, [row["reason"] for row in found.attrs["failed"]])


@app.command()
def train(params: Params, changes: Values = None, fresh: Fresh = False) -> None:
    """Train the model of a run: chapters 1 to 4 of the book."""
    with _errors():
        from paraclap.book.run import run

        typer.echo(run(params, "1-4", changes or [], html=False, fresh=fresh) / "model")


@app.command()
def book(
    params: Params, changes: Values = None, only: Only = "", html: Html = True, fresh: Fresh = False
) -> None:
    """Run the chapters with a params file, and build the book."""
    with _errors():
        from paraclap.book.run import run

        typer.echo(run(params, only, changes or [], html, fresh))


@app.command(hidden=True)
def pairs(check: Check = False) -> None:
    """Write each chapter's .ipynb from its .py, or compare the two."""
    with _errors():
        from paraclap.book import notebooks

        if not check:
            notebooks.write_pairs()
        elif complaints := notebooks.check_pairs():
            raise notebooks.BookError("\n".join(complaints))


@app.command()
def sweep(params: Params, grid: Grid) -> None:
    """Run the chapters to the scores for each combination of values."""
    with _errors():
        from paraclap.book.run import sweep as run_all

        axes = [(axis.partition("=")[0], axis.partition("=")[2].split(",")) for axis in grid]
        if len(dict(axes)) < len(grid) or not all(name and all(values) for name, values in axes):
            raise ValueError(f"Bad --grid {grid}, expected NAME=VALUE,VALUE, each name once.")
        typer.echo(run_all(params, dict(axes)))


def _segments(files: list[Path]) -> Any:
    """Segments of one path, which may be a folder or a table, or of several audio files."""
    from paraclap.corpora.folder import list_segments

    return _noted(list_segments, files[0] if len(files) == 1 else files)


def _noted(read: Callable[[Any, list[str]], Any], source: Any) -> Any:
    notes: list[str] = []
    found = read(source, notes)
    typer.echo("\n".join(notes), err=True, nl=bool(notes))
    return found


def _of_run(name: str, option: str, given: Path | None = None) -> Path:
    """The file that is given, or else that of the first of the usual runs that has it."""
    from paraclap.tables import project_folder

    usual = [project_folder() / "runs" / run / name for run in ("demo", "quick")]
    path = given or next(filter(Path.is_file, usual), usual[0])
    if not path.is_file():
        make = "run `make model` or `make book`, or " * (project_folder() / "Makefile").is_file()
        raise FileNotFoundError(f"No {str(path)!r}: {make}give {option}.")
    return path


def _model(model: str) -> str:
    """Folder or hub id of the model; says which, and whether it learned from synthetic speech."""
    from paraclap.tables import read_table

    if not model and (_released() / "config.json").is_file():
        typer.echo(f"Model: {_released()}, which the authors published.", err=True)
        return str(_released())
    if model == "released" or (model.count("/") == 1 and not Path(model).parent.exists()):
        return model  # of the hub
    given = Path(model).expanduser() / "config.json" if model else None
    folder = _of_run("model/config.json", "--model", given).parent
    labels = folder.parent / "labels.parquet"
    synthetic = labels.is_file() and any(read_table(labels).get("synthetic", ()))
    if not model or synthetic:
        little = ", which learned from synthetic speech: its answers say little about people. "
        little += "`--model released` fetches the authors' model, which learned from people"
        typer.echo(f"Model: {folder}{little * synthetic}.", err=True)
    return str(folder)


def _released() -> Path:
    """Where the authors' model is once it was fetched."""
    from huggingface_hub.constants import HF_HOME

    return Path(HF_HOME, "paraclap", "released")


@contextlib.contextmanager
def _parquet(out: str) -> Iterator[Path]:
    """Parquet file that a step writes, with its list of failures; brought to ``out`` after it."""
    from paraclap import tables

    with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
        path = Path(out) if out.endswith(".parquet") else Path(folder) / "result.parquet"
        yield path
        failed = tables.read_table(path.with_name(f"{path.stem}_failed.csv"))
        table = None if path == Path(out) else tables.read_table(path)
        _print(table, out, failed["reason"].tolist())
        if out.endswith(".csv"):
            tables.write_table(failed, f"{out.removesuffix('.csv')}_failed.csv")


def _print(table: Any, out: str, why: list[str]) -> None:
    """Say why segments are not there; write a table, or show it if there is no ``out``."""
    from paraclap import tables

    if why:
        typer.echo("\n  ".join([f"{len(why)} segments could not be read:", *why[:5]]), err=True)
    if table is None:  # is written
        return
    if "queries" in table and not out.endswith(".parquet"):
        table = table[["queries"]].explode("queries").rename(columns={"queries": "query"})
    if out == "-":
        typer.echo(table.reset_index().to_csv(index=False), nl=False)
    elif out:
        tables.write_table(table, out)
    else:  # for people; many columns stand below each other
        wide = table.shape[1] > 12
        head = tables.show(table, 4 if wide else 100).reset_index()
        if head["end"].isna().all() and not head["start"].any():
            head = head.drop(columns=["start", "end"])
        form = {"header": False} if wide else {"index": False, "float_format": "{:.3f}".format}
        typer.echo((head.T if wide else head).to_string(**form))
        if (more := len(table) - len(head)) > 0:
            typer.echo(f"... and {more:,} more: name a file with --out.")


if __name__ == "__main__":
    app()
