"""The eight corpora of the paper as they lie on disk, in small: real layouts, buzzes for speech.

Each function makes one corpus in a folder and gives this folder. Label files are those of
``data/layouts``; ``clips.csv`` there names all audio. Pitch and level depend on the class, so that
there is something to learn. Nobody speaks in these files; the names are made up.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sounds import buzz

from paraclap import audio
from paraclap.corpora.paper import CORPORA

DATA = Path(__file__).parent / "data" / "layouts"
CLIPS = pd.read_csv(DATA / "clips.csv")


def speak(path: Path, number: int, rate: int = 16_000, format: str = "WAV") -> Path:
    """File with one of eight buzzes; the noise in it depends on its name, so no two are equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    level, place = divmod(number % 8, 4)
    noise = zlib.crc32(path.name.encode())
    signal = buzz(0.7, (100, 240)[level] + 10 * place, (0.1, 0.3)[level], noise)
    comment = "" if format == "NIST" else audio.SYNTHETIC
    path.write_bytes(audio.encode(np.resize(signal, rate * 7 // 10), rate, comment, format=format))
    return path


def write(path: Path, lines: Iterable[str]) -> Path:
    """Text file of some lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def make(name: str, root: Path, changes: Mapping[str, Any] | None = None, no: str = "$^") -> Path:
    """A corpus but for the paths that match ``no``; regular ``changes`` hold for paths and texts.

    In each folder lie files that other systems leave behind.
    """

    def changed(text: str) -> str:
        for pattern, new in (changes or {}).items():
            text = re.sub(pattern, new, text)
        return text

    rows = CLIPS[(CLIPS["corpus"] == name) & ~CLIPS["file"].str.contains(no)]
    for file, *how in rows[["file", "buzz", "rate", "format"]].itertuples(index=False):
        speak(root / changed(file), *how)
    texts = {file.relative_to(DATA / name).as_posix(): file for file in (DATA / name).rglob("*.*")}
    for file, source in texts.items():
        if not re.search(no, file):
            write(root / changed(file), changed(source.read_text("utf-8")).splitlines())
    for folder in {root / "x", *root.rglob("*.wav"), *root.rglob("*_impro01.txt")}:
        for debris in ("._x.wav", ".DS_Store", "._Ses01F_impro01.txt"):
            (folder.parent / debris).write_bytes(b"\0debris")
    return root


def msp_podcast(root: Path, audios: str = "Audios", dev: str = "Development") -> Path:
    """30 utterances to learn from, 10 for dev, 20 and 4 with hidden labels to test on."""
    return make("msp-podcast", root, {"Audios": audios, "Development": dev})


def ravdess(root: Path, nested: bool = True) -> Path:
    """Four actors, eight emotions, at 48 kHz; a song and a video beside them."""
    return make("ravdess", root, {} if nested else {"Actor_.*/": ""})


def crema_d(root: Path, people: bool = True) -> Path:
    """Four actors, six emotions, and the file without sound."""
    make("crema-d", root, no="$^" if people else "Demographics")
    silent = audio.encode(np.zeros(0, np.float32), comment=audio.SYNTHETIC)
    (root / "AudioWAV" / "1076_MTI_SAD_XX.wav").write_bytes(silent)
    return root


def tess(root: Path, form: str = "nested") -> Path:
    """Two actresses, seven emotions, two words; nested, flat or in data/, with names in any case.

    One file is at 96 kHz, the others at 24,414 Hz, and one has the shorter name of its actress.
    """
    flat = {".*/": "", r"[a-z]+\.wav": lambda found: found[0].capitalize()}
    return make("tess", root, {"flat": flat, "data": {".*/": "data/"}}.get(form))


def fau_aibo(root: Path, questions: str = "25", suffix: str = ".wav") -> Path:
    """Two children of each school, in NIST SPHERE, and the label files of the questions asked."""
    return make("fau-aibo", root, {r"\.wav": suffix}, f"labels_[^{questions}]cl")


def alc(root: Path, train: bool = False, suffix: str = "") -> Path:
    """Eight utterances to test on; eight to learn from, mostly named without their audio."""
    return make("alc", root, {r"(?m)^(.._\d+)": rf"\1{suffix}"}, "$^" if train else "TRAIN|DEVEL")


def sld(root: Path, suffix: str = ".wav") -> Path:
    """Four telephone voices for each of training and dev, eight to test on, in NIST SPHERE."""
    return make("sld", root, {r"\.wav$": suffix})


MAKERS: dict[str, Callable[[Path], Path]] = {
    "msp-podcast": msp_podcast, "iemocap": partial(make, "iemocap"), "ravdess": ravdess,
    "crema-d": crema_d, "tess": tess, "fau-aibo": fau_aibo, "alc": alc, "sld": sld,
}  # fmt: skip


def everything(root: Path) -> dict[str, str]:
    """Folders of all eight corpora, by the names that they are asked for."""
    return {name: str(make(root / name.upper())) for name, make in MAKERS.items()}


def read(name: str, root: str | Path) -> pd.DataFrame:
    """Table of a corpus in a folder, with its notes in `attrs`."""
    table, _, said = CORPORA[name].read(Path(root))
    table.attrs["notes"] = said
    return table


def notes(table: pd.DataFrame) -> str:
    """Notes of a table as one text."""
    return "\n".join(table.attrs["notes"])
