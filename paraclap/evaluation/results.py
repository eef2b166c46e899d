"""What has a run measured, with what, and on whose speech? One file that holds it all.

`results.json` keeps every score with its interval, and what it takes to judge or repeat it. Dates
are UTC. The model card, `README.md` of the model folder, is made from it. Chapter 14. Source:
Mitchell et al., FAccT 2019; https://huggingface.co/docs/hub/model-cards.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from paraclap import __version__, tables
from paraclap.corpora.paper import overview
from paraclap.evaluation import contamination
from paraclap.evaluation.bootstrap import units
from paraclap.evaluation.tasks import task_rows, tasks
from paraclap.training.settings import Settings

SCHEMA, NAME = 2, "results.json"
ABOUT_SPEECH = {  # on the card
    "recorded": "",
    "synthetic": "synthetic, made by a speech synthesiser. No score here is about people.",
    "mixed": "partly synthetic, made by a speech synthesiser. Each score names its kind of speech.",
    "unknown": "of unknown origin: nothing shows whether people speak.",
}
PACKAGES = ("torch", "transformers", "opensmile", "audformat", "audmetric", "numpy", "pandas")
SYSTEMS = ("system", "variant", "recipe", "queries", "seed")  # columns that name whose answers
Result = dict[str, Any]


def speech(labels: pd.DataFrame) -> str:
    """Kind of speech of some utterances: synthetic, recorded, mixed, or unknown."""
    if "synthetic" not in labels or labels["synthetic"].isna().any() or labels.empty:
        return "unknown"
    kinds = labels["synthetic"].map({True: "synthetic", False: "recorded"}).unique()
    return str(kinds[0]) if len(kinds) == 1 else "mixed"


def collect(
    folder: Path, seed: int, template: str, candidates: str = "own", templates: str = "paper"
) -> Result:
    """Everything that a run has measured so far, from the tables in its folder."""
    queries = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[queries.index]
    words, settings = tasks(labels, candidates), tables.read_json(folder / "settings.json")
    training = Settings.of(settings)
    classes = contamination.of_run(labels, queries, words, training, templates)
    groups = {str(task): rows for task, rows in task_rows(labels).groupby("corpus")}
    trained = labels["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"])
    groups[""] = labels[trained & (labels["split"] == "test")]  # attributes are asked of these
    found = [_scores(path, groups) for path in sorted(folder.glob("*.csv"))]
    device = str(torch.accelerator.current_accelerator(True) or "cpu")  # what "auto" takes
    return {
        "schema": SCHEMA,
        "run": folder.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "packages": {"paraclap": __version__} | {name: metadata.version(name) for name in PACKAGES},
        "device": device if training.device == "auto" else training.device,
        "seed": seed,
        "speech": speech(labels),
        "model_hash": model_hash(folder / "model"),
        "settings": settings,
        "templates": templates,
        "template": template,
        "tasks": words,
        "scores": _plain(pd.concat(found)),
        "contamination": _plain(contamination.matrix(labels, classes, training)),
        "words": _plain(classes),
    }


def _scores(path: Path, groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Scores of a table, one a row; none if it has no UAR with intervals."""
    table = tables.read_table(path)
    if "attribute" in table:
        table = table.rename(columns={"attribute": "task"}).assign(kind="attribute")
    if not {"task", "n", "uar", "uar_low", "uar_high"} <= set(table):
        return pd.DataFrame()
    found = []
    for row in table.to_dict("records"):
        kind = row.get("kind", "task")
        name = row["task"] if kind == "task" else ""
        if name not in groups:
            raise ValueError(tables.unknown("task", name, groups, path.name))
        rows = groups[name]
        about = {"file": path.name, "kind": kind, "task": row["task"], "speech": speech(rows)}
        about |= {"n": row["n"], "unit": units(rows["speaker"], len(rows))[1]}
        about["chance"] = 1 / rows["label"].nunique() if name else 0.5
        about["system"] = " ".join(str(row[one]) for one in SYSTEMS if one in row) or "zero-shot"
        for metric in [one for one in ("uar", "macro_f1", "accuracy") if one in row]:
            ends = {end: row.get(f"{metric}_{end}") for end in ("low", "high")}
            found.append({**about, "metric": metric, "value": row[metric], **ends})
    return pd.DataFrame(found)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table with None for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def commit() -> str:
    """The commit of the checkout, `-dirty` if files were changed since; else the version."""
    git, folder = shutil.which("git"), tables.project_folder()
    if git and (folder / ".git").exists():
        command = [git, "--no-optional-locks", "-C", str(folder), "describe", "--always", "--dirty"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return f"paraclap {__version__}, no checkout"


def model_hash(folder: Path) -> str:
    """Sixteen hex digits of the weights in a model folder, whatever else is there."""
    weights = b"".join(file.read_bytes() for file in sorted(folder.glob("*.safetensors")))
    return hashlib.sha256(weights).hexdigest()[:16]


def gather(runs: str = "runs") -> tuple[list[Result], list[str]]:
    """The results of all runs, the oldest first, and why some cannot be read."""
    paths = (tables.project_folder() / runs).glob(f"*/{NAME}")
    found = {path.parent.name: tables.read_json(path) for path in paths}
    new = [result for result in found.values() if result.get("schema") == SCHEMA]
    old = [run for run, result in found.items() if result.get("schema") != SCHEMA]
    problems = [f"The results of {run!r} are too old: run it again." for run in old]
    return sorted(new, key=lambda one: str(one["date"])), problems


def score_table(found: Iterable[Result]) -> pd.DataFrame:
    """Zero-shot UAR of runs on their tasks, one a row, with `run, date, commit`."""
    table = pd.json_normalize(list(found), "scores", ["run", "date", "commit"])
    return table.query("file == 'scores.csv' and metric == 'uar'").reset_index(drop=True)


def side_by_side(found: Iterable[Result], kind: str) -> pd.DataFrame:
    """Scores of several runs on one kind of speech, as text: a row a run, a column a task."""
    if kind not in ABOUT_SPEECH:
        raise ValueError(tables.unknown("kind of speech", kind, ABOUT_SPEECH))
    table = score_table(found).query("speech == @kind")
    cells = [f"{row.value:.3f} [{row.low:.2f}, {row.high:.2f}]" for row in table.itertuples()]
    about, order = ["date", "run", "commit"], table["task"].unique()
    wide = table.assign(cell=cells).pivot(index=about, columns="task", values="cell")
    return wide[order].reset_index().rename_axis(None, axis=1)


def write_card(result: Result, folder: Path) -> str:
    """Write the card of a run's model into its folder `model`, and give its text for people."""
    labels, model = tables.read_table(folder / "labels.parquet"), folder / "model"
    train, scores = labels[labels["split"] == "train"], score_table([result])
    settings, kinds = result["settings"], (result["speech"], speech(train))
    most = max(result["tasks"].values(), key=len)
    card: ModelCard = ModelCard.from_template(
        _header(result, train, scores),
        template_path=str(Path(__file__).with_name("model_card.jinja")),
        result=result,
        settings=settings,
        speech=ABOUT_SPEECH[next((kind for kind in kinds if kind != "recorded"), "recorded")],
        audio_pretrained=contamination.pretrained_on(settings["audio_encoder"], "audio")[0],
        text_pretrained=contamination.pretrained_on(settings["text_encoder"], "text")[0],
        folder=tables.short_name(model),
        words=json.dumps(list(most.values())[:3], ensure_ascii=False),
        corpora=training_corpora(train),
        scores=_plain(scores),
    )
    with tables.atomic(model / "README.md") as temporary:
        temporary.write_text(str(card), encoding="utf-8")
    return str(card.text)


def _header(result: Result, train: pd.DataFrame, scores: pd.DataFrame) -> ModelCardData:
    """What machines read: licence, languages, tags, and the UAR of every task."""
    results = [
        EvalResult(
            task_type="zero-shot-audio-classification",
            dataset_type=row["task"],
            dataset_name="{task} ({speech} speech)".format(**row),
            dataset_split="test",
            metric_type="recall",
            metric_name="UAR, 95 % interval {low:.3f} to {high:.3f} over {unit}".format(**row),
            metric_value=round(row["value"], 4),
        )
        for row in _plain(scores)
    ]
    return ModelCardData(
        language=sorted(train["language"].dropna().unique()) or None,
        license="other",
        license_name="opensmile",
        license_link="https://github.com/audeering/opensmile/blob/master/LICENSE",
        library_name="transformers",
        pipeline_tag="zero-shot-audio-classification",
        tags=["paraclap", "speech", "paralinguistics", f"{result['speech']}-speech"],
        metrics=["recall"],
        model_name=f"paraclap-{result['run']}",
        eval_results=results,
    )


def training_corpora(train: pd.DataFrame) -> list[dict[str, Any]]:
    """The corpora in a labels table: speech, utterances, hours, speakers, languages, licence."""
    licences = overview().set_index("name")["licence"]
    rows = []
    for corpus, part in train.groupby("corpus", sort=False):
        kind, times = speech(part), part.index.to_frame()
        made = "made by this project with espeak-ng" if kind == "synthetic" else "as its owner says"
        languages = ", ".join(sorted(part["language"].dropna().unique())) or "unknown"
        row = {"corpus": corpus, "speech": kind, "utterances": len(part), "languages": languages}
        row["hours"] = (times["end"] - times["start"]).dt.total_seconds().sum() / 3600
        licence = licences.get(str(corpus), made)
        rows.append(row | {"speakers": part["speaker"].nunique(), "licence": licence})
    return rows
