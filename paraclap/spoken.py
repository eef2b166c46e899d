"""Which corpora are spoken: one for training, eight that imitate the tasks of the paper.

Each :class:`Corpus` says how one is made: its classes and their shares, how many speakers with
which dialects, how strongly they express emotions, sentences, and channel. Speakers of the held-out
corpora use dialects that the training corpus does not have, so their voices are unseen in timbre,
habits and accent.

Shares and channels follow the originals: Lotfian & Busso 2019 (MSP-Podcast), Busso et al. 2008
(IEMOCAP), Livingstone & Russo 2018 (RAVDESS), Cao et al. 2014 (CREMA-D), Pichora-Fuller & Dupuis
2020 (TESS), Steidl 2009 (FAU Aibo), Schiel et al. 2012 (ALC), Burkhardt et al. 2011 (SLD).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SEEN_ACCENTS = ("en-us", "en", "en-gb-scotland")
UNSEEN_ACCENTS = ("en-us-nyc", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")


@dataclass(frozen=True)
class Corpus:
    """How one corpus is made.

    Attributes:
        name: name of its table
        classes: share of each label, in any unit
        speakers: how many; per split for the training corpus
        strength: how strongly emotions are expressed, 1 is as in the table of voices
        sentences: which sentences, see ``sentences.csv``
        accents: dialects of the speakers
        language: of all speakers
        emotions: label → shares of emotions, where labels are no emotions themselves
        emotional: whether the label is an emotion
        rated: whether arousal, valence, dominance are among its labels
        child: whether the voices are child-like
        telephone: whether only the telephone band passes
        noise: level of the room or line in dB
        by_speaker: whether all utterances of a speaker share one label
        hesitation: label → share of utterances with a filled pause
    """

    name: str
    classes: Mapping[str, float]
    speakers: int
    strength: float
    sentences: str
    accents: tuple[str, ...] = UNSEEN_ACCENTS
    language: str = "en"
    emotions: Mapping[str, Mapping[str, float]] | None = None
    emotional: bool = True
    rated: bool = False
    child: bool = False
    telephone: bool = False
    noise: float = -75.0
    by_speaker: bool = False
    hesitation: Mapping[str, float] | None = None


def _even(*classes: str) -> dict[str, float]:
    return dict.fromkeys(classes, 1.0)


PODCAST = Corpus(
    "podcast",
    {
        "neutral": 28,
        "happiness": 18,
        "anger": 12,
        "sadness": 10,
        "surprise": 7,
        "fear": 6,
        "disgust": 6,
        "contempt": 6,
        "other": 7,
    },
    speakers=0,
    strength=1.35,
    sentences="podcast",
    accents=SEEN_ACCENTS,
    rated=True,
    noise=-70.0,
)
_BASIC = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
HELD_OUT = (
    Corpus(
        "iemocap-like",
        {"anger": 20, "happiness": 30, "neutral": 31, "sadness": 19},
        speakers=10,
        strength=1.4,
        sentences="iemocap-like",
        rated=True,
        noise=-68.0,
    ),
    Corpus("ravdess-like", _even(*_BASIC, "calm", "surprise"), 24, 1.75, "ravdess-like"),
    Corpus("cremad-like", _even(*_BASIC), 48, 1.6, "cremad-like"),
    Corpus("tess-like", _even(*_BASIC, "surprise"), 2, 1.8, "tess-like"),
    Corpus(
        "aibo2-like",
        {"negative": 30, "non-negative": 70},
        speakers=25,
        strength=1.2,
        sentences="aibo-like",
        accents=("de",),
        language="de",
        emotions={
            "negative": {"anger": 35, "emphatic": 65},
            "non-negative": {"neutral": 80, "positive": 10, "rest": 10},
        },
        emotional=False,
        child=True,
    ),
    Corpus(
        "aibo5-like",
        {"anger": 12, "emphatic": 20, "neutral": 44, "positive": 12, "rest": 12},
        speakers=25,
        strength=1.2,
        sentences="aibo-like",
        accents=("de",),
        language="de",
        child=True,
    ),
    Corpus(
        "alc-like",
        {"intoxicated": 46, "sober": 54},
        speakers=30,
        strength=1.0,
        sentences="alc-like",
        accents=("de",),
        language="de",
        emotional=False,
        hesitation={"intoxicated": 0.35, "sober": 0.15},
    ),
    Corpus(
        "sld-like",
        {"likable": 50, "non-likable": 50},
        speakers=120,
        strength=1.0,
        sentences="sld-like",
        accents=("de",),
        language="de",
        emotional=False,
        telephone=True,
        noise=-58.0,
        by_speaker=True,
    ),
)
CORPORA = {corpus.name: corpus for corpus in (PODCAST, *HELD_OUT)}
