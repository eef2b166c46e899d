"""The corpora of the paper as they lie on disk: what is read, what is left out, what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import audb
import layouts
import open_databases
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraclap import audio, corpora, tables
from paraclap.corpora import disk, known, several
from paraclap.corpora.known import CORPORA

ROOT = Path(__file__).resolve().parent.parent


def read(name, root):
    return CORPORA[name].read(root)


def notes(table):
    return "\n".join(table.attrs["notes"])


def named(table, part):
    """Rows of a table whose file name has a part."""
    return table[table.index.get_level_values("file").str.contains(part, regex=False)]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Folders of all eight corpora, never changed."""
    return layouts.everything(tmp_path_factory.mktemp("corpora"))


# --- what all share ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CORPORA)
def test_every_loader_gives_the_same_kind_of_table(everything, name):
    corpus = CORPORA[name]
    table = read(name, Path(everything[name]))
    assert list(table.index.names) == tables.INDEX
    assert table.index.is_unique
    files = [Path(file) for file in table.index.get_level_values("file")]
    assert all(file.is_absolute() and file.is_file() and file.name[0] != "." for file in files)
    assert set(table) - {"session", "task:fau-aibo-2"} <= set(tables.LABELS)
    own = "label" if "label" in table else "emotion"
    counts = table[own].value_counts()
    assert set(corpus.classes) <= set(counts.index)
    assert set(counts.index) <= {*corpus.classes, "other", "no_agreement"}
    assert (counts >= 2).all()
    assert table["speaker"].dropna().str.startswith(f"{name}-").all()
    assert set(table["language"]) == {corpus.language}
    assert all(note.endswith(".") for note in table.attrs["notes"])
    learnable = "split" not in table or "train" in set(table["split"])
    if learnable and table["speaker"].nunique() > 2:
        learned = corpora.load(name, folders=everything)
        assert {"train", "test"} <= set(learned["split"])


@pytest.mark.parametrize("name", CORPORA)
def test_what_is_known_of_a_corpus_is_complete(name):
    corpus = CORPORA[name]
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    assert f"{{{corpus.reference}," in text
    assert corpus.url.startswith("http")
    assert corpus.language in ("en", "de")
    assert set(corpus.counts["confirmed"]) <= {"yes", "no"}


def test_published_counts_have_the_published_sums():
    sums = pd.concat([corpus.counts for corpus in CORPORA.values()])
    sums = sums.fillna({"split": "all"}).groupby(["corpus", "split"])["count"].sum()
    assert sums["iemocap", "all"] == 5_531
    assert sums["ravdess", "all"] == 1_440
    assert sums["crema-d", "all"] == 7_442
    assert sums["tess", "all"] == 2_800
    for question in "25":
        assert sums[f"fau-aibo-{question}", "train"] == 9_959
        assert sums[f"fau-aibo-{question}", "test"] == 8_257
    assert sums["alc", "test"] == 3_000
    assert sums["sld"].sum() == 800


def test_the_table_for_the_book_has_a_row_per_corpus():
    table = corpora.known_table()
    assert list(table) == [
        "name", "title", "language", "utterances", "classes", "licence", "where",
    ]  # fmt: skip
    assert list(table["name"]) == list(CORPORA)
    assert list(table["classes"]) == [8, 4, 8, 6, 7, 5, 2, 2]
    assert table.set_index("name")["utterances"]["sld"] == 800


def test_as_many_utterances_as_published_is_worth_no_note(tmp_path, monkeypatch):
    root = layouts.ravdess(tmp_path)
    published = read("ravdess", root)["emotion"].value_counts()
    counts = pd.DataFrame(
        {"corpus": "ravdess", "split": None, "label": published.index, "count": published.values,
         "confirmed": "yes"}
    )  # fmt: skip
    monkeypatch.setattr(corpora.known.Corpus, "counts", counts)
    assert "utterances" not in notes(read("ravdess", root))


def test_a_difference_from_the_published_counts_is_a_note(everything):
    said = notes(read("ravdess", Path(everything["ravdess"])))
    assert "32 of 1,440 utterances; neutral 4 of 96, calm 4 of 192, happiness" in said
    said = notes(read("sld", Path(everything["sld"])))
    assert "test: 8 of 228 utterances as reported; likable 4 of 119, non-likable 4 of 109." in said


# --- each corpus -------------------------------------------------------------------------------


def test_ravdess_odd_actors_are_male(everything):
    table = read("ravdess", Path(everything["ravdess"]))
    by_actor = table.groupby("speaker")["gender"].unique().map(list)
    assert by_actor.to_dict() == {
        "ravdess-01": ["male"], "ravdess-02": ["female"],
        "ravdess-03": ["male"], "ravdess-04": ["female"],
    }  # fmt: skip
    assert named(table, "03-01-08")["emotion"].unique() == ["surprise"]


def test_ravdess_flat_or_nested_is_the_same_and_song_and_video_are_left_out(tmp_path):
    nested = read("ravdess", layouts.ravdess(tmp_path / "nested"))
    flat = read("ravdess", layouts.ravdess(tmp_path / "flat", nested=False))
    assert sorted(nested["emotion"]) == sorted(flat["emotion"])
    assert len(flat) == 32
    assert "8 files of song or with a picture left out." in notes(flat)
    assert "8 files of song or with a picture left out." in notes(nested)


def test_crema_d_keeps_the_file_without_sound_and_says_so(everything):
    table = corpora.load("crema-d", folders=everything)
    assert len(named(table, "1076_MTI_SAD_XX")) == 1
    assert "1076_MTI_SAD_XX.wav is published without sound" in notes(table)
    assert "empty" in table.attrs["failed"][0]["reason"]


def test_crema_d_takes_gender_from_the_demographics_if_they_are_there(everything, tmp_path):
    with_people = read("crema-d", Path(everything["crema-d"]))
    genders = with_people.groupby("speaker")["gender"].first()
    assert list(genders) == ["Male", "Female", "Female", "Male"]
    without = layouts.crema_d(tmp_path, people=False)
    table = corpora.load("crema-d", folders={"crema-d": str(without)})
    assert table["gender"].isna().all()
    assert "VideoDemographics.csv is not there: gender is not known." in notes(table)
    lines = ["ActorID,Age,Sex", "1001,40,Male"]
    layouts.write(tmp_path / "VideoDemographics.csv", lines)
    assert "Gender of 3 actors is not in" in notes(read("crema-d", without))


@pytest.mark.parametrize("form", ["nested", "flat", "data"])
def test_tess_is_the_same_flat_nested_and_in_any_case(tmp_path, form):
    table = corpora.load("ravdess, tess", folders={
        "ravdess": str(layouts.ravdess(tmp_path / "r")),
        "tess": str(layouts.tess(tmp_path / "t", form)),
    })  # fmt: skip
    table = table[table["corpus"] == "tess"]
    assert (table["emotion"].value_counts() == 4).all()
    assert set(table["speaker"]) == {"tess-OAF", "tess-YAF"}
    assert named(table, "OA_bite_")["speaker"].to_list() == ["tess-OAF"]
    assert "surprise" in set(table["emotion"])
    for file in table.index.get_level_values("file"):
        assert audio.read(file).dtype == "float32"


def test_iemocap_joins_happiness_and_excitement_and_counts_what_is_left_out(everything):
    table = read("iemocap", Path(everything["iemocap"]))
    assert table["emotion"].value_counts().to_dict() == {
        "happiness": 40, "anger": 20, "neutral": 20, "sadness": 20,
    }  # fmt: skip
    assert "20 utterances of other classes left out: fru 10, xxx 10." in notes(table)
    assert sorted(table["session"].unique()) == list("12345")


def test_iemocap_names_who_speaks_not_who_wears_the_markers(everything):
    table = read("iemocap", Path(everything["iemocap"]))
    row = named(table, "Ses01F_impro01_M000").iloc[0]
    assert (row["speaker"], row["gender"]) == ("iemocap-Ses01M", "M")
    assert table["speaker"].nunique() == 10


def test_half_of_iemocap_is_read_and_said_to_be_half(tmp_path):
    root = layouts.iemocap(tmp_path)
    for session in (3, 4, 5):
        shutil.rmtree(root / f"Session{session}")
    table = read("iemocap", root)
    assert set(table["session"]) == {"1", "2"}
    assert "40 of 5,531 utterances; anger 8 of 1,103" in notes(table)


IEMOCAP_LABELS = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"


def test_iemocap_lines_with_unusual_names_are_left_out_and_said(tmp_path):
    root = layouts.iemocap(tmp_path)
    usual = read("iemocap", root)
    path = root / IEMOCAP_LABELS
    names = [f"Ses01F_impro01_FXX{number}" for number in range(6)]
    odd = [f"[9.0000 - 9.9000]\t{name}\tang\t[2.5, 2.5, 2.5]" for name in names]
    layouts.write(path, [*path.read_text("utf-8").splitlines(), *odd])
    table = read("iemocap", root)
    pd.testing.assert_frame_equal(table, usual)
    assert (
        "6 label lines of utterances not named as Ses01F_impro01_F000 left out: "
        f"{', '.join(names[:5])}, …."
    ) in table.attrs["notes"]


@pytest.mark.parametrize(("line", "message"), [
    ("[1.0 - 2.0]\tSes01F_impro01_FXX0\tang\t[2, 2, 2]",
     r"Only unusual utterances \(Ses01F_impro01_FXX0, .*in 10 files of EmoEvaluation, expected"),
    ("% nothing here", "No line with a label in 10 files of EmoEvaluation, expected"),
])  # fmt: skip
def test_iemocap_without_any_usable_line_is_an_error(tmp_path, line, message):
    root = layouts.iemocap(tmp_path)
    for path in root.glob("Session?/dialog/EmoEvaluation/Ses*.txt"):
        layouts.write(path, [line])
    with pytest.raises(ValueError, match=message):
        read("iemocap", root)


@pytest.mark.parametrize(("audios", "dev"), [("Audios", "Development"), ("Audio", "Validation")])
def test_msp_podcast_in_both_forms(tmp_path, audios, dev):
    root = layouts.msp_podcast(tmp_path, audios, dev)
    table = corpora.load("msp-podcast", folders={"msp-podcast": str(root)})
    assert table["split"].value_counts().to_dict() == {"train": 30, "test": 20, "dev": 10}
    assert {"contempt", "other", "no_agreement"} <= set(table["emotion"])
    ratings = table[list(tables.DIMENSIONS)]
    assert ((ratings >= 1) & (ratings <= 7)).all(axis=None)
    assert table["gender"].isna().sum() == 1
    assert "4 utterances of Test3 left out" in notes(table)
    assert "1 segments have no speaker" in notes(table)


@pytest.fixture
def rated(tmp_path):
    """MSP-Podcast with other ratings of arousal in its first rows, as text."""

    def change(*values):
        root = layouts.msp_podcast(tmp_path)
        path = root / "Labels/labels_consensus.csv"
        rows = pd.read_csv(path, dtype="str", keep_default_na=False)
        rows.loc[: len(values) - 1, "EmoAct"] = values
        rows.to_csv(path, index=False)
        return root

    return change


@pytest.mark.parametrize("value", ["0.99", "7.01", "-1", "inf", "nan", "calm"])
def test_msp_podcast_ratings_outside_the_scale_are_an_error(rated, value):
    message = (
        rf"Bad EmoAct '{value}' in labels_consensus\.csv \(1 segments, first: "
        r"'MSP-PODCAST_0000_0000\.wav'\), expected ratings from 1 to 7: correct it there"
    )
    with pytest.raises(ValueError, match=message):
        read("msp-podcast", rated(value))


def test_msp_podcast_names_five_ratings_at_most(rated):
    with pytest.raises(ValueError, match=r"'10', '11', '12', '13', '14' in .*7 segments"):
        read("msp-podcast", rated(*map(str, range(10, 17))))


def test_msp_podcast_ratings_at_the_ends_of_the_scale_are_kept_and_missing_ones_stay(rated):
    table = read("msp-podcast", rated("1", "7", ""))
    assert list(table["arousal"].iloc[:2]) == [1, 7]
    assert table["arousal"].isna().sum() == 1


def test_fau_aibo_has_two_questions_about_the_same_voices(everything):
    table = read("fau-aibo", Path(everything["fau-aibo"]))
    assert set(table["corpus"]) == {"fau-aibo-5"}
    angry = table["label"].isin(["anger", "emphatic"])
    assert (angry == (table["task:fau-aibo-2"] == "negative")).all()
    assert set(table["split"]) == {"train", "test"}
    assert table.groupby("speaker")["split"].nunique().eq(1).all()
    assert set(table.loc[table["split"] == "test", "speaker"]) == {
        "fau-aibo-Mont-01", "fau-aibo-Mont-02",
    }  # fmt: skip


@pytest.mark.parametrize("question", ["2", "5"])
def test_fau_aibo_with_one_label_file_asks_one_question(tmp_path, question):
    table = read("fau-aibo", layouts.fau_aibo(tmp_path, question, suffix=".sph"))
    assert set(table["corpus"]) == {f"fau-aibo-{question}"}
    assert not [column for column in table if column.startswith("task:")]
    assert f"only the question of {question} classes is asked" in notes(table)


def test_fau_aibo_utterances_in_one_label_file_only_are_said(tmp_path):
    root = layouts.fau_aibo(tmp_path)
    path = root / "labels/IS2009EmotionChallenge/chunk_labels_2cl_corpus.txt"
    layouts.write(path, path.read_text("utf-8").splitlines()[1:])
    table = read("fau-aibo", root)
    assert table["task:fau-aibo-2"].isna().sum() == 1
    assert "1 utterances are in one label file only: Ohm_01_000_00." in notes(table)


@pytest.mark.parametrize("suffix", ["", ".wav", ".WAV"])
def test_alc_names_carry_a_suffix_or_none(tmp_path, suffix):
    table = read("alc", layouts.alc(tmp_path, suffix=suffix))
    assert set(table["split"]) == {"test"}
    assert table["label"].value_counts().to_dict() == {"intoxicated": 4, "sober": 4}
    assert "Neither DIST/TRAIN nor DIST/DEVEL: 16 utterances left out." in notes(table)
    assert table["speaker"].nunique() == 8


def test_alc_can_be_learned_from_where_its_training_audio_is(tmp_path, everything):
    root = layouts.alc(tmp_path, train=True)
    table = corpora.load("alc", folders={"alc": str(root)})
    assert table["split"].value_counts().to_dict() == {"train": 8, "dev": 8, "test": 8}
    message = r"No training split in alc, got \['test'\]: to test on it only, say for_testing=True"
    with pytest.raises(ValueError, match=message):
        corpora.load("alc", folders=everything)


def test_alc_takes_speakers_and_gender_if_its_table_has_them(tmp_path):
    root = layouts.alc(tmp_path)
    lines = ["file,challenge_class,speaker,gender"]
    lines += [f"TE_{n:04d},{('AL', 'NAL')[n % 2]},{n // 2},f" for n in range(8)]
    layouts.write(root / "ALC.csv", lines)
    table = read("alc", root)
    assert sorted(table["speaker"].unique()) == [f"alc-{n}" for n in range(4)]
    assert set(table["gender"]) == {"f"}


def test_alc_files_in_the_wrong_folder_are_an_error(tmp_path):
    root = layouts.alc(tmp_path)
    (root / "DIST/TRAIN").mkdir()
    shutil.move(root / "DIST/TEST/TE_0003.wav", root / "DIST/TRAIN/TE_0003.wav")
    with pytest.raises(ValueError, match="another folder than their names say: TE_0003"):
        read("alc", root)


@pytest.mark.parametrize("suffix", [".wav", ".WAV", ".sph"])
def test_sld_in_nist_sphere_under_any_suffix(tmp_path, suffix):
    root = layouts.sld(tmp_path, suffix)
    table = corpora.load("sld", folders={"sld": str(root)})
    assert table["split"].value_counts().to_dict() == {"test": 8, "train": 4, "dev": 4}
    assert table["label"].value_counts().to_dict() == {"likable": 8, "non-likable": 8}
    assert not table.attrs["failed"]
    assert audio.read(table.index[0][0]).size > 1_000


# --- what is not as it should be ---------------------------------------------------------------


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
    # Files of RAVDESS and TESS may lie two folders deep: there the copies look like one corpus.
    kind, message = FileNotFoundError, "2 copies of it in 'all': 'new', 'old'. Give the folder of"
    if name in ("ravdess", "tess"):
        kind, message = ValueError, "give the folder of one copy"
    with pytest.raises(kind, match=message) as error:
        read(name, around)
    assert re.search(r"'new.* 'old", str(error.value))
    assert str(tmp_path) not in str(error.value)
    assert len(read(name, around / "old")) == len(read(name, Path(everything[name])))


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
def test_two_files_for_one_utterance_are_both_named(everything, tmp_path, name, file, other):
    root = tmp_path / name
    shutil.copytree(everything[name], root)
    (root / other).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / file, root / other)
    with pytest.raises(ValueError, match="Two files for one utterance") as error:
        read(name, root)
    assert Path(file).name in str(error.value)
    assert Path(other).name in str(error.value)


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
    assert named(table, "hello").empty


def test_links_are_followed_once(tmp_path):
    root = layouts.tess(tmp_path / "real", "data")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "here").symlink_to(root)
    (root / "loop").symlink_to(linked)
    assert len(read("tess", linked)) == 28


@given(st.text(st.characters(exclude_characters="/\\\0"), min_size=1).filter(str.strip))
def test_the_key_of_a_name_needs_neither_folder_nor_suffix(name):
    assert disk.key(f"some/folder/{name}.wav") == disk.key(f"{name}.WAV")


# --- several at once ---------------------------------------------------------------------------


def test_all_corpora_are_one_table_to_learn_from_the_first(everything):
    table = corpora.load(", ".join(everything), folders=everything)
    learned = table.loc[table["split"] != "test", "corpus"]
    assert set(learned) == {"msp-podcast"}
    assert list(table["corpus"].unique()) == [
        "msp-podcast", "iemocap", "ravdess", "crema-d", "tess", "fau-aibo-5", "alc", "sld",
    ]  # fmt: skip
    assert table.groupby("speaker")["corpus"].nunique().eq(1).all()
    assert table.loc[table["corpus"] == "iemocap", "session"].notna().all()
    assert table["task:fau-aibo-2"].notna().sum() == 20
    assert all(note.split(": ")[0] in CORPORA for note in table.attrs["notes"])
    assert len(table.attrs["failed"]) == 1
    pd.testing.assert_frame_equal(tables.check_labels(table), table)


def test_of_corpora_only_tested_on_the_test_split_is_kept(everything):
    table = corpora.load("msp-podcast, sld, tess", folders=everything)
    assert (table["corpus"] == "sld").sum() == 8
    assert (table["corpus"] == "tess").sum() == 28
    assert "sld: Only its test split is kept: 8 of 16 utterances." in table.attrs["notes"]
    assert "tess: No split is published: all of it is tested on." in table.attrs["notes"]


def test_what_is_learned_from_keeps_all_splits(everything):
    table = corpora.load("tess, sld, iemocap", folders=everything, learn_from="sld,iemocap", seed=1)
    splits = table.groupby("corpus")["split"].unique().map(set)
    assert splits["tess"] == {"test"}
    assert splits["sld"] == splits["iemocap"] == {"train", "dev", "test"}
    assert table.groupby("speaker")["split"].nunique().eq(1).all()
    assert any(note.startswith("iemocap: No split given: drawn") for note in table.attrs["notes"])


def test_two_speakers_are_too_few_to_learn_from(everything):
    message = "Cannot split tess by speaker: it has 2, expected at least 3: to .* for_testing=True"
    with pytest.raises(ValueError, match=message):
        corpora.load("tess", folders=everything)


@pytest.mark.parametrize(("name", "count"), [
    ("ravdess", 32), ("tess", 28), ("alc", 8), ("sld", 8), ("fau-aibo", 20), ("msp-podcast", 20),
])  # fmt: skip
def test_a_corpus_alone_can_be_only_tested_on(everything, name, count):
    table = corpora.load(name, folders=everything, for_testing=True)
    assert set(table["split"]) == {"test"}
    assert len(table) == count


def test_for_testing_nothing_is_learned_from_the_first_corpus_either(everything):
    table = corpora.load("sld, ravdess", folders=everything, for_testing=True)
    alone = [
        corpora.load(name, folders=everything, for_testing=True) for name in ("sld", "ravdess")
    ]
    assert set(table["split"]) == {"test"}
    assert list(table.index) == [row for part in alone for row in part.index]


def test_an_open_corpus_alone_can_be_only_tested_on(tmp_path, monkeypatch):
    monkeypatch.setattr(audb.config, "REPOSITORIES", [open_databases.publish(tmp_path / "audb")])
    monkeypatch.setattr(audb.config, "SHARED_CACHE_ROOT", str(tmp_path / "shared"))
    monkeypatch.setenv("AUDB_CACHE_ROOT", str(tmp_path / "cache"))
    table = corpora.load("audb:emodb", for_testing=True)
    assert set(table["split"]) == {"test"}
    assert len(table) == len(open_databases.emodb())


def test_a_corpus_without_test_voices_cannot_be_tested_on(everything, tmp_path):
    root = tmp_path / "aibo"
    shutil.copytree(everything["fau-aibo"], root)
    for path in root.glob("wav/Mont*"):
        path.unlink()
    folders = everything | {"fau-aibo": str(root)}
    with pytest.raises(ValueError, match="No test split in fau-aibo, got"):
        corpora.load("ravdess, fau-aibo", folders=folders)


def test_all_missing_corpora_are_named_at_once_before_anything_is_read(everything, tmp_path):
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "readme.txt").touch()
    layouts.write(tmp_path / "broken/ALC.csv", ["no,table"])
    (tmp_path / "broken/DIST/TEST").mkdir(parents=True)
    folders = everything | {
        "tess": "${PARACLAP_TESS}", "sld": "", "ravdess": str(tmp_path / "gone"),
        "crema-d": str(bad), "alc": str(tmp_path / "broken"),
    }  # fmt: skip
    with pytest.raises(FileNotFoundError) as error:
        corpora.load(", ".join(CORPORA), folders=folders)
    said = str(error.value)
    assert said.startswith("4 of 8 corpora cannot be read")
    for name in ("tess", "sld", "ravdess", "crema-d"):
        assert CORPORA[name].title in said
        assert CORPORA[name].layout in said
        assert CORPORA[name].url in said
    assert "environment variable PARACLAP_TESS is not set (parameter tess)" in said
    assert "set the parameter sld to it, or to ${PARACLAP_SLD}" in said
    assert f"no folder at '…/{tmp_path.name}/gone'" in said
    assert "'bad' is not its folder, it holds readme.txt" in said
    assert str(tmp_path.parent) not in said


def test_a_folder_that_was_not_given_at_all_is_as_good_as_empty():
    with pytest.raises(FileNotFoundError, match="no folder given: set the parameter crema_d"):
        corpora.load("crema-d")


@pytest.mark.parametrize(("corpus", "more", "message"), [
    ("tess, ravdes", {}, r"\['ravdes'\] \(did you mean 'ravdess'\?\), expected only names"),
    ("tess, my/folder", {}, "cannot stand beside them"),
    ("synthesis, tess", {}, "cannot stand beside them"),
    ("tess, tess", {}, r"\['tess'\] twice"),
    ("crema-d, audb:crema-d@1.3.0", {}, r"\['crema-d'\] twice"),
    ("audb:", {}, "without a name"),
    ("tess, sld", {"learn_from": "ravdess"}, r"Bad learn_from \['ravdess'\]"),
    ("tess, sld", {"learn_from": "sld", "for_testing": True}, "'sld' together with for_testing"),
    ("tess", {"table": "labels.csv"}, "Bad corpus_table: for a folder of your own"),
    ("tess", {"columns": "a=b", "label_column": "mood"}, "Bad label_column, columns"),
    ("some/folder", {"learn_from": "tess"}, "is one corpus, leave it empty"),
])  # fmt: skip
def test_bad_names_are_an_error_that_says_what_is_known(corpus, more, message):
    with pytest.raises(ValueError, match=message):
        corpora.load(corpus, **more)


def test_a_misspelt_name_alone_is_a_folder_that_is_not_there_with_a_hint():
    with pytest.raises(FileNotFoundError, match="did you mean 'ravdess'"):
        corpora.load("ravdes")


def test_a_folder_whose_name_has_a_comma_is_still_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tess, sld and mine").mkdir()
    assert several.names("tess, sld and mine") == []


def test_names_say_version_and_source():
    found = several.names("tess, audb:emodb@1.4.1, audb:nemo")
    assert [(name.name, name.version, name.is_open) for name in found] == [
        ("tess", "", False), ("emodb", "1.4.1", True), ("nemo", "", True),
    ]  # fmt: skip


def test_folders_are_picked_from_the_parameters_of_a_notebook():
    values = {"msp_podcast": "a", "crema_d": "", "tess": None, "seed": 0, "folder": "b"}
    assert corpora.folders(values) == {"msp-podcast": "a", "crema-d": ""}
    assert [known.parameter(name) for name in ("msp-podcast", "sld")] == ["msp_podcast", "sld"]
    assert known.variable("fau-aibo") == "PARACLAP_FAU_AIBO"
