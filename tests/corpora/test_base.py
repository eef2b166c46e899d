"""What is not as it should be in the folders of the paper's corpora: noted, left out or refused."""

import re
import shutil
from pathlib import Path

import layouts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import notes, read

from paraclap.corpora.paper import CORPORA, base

# --- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CORPORA)
def test_another_folder_is_named_with_what_it_should_hold_and_where_to_get_it(tmp_path, name):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(FileNotFoundError) as error:
        read(name, tmp_path)
    message, corpus = str(error.value), CORPORA[name]
    for part in (corpus.title, corpus.layout, corpus.url, "holiday.jpg"):
        assert part in message
    assert str(tmp_path.parent) not in message


@pytest.mark.parametrize("name", CORPORA)
def test_a_folder_around_a_corpus_will_do_but_two_copies_are_named(everything, tmp_path, name):
    expected = len(read(name, everything[name]))
    shutil.copytree(everything[name], tmp_path / "new")
    assert len(read(name, tmp_path)) == expected
    shutil.copytree(everything[name], tmp_path / "old")
    # Files of RAVDESS and TESS may lie two folders deep: there the copies look like one corpus.
    if name in ("ravdess", "tess"):
        table = read(name, tmp_path)
        assert len(table) == expected
        assert "files are there twice: they count once." in notes(table)
    else:
        with pytest.raises(FileNotFoundError, match="is not its folder, it holds new, old"):
            read(name, tmp_path)
    assert len(read(name, tmp_path / "old")) == expected


@pytest.mark.parametrize("name", CORPORA)
def test_labels_without_any_audio_are_no_corpus(copy, name):
    root = copy(name)
    for path in root.rglob("*.wav"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(CORPORA[name].url)):
        read(name, root)


# --- label files --------------------------------------------------------------------------------

AIBO = "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt"
IEMOCAP = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
TABLES = {  # label file, a label there, one that is unknown, a further line
    "msp-podcast": ("Labels/labels_consensus.csv", ",A,", ",Q,", "J\xfcrgen.wav,A,1,1,1,9,Male,x"),
    "iemocap": (IEMOCAP, "\tang\t", "\tyay\t", "% J\xfcrgen"),
    "fau-aibo": (AIBO, " A ", " Z ", "Ohm_01_J\xfcrgen A 0.5"),
    "alc": ("ALC.csv", ",AL", ",DRUNK", "TR_J\xfcrgen,AL"),
    "sld": ("LSC_final_geheim.csv", ";L\n", ";XL\n", "train_J\xfcrgen.wav;L"),
}
IS_TABLE = ["msp-podcast", "alc", "sld"]


def edit(path, change):
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize("name", TABLES)
def test_a_label_outside_the_map_is_named_with_the_known_ones(copy, name):
    root, (file, old, new, _) = copy(name), TABLES[name]
    edit(root / file, lambda content: content.replace(old.encode(), new.encode(), 1))
    code = re.sub(r"\W", "", new)
    with pytest.raises(ValueError, match=f"Bad label '{code}' in .*expected one of .*: correct"):
        read(name, root)


@pytest.mark.parametrize(("name", "file", "code"), [
    ("ravdess", "03-01-09-01-02-01-05.wav", "09"),
    ("crema-d", "AudioWAV/1001_DFA_JOY_HI.wav", "JOY"),
    ("tess", "YAF_back_bored.wav", "bored"),
])  # fmt: skip
def test_an_emotion_outside_the_map_in_a_file_name_is_an_error(copy, name, file, code):
    root = copy(name)
    layouts.speak(root / file, 0)
    with pytest.raises(ValueError, match=rf"Bad label '{code}'.*first: '{Path(file).name}'"):
        read(name, root)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_in_latin_1_is_an_error_and_lines_of_text_are_read(everything, copy, name):
    root, (file, _, _, line) = copy(name), TABLES[name]
    mark = b"\xef\xbb\xbf"
    edit(root / file, lambda content: mark + content + line.encode("latin-1") + b"\n")
    if name in IS_TABLE:
        with pytest.raises(ValueError, match=f"{Path(file).name}' .*: save it as CSV in UTF-8"):
            read(name, root)
    else:
        assert len(read(name, root)) == len(read(name, everything[name]))


@pytest.mark.parametrize("name", IS_TABLE)
def test_a_table_without_its_columns_is_an_error(copy, name):
    root, file = copy(name), TABLES[name][0]
    edit(root / file, lambda _: b"some,thing\n1,2\n")
    with pytest.raises(ValueError, match=rf"Bad table '{Path(file).name}'.*\['some"):
        read(name, root)


@pytest.mark.parametrize(("name", "line"), [
    ("sld", b"test_000.wav;L\n"), ("fau-aibo", b"Ohm_01_000_00 E 1\n"),
])  # fmt: skip
def test_an_utterance_named_twice_is_an_error(copy, name, line):
    root = copy(name)
    edit(root / TABLES[name][0], lambda content: content + line)
    with pytest.raises(ValueError, match=r"named twice in .*(test_000|Ohm_01_000_00)"):
        read(name, root)


# --- audio --------------------------------------------------------------------------------------

AUDIO = {  # a file, and another place for the same utterance
    "msp-podcast": ("Audios/MSP-PODCAST_0000_0001.wav", "Audios/more/MSP-PODCAST_0000_0001.wav"),
    "iemocap": (
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav",
        "Session2/sentences/wav/Ses01F_impro01_M000.wav",
    ),
    "ravdess": ("Actor_01/03-01-01-01-02-01-01.wav", "03-01-01-01-02-01-01.wav"),
    "crema-d": ("AudioWAV/1001_DFA_ANG_HI.wav", "AudioWAV/old/1001_DFA_ANG_HI.WAV"),
    "tess": ("OAF_neutral/OAF_back_neutral.wav", "OAF_back_neutral.wav"),
    "fau-aibo": ("wav/Ohm_01_000_00.wav", "wav/Ohm_01_000_00.sph"),
    "alc": ("DIST/TEST/TE_0000.wav", "DIST/TRAIN/TE_0000.wav"),
    "sld": ("wav/test_000.wav", "wav/test_000.WAV"),
}


@pytest.mark.parametrize("name", AUDIO)
def test_two_different_files_for_one_utterance_are_both_named(copy, name):
    root, (file, other) = copy(name), AUDIO[name]
    layouts.speak(root / other, 7, 8_000)
    with pytest.raises(ValueError, match=r"Two files for one utterance.*keep one of") as error:
        read(name, root)
    assert Path(file).name in str(error.value)
    assert Path(other).name in str(error.value)


@pytest.mark.parametrize("name", TABLES)
def test_audio_and_labels_without_each_other_are_left_out_with_a_note(everything, copy, name):
    root, file = copy(name), AUDIO[name][0]
    (root / file).rename((root / file).with_name("stray_001.wav"))
    table = read(name, root)
    assert len(table) == len(read(name, everything[name])) - 1
    assert re.search(r"No audio for \d+ utterances of .*, left out: ", notes(table))
    assert re.search(r"No label in .* for 1 audio files: stray_001\.wav\.", notes(table))


@pytest.mark.parametrize("name", ["ravdess", "crema-d", "tess"])
def test_audio_whose_name_says_nothing_is_left_out_with_a_note(copy, name):
    root = copy(name)
    layouts.speak((root / AUDIO[name][0]).with_name("hello.wav"), 0)
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
