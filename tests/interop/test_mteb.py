"""A model does in mteb what it does here: a task of mteb, on a few tones kept in memory."""

import mteb
import numpy as np
import pytest
from datasets import Dataset, DatasetDict
from mteb.abstasks import AbsTaskZeroShotClassification
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models import EncoderProtocol
from sounds import RATE, buzz, write

from paraclap import audio, classify, embed_text
from paraclap.interop import embed_signals
from paraclap.interop.mteb import MtebEncoder

WORDS = ["speaker is angry", "speaker is sad"]


def items():
    """Eight tones of several lengths, angry and sad in turn."""
    signals = [buzz(0.4 + 0.05 * n, (110, 300)[n % 2 == 0], seed=n) for n in range(8)]
    return [{"array": signal, "sampling_rate": RATE} for signal in signals]


class Asked(AbsTaskZeroShotClassification):
    """Which of two sentences fits a tone."""

    metadata = TaskMetadata(
        type="AudioZeroshotClassification",
        name="TonesAsked",
        main_score="accuracy",
        description="Tones that are loud and high, or quiet and low.",
        reference=None,
        dataset={"path": "in/memory", "revision": "1"},
        category="a2t",
        modalities=["audio", "text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
    )
    input_column_name = "audio"

    def load_data(self, **_):
        tones = Dataset.from_dict({"audio": items(), "label": [0, 1] * 4})
        self.dataset, self.data_loaded = DatasetDict({"test": tones}), True

    def get_candidate_labels(self):
        return WORDS


@pytest.fixture
def encoder(model):
    return MtebEncoder(model, "paraclap/tiny", revision="abc", training_datasets=["CREMA_D"])


def test_the_encoder_keeps_the_protocol(encoder):
    assert isinstance(encoder, EncoderProtocol)
    meta = encoder.mteb_model_meta
    assert (meta.name, meta.revision, meta.embed_dim) == ("paraclap/tiny", "abc", 16)
    assert meta.modalities == ["audio", "text"]
    assert meta.training_datasets == {"CREMA_D"}


@pytest.mark.filterwarnings("ignore:Precision is ill-defined")  # mteb asks for it, too
def test_mteb_scores_zero_shot_answers_as_they_are_given_here(encoder, model, tmp_path):
    given = [(tmp_path / f"{n}.wav", item["array"], RATE) for n, item in enumerate(items())]
    files = [write(*one, subtype="FLOAT") for one in given]
    answers = classify(model, files, WORDS)["prediction"].tolist()
    right = np.mean([WORDS[n % 2] == answer for n, answer in enumerate(answers)])
    quiet = {"cache": None, "co2_tracker": False, "show_progress_bar": False}
    (found,) = mteb.evaluate(encoder, Asked(), **quiet).task_results
    assert found.scores["test"][0]["accuracy"] == pytest.approx(right)


def loader(rows, batch):
    """Rows in batches, as they come from a loader of mteb."""
    parts = (rows[first : first + batch] for first in range(0, len(rows), batch))
    return [{name: [row[name] for row in part] for name in part[0]} for part in parts]


def test_embeddings_do_not_depend_on_the_batch_and_texts_fill_the_template(encoder, model):
    rows = [{"audio": item} for item in items()]
    together, alone = (encoder.encode(loader(rows, batch)) for batch in (8, 1))
    np.testing.assert_allclose(together, alone, atol=1e-5)
    texts = [{"text": word} for word in ("angry", "sad")]
    found = MtebEncoder(model, template="speaker is {}").encode(loader(texts, 2))
    np.testing.assert_array_equal(found, embed_text(model, WORDS))
    both = encoder.encode(loader([{"text": WORDS[0], "audio": items()[0]}], 1))
    np.testing.assert_allclose(both, together[:1] + found[:1], atol=1e-5)


def test_channels_are_averaged_and_rates_converted(model):
    signal = buzz(1.0)
    given = [np.stack([2 * signal, 0 * signal]), np.repeat(signal, 2), signal]
    stereo, double, plain = embed_signals(model, given, [RATE, 2 * RATE, RATE])
    np.testing.assert_allclose(stereo, plain, atol=1e-5)
    assert double @ plain > 0.9


def test_batches_and_signals_of_another_kind_are_refused(encoder, model):
    with pytest.raises(ValueError, match=r"Got \['image'\] from mteb, expected 'audio'"):
        encoder.encode(loader([{"image": 0}], 1))
    for array in ([], [0.0, np.nan]):
        with pytest.raises(audio.AudioError, match="expected one or more, all finite"):
            embed_signals(model, [np.array(array)], [RATE])
