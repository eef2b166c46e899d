"""Signals and queries as the encoders read them."""

import numpy as np
import pytest
import torch
from sounds import noise
from transformers import AutoTokenizer, Wav2Vec2FeatureExtractor

from paraclap.model import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.model.encoders import load_text_encoder, minilm_folder


@pytest.fixture(scope="module")
def processor():
    _, tokenizer = load_text_encoder("smoke")
    return ParaCLAPProcessor(ParaCLAPFeatureExtractor(400, do_normalize=False), tokenizer)


@pytest.mark.parametrize("normalise", [False, True])
def test_signals_are_padded_as_by_wav2vec2_and_the_mask_has_its_own_name(normalise):
    options = {"padding": True, "sampling_rate": 16_000, "return_tensors": "np"}
    batch = noise(5000, 3000)
    ours = ParaCLAPFeatureExtractor(do_normalize=normalise)(batch, **options)
    theirs = Wav2Vec2FeatureExtractor(do_normalize=normalise, return_attention_mask=True)
    expected = theirs(batch, **options)
    assert set(ours) == {"input_values", "audio_attention_mask"}
    np.testing.assert_allclose(ours["input_values"], expected["input_values"], atol=1e-6)
    np.testing.assert_array_equal(ours["audio_attention_mask"], expected["attention_mask"])
    assert ours["input_values"].dtype == np.float32


def test_a_signal_may_be_an_array_a_tensor_or_a_list():
    (signal,) = noise(900)
    kinds = [signal, torch.from_numpy(signal), signal.tolist()]
    kinds += [[one] for one in kinds] + [signal[None].astype(np.float64), (signal,)]
    for given in kinds:
        extractor = ParaCLAPFeatureExtractor(do_normalize=False)
        found = extractor(raw_speech=given, return_tensors="np")
        np.testing.assert_array_equal(found["input_values"], signal[None])


def test_padding_and_lengths_are_for_the_caller_to_choose():
    extractor, batch = ParaCLAPFeatureExtractor(400), noise(5000, 3000)

    def shape(**options):
        return tuple(extractor(batch, return_tensors="pt", **options)["input_values"].shape)

    assert shape() == shape(padding="longest") == (2, 5000)
    assert shape(padding="max_length", max_length=8000) == (2, 8000)
    assert shape(max_length=2000, truncation=True) == (2, 2000)
    assert [len(one) for one in extractor(batch, padding=False)["input_values"]] == [5000, 3000]
    assert "audio_attention_mask" not in extractor(batch, return_attention_mask=False)


def test_a_short_signal_is_extended_by_silence_that_counts():
    batch = ParaCLAPFeatureExtractor(400, do_normalize=False)(noise(10), return_tensors="np")
    assert batch["audio_attention_mask"].sum() == 400
    assert not batch["input_values"][0, 10:].any()


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (np.zeros((1, 2, 900)), r"Bad signal: shape \(2, 900\), .*expected one channel"),
        ([[[0.0] * 900] * 2], r"Bad signal: shape \(2, 900\), .*expected one channel"),
        ([np.array([0.0, np.nan, np.inf])], "2 values not finite, expected"),
        (np.array([0, 9000], np.int16), "peak 9000, .* from -1 to 1"),
    ],
)
def test_what_is_no_mono_signal_is_refused(signals, message):
    with pytest.raises(ValueError, match=message):
        ParaCLAPFeatureExtractor()(signals)


def test_another_sampling_rate_and_unknown_options_are_refused(processor):
    with pytest.raises(ValueError, match="Bad sampling_rate 8000, expected 16000 Hz"):
        processor(audio=noise(4000), sampling_rate=8000)
    with pytest.raises(TypeError, match="samplingrate"):
        processor.feature_extractor(noise(4000), samplingrate=16_000)
    with pytest.raises(ValueError, match="Got neither text nor audio"):
        processor()
    with pytest.raises(TypeError, match=r"Unknown options \['paddin'\]"):
        processor(text="a", paddin=True)
    for part in ({"text": "a", "text_kwargs": {"padding": True}}, {"audio": noise(900)}):
        with pytest.raises(ValueError, match=r"Got \['padding'\] twice"):
            processor(**{"audio_kwargs": {"padding": True}} | part, padding=False)


def test_options_are_taken_as_processors_of_transformers_take_them(processor):
    text, audio = ["a", "b c"], noise(900, 500)
    plain = {name: one.shape for name, one in processor(text, audio, sampling_rate=16_000).items()}
    assert plain["input_ids"] == plain["attention_mask"] == (2, 4)
    assert plain["input_values"] == plain["audio_attention_mask"] == (2, 900)
    padded = {"padding": "max_length", "max_length": 20, "truncation": True}
    both = processor(text=text, audio=audio, sampling_rate=16_000, **padded)
    assert (both["input_ids"].shape, both["input_values"].shape) == ((2, 20), (2, 900))
    own = {"sampling_rate": 16_000, "padding": "max_length", "max_length": 1000}
    more = {"common_kwargs": {"return_tensors": "np"}, "images_kwargs": {}}
    apart = processor(text=text, audio=audio, text_kwargs=padded, audio_kwargs=own, **more)
    assert isinstance(apart["input_ids"], np.ndarray)
    assert (apart["input_ids"].shape, apart["input_values"].shape) == ((2, 20), (2, 1000))
    alone = processor(audio=audio, padding="max_length", max_length=1000)
    assert alone["input_values"].shape == (2, 1000)


def test_what_a_tokenizer_is_made_with_holds_and_padding_stands_at_the_end():
    options = {"padding": "max_length", "max_length": 9, "padding_side": "left"}
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder(), **options)
    tokens = ParaCLAPProcessor(ParaCLAPFeatureExtractor(), tokenizer)(text=["sad"])
    assert tokens["attention_mask"].tolist() == [[1] * 3 + [0] * 6]
