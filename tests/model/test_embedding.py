"""From files and words to embeddings."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sounds import buzz, write

from paraclap import audio, tables
from paraclap.model import ParaCLAP
from paraclap.model.embedding import PRECISIONS, cut, embed_audio, embed_text, uses_bf16


@pytest.fixture
def model(model_folder):
    return ParaCLAP.from_pretrained(model_folder)


def test_embeddings_are_of_unit_length_in_order_and_the_same_in_any_batch(model, labels):
    many = embed_audio(model, labels)
    assert many.shape == (60, 16) and many.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(embed_audio(model, labels), many)
    np.testing.assert_allclose(embed_audio(model, labels, batch_seconds=0.1), many, atol=1e-4)
    one = [embed_audio(model, labels.index[row : row + 1])[0] for row in (0, 31, 59)]
    np.testing.assert_allclose(many[[0, 31, 59]], one, atol=1e-4)


def test_a_batch_has_at_most_so_many_seconds_with_its_padding():
    seconds = np.random.default_rng(0).uniform(0.5, 9, 200)
    seconds[17] = 60.0
    batches = cut(seconds, 30)
    assert sorted(np.concatenate(batches)) == list(range(200))
    assert batches[0].tolist() == [17]  # a long file stands alone
    assert all(len(rows) * seconds[rows].max() <= 30 for rows in batches[1:])
    assert len(batches) < 1.3 * seconds.sum() / 30


def test_a_long_recording_is_read_to_its_end_and_pads_no_other(model, tmp_path):
    shapes: list[tuple[int, ...]] = []
    signal = buzz(40)
    signal[16_000 * 30 :] *= 3
    files = [write(tmp_path / "long.wav", signal), write(tmp_path / "start.wav", signal[:480_000])]
    files += [write(tmp_path / f"{n}.wav", buzz(0.5, seed=n)) for n in range(7)]
    model.audio_model.register_forward_pre_hook(lambda _, given: shapes.append(given[0].shape))
    long, start, *_ = embed_audio(model, files, batch_seconds=40)
    assert [tuple(shape) for shape in shapes] == [(1, 640_000), (1, 480_000), (7, 8000)]
    assert np.abs(long - start).max() > 1e-3
    index = tables.segments(["/data/day.wav"], [0], [700])
    with pytest.raises(audio.AudioError, match=r"'/data/day.wav': 700 s, expected at most 600 s"):
        embed_audio(model, index)


def test_a_segment_equals_the_file_that_holds_it_alone(model, labels, tmp_path):
    file = labels.index[59][0]
    part = write(tmp_path / "part.wav", audio.read(file)[4000:12_000])
    found = embed_audio(model, tables.segments([file], [0.25], [0.75]))
    np.testing.assert_array_equal(found, embed_audio(model, part))
    np.testing.assert_array_equal(found, embed_audio(model, [str(part)]))


def test_decoded_signals_give_what_the_files_give(model, labels):
    signals = [audio.read(*segment) for segment in labels.index]
    lengths = np.array([len(signal) / audio.SAMPLING_RATE for signal in signals])
    decoded = SimpleNamespace(read=signals.__getitem__, seconds=lambda: lengths)
    elsewhere = labels.rename(index=lambda file: f"/nowhere{file}", level="file")
    found = embed_audio(model, elsewhere, signals=decoded)
    np.testing.assert_array_equal(found, embed_audio(model, labels))


def test_queries_are_embedded_in_order_whatever_the_batch(model):
    queries = ["is loud", "has a low pitch and is of average duration", "sad", "is loud"]
    many = embed_text(model, queries)
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(many, embed_text(model, queries, batch=1), atol=1e-5)
    np.testing.assert_array_equal(many[0], many[3])
    np.testing.assert_allclose(embed_text(model, "sad")[0], many[2], atol=1e-5)


def test_the_model_keeps_its_mode_in_every_part(model, labels):
    model.train()
    model.audio_model.eval()
    before = [part.training for part in model.modules()]
    expected = embed_audio(model, labels[:2]), embed_text(model, ["sad"])
    with pytest.raises(audio.AudioError):
        embed_audio(model, "/nowhere.wav")
    assert [part.training for part in model.modules()] == before
    model.eval()  # and the answers are those of evaluation
    np.testing.assert_array_equal(embed_audio(model, labels[:2]), expected[0])
    np.testing.assert_array_equal(embed_text(model, ["sad"]), expected[1])


def test_bfloat16_is_close_and_used_where_asked(model, labels, monkeypatch):
    exact = embed_audio(model, labels)
    half = embed_audio(model, labels, precision="bf16")
    assert half.dtype == np.float32 and not np.array_equal(half, exact)
    assert (half * exact).sum(1).min() > 0.99
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    for amx in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        found = [uses_bf16(one, torch.device("cpu")) for one in PRECISIONS]
        assert found == [amx, False, True]
    with pytest.raises(ValueError, match=r"Unknown precision 'bf61'.* Did you mean 'bf16'\?"):
        embed_audio(model, labels, precision="bf61")


def test_what_cannot_be_embedded_is_named(model, tmp_path):
    for queries in ([], ["is loud", " "], ["is loud", None]):
        with pytest.raises(ValueError, match=r"Bad queries .* none empty"):
            embed_text(model, queries)
    with pytest.raises(ValueError, match="Got no files"):
        embed_audio(model, [])
    (tmp_path / "notes.wav").write_text("not audio")
    with pytest.raises(audio.AudioError, match=r"notes\.wav"):
        embed_audio(model, tmp_path / "notes.wav")
    model.processor = None
    with pytest.raises(ValueError, match=r"No model\.processor"):
        embed_text(model, ["sad"])
