"""Several corpora in one run: names, roles, and what is missing."""

import layouts
import pandas as pd
import pytest

from paraclap import corpora, tables
from paraclap.corpora import paper
from paraclap.corpora.paper import CORPORA


def test_all_corpora_are_one_table_to_learn_from_the_first(everything):
    table = corpora.load(", ".join(everything), folders=everything)
    learned = table.loc[table["split"] != "test", "corpus"]
    assert set(learned) == {"msp-podcast"}
    names = "msp-podcast iemocap ravdess crema-d tess fau-aibo-5 alc sld"
    assert " ".join(table["corpus"].unique()) == names
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
    message = "Cannot split tess by speaker: it has 2, expected at least 3: give .* for_testing"
    with pytest.raises(ValueError, match=message):
        corpora.load("tess", folders=everything)


def test_a_corpus_alone_or_all_together_can_be_only_tested_on(everything):
    names = ["ravdess", "tess", "alc", "sld", "fau-aibo", "msp-podcast"]
    form = {"folders": everything, "for_testing": True}
    table = corpora.load(", ".join(names), **form)
    alone = [corpora.load(name, **form) for name in names]
    assert [len(part) for part in alone] == [32, 28, 8, 8, 20, 20]
    assert all(set(part["split"]) == {"test"} for part in [table, *alone])
    assert list(table.index) == [row for part in alone for row in part.index]


def test_a_corpus_without_test_voices_cannot_be_tested_on(everything, copy):
    root = copy("fau-aibo")
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
    ("tess, ravdes", {}, r"Unknown corpus 'ravdes', expected .* Did you mean 'ravdess'\?"),
    ("tess, my/folder", {}, "cannot stand beside names"),
    ("synthesis, tess", {}, "cannot stand beside names"),
    ("tess, tess", {}, "Bad corpus 'tess, tess', expected each once"),
    ("crema-d, audb:crema-d@1.3.0", {}, "expected each once"),
    ("audb:", {}, "Bad corpus 'audb:', expected each once"),
    ("tess, sld", {"learn_from": "ravdess"}, r"Unknown corpus 'ravdess' in learn_from"),
    ("tess, sld", {"learn_from": "sld", "for_testing": True}, "learns from none"),
    ("tess", {"table": "labels.csv"}, "Bad corpus_table: only for a folder"),
    ("tess", {"columns": "a=b", "label_column": "mood"}, "Bad label_column, columns"),
    ("some/folder", {"learn_from": "tess"}, "is one corpus, leave it empty"),
])  # fmt: skip
def test_bad_names_are_an_error_that_says_what_is_known(corpus, more, message):
    with pytest.raises(ValueError, match=message):
        corpora.load(corpus, **more)


def test_a_misspelt_name_alone_is_a_folder_that_is_not_there_with_a_hint():
    with pytest.raises(FileNotFoundError, match="Did you mean 'ravdess'"):
        corpora.load("ravdes")


def test_a_folder_whose_name_has_a_comma_is_still_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tess, sld and mine").mkdir()
    with pytest.raises(FileNotFoundError, match=r"No table 'labels\.csv' in 'tess, sld and mine'"):
        corpora.load("tess, sld and mine")


def test_folders_are_picked_from_the_parameters_of_a_notebook():
    values = {"msp_podcast": "a", "crema_d": "", "tess": None, "seed": 0, "folder": "b"}
    assert paper.folders(values) == {"msp-podcast": "a", "crema-d": ""}
