"""The model as features of audinterface, in tables that join those of openSMILE."""

import audformat
import numpy as np
import opensmile
import pandas as pd
import pytest
from sounds import buzz, write

from paraclap import classify
from paraclap.interop.audinterface import embeddings, probabilities
from paraclap.model import build
from paraclap.model.embedding import embed_audio


def test_values_are_those_of_the_package(model, labels):
    some = labels[:6]
    frame = embeddings(model).process_index(some.index)
    np.testing.assert_allclose(frame, embed_audio(model, some), atol=1e-5)
    assert list(frame)[:2] == ["embedding-0", "embedding-1"]
    words = {"a": "angry", "s": "sad"}
    frame = probabilities(model, words, "speaker is {}").process_index(some.index)
    answers = classify(model, some, words, "speaker is {}")
    np.testing.assert_allclose(frame, answers[["a", "s"]], atol=1e-5)
    assert frame.idxmax(axis=1).tolist() == answers["prediction"].tolist()


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_rows_are_those_of_opensmile(model, tmp_path, rate):
    lengths = np.random.default_rng(1).integers(rate // 2, rate, 6)
    signals = [buzz(3)[:length] for length in lengths]
    files = [str(write(tmp_path / f"{n}.wav", one, rate)) for n, one in enumerate(signals)]
    index = audformat.filewise_index(files)
    own, theirs = embeddings(model).process_index(index), opensmile.Smile().process_index(index)
    assert own.index.tolist() == theirs.index.tolist()
    assert own.index.tolist() == embeddings(model).process_files(files).index.tolist()
    assert len(own.join(theirs, how="inner")) == 6


def test_windows_and_channels_are_those_of_audinterface(model, tmp_path):
    signal = buzz(2.0)
    file = write(tmp_path / "stereo.wav", np.stack([signal, 0 * signal], axis=1))
    half = write(tmp_path / "half.wav", signal / 2)
    both = embeddings(model).process_files([str(file), str(half)]).to_numpy()
    np.testing.assert_allclose(both[0], both[1], atol=1e-3)
    windows = embeddings(model, win_dur="500ms", hop_dur="500ms").process_file(str(file))
    assert len(windows) == 4
    single = embeddings(model, channels=[0, 1], mixdown=False).process_file(str(file))
    alone = embeddings(model).process_file(str(write(tmp_path / "one.wav", signal)))
    np.testing.assert_allclose(single[0], alone, atol=1e-3)
    np.testing.assert_allclose(embeddings(model, mixdown=False).process_file(str(file)), single[0])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("name", ["mixdown", "max_signal_dur", "num_workers", "multiprocessing"])
def test_indices_files_and_signals_honour_the_same_settings(model, tmp_path, name):
    values = {"mixdown": False, "max_signal_dur": 0.3, "num_workers": 2, "multiprocessing": True}
    feature = embeddings(model, **{"num_workers": 2, name: values[name]})
    both = np.stack([buzz(0.5, 100), buzz(0.5, 300)], 1)
    files = [str(write(tmp_path / f"{n}.wav", both[n:])) for n in range(3)]
    found = feature.process_index(audformat.filewise_index(files))
    pd.testing.assert_frame_equal(feature.process_files(files), found)
    one = feature.process_signal(both[2:].T, 16_000)
    np.testing.assert_allclose(one, found.iloc[2:], atol=1e-3)


def test_a_cache_knows_models_questions_and_settings_apart(model, labels, tmp_path):
    index, other = labels.index[:2], build("smoke", "smoke", 16, 0.2, "mean", seed=7).eval()
    for make, given in (
        *((embeddings, one) for one in ({"model": model}, {"model": other})),
        (embeddings, {"model": model, "max_signal_dur": 0.2}),
        (probabilities, {"model": model, "candidates": ["angry", "sad"]}),
        (probabilities, {"model": model, "candidates": ["sad", "angry"], "template": "is {}"}),
    ):
        for _ in range(2):
            found = make(**given).process_index(index, cache_root=str(tmp_path))
            pd.testing.assert_frame_equal(found, make(**given).process_index(index))
    assert len(list(tmp_path.rglob("*.pkl"))) == 5
