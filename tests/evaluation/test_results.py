"""What a run has measured stands in its results and on the card of its model."""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from huggingface_hub import ModelCard
from sounds import buzz, write

from paraclap import ParaCLAP, tables
from paraclap.evaluation import results
from paraclap.evaluation.results import write_card
from paraclap.training.settings import Settings

SETTINGS = Settings(audio_encoder="smoke", text_encoder="smoke", agreed_only=False, device="cpu")
UAR = {"uar": 0.61234, "uar_low": 0.5, "uar_high": 0.7}


@pytest.fixture
def run(table: pd.DataFrame, queries: pd.DataFrame, model: ParaCLAP, tmp_path: Path) -> Path:
    """Folder of a run with a model, and scores written by hand."""
    folder = tmp_path / "runs" / "tiny"
    model.save_pretrained(folder / "model")
    tables.write_table(table, folder / "labels.parquet")
    tables.write_table(queries, folder / "queries.parquet")
    tables.write_json(SETTINGS.asdict(), folder / "settings.json")
    more = {"n": 10, "macro_f1": 0.5, "accuracy": 0.4} | UAR
    asked = [{"task": "tones"} | more, {"task": "drunk"} | more]
    tables.write_table(pd.DataFrame(asked), folder / "scores.csv")
    simple = {"system": "majority", "task": "drunk", "n": 10} | UAR | {"uar": 0.5}
    tables.write_table(pd.DataFrame([simple]), folder / "references.csv")
    ends = [{"attribute": "gender", "n": 10} | UAR]
    tables.write_table(pd.DataFrame(ends), folder / "attributes.csv")
    return folder


@pytest.fixture
def result(run: Path):
    return results.collect(run, 3, "speaker is {}")


def score(result, **wanted):
    """The one score that is as wanted."""
    (found,) = [one for one in result["scores"] if wanted.items() <= one.items()]
    return found


def test_a_score_names_its_task_speech_and_interval(result):
    found = score(result, task="drunk", file="scores.csv", metric="uar")
    names = ["kind", "speech", "n", "unit", "chance", "system", "value", "low", "high"]
    expected = ["task", "recorded", 10, "utterances", 0.5, "zero-shot", 0.61234, 0.5, 0.7]
    assert [found[name] for name in names] == expected
    tones = score(result, task="tones", metric="accuracy")
    assert (tones["speech"], tones["value"], tones["low"]) == ("synthetic", 0.4, None)
    gender = score(result, kind="attribute")
    assert (gender["task"], gender["speech"], gender["chance"]) == ("gender", "synthetic", 0.5)


def test_the_kind_of_speech_is_never_guessed():
    cases = {"synthetic": [True, True], "recorded": [False], "mixed": [False, True]}
    for kind, synthetic in (*cases.items(), ("unknown", [True, None]), ("unknown", [])):
        assert results.speech(pd.DataFrame({"synthetic": synthetic})) == kind


def test_other_systems_are_named_and_other_tables_left_alone(run):
    rows = [{"recipe": "paper", "seed": seed, "task": "tones", "n": 10} | UAR for seed in (0, 1)]
    tables.write_table(pd.DataFrame(rows), run / "recipes.csv")
    both = {"variant": "rand5", "n": 10} | UAR
    rows = [{"kind": "task", "task": "tones"} | both, {"kind": "attribute", "task": "pitch"} | both]
    tables.write_table(pd.DataFrame(rows), run / "ablation.csv")
    tables.write_table(pd.DataFrame({"task": ["tones"], "uar": [0.4]}), run / "prompts.csv")
    found = results.collect(run, 0, "speaker is {}")
    names = [one["system"] for one in found["scores"] if one["file"] == "recipes.csv"]
    assert names == ["paper 0", "paper 1"]
    pitch = score(found, task="pitch")
    assert (pitch["kind"], pitch["system"], pitch["chance"]) == ("attribute", "rand5", 0.5)
    assert score(found, system="majority")["value"] == 0.5
    assert "prompts.csv" not in {one["file"] for one in found["scores"]}


def test_a_run_names_its_origin_in_plain_values(run, result):
    assert (result["run"], result["seed"], result["device"]) == ("tiny", 3, "cpu")
    assert result["settings"] == SETTINGS.asdict()
    assert result["packages"]["numpy"] == np.__version__
    assert result["contamination"][0]["seen"] == "the corpus"
    path = tables.write_json(result, run / "results.json")
    assert tables.read_json(path) == result


def test_the_hash_of_a_model_is_that_of_its_weights_alone(run):
    before = results.model_hash(run / "model")
    (run / "model" / "README.md").write_text("A card.")
    assert results.model_hash(run / "model") == before
    weights = run / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert results.model_hash(run / "model") != before


def test_a_task_that_the_labels_do_not_have_is_refused(run):
    table = tables.read_table(run / "scores.csv").assign(task=["tones", "dunk"])
    tables.write_table(table, run / "scores.csv")
    with pytest.raises(ValueError, match=r"Unknown task 'dunk' in scores\.csv.*drunk"):
        results.collect(run, 0, "speaker is {}")


def test_runs_are_gathered_by_date_and_other_versions_named(run, result):
    for name, day in (("later", "03"), ("sooner", "02")):
        dated = result | {"run": name, "date": f"2026-01-{day}T00:00:00+00:00"}
        tables.write_json(dated, run.parent / name / "results.json")
    tables.write_json({"schema": 1}, run / "results.json")
    found, (problem,) = results.gather(str(run.parent))
    assert [one["run"] for one in found] == ["sooner", "later"]
    assert "The results of 'tiny' are too old" in problem


def test_kinds_of_speech_never_share_a_column(run, table, result):
    turned = [one | {"speech": "recorded"} for one in result["scores"]]
    both = [result, result | {"run": "people", "scores": turned}]
    synthetic = results.side_by_side(both, "synthetic")
    assert list(synthetic) == ["date", "run", "commit", "tones"]
    assert synthetic["run"].tolist() == ["tiny"]
    recorded = results.side_by_side(both, "recorded").set_index("run")
    assert recorded["tones"].isna().to_dict() == {"tiny": True, "people": False}
    assert recorded["drunk"].tolist() == ["0.612 [0.50, 0.70]"] * 2
    tables.write_table(table.assign(synthetic=[True, False] * 30), run / "labels.parquet")
    mixed = results.collect(run, 0, "speaker is {}")
    assert {one["speech"] for one in mixed["scores"] if one["task"] == "tones"} == {"mixed"}
    assert results.side_by_side([mixed], "recorded").empty
    with pytest.raises(ValueError, match="Unknown kind of speech 'all'"):
        results.side_by_side(both, "all")


@pytest.fixture
def card(run: Path, result) -> str:
    return write_card(result, run)


def test_machines_read_licence_language_and_every_score_with_its_interval(run, card):
    data = ModelCard.load(run / "model" / "README.md").data
    assert (data.license, data.language) == ("other", ["de"])
    assert data.pipeline_tag == "zero-shot-audio-classification"
    assert {"paraclap", "mixed-speech"} <= set(data.tags)
    tones, drunk = data.eval_results
    assert tones.dataset_name == "tones (synthetic speech)"
    assert drunk.dataset_name == "drunk (recorded speech)"
    assert (tones.metric_type, tones.metric_value) == ("recall", 0.6123)
    assert tones.metric_name == "UAR, 95 % interval 0.500 to 0.700 over utterances"


def test_a_reader_finds_speech_scores_data_contamination_and_limits(card, table):
    first = card.strip().split("\n\n")[1]
    assert first.startswith("**Its speech: partly synthetic, made by a speech synthesiser.")
    ends = table[table["split"] == "train"].index.get_level_values("end")
    hours = sum(end.total_seconds() for end in ends) / 3600
    train = f"| tones | synthetic | 30 | {hours:.1f} | 3 | de | made by this project"
    assert train in card
    assert "| drunk | recorded | 0.500 | 0.612 | 0.500 to 0.700 | utterances | 10 |" in card
    assert "| tones | 100 % | 100 % | the corpus |" in card
    for part in ("Limits", "Licence", "Citation", "forbids use in\nproducts", "2406.07203"):
        assert part in card
    assert "{{" not in card.replace("{{ParaCLAP}", "") and "\n\n\n\n" not in card


def test_people_are_not_called_synthetic_and_corpora_have_their_licence(run, table):
    people = table.assign(synthetic=False, corpus=table["corpus"].replace("tones", "crema-d"))
    tables.write_table(people, run / "labels.parquet")
    scores = tables.read_table(run / "scores.csv").assign(task=["crema-d", "drunk"])
    tables.write_table(scores, run / "scores.csv")
    text = write_card(results.collect(run, 0, "speaker is {}"), run)
    assert "synthetic" not in text
    row = next(line for line in text.splitlines() if line.startswith("| crema-d | recorded | 30"))
    assert "Open Database" in row or "ODbL" in row
    tables.write_table(people.drop(columns="synthetic"), run / "labels.parquet")
    text = write_card(results.collect(run, 0, "speaker is {}"), run)
    assert "**Its speech: of unknown origin" in text


def test_the_lines_that_show_how_to_use_it_run(run, card, monkeypatch, capsys):
    code = re.search(r"## How to use\s+```python\n(.*?)```", card, re.DOTALL)[1]
    assert len(ast.parse(code).body) <= 5
    monkeypatch.chdir(run.parent / "tiny")
    write(Path("voice.wav"), buzz(0.6))
    exec(compile(code.replace("tiny/", ""), "README.md", "exec"), {})
    assert re.search(r"voice\.wav", capsys.readouterr().out)
