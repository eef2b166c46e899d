"""Zero-shot answers: which candidate fits an utterance best?

A candidate is a label and the word that asks for it; the word fills a template. Every text and
every utterance is embedded once. Nothing is random. Embeddings are ``(n, d)``, float32, of unit
length; answers are tables with a probability per candidate (softmax over the candidates) and
``prediction``. Chapter 5. Source: sections 2.1 and 3.3 of the paper.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import softmax

from paraclap import tables
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio, embed_text

Given = Iterable[str] | Mapping[str, str]
PREDICTION = "prediction"


class Candidates(NamedTuple):
    """An encoded question."""

    labels: tuple[str, ...]
    embeddings: Embeddings  # of the texts, (candidates, d)
    logit_scale: float  # factor of the cosine similarities, exp of the model's logit_scale


def classify(
    model: ParaCLAP, files: tables.Files | pd.Index, candidates: Given, template: str = "{}"
) -> pd.DataFrame:
    """Find the candidate that fits each utterance best.

    Args:
        model: A trained model with its processor.
        files: Paths, an audformat index, or a table with such an index.
        candidates: Words, or a mapping from label to word.
        template: Sentence with a slot ``{}`` for the word.

    Returns:
        A table on the audformat index: a probability per candidate, and ``prediction``.

    Raises:
        AudioError: If a file cannot be read.
        ValueError: If candidates or template are bad, see :func:`check_candidates`.
    """
    index = tables.as_index(files)
    question = encode_candidates(model, candidates, template)
    return answer(question, embed_audio(model, index)).set_axis(index)


def encode_candidates(model: ParaCLAP, candidates: Given, template: str = "{}") -> Candidates:
    """Embed the text of every candidate; ValueError as in :func:`classify`, or for equal tokens."""
    words = check_candidates(candidates)  # label -> word, such as "anger" -> "angry"
    texts = [fill(template, word) for word in words.values()]  # "speaker is angry"
    tokens = model.prepare(text=texts)["input_ids"].tolist()
    _check_distinct(words.items(), map(tuple, tokens), "are the same to this model's tokenizer")
    embeddings = embed_text(model, texts)  # T, (candidates, d)
    return Candidates(tuple(words), embeddings, model.temperature.item())


def answer(candidates: Candidates, audio_embeddings: Embeddings) -> pd.DataFrame:
    """Probability of every candidate for every utterance, and the best one as ``prediction``."""
    cosines = audio_embeddings @ candidates.embeddings.T  # A T^t, (n, d) by (d, candidates)
    logits = np.float32(candidates.logit_scale) * cosines  # S of equation 1
    table = pd.DataFrame(softmax(logits, axis=1), columns=list(candidates.labels))
    table[PREDICTION] = np.array(candidates.labels)[logits.argmax(axis=1)]
    return table


def check_candidates(candidates: Given) -> dict[str, str]:
    """Candidates as a mapping from label to word.

    ValueError if fewer than two are given, one is no text, empty or called "prediction", or two
    have the same word, upper and lower case aside.

    >>> check_candidates(["happy", "sad"])
    {'happy': 'happy', 'sad': 'sad'}
    """
    if isinstance(candidates, str):
        raise ValueError(f"Got the text {candidates!r} as candidates, expected a list of words.")
    given = candidates.items() if isinstance(candidates, Mapping) else ((c, c) for c in candidates)
    pairs = list(given)
    for label, word in pairs:
        good = all(isinstance(one, str) and one.strip() for one in (label, word))
        if not good or label == PREDICTION:
            wanted = f"text that is not empty, and a label other than {PREDICTION!r}"
            raise ValueError(f"Bad candidate {label!r} ({word!r}), expected {wanted}: rename it.")
    if len(pairs) < 2:
        raise ValueError(f"Got candidates {list(candidates)}, expected two or more.")
    keys = (" ".join(word.casefold().split()) for _, word in pairs)
    _check_distinct(pairs, keys, "are the same word")
    return dict(pairs)


def parse_candidates(text: str) -> dict[str, str]:
    """Candidates as they are typed: words, or labels with their words, separated by commas.

    >>> parse_candidates("joy=happy, sad")
    {'joy': 'happy', 'sad': 'sad'}
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    words = {label.strip(): (word if mark else label).strip() for label, mark, word in pairs}
    if len(words) < len(pairs):
        raise ValueError(f"Bad candidates {text!r}, expected each label once.")
    return check_candidates(words)


def fill(template: str, word: str) -> str:
    """Put a word into the slot of a template, which takes a whole sentence only if it is ``{}``.

    >>> fill("speaker is {}", "angry")
    'speaker is angry'
    """
    if "{}" not in template:
        raise ValueError(f"Bad template {template!r}, expected a slot, as in 'speaker is {{}}'.")
    if word.endswith(".") and template != "{}":
        msg = f"Bad word {word!r} for the template {template!r}, expected no sentence:"
        raise ValueError(f"{msg} set the template to '{{}}'.")
    return template.replace("{}", word)


def _check_distinct(pairs: Iterable[tuple[str, str]], keys: Iterable[Hashable], why: str) -> None:
    first: dict[Hashable, str] = {}
    for (label, _), key in zip(pairs, keys, strict=True):
        if key in first:
            msg = f"Candidates {first[key]!r} and {label!r} {why}"
            raise ValueError(f"{msg}, expected different ones: leave one out or reword it.")
        first[key] = label
