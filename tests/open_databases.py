"""Small databases in the form of EmoDB, CREMA-D and RAVDESS, published where audb finds them.

Buzzes under the names, versions, tables, columns, schemes and file names of the real databases, in
a repository that is a folder.

Facts: https://audeering.github.io/datasets
"""

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
from audformat import Database
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


def emodb() -> list[Clip]:
    """Utterances of four speakers, no dev split."""
    people = {3: ("train", True), 8: ("train", False), 15: ("test", True), 16: ("test", False)}
    return [
        Clip(f"wav/{speaker:02d}a01{code}a.wav", speaker, emotion, split, male)
        for speaker, (split, male) in people.items()
        for code, emotion in EMODB.items()
    ]


def crema_d() -> list[Clip]:
    """Utterances of eight actors."""
    splits = ("train",) * 4 + ("dev",) * 2 + ("test",) * 2
    return [
        Clip(f"{actor}/{actor}_IEO_{code}_XX.wav", actor, emotion, split, bool(actor % 2))
        for actor, split in enumerate(splits, 1001)
        for code, emotion in CREMA_D.items()
    ]


def ravdess(channel: str = "speech") -> list[Clip]:
    """Utterances of six actors, of the speech or the song part."""
    splits = {2: "train", 5: "train", 16: "dev", 17: "dev", 21: "test", 24: "test"}
    form = {"speech": "speech/actor_{1:02d}/03-01", "song": "songs/actor_{1:02d}/03-02"}[channel]
    form += "-{0:02d}-01-01-01-{1:02d}.wav"
    return [
        Clip(form.format(number, actor), f"{actor:02d}", emotion, split, bool(actor % 2))
        for actor, split in splits.items()
        for number, emotion in enumerate(RAVDESS, 1)
    ]


def speak(root: Path, clips: Sequence[Clip], rate: int, stereo: Sequence[str] = ()) -> None:
    """Write utterances at a sampling rate in Hz, some of them with two channels."""
    for clip in clips:
        pitch, level = VOICES[clip.emotion]
        pitch *= 100 if clip.male else 190
        signal = np.resize(buzz(0.7, pitch, level, zlib.crc32(clip.file.encode())), rate * 7 // 10)
        file = write(root / clip.file, signal, rate)
        file.write_bytes(audio.encode(signal, rate, audio.SYNTHETIC))
        if clip.file in stereo:
            write(file, np.stack([signal, signal / 2], axis=1), rate)


def table(
    found: Database, name: str, clips: Sequence[Clip], columns: Mapping[str, Any], split: str = ""
) -> None:
    """Add a table of files: column → its values, or one for all; schemes have the names."""
    if split and split not in found.splits:
        found.splits[split] = audformat.Split(type=split)
    files = audformat.filewise_index([clip.file for clip in clips])
    found[name] = audformat.Table(files, **({"split_id": split} if split else {}))
    for column, values in columns.items():
        found[name][column] = audformat.Column(scheme_id=column)
        found[name][column].set(values)


def emotions(clips: Sequence[Clip]) -> list[str]:
    """Emotions of utterances."""
    return [clip.emotion for clip in clips]


def by_split(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    """Utterances of each split."""
    splits = dict.fromkeys(clip.split for clip in clips)
    return {split: [clip for clip in clips if clip.split == split] for split in splits}


def gender(clip: Clip) -> str:
    """Gender of the speaker of an utterance."""
    return "male" if clip.male else "female"


def emodb_database(clips: Sequence[Clip]) -> Database:
    """Header and tables of EmoDB 1.4.1: speakers in a table of their own, German."""
    found = Database("emodb", languages=["deu"], license="CC0-1.0", usage="unrestricted")
    found.schemes["emotion"] = audformat.Scheme(labels=list(EMODB.values()))
    found.schemes["emotion.confidence"] = audformat.Scheme("float", minimum=0, maximum=1)
    found.schemes["gender"] = audformat.Scheme("str", labels=["female", "male"])
    found.schemes["language"] = audformat.Scheme("str")
    people = {clip.speaker: clip for clip in clips}
    found["speaker"] = audformat.MiscTable(pd.Index(list(people), dtype="Int64", name="speaker"))
    columns = {"gender": [gender(clip) for clip in people.values()], "language": "deu"}
    for column, values in columns.items():
        found["speaker"][column] = audformat.Column(scheme_id=column)
        found["speaker"][column].set(values)
    found.schemes["speaker"] = audformat.Scheme("int", labels="speaker")
    table(found, "files", clips, {"speaker": [clip.speaker for clip in clips]})
    table(found, "emotion", clips, {"emotion": emotions(clips), "emotion.confidence": 0.9})
    for split, part in by_split(clips).items():
        columns = {"emotion": emotions(part), "emotion.confidence": 0.9}
        table(found, f"emotion.categories.{split}.gold_standard", part, columns, split)
    return found


def crema_d_database(clips: Sequence[Clip]) -> Database:
    """Header and tables of CREMA-D 1.3.0: intended and perceived emotions, sex of the speakers."""
    found = Database("crema-d", languages=["eng"], license="ODbL-1.0", usage="commercial")
    people = {clip.speaker: {"age": 30, "sex": gender(clip)} for clip in clips}
    found.schemes["emotion"] = audformat.Scheme(labels=[*CREMA_D.values(), "no_agreement"])
    found.schemes["emotion.agreement"] = audformat.Scheme("float", minimum=0, maximum=1)
    found.schemes["corrupted"] = audformat.Scheme("bool")
    found.schemes["speaker"] = audformat.Scheme("int", labels=people)
    speakers = [clip.speaker for clip in clips]
    table(found, "files", clips, {"speaker": speakers, "corrupted": False})
    for split, part in by_split(clips).items():
        table(found, f"age.{split}", part[:1], {"speaker": part[0].speaker}, split)
        intended, perceived = {"emotion": emotions(part)}, {"emotion": "no_agreement"}
        table(found, f"emotion.categories.desired.{split}", part, intended, split)
        perceived |= {"emotion.agreement": 0.3}
        table(found, f"emotion.categories.{split}.gold_standard", part, perceived, split)
    return found


def ravdess_database(clips: Sequence[Clip]) -> Database:
    """Header and tables of RAVDESS 1.1.3: speech and song, splits with types of their own."""
    found = Database("ravdess", languages=["eng"], license="CC-BY-NC-SA-4.0", usage="research")
    people = {clip.speaker: {"gender": gender(clip), "language": "eng"} for clip in clips}
    codes = {emotion: {"original": f"{number:02d}"} for number, emotion in enumerate(RAVDESS, 1)}
    found.schemes["emotion"] = audformat.Scheme(labels=codes)
    found.schemes["vocal channel"] = audformat.Scheme(labels=["song", "speech"])
    found.schemes["speaker"] = audformat.Scheme("str", labels=people)
    channels = ["song" if clip.file.startswith("songs") else "speech" for clip in clips]
    speakers = [clip.speaker for clip in clips]
    table(found, "files", clips, {"speaker": speakers, "vocal channel": channels})
    for channel in ("song", "speech"):
        own = [clip for clip, one in zip(clips, channels, strict=True) if one == channel]
        for split, part in by_split(own).items():
            columns = {"emotion": emotions(part)}
            table(found, f"emotion.{channel}.{split}", part, columns, split)
    return found


def publish(folder: Path) -> audb.Repository:
    """Repository in a folder with the three databases, for ``audb.config.REPOSITORIES``."""
    repository = repository_in(folder)
    sets = [
        (emodb_database, emodb(), "1.4.1", 16_000),
        (crema_d_database, crema_d(), "1.3.0", 16_000),
        (ravdess_database, [*ravdess(), *ravdess("song")], "1.1.3", 48_000),
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


def publish_one(found: Database, root: Path, version: str, repository: audb.Repository) -> None:
    """Publish a database whose files lie in a folder."""
    found.save(str(root))
    cache = audeer.mkdir(str(root.parent / "cache"))
    form: dict[str, Any] = {"previous_version": None, "cache_root": cache, "verbose": False}
    audb.publish(str(root), version, repository, **form)
