"""From the shell: which answers, features, queries and models do I get of these files?

    paraclap score voice.wav --candidates happy,sad,angry
    paraclap features recordings/ --out features.parquet
    paraclap queries voice.wav
    paraclap train params/demo.yaml
    paraclap book params/demo.yaml
    paraclap sweep params/demo.yaml --grid rand=1,3,5

Conventions: what was asked for goes to stdout or to the file of ``--out``; progress and what went
wrong go to stderr. ``--out`` ends in ``.parquet`` or ``.csv``; ``-`` is CSV on stdout, and without
it stdout gets a table for people. FILES are audio files, one folder, or one CSV or Parquet table
of segments (:mod:`paraclap.listing`). The exit status is 0, 1 with a line that says what is wrong,
or 2 where the command itself is misspelt. What is slow to import is imported by the command that
needs it, so that ``paraclap --help`` answers at once; tables are brought into form in
:mod:`paraclap.shown`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paraclap import __version__
from paraclap.shown import one_line, say_failed, written

# The runs of `make book` and `make model`, in the project folder: the first that has what is asked.
RUNS = (Path("runs/demo"), Path("runs/quick"))

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Files = Annotated[
    list[Path],
    typer.Argument(help="Audio files, a folder, or a CSV or Parquet table.", show_default=False),
]
Out = Annotated[
    str, typer.Option(help="File .parquet or .csv; - is CSV on stdout.", show_default=False)
]
Jobs = Annotated[int | None, typer.Option(help="Workers; one per core if left out.")]
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paraclap {__version__}")
        raise typer.Exit


@app.callback()
def paraclap(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Voices answered in words: which sentence fits how a person speaks?"""


@app.command()
def score(
    files: Files,
    candidates: Annotated[
        str, typer.Option(help="happy,sad,angry or labels with their words: joy=happy,...")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="Folder or hub id; the model of make book or make model if left out.",
            show_default=False,
        ),
    ] = "",
    template: Annotated[
        str, typer.Option(help="Sentence with a slot {} for the word.")
    ] = "speaker is {}",
    out: Out = "",
    window: Annotated[float | None, typer.Option(help="Seconds; else each segment whole.")] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds; half a window if left out.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bf16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Write the embeddings too, to a .parquet file.")
    ] = False,
) -> None:
    """Ask a model which candidate fits each voice best."""
    with one_line(), written(out) as path:
        if embeddings and not out.endswith(".parquet"):
            raise ValueError(f"Embeddings need a .parquet file, got --out {out!r}: name one.")
        folder = _model(model)
        from paraclap import listing, scoring
        from paraclap.machine import choose_device
        from paraclap.model import ParaCLAP

        asked = scoring.candidates_of(candidates)
        listed = listing.listed(_one(files))
        scoring.score(
            ParaCLAP.from_pretrained(folder).to(choose_device(device)),
            listed,
            asked,
            path,
            template,
            precision=precision,
            window=window,
            hop=hop,
            embeddings=embeddings,
        )
        say_failed(path, out)


@app.command()
def features(
    files: Files,
    out: Out = "",
    jobs: Jobs = None,
    shard: Annotated[int, typer.Option(help="Most segments written at a time.")] = 128,
    engine: Annotated[str, typer.Option(help="processes, dask, or tcp://host:port.")] = "processes",
) -> None:
    """Measure voices by openSMILE: eGeMAPS and the duration."""
    with one_line(), written(out) as path:
        from paraclap import features, listing

        features.extract(listing.listed(_one(files)), path, jobs, shard, engine)
        say_failed(path, out)


@app.command()
def queries(
    files: Files,
    out: Out = "",
    edges: Annotated[
        Path | None, typer.Option(help="edges.json of a run: what low and high mean.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Table with emotion, gender, split, ratings.")
    ] = None,
    templates: Annotated[
        str, typer.Option(help="paper, diverse, released, released-fixed, or a .csv.")
    ] = "paper",
    emotion_form: Annotated[str, typer.Option(help="adjective or noun.")] = "adjective",
    jobs: Jobs = None,
) -> None:
    """Say what holds of voices, in sentences.

    FILES may be a table that `paraclap features` wrote; without --edges its own rows say what is
    low and high, those of split train if --labels names them. Audio is measured first, and without
    --edges it is compared with the voices of the demo run, or else of `make model`. A .parquet file
    has a row per segment with its levels and the list of its queries, CSV a row per query.
    """
    with one_line(), written(out) as path:
        from paraclap import saying, tables

        table = saying.measured(_one(files))
        if table is None:
            table = saying.measure(_one(files), jobs)
            edges = edges or saying.edges_of(_own_run("edges.json"))
        if labels is not None:
            table = saying.labelled(table, tables.read_table(labels))
        said = saying.queries(table, edges, templates, emotion_form)
        tables.write_table(said, path)


@app.command(context_settings=PASSED_ON)
def train(context: typer.Context) -> None:
    """Train as a params file says.

    paraclap train params/demo.yaml [-p KEY=VALUE]; chapters 1 to 3 of its run come first.
    """
    from paraclap import training

    raise typer.Exit(training.main(context.args))


@app.command(context_settings=PASSED_ON)
def book(context: typer.Context) -> None:
    """Run the notebooks with a params file, and build the book.

    paraclap book params/demo.yaml [-p KEY=VALUE]; paraclap book --help says more.
    """
    from paraclap import book

    raise typer.Exit(book.main(context.args))


@app.command(context_settings=PASSED_ON)
def sweep(context: typer.Context) -> None:
    """Make many runs that differ in some parameters, and one page that compares them.

    paraclap sweep params/demo.yaml --grid rand=1,3,5; paraclap sweep --help says more.
    """
    from paraclap import sweep

    raise typer.Exit(sweep.main(context.args))


def _one(files: list[Path]) -> Path | list[Path]:
    """A single path, which may be a folder or a table, or a list of audio files."""
    return files[0] if len(files) == 1 else files


def _own_run(made: str) -> Path:
    """The run that is asked where none is named: the first of ``RUNS`` that has something."""
    from paraclap.provenance import project_folder

    runs = [project_folder() / run for run in RUNS]
    return next((run for run in runs if (run / made).exists()), runs[0])


def _model(model: str) -> str:
    """Folder or hub id of the model that is asked; which it is is said where none is named.

    Raises:
        FileNotFoundError: If it is neither; says how to come by a model.
    """
    from paraclap.provenance import short

    own = _own_run("model/config.json")
    folder = Path(model or own / "model").expanduser()
    on_hub = model.count("/") == 1 and folder.parent.name and not folder.parent.exists()
    if not ((folder / "config.json").is_file() or on_hub):
        raise FileNotFoundError(
            f"No model at {short(folder)!r}, expected the folder of a trained one, "
            "runs/<run>/model: make one with `make model` (minutes; `make book` trains a larger "
            "one), name another folder with --model FOLDER, or save the authors' with "
            "paraclap.ParaCLAP.from_released('KeiKinn/paraclap').save_pretrained(FOLDER)."
        )
    if not model:
        spoken = ", which learned from synthetic speech: its answers say little about people"
        typer.echo(f"Asked: {short(folder)}{spoken * (own / 'corpus').is_dir()}.", err=True)
    return str(folder)


if __name__ == "__main__":
    app()
