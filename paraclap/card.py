"""What should somebody know who finds the model folder? A model card, as the Hugging Face hub has.

The card is `README.md` of the model folder: YAML for machines (licence, languages, scores), then
text from the template `card.txt`. Everything in it comes from the results file and the labels of
the run. What kind of speech the model has heard is said first, and at each score.

Source: Mitchell et al., Model cards for model reporting, FAccT 2019; the format of the hub,
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from safetensors import safe_open

from paraclap import corpora, tables
from paraclap.exposure import tower
from paraclap.results import ZERO_SHOT, Result, speech
from paraclap.spoken import HELD_OUT, PODCAST

NAME = "README.md"
WHAT = "the one of several sentences that fits a voice best is the answer."
SAID = {
    "synthetic": "synthetic, spoken by a machine. No score here says anything about people.",
    "mixed": "partly synthetic, spoken by a machine. Each score says of which kind it is.",
    "unknown": "of unknown origin: nothing tells whether people speak.",
}
NO_CARD = "No card: another model was asked than the one that this run has trained."
MADE_HERE = "made by this project with espeak-ng"
UNKNOWN = "as its owner says"
LICENCE = "https://github.com/audeering/opensmile/blob/master/LICENSE"
PARTS = {  # of a weight's name → what it belongs to
    "audio_model": "audio tower",
    "text_model": "text tower",
    "audio_projection": "projections",
    "text_projection": "projections",
}


def write(result: Result, folder: Path) -> str:
    """Write the card of a run's model into its folder; the model loads as before.

    Args:
        result: of the run, see `results`
        folder: of the run, with `labels.parquet` and `model/`

    Returns:
        its text, without the part for machines; where another model than the run's own was asked
        no card is written, and a sentence says so

    Raises:
        FileNotFoundError: if there is no labels table
        ValueError: if the results call speech recorded that is not
        OSError: if it cannot be written
    """
    if not result["settings"]:
        return NO_CARD
    labels = tables.read_table(folder / "labels.parquet")
    _check_speech(result, labels)
    card = make(result, labels, folder / "model")
    with tables.atomic_path(folder / "model" / NAME) as temporary:
        temporary.write_text(str(card), encoding="utf-8")
    return str(card.text)


def _check_speech(result: Result, labels: pd.DataFrame) -> None:
    heard = speech(labels[labels["split"] == "train"])
    if result["speech"] == "recorded" and heard != "recorded":
        raise ValueError(
            f"Bad speech 'recorded' in the results of {result['run']!r}: the model has learned "
            f"from speech that is {heard}. Run the last chapter of this run again."
        )


def make(result: Result, labels: pd.DataFrame, model: Path) -> ModelCard:
    """The card of a model.

    Args:
        result: of the run
        labels: labels table of the run
        model: its folder
    """
    settings = result["settings"]
    card: ModelCard = ModelCard.from_template(
        header(result, labels),
        template_path=str(Path(__file__).parent / "card.txt"),
        cell=cell,
        run=result["run"],
        what=WHAT,
        speech=result["speech"],
        speech_said=SAID.get(result["speech"], ""),
        settings=settings,
        audio_met=tower(settings["audio_encoder"], "audio"),
        text_met=tower(settings["text_encoder"], "text"),
        parameters=parameters(model),
        folder="/".join(model.parts[-2:]),
        words=json.dumps(_words(result), ensure_ascii=False),
        corpora=learned(labels).to_dict("records"),
        scores=_scores(result),
        result=result,
    )
    return card


def cell(text: object) -> str:
    r"""Text for a cell of a Markdown table: one line, no tags, no end of the cell.

    >>> cell("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    return html.escape(" ".join(str(text).split()), quote=False).replace("|", "\\|")


def header(result: Result, labels: pd.DataFrame) -> ModelCardData:
    """What machines read of a card: licence, languages, tags, and the UAR of every task."""
    train = labels[labels["split"] == "train"]
    return ModelCardData(
        language=sorted(train["language"].dropna().unique()) or None,
        license="other",
        license_name="opensmile",
        license_link=LICENCE,
        library_name="transformers",
        pipeline_tag="zero-shot-audio-classification",
        tags=["paraclap", "speech", "paralinguistics", f"{result['speech']}-speech"],
        metrics=["recall"],
        model_name=f"paraclap-{result['run']}",
        eval_results=[_evaluation(row) for row in _scores(result)],
    )


def _evaluation(row: dict[str, Any]) -> EvalResult:
    ends = f"95 % interval {row['low']:.3f} to {row['high']:.3f} over {row['unit']}"
    return EvalResult(
        task_type="zero-shot-audio-classification",
        dataset_type=row["task"],
        dataset_name=f"{row['task']} ({row['speech']} speech)",
        dataset_split=row["split"],
        metric_type="recall",
        metric_name=f"UAR, {ends}",
        metric_value=round(row["value"], 4),
    )


def _scores(result: Result) -> list[dict[str, Any]]:
    """The UAR of the model on every task."""
    about = ("scores.csv", "task", "uar", ZERO_SHOT)
    names = ("file", "kind", "metric", "system")
    return [row for row in result["scores"] if tuple(row[name] for name in names) == about]


def _words(result: Result) -> list[str]:
    """Words to ask for in the example: those of the task with most classes, three at most."""
    most = max(_scores(result), key=lambda row: len(row["candidates"]))
    return list(most["candidates"].values())[:3]


def learned(labels: pd.DataFrame) -> pd.DataFrame:
    """The corpora that a model has learned from, voices of the train split alone.

    Args:
        labels: labels table

    Returns:
        `corpus, speech, voices, hours, speakers, languages, licence`
    """
    licences = dict.fromkeys((one.name for one in (PODCAST, *HELD_OUT)), MADE_HERE)
    known = corpora.known_table()
    licences |= dict(zip(known["name"], known["licence"], strict=True))
    rows = []
    for corpus, own in labels[labels["split"] == "train"].groupby("corpus", sort=False):
        rows.append(
            {
                "corpus": corpus,
                "speech": speech(own),
                "voices": len(own),
                "hours": _hours(own),
                "speakers": own["speaker"].nunique(),
                "languages": ", ".join(sorted(own["language"].dropna().unique())) or "not known",
                "licence": licences.get(str(corpus), UNKNOWN),
            }
        )
    return pd.DataFrame(rows)


def _hours(voices: pd.DataFrame) -> float:
    """Hours of some segments; those without an end are not counted."""
    lengths = voices.index.get_level_values("end") - voices.index.get_level_values("start")
    return float(pd.Series(lengths).dt.total_seconds().sum() / 3600)


def parameters(model: Path) -> dict[str, int]:
    """Weights of a model by part, counted in the headers of its files.

    Args:
        model: folder with safetensors files

    Returns:
        part → number, the sum as `all`
    """
    found: dict[str, int] = {}
    for file in sorted(model.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118 (no mapping)
                part = PARTS.get(name.split(".")[0], "temperature")
                size = 1
                for length in weights.get_slice(name).get_shape():
                    size *= length
                found[part] = found.get(part, 0) + size
    return {"all": sum(found.values()), **found}
