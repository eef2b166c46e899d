"""Claims about probes with few voices, and about queries dealt out to others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraclap.evidence import control, probe
from paraclap.queries import Pool

CLASSES = ["a", "b"]


def voices(speakers=8, each=10, split="test", corpus="task", first=0, rare=None):
    """A labels table: half of each speaker's voices are of each class."""
    n = speakers * each
    labels = np.tile(np.repeat(CLASSES, each // 2), speakers)
    names = np.repeat([f"s{first + i}" for i in range(speakers)], each)
    table = {"corpus": corpus, "split": split, "speaker": names, "label": labels}
    frame = pd.DataFrame(table, index=pd.RangeIndex(first * each, first * each + n))
    if rare is None:
        return frame
    return pd.concat([frame[frame["label"] == "a"], frame[frame["label"] == "b"][:rare]])


def vectors(labels, gap=6.0, size=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(labels), size)) + gap * (labels["label"] == "b").to_numpy()[:, None]


def test_a_few_voices_are_enough_where_classes_lie_apart_and_never_where_they_do_not():
    both = pd.concat([voices(), voices(6, split="train", first=20)])
    systems = {"clear": vectors(both), "noise": vectors(both, gap=0)}
    table = probe.curve(systems, both, CLASSES, (1, 16), draws=3, redraws=100)
    clear, noise = (table[table["system"] == name].set_index("k") for name in systems)
    assert clear.loc[16, "uar"] == 1
    assert clear.loc[1, "uar"] > 0.95
    assert noise["uar"].between(0.35, 0.65).all()
    assert (noise["uar_low"] < 0.55).all()
    assert (table["source"] == "train and dev").all()


def test_order_of_the_table_does_not_matter():
    both = pd.concat([voices(), voices(6, split="dev", first=20)])
    known = vectors(both, gap=1.0)
    one = probe.curve({"x": known}, both, CLASSES, (4,), draws=2, redraws=50)
    turned = np.concatenate([np.arange(80, 140), np.arange(80)])
    other = probe.curve({"x": known[turned]}, both.iloc[turned], CLASSES, (4,), 2, redraws=50)
    pd.testing.assert_frame_equal(one, other)


def test_folds_of_the_test_split_share_no_speaker_and_ask_everyone_once():
    test = voices(7)
    parts = probe.folds(test, test.iloc[:0])
    assert len(parts) == 5
    for learned, asked in parts:
        assert not set(test["speaker"].iloc[learned]) & set(test["speaker"].iloc[asked])
    assert sorted(np.concatenate([asked for _, asked in parts])) == list(range(len(test)))


def test_of_two_speakers_each_is_asked_by_the_probe_of_the_other():
    test = voices(2)
    parts = probe.folds(test, test.iloc[:0])
    assert len(parts) == 2
    assert {test["speaker"].iloc[learned].nunique() for learned, _ in parts} == {1}
    table = probe.curve({"x": vectors(test)}, test, CLASSES, (4,), draws=2, redraws=50)
    assert table.loc[0, "source"] == "2 folds of test"


def test_no_speaker_of_the_test_split_is_learned_from():
    labels = pd.concat([voices(3), voices(5, split="train", first=1), voices(2, corpus="other")])
    learned = probe.voices_to_learn_from(labels, {"task": CLASSES})
    assert set(learned["speaker"]) == {"s3", "s4", "s5"}
    assert set(learned["split"]) == {"train"}
    few = probe.voices_to_learn_from(labels, {"task": CLASSES}, most=4)
    assert few["label"].value_counts().to_dict() == {"a": 4, "b": 4}


def test_a_class_with_few_voices_gives_all_and_the_table_says_so():
    both = pd.concat([voices(), voices(6, split="train", first=20, rare=3)])
    table = probe.curve({"x": vectors(both)}, both, CLASSES, (1, 4, 16), draws=2, redraws=50)
    assert table["fewest"].tolist() == [1, 3, 3]


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=40), st.integers(0, 99))
def test_shots_are_as_many_as_asked_for_and_nested(labels, seed):
    names = np.array(labels, dtype=object)
    drawn = {k: probe.shots(names, k, np.random.default_rng(seed)) for k in (1, 2, 8)}
    for k, rows in drawn.items():
        assert len(set(rows)) == len(rows)
        for name in set(labels):
            assert (names[rows] == name).sum() == min(k, (names == name).sum())
    assert set(drawn[1]) <= set(drawn[2]) <= set(drawn[8])


def test_spread_is_over_draws_and_the_interval_over_speakers():
    both = pd.concat([voices(8), voices(6, split="train", first=20)])
    known = vectors(both, gap=0.7)
    table = probe.curve({"x": known}, both, CLASSES, (1, 16), draws=6, redraws=200).set_index("k")
    assert table.loc[1, "spread"] > table.loc[16, "spread"]
    assert (table["uar_low"] < table["uar"]).all()
    assert (table["uar"] < table["uar_high"]).all()
    single = probe.curve({"x": known}, both, CLASSES, (1,), draws=1, redraws=50)
    assert np.isnan(single.loc[0, "spread"])


def test_all_tasks_are_probed_and_one_of_a_single_speaker_is_left_out_with_a_line(capsys):
    labels = pd.concat(
        [
            voices(3),
            voices(4, split="train", first=10),
            voices(6, corpus="folded", first=20),
            voices(1, corpus="alone", first=30),
        ]
    )
    tasks = dict.fromkeys(("task", "folded", "alone"), CLASSES)
    asked, learn = labels[labels["split"] == "test"], probe.voices_to_learn_from(labels, tasks)
    systems = {"x": pd.DataFrame(vectors(labels), index=labels.index)}
    table = probe.curves(systems, asked, learn, tasks, (1, 4), draws=2, redraws=50)
    sources = table.groupby("task", sort=False)["source"].first().to_dict()
    assert sources == {"task": "train and dev", "folded": "5 folds of test"}
    assert capsys.readouterr().out.startswith("Left out alone")
    assert (table["uar"] > 0.9).all()
    own = labels[labels["corpus"] == "task"]
    single = probe.curve(
        {"x": systems["x"].loc[own.index].to_numpy()}, own, CLASSES, (1, 4), 2, redraws=50
    )
    pd.testing.assert_frame_equal(table[table["task"] == "task"].drop(columns="task"), single)
    nothing = probe.curves(systems, asked, learn, {"alone": CLASSES})
    assert set(nothing) == set(table)


def test_one_class_to_learn_from_is_answered_for_all():
    both = pd.concat([voices(), voices(6, split="train", first=20, rare=0)])
    table = probe.curve({"x": vectors(both)}, both, CLASSES, (4,), draws=1, redraws=50)
    assert (table.loc[0, "uar"], table.loc[0, "fewest"]) == (0.5, 0)


def test_what_cannot_be_learned_from_is_refused():
    test = voices(1)
    with pytest.raises(ValueError, match="1 speakers named for 10 voices"):
        probe.folds(test, test.iloc[:0])
    with pytest.raises(ValueError, match=r"Vectors \(3, 2\) of 'x' for 10 voices"):
        probe.curve({"x": np.zeros((3, 2))}, test, CLASSES)
    broken = vectors(voices(2))
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"in 1 of 20 voices \(rows \[3\]\)"):
        probe.curve({"x": broken}, voices(2), CLASSES)


@given(st.integers(2, 60), st.integers(0, 99))
def test_in_a_derangement_nobody_keeps_its_place(n, seed):
    moved = control.derangement(n, seed)
    assert sorted(moved) == list(range(n))
    assert (moved != np.arange(n)).all()
    assert (moved == control.derangement(n, seed)).all()


def test_shuffled_queries_belong_to_other_training_voices_and_dev_keeps_its_own(voices_of_tones):
    labels, pool = voices_of_tones
    rows = np.flatnonzero(labels["split"] == "train")
    moved = control.shuffled(pool, rows, seed=3)
    before, after = pool.table(), moved.table()
    assert after.index.equals(before.index)
    place = control.derangement(len(rows), 3)
    for row, source in zip(rows, rows[place], strict=True):
        assert moved.queries(row) == pool.queries(source)
    kept = labels["split"] != "train"
    assert after.loc[kept, "queries"].tolist() == before.loc[kept, "queries"].tolist()
    said = [sorted(map(tuple, table["queries"])) for table in (before, after)]
    assert said[0] == said[1]


def test_dev_voices_bear_the_emotions_of_others_and_train_its_own(voices_of_tones):
    labels, _ = voices_of_tones
    moved = control.shuffled_emotions(labels, seed=2)
    assert moved.dtypes.equals(labels.dtypes)
    dev = (labels["split"] == "dev").to_numpy()
    source = labels["emotion"].to_numpy()[dev][control.derangement(dev.sum(), 2)]
    assert moved["emotion"].to_numpy()[dev].tolist() == source.tolist()
    pd.testing.assert_frame_equal(moved[~dev], labels[~dev])
    rest = [name for name in labels if name != "emotion"]
    pd.testing.assert_frame_equal(moved[rest], labels[rest])


@pytest.fixture
def voices_of_tones(request) -> tuple[pd.DataFrame, Pool]:
    """The tones and their queries."""
    return request.getfixturevalue("voices"), request.getfixturevalue("pool")


def test_swapping_with_nobody_is_refused(voices_of_tones):
    _, pool = voices_of_tones
    with pytest.raises(ValueError, match="Got 1 voices"):
        control.shuffled(pool, [0])
    with pytest.raises(ValueError, match="given twice"):
        control.shuffled(pool, [0, 0])
