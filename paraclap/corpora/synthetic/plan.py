"""Plan of the synthetic corpora: one row per utterance, with speaker, label, text and prosody.

The prosody of an utterance is a sum, in z units per dimension (:data:`.effects.PROSODY`):
``speaker + strength x emotion + ratings + noise``. Arousal, valence and dominance (1 to 7) are
drawn around the mean of the emotion; their deviation from it moves the prosody too. Data:
``corpora.csv`` (one for training, eight that imitate the paper's tasks), ``classes.csv`` (shares of
labels, and of emotions in a label), ``emotions.csv`` (mean ratings and prosody), ``ratings.csv`` (z
of prosody per point), ``sentences.csv``. Spreads and strengths are set by hand: no score on this
speech says anything about people. Chapter 1.

Sources: Juslin & Laukka 2003, Scherer 2003, Goudbeek & Scherer 2010 (cues of emotions and ratings);
shares and channels after the papers of the nine corpora.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from paraclap.corpora.synthetic.effects import PROSODY
from paraclap.tables import DIMENSIONS as RATINGS

TRAINING = "podcast"
RATING_SPREAD = 0.7  # points on the scale of 1 to 7, around the mean of the emotion
SPEAKER_SPREAD = 0.35  # z; pitch is apart, see PITCH
UTTERANCE_SPREAD = 0.55  # z; what no label explains
OTHER_SPREAD = 0.7  # z; further spread of classes without a prosody of their own
OTHER = ("other", "rest")
STRENGTH_SPREAD = 0.3  # log of the strength of an expression
PITCH = {"male": -1.5, "female": 1.5, "child": 2.7}  # z, i.e. 116, 195, 240 Hz
SPEAKER_PITCH = 0.5  # z, i.e. 1.5 semitones between speakers of a gender
VOCAL_TRACT = {"male": 100.0, "female": 115.0, "child": 126.0}  # formants, % (Peterson & Barney)


@cache
def read_data(name: str, index: str) -> pd.DataFrame:
    """Table beside this module (corpora, classes, emotions, sentences) by one of its columns."""
    return pd.read_csv(Path(__file__).with_name(f"{name}.csv"), index_col=index)


def plan(utterances: int, held_out: int, seed: int) -> pd.DataFrame:
    """Draw all utterances; arguments and errors are those of :func:`.build.build`.

    Returns:
        one row per utterance: file, number within its corpus, labels, speaker, text, channel, and
        z per dimension of the prosody
    """
    parts = []
    for name, corpus in read_data("corpora", "corpus").iterrows():
        splits = {"test": (held_out, corpus["speakers"])}
        if name == TRAINING:
            splits = {
                "train": (utterances, max(4, utterances // 20)),
                "dev": (max(utterances // 10, 9), max(2, utterances // 160)),
                "test": (max(utterances * 15 // 100, 9), max(4, utterances // 100)),
            }
        for split, (count, speakers) in splits.items():
            stream = f"{name} {split}" if name == TRAINING else str(name)
            rng = np.random.default_rng([seed, *stream.encode()])
            parts.append(_utterances(corpus, split, count, min(speakers, count), rng))
    table = pd.concat(parts, ignore_index=True)
    table["number"] = table.groupby("corpus").cumcount()
    names = [f"/{index:05d}.wav" for index in table["number"]]
    return table.assign(file=table["corpus"] + "/" + table["speaker"] + names)


def _utterances(
    corpus: pd.Series, split: str, count: int, speakers: int, rng: Generator
) -> pd.DataFrame:
    """Plan of one split of one corpus."""
    people, who = _speakers(corpus, split, speakers, rng), np.arange(count) % speakers
    classes = read_data("classes", "corpus").loc[str(corpus.name)].groupby("label", sort=False)
    drawn = speakers if corpus["by_speaker"] else count
    labels = _draw_labels(classes["share"].first(), drawn, str(corpus.name), rng)
    labels = labels[who] if corpus["by_speaker"] else labels
    shares = {label: rows.set_index("emotion")["emotion_share"] for label, rows in classes}
    emotions = [str(rng.choice(p.index, p=p / p.sum())) for p in map(shares.__getitem__, labels)]
    ratings, prosody = _draw_prosody(corpus["strength"], emotions, rng)
    table = people.iloc[who].reset_index(drop=True)
    table[list(PROSODY)] = np.clip(prosody + table[list(PROSODY)].to_numpy(), -4, 4)
    table[list(RATINGS)] = ratings
    sentences = read_data("sentences", "sentences").loc[corpus["sentences"], "text"]
    texts = rng.choice(sentences.to_numpy(object), count)
    rows = zip(texts, classes["hesitation"].first()[labels], table["pauses"], strict=True)
    text = [_add_pauses(*row, rng) for row in rows]
    noise = corpus["noise"] + rng.normal(0, 3, count)
    table = table.assign(corpus=str(corpus.name), split=split, label=labels, emotion=emotions)
    return table.assign(text=text, noise=noise, telephone=corpus["telephone"])


def _speakers(corpus: pd.Series, split: str, count: int, rng: Generator) -> pd.DataFrame:
    """Speakers with their habits: z per dimension, accent, formants in percent."""
    gender = np.resize(np.array(corpus["genders"].split(), dtype=object), count)
    build = ["child"] * count if corpus["child"] else gender
    habits = rng.normal(0, SPEAKER_SPREAD, (count, len(PROSODY)))
    centre, tract = (np.array([size[kind] for kind in build]) for size in (PITCH, VOCAL_TRACT))
    habits[:, PROSODY.index("pitch")] = centre + rng.normal(0, SPEAKER_PITCH, count)
    tract = tract * rng.normal(1, 0.03, count)
    formants = np.round(tract[:, None] * rng.normal(1, 0.025, (count, 5))).astype(int)
    return pd.DataFrame(habits, columns=list(PROSODY)).assign(
        speaker=[f"{corpus.name}-{split}-{index:03d}" for index in range(count)],
        gender=gender,
        language=corpus["language"],
        accent=rng.choice(np.array(corpus["accents"].split(), dtype=object), count),
        formants=pd.Series([tuple(row) for row in formants.tolist()], dtype=object),
    )


def _draw_labels(shares: pd.Series, count: int, corpus: str, rng: Generator) -> np.ndarray:
    """Labels in random order, by share, each class at least once."""
    if count < len(shares):
        msg = f"Bad number of utterances {count} for {corpus}, expected at least {len(shares)}"
        raise ValueError(f"{msg}, one per class {list(shares.index)}: ask for more.")
    expected = (shares / shares.sum()).to_numpy() * count
    counts = np.maximum(np.floor(expected), 1).astype(int)
    while counts.sum() > count:
        counts[counts.argmax()] -= 1
    counts[np.argsort(counts - expected)[: count - counts.sum()]] += 1
    return rng.permutation(np.repeat(shares.index.to_numpy(object), counts))


def _draw_prosody(
    strength: float, emotions: list[str], rng: Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Ratings ``(utterances, 3)`` on 1 to 7, and z ``(utterances, 9)`` without the speaker."""
    means, count = read_data("emotions", "emotion").loc[emotions], len(emotions)
    deviation = rng.normal(0, RATING_SPREAD, (count, len(RATINGS)))
    effect = read_data("ratings", "rating").loc[list(RATINGS), list(PROSODY)].to_numpy()
    strengths = strength * np.exp(rng.normal(0, STRENGTH_SPREAD, (count, 1)))
    spread = np.where(np.isin(emotions, OTHER), OTHER_SPREAD, 0.0)[:, None]
    noise = rng.normal(0, 1, (count, len(PROSODY))) * np.hypot(UTTERANCE_SPREAD, spread)
    moved = deviation @ np.ascontiguousarray(effect)
    prosody = strengths * means[list(PROSODY)].to_numpy() + moved + noise
    ratings = np.clip(means[list(RATINGS)].to_numpy() + deviation, 1, 7)
    return ratings, prosody


def _add_pauses(text: str, hesitation: float, pauses: float, rng: Generator) -> str:
    """Sentence with perhaps a filled pause, and silent ones, more and longer with z."""
    words = text.split()
    hesitates = rng.random() < hesitation
    if len(words) < 3:
        return text
    if hesitates:
        words.insert(int(rng.integers(1, len(words))), "äh,")
    for _ in range(min(rng.poisson(0.35 * np.exp(0.7 * pauses)), 2)):
        milliseconds = int(np.clip(140 * np.exp(0.35 * pauses + rng.normal(0, 0.3)), 60, 600))
        place = int(rng.integers(1, len(words)))
        words.insert(place, f'<break time="{milliseconds}ms"/>')
    return " ".join(words)
