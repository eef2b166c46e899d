"""A model does in mteb what it does here: mteb's own tasks, on a few tones kept in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mteb
import numpy as np
import pytest
import soundfile
import torch
from conftest import RATE, tone
from datasets import Dataset, DatasetDict
from mteb.abstasks import AbsTaskClassification, AbsTaskZeroShotClassification
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models import EncoderProtocol

from paraclap import audio, zeroshot
from paraclap.mteb_encoder import MtebEncoder, mono

WORDS = ["speaker is angry", "speaker is sad"]


def metadata(name: str, kind: str, modalities: list[str], category: str) -> TaskMetadata:
    return TaskMetadata(
        type=kind,
        name=name,
        main_score="accuracy",
        description="Tones that are loud and high, or quiet and low.",
        reference=None,
        dataset={"path": "in/memory", "revision": "1"},
        category=category,
        modalities=modalities,
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
    )


def items(seconds: float = 0.4) -> list[dict[str, Any]]:
    """Eight tones of several lengths, angry and sad in turn."""
    return [
        {
            "array": tone(300 if n % 2 == 0 else 110, 0.5, seconds + 0.05 * n, n),
            "sampling_rate": RATE,
        }
        for n in range(8)
    ]


def stored() -> Dataset:
    return Dataset.from_dict({"audio": items(), "label": [0, 1] * 4})


class Asked(AbsTaskZeroShotClassification):
    """Which of two sentences fits a tone."""

    metadata = metadata("TonesAsked", "AudioZeroshotClassification", ["audio", "text"], "a2t")
    input_column_name = "audio"

    def load_data(self, **_: Any) -> None:
        self.dataset, self.data_loaded = DatasetDict({"test": stored()}), True

    def get_candidate_labels(self) -> list[str]:
        return WORDS


class Learned(AbsTaskClassification):
    """Which of two classes a tone belongs to, by a linear probe."""

    metadata = metadata("TonesLearned", "AudioClassification", ["audio"], "a2c")
    input_column_name = "audio"
    n_experiments, samples_per_label = 2, 3

    def load_data(self, **_: Any) -> None:
        self.dataset = DatasetDict({"train": stored(), "test": stored()})
        self.data_loaded = True


@pytest.fixture
def encoder(model: Any) -> MtebEncoder:
    return MtebEncoder(model, "paraclap/tiny", revision="abc", training_datasets=["CREMA_D"])


def scores(encoder: MtebEncoder, task: Any, folder: Path | None = None) -> dict[str, Any]:
    quiet = {"cache": None, "co2_tracker": False, "show_progress_bar": False}
    found = mteb.evaluate(encoder, task, prediction_folder=folder, **quiet).task_results
    assert len(found) == 1
    return dict(found[0].scores["test"][0])


def test_the_encoder_keeps_the_protocol(encoder):
    assert isinstance(encoder, EncoderProtocol)
    meta = encoder.mteb_model_meta
    assert (meta.name, meta.revision, meta.embed_dim) == ("paraclap/tiny", "abc", 16)
    assert meta.modalities == ["audio", "text"]
    assert meta.training_datasets == {"CREMA_D"}
    assert type(meta).model_validate(meta.model_dump() | {"loader": None}).name == meta.name


@pytest.mark.filterwarnings("ignore:Precision is ill-defined")  # mteb asks for it, too
def test_mteb_scores_zero_shot_answers_as_they_are_given_here(encoder, model, tmp_path):
    files = [tmp_path / f"{number}.wav" for number in range(8)]
    for file, item in zip(files, items(), strict=True):
        soundfile.write(file, item["array"], RATE, subtype="FLOAT")
    answers = zeroshot.classify(model, files, WORDS)["prediction"].tolist()
    right = np.mean([WORDS[n % 2] == answer for n, answer in enumerate(answers)])
    assert scores(encoder, Asked(), tmp_path)["accuracy"] == pytest.approx(right)
    (kept,) = tmp_path.rglob("*.json")
    cosines = zeroshot.embed_audio(model, files) @ zeroshot.embed_text(model, WORDS).T
    told = json.loads(kept.read_text())["default"]["test"]
    np.testing.assert_allclose(told, cosines, atol=1e-5)


def test_mteb_trains_a_probe_on_the_embeddings(encoder):
    assert scores(encoder, Learned())["accuracy"] == 1.0


def loader(rows: list[dict[str, Any]], batch: int) -> torch.utils.data.DataLoader:
    def together(some: list[dict[str, Any]]) -> dict[str, list[Any]]:
        return {name: [row[name] for row in some] for name in some[0]}

    return torch.utils.data.DataLoader(rows, batch, collate_fn=together)


def test_embeddings_do_not_depend_on_the_batch(encoder):
    rows = [{"audio": item} for item in items()]
    np.testing.assert_allclose(
        encoder.encode(loader(rows, 8)), encoder.encode(loader(rows, 1)), atol=1e-5
    )


def test_texts_are_put_into_the_template(model):
    rows = [{"text": word} for word in ("angry", "sad")]
    found = MtebEncoder(model, template="speaker is {}").encode(loader(rows, 2))
    np.testing.assert_array_equal(found, zeroshot.embed_text(model, WORDS))


def test_text_and_audio_of_an_item_are_added(encoder):
    one = items()[0]
    both = encoder.encode(loader([{"text": "a", "audio": one}], 1))
    parts = [encoder.encode(loader([row], 1)) for row in ({"text": "a"}, {"audio": one})]
    np.testing.assert_allclose(both, parts[0] + parts[1], atol=1e-6)


def test_similarity_is_the_cosine(encoder):
    one, other = np.array([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([[6.0, 8.0], [5.0, 0.0]])
    expected = torch.tensor([[1.0, 0.6], [0.8, 0.0]])
    torch.testing.assert_close(encoder.similarity(one, other), expected)
    torch.testing.assert_close(encoder.similarity_pairwise(one, other), expected.diagonal())


def test_channels_are_averaged_and_rates_converted():
    channels = np.stack([np.ones(8000), np.zeros(8000)])
    halves = mono({"array": channels, "sampling_rate": 8000})
    assert halves.shape == (16000,)
    assert halves.dtype == np.float32
    assert halves[2000:-2000] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("array", [[], [0.0, np.nan]])
def test_a_signal_that_cannot_be_heard_is_refused(array):
    with pytest.raises(audio.AudioError, match="expected at least one and finite values"):
        mono({"array": array, "sampling_rate": RATE})


def test_what_is_neither_heard_nor_read_is_refused(encoder):
    with pytest.raises(ValueError, match=r"Got \['image'\] from mteb, expected 'audio'"):
        encoder.encode(loader([{"image": 0}], 1))
    with pytest.raises(ValueError, match="Got no batch from mteb"):
        encoder.encode([])


@pytest.mark.parametrize("name", ["paraclap", "/demo", "a/b/c"])
def test_a_name_without_owner_is_refused(model, name):
    with pytest.raises(ValueError, match="expected owner/name"):
        MtebEncoder(model, name)
