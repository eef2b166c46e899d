"""The corpora of the paper as they lie on disk: what is read, what is left out, what is refused."""

from pathlib import Path

import layouts
import pandas as pd
import pytest
from layouts import notes, read

from paraclap import audio, corpora, tables
from paraclap.corpora import paper
from paraclap.corpora.paper import CORPORA, base


def named(table, part):
    """Rows of a table whose file name has a part."""
    return table[table.index.get_level_values("file").str.contains(part, regex=False)]


# --- what all share -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CORPORA)
def test_every_loader_gives_the_same_kind_of_table(everything, name):
    corpus, table = CORPORA[name], read(name, everything[name])
    assert list(table.index.names) == tables.INDEX
    assert table.index.is_unique
    files = [Path(file) for file in table.index.get_level_values("file")]
    assert all(file.is_absolute() and file.is_file() and file.name[0] != "." for file in files)
    assert set(table) - {"session", "task:fau-aibo-2"} <= set(tables.LABELS)
    counts = table["label" if "label" in table else "emotion"].value_counts()
    assert set(corpus.classes) <= set(counts.index) <= {*corpus.classes, "other", "no_agreement"}
    assert (counts >= 2).all()
    assert table["speaker"].dropna().str.startswith(f"{name}-").all()
    assert set(table["language"]) == {corpus.language}
    assert all(note.endswith(".") for note in table.attrs["notes"])


def test_published_counts_have_the_published_sums():
    sums = pd.concat([corpus.counts for corpus in CORPORA.values()])
    sums = sums.groupby(["corpus", "split"])["count"].sum()
    expected = {
        ("iemocap", ""): 5_531, ("ravdess", ""): 1_440, ("crema-d", ""): 7_442, ("tess", ""): 2_800,
        ("fau-aibo-2", "train"): 9_959, ("fau-aibo-2", "test"): 8_257,
        ("fau-aibo-5", "train"): 9_959, ("fau-aibo-5", "test"): 8_257, ("alc", "test"): 3_000,
    }  # fmt: skip
    assert sums[list(expected)].to_dict() == expected
    assert sums["sld"].sum() == 800


def test_the_table_for_the_book_has_a_row_per_corpus():
    table = paper.overview()
    assert " ".join(table) == "name title language utterances classes licence where"
    assert list(table["name"]) == list(CORPORA)
    assert list(table["classes"]) == [8, 4, 8, 6, 7, 5, 2, 2]
    assert table.set_index("name")["utterances"]["sld"] == 800


def test_a_difference_from_the_published_counts_is_a_note(everything):
    assert "ravdess: 32 of 1,440 utterances." in notes(read("ravdess", everything["ravdess"]))
    assert "sld test: 8 of 228 utterances as reported." in notes(read("sld", everything["sld"]))
    assert "sld dev: 4 of " in notes(read("sld", everything["sld"]))


def test_as_many_utterances_as_published_are_worth_no_note(everything, monkeypatch):
    counts = {"corpus": "tess", "split": "", "count": [28], "confirmed": "yes"}
    monkeypatch.setattr(base.Corpus, "counts", pd.DataFrame(counts))
    assert read("tess", everything["tess"]).attrs["notes"] == []


# --- each corpus --------------------------------------------------------------------------------


def test_ravdess_odd_actors_are_male(everything):
    table = read("ravdess", everything["ravdess"])
    by_actor = table.groupby("speaker")["gender"].unique().map(list)
    expected = {f"ravdess-{n:02d}": [("female", "male")[n % 2]] for n in range(1, 5)}
    assert by_actor.to_dict() == expected
    assert named(table, "03-01-08")["emotion"].unique() == ["surprise"]


def test_ravdess_flat_or_nested_is_the_same_and_song_and_video_are_left_out(everything, tmp_path):
    nested = read("ravdess", everything["ravdess"])
    flat = read("ravdess", layouts.ravdess(tmp_path, nested=False))
    assert sorted(nested["emotion"]) == sorted(flat["emotion"])
    assert len(flat) == 32
    assert "4 files of song left out." in notes(flat)
    assert "4 files of song left out." in notes(nested)


def test_crema_d_keeps_the_file_without_sound_and_lists_it(everything):
    table = corpora.load("crema-d", folders=everything)
    assert len(named(table, "1076_MTI_SAD_XX")) == 1
    assert "1 files cannot be read, see the failed list." in notes(table)
    assert "empty" in table.attrs["failed"][0]["reason"]


def test_crema_d_takes_gender_from_the_demographics_if_they_are_there(everything, tmp_path):
    with_people = read("crema-d", everything["crema-d"])
    genders = with_people.groupby("speaker")["gender"].first()
    assert list(genders) == ["Male", "Female", "Female", "Male"]
    without = layouts.crema_d(tmp_path, people=False)
    table = corpora.load("crema-d", folders={"crema-d": str(without)})
    assert table["gender"].isna().all()
    assert "Gender of 4 actors is not in VideoDemographics.csv: 1001, " in notes(table)
    layouts.write(tmp_path / "VideoDemographics.csv", ["ActorID,Age,Sex", "1001,40,Male"])
    assert "Gender of 3 actors is not in" in notes(read("crema-d", without))


@pytest.mark.parametrize("form", ["nested", "flat", "data"])
def test_tess_is_the_same_flat_nested_and_in_any_case(tmp_path, form):
    table = read("tess", layouts.tess(tmp_path, form))
    assert (table["emotion"].value_counts() == 4).all()
    assert set(table["speaker"]) == {"tess-OAF", "tess-YAF"}
    assert named(table, "OA_bite_")["speaker"].to_list() == ["tess-OAF"]
    assert "surprise" in set(table["emotion"])


def test_iemocap_joins_happiness_and_excitement_and_counts_what_is_left_out(everything):
    table = read("iemocap", everything["iemocap"])
    expected = {"happiness": 40, "anger": 20, "neutral": 20, "sadness": 20}
    assert table["emotion"].value_counts().to_dict() == expected
    assert "20 utterances of other classes left out: fru 10, xxx 10." in notes(table)
    assert sorted(table["session"].unique()) == list("12345")


def test_iemocap_names_who_speaks_not_who_wears_the_markers(everything):
    table = read("iemocap", everything["iemocap"])
    row = named(table, "Ses01F_impro01_M000").iloc[0]
    assert (row["speaker"], row["gender"]) == ("iemocap-Ses01M", "M")
    assert table["speaker"].nunique() == 10


def test_iemocap_lines_with_unusual_names_are_left_out_with_a_note(everything, copy):
    root = copy("iemocap")
    path = root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    names = [f"Ses01F_impro01_FXX{number}" for number in range(6)]
    odd = [f"[9.0000 - 9.9000]\t{name}\tang\t[2.5, 2.5, 2.5]" for name in names]
    layouts.write(path, [*path.read_text("utf-8").splitlines(), *odd])
    table = read("iemocap", root)
    assert len(table) == len(read("iemocap", everything["iemocap"]))
    note = f"6 lines with unusual names left out: {', '.join(names[:5])}, …."
    assert note in table.attrs["notes"]


@pytest.mark.parametrize(("line", "error", "message"), [
    ("[1.0 - 2.0]\tSes01F_impro01_FXX0\tang\t[2, 2, 2]", FileNotFoundError,
     "no utterance in 'iemocap' .*1 lines with unusual names left out: Ses01F_impro01_FXX0"),
    ("% nothing here", ValueError, "No line with a label in Ses01F_impro01.txt, Ses01M"),
])  # fmt: skip
def test_iemocap_without_any_usable_line_is_an_error(copy, line, error, message):
    root = copy("iemocap")
    for path in root.glob("Session?/dialog/EmoEvaluation/Ses*.txt"):
        layouts.write(path, [line])
    with pytest.raises(error, match=message):
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


def test_msp_podcast_up_to_release_1_8_spells_its_table_otherwise(copy):
    root = copy("msp-podcast")
    expected = read("msp-podcast", root)
    table = root / "Labels" / "labels_consensus.csv"
    table.rename(table.with_name("labels_concensus.csv"))
    pd.testing.assert_frame_equal(read("msp-podcast", root), expected)


def rated(root, *values):
    """MSP-Podcast with other ratings of arousal in its first rows, as text."""
    path = root / "Labels/labels_consensus.csv"
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    rows.loc[: len(values) - 1, "EmoAct"] = values
    rows.to_csv(path, index=False)
    return root


@pytest.mark.parametrize("value", ["0.99", "7.01", "-1", "inf", "nan", "calm"])
def test_msp_podcast_ratings_outside_the_scale_are_an_error(copy, value):
    message = (
        rf"Bad EmoAct '{value}' in labels_consensus\.csv \(1 rows, first: "
        r"'MSP-PODCAST_0000_0000\.wav'\), expected ratings from 1 to 7: correct it there"
    )
    with pytest.raises(ValueError, match=message):
        read("msp-podcast", rated(copy("msp-podcast"), value))


def test_msp_podcast_ratings_at_the_ends_of_the_scale_are_kept_and_missing_ones_stay(copy):
    table = read("msp-podcast", rated(copy("msp-podcast"), "1", "7", ""))
    assert list(table["arousal"].iloc[:2]) == [1, 7]
    assert table["arousal"].isna().sum() == 1


def test_fau_aibo_has_two_tasks_on_the_same_utterances(everything):
    table = read("fau-aibo", everything["fau-aibo"])
    assert set(table["corpus"]) == {"fau-aibo-5"}
    angry = table["label"].isin(["anger", "emphatic"])
    assert (angry == (table["task:fau-aibo-2"] == "negative")).all()
    assert table.groupby("split")["speaker"].unique().map(sorted).to_dict() == {
        "train": ["fau-aibo-Ohm-01", "fau-aibo-Ohm-02"],
        "test": ["fau-aibo-Mont-01", "fau-aibo-Mont-02"],
    }


@pytest.mark.parametrize("question", ["2", "5"])
def test_fau_aibo_with_one_label_file_has_one_task(tmp_path, question):
    table = read("fau-aibo", layouts.fau_aibo(tmp_path, question, suffix=".sph"))
    assert set(table["corpus"]) == {f"fau-aibo-{question}"}
    assert not [column for column in table if column.startswith("task:")]


def test_fau_aibo_utterances_in_one_label_file_only_are_counted(copy):
    root = copy("fau-aibo")
    path = root / "labels/IS2009EmotionChallenge/chunk_labels_2cl_corpus.txt"
    layouts.write(path, path.read_text("utf-8").splitlines()[1:])
    table = read("fau-aibo", root)
    assert table["task:fau-aibo-2"].isna().sum() == 1
    assert "fau-aibo-2 train: 9 of 9,959 utterances." in notes(table)


@pytest.mark.parametrize("suffix", ["", ".wav", ".WAV"])
def test_alc_names_carry_a_suffix_or_none(tmp_path, suffix):
    table = read("alc", layouts.alc(tmp_path, suffix=suffix))
    assert set(table["split"]) == {"test"}
    assert table["label"].value_counts().to_dict() == {"intoxicated": 4, "sober": 4}
    assert "No audio for 16 utterances of ALC.csv, left out: TR_0000" in notes(table)
    assert table["speaker"].nunique() == 8


def test_alc_can_be_learned_from_where_its_training_audio_is(tmp_path, everything):
    root = layouts.alc(tmp_path, train=True)
    table = corpora.load("alc", folders={"alc": str(root)})
    assert table["split"].value_counts().to_dict() == {"train": 8, "dev": 8, "test": 8}
    message = r"No training split in alc, got \['test'\]: give .* for_testing=True"
    with pytest.raises(ValueError, match=message):
        corpora.load("alc", folders=everything)


def test_alc_takes_speakers_and_gender_if_its_table_has_them(copy):
    root = copy("alc")
    lines = ["file,challenge_class,speaker,gender"]
    lines += [f"TE_{n:04d},{('AL', 'NAL')[n % 2]},{n // 2},f" for n in range(8)]
    layouts.write(root / "ALC.csv", lines)
    table = read("alc", root)
    assert sorted(table["speaker"].unique()) == [f"alc-{n}" for n in range(4)]
    assert set(table["gender"]) == {"f"}


@pytest.mark.parametrize("suffix", [".wav", ".WAV", ".sph"])
def test_sld_in_nist_sphere_under_any_suffix(tmp_path, suffix):
    root = layouts.sld(tmp_path, suffix)
    table = corpora.load("sld", folders={"sld": str(root)})
    assert table["split"].value_counts().to_dict() == {"test": 8, "train": 4, "dev": 4}
    assert table["label"].value_counts().to_dict() == {"likable": 8, "non-likable": 8}
    assert not table.attrs["failed"]
    assert audio.read(table.index[0][0]).size > 1_000
