"""Which voice is asked about? A file of the reader, a recording, or a clip of the run.

A voice is heard whole: mono, float32, 16 kHz. What a browser sends is content and a name, and goes
through the same reader as files, so that it is refused for the same reasons.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from paraclap import audio
from paraclap.features import SHORTEST
from paraclap.signals import Signals, index_path

LONGEST = 60  # seconds: longer ones are for `paraclap score` with windows
ANY = "any"
NAMED = 80  # bytes of a name that are kept


@dataclass(frozen=True)
class Voice:
    """One voice.

    Attributes:
        name: How it is called in tables.
        signal: Mono, 16 kHz, `(samples,)`.
        about: What is known of it, such as "synthetic speech, labelled anger"; may be empty.
    """

    name: str
    signal: audio.Signal
    about: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.signal) / audio.SAMPLING_RATE


def from_content(name: str, content: bytes) -> Voice:
    """Read a voice from what a browser sent; nothing of it stays on disk.

    Args:
        name: of the file, for messages and tables
        content: of a WAV, FLAC, OGG, MP3 or SPHERE file

    Raises:
        AudioError: if it cannot be read, or is too short or too long
    """
    with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
        file = Path(folder) / _last_part(name)
        file.write_bytes(content)
        return from_file(file)


def _last_part(name: str) -> str:
    """The name of a file without its folders, such as any disk takes it."""
    last = PurePosixPath(name.replace("\\", "/").replace("\0", "")).name
    kept = last.encode("utf-8", "ignore")[:NAMED].decode("utf-8", "ignore")
    return "voice" if kept in ("", ".", "..") else kept


def from_file(file: str | Path) -> Voice:
    """Read a voice from a file.

    Args:
        file: on the machine where Python runs

    Raises:
        AudioError: as :func:`from_content`
    """
    file = Path(file).expanduser()
    _check_length(file.name, audio.duration(file))
    return Voice(file.name, audio.read(file))


def _check_length(name: str, seconds: float) -> None:
    if seconds < SHORTEST:
        raise audio.AudioError(
            f"{name!r} is too short: {1000 * seconds:.0f} ms, expected at least "
            f"{1000 * SHORTEST:.0f} ms, which openSMILE needs."
        )
    if seconds > LONGEST:
        raise audio.AudioError(
            f"{name!r} is too long: {seconds:.0f} s, expected at most {LONGEST} s, which are heard "
            "at once: cut it, or ask `paraclap score` with --window."
        )


# --- clips of a run -----------------------------------------------------------------------------


def clips(labels: pd.DataFrame, corpus: str = ANY, label: str = ANY) -> pd.DataFrame:
    """The clips of a run to choose from: those of the test split, if there are any.

    Args:
        labels: labels table of a run
        corpus: only those of it
        label: only those of this class
    """
    test = labels["split"] == "test"
    chosen = labels[test] if test.any() else labels
    if corpus != ANY:
        chosen = chosen[chosen["corpus"] == corpus]
    return chosen if label == ANY else chosen[chosen["label"] == label]


def corpora(labels: pd.DataFrame) -> list[str]:
    """Names of the corpora that have clips, those that were trained on first.

    Args:
        labels: labels table of a run
    """
    trained = set(labels.loc[labels["split"] == "train", "corpus"])
    return sorted(clips(labels)["corpus"].unique(), key=lambda name: (name not in trained, name))


def title(segment: tuple[str, pd.Timedelta, pd.Timedelta], row: pd.Series) -> str:
    """How a clip is called: corpus, file, class.

    Args:
        segment: file, start, end
        row: of the labels table
    """
    file, start, _ = segment
    place = f" from {start.total_seconds():.1f} s" if start.total_seconds() else ""
    label = "" if pd.isna(row["label"]) else f", labelled {row['label']}"
    return f"{row['corpus']}: {Path(file).name}{place}{label}"


def from_clip(clip: pd.DataFrame, store: Path | None = None) -> Voice:
    """Read a clip of the run.

    Args:
        clip: one row of the labels table
        store: folder of decoded signals, for a clip whose file is not on this machine

    Raises:
        AudioError: if its file cannot be read, or it is too short or too long
        ValueError: if there is not one row
    """
    if len(clip) != 1:
        raise ValueError(f"Got {len(clip)} clips, expected one: choose it in the list.")
    segment, row = clip.index[0], clip.iloc[0]
    there = Path(segment[0]).is_file()
    signal = Signals(clip.index, None if there else store).read(0)
    name = title(segment, row)
    _check_length(name, len(signal) / audio.SAMPLING_RATE)
    synthetic = "synthetic" in clip and row["synthetic"] is not False and bool(row["synthetic"])
    return Voice(name, signal, audio.SYNTHETIC if synthetic else "")


def store_of(run: Path) -> Path | None:
    """The store of decoded signals of a run, if it has one.

    Args:
        run: folder of the run
    """
    store = run / "signals"
    return store if index_path(store).is_file() else None
