"""The audio encoder that reads eGeMAPS functionals."""

import numpy as np
import pandas as pd
import pytest
import torch
from sounds import noise, write

from paraclap import audio, features
from paraclap.model import ParaCLAP, build
from paraclap.model.embedding import embed_audio
from paraclap.model.functionals import FUNCTIONALS, FunctionalsEncoder
from paraclap.model.layers import encode_audio

NAMES = ["egemaps", "egemaps+smoke"]


def untrained(name):
    model = build(name, "smoke", 16, 0.0, "mean", seed=0).eval()
    model.processor.feature_extractor.fit(np.random.default_rng(1).normal(size=(40, FUNCTIONALS)))
    return model


def drawn(count):
    return np.random.default_rng(3).normal(size=(count, FUNCTIONALS))


@pytest.fixture(scope="module")
def table(labels):
    """Functionals of six utterances."""
    index = labels.index[::10]
    rows = [features.functionals(audio.read(*segment)) for segment in index]
    return pd.DataFrame(np.array(rows), index)


def test_functionals_are_scaled_by_those_of_training_and_stand_before_the_signal():
    extractor = untrained("egemaps+smoke").processor.feature_extractor
    training = np.random.default_rng(2).normal(5, 3, (500, FUNCTIONALS))
    extractor.fit(training)
    (signal,) = noise(8000)
    read = extractor([signal] * 500, functionals=training, return_tensors="np")["input_values"]
    assert read.shape == (500, FUNCTIONALS + 8000)
    np.testing.assert_allclose(read[:, :FUNCTIONALS].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(read[:, :FUNCTIONALS].std(0), 1, atol=1e-5)
    np.testing.assert_array_equal(read[0, FUNCTIONALS:], signal)
    extreme = extractor(signal, functionals=np.full(FUNCTIONALS, 1e9))["input_values"][0]
    assert extreme[:FUNCTIONALS].max() < 4  # a value far beyond those of training is cut
    extractor = untrained("egemaps").processor.feature_extractor
    extractor.fit(np.ones((10, FUNCTIONALS)))  # one that never varies is zero
    read = extractor(np.zeros(0), functionals=np.ones((1, FUNCTIONALS)))
    assert not read["input_values"][0].any()


@pytest.mark.parametrize("name", NAMES)
def test_pooling_keeps_the_functionals_and_counts_no_padding(name):
    model, given = untrained(name), drawn(2)
    signals = noise(9000, 16_000)
    inputs = model.processor(audio=signals, functionals=given)
    _, pooled = encode_audio(model.audio_model, *inputs.values())
    for row, signal, own in zip(pooled, signals, given, strict=True):
        one = model.processor(audio=signal, functionals=own)
        expected = one["input_values"][0, :FUNCTIONALS]
        torch.testing.assert_close(row[-FUNCTIONALS:], expected)
        _, alone = encode_audio(model.audio_model, *one.values())
        torch.testing.assert_close(row, alone[0], atol=1e-5, rtol=1e-4)
    assert isinstance(model.audio_model, FunctionalsEncoder)
    if model.audio_model.encoder is not None:
        units = model.audio_model.encoder.config.hidden_size
        _, plain = encode_audio(model.audio_model.encoder, torch.from_numpy(signals[1])[None])
        torch.testing.assert_close(pooled[1, :units], plain[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_answers_as_before_from_files_and_from_a_table(name, labels, table, tmp_path):
    model, few = untrained(name), labels.loc[table.index]
    model.processor.feature_extractor.fit(table.to_numpy(float))
    expected = embed_audio(model, few)
    model.save_pretrained(tmp_path)
    loaded = ParaCLAP.from_pretrained(tmp_path)
    assert loaded.processor.feature_extractor.scaling == model.processor.feature_extractor.scaling
    np.testing.assert_array_equal(embed_audio(loaded, few), expected)
    known = embed_audio(loaded, few, functionals=table)
    np.testing.assert_allclose(known, expected, atol=1e-6)
    half = embed_audio(loaded, few, precision="bf16")
    assert (half * expected).sum(1).min() > 0.99


def test_an_encoder_of_functionals_alone_reads_no_file_that_has_a_row(table):
    moved = table.rename(index=lambda file: f"/nowhere/{file}", level="file")
    assert embed_audio(untrained("egemaps"), moved, functionals=moved).shape == (6, 16)
    with pytest.raises(KeyError, match=r"00\.wav.* not in index"):
        embed_audio(untrained("egemaps"), table, functionals=table.iloc[1:])


def test_without_scaling_or_sound_there_are_no_functionals(tmp_path):
    silent = write(tmp_path / "silent.wav", np.zeros(16_000))
    with pytest.raises(audio.AudioError, match="Silent"):
        embed_audio(untrained("egemaps"), silent)
    with pytest.raises(ValueError, match=r"train the model, or call feature_extractor\.fit"):
        build("egemaps", "smoke", 16).prepare(audio=noise(8000))


def test_attention_and_checkpointing_reach_the_inner_encoder(tmp_path):
    model = untrained("egemaps+smoke")
    model.save_pretrained(tmp_path)
    eager = ParaCLAP.from_pretrained(tmp_path, attn_implementation="eager")
    assert eager.audio_model.encoder.config._attn_implementation == "eager"
    model.activation_checkpointing_enable()
    assert model.audio_model.encoder.encoder.gradient_checkpointing
