"""The corpora of the paper as they lie on disk: what is read, what is left out, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import layouts
import pandas as pd
import pytest

from paraclap import audio, corpora, tables
from paraclap.corpora import paper
from paraclap.corpora.paper import CORPORA, base


def read(name, root):
    return CORPORA[name].read(root)


def notes(table):
    return "\n".join(table.attrs["notes"])


def named(table, part):
    """Rows of a table whose file name has a part."""
    return table[table.index.get_level_values("file").str.contains(part, regex=False)]


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


def test_published_counts_have_the_published_sums():
    sums = pd.concat([corpus.counts for corpus in CORPORA.values()])
    sums = sums.groupby(["corpus", "split"])["count"].sum()
    assert sums["iemocap", ""] == 5_531
    assert sums["ravdess", ""] == 1_440
    assert sums["crema-d", ""] == 7_442
    assert sums["tess", ""] == 2_800
    for question in "25":
        assert sums[f"fau-aibo-{question}", "train"] == 9_959
        assert sums[f"fau-aibo-{question}", "test"] == 8_257
    assert sums["alc", "test"] == 3_000
    assert sums["sld"].sum() == 800


def test_the_table_for_the_book_has_a_row_per_corpus():
    table = paper.overview()
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
        {"corpus": "ravdess", "split": "", "label": published.index, "count": published.values,
         "confirmed": "yes"}
    )  # fmt: skip
    monkeypatch.setattr(base.Corpus, "counts", counts)
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
    assert "VideoDemographics.csv is not there: gender is unknown." in notes(table)
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


def test_msp_podcast_up_to_release_1_8_spells_its_table_otherwise(tmp_path):
    root = layouts.msp_podcast(tmp_path)
    expected = read("msp-podcast", root)
    table = root / "Labels" / "labels_consensus.csv"
    table.rename(table.with_name("labels_concensus.csv"))
    pd.testing.assert_frame_equal(read("msp-podcast", root), expected)


def test_the_kaggle_copy_of_ravdess_counts_each_file_once(tmp_path):
    layouts.ravdess(tmp_path)
    expected = len(read("ravdess", tmp_path))
    shutil.copytree(
        tmp_path,
        tmp_path / "audio_speech_actors_01-24",
        ignore=lambda *_: ["audio_speech_actors_01-24"],
    )
    table = read("ravdess", tmp_path)
    assert len(table) == expected
    assert "40 files are there twice, such as" in notes(table)


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
        rf"Bad EmoAct '{value}' in labels_consensus\.csv \(1 rows, first: "
        r"'MSP-PODCAST_0000_0000\.wav'\), expected ratings from 1 to 7: correct it there"
    )
    with pytest.raises(ValueError, match=message):
        read("msp-podcast", rated(value))


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
    assert f"only the task of {question} classes is read" in notes(table)


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
    message = r"No training split in alc, got \['test'\]: give .* for_testing=True"
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
