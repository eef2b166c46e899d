"""The whole book on a corpus that is nothing like the built-in one, as its owner would have it."""

from __future__ import annotations

import json
from pathlib import Path

import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from paraclap import book, features, params, tables

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "params" / "folder.yaml"

PITCH = {"angry": 1.5, "bored": 0.8, "happy": 1.3}
LEVEL = {"angry": 0.5, "bored": 0.05, "happy": 0.3}
TAKES = 2  # of each speaker and emotion

# Of each speaker: folder, suffix, sampling rate in Hz, channels.
SPEAKERS = {
    "Änne": ("Erste Sitzung/Änne", "wav", 8_000, 1),
    "Björn": ("Erste Sitzung/Björn", "flac", 16_000, 1),
    "Chloé": ("Erste Sitzung/Chloé", "ogg", 22_050, 1),
    "Dörte": ("zweite/tief/er/Dörte", "mp3", 44_100, 2),
    "Emil": ("zweite/tief/er/Emil", "wav", 48_000, 2),
    "Fatma": ("zweite/Fatma & Co", "flac", 44_100, 2),
    "Götz": ("zweite/Götz #1", "ogg", 48_000, 2),
    "Heike": (".", "mp3", 22_050, 1),
    "Igor": ("eine lange Datei", "wav", 16_000, 1),  # all takes in one file
    "José": ("zweite", "WAV", 22_050, 2),
}
OVERRIDES = [
    "audio_encoder=smoke",
    "text_encoder=smoke",
    "projection_dim=16",
    "batch=8",
    "steps=8",
    "crop_seconds=0.8",
    "draws=50",
    "jobs=2",
    "variants=only_emo,rand5",
    "measure_seconds=0.05",
    "measure_repeats=2",
    "probe_draws=2",
    "control_steps=2",
]


def voice(pitch: float, level: float, seconds: float, rate: int, seed: int) -> np.ndarray:
    """Pulses of a wavering pitch through two resonances, in syllables; no speech."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    hertz = pitch * (1 + 0.1 * np.sin(2 * np.pi * 3 * time + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    harmonics = range(1, int(0.45 * rate / hertz.max()))
    gains = [1 / n + 2 * np.exp(-(((n * pitch - 600) / 200) ** 2)) for n in harmonics]
    wave = sum(gain * np.sin(n * phase) for n, gain in zip(harmonics, gains, strict=True))
    syllables = 0.15 + 0.85 * np.sin(np.pi * 4 * time) ** 2
    noise = 0.01 * rng.normal(size=len(time))
    return level * (wave / np.abs(wave).max() * syllables + noise)


def write(file: Path, signal: np.ndarray, rate: int, channels: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if channels == 2:
        signal = np.stack([signal, 0.7 * signal], axis=1)
    soundfile.write(file, signal, rate, format=file.suffix[1:].upper())


def takes() -> list[dict]:
    """Who says what how long, with ratings for some."""
    rows = []
    for number, person in enumerate(SPEAKERS):
        for place, emotion in enumerate([*PITCH] * TAKES):
            seed = 10 * number + place
            rows.append(
                {
                    "person": person,
                    "feeling": emotion,
                    "hertz": (110 + 13 * number) * PITCH[emotion],
                    "level": LEVEL[emotion],
                    "seconds": 0.6 + 0.013 * seed,
                    "seed": seed,
                    "excitement": None if seed % 7 == 0 else 10 * LEVEL[emotion] + seed % 3,
                    "sex": ("w", "m", "M", "x")[number % 4] if seed % 5 else None,
                }
            )
    return rows


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CSV whose columns, files and formats are the owner's own."""
    root = tmp_path_factory.mktemp("user") / "Meine Stimmen (2024)"
    rows, parts = [], []
    for take in takes():
        folder, suffix, rate, channels = SPEAKERS[take["person"]]
        asked = (take[name] for name in ("hertz", "level", "seconds"))
        signal = voice(*asked, rate, take["seed"])
        row = {"wer": take["person"], "Gefühl": take["feeling"], "Erregung": take["excitement"]}
        row |= {"Geschlecht": take["sex"], "Bemerkung": "nichts, wirklich"}
        if folder == "eine lange Datei":
            first = sum(len(part) for part in parts) / rate
            row |= {"Pfad": f"{folder}/alles.{suffix}", "von": first}
            row["bis"] = first + len(signal) / rate
            parts.append(signal)
        else:
            name = f"{take['seed']:02d} {take['feeling']} + ü.{suffix}"
            write(root / folder / name, signal, rate, channels)
            row["Pfad"] = f"{folder}/{name}"
        rows.append(row)
    write(root / "eine lange Datei/alles.wav", np.concatenate(parts), 16_000, 1)
    table = pd.DataFrame([*rows, *bad(root)])
    table.loc[[3, 20, 37], "Gefühl"] = None
    table.to_csv(root / "Liste der Aufnahmen.csv", index=False, encoding="utf-8-sig")
    (root / "notes.csv").write_text("another table, of no use\n")
    return root


def bad(root: Path) -> list[dict]:
    """Three files of which nothing can be said, in the table like all others."""
    (root / "kaputt.flac").write_bytes(b"fLaC" + bytes(3000))
    write(root / "30 ms.wav", voice(200, 0.3, 0.03, 16_000, 0), 16_000, 1)
    write(root / "still.ogg", np.zeros(22_050), 22_050, 1)
    names = ("kaputt.flac", "30 ms.wav", "still.ogg")
    return [
        {"Pfad": name, "wer": person, "Gefühl": "happy", "Erregung": 3.0}
        for name, person in zip(names, ("Änne", "Igor", "Emil"), strict=True)
    ]


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the run, with pages beside it."""
    place = tmp_path_factory.mktemp("folder-book")
    columns = "Pfad=file,von=start,bis=end,wer=speaker,Gefühl=emotion,Geschlecht=gender"
    own = [f"corpus={corpus}", "corpus_table=Liste der Aufnahmen.csv"]
    own += [f"columns={columns},Erregung=arousal", "run=mine"]
    own += [f"your_corpus={corpus}", "your_table=Liste der Aufnahmen.csv"]
    own += [f"your_columns={columns},Erregung=arousal", "your_candidates=angry,bored,happy"]
    return book.run(FOLDER, runs=str(place), overrides=[*own, *OVERRIDES])


def test_folder_yaml_names_what_a_user_has_to_change():
    given = yaml.safe_load(FOLDER.read_text())
    assert {"corpus", "corpus_table", "label_column", "columns"} <= set(given)
    assert params.declared_by_all(book.notebooks(ROOT / "book"))["corpus"].default == "synthesis"


def test_every_good_segment_is_measured_and_every_bad_one_listed_with_its_reason(run):
    labels = tables.read_table(run / "labels.parquet")
    measured = tables.read_table(run / "features.parquet")
    lost = features.failed(run / "features.parquet")["reason"]
    assert len(labels) == len(SPEAKERS) * len(PITCH) * TAKES + 3
    assert len(measured) == len(labels) - 3
    said = {Path(file).name: reason for (file, *_), reason in lost.items()}
    assert "cannot be read as audio" in said["kaputt.flac"]
    assert "30 ms of signal" in said["30 ms.wav"]
    assert "Silent" in said["still.ogg"]
    later = [tables.read_table(run / f"{name}.parquet") for name in ("queries", "predictions")]
    assert not any(table.index.isin(lost.index).any() for table in [measured, *later])


def test_features_are_those_of_the_voices_whatever_the_format(run):
    measured = tables.read_table(run / "features.parquet")
    labels = tables.read_table(run / "labels.parquet").loc[measured.index]
    by_speaker = {person: labels["speaker"] == person for person in SPEAKERS}
    for person, own in by_speaker.items():
        wanted = [take for take in takes() if take["person"] == person]
        found = measured[own.to_numpy()]
        seconds = [take["seconds"] for take in wanted]
        np.testing.assert_allclose(found["duration"], seconds, atol=0.05, err_msg=person)
        semitones = 12 * np.log2(np.array([take["hertz"] for take in wanted]) / 27.5)
        pitch = found["F0semitoneFrom27.5Hz_sma3nz_amean"]
        assert (np.abs(pitch - semitones) < 1).mean() > 0.6, person


def test_what_the_owner_says_becomes_the_words_of_the_book(run):
    labels = tables.read_table(run / "labels.parquet")
    assert set(labels["emotion"].dropna()) == {"anger", "boredom", "happiness"}
    assert set(labels["gender"].dropna()) == {"female", "male"}
    assert labels["emotion"].isna().sum() == 3
    assert labels["arousal"].notna().any()
    assert labels[["valence", "dominance"]].isna().all(axis=None)
    assert set(labels["corpus"]) == {"Meine Stimmen (2024)"}
    long = labels[labels.index.get_level_values("file").str.endswith("alles.wav")]
    assert len(long) == len(PITCH) * TAKES
    assert long.index.get_level_values("start").is_monotonic_increasing


def test_no_speaker_is_in_two_splits(run):
    labels = tables.read_table(run / "labels.parquet")
    assert labels.groupby("speaker")["split"].nunique().max() == 1
    assert set(labels["split"]) == set(tables.SPLITS)


def test_the_corpus_is_asked_its_own_question(run):
    row = tables.read_table(run / "scores.csv").set_index("task").loc["Meine Stimmen (2024)"]
    assert row["classes"] == 3
    assert row["chance"] == pytest.approx(1 / 3)
    predictions = tables.read_table(run / "predictions.parquet")
    assert len(predictions) == row["n"]
    assert set(predictions["truth"]) == {"anger", "boredom", "happiness"}
    assert predictions["speaker"].nunique() == row["speakers"] == 2


def test_levels_exist_for_what_is_known_and_for_nothing_else(run):
    edges = tables.read_json(run / "edges.json")
    queries = tables.read_table(run / "queries.parquet")
    assert {"pitch", "duration", "arousal"} <= set(queries)
    assert not {"valence", "dominance"} & set(queries.columns[queries.notna().any()])
    assert "dominance" not in str(edges)
    assert not queries["queries"].map(lambda said: any("domina" in one for one in said)).any()


def test_the_last_chapter_answers_for_each_file_that_can_be_read(run):
    answers = tables.read_table(run / "answers.csv")
    names = {Path(file).name for file in answers.index.get_level_values("file")}
    assert len(answers) == len(SPEAKERS) * len(PITCH) * TAKES + 2
    assert "kaputt.flac" not in names
    assert set(answers["prediction"]) <= {"angry", "bored", "happy"}
    told = (run / "notebooks" / "08_your_corpus.ipynb").read_text("utf-8")
    assert "Not read: " in told and "kaputt.flac" in told
    assert "voices have a label that was asked for: anger, boredom, happiness" in told


def test_all_chapters_were_executed_without_a_warning_or_a_path_of_this_machine(run, corpus):
    for notebook in book.notebooks(ROOT / "book"):
        text = (run / "notebooks" / f"{notebook.stem}.ipynb").read_text("utf-8")
        outputs = [cell.get("outputs", []) for cell in json.loads(text)["cells"]]
        told = json.dumps(outputs, ensure_ascii=False)
        assert '"name": "stderr"' not in told, notebook.stem
        assert '"output_type": "error"' not in told, notebook.stem
        private = (corpus.parent, run.parent, ROOT)
        assert not [str(path) for path in private if f"{path}/" in told], notebook.stem


def test_an_audformat_database_goes_the_same_way(tmp_path):
    root = database(tmp_path / "db")
    own = [f"corpus={root}", "corpus_table=", "run=db", "jobs=1"]
    for chapter in ("01", "02", "03"):
        run = book.run(FOLDER, runs=str(tmp_path / "runs"), overrides=own, only=chapter)
    labels = tables.read_table(run / "labels.parquet")
    assert set(labels["corpus"]) == {"tones"}
    assert set(labels["gender"]) == {"female", "male"}
    assert labels.groupby("speaker")["split"].first().to_dict() == SPLIT_OF
    assert set(labels["language"]) == {"de"}
    assert len(tables.read_table(run / "queries.parquet")) == len(labels) == 18


SPLIT_OF = {"a": "train", "b": "train", "c": "train", "d": "train", "e": "dev", "f": "test"}


def database(root: Path) -> Path:
    """Emotions and ratings in tables of their own; gender in the scheme of the speakers."""
    database = audformat.Database("tones", languages=["deu"])
    people = {name: {"gender": ("female", "male")[i % 2]} for i, name in enumerate(SPLIT_OF)}
    database.schemes["who"] = audformat.Scheme("str", labels=people)
    database.schemes["emotion"] = audformat.Scheme("str", labels=["anger", "boredom", "happiness"])
    database.schemes["rating"] = audformat.Scheme("float", minimum=1, maximum=7)
    for split in tables.SPLITS:
        database.splits[split] = audformat.Split(split)
        rows = [(who, word) for who, own in SPLIT_OF.items() if own == split for word in LEVEL]
        names = [f"audio/{who}/{word}.flac" for who, word in rows]
        for name, (who, word) in zip(names, rows, strict=True):
            word = {"anger": "angry", "boredom": "bored", "happiness": "happy"}.get(word, word)
            seed = ord(who)
            write(root / name, voice(seed * PITCH[word], LEVEL[word], 0.7, 16_000, seed), 16_000, 1)
        table = audformat.Table(audformat.filewise_index(names), split_id=split)
        database[f"tones.{split}"] = table
        nouns = {"angry": "anger", "bored": "boredom", "happy": "happiness"}
        for column, scheme, values in (
            ("speaker", "who", [who for who, _ in rows]),
            ("emotion", "emotion", [nouns[word] for _, word in rows]),
            ("arousal", "rating", [1 + 10 * LEVEL[word] for _, word in rows]),
        ):
            table[column] = audformat.Column(scheme_id=scheme)
            table[column].set(values)
    database.save(str(root))
    return root
