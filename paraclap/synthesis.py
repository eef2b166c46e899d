"""Which speech can be learned from without any download: the built-in spoken corpora.

espeak-ng speaks a training corpus and eight held-out corpora that imitate the tasks of the paper
(:mod:`paraclap.voices` says who says what and how). They are stored as one audformat database: one
table per corpus, 16 kHz mono 16-bit WAV files beside it, and ``intended.parquet`` with the voice
that each utterance was meant to have. The speech is synthetic: scores on it show that the pipeline
works and say nothing about people.

Each utterance draws from its own generator, seeded by (seed, corpus, number): the files are the
same bytes whatever the number of processes, and whichever of them were there before.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import audformat
import numpy as np
import pandas as pd
import soundfile

from paraclap import (
    audio,
    espeak,
    progress,
    shaping,
    shards,
    spoken,
    tables,
    voices,
    whole,
    workers,
)

BUILT_IN = "synthesis"  # the name that asks for these corpora
INTENDED = "intended.parquet"
SETTINGS = "synthesis.json"
_SPEAKERS = (Path(espeak.__file__), Path(shaping.__file__))  # change the sound, change the key
CHUNK = 48  # utterances spoken by one start of espeak-ng


def build(
    root: str | Path,
    voices: int = 5000,
    held_out: int = 240,
    seed: int = 0,
    jobs: int | None = None,
) -> Path:
    """Speak the built-in corpora.

    What is already there for the same settings is kept: a stopped call goes on where it was, a
    finished one returns at once. Other settings replace it.

    Args:
        root: folder of the database
        voices: training utterances; 10 % for dev and 15 % for test come on top
        held_out: utterances of each held-out corpus
        seed: of everything that is drawn
        jobs: processes; all cores when None

    Returns:
        folder of the audformat database: ``db.yaml``, one table per corpus, ``<corpus>/…/*.wav``,
        ``intended.parquet`` (file, corpus, split, emotion, z per voice dimension)

    Raises:
        ModuleNotFoundError: if espeak-ng is not installed
        FileExistsError: if ``root`` holds a corpus that was not made here
        ValueError: if there are too few utterances for the classes of a corpus
        OSError: if a file cannot be written; what has been spoken is kept
        WorkerError: if processes that speak die again and again
    """
    root, jobs = Path(root), shards.checked_jobs(jobs)
    plan = _plan(voices, held_out, seed)
    settings = {"voices": voices, "held_out": held_out, "seed": seed}
    key = tables.fingerprint(settings, plan.astype({"formants": str}), *_SPEAKERS)
    if not (whole.is_free(root) and _is_done(root, plan, key)):
        with whole.alone(root):
            if not _is_done(root, plan, key):
                _build(root, plan, settings, key, jobs)
    return root


def _is_done(root: Path, plan: pd.DataFrame, key: str) -> bool:
    closed = all(tables.is_current(root / name, key) for name in (SETTINGS, INTENDED))
    return closed and set(plan["file"]) <= _files(root)


def _build(
    root: Path, plan: pd.DataFrame, settings: Mapping[str, int], key: str, jobs: int
) -> None:
    missing = plan
    if tables.is_current(root / SETTINGS, key):
        missing = plan[~plan["file"].isin(_files(root))]
    else:
        _clear(root, plan)
    espeak.loader()
    tables.write_json(settings, root / SETTINGS, key)
    _speak_all(missing, root, settings["seed"], jobs)
    for left in root.glob("*/*/*.part"):  # of processes that were killed
        left.unlink(missing_ok=True)
    with whole.atomic_files(root) as temporary:
        _database(root, plan).save(temporary, storage_format="parquet")
    tables.write_table(_intended(plan), root / INTENDED, key)


def corpus_folder(
    corpus: str,
    folder: str | Path,
    voices: int,
    held_out: int,
    seed: int = 0,
    jobs: int | None = None,
) -> Path:
    """Folder of the corpus that a run works on, spoken first when it is the built-in one.

    Args:
        corpus: ``"synthesis"`` for the built-in corpora, else a folder on disk
        folder: where the built-in corpora go
        voices: see :func:`build`, as for the following
        held_out: see :func:`build`
        seed: see :func:`build`
        jobs: see :func:`build`
    """
    if corpus != BUILT_IN:
        return Path(corpus)
    return build(folder, voices, held_out, seed, jobs)


def intended_of(root: str | Path, index: pd.MultiIndex) -> pd.DataFrame:
    """Voices that were meant, for segments of the built-in corpora.

    Args:
        root: folder that :func:`build` has made; it need not be there
        index: segments

    Returns:
        z per voice dimension, on those segments of ``index`` that were spoken here; no row for
        a real corpus
    """
    root = Path(root).resolve()
    if not (root / INTENDED).is_file():
        return pd.DataFrame(index=index[:0])
    meant = pd.read_parquet(root / INTENDED, columns=["file", *shaping.DIMENSIONS])
    meant.index = pd.Index([str(root / file) for file in meant.pop("file")])
    spoken_here = index[index.get_level_values("file").isin(meant.index)]
    return meant.loc[spoken_here.get_level_values("file")].set_index(spoken_here)


def _plan(count: int, held_out: int, seed: int) -> pd.DataFrame:
    return voices.plan(count, held_out, seed)


def _files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.glob("*/*/*.wav")}


def _clear(root: Path, plan: pd.DataFrame) -> None:
    """Remove what other settings have left, and nothing that was not made here."""
    folders = [root / corpus for corpus in plan["corpus"].unique() if (root / corpus).exists()]
    if folders and not (root / SETTINGS).exists():
        raise FileExistsError(
            f"Found {[folder.name for folder in folders[:5]]} in {tables.short(root)!r}, but no "
            f"{SETTINGS}: not made here and not replaced. Choose another folder."
        )
    (root / INTENDED).unlink(missing_ok=True)
    for folder in folders:
        shutil.rmtree(folder)


# --- speaking ----------------------------------------------------------------------------------


def _speak_all(plan: pd.DataFrame, root: Path, seed: int, jobs: int) -> None:
    for folder in {(root / file).parent for file in plan["file"]}:
        whole.make_folder(folder)
    rows = plan.to_dict("records")
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    tasks = {root / chunk[0]["file"]: chunk for chunk in chunks}
    work = functools.partial(_speak_chunk, root=root, seed=seed)
    with progress.bar("Speak the built-in corpora", len(rows)) as shown:
        for done in workers.make(tasks, work, jobs):
            shown.update(done)


def _speak_chunk(rows: list[dict[Hashable, Any]], _first: Path, root: Path, seed: int) -> int:
    with espeak.Espeak() as engine:
        for row in rows:
            values = {str(name): value for name, value in row.items()}
            _write(speak(engine, values, seed), root / values["file"])
    return len(rows)


def speak(engine: espeak.Espeak, row: Mapping[str, Any], seed: int) -> shaping.Signal:
    """Speak one utterance of the plan.

    Args:
        engine: a running espeak-ng
        row: of :func:`paraclap.voices.plan`
        seed: of the plan

    Returns:
        signal at 16 kHz, `(samples,)`
    """
    rng = np.random.default_rng([seed, row["number"], *row["corpus"].encode()])
    settings, pitch = shaping.larynx(row, row["accent"], row["formants"])
    plain = engine.speak(row["text"], settings)
    return shaping.shape(plain, row, pitch, row["noise"], row["telephone"], rng)


def _write(signal: shaping.Signal, path: Path) -> None:
    """Write 16-bit WAV, whole or not at all (not synced: one of thousands that can be remade)."""
    content = audio.encode(signal, shaping.SAMPLING_RATE, audio.SYNTHETIC)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(
            error.errno,
            f"Cannot write {tables.short(path)!r} ({error.strerror}): "
            "what has been spoken is kept. Free space or choose another folder, then run again",
        ) from error


# --- the database ------------------------------------------------------------------------------


def _database(root: Path, plan: pd.DataFrame) -> audformat.Database:
    """Database with the labels of all corpora, on the segmented index."""
    database = audformat.Database(
        "paraclap-synthesis",
        source="espeak-ng",
        usage=audformat.define.Usage.UNRESTRICTED,
        description="Synthetic speech for trying out paraclap: no person speaks here.",
        languages=["eng", "deu"],
    )
    database.media["speech"] = audformat.Media(
        format="wav", sampling_rate=shaping.SAMPLING_RATE, channels=1, bit_depth=16
    )
    _schemes(database, plan)
    index = _segments(root, plan["file"])
    for corpus, rows in plan.groupby("corpus", sort=False):
        _table(database, spoken.CORPORA[str(corpus)], rows, index[rows.index])
    return database


def _schemes(database: audformat.Database, plan: pd.DataFrame) -> None:
    emotional = plan["corpus"].isin([c.name for c in spoken.CORPORA.values() if c.emotional])
    people = plan.drop_duplicates("speaker").set_index("speaker")[["gender", "language"]]
    database.schemes["emotion"] = audformat.Scheme(
        "str", labels=sorted(plan.loc[emotional, "emotion"].unique())
    )
    database.schemes["speaker"] = audformat.Scheme("str", labels=people.to_dict("index"))
    for rating in tables.DIMENSIONS:
        database.schemes[rating] = audformat.Scheme("float", minimum=1, maximum=7)
    for split in tables.SPLITS:
        database.splits[split] = audformat.Split(type=split, description=f"{split} split")
    database.schemes["split"] = audformat.Scheme("str", labels=list(tables.SPLITS))
    for corpus in spoken.CORPORA.values():
        database.schemes[f"{corpus.name}.label"] = audformat.Scheme(
            "str", labels=list(corpus.classes)
        )


def _table(
    database: audformat.Database, corpus: spoken.Corpus, rows: pd.DataFrame, index: pd.MultiIndex
) -> None:
    """One corpus: emotion and ratings where the corpus has them, speaker, label, split."""
    single = rows["split"].nunique() == 1
    split_id = str(rows["split"].iloc[0]) if single else None
    table = audformat.Table(index, split_id=split_id, media_id="speech")
    database[corpus.name] = table
    schemes = {"speaker": "speaker", "label": f"{corpus.name}.label"}
    if corpus.emotional:
        schemes["emotion"] = "emotion"
    if corpus.rated:
        schemes |= {rating: rating for rating in tables.DIMENSIONS}
    if not single:
        schemes["split"] = "split"
    for column, scheme in schemes.items():
        table[column] = audformat.Column(scheme_id=scheme)
        table[column].set(rows[column].to_list())


def _segments(root: Path, files: pd.Series) -> pd.MultiIndex:
    """Segmented index relative to the database, ends from the length of the files."""
    seconds = [soundfile.info(root / file).duration for file in files]
    index: pd.MultiIndex = audformat.segmented_index(
        files.to_list(), [0] * len(files), pd.to_timedelta(seconds, unit="s")
    )
    return index


def _intended(plan: pd.DataFrame) -> pd.DataFrame:
    columns = ["file", "corpus", "split", "speaker", "gender", "label", "emotion"]
    return plan[[*columns, *tables.DIMENSIONS, *shaping.DIMENSIONS]]
