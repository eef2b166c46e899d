"""Zero-shot answers: which candidate fits an utterance best?

A candidate is a label and the word that asks for it; the word fills a template. Embeddings are
``(n, d)``, float32, of unit length; answers are tables with a probability per candidate (softmax
over the candidates) and ``prediction``. Chapter 5. Source: sections 2.1 and 3.3 of the paper.
"""

import re
import unicodedata
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
COLUMNS = (*tables.INDEX, PREDICTION, "reason")  # of tables of answers


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
    _check_tokens(model, words, texts)
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

    ValueError if fewer than two are given, one is no text, empty or called as a column is, or two
    have the same word, case, spaces and forms of letters aside.

    >>> check_candidates(["happy", "sad"])
    {'happy': 'happy', 'sad': 'sad'}
    """
    if isinstance(candidates, str | bytes | pd.DataFrame) or not isinstance(candidates, Iterable):
        raise ValueError(f"Got {candidates!r} as candidates, expected a list of words.")
    given = candidates.items() if isinstance(candidates, Mapping) else ((c, c) for c in candidates)
    pairs = list(given)
    for label, word in pairs:
        good = all(isinstance(one, str) and one.strip() for one in (label, word))
        if not good or label in COLUMNS:
            wanted = f"text that is not empty, and a label other than {COLUMNS}"
            raise ValueError(f"Bad candidate {label!r} ({word!r}), expected {wanted}: rename it.")
    if len(pairs) < 2:
        raise ValueError(f"Got candidates {[word for _, word in pairs]}, expected two or more.")
    keys = (" ".join(unicodedata.normalize("NFKC", word).casefold().split()) for _, word in pairs)
    _check_distinct((label for label, _ in pairs), keys, "are the same word")
    return dict(pairs)


def parse_candidates(text: str) -> dict[str, str]:
    """Candidates as they are typed: words, or labels with their words, separated by commas.

    >>> parse_candidates('joy=happy, sad, "tired, but calm"')
    {'joy': 'happy', 'sad': 'sad', 'tired, but calm': 'tired, but calm'}
    """
    parts = re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text)  # at commas outside of quotes
    found = [re.findall(r'(?s)^(?:("[^"]+"|[^"=]+)=)?(.*)$', part.strip())[0] for part in parts]
    pairs = [[re.sub(r'(?s)^"(.*)"$', r"\1", one.strip()) for one in pair] for pair in found]
    words = {label or word: word for label, word in pairs}
    if len(words) < len(pairs) or text.count('"') % 2:
        raise ValueError(f"Bad candidates {text!r}, expected each label once, quotes in pairs.")
    return check_candidates(words)


def fill(template: str, word: str) -> str:
    """Put a word into the slot of a template, which takes a whole sentence only if it is ``{}``.

    >>> fill("speaker is {}", "angry")
    'speaker is angry'
    """
    if not (isinstance(template, str) and re.fullmatch(r"[^{}]*\{\}[^{}]*", template)):
        raise ValueError(f"Bad template {template!r}, expected a slot, as in 'speaker is {{}}'.")
    if word.endswith(".") and template != "{}":
        msg = f"Bad word {word!r} for the template {template!r}, expected no sentence:"
        raise ValueError(f"{msg} set the template to '{{}}'.")
    return template.replace("{}", word)


def _check_tokens(model: ParaCLAP, words: Mapping[str, str], texts: list[str]) -> None:
    """ValueError if a word is unknown to the tokenizer, or two texts are the same to it."""
    reader = model.require_processor().tokenizer
    bare = reader([*words.values()], truncation=True, add_special_tokens=False)["input_ids"]
    tokens = dict(zip(words, bare, strict=True))
    if strange := [label for label, own in tokens.items() if {*own} <= {reader.unk_token_id}]:
        raise ValueError(f"No token of this model for {strange[:5]}, expected words: reword them.")
    read = map(tuple, model.prepare(text=texts)["input_ids"].tolist())
    _check_distinct(words, read, "are the same to this model's tokenizer")


def _check_distinct(labels: Iterable[str], keys: Iterable[Hashable], why: str) -> None:
    first: dict[Hashable, str] = {}
    for label, key in zip(labels, keys, strict=True):
        if key in first:
            msg = f"Candidates {first[key]!r:.40} and {label!r:.40} {why}"
            raise ValueError(f"{msg}, expected different ones: leave one out or reword it.")
        first[key] = label
