"""What is not as it should be in the folders of the paper's corpora: told, left out or refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import layouts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraclap.corpora.paper import CORPORA, base


def read(name, root):
    return CORPORA[name].read(root)


def notes(table):
    return "\n".join(table.attrs["notes"])


@pytest.mark.parametrize("name", CORPORA)
def test_another_folder_is_named_with_what_it_should_hold_and_where_to_get_it(tmp_path, name):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(FileNotFoundError) as error:
        read(name, tmp_path)
    said = str(error.value)
    corpus = CORPORA[name]
    assert corpus.title in said
    assert corpus.layout in said
    assert corpus.url in said
    assert "holiday.jpg" in said
    assert str(tmp_path.parent) not in said


@pytest.mark.parametrize("name", CORPORA)
def test_a_folder_around_the_corpus_will_do(everything, tmp_path, name):
    around = tmp_path / "download"
    shutil.copytree(everything[name], around / "inner")
    assert len(read(name, around)) == len(read(name, Path(everything[name])))


@pytest.mark.parametrize("name", CORPORA)
def test_of_two_copies_in_a_folder_both_are_named(everything, tmp_path, name):
    around = tmp_path / "all"
    for copy in ("new", "old"):
        shutil.copytree(everything[name], around / copy)
    expected = len(read(name, Path(everything[name])))
    # Files of RAVDESS and TESS may lie two folders deep: there the copies look like one corpus.
    if name in ("ravdess", "tess"):
        table = read(name, around)
        assert len(table) == expected
        assert re.search(
            r"files are there twice, such as 'new.* and 'old.*count once", notes(table)
        )
    else:
        message = "2 copies of it in 'all': 'new', 'old'. Give the folder of"
        with pytest.raises(FileNotFoundError, match=message) as error:
            read(name, around)
        assert str(tmp_path) not in str(error.value)
    assert len(read(name, around / "old")) == expected


@pytest.mark.parametrize("name", CORPORA)
def test_labels_without_any_audio_are_no_corpus(everything, tmp_path, name):
    root = tmp_path / name
    shutil.copytree(everything[name], root)
    for path in root.rglob("*.wav"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(CORPORA[name].url)):
        read(name, root)


TABLES = {
    "msp-podcast": ("Labels/labels_consensus.csv", ",A,", ",Q,", "Q"),
    "iemocap": ("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "\tang\t", "\tyay\t", "yay"),
    "fau-aibo": (
        "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt", " A ", " Z ", "Z",
    ),
    "alc": ("ALC.csv", ",AL", ",DRUNK", "DRUNK"),
    "sld": ("LSC_final_geheim.csv", ";L\n", ";XL\n", "XL"),
}  # fmt: skip


def changed(everything, tmp_path, name, change):
    """Copy of a corpus with its label file changed, and the name of this file."""
    root = tmp_path / name
    shutil.copytree(everything[name], root)
    path = root / TABLES[name][0]
    path.write_bytes(change(path.read_bytes()))
    return root, path.name


@pytest.mark.parametrize("name", TABLES)
def test_a_label_outside_the_map_is_named_with_the_known_ones(everything, tmp_path, name):
    _, old, new, code = TABLES[name]
    root, _ = changed(everything, tmp_path, name, lambda content: content.replace(
        old.encode(), new.encode(), 1))  # fmt: skip
    message = f"Bad label '{code}' in .*expected one of .*: correct it there"
    with pytest.raises(ValueError, match=message) as error:
        read(name, root)
    assert "folder" not in str(error.value)  # no advice to take audio away


@pytest.mark.parametrize(
    ("name", "file", "code"),
    [
        ("ravdess", "03-01-09-01-02-01-05.wav", "09"),
        ("crema-d", "1001_DFA_JOY_HI.wav", "JOY"),
        ("tess", "YAF_back_bored.wav", "bored"),
    ],
)
def test_an_emotion_outside_the_map_in_a_file_name_is_an_error(tmp_path, name, file, code):
    root = layouts.MAKERS[name](tmp_path)
    layouts.speak((root / "AudioWAV" if name == "crema-d" else root) / file, 0)
    with pytest.raises(ValueError, match=rf"Bad label '{code}'.*first: '{file}'"):
        read(name, root)


@pytest.mark.parametrize("name", TABLES)
def test_label_files_in_utf_8_with_mark_are_the_same(everything, tmp_path, name):
    root, _ = changed(everything, tmp_path, name, lambda content: b"\xef\xbb\xbf" + content)
    table = read(name, root)
    assert len(table) == len(read(name, Path(everything[name])))
    assert "Latin-1" not in notes(table)


@pytest.mark.parametrize(("name", "line"), [
    ("msp-podcast", "J\xfcrgen.wav,A,1,1,1,9,Male,Train\n"),
    ("iemocap", "% J\xfcrgen\n"),
    ("fau-aibo", "Ohm_01_J\xfcrgen A 0.5\n"),
    ("alc", "TR_J\xfcrgen,AL\n"),
    ("sld", "train_J\xfcrgen.wav;L\n"),
])  # fmt: skip
def test_label_files_in_latin_1_are_read_with_a_note(everything, tmp_path, name, line):
    root, file = changed(
        everything, tmp_path, name, lambda content: content + line.encode("latin-1")
    )
    assert f"{file} is not in UTF-8: read as Latin-1." in notes(read(name, root))


@pytest.mark.parametrize("name", TABLES)
def test_other_encodings_are_an_error_that_says_what_to_do(everything, tmp_path, name):
    root, file = changed(
        everything, tmp_path, name, lambda content: content.decode().encode("utf-16")
    )
    with pytest.raises(ValueError, match=f"{file}' is in neither.*save it as UTF-8"):
        read(name, root)


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_label_file_is_an_error(everything, tmp_path, name):
    root, file = changed(everything, tmp_path, name, lambda content: b"\n")
    with pytest.raises(ValueError, match=f"{file}' is empty"):
        read(name, root)


@pytest.mark.parametrize("name", ["msp-podcast", "alc", "sld"])
def test_a_table_without_its_columns_is_an_error(everything, tmp_path, name):
    root, file = changed(everything, tmp_path, name, lambda content: b"some,thing\n1,2\n")
    with pytest.raises(ValueError, match=rf"Bad table '{file}'.*\['some"):
        read(name, root)


def test_a_table_with_a_broken_line_is_an_error(everything, tmp_path):
    root, _ = changed(
        everything, tmp_path, "alc", lambda content: content + b"TE_9,AL,what,is,this\n"
    )
    with pytest.raises(ValueError, match=r"Cannot read 'ALC\.csv' as a table"):
        read("alc", root)


def test_an_utterance_named_twice_is_an_error(everything, tmp_path):
    for name, line in (("sld", b"test_000.wav;L\n"), ("fau-aibo", b"Ohm_01_000_00 A 1\n")):
        root, _ = changed(everything, tmp_path, name, lambda content, line=line: content + line)
        with pytest.raises(ValueError, match="named twice in"):
            read(name, root)


@pytest.mark.parametrize(("name", "file", "other"), [
    ("msp-podcast", "Audios/MSP-PODCAST_0000_0001.wav", "Audios/more/MSP-PODCAST_0000_0001.wav"),
    ("iemocap", "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav",
     "Session2/sentences/wav/Ses01F_impro01_M000.wav"),
    ("ravdess", "Actor_01/03-01-01-01-02-01-01.wav", "03-01-01-01-02-01-01.wav"),
    ("crema-d", "AudioWAV/1001_DFA_ANG_HI.wav", "AudioWAV/old/1001_DFA_ANG_HI.WAV"),
    ("tess", "OAF_neutral/OA_bite_neutral.wav", "OAF_bite_neutral.wav"),
    ("fau-aibo", "wav/Ohm_01_000_00.wav", "wav/Ohm_01_000_00.sph"),
    ("alc", "DIST/TEST/TE_0000.wav", "DIST/TRAIN/TE_0000.wav"),
    ("sld", "wav/test_000.wav", "wav/test_000.WAV"),
])  # fmt: skip
def test_two_different_files_for_one_utterance_are_both_named(
    everything, tmp_path, name, file, other
):
    root = tmp_path / name
    shutil.copytree(everything[name], root)
    layouts.speak(root / other, 7, 8_000)
    with pytest.raises(ValueError, match="Two files for one utterance") as error:
        read(name, root)
    assert Path(file).name in str(error.value)
    assert Path(other).name in str(error.value)
    assert "give the folder of one" in str(error.value)


@pytest.mark.parametrize(("name", "file"), [
    ("msp-podcast", "Audios/MSP-PODCAST_0000_0001.wav"),
    ("iemocap", "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav"),
    ("fau-aibo", "wav/Ohm_01_000_00.wav"),
    ("alc", "DIST/TEST/TE_0000.wav"),
    ("sld", "wav/test_000.wav"),
])  # fmt: skip
def test_audio_and_labels_without_each_other_are_left_out_and_said(
    everything, tmp_path, name, file
):
    root = tmp_path / name
    shutil.copytree(everything[name], root)
    stray = (root / file).with_name("stray_001.wav")
    (root / file).rename(stray)
    table = read(name, root)
    assert len(table) == len(read(name, Path(everything[name]))) - 1
    assert re.search(rf"No audio for \d+ utterances.*{Path(file).stem}", notes(table))
    assert re.search(r"No label in .* for 1 audio files: stray_001\.wav\.", notes(table))


@pytest.mark.parametrize("name", ["ravdess", "crema-d", "tess"])
def test_audio_whose_name_says_nothing_is_left_out_and_said(everything, tmp_path, name):
    root = tmp_path / name
    shutil.copytree(everything[name], root)
    layouts.speak((root / "AudioWAV" if name == "crema-d" else root) / "hello.wav", 0)
    table = read(name, root)
    assert "1 audio files not named as" in notes(table)
    assert not table.index.get_level_values("file").str.contains("hello").any()


def test_links_are_followed_once(tmp_path):
    root = layouts.tess(tmp_path / "real", "data")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "here").symlink_to(root)
    (root / "loop").symlink_to(linked)
    assert len(read("tess", linked)) == 28


@given(st.text(st.characters(exclude_characters="/\\\0"), min_size=1).filter(str.strip))
def test_the_key_of_a_name_needs_neither_folder_nor_suffix(name):
    assert base.key(f"some/folder/{name}.wav") == base.key(f"{name}.WAV")
