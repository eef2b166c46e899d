"""Real speech out of packages: fetched, checked, decoded, and nothing else kept."""

import hashlib
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from paraclap import audio, corpora
from paraclap.corpora import people, synthetic
from tests.sounds import tone

NAMES = ["usr/share/a/one.wav", "usr/share/a/two.ogg", "usr/share/b/one.wav"]


@pytest.fixture
def clips(tmp_path):
    """Three clips of two speakers in the tree of two packages, and their list."""
    forms = {"one.wav": {}, "two.ogg": {"format": "OGG", "subtype": "VORBIS"}}
    rows = []
    for path in NAMES:
        file = tmp_path / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(audio.encode(tone(1, 200), **forms[file.name]))
        rows.append([f"pack-{path[10]}", path, path[10], "female", "role", "en"])
        rows[-1].append(hashlib.md5(file.read_bytes()).hexdigest())
    columns = ["package", "path", "speaker", "gender", "stated", "language", "md5"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(tmp_path / "clips.csv", index=False)
    return tmp_path / "clips.csv"


def packed(clips, place):
    """The same as .deb files."""
    for name in "ab":
        root = place / "root" / name
        shutil.copytree(clips.with_name("tree") / "usr/share" / name, root / "usr/share" / name)
        (root / "DEBIAN").mkdir()
        about = f"Package: pack-{name}\nVersion: 1\nArchitecture: all\nMaintainer: n <n@n>\n"
        (root / "DEBIAN/control").write_text(f"{about}Description: sounds\n")
        subprocess.run(["dpkg-deb", "--build", root, place / f"pack-{name}_1_all.deb"], check=True)
    return place


def check(folder):
    table = corpora.load(folder, label_column="gender", for_testing=True)
    assert not table.attrs["failed"]
    assert list(table["speaker"]) == ["a", "a", "b"]
    assert (
        set(table["language"]) == {"en"}
        and set(table["corpus"]) == {"people"}
        and not table["synthetic"].any()
    )
    assert all(len(audio.read(*segment)) == audio.SAMPLING_RATE for segment in table.index)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "labels.csv"]


def test_clips_come_from_an_unpacked_tree(clips, tmp_path):
    check(people.build(tmp_path / "out", str(tmp_path / "tree"), clips))


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no Debian")
def test_clips_come_from_packages_given_or_downloaded(clips, tmp_path, monkeypatch):
    debs = packed(clips, tmp_path / "debs")
    check(people.build(tmp_path / "given", str(debs), clips))
    fake = tmp_path / "bin" / "apt-get"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ "$1" = download ] && cp {debs}/$2_1_all.deb .\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    check(people.build(tmp_path / "fetched", clips=clips))
    fake.write_text("#!/bin/sh\necho E: Unable to locate package >&2\nexit 100\n")
    with pytest.raises(OSError, match=r"cannot download pack-a .*Unable.*apt-get update"):
        people.build(tmp_path / "lost", clips=clips)


def test_other_clips_are_refused_and_the_rest_is_kept(clips, tmp_path):
    wrong = tmp_path / "tree" / NAMES[2]
    right = wrong.read_bytes()
    wrong.write_bytes(audio.encode(tone(1, 300)))
    with pytest.raises(ValueError, match=r"1 of 3 clips .*usr/share/b/one\.wav.*what fits is kept"):
        people.build(tmp_path / "out", str(tmp_path / "tree"), clips)
    shutil.rmtree(tmp_path / "tree/usr/share/a")  # is there already
    wrong.write_bytes(right)
    check(people.build(tmp_path / "out", str(tmp_path / "tree"), clips))


def test_without_apt_it_says_what_to_give(clips, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"'pack-a'.*unpacked on a Debian system"):
        people.build(tmp_path / "out", clips=clips)


def test_telephone_prompts_are_decoded_by_a_package_of_their_own(clips, tmp_path, monkeypatch):
    table = pd.read_csv(clips).head(1).assign(path="usr/share/a/one.g722")
    (tmp_path / "tree" / NAMES[0]).rename(tmp_path / "tree" / table["path"][0])
    table.to_csv(clips, index=False)
    monkeypatch.setitem(sys.modules, "G722", None)
    with pytest.raises(ModuleNotFoundError, match="pip install G722"):
        people.build(tmp_path / "out", str(tmp_path / "tree"), clips)
    decoder = SimpleNamespace(decode=lambda content: np.full(8_000, 2**14, np.int16))
    fake = SimpleNamespace(G722=lambda rate, bits: {(16_000, 64_000): decoder}[rate, bits])
    monkeypatch.setitem(sys.modules, "G722", fake)
    people.build(tmp_path / "out", str(tmp_path / "tree"), clips)
    (file,) = (tmp_path / "out").glob("a/*.wav")
    assert audio.read(file) == pytest.approx(np.full(8_000, 0.5), abs=1e-3)


def test_the_list_names_each_clip_once_and_no_speaker_too_often(monkeypatch):
    table = pd.read_csv(people.CLIPS, keep_default_na=False)
    about = pd.read_csv(people.CLIPS.with_name("people_packages.csv"))
    assert set(table["package"]) == set(about["package"])
    assert table["md5"].is_unique and table["path"].is_unique
    assert table["speaker"].nunique() == 42 and table.groupby("speaker").size().max() == 40
    assert (table.groupby("speaker")["gender"].nunique() == 1).all()
    assert ((table["gender"] == "") == (table["stated"] == "")).all()
    assert not set(table["language"]) & {"nn", "ar", "pt"}  # synthetic, or minors
    monkeypatch.setattr(people, "build", lambda folder: folder / "built")
    assert synthetic.corpus_folder("people", "x").name == "built"
