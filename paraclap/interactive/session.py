"""What the playground asks: an utterance, models of a run, and answers as tables.

The answer to a question is the mean of the probabilities over its prompts. Chapter 13.
"""

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns

from paraclap import audio, features, queries, tables
from paraclap.evaluation import prompts, zeroshot
from paraclap.figures import style
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio, embed_text
from paraclap.queries import FEATURES
from paraclap.queries.levels import UNITS

ALL = "all prompts"
LONGEST = 60  # seconds: longer recordings are for `paraclap score` with windows


class Session:
    """A run, its models (name → folder, the first is asked), and an utterance."""

    def __init__(self, run: str | Path, model: str = "", seed: int = 0) -> None:
        """Look at what a run has; ``model`` is a folder to ask instead of the run's own."""
        self.run, self.seed = Path(run), seed
        named = {"named model": Path(model)} if model else {}
        variants = {f"variant {one.parent.name}": one for one in self.run.glob("variants/*/model")}
        self.models = named | {"model": self.run / "model"} | dict(sorted(variants.items()))
        file = self.run / "labels.parquet"
        labels = tables.read_table(file) if file.is_file() else pd.DataFrame({"split": []})
        test = labels[labels["split"] == "test"]
        self.clips = labels if test.empty else test
        self.name, self.signal = "", np.zeros(0, np.float32)
        self._read: Any = lru_cache(3)(ParaCLAP.from_pretrained)

    def use(self, source: str | Path | tuple[Any, ...] = "", content: bytes = b"") -> None:
        """Take an utterance; an AudioError if it cannot be read or is too long.

        ``source`` is a file, or a segment (file, start, end); empty draws a clip of the run.
        ``content`` is that of the file, where a browser sent it; nothing of it stays on disk.
        """
        if not source and self.clips.empty:
            raise ValueError("No labels in this run: run chapter 1, or give a file.")
        source = source or self.clips.sample(1, random_state=self.seed).index[0]
        file, *times = source if isinstance(source, tuple) else (source,)
        name = Path(file).name
        with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
            if content:
                file = Path(folder) / "upload"
                file.write_bytes(content)
            signal = audio.read(file, *times)
        if (seconds := len(signal) / audio.SAMPLING_RATE) > LONGEST:
            raise audio.AudioError(f"{name!r} has {seconds:.2f} s, expected at most {LONGEST} s.")
        self.name, self.signal = name, signal

    def embed(self, name: str = "") -> tuple[Any, Embeddings]:
        """A model, by its name or folder (the first when empty), and its embedding, ``(1, d)``.

        A FileNotFoundError if there is no such model, a ValueError if there is no utterance yet.
        """
        folder = Path(self.models.get(name or next(iter(self.models)), name)).expanduser()
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(f"No model at {tables.short_name(folder)!r}: run chapter 4.")
        if not self.name:
            raise ValueError("No utterance yet: choose a clip, upload a file, or record one.")
        seconds, model = np.array([len(self.signal) / audio.SAMPLING_RATE]), self._read(folder)
        signals = SimpleNamespace(read=lambda _: self.signal, seconds=lambda: seconds)
        return model, embed_audio(model, [self.name], signals=signals)

    def ask(
        self, candidates: str, template: str = ALL, models: Sequence[str] = ("",)
    ) -> pd.DataFrame:
        """Ask models about the utterance: a row a model, prompt and candidate.

        ``candidates`` are words with commas between, ``template`` is ``"all prompts"`` or a
        sentence with a slot ``{}``, and models are names or folders, empty for the first.
        """
        words = list(zeroshot.parse_candidates(candidates).values())
        asked, parts = _prompts(words, template), []
        for name in dict.fromkeys(one or next(iter(self.models)) for one in models):
            model, embedding = self.embed(name)
            for prompt, form, *texts in asked.itertuples(index=False):
                question = zeroshot.encode_candidates(model, dict(zip(words, texts, strict=True)))
                answer = zeroshot.answer(question, embedding)[words].iloc[0]
                about = {"model": name, "prompt": prompt, "template": form, "candidate": words}
                parts.append(pd.DataFrame(about | {"query": texts, "probability": [*answer]}))
        return pd.concat(parts, ignore_index=True)

    def describe(self, model: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
        """Levels of the utterance beside those of the run, and the queries that follow from them.

        The second table has the cosine of each query by the model, best first.
        """
        (opened, embedding), index = self.embed(model), tables.segments([self.name])
        table = pd.DataFrame([features.functionals(self.signal)], index, features.feature_names())
        found = queries.describe(table, self.run / "edges.json").iloc[0]
        levels = pd.DataFrame({"attribute": [*UNITS], "unit": UNITS.values()})
        levels.insert(1, "value", [table[FEATURES[one]].iloc[0] for one in UNITS])
        levels["level"] = found[[*UNITS]].to_numpy()
        true = pd.DataFrame({"query": found["queries"]})
        true["cosine"] = embed_text(opened, found["queries"]) @ embedding[0]
        return levels, true.sort_values("cosine", ascending=False, ignore_index=True)


def _prompts(words: Sequence[str], template: str) -> pd.DataFrame:
    """A row a prompt: ``prompt, template``, then the query of each word, in order."""
    if template != ALL:
        return pd.DataFrame([["yours", template, *(zeroshot.fill(template, w) for w in words)]])
    emotions = {queries.emotion_word(one): one for one in prompts.synonyms()}  # nouns fit, too
    asked = {emotions.get(word, f"candidate {n}"): word for n, word in enumerate(words)}
    table = prompts.task_prompts(asked).query("kind == 'trained'")
    return table[["prompt", "template", *asked]]


def summary(answers: pd.DataFrame) -> pd.DataFrame:
    """``model, candidate``, mean ``probability``, ``low`` and ``high`` over prompts, best first."""
    grouped = answers.groupby(["model", "candidate"], sort=False)["probability"]
    table = grouped.agg(probability="mean", low="min", high="max", prompts="size").reset_index()
    return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)


def answer_figure(answers: pd.DataFrame) -> style.Picture:
    """Bars of the mean probability, a dot a prompt; a colour a model."""
    order, many = summary(answers)["candidate"].unique(), answers["model"].nunique()
    fig, ax = style.figure(height=1.0 + 0.35 * len(order) * many)
    look = {"x": "probability", "y": "candidate", "order": order, "hue": "model", "ax": ax}
    sns.barplot(answers, **look, errorbar=None, alpha=0.55)
    sns.stripplot(answers, **look, dodge=many > 1, size=4, jitter=False, legend=False)
    style.chance(ax, 1 / len(order), "guessing", upright=True)
    ax.set(xlim=(0, 1), xlabel="probability: mean over prompts, and each prompt", ylabel="")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig
