"""The contest of recipes: who stands, what is compared, what is said of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paraclap import contest, features, inputs, outcome, tables
from paraclap.figures import contest as figures
from paraclap.machine import Machine
from paraclap.model import ParaCLAP
from paraclap.objectives import OBJECTIVES
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.templates import sentences

MAIN = Settings(audio_encoder="smoke", emotion="pool", rand=2, seed=3, steps=7)


def test_every_contender_differs_from_its_rival_in_one_thing() -> None:
    table = contest.contenders()
    for name, row in table.iterrows():
        sentences(row["templates"])
        assert row["asked"] in ("word", "ensemble", "matched")
        if name == contest.BASE:
            continue
        other = table.loc[row["against"]]
        mine, theirs = (contest.settings_of(MAIN, one, 0).asdict() for one in (row, other))
        objective = {"objective", "objective_weight"}
        settings = {key for key in mine if mine[key] != theirs[key]}
        changed = [settings - objective, settings & objective]
        changed += [{"templates"} if row["templates"] != other["templates"] else set()]
        if row["model"]:
            assert row["model"] == row["against"]
            changed = [{"asked"} if row["asked"] != other["asked"] else set()]
        assert sum(map(bool, changed)) == 1, name
    named = {contest.settings_of(MAIN, row, 0).objective for _, row in table.iterrows()}
    assert named == set(OBJECTIVES)


def test_the_base_is_the_recipe_of_the_paper_on_the_tower_of_the_main_run() -> None:
    base = contest.settings_of(MAIN, contest.contenders().loc[contest.BASE], 2)
    assert base == MAIN.but(rand=5, emotion="always", seed=5)


def test_rivals_stand_with_those_that_are_compared_with_them() -> None:
    assert contest.chosen(["ensemble"]).index.tolist() == ["rand5", "egemaps", "ensemble"]
    with pytest.raises(ValueError, match=r"Unknown contender 'softt'.*Did you mean 'soft'\?"):
        contest.chosen(["softt"])


def made(right: float, seed: int, kind: str) -> pd.DataFrame:
    """Answers of twelve speakers to two tasks, a share of them right."""
    rng = np.random.default_rng([seed, len(kind)])
    truth = np.tile(["a", "b"], 240)
    wrong = np.where(truth == "a", "b", "a")
    return pd.DataFrame(
        {
            "corpus": np.repeat(["x", "y"], 240),
            "speaker": np.tile(np.repeat([f"s{n}" for n in range(12)], 20), 2),
            "truth": truth,
            "prediction": np.where(rng.random(480) < right, truth, wrong),
        }
    )


def found_by_twelve_speakers() -> outcome.Outcome:
    shares = {"rand5": 0.6, "egemaps": 0.8, "soft": 0.8}
    answered = {
        name: [{kind: made(right, seed, kind) for kind in outcome.KINDS} for seed in (1, 2)]
        for name, right in shares.items()
    }
    trained = made(0.9, 5, "regression")
    return outcome.compare(answered, contest.chosen(["soft"]), trained, draws=300)


def test_what_is_better_by_far_is_real_and_what_is_the_same_is_not() -> None:
    found = found_by_twelve_speakers()
    said = outcome.verdicts(found.gains)
    better, same = said[0], said[1]
    assert better.startswith("egemaps against rand5: acted +0.") and better.count("real gain") == 3
    assert same.startswith("soft against egemaps") and same.count("+0.000 (no real change)") == 3
    assert set(found.gains["task"]) == {"mean"}
    each = found.seeds[found.seeds["kind"] == "acted"].groupby("system")["uar"].mean()
    means = found.scores[(found.scores["task"] == "mean") & (found.scores["kind"] == "acted")]
    whole = means.set_index("system")["uar"]
    for name in ("rand5", "egemaps"):
        assert each[name] == pytest.approx(whole[name])


def test_room_is_what_lies_between_the_base_and_a_trained_classifier() -> None:
    scores = pd.DataFrame(
        {
            "kind": "acted",
            "task": "mean",
            "system": ["rand5", "egemaps", "logistic regression"],
            "uar": [0.5, 0.65, 0.7],
        }
    )
    closed = outcome.room(scores).set_index("system")["share of the room closed"]
    assert closed.to_dict() == pytest.approx(
        {"rand5": 0.0, "egemaps": 0.75, "logistic regression": 1.0}
    )
    assert outcome.room(scores.iloc[:2]).empty


def test_only_emotions_of_corpora_that_are_not_learned_from_are_asked() -> None:
    labels = pd.DataFrame({"corpus": ["own", "held", "aibo"], "split": ["train", "test", "test"]})
    words = {"anger": "angry", "sadness": "sad"}
    tasks = {"own": words, "held": words, "aibo": {"emphatic": "emphatic", "anger": "angry"}}
    assert contest.acted(tasks, labels) == {"held": words}


def test_an_outcome_is_read_as_it_was_written_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    found = found_by_twelve_speakers()
    found.save(tmp_path, {"seeds": 2})
    for one, other in zip(outcome.Outcome.load(tmp_path), found, strict=True):
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    assert tables.read_json(tmp_path / "about.json") == {"seeds": 2}
    (tmp_path / "gains.csv").unlink()
    with pytest.raises(OSError, match=r"No \['gains'\] in .*: set contest_seeds to 3"):
        outcome.Outcome.load(tmp_path)


def test_figures_have_a_panel_for_each_kind() -> None:
    found = found_by_twelve_speakers()
    means = found.scores[found.scores["task"] == "mean"]
    for figure in (figures.scores(means, found.seeds), figures.gains(found.gains)):
        assert [ax.get_title() for ax in figure.axes] == list(outcome.KINDS)


def test_what_was_measured_before_is_complete() -> None:
    folder = Path(__file__).parent.parent / "benchmarks" / "contest"
    found, about = outcome.Outcome.load(folder), tables.read_json(folder / "about.json")
    assert about["speech"] == "synthetic" and about["seeds"] >= 3
    assert "dirty" not in about["commit"]
    assert set(found.scores["kind"]) == set(outcome.KINDS)


def test_contenders_train_and_answer(voices: pd.DataFrame, pool: Pool, tmp_path: Path) -> None:
    main = MAIN.but(
        text_encoder="smoke",
        text_pooling="mean",
        freeze_text=True,
        projection_dim=16,
        agreed_only=False,
        texts_per_voice=1,
        batch=8,
        crop_seconds=0.6,
        pad="batch",
        steps=2,
    )
    measured = features.extract(voices, tmp_path / "features.parquet", jobs=1)
    table = contest.chosen(["ensemble", "matched", "diverse"])
    given = inputs.Inputs(voices, pool, pool.table())
    cpu = Machine(device="cpu", jobs=1)
    places = contest.train(given, tmp_path, main, table, 2, cpu)
    assert places["ensemble"] == places["matched"] == places["egemaps"]
    assert [place.name for place in places["diverse"]] == ["diverse-0", "diverse-1"]
    test = voices[voices["split"] == "test"]
    tasks = {"held": {"anger": "angry", "sadness": "sad"}}
    test = test.assign(corpus="held", label=test["emotion"])
    levels = pool.table().loc[test.index]
    answered = contest.ask_all(places, table, test, tasks, levels, measured)
    for seeds in answered.values():
        for one in seeds:
            assert set(one["unseen words"]["corpus"]) == {"held (1)", "held (2)"}
            assert len(one["acted"]) == len(test)
    # the matched answers to two equally frequent classes are about equally frequent, too
    given_to = answered["matched"][0]["acted"]["prediction"].value_counts()
    assert len(given_to) == 2
    direct = ParaCLAP.from_pretrained(places["egemaps"][0] / "model")
    again = contest.answers(direct, "word", test, tasks, levels, measured)
    pd.testing.assert_frame_equal(again["acted"], answered["egemaps"][0]["acted"])
