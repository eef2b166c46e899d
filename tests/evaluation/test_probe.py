"""Claims about probes that learn from a few labelled utterances."""

import numpy as np
import pandas as pd
import pytest

from paraclap.evaluation.probe import learning_rows, probe_curves

CLASSES = ["a", "b"]


def rows(speakers=8, each=10, split="test", corpus="task", first=0):
    """A labels table: half of each speaker's utterances are of each class."""
    n = speakers * each
    classes = np.tile(np.repeat(CLASSES, each // 2), speakers)
    names = np.repeat([f"s{first + i}" for i in range(speakers)], each)
    table = {"corpus": corpus, "split": split, "speaker": names, "label": classes}
    return pd.DataFrame(table, index=pd.RangeIndex(first * each, first * each + n))


def vectors(labels, gap=6.0, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(labels), 5)) + gap * (labels["label"] == "b").to_numpy()[:, None]
    return pd.DataFrame(values, index=labels.index)


def probed(systems, test, learn=None, shots=(4,), **options):
    learn = test.iloc[:0] if learn is None else learn
    options = {"repeats": 2, "draws": 50} | options
    return probe_curves(systems, test, learn, {"task": CLASSES}, shots, **options)


def test_a_few_are_enough_where_classes_lie_apart_and_never_where_they_do_not():
    test, learn = rows(), rows(6, split="train", first=20)
    both = pd.concat([test, learn])
    systems = {"clear": vectors(both), "noise": vectors(both, gap=0)}
    table = probed(systems, test, learn, (1, 16), repeats=3, draws=100)
    clear, noise = (table[table["system"] == name].set_index("k") for name in systems)
    assert clear.loc[16, "uar"] == 1 and clear.loc[1, "uar"] > 0.95
    assert noise["uar"].between(0.35, 0.65).all() and (noise["uar_low"] < 0.55).all()
    assert (table["source"] == "train and dev").all()


def test_without_other_splits_folds_of_the_test_split_share_no_speaker():
    test = rows(7)
    speaker = pd.factorize(test["speaker"])[0]  # of no use for other speakers
    by_speaker = pd.DataFrame(np.eye(7)[speaker], index=test.index)
    table = probed({"clear": vectors(test), "speaker": by_speaker}, test).set_index("system")
    assert (table["source"] == "5 folds of test").all()
    assert table.loc["clear", "uar"] == 1
    assert table.loc["speaker", "uar"] == pytest.approx(0.5, abs=0.1)
    two = rows(2)
    assert probed({"x": vectors(two)}, two)["source"].tolist() == ["2 folds of test"]


def test_no_speaker_of_the_test_split_is_learned_from():
    labels = pd.concat([rows(3), rows(5, split="train", first=1), rows(2, corpus="other")])
    learned = learning_rows(labels, {"task": CLASSES}, 128)
    assert set(learned["speaker"]) == {"s3", "s4", "s5"}
    assert set(learned["split"]) == {"train"}
    few = learning_rows(labels, {"task": CLASSES}, 4)
    assert few["label"].value_counts().to_dict() == {"a": 4, "b": 4}


def test_a_class_with_few_utterances_gives_all_and_the_table_names_it():
    test, many = rows(), rows(6, split="train", first=20)
    learn, only = (many.drop(many.index[many["label"] == "b"][n:]) for n in (3, 0))
    table = probed({"x": vectors(pd.concat([test, learn]))}, test, learn, (1, 4, 16))
    assert table["fewest"].tolist() == [1, 3, 3]
    table = probed({"x": vectors(pd.concat([test, only]))}, test, only)
    assert table[["uar", "fewest"]].to_numpy().tolist() == [[0.5, 0]]


def test_more_shots_contain_the_fewer_so_that_spread_falls():
    test, learn = rows(8), rows(6, split="train", first=20)
    systems = {"x": vectors(pd.concat([test, learn]), gap=0.7)}
    table = probed(systems, test, learn, (1, 16), repeats=6, draws=200).set_index("k")
    assert table.loc[1, "spread"] > table.loc[16, "spread"]
    assert (table["uar_low"] < table["uar"]).all() and (table["uar"] < table["uar_high"]).all()
    assert probed(systems, test, learn, repeats=1)["spread"].isna().all()


def test_a_task_of_a_single_speaker_is_left_out_with_a_line(capsys):
    test = rows(1)
    table = probed({"x": vectors(test)}, test)
    assert table.empty and "uar" in table
    assert capsys.readouterr().out.startswith("Left out task")
