"""The model as features of audinterface, in tables that join those of openSMILE."""

from __future__ import annotations

import audformat
import numpy as np
import opensmile
import pytest
from sounds import buzz, write

from paraclap import ParaCLAP, classify
from paraclap.interop.audinterface import embeddings, probabilities
from paraclap.model import build
from paraclap.model.embedding import embed_audio


@pytest.fixture(scope="module")
def model() -> ParaCLAP:
    return build("smoke", "smoke", 16, 0.2, "mean", seed=1).eval()


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


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_rows_are_those_of_opensmile(model, rate, tmp_path):
    rng = np.random.default_rng(1)
    lengths = rng.integers(rate // 2, rate, 12)
    files = [
        str(write(tmp_path / f"{n}.wav", buzz(3)[:length], rate))
        for n, length in enumerate(lengths)
    ]
    index = audformat.filewise_index(files)
    own, theirs = embeddings(model).process_index(index), opensmile.Smile().process_index(index)
    assert own.index.tolist() == theirs.index.tolist()
    assert own.index.tolist() == embeddings(model).process_files(files).index.tolist()
    assert len(audformat.utils.concat([own, theirs])) == 12
    assert len(own.join(theirs, how="inner")) == 12


def test_windows_and_channels_are_those_of_audinterface(model, tmp_path):
    signal = buzz(2.0)
    file = write(tmp_path / "stereo.wav", np.stack([signal, 0 * signal], axis=1))
    half = write(tmp_path / "half.wav", signal / 2)
    both = embeddings(model).process_files([str(file), str(half)]).to_numpy()
    np.testing.assert_allclose(both[0], both[1], atol=1e-3)
    windows = embeddings(model, win_dur="500ms", hop_dur="500ms").process_file(str(file))
    assert len(windows) == 4
