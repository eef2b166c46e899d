"""Who says what, and how: the plan of the built-in corpora, one row per utterance.

A voice is a sum, in z units per voice dimension (:data:`paraclap.shaping.DIMENSIONS`):
``speaker + strength x emotion + ratings + noise``. The emotion offsets stand in
``emotion_voices.csv`` with their sources. Arousal, valence and dominance (scale 1 to 7, as
MSP-Podcast) are drawn around the mean of the emotion, and their deviation from it moves the voice
too. Because of the speaker, the varying strength and the noise the classes overlap, as they do in
people.

All of it is synthetic. The spreads and strengths are set by hand, in training and held-out corpora
alike: no score on them says anything about people. The sentences (``sentences.csv``) carry no
emotion in their words. The literature gives the direction of each effect and which are strong;
the numbers are ours.

Sources: Juslin & Laukka 2003, Psychological Bulletin 129(5) (cues of emotions, summary table);
Scherer 2003, Speech Communication 40; Banse & Scherer 1996, J. Personality and Social Psychology
70(3); Goudbeek & Scherer 2010, JASA 128(3) (cues of arousal, valence, potency); Lotfian & Busso
2019, IEEE Trans. Affective Computing (class balance and scales of MSP-Podcast).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.shaping import DIMENSIONS as VOICE
from paraclap.spoken import HELD_OUT, PODCAST, Corpus

RATINGS = ("arousal", "valence", "dominance")
RATING_SPREAD = 0.7  # points on the scale of 1 to 7, around the mean of the emotion
SPEAKER_SPREAD = 0.35  # z; pitch is apart, see GENDER_PITCH
UTTERANCE_SPREAD = 0.55  # z; what no label explains
OTHER_SPREAD = 0.7  # z; further spread of classes without a prosody of their own
OTHER = ("other", "rest")
STRENGTH_SPREAD = 0.3  # log of the strength of an expression
GENDER_PITCH = {"male": -1.5, "female": 1.5, "child": 2.7}  # z, i.e. 116, 195, 240 Hz
SPEAKER_PITCH = 0.5  # z, i.e. 1.5 semitones between speakers of a gender
VOCAL_TRACT = {"male": 100.0, "female": 115.0, "child": 126.0}  # formants, % (Peterson & Barney)

# z per point of deviation (Goudbeek & Scherer 2010; Scherer 2003)
RATING_EFFECT = {
    "arousal": {"pitch": 0.3, "variation": 0.2, "rate": 0.3, "level": 0.5, "brightness": 0.4},
    "valence": {"variation": 0.2, "brightness": -0.1, "jitter": -0.2, "shimmer": -0.2},
    "dominance": {"pitch": -0.2, "level": 0.3, "brightness": 0.2, "breathiness": -0.2},
}


@cache
def emotion_voices() -> pd.DataFrame:
    """Emotion → mean ratings, voice offsets in z, source."""
    return pd.read_csv(_data("emotion_voices.csv"), index_col="emotion")


@cache
def sentences() -> dict[str, list[str]]:
    """Name of a set of sentences → sentences."""
    table = pd.read_csv(_data("sentences.csv"))
    return {str(name): list(texts) for name, texts in table.groupby("sentences")["text"]}


def _data(name: str) -> Path:
    return Path(__file__).with_name(name)


def plan(voices: int, held_out: int, seed: int) -> pd.DataFrame:
    """Draw everything that is going to be spoken.

    Args:
        voices: training utterances of the podcast corpus; dev and test come on top
        held_out: utterances of each held-out corpus
        seed: of all draws

    Returns:
        one row per utterance: corpus, split, file, speaker, gender, language, accent, formants,
        label, emotion, arousal, valence, dominance, text, noise, telephone, and z per
        voice dimension

    Raises:
        ValueError: if there are too few utterances for the classes of a corpus
    """
    splits = {
        "train": (voices, max(4, voices // 20)),
        "dev": (max(voices // 10, 9), max(2, voices // 160)),
        "test": (max(voices * 15 // 100, 9), max(4, voices // 100)),
    }
    parts = [
        _utterances(PODCAST, split, count, speakers, _rng(seed, f"podcast {split}"))
        for split, (count, speakers) in splits.items()
    ]
    parts += [
        _utterances(corpus, "test", held_out, corpus.speakers, _rng(seed, corpus.name))
        for corpus in HELD_OUT
    ]
    table = pd.concat(parts, ignore_index=True)
    number = table.groupby("corpus").cumcount()
    names = [f"{index:05d}.wav" for index in number]
    return table.assign(number=number, file=table["corpus"] + "/" + table["speaker"] + "/" + names)


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def _utterances(
    corpus: Corpus, split: str, count: int, speakers: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Plan of one split of one corpus."""
    people = _speakers(corpus, split, min(speakers, count), rng)
    who = np.arange(count) % len(people)
    if corpus.by_speaker:
        labels = _shares(corpus.classes, len(people), rng, corpus.name)[who]
    else:
        labels = _shares(corpus.classes, count, rng, corpus.name)
    mixtures = corpus.emotions or {label: {label: 1.0} for label in corpus.classes}
    emotions = np.array([_draw(mixtures[label], rng) for label in labels], dtype=object)
    ratings, voice = _prosody(corpus, emotions, rng)
    table = people.iloc[who].reset_index(drop=True)
    voice += table[list(VOICE)].to_numpy()
    table[list(VOICE)] = np.clip(voice, -4, 4)
    table[list(RATINGS)] = ratings
    texts = rng.choice(np.array(sentences()[corpus.sentences], dtype=object), count)
    return table.assign(
        corpus=corpus.name,
        split=split,
        label=labels,
        emotion=emotions,
        text=[
            _pause(text, pauses, _hesitates(corpus, label, rng), rng)
            for text, pauses, label in zip(texts, table["pauses"], labels, strict=True)
        ],
        noise=corpus.noise + rng.normal(0, 3, count),
        telephone=corpus.telephone,
    )


def _speakers(corpus: Corpus, split: str, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Speakers with their habits: z per voice dimension, accent, formants in percent."""
    gender = np.array(["female", "male"], dtype=object)[np.arange(count) % 2]
    if corpus.name == "tess-like":
        gender[:] = "female"  # as in the original: two women
    build = np.array(["child"] * count, dtype=object) if corpus.child else gender
    habits = rng.normal(0, SPEAKER_SPREAD, (count, len(VOICE)))
    centre = np.array([GENDER_PITCH[kind] for kind in build])
    habits[:, VOICE.index("pitch")] = centre + rng.normal(0, SPEAKER_PITCH, count)
    tract = np.array([VOCAL_TRACT[kind] for kind in build]) * rng.normal(1, 0.03, count)
    formants = np.round(tract[:, None] * rng.normal(1, 0.025, (count, 5))).astype(int)
    names = [f"{corpus.name}-{split}-{index:03d}" for index in range(count)]
    table = pd.DataFrame(habits, columns=list(VOICE))
    return table.assign(
        speaker=names,
        gender=gender,
        language=corpus.language,
        accent=rng.choice(np.array(corpus.accents, dtype=object), count),
        formants=pd.Series([tuple(row) for row in formants.tolist()], dtype=object),
    )


def _shares(
    classes: Mapping[str, float], count: int, rng: np.random.Generator, name: str
) -> np.ndarray:
    """Labels in random order, by share, each class at least once."""
    if count < len(classes):
        raise ValueError(
            f"Bad number of utterances {count} for {name}, expected at least {len(classes)}, "
            f"one per class {list(classes)}: ask for more."
        )
    share = np.array(list(classes.values())) / sum(classes.values())
    counts = np.maximum(np.floor(share * count), 1).astype(int)
    while counts.sum() > count:
        counts[counts.argmax()] -= 1
    missing = np.argsort(counts - share * count)[: count - counts.sum()]
    counts[missing] += 1
    return rng.permutation(np.repeat(np.array(list(classes), dtype=object), counts))


def _draw(mixture: Mapping[str, float], rng: np.random.Generator) -> str:
    share = np.array(list(mixture.values()))
    return str(rng.choice(np.array(list(mixture), dtype=object), p=share / share.sum()))


def _prosody(
    corpus: Corpus, emotions: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Ratings `(utterance, 3)` on 1 to 7, and z `(utterance, voice dimension)` without speaker."""
    means = emotion_voices().loc[emotions]
    count = len(emotions)
    deviation = rng.normal(0, RATING_SPREAD, (count, len(RATINGS)))
    effect = np.array([[RATING_EFFECT[r].get(v, 0.0) for v in VOICE] for r in RATINGS])
    strength = corpus.strength * np.exp(rng.normal(0, STRENGTH_SPREAD, (count, 1)))
    spread = np.where(np.isin(emotions, OTHER), OTHER_SPREAD, 0.0)[:, None]
    noise = rng.normal(0, 1, (count, len(VOICE))) * np.hypot(UTTERANCE_SPREAD, spread)
    voice = strength * means[list(VOICE)].to_numpy() + deviation @ effect + noise
    ratings = np.clip(means[list(RATINGS)].to_numpy() + deviation, 1, 7)
    return ratings, voice


def _hesitates(corpus: Corpus, label: str, rng: np.random.Generator) -> bool:
    return bool(rng.random() < (corpus.hesitation or {}).get(label, 0.0))


def _pause(text: str, pauses: float, hesitates: bool, rng: np.random.Generator) -> str:
    """Sentence with silent pauses (more and longer with z) and perhaps a filled one."""
    words = text.split()
    if len(words) < 3:
        return text
    if hesitates:
        words.insert(int(rng.integers(1, len(words))), "äh,")
    for _ in range(min(rng.poisson(0.35 * np.exp(0.7 * pauses)), 2)):
        milliseconds = int(np.clip(140 * np.exp(0.35 * pauses + rng.normal(0, 0.3)), 60, 600))
        place = int(rng.integers(1, len(words)))
        words.insert(place, f'<break time="{milliseconds}ms"/>')
    return " ".join(words)
