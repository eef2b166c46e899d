from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from paraclap import store, zeroshot
from paraclap.audio import AudioError
from paraclap.model import ParaCLAP


def test_embeddings_are_of_unit_length_and_in_order(model: ParaCLAP, voices: pd.DataFrame) -> None:
    many = zeroshot.embed_audio(model, voices, batch=7)
    assert many.shape == (60, 16)
    assert many.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)
    one = [zeroshot.embed_audio(model, voices.index[row : row + 1])[0] for row in (0, 31, 59)]
    np.testing.assert_allclose(many[[0, 31, 59]], one, atol=1e-4)


def test_a_segment_equals_the_file_that_holds_only_it(
    model: ParaCLAP, voices: pd.DataFrame, tmp_path: Path
) -> None:
    file = voices.index[59][0]
    signal, rate = soundfile.read(file, dtype="int16")
    soundfile.write(tmp_path / "part.wav", signal[4000:12000], rate)
    segment = pd.MultiIndex.from_arrays(
        [[file], [pd.Timedelta(seconds=0.25)], [pd.Timedelta(seconds=0.75)]],
        names=["file", "start", "end"],
    )
    np.testing.assert_array_equal(
        zeroshot.embed_audio(model, segment), zeroshot.embed_audio(model, tmp_path / "part.wav")
    )


def test_classify_gives_probabilities_on_the_audformat_index(
    model: ParaCLAP, voices: pd.DataFrame
) -> None:
    files = voices.index.get_level_values("file")[:3].tolist()
    table = zeroshot.classify(model, files, ["angry", "sad", "calm"], "speaker is {}")
    assert list(table.columns) == ["angry", "sad", "calm", "prediction"]
    assert table.index.names == ["file", "start", "end"]
    assert table.index.get_level_values("file").tolist() == files
    np.testing.assert_allclose(table[["angry", "sad", "calm"]].sum(axis=1), 1, atol=1e-5)
    best = table[["angry", "sad", "calm"]].idxmax(axis=1)
    assert best.tolist() == table["prediction"].tolist()


def test_labels_may_differ_from_the_words_asked(model: ParaCLAP, voices: pd.DataFrame) -> None:
    by_word = zeroshot.classify(model, voices, ["angry", "sad"])
    by_label = zeroshot.classify(model, voices, {"anger": "angry", "sadness": "sad"})
    np.testing.assert_array_equal(by_label["anger"], by_word["angry"])
    assert set(by_label["prediction"]) <= {"anger", "sadness"}


def test_order_and_number_of_candidates_do_not_change_their_logits(
    model: ParaCLAP, voices: pd.DataFrame
) -> None:
    forth = zeroshot.classify(model, voices, ["angry", "sad"])
    back = zeroshot.classify(model, voices, ["sad", "angry"])
    np.testing.assert_allclose(forth["angry"], back["angry"], atol=1e-5)


def test_same_input_gives_the_same_bits(model: ParaCLAP, voices: pd.DataFrame) -> None:
    first, again = (zeroshot.embed_audio(model, voices) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_embeddings_from_a_store_are_those_of_the_files(
    model: ParaCLAP, voices: pd.DataFrame, tmp_path: Path
) -> None:
    store.build(voices.index[:8], tmp_path / "store", jobs=1)
    from_files = zeroshot.embed_audio(model, voices[:8])
    from_store = zeroshot.embed_audio(model, voices[:8], store=tmp_path / "store")
    np.testing.assert_array_equal(from_files, from_store)


def test_questions_leave_the_mode_of_the_model(model: ParaCLAP) -> None:
    model.train()
    model.audio_model.eval()
    question = zeroshot.Question.of(model, {"anger": "angry", "sadness": "sad"})
    assert model.training and model.text_model.training and not model.audio_model.training
    assert question.labels == ["anger", "sadness"] and question.texts.shape == (2, 16)


def test_index_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Bad index \['start', 'end'\], expected \['file'\] or"):
        zeroshot.segments(pd.MultiIndex.from_arrays([[0], [1]], names=["start", "end"]))


@pytest.mark.parametrize("candidates", [[], ["angry"], ["angry", "angry"]])
def test_too_few_or_repeated_candidates_are_refused(
    model: ParaCLAP, voices: pd.DataFrame, candidates: list[str]
) -> None:
    with pytest.raises(ValueError, match="expected two or more different ones"):
        zeroshot.classify(model, voices, candidates)


def test_template_without_a_slot_is_refused(model: ParaCLAP, voices: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="expected a slot"):
        zeroshot.classify(model, voices, ["angry", "sad"], "speaker is")


def test_empty_query_and_no_files_are_refused(model: ParaCLAP) -> None:
    with pytest.raises(ValueError, match="none empty"):
        zeroshot.embed_text(model, ["is loud", " "])
    with pytest.raises(ValueError, match="Got no files"):
        zeroshot.embed_audio(model, [])


def test_file_that_is_no_audio_is_named(model: ParaCLAP, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("not audio")
    with pytest.raises(AudioError, match=r"notes\.wav"):
        zeroshot.embed_audio(model, tmp_path / "notes.wav")


def test_a_long_recording_is_heard_whole(model: ParaCLAP, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(0, 0.1, 16_000 * 60).astype(np.float32)
    signal[16_000 * 50 :] *= 5
    soundfile.write(tmp_path / "long.wav", signal, 16_000)
    soundfile.write(tmp_path / "begin.wav", signal[: 16_000 * 50], 16_000)
    long, begin = zeroshot.embed_audio(model, [tmp_path / "long.wav", tmp_path / "begin.wav"])
    assert np.abs(long - begin).max() > 1e-3


def test_a_sentence_is_not_put_into_a_sentence() -> None:
    said = "this person is feeling anger."
    assert zeroshot.fill("{}", said) == said
    with pytest.raises(ValueError, match="it is a sentence already, expected a word"):
        zeroshot.fill("speaker is {}", said)


def test_a_model_without_a_processor_says_what_it_lacks(
    model: ParaCLAP, voices: pd.DataFrame
) -> None:
    model.processor = None
    for ask in (
        lambda: zeroshot.embed_text(model, ["speaker is sad"]),
        lambda: zeroshot.embed_audio(model, voices[:1]),
    ):
        with pytest.raises(ValueError, match="no tokenizer and no feature extractor"):
            ask()
