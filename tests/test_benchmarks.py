"""The benchmarks in small, on any machine."""

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import demo, gpu, measure, other_generator, other_speech, people, random_data, speed
from paraclap import corpora, features, tables
from paraclap.evaluation.compare import describe_differences
from paraclap.training import Settings


def test_ratios_are_those_of_the_same_round():
    speeds = pd.DataFrame({"plain": [1.0, 2.0, 4.0], "ours": [3.0, 4.0, 8.0]})
    plain, ours = measure.compare("reading", "files/s", speeds, "plain")
    assert (plain["times"], ours["times"], ours["lowest"], ours["highest"]) == (1.0, 2.0, 2.0, 3.0)

    one, other = np.array(["a", "b", "c", "c"]), np.array(["a", "c", "b", "c"])
    assert measure.agreement(one, other) == 0.5
    assert measure.agreement(one, np.array(["c"] * 4)) is None  # always the same answer


@pytest.mark.parametrize(("module", "rows"), [(speed, 9), (gpu, 7)])
def test_every_part_is_measured_in_small(module, rows, tmp_path, capsys):
    out = tmp_path / "found.json"
    assert not module.main(["--dry", "--rounds", "1", "--out", str(out)]), capsys.readouterr().out
    found = tables.read_json(out)
    assert "--dry" in found["about"] and torch.__version__ in found["about"]
    assert len(found["rows"]) == rows
    assert all(row["speed"] > 0 and row["rounds"] == 1 for row in found["rows"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys, tmp_path):
    assert gpu.main(["--out", str(tmp_path / "gpu.json")]) == 1
    assert "--dry" in capsys.readouterr().err
    assert not (tmp_path / "gpu.json").exists()


def test_the_plain_loop_and_the_trainer_learn_what_ours_learns(tmp_path):
    labels = random_data.corpus(tmp_path, 20, 0.3, 0.5)
    small = {"audio_encoder": "smoke", "text_encoder": "smoke", "projection_dim": 16}
    small |= {"dropout": 0.0, "device": "cpu", "batch": 4, "steps": 3, "pad": "batch"}
    settings, pool = Settings.of(small | {"freeze_text": True}), random_data.pool(labels)
    ours = pytest.approx(speed.train_losses(labels, pool, settings), rel=1e-3)
    assert speed.plain_losses(labels, pool, settings) == ours
    assert speed.trainer_losses(labels, pool, settings) == ours


def test_each_of_the_people_is_asked_about_once_by_models_that_never_met_them(
    tmp_path, monkeypatch
):
    names, given = features.feature_names(), []
    for number, count in enumerate((40, 20)):
        labels = random_data.corpus(tmp_path / str(number), count, 0.3, 0.4)
        labels["speaker"] = [f"{number} {row % 10}" for row in range(count)]
        labels["gender"] = np.resize(np.repeat(["female", "male"], 10), count)
        values = np.random.default_rng(number).normal(size=(count, len(names)))
        given.append((labels, pd.DataFrame(values, labels.index, names), tmp_path / "run"))
    clips, (speech, values, run) = given
    small = {"audio_encoder": "smoke", "text_encoder": "smoke", "projection_dim": 16, "batch": 4}
    settings = Settings.of(small | {"steps": 1, "device": "cpu", "freeze_text": True})
    people.train(speech, people.queries.QueryPool(people.described(speech, values)), run, settings)
    met, train = [], people.train
    monkeypatch.setattr(people, "train", lambda rows, *rest: met.append(rows) or train(rows, *rest))
    answers = people.asked(*given, 1)
    assert set(answers) == {"synthetic", "people", "both", "pitch alone"}
    asked = answers["people"][0].query("corpus == 'gender'")
    assert asked.index.is_unique and len(asked) == 40
    tested = [set(rows.loc[rows["split"] == "test", "speaker"]) for rows in met[::2]]
    assert sorted(one for fold in tested for one in fold) == sorted(set(clips[0]["speaker"]))
    for fold, alone, both in zip(tested, met[::2], met[1::2], strict=True):
        assert not fold & set(both["speaker"]) and set(speech["speaker"]) < set(both["speaker"])
        assert not fold & set(alone.loc[alone["split"] != "test", "speaker"])
    found = people.summary(answers).set_index(["task", "system"]).loc["gender"]
    assert found.loc["people", ["n", "speakers"]].tolist() == [40, 10]
    gap = found.loc["people", "uar"] - found.loc["synthetic", "uar"]
    assert found.loc["people", "difference"] == pytest.approx(gap)


def test_the_demo_is_summarised_over_seeds(tmp_path):
    for seed, uar in enumerate((0.4, 0.6)):
        for file, column in (("scores", "task"), ("attributes", "attribute")):
            names = ["podcast"] if column == "task" else ["pitch"]
            (tmp_path / str(seed)).mkdir(exist_ok=True)
            table = pd.DataFrame({column: names, "uar": uar})
            tables.write_table(table, tmp_path / str(seed) / f"{file}.csv")
        others = pd.DataFrame({"task": "podcast", "system": "logistic", "uar": [uar]})
        tables.write_table(others, tmp_path / str(seed) / "references.csv")
    table = demo.summary([tmp_path / "0", tmp_path / "1"]).set_index("asked")
    assert table.loc["podcast", ["mean", "logistic", "goal"]].tolist() == [0.5, 0.5, 0.38]
    assert table.loc["pitch", ["seed 0", "seed 1"]].tolist() == [0.4, 0.6]


def test_speech_from_other_hands_is_drawn_by_seed_and_half(tmp_path, monkeypatch):
    few = other_speech.CORPORA[1:2].assign(speakers=1, takes=1)
    monkeypatch.setattr(other_speech, "CORPORA", few)
    drawn = enumerate([("dev", 0), ("dev", 0), ("test", 0), ("dev", 1)])
    made = [other_speech.build(tmp_path / str(place), *how) for place, how in drawn]
    one, two, *others = [{file.read_bytes() for file in place.glob("*/*/*")} for place in made]
    assert one == two and len(one) == 4 and not one & (others[0] | others[1])
    assert corpora.load(made[0], for_testing=True)["synthetic"].all()


@pytest.mark.parametrize("right", [(45, 20), (20, 45), (30, 30)])
def test_what_is_said_of_a_drop_is_read_from_the_answers(right):
    table = pd.DataFrame({"corpus": "one", "speaker": [*range(60)], "truth": [*"abc"] * 20})
    given = [table.assign(prediction=[*table["truth"][:n], *"c" * (60 - n)]) for n in right]
    found = other_generator.generators(given[0], given[1:])
    said = str(describe_differences(found, "one", "the {}".format))
    better = [f"the {name} generator is better" in said for name in ("own", "other")]
    assert better == [right[0] > right[1], right[0] < right[1]]
