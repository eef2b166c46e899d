"""Small databases in the form of EmoDB, CREMA-D and RAVDESS, published where audb finds them.

Buzzes under the names, versions, tables, columns, schemes and file names of
the real databases, in a repository that is a folder.

Facts: https://audeering.github.io/datasets
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import audb
import audbackend
import audeer
import audformat
import numpy as np
import pandas as pd
from sounds import buzz, write

from paraclap import audio

# emotion → pitch relative to the speaker's, level
VOICES = {
    "anger": (1.3, 0.3), "boredom": (0.9, 0.05), "calm": (0.95, 0.08), "disgust": (0.9, 0.15),
    "fear": (1.6, 0.2), "happiness": (1.4, 0.25), "neutral": (1.0, 0.1), "sadness": (0.85, 0.05),
    "surprise": (1.5, 0.2),
}  # fmt: skip
EMODB = {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear",
         "F": "happiness", "T": "sadness", "N": "neutral"}  # fmt: skip
CREMA_D = {"ANG": "anger", "DIS": "disgust", "FEA": "fear",
           "HAP": "happiness", "NEU": "neutral", "SAD": "sadness"}  # fmt: skip
RAVDESS = ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")


class Clip(NamedTuple):
    """An utterance to be."""

    file: str
    speaker: Any
    emotion: str
    split: str
    male: bool


def emodb(sentences: int = 1) -> list[Clip]:
    """Utterances of four speakers, no dev split."""
    people = {3: ("train", True), 8: ("train", False), 15: ("test", True), 16: ("test", False)}
    return [
        Clip(f"wav/{speaker:02d}a{text + 1:02d}{code}a.wav", speaker, emotion, split, male)
        for speaker, (split, male) in people.items()
        for text in range(sentences)
        for code, emotion in EMODB.items()
    ]


def crema_d(sentences: int = 1) -> list[Clip]:
    """Utterances of eight actors."""
    splits = ("train",) * 4 + ("dev",) * 2 + ("test",) * 2
    texts = ("IEO", "TIE", "DFA", "MTI", "TAI", "WSI", "IWW", "ITS", "ITH", "IOM")[:sentences]
    return [
        Clip(f"{actor}/{actor}_{text}_{code}_XX.wav", actor, emotion, split, bool(actor % 2))
        for actor, split in enumerate(splits, 1001)
        for text in texts
        for code, emotion in CREMA_D.items()
    ]


def ravdess(sentences: int = 1, channel: str = "speech") -> list[Clip]:
    """Utterances of six actors, of the speech or the song part."""
    splits = {2: "train", 5: "train", 16: "dev", 17: "dev", 21: "test", 24: "test"}
    folder, code = {"speech": ("speech", 1), "song": ("songs", 2)}[channel]
    return [
        Clip(
            f"{folder}/actor_{actor:02d}/03-{code:02d}-{number:02d}-01-01-{text:02d}-{actor:02d}.wav",
            f"{actor:02d}",
            emotion,
            split,
            bool(actor % 2),
        )
        for actor, split in splits.items()
        for text in range(1, sentences + 1)
        for number, emotion in enumerate(RAVDESS, 1)
    ]


def speak(root: Path, clips: Sequence[Clip], rate: int, stereo: Sequence[str] = ()) -> None:
    """Write utterances at a sampling rate in Hz, some of them with two channels."""
    for clip in clips:
        pitch, level = VOICES[clip.emotion]
        signal = buzz(
            0.7, (100 if clip.male else 190) * pitch, level, zlib.crc32(clip.file.encode())
        )
        signal = np.resize(signal, rate * 7 // 10)
        file = write(root / clip.file, signal, rate)
        file.write_bytes(audio.encode(signal, rate, audio.SYNTHETIC))
        if clip.file in stereo:
            write(file, np.stack([signal, signal / 2], axis=1), rate)


def table(
    found: audformat.Database,
    name: str,
    files: Sequence[str],
    columns: Mapping[str, tuple[str, Sequence[Any]]],
    split: str | None = None,
) -> None:
    """Add a table of files: column → (scheme, values)."""
    if split and split not in found.splits:
        found.splits[split] = audformat.Split(type=split)
    found[name] = audformat.Table(audformat.filewise_index(list(files)), split_id=split)
    for column, (scheme, values) in columns.items():
        found[name][column] = audformat.Column(scheme_id=scheme)
        found[name][column].set(list(values))


def by_split(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    """Utterances of each split."""
    splits = dict.fromkeys(clip.split for clip in clips)
    return {split: [clip for clip in clips if clip.split == split] for split in splits}


def emodb_database(clips: Sequence[Clip]) -> audformat.Database:
    """Header and tables of EmoDB 1.4.1: speakers in a table of their own, German."""
    found = audformat.Database(
        "emodb",
        languages=["deu"],
        license="CC0-1.0",
        usage="unrestricted",
        description="Buzzes in the form of EmoDB.",
    )
    found.schemes["emotion"] = audformat.Scheme(labels=list(EMODB.values()))
    found.schemes["confidence"] = audformat.Scheme("float", minimum=0, maximum=1)
    found.schemes["age"] = audformat.Scheme("int", minimum=0)
    found.schemes["gender"] = audformat.Scheme("str", labels=["female", "male"])
    found.schemes["language"] = audformat.Scheme("str")
    people = {clip.speaker: clip for clip in clips}
    found["speaker"] = audformat.MiscTable(pd.Index(list(people), dtype="Int64", name="speaker"))
    columns = {
        "age": [30] * len(people),
        "gender": ["male" if clip.male else "female" for clip in people.values()],
        "language": ["deu"] * len(people),
    }
    for column, values in columns.items():
        found["speaker"][column] = audformat.Column(scheme_id=column)
        found["speaker"][column].set(values)
    found.schemes["speaker"] = audformat.Scheme("int", labels="speaker")
    table(
        found,
        "files",
        [c.file for c in clips],
        {"speaker": ("speaker", [c.speaker for c in clips])},
    )
    named: dict[str, Sequence[Clip]] = {"emotion": clips}
    for split, part in by_split(clips).items():
        named[f"emotion.categories.{split}.gold_standard"] = part
    for name, part in named.items():
        columns = {
            "emotion": ("emotion", [clip.emotion for clip in part]),
            "emotion.confidence": ("confidence", [0.9] * len(part)),
        }
        split = None if name == "emotion" else part[0].split
        table(found, name, [clip.file for clip in part], columns, split)
    return found


def crema_d_database(clips: Sequence[Clip]) -> audformat.Database:
    """Header and tables of CREMA-D 1.3.0: intended and perceived emotions, sex of the speakers."""
    found = audformat.Database(
        "crema-d",
        languages=["eng"],
        license="Open Data Commons Open Database License (ODbL) v1.0",
        usage="commercial",
        description="Buzzes in the form of CREMA-D.",
    )
    people = {c.speaker: {"age": 30, "sex": "male" if c.male else "female"} for c in clips}
    found.schemes["emotion"] = audformat.Scheme(labels=[*CREMA_D.values(), "no_agreement"])
    found.schemes["emotion.intensity"] = audformat.Scheme(
        labels=["low", "mid", "high", "unspecified"]
    )
    found.schemes["emotion.agreement"] = audformat.Scheme("float", minimum=0, maximum=1)
    found.schemes["corrupted"] = audformat.Scheme("bool")
    found.schemes["speaker"] = audformat.Scheme("int", labels=people)
    files = {
        "speaker": ("speaker", [clip.speaker for clip in clips]),
        "corrupted": ("corrupted", [False] * len(clips)),
    }
    table(found, "files", [clip.file for clip in clips], files)
    for split, part in by_split(clips).items():
        names = [clip.file for clip in part]
        intended = {
            "emotion": ("emotion", [clip.emotion for clip in part]),
            "emotion.intensity": ("emotion.intensity", ["unspecified"] * len(part)),
        }
        perceived = {
            "emotion": ("emotion", ["no_agreement"] * len(part)),
            "emotion.agreement": ("emotion.agreement", [0.3] * len(part)),
        }
        table(found, f"age.{split}", names[:1], {"speaker": ("speaker", [part[0].speaker])}, split)
        table(found, f"emotion.categories.desired.{split}", names, intended, split)
        table(found, f"emotion.categories.{split}.gold_standard", names, perceived, split)
    return found


def ravdess_database(clips: Sequence[Clip]) -> audformat.Database:
    """Header and tables of RAVDESS 1.1.3: speech and song, splits with types of their own."""
    found = audformat.Database(
        "ravdess",
        languages=["eng"],
        license="CC-BY-NC-SA-4.0",
        usage="research",
        description="Buzzes in the form of RAVDESS.",
    )
    people = {
        clip.speaker: {"gender": "male" if clip.male else "female", "language": "eng"}
        for clip in clips
    }
    found.schemes["emotion"] = audformat.Scheme(
        labels={emotion: {"original": f"{number:02d}"} for number, emotion in enumerate(RAVDESS, 1)}
    )
    found.schemes["emotional intensity"] = audformat.Scheme(labels=["normal", "strong"])
    found.schemes["vocal channel"] = audformat.Scheme(labels=["song", "speech"])
    found.schemes["speaker"] = audformat.Scheme("str", labels=people)
    channels = ["song" if clip.file.startswith("songs") else "speech" for clip in clips]
    files = {
        "speaker": ("speaker", [clip.speaker for clip in clips]),
        "vocal channel": ("vocal channel", channels),
    }
    table(found, "files", [clip.file for clip in clips], files)
    for channel in ("song", "speech"):
        own = [clip for clip, one in zip(clips, channels, strict=True) if one == channel]
        for split, part in by_split(own).items():
            columns = {
                "emotion": ("emotion", [clip.emotion for clip in part]),
                "emotional intensity": ("emotional intensity", ["normal"] * len(part)),
            }
            table(found, f"emotion.{channel}.{split}", [c.file for c in part], columns, split)
    return found


def publish(folder: Path, sentences: int = 1) -> audb.Repository:
    """Make the three databases and publish them.

    Args:
        folder: of the repository and of what is published from it
        sentences: utterances of each speaker and emotion

    Returns:
        the repository, for ``audb.config.REPOSITORIES``
    """
    repository = repository_in(folder)
    singing = [*ravdess(sentences), *ravdess(1, "song")]
    sets = [
        (emodb_database, emodb(sentences), "1.4.1", 16_000),
        (crema_d_database, crema_d(sentences), "1.3.0", 16_000),
        (ravdess_database, singing, "1.1.3", 48_000),
    ]
    for build, clips, version, rate in sets:
        found = build(clips)
        root = folder / "sources" / found.name
        speak(root, clips, rate, stereo=[clips[0].file] if rate == 48_000 else [])
        publish_one(found, root, version, repository)
    return repository


def repository_in(folder: Path, name: str = "audb-local") -> audb.Repository:
    """An empty repository in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    audbackend.backend.FileSystem.create(str(folder), name)
    return audb.Repository(name, str(folder), "file-system")


def publish_one(
    found: audformat.Database, root: Path, version: str, repository: audb.Repository
) -> None:
    """Publish a database whose files lie in a folder."""
    found.save(str(root))
    audb.publish(
        str(root),
        version,
        repository,
        previous_version=None,
        cache_root=audeer.mkdir(str(root.parent / "cache")),
        verbose=False,
    )
