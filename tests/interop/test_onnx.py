"""The encoders as ONNX graphs give the embeddings that torch gives, whatever the length."""

import numpy as np
import pytest
from sounds import buzz
from transformers import AutoProcessor
from typer.testing import CliRunner

from paraclap import embed_text
from paraclap.cli import app
from paraclap.interop import embed_signals
from paraclap.interop.onnx import export
from paraclap.model import build


@pytest.fixture(scope="module")
def model():
    return build("smoke", "smoke", 16, 0.2, "mean", seed=1).train()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    place = tmp_path_factory.mktemp("onnx")
    model.save_pretrained(place / "model")
    done = CliRunner().invoke(app, ["export", str(place / "model"), str(place / "graphs")])
    assert done.stdout.split() == [str(place / f"graphs/{side}.onnx") for side in ("audio", "text")]
    return place / "graphs"


def run(folder, side, **given):
    """Embeddings and the factor of their cosines, by the processor and the graph in a folder."""
    import onnxruntime

    file = folder / f"{side}.onnx"
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    inputs = AutoProcessor.from_pretrained(folder)(**given)
    values, mask = (np.asarray(inputs[one.name]) for one in session.get_inputs())
    names = [one.name for one in session.get_inputs()]
    factor = float(session.get_modelmeta().custom_metadata_map["temperature"])
    return session.run(None, {names[0]: values, names[1]: mask.astype(np.int64)})[0], factor


def test_signals_and_queries_of_any_length_are_embedded_as_by_torch(model, folder):
    for lengths in ((0.3,), (0.5, 1.7, 3.1)):
        signals = [buzz(seconds) for seconds in lengths]
        found, factor = run(folder, "audio", audio=signals, sampling_rate=16_000)
        expected = embed_signals(model, signals, [16_000] * len(signals))
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert factor == pytest.approx(model.temperature.item())
    assert model.training
    for queries in (["angry"], ["a low pitch", "speaker is sad and has a very low pitch", "x"]):
        found, _ = run(folder, "text", text=queries)
        np.testing.assert_allclose(found, embed_text(model, queries), atol=1e-4)


def test_an_encoder_that_reads_the_padding_is_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(model.config.audio_config, "feat_extract_norm", "group")
    with pytest.raises(ValueError, match="Bad audio encoder 'wav2vec2' for ONNX"):
        export(model, tmp_path)
