"""What should somebody know who finds the model folder? A model card, as the Hugging Face hub has.

The card is `README.md` of the model folder: YAML for machines (licence, languages, scores), then
text from the template `model_card.jinja`. All of it comes from the results and the labels of the
run. The kind of speech that the model has learned from stands first, and at each score. Chapter 14.

Source: Mitchell et al., Model cards for model reporting, FAccT 2019; the format of the hub,
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import html
import json
from math import prod
from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from safetensors import safe_open

from paraclap import tables
from paraclap.corpora.paper import overview
from paraclap.evaluation.contamination import pretrained_on
from paraclap.evaluation.results import Result, score_table, speech

SPEECH = {
    "recorded": "",
    "synthetic": "synthetic, made by a speech synthesiser. No score here is about people.",
    "mixed": "partly synthetic, made by a speech synthesiser. Each score names its kind of speech.",
    "unknown": "of unknown origin: nothing shows whether people speak.",
}
OPENSMILE = "https://github.com/audeering/opensmile/blob/master/LICENSE"
PARTS = {"audio_model": "audio encoder", "text_model": "text encoder"}
PARTS |= dict.fromkeys(("audio_projection", "text_projection"), "projections")


def write_card(result: Result, folder: Path) -> str:
    """Write the card of a run's model into its folder, and give its text for people.

    Args:
        result: of the run, see :func:`paraclap.evaluation.results.collect`
        folder: of the run, with `labels.parquet` and `model/`
    """
    card = make_card(result, tables.read_table(folder / "labels.parquet"), folder / "model")
    with tables.atomic(folder / "model" / "README.md") as temporary:
        temporary.write_text(str(card), encoding="utf-8")
    return str(card.text)


def make_card(result: Result, labels: pd.DataFrame, model: Path) -> ModelCard:
    """The card of a model, from the results and the labels of its run and from its folder."""
    settings, train = result["settings"], labels[labels["split"] == "train"]
    scores = score_table([result])
    most = max(result["tasks"].values(), key=len)
    card: ModelCard = ModelCard.from_template(
        _header(result, train, scores),
        template_path=str(Path(__file__).with_name("model_card.jinja")),
        cell=cell,
        result=result,
        settings=settings,
        speech=SPEECH[_worst(result["speech"], speech(train))],
        pretrained={
            side: pretrained_on(settings[f"{side}_encoder"], side)[0] for side in ("audio", "text")
        },
        parameters=parameters(model),
        folder="/".join(model.parts[-2:]),
        words=json.dumps(list(most.values())[:3], ensure_ascii=False),
        corpora=_rows(training_corpora(train)),
        scores=_rows(scores),
    )
    return card


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _worst(*kinds: str) -> str:
    """Recorded only where all are."""
    return next((kind for kind in kinds if kind != "recorded"), "recorded")


def cell(text: object) -> str:
    r"""Text for a cell of a Markdown table: one line, no tags, no end of the cell.

    >>> cell("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    return html.escape(" ".join(str(text).split()), quote=False).replace("|", "\\|")


def _header(result: Result, train: pd.DataFrame, scores: pd.DataFrame) -> ModelCardData:
    """What machines read: licence, languages, tags, and the UAR of every task."""
    task = "zero-shot-audio-classification"
    results = [
        EvalResult(
            task_type=task,
            dataset_type=row["task"],
            dataset_name=f"{row['task']} ({row['speech']} speech)",
            dataset_split="test",
            metric_type="recall",
            metric_name="UAR, 95 % interval {low:.3f} to {high:.3f} over {unit}".format(**row),
            metric_value=round(row["value"], 4),
        )
        for row in _rows(scores)
    ]
    return ModelCardData(
        language=sorted(train["language"].dropna().unique()) or None,
        license="other",
        license_name="opensmile",
        license_link=OPENSMILE,
        library_name="transformers",
        pipeline_tag=task,
        tags=["paraclap", "speech", "paralinguistics", f"{result['speech']}-speech"],
        metrics=["recall"],
        model_name=f"paraclap-{result['run']}",
        eval_results=results,
    )


def training_corpora(train: pd.DataFrame) -> pd.DataFrame:
    """The corpora in a labels table: speech, utterances, hours, speakers, languages, licence."""
    licences = overview().set_index("name")["licence"]
    rows = []
    for corpus, own in train.groupby("corpus", sort=False):
        kind, index = speech(own), own.index
        lengths = index.get_level_values("end") - index.get_level_values("start")
        made_here = (
            "made by this project with espeak-ng" if kind == "synthetic" else "as its owner says"
        )
        row = {"corpus": corpus, "speech": kind, "utterances": len(own)}
        row |= {"hours": pd.Series(lengths).dt.total_seconds().sum() / 3600}
        languages = ", ".join(sorted(own["language"].dropna().unique())) or "unknown"
        row |= {"speakers": own["speaker"].nunique(), "languages": languages}
        rows.append(row | {"licence": licences.get(str(corpus), made_here)})
    return pd.DataFrame(rows)


def parameters(model: Path) -> dict[str, int]:
    """Weights of a model by part, counted in the headers of its files; the sum as `all`."""
    found: dict[str, int] = {"all": 0}
    for file in sorted(model.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118 (no mapping)
                part = PARTS.get(name.split(".")[0], "temperature")
                size = prod(weights.get_slice(name).get_shape())
                found[part] = found.get(part, 0) + size
                found["all"] += size
    return found
