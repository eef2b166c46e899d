"""The eight corpora of the paper as they lie on disk, in small: real layouts, buzzes for speech.

Each function makes one corpus in a folder and gives this folder. Pitch and level depend on the
class, so that there is something to learn. Nobody speaks in these files; the names are made up.
"""

import zlib
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sounds import buzz

from paraclap import audio
from paraclap.corpora.paper import CORPORA

DEBRIS = ("._x.wav", ".DS_Store")


def speak(path: Path, number: int, rate: int = 16_000, format: str = "WAV") -> Path:
    """File with one of eight buzzes; the noise in it depends on its name, so no two are equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    level, place = divmod(number % 8, 4)
    noise = zlib.crc32(path.name.encode())
    signal = buzz(0.7, (100, 240)[level] + 10 * place, (0.1, 0.3)[level], noise)
    comment = "" if format == "NIST" else audio.SYNTHETIC
    path.write_bytes(audio.encode(np.resize(signal, rate * 7 // 10), rate, comment, format=format))
    return path


def write(path: Path, lines: Iterable[str], encoding: str = "utf-8") -> Path:
    """Text file of some lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)
    return path


def litter(folder: Path) -> None:
    """Files that other systems leave behind."""
    for name in DEBRIS:
        (folder / name).write_bytes(b"\0debris")


def msp_podcast(root: Path, audios: str = "Audios", dev: str = "Development") -> Path:
    """30 utterances to learn from, 10 for dev, 20 and 4 with hidden labels to test on."""
    lines = ["FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"]
    sets = [("Train", 30, 1), (dev, 10, 11), ("Test1", 10, 21), ("Test2", 10, 23), ("Test3", 4, 25)]
    number = 0
    for split, count, first in sets:
        for here in range(count):
            name = f"MSP-PODCAST_{number // 10:04d}_{number:04d}.wav"
            code = "" if split == "Test3" else "ASHNUFDCOX"[here % 10]
            speaker = first + here % (6 if split == "Train" else 2)
            gender = "Female" if speaker % 2 else "Male"
            person = "Unknown,Unknown" if number == 3 else f"{speaker},{gender}"
            steps = (number % 7, 3 * number % 7 * 0.95, 5 * number % 7 * 0.9)
            ratings = ",".join(f"{1 + step:.2f}" for step in steps)
            lines.append(f"{name},{code},{ratings},{person},{split}")
            speak(root / audios / name, here)
            number += 1
    write(root / "Labels" / "labels_consensus.csv", lines)
    litter(root / audios)
    return root


def iemocap(root: Path) -> Path:
    """Two actors in each of five sessions, ten utterances in the four classes and two others."""
    codes = ("ang", "hap", "exc", "neu", "sad", "ang", "hap", "neu", "sad", "exc", "fru", "xxx")
    for session in range(1, 6):
        folder = root / f"Session{session}"
        for marked in "FM":
            dialogue = f"Ses{session:02d}{marked}_impro01"
            lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
            for number, code in enumerate(codes):
                name = f"{dialogue}_{'MF'[number // 2 % 2]}{number:03d}"
                lines += [f"[{number}.0000 - {number}.9000]\t{name}\t{code}\t[2.5, 2.5, 2.5]"]
                lines += ["C-E2:\tNeutral;\t()", ""]
                speak(folder / "sentences" / "wav" / dialogue / f"{name}.wav", number)
            write(folder / "dialog" / "EmoEvaluation" / f"{dialogue}.txt", lines)
        litter(folder / "dialog" / "EmoEvaluation")
        (folder / "dialog" / "EmoEvaluation" / f"._{dialogue}.txt").write_bytes(b"\0debris")
    return root


def ravdess(root: Path, nested: bool = True) -> Path:
    """Four actors, eight emotions, at 48 kHz; a song and a video beside them."""
    for actor in range(1, 5):
        folder = root / f"Actor_{actor:02d}" if nested else root
        for code in range(1, 9):
            name = f"03-01-{code:02d}-01-02-01-{actor:02d}.wav"
            speak(folder / name, code, 48_000)
        speak(folder / f"03-02-03-01-02-01-{actor:02d}.wav", actor, 48_000)
        (folder / f"01-01-03-01-02-01-{actor:02d}.mp4").write_bytes(b"no video")
        litter(folder)
    return root


def crema_d(root: Path, people: bool = True) -> Path:
    """Four actors, six emotions, and the file without sound."""
    actors = {1001: "Male", 1002: "Female", 1003: "Female", 1076: "Male"}
    for actor in actors:
        for number, code in enumerate(("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")):
            speak(root / "AudioWAV" / f"{actor}_DFA_{code}_HI.wav", number)
    silent = audio.encode(np.zeros(0, np.float32), comment=audio.SYNTHETIC)
    (root / "AudioWAV" / "1076_MTI_SAD_XX.wav").write_bytes(silent)
    litter(root / "AudioWAV")
    if people:
        rows = [f'"{actor}","40","{sex}","African American",""' for actor, sex in actors.items()]
        write(root / "VideoDemographics.csv", ['"ActorID","Age","Sex","Race","Ethnicity"', *rows])
    return root


def tess(root: Path, form: str = "nested") -> Path:
    """Two actresses, seven emotions, two words; nested, flat or in data/, with names in any case.

    One file is at 96 kHz, the others at 24,414 Hz, and one has the shorter name of its actress.
    """
    codes = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
    for actress, word, code in product(("OAF", "YAF"), ("back", "bite"), codes):
        folder = {"nested": root / f"{actress}_{code}", "data": root / "data"}.get(form, root)
        name = f"{actress}_{word}_{code.title() if form == 'flat' else code}"
        if (actress, word, code) == ("OAF", "bite", "neutral"):
            name = "OA_bite_neutral"
        fine = (actress, word, code) == ("YAF", "back", "sad")
        speak(folder / f"{name}.wav", codes.index(code), 96_000 if fine else 24_414)
    litter(root)
    return root


def fau_aibo(root: Path, questions: str = "25", suffix: str = ".wav") -> Path:
    """Two children of each school, in NIST SPHERE, and the label files of the questions asked."""
    lines: dict[str, list[str]] = {"2": [], "5": []}
    for school, takes in (("Ohm", 1), ("Mont", 2)):
        for child in (1, 2):
            for number in range(5 * takes):
                name = f"{school}_{child:02d}_{number:03d}_00"
                code = "AENPR"[number % 5]
                lines["5"].append(f"{name} {code} 0.{number}")
                lines["2"].append(f"{name} {'NEG' if code in 'AE' else 'IDL'} 0.{number}")
                speak(root / "wav" / f"{name}{suffix}", number, format="NIST")
    folder = root / "labels" / "IS2009EmotionChallenge"
    for question in questions:
        write(folder / f"chunk_labels_{question}cl_corpus.txt", lines[question])
    litter(root / "wav")
    return root


def alc(root: Path, train: bool = False, suffix: str = "") -> Path:
    """Eight utterances to test on; eight to learn from, mostly named without their audio."""
    lines = ["file,challenge_class"]
    for start, folder in (("TR", "TRAIN"), ("DE", "DEVEL"), ("TE", "TEST")):
        for number in range(8):
            name = f"{start}_{number:04d}"
            lines.append(f"{name}{suffix},{('AL', 'NAL')[number % 2]}")
            if train or start == "TE":
                speak(root / "DIST" / folder / f"{name}.wav", number % 2 + 4 * (number % 2), 44_100)
    write(root / "ALC.csv", lines)
    return root


def sld(root: Path, suffix: str = ".wav") -> Path:
    """Four telephone voices for each of training and dev, eight to test on, in NIST SPHERE."""
    lines = ["file;likability"]
    for split, count in (("train", 4), ("devel", 4), ("test", 8)):
        for number in range(count):
            lines.append(f"{split}_{number:03d}.wav;{('L', 'NL')[number % 2]}")
            path = root / "wav" / f"{split}_{number:03d}{suffix}"
            speak(path, number % 2 + 4 * (number % 2), 8_000, "NIST")
    write(root / "LSC_final_geheim.csv", lines)
    return root


MAKERS: dict[str, Callable[[Path], Path]] = {
    "msp-podcast": msp_podcast, "iemocap": iemocap, "ravdess": ravdess, "crema-d": crema_d,
    "tess": tess, "fau-aibo": fau_aibo, "alc": alc, "sld": sld,
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
