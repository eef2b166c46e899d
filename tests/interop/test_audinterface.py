"""The model as features of audinterface, in tables that join those of openSMILE."""

import audformat
import numpy as np
import opensmile
import pytest
from sounds import buzz, write

from paraclap import ParaCLAP, classify
from paraclap.interop.audinterface import embeddings, probabilities
from paraclap.model.embedding import embed_audio


@pytest.fixture(scope="module")
def model(model_folder):
    return ParaCLAP.from_pretrained(model_folder)


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


def test_rows_are_those_of_opensmile(model, tmp_path):
    lengths = np.random.default_rng(1).integers(22_050, 44_100, 6)
    signals = [buzz(3)[:length] for length in lengths]
    files = [str(write(tmp_path / f"{n}.wav", one, 44_100)) for n, one in enumerate(signals)]
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
