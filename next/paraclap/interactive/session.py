"""What the playground asks: an utterance, models of a run, and answers as tables.

A question is asked in all prompts of the frozen set, or in one of the reader's own: the mean of the
probabilities is the answer, their spread says how much a single prompt is worth. Uploads and
recordings stay in memory; only what is exported is written. Chapter 13.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns

from paraclap import audio, features, queries, tables
from paraclap.evaluation import prompts, tasks, zeroshot
from paraclap.figures import style
from paraclap.figures.features import UNITS
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio, embed_text

ALL = "all prompts"
LONGEST = 60  # seconds: longer recordings are for `paraclap score` with windows
SEARCHED = 120  # utterances that a query is compared with
ANSWERS = ["utterance", "model", "prompt", "template", "candidate", "query", "probability"]


class Session:
    """A run, its models (name → folder, the first is asked), an utterance, and all answers."""

    def __init__(self, run: str | Path, model: str = "", seed: int = 0) -> None:
        """Look at what a run has; ``model`` is a folder to ask instead of the run's own."""
        self.run, self.seed = Path(run), seed
        self.models = {"named model": Path(model)} if model else {}
        self.models |= {"model": self.run / "model"}
        variants = sorted(self.run.glob("variants/*/model"))
        self.models |= {f"variant {one.parent.name}": one for one in variants}
        file = self.run / "labels.parquet"
        self.labels = tables.read_table(file) if file.is_file() else pd.DataFrame()
        self.name, self.signal = "", np.zeros(0, np.float32)
        self.answers: list[pd.DataFrame] = []

    def clips(self) -> pd.DataFrame:
        """Test utterances of the run, or all if it has no test split; ValueError without labels."""
        if self.labels.empty:
            name = tables.short_name(self.run)
            raise ValueError(f"No labels in {name!r}: run chapter 1 there, or upload a file.")
        test = self.labels["split"] == "test"
        return self.labels[test] if test.any() else self.labels

    def use(self, source: str | Path | tuple[Any, ...] = "", content: bytes = b"") -> None:
        """Take an utterance.

        Args:
            source: a file, or a segment (file, start, end); empty draws a clip of the run
            content: of the file, where a browser sent it; nothing of it stays on disk

        Raises:
            AudioError: if it cannot be read, or is too short or too long
        """
        source = source or self.clips().sample(1, random_state=self.seed).index[0]
        segment = source if isinstance(source, tuple) else (source, None, None)
        name = Path(segment[0]).name
        if content:
            with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
                (Path(folder) / "upload").write_bytes(content)
                signal = audio.read(Path(folder) / "upload")
        else:
            signal = audio.read(*segment)
        seconds = len(signal) / audio.SAMPLING_RATE
        if not features.SHORTEST <= seconds <= LONGEST:
            ends = f"{features.SHORTEST} to {LONGEST} s"
            raise audio.AudioError(f"{name!r} has {seconds:.2f} s, expected {ends}: cut it.")
        self.name, self.signal = name, signal

    def read(self, _: int) -> audio.Signal:
        """The signal, as ``embed_audio`` asks for it."""
        return self.signal

    def seconds(self) -> np.ndarray:
        """Its length, likewise."""
        return np.array([len(self.signal) / audio.SAMPLING_RATE])

    def embed(self, model: ParaCLAP) -> Embeddings:
        """Embedding of the utterance, ``(1, d)``; ValueError if there is none."""
        if not self.name:
            raise ValueError("No utterance yet: choose a clip, upload a file, or record one.")
        return embed_audio(model, [self.name], signals=self)

    def open(self, name: str = "") -> ParaCLAP:
        """Open a model by its name here, or by its folder; the first when empty."""
        folder = Path(self.models.get(name or next(iter(self.models)), name)).expanduser()
        if not (folder / "config.json").is_file():
            place = tables.short_name(folder)
            raise FileNotFoundError(f"No model at {place!r}: run chapter 4, or name a folder.")
        return _open(folder, max(file.stat().st_mtime_ns for file in folder.iterdir()))

    def ask(
        self, candidates: str, template: str = ALL, models: Sequence[str] = ("",)
    ) -> pd.DataFrame:
        """Ask models about the utterance.

        Args:
            candidates: words with commas between
            template: ``"all prompts"``, or a sentence with a slot ``{}``
            models: names or folders; empty for the first

        Returns:
            columns of :data:`ANSWERS`, a row a model, prompt and candidate
        """
        words = list(zeroshot.check_candidates([one.strip() for one in candidates.split(",")]))
        asked, rows = _prompts(words, template), []
        for name in dict.fromkeys(one or next(iter(self.models)) for one in models):
            model = self.open(name)
            embedding = self.embed(model)
            for prompt, form, *texts in asked.itertuples(index=False):
                question = zeroshot.encode_candidates(model, dict(zip(words, texts, strict=True)))
                answer = zeroshot.answer(question, embedding)[words].iloc[0]
                about = self.name, name, prompt, form
                rows += [(*about, *row) for row in zip(words, texts, answer, strict=True)]
        self.answers.append(pd.DataFrame(rows, columns=ANSWERS))
        return self.answers[-1]

    def describe(self, model: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
        """Levels of the utterance beside those of the run, and the queries that follow from them.

        Returns:
            ``attribute, value, unit, level``; and ``query, cosine`` (of the model), best first
        """
        opened = self.open(model)
        embedding, index = self.embed(opened), tables.segments([self.name])
        table = pd.DataFrame([features.functionals(self.signal)], index, features.feature_names())
        found = queries.describe(table, self.run / "edges.json").iloc[0]
        levels = [
            (one, table[queries.FEATURES[one]].iloc[0], unit, found[one])
            for one, unit in UNITS.items()
            if one in found
        ]
        cosines = pd.DataFrame({"query": found["queries"]})
        cosines["cosine"] = embed_text(opened, found["queries"]) @ embedding[0]
        cosines = cosines.sort_values("cosine", ascending=False, ignore_index=True)
        return pd.DataFrame(levels, columns=["attribute", "value", "unit", "level"]), cosines

    def search(self, query: str, model: str = "", n: int = 3) -> pd.DataFrame:
        """Utterances of the run that fit a query best and worst, see ``tasks.nearest``."""
        if not query.strip():
            raise ValueError("Got no query, expected a sentence such as 'pitch is high'.")
        clips = self.clips()
        some = clips.sample(min(len(clips), SEARCHED), random_state=self.seed)
        opened = self.open(model)
        return tasks.nearest(opened, some, embed_audio(opened, some), query, n)

    def export(self, file: str = "playground.csv") -> Path:
        """Write all answers so far: .csv or .parquet, in the folder of the run unless absolute."""
        if not self.answers:
            raise ValueError("Nothing was asked yet: press Ask first.")
        return tables.write_table(pd.concat(self.answers, ignore_index=True), self.run / file)


@lru_cache(3)
def _open(folder: Path, _time: int) -> ParaCLAP:
    model: ParaCLAP = ParaCLAP.from_pretrained(folder)
    return model


def _prompts(words: Sequence[str], template: str) -> pd.DataFrame:
    """A row a prompt: ``prompt, template``, then the query of each word, in order."""
    if template != ALL:
        texts = [zeroshot.fill(template, word) for word in words]
        return pd.DataFrame([["yours", template, *texts]])
    emotions = {queries.emotion_word(one): one for one in prompts.synonyms()}  # nouns fit, too
    keys = [emotions.get(word, f"candidate {place}") for place, word in enumerate(words)]
    table = prompts.task_prompts(dict(zip(keys, words, strict=True)))
    if table.empty:
        raise ValueError(f"No prompt takes {list(words)}: give words, or the template '{{}}'.")
    return table[table["kind"] == "trained"][["prompt", "template", *keys]]


def summary(answers: pd.DataFrame) -> pd.DataFrame:
    """``model, candidate``, mean ``probability``, ``low`` and ``high`` over prompts, best first."""
    grouped = answers.groupby(["model", "candidate"], sort=False)["probability"]
    table = grouped.agg(probability="mean", low="min", high="max", prompts="size").reset_index()
    return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)


def answer_figure(answers: pd.DataFrame) -> style.Picture:
    """Bars of the mean probability, a dot a prompt; a colour a model."""
    order = list(dict.fromkeys(summary(answers)["candidate"]))
    many = answers["model"].nunique()
    fig, ax = style.figure(height=1.0 + 0.35 * len(order) * many)
    look = {"x": "probability", "y": "candidate", "order": order, "hue": "model", "ax": ax}
    sns.barplot(answers, **look, errorbar=None, alpha=0.55)
    sns.stripplot(answers, **look, dodge=many > 1, size=4, jitter=False, legend=False)
    style.chance(ax, 1 / len(order), "guessing", upright=True)
    ax.set(xlim=(0, 1), xlabel="probability: mean over prompts, and each prompt", ylabel="")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig
