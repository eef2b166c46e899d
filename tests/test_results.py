"""What a run has measured is in its results file, with all that it takes to judge it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraclap import collecting, exposure, origin, results, tables
from paraclap.figures import results as figures
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.tasks import tasks

SETTINGS = Settings(audio_encoder="smoke", text_encoder="smoke", agreed_only=False)
UAR = {"uar": 0.6, "uar_low": 0.5, "uar_high": 0.7}


@pytest.fixture
def labels(voices: pd.DataFrame) -> pd.DataFrame:
    """Thirty tones to learn from, ten that choose; ten more, and ten drunk ones, to be asked."""
    split = ["train"] * 30 + ["dev"] * 10 + ["test"] * 20
    speakers = voices["speaker"].tolist()[:40] + [f"t{n}" for n in range(10)]
    drunk = ["intoxicated", "sober"] * 5
    return voices.assign(
        split=split,
        corpus=["tones"] * 50 + ["drunk"] * 10,
        speaker=[*speakers, *(f"d{n % 4}" for n in range(10))],
        emotion=[*voices["emotion"][:50], *[None] * 10],
        label=[*voices["label"][:50], *drunk],
        synthetic=[True] * 50 + [False] * 10,
    )


@pytest.fixture
def run(labels: pd.DataFrame, pool: Pool, saved: Path, tmp_path: Path) -> Path:
    """Folder of a run with a model, and scores written by hand."""
    folder = tmp_path / "runs" / "tiny"
    folder.mkdir(parents=True)
    saved.rename(folder / "model")
    tables.write_table(labels, folder / "labels.parquet")
    tables.write_table(pool.table(), folder / "queries.parquet")
    tables.write_json(SETTINGS.asdict(), folder / "settings.json")
    more = {"n": 10, "macro_f1": 0.5, "accuracy": 0.4} | UAR
    asked = [{"task": "tones"} | more, {"task": "drunk"} | more]
    tables.write_table(pd.DataFrame(asked), folder / "scores.csv")
    simple = {"n": 10, "logistic": np.nan, "logistic_low": np.nan, "logistic_high": np.nan}
    simple |= {"task": "drunk", "majority": 0.5}
    tables.write_table(pd.DataFrame([simple]), folder / "references.csv")
    ends = [{"attribute": "gender", "n": 10} | UAR]
    tables.write_table(pd.DataFrame(ends), folder / "attributes.csv")
    tables.write_table(pd.DataFrame({"step": [1]}), folder / "curves.csv")
    return folder


@pytest.fixture
def result(run: Path) -> dict[str, Any]:
    return collecting.collect(run, seed=3, device="cpu")


def score(result: dict[str, Any], **wanted: str) -> dict[str, Any]:
    """The one score that is as wanted."""
    (found,) = (
        one for one in result["scores"] if all(one[name] == wanted[name] for name in wanted)
    )
    return dict(found)


# --- collecting --------------------------------------------------------------------------------


def test_a_score_says_of_what_by_what_on_whose_speech(result):
    assert score(result, task="drunk", file="scores.csv", metric="uar") == {
        "file": "scores.csv",
        "kind": "task",
        "task": "drunk",
        "system": "zero-shot",
        "split": "test",
        "speech": "recorded",
        "candidates": {
            "intoxicated": "intoxicated with alcohol",
            "sober": "not intoxicated with alcohol",
        },
        "template": "speaker is {}",
        "chance": 0.5,
        "n": 10,
        "speakers": 4,
        "unit": "utterances",
        "metric": "uar",
        "value": 0.6,
        "low": 0.5,
        "high": 0.7,
    }
    tones = score(result, task="tones", metric="accuracy")
    assert (tones["speech"], tones["speakers"], tones["unit"]) == ("synthetic", 10, "speakers")
    assert (tones["value"], tones["low"], tones["high"]) == (0.4, None, None)


def test_a_trained_reference_is_a_system_and_was_asked_in_no_words(result):
    majority = score(result, system="majority")
    assert (majority["value"], majority["low"], majority["template"]) == (0.5, None, "")
    assert score(result, system="logistic")["value"] is None


def test_what_names_a_system_is_told_with_its_scores(run):
    rows = [{"recipe": "paper", "sentences": "paper", "seed": seed} for seed in ("0", "all")]
    table = pd.DataFrame(rows).assign(task="tones", chance=0.5, n=10, **UAR)
    tables.write_table(table, run / "recipes.csv")
    tables.write_table(table.assign(variant=["rand1", "rand5"]), run / "ablation.csv")
    none = pd.DataFrame(columns=["system", "task", "chance", "n", *UAR])
    tables.write_table(none, run / "systems.csv")
    found = collecting.collect(run)
    names = [one["system"] for one in found["scores"] if one["file"] == "recipes.csv"]
    assert names == ["paper paper 0", "paper paper all"]
    assert score(found, system="rand1")["value"] == 0.6
    assert found["missing"] == ["control.csv"]


def test_an_attribute_is_asked_with_its_two_queries(result):
    gender = score(result, kind="attribute")
    assert gender["candidates"] == {"low": "the speaker is female", "high": "the speaker is male"}
    assert (gender["task"], gender["template"], gender["speech"]) == ("gender", "{}", "synthetic")


def test_what_is_not_there_is_named_and_what_is_no_score_is_hashed(run, result):
    absent = ["ablation.csv", "recipes.csv", "systems.csv", "control.csv"]
    assert result["missing"] == absent
    assert set(result["files"]) == {"curves.csv", "labels.parquet", "queries.parquet"}
    tables.write_table(pd.DataFrame({"step": [2]}), run / "curves.csv")
    again = collecting.collect(run)["files"]
    assert [name for name in again if again[name] != result["files"][name]] == ["curves.csv"]


def test_a_run_says_where_it_comes_from(run, result):
    assert (result["schema"], result["run"], result["seed"]) == (1, "tiny", 3)
    assert (result["device"], result["speech"]) == ("cpu", "mixed")
    assert result["settings"] == SETTINGS.asdict()
    assert result["packages"]["numpy"] == np.__version__
    assert result["model_hash"] == origin.model_hash(run / "model")


def test_a_run_without_scores_has_no_results(run):
    (run / "scores.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"No table at .*scores\.csv"):
        collecting.collect(run)


def test_a_score_of_an_unknown_task_is_refused(run):
    table = tables.read_table(run / "scores.csv").assign(task=["tones", "dunk"])
    tables.write_table(table, run / "scores.csv")
    with pytest.raises(ValueError, match=r"Unknown task 'dunk' in scores\.csv.*drunk"):
        collecting.collect(run)


def test_of_another_model_nobody_knows_what_it_had_met(run):
    found = collecting.collect(run, other_model=str(run / "model"))
    assert (found["settings"], found["exposure"], found["words"]) == ({}, [], [])
    assert found["missing"][-1] == "exposure"


@pytest.mark.parametrize(
    ("synthetic", "kind"),
    [
        ([True, True], "synthetic"),
        ([False], "recorded"),
        ([True, None], "unknown"),
        ([], "unknown"),
    ],
)
def test_whose_speech_it_is_is_never_guessed(synthetic, kind):
    assert results.speech(pd.DataFrame({"synthetic": synthetic})) == kind


# --- origin ------------------------------------------------------------------------------------


def test_the_hash_of_a_model_is_that_of_its_weights_alone(run):
    before = origin.model_hash(run / "model")
    (run / "model" / "README.md").write_text("A card.")
    assert origin.model_hash(run / "model") == before
    weights = run / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert origin.model_hash(run / "model") != before
    with pytest.raises(FileNotFoundError, match=r"expected model\.safetensors"):
        origin.model_hash(run)


def test_a_copy_without_checkout_says_the_version_instead_of_a_commit(tmp_path):
    assert origin.commit(tmp_path) == f"paraclap {origin.packages()['paraclap']}, no checkout"
    assert origin.commit()


def test_sets_of_sentences_have_hashes_of_their_own():
    names = ["paper", "released", "released-fixed"]
    assert len({origin.templates_hash(name) for name in names}) == 3
    assert origin.templates_hash("paper") == origin.templates_hash("paper")


# --- files -------------------------------------------------------------------------------------


def test_what_is_written_is_what_is_read(run, result):
    path = results.write(result, run)
    assert results.read(path) == result
    flat = tables.read_table(run / "results.csv")
    assert len(flat) == len(result["scores"]) == 9
    assert set(flat["model_hash"]) == {result["model_hash"]}
    assert flat["value"].isna().sum() == 1
    assert tables.is_current(path, tables.fingerprint(result))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "0"}, r"\$\.seed: '0' is not of type 'integer'"),
        ({"device": None}, r"\$\.device"),
        ({"date": "yesterday"}, r"\$\.date: 'yesterday' does not match"),
        ({"speech": "human"}, r"\$\.speech: 'human' is not one of"),
        ({"colour": 1}, r"'colour' was unexpected"),
        ({"scores": []}, r"\$\.scores"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_with_the_place(run, result, change, message):
    path = results.write(result, run)
    path.write_text(json.dumps(result | change))
    with pytest.raises(ValueError, match=f"1 bad values in the results of 'tiny' .*{message}"):
        results.read(path)


def test_at_most_five_bad_places_are_named(result):
    bad = [one | {"n": 0} for one in result["scores"]]
    with pytest.raises(ValueError, match="9 bad values") as caught:
        results.check(result | {"scores": bad}, "tiny")
    assert str(caught.value).count("less than the minimum") == 5


@pytest.mark.parametrize("found", [{"schema": 2}, {}, [], None])
def test_another_version_is_refused_at_once(found):
    with pytest.raises(ValueError, match=r"Bad schema .* expected 1: they were written by another"):
        results.check(found, "old")


def test_nothing_invalid_is_written(run, result):
    with pytest.raises(ValueError, match="bad values"):
        results.write(result | {"seed": 0.5}, run)
    assert not (run / "results.json").exists()


def test_runs_are_gathered_by_date_and_broken_files_named(run, result):
    for name, day in (("later", "03"), ("sooner", "02")):
        folder = tables.run_folder(name, str(run.parent))
        dated = result | {"run": name, "date": f"2026-01-{day}T00:00:00+00:00"}
        results.write(dated, folder)
    (run / "results.json").write_text('{"schema": 1}')
    found, (complaint,) = results.gather(str(run.parent))
    assert [one["run"] for one in found] == ["sooner", "later"]
    assert "in the results of 'tiny'" in complaint


# --- side by side ------------------------------------------------------------------------------


def test_kinds_of_speech_never_share_a_column(result):
    turned = [one | {"speech": "recorded"} for one in result["scores"]]
    both = [result, result | {"run": "people", "scores": turned}]
    synthetic = results.side_by_side(both, "synthetic")
    assert list(synthetic) == ["run", "date", "commit", "speech", "tones"]
    assert synthetic["run"].tolist() == ["tiny"]
    recorded = results.side_by_side(both, "recorded")
    assert recorded["tones"].isna().tolist() == [True, False]
    assert recorded["drunk"].tolist() == ["0.600 [0.50, 0.70]"] * 2
    assert results.side_by_side(both, "unknown").empty
    with pytest.raises(ValueError, match="Unknown kind of speech 'all'"):
        results.side_by_side(both, "all")


def test_kinds_of_speech_never_share_axes(result):
    table = results.asked(results.flat(result))
    synthetic, recorded = figures.runs(table).axes
    assert synthetic.get_title() == "synthetic speech: no result about people"
    assert recorded.get_title() == "recorded speech"
    for ax, task in ((synthetic, "tones"), (recorded, "drunk")):
        assert [text.get_text() for text in ax.get_yticklabels()] == [task]
        assert ax.containers[0][0].get_xdata().tolist() == [0.6]


# --- exposure ----------------------------------------------------------------------------------


@pytest.fixture
def queries(pool: Pool) -> pd.DataFrame:
    return pool.table()


def known(labels: pd.DataFrame, queries: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    return exposure.of_run(labels, queries, tasks(labels), settings)


def test_emotions_are_said_in_training_and_drunkenness_is_not(labels, queries):
    found = known(labels, queries, SETTINGS).set_index("label")
    assert found["said"].to_dict() == {
        "anger": True,
        "sadness": True,
        "intoxicated": False,
        "sober": False,
    }
    assert found["voices"].tolist() == [15, 15, 0, 0]


def test_a_training_that_never_says_emotions_has_not_said_them(labels, queries):
    silent = known(labels, queries, SETTINGS.but(emotion="never"))
    assert not silent["said"].any()
    assert silent["voices"].tolist() == [15, 15, 0, 0], "it has heard them all the same"


def test_what_is_said_of_emotions_alone_is_no_attribute(labels, queries):
    said = exposure.vocabulary(queries, labels, SETTINGS.but(only_emotion=True))
    assert "speaker is angry" in said
    assert not exposure.says(said, "pitch")


def test_voices_left_out_of_training_say_nothing(labels, queries):
    labels["emotion"] = labels["emotion"].where(labels["emotion"] != "anger", "no_agreement")
    queries["emotion"] = labels["emotion"].to_numpy()
    assert exposure.vocabulary(queries, labels, SETTINGS)
    said = exposure.vocabulary(queries, labels, SETTINGS.but(agreed_only=True))
    assert exposure.says(said, "sad")
    assert not exposure.says(said, "angry")
    none = labels.assign(split="test")
    assert exposure.vocabulary(queries, none, SETTINGS) == []


def test_a_corpus_trained_on_is_not_zero_shot(labels, queries):
    words = known(labels, queries, SETTINGS)
    found = exposure.matrix(labels, words, SETTINGS).set_index("task")
    assert found.loc["tones"].tolist() == [0, 0, 1, 0, 1, 1, 1, "the corpus"]
    assert found.loc["drunk"].tolist() == [0, 0, 0, 0, 0, 0, 0, "nothing of it"]


def test_a_speaker_trained_on_is_not_zero_shot(labels, queries):
    labels.loc[labels["speaker"] == "d1", "speaker"] = "s0"
    words = known(labels, queries, SETTINGS)
    found = exposure.matrix(labels, words, SETTINGS).set_index("task").loc["drunk"]
    assert (found["speakers"], found["met"]) == (0.25, "the corpus")


def test_of_a_tower_that_nobody_knows_nothing_is_claimed(labels, queries):
    own = SETTINGS.but(audio_encoder="my/encoder")
    found = exposure.matrix(labels, known(labels, queries, own), own).set_index("task")
    assert found["audio tower"].isna().all()
    assert found["met"].tolist() == ["the corpus", "not known: a tower"]


def test_the_tower_of_the_paper_knows_msp_podcast(labels, queries):
    own = Settings(agreed_only=False)
    podcast = labels.assign(corpus=labels["corpus"].replace("drunk", "msp-podcast"))
    found = exposure.matrix(podcast, known(podcast, queries, own), own).set_index("task")
    assert found.loc["msp-podcast", ["audio tower", "text tower", "training"]].tolist() == [1, 0, 0]
    assert found.loc["msp-podcast", "met"] == "the corpus"


@given(st.lists(st.from_regex(r"\A[a-z]{1,6}\Z"), min_size=1, max_size=6), st.integers(0, 5))
def test_a_word_is_said_as_a_whole_or_not_at_all(words, place):
    word = words[place % len(words)]
    query = " ".join(words)
    assert exposure.says([query], word)
    assert exposure.says([f"Not very {word.upper()}, and loud"], word)
    assert not exposure.says([f"{query}ish un{query}".replace(" ", "")], f"{word}x")
    assert exposure.says([query], f"un{word}") == (f"un{word}" in words)


def test_the_figure_says_which_tasks_are_not_zero_shot(labels, queries):
    own = SETTINGS.but(audio_encoder="my/encoder")
    matrix = exposure.matrix(labels, known(labels, queries, own), own)
    ax = figures.exposure(matrix).axes[0]
    told = [text.get_text() for text in ax.texts]
    assert told[:7] == ["?", "-", "yes", "-", "yes", "100 %", "100 %"]
    assert told[-2:] == ["not zero-shot", "not known"]


def test_a_figure_of_nothing_known_says_so(capsys):
    figures.exposure(pd.DataFrame())
    assert "what it met is unknown" in capsys.readouterr().out
