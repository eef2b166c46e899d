"""The encoders as ONNX graphs give the embeddings that torch gives, whatever the length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sounds import buzz
from transformers import AutoProcessor

from paraclap import ParaCLAP, embed_text
from paraclap.interop import embed_signals
from paraclap.interop.onnx import export
from paraclap.model import build


@pytest.fixture(scope="module")
def model() -> ParaCLAP:
    return build("smoke", "smoke", 16, 0.2, "mean", seed=1).train()


@pytest.fixture(scope="module")
def files(model: ParaCLAP, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    return export(model, tmp_path_factory.mktemp("onnx"))


def session_of(file: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def run(file: Path, inputs: dict) -> np.ndarray:
    session = session_of(file)
    names = [one.name for one in session.get_inputs()]
    return session.run(None, {name: np.asarray(inputs[name]) for name in names})[0]


def test_signals_of_any_length_are_embedded_as_by_torch(model, files):
    processor = AutoProcessor.from_pretrained(files["audio"].parent)
    for lengths in ((0.3,), (0.5, 1.7, 3.1)):
        signals = [buzz(seconds) for seconds in lengths]
        inputs = dict(processor(audio=signals, sampling_rate=16_000))
        inputs["audio_attention_mask"] = inputs["audio_attention_mask"].long()
        expected = embed_signals(model, signals, [16_000] * len(signals))
        np.testing.assert_allclose(run(files["audio"], inputs), expected, atol=1e-4)
    assert model.training


def test_queries_of_any_length_are_embedded_as_by_torch(model, files):
    processor = AutoProcessor.from_pretrained(files["text"].parent)
    for queries in (["angry"], ["a low pitch", "speaker is sad and has a very low pitch", "x"]):
        inputs = processor(text=queries)
        expected = embed_text(model, queries)
        np.testing.assert_allclose(run(files["text"], inputs), expected, atol=1e-4)


def test_the_factor_of_the_cosines_stands_in_the_file(model, files):
    factor = float(session_of(files["audio"]).get_modelmeta().custom_metadata_map["temperature"])
    assert factor == pytest.approx(model.temperature.item())


def test_an_encoder_that_reads_the_padding_is_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(model.config.audio_config, "feat_extract_norm", "group")
    with pytest.raises(ValueError, match="Bad audio encoder 'wav2vec2' for ONNX"):
        export(model, tmp_path)
