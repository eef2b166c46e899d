"""Real speech of 42 adults, out of packages of Debian: prompts, words, acted lines of games.

``people.csv`` names the clips, at most 40 a speaker: package, path, md5, language, and the gender
with what states it: the ``package``, the ``role``, or the first ``name`` of a contributor. Several
people who share a folder, or may be the same, count as one speaker. Minors, synthetic, clipped and
short clips are left out. There are no emotions. Clips are GPL-2, CC-BY or CC-BY-SA: they are
fetched when they are asked for, and neither they nor models of them are ours to pass on. Chapter 8.
"""

import contextlib
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from paraclap import audio, tables

CLIPS = Path(__file__).with_suffix(".csv")
LABELS = ["file", "corpus", "speaker", "gender", "language"]


def build(folder: Path, packages: str = "", clips: Path = CLIPS) -> Path:
    """Folder with the clips at 16 kHz and their ``labels.csv``, fetched unless they are there.

    ``packages`` is a folder of ``.deb`` files, or one into which they were unpacked; without it
    apt downloads them (374 MB; nothing is installed). A stopped call goes on where it was.

    Raises:
        FileNotFoundError: if there is neither apt nor such a folder, or a package is not in it
        OSError: if apt cannot download a package, or there is no room
        ValueError: if clips are not those of the list, as in another version of a package
        ModuleNotFoundError: if the decoder of G.722 is not installed
    """
    table = pd.read_csv(clips, keep_default_na=False).assign(corpus="people")
    names = table["path"].str.replace(r"\W+", "_", regex=True)
    table["file"] = table["speaker"] + "/" + names + ".wav"
    missing = table[[not (folder / file).exists() for file in table["file"]]]
    differ = list[str]()
    for package, rows in tqdm(missing.groupby("package"), "Fetch speech", disable=None):
        wanted, found = dict(zip(rows["path"], rows["file"], strict=True)), set[str]()
        for path, content in _contents(str(package), wanted, packages, folder / "packages"):
            if hashlib.md5(content).hexdigest() == rows.set_index("path")["md5"][path]:
                with tables.atomic(folder / wanted[path]) as part:
                    part.write_bytes(audio.encode(_decoded(path, content)))
                found.add(path)
        differ += sorted(wanted.keys() - found)
    if differ:
        msg = f"{len(differ)} of {len(table)} clips are not those of the list, first: {differ[:5]}"
        raise ValueError(f"{msg}: take the packages of Debian 12 or 13; what fits is kept.")
    shutil.rmtree(folder / "packages", ignore_errors=True)
    return tables.write_table(table[LABELS], folder / "labels.csv").parent


def _contents(
    package: str, wanted: Mapping[str, str], packages: str, cache: Path
) -> Iterator[tuple[str, bytes]]:
    """Paths that are wanted and their content, from a tree or a .deb file."""
    given = Path(packages).expanduser()
    for tree in (given, given / package):
        if packages and (tree / "usr").is_dir() and any((tree / path).exists() for path in wanted):
            there = (path for path in wanted if (tree / path).is_file())
            yield from ((path, (tree / path).read_bytes()) for path in there)
            return
    with contextlib.ExitStack() as stack:
        command = ["dpkg-deb", "--fsys-tarfile", str(_fetched(package, packages and given, cache))]
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
        packed = stack.enter_context(tarfile.open(fileobj=process.stdout, mode="r|"))
        for member in packed:
            path, content = member.name.removeprefix("./"), packed.extractfile(member)
            if path in wanted and content:
                yield path, content.read()


def _fetched(package: str, given: Path | str, cache: Path) -> Path:
    """The .deb file of a package: one that is given, or one that apt downloads."""
    place = Path(given or cache)
    if not given and shutil.which("apt-get") and not [*place.glob(f"{package}_*.deb")]:
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["apt-get", "download", package], cwd=place, capture_output=True)
        if done.returncode:
            why = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise OSError(f"apt cannot download {package} ({why}): run `apt-get update` as root.")
    if not (found := sorted(place.glob(f"{package}_*.deb"))) or not shutil.which("dpkg-deb"):
        msg = f"No package {package!r} in {tables.short_name(place)!r} that can be unpacked here: "
        raise FileNotFoundError(f"{msg}give the folder of packages unpacked on a Debian system.")
    return found[0]


def _decoded(path: str, content: bytes) -> audio.Signal:
    """Signal at 16 kHz; libsndfile reads everything but G.722."""
    if path.endswith(".g722"):
        try:
            import G722
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("G.722 needs a decoder: pip install G722.") from error
        samples = G722.G722(audio.SAMPLING_RATE, 64_000).decode(content)
        return np.array(samples, np.float32) / np.float32(2**15)
    with tempfile.NamedTemporaryFile(suffix=Path(path).suffix) as file:
        file.write(content)
        file.flush()
        return audio.read(file.name)
