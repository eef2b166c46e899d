"""The model card says what the model is, whose speech it has heard, and how to use it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from huggingface_hub import ModelCard

from paraclap import card, collecting, tables, zeroshot
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.settings import Settings


def make_run(
    folder: Path, labels: pd.DataFrame, pool: Pool, model: ParaCLAP, **settings: Any
) -> Path:
    """Folder of a run on tones, with a score written by hand."""
    model.save_pretrained(folder / "model")
    tables.write_table(labels, folder / "labels.parquet")
    tables.write_table(pool.table(), folder / "queries.parquet")
    towers = {"audio_encoder": "smoke", "text_encoder": "smoke", "projection_dim": 16}
    tables.write_json(Settings(**(towers | settings)).asdict(), folder / "settings.json")
    score = {"task": labels["corpus"].iloc[0], "n": 10, "macro_f1": 0.5, "accuracy": 0.6}
    score |= {"uar": 0.61234, "uar_low": 0.5, "uar_high": 0.7}
    tables.write_table(pd.DataFrame([score]), folder / "scores.csv")
    return folder


@pytest.fixture
def run(voices: pd.DataFrame, pool: Pool, model: ParaCLAP, tmp_path: Path) -> Path:
    labels = voices.assign(synthetic=True, language="de", corpus="podcast")
    return make_run(tmp_path / "tiny", labels, pool, model)


def written(run: Path) -> tuple[ModelCard, str]:
    """The card as the hub reads it, and its text."""
    text = card.write(collecting.collect(run, device="cpu"), run)
    return ModelCard.load(run / "model" / "README.md"), text


def test_machines_read_licence_language_and_every_score_with_its_interval(run):
    data = written(run)[0].data
    assert (data.license, data.language) == ("other", ["de"])
    assert data.license_link.startswith("https://github.com/audeering/opensmile")
    assert data.pipeline_tag == "zero-shot-audio-classification"
    assert {"paraclap", "synthetic-speech"} <= set(data.tags)
    (score,) = data.eval_results
    assert (score.dataset_name, score.dataset_split) == ("podcast (synthetic speech)", "test")
    assert (score.metric_type, score.metric_value) == ("recall", 0.6123)
    assert score.metric_name == "UAR, 95 % interval 0.500 to 0.700 over utterances"


def test_synthetic_speech_is_said_first(run):
    first = written(run)[1].strip().split("\n\n")[1]
    assert first.startswith("**Its speech: synthetic, spoken by a machine. No score here says")


def test_a_reader_finds_scores_training_data_exposure_and_limits(run, voices):
    text = written(run)[1]
    hours = voices[voices["split"] == "train"].index.to_frame()["end"].dt.total_seconds().sum()
    train = f"| podcast | synthetic | 40 | {hours / 3600:.1f} | 4 | de | made by this project"
    assert train in text
    assert "| podcast | synthetic | 2 | 0.500 | 0.612 | 0.500 to 0.700 | utterances | 10 |" in text
    assert "| podcast | 100 % | 100 % | the corpus |" in text
    for part in ("Limits", "Licence", "Citation", "forbids use in\nproducts", "jing2024paraclap"):
        assert part in text
    assert "{{" not in text.replace("{{ParaCLAP}", "")
    assert "\n\n\n\n" not in text


def test_parameters_are_those_of_the_model(run, model):
    found = card.parameters(run / "model")
    assert found["all"] == sum(weights.numel() for weights in model.parameters())
    tower = sum(weights.numel() for weights in model.audio_model.parameters())
    assert (found["audio tower"], found["temperature"]) == (tower, 1)
    assert f"{found['all']:,}" in written(run)[1]


def test_the_lines_that_show_how_to_use_it_run(run, monkeypatch, capsys):
    code = re.search(r"## How to use\s+```python\n(.*?)```", written(run)[1], re.DOTALL)[1]
    assert len(ast.parse(code).body) <= 5
    monkeypatch.chdir(run.parent)
    soundfile.write("voice.wav", tone(200, 0.3, 0.6), RATE)
    exec(compile(code, "README.md", "exec"), {})
    assert re.search(r"voice\.wav.*(angry|sad)", capsys.readouterr().out)


def test_a_model_with_a_card_loads_as_before(run, voices):
    before = zeroshot.embed_audio(ParaCLAP.from_pretrained(run / "model"), voices[:3])
    written(run)
    after = zeroshot.embed_audio(ParaCLAP.from_pretrained(run / "model"), voices[:3])
    np.testing.assert_array_equal(before, after)


def test_people_are_not_called_synthetic_and_a_known_corpus_has_its_licence(
    voices, pool, model, tmp_path
):
    labels = voices.assign(synthetic=False, corpus="crema-d", language=None)
    labels = labels.assign(language=labels["language"].astype("str"))
    found, text = written(make_run(tmp_path / "real", labels, pool, model))
    assert "synthetic" not in text
    assert "recorded-speech" in found.data.tags
    row = next(line for line in text.splitlines() if line.startswith("| crema-d | recorded | 40"))
    assert "not known" in row
    assert "Open Database" in row or "ODbL" in row


def test_speech_of_unknown_origin_is_not_taken_for_that_of_people(voices, pool, model, tmp_path):
    text = written(make_run(tmp_path / "mine", voices, pool, model))[1]
    assert "**Its speech: of unknown origin: nothing tells whether people speak.**" in text
    assert "as its owner says" in text


def test_no_card_is_written_for_a_model_that_is_not_the_run_s(run):
    found = collecting.collect(run, other_model=str(run / "model"))
    assert card.write(found, run) == card.NO_CARD
    assert not (run / "model" / "README.md").exists()
