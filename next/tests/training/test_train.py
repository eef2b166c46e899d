from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import SETTINGS, pool_of, run, swapped, vanished, weights
from sounds import write
from torch.nn.functional import normalize

from paraclap import tables
from paraclap.evaluation.zeroshot import classify
from paraclap.model import ParaCLAP
from paraclap.training import Pairs, Signals, loss_floor, start_model, train, train_variants

FAST = SETTINGS.but(only_emotion=True, audio_lr=1e-2, head_lr=1e-2)
WORDS = {"anger": "angry", "sadness": "sad"}


def uar(model: ParaCLAP, labels: pd.DataFrame, split: str = "dev") -> float:
    """Zero-shot UAR of a split, computed apart from the training loop."""
    rows = labels[labels["split"] == split]
    hits = classify(model, rows, WORDS, "speaker is {}")["prediction"] == rows["emotion"]
    return hits.groupby(rows["emotion"]).mean().mean()


def moved(before: dict[str, torch.Tensor], model: ParaCLAP) -> set[str]:
    after = model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


# --- learning -----------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_the_loss_falls_well_below_chance_and_all_that_learns_moves(
    labels, tmp_path, optimizer
) -> None:
    settings = FAST.but(freeze_text=False, text_lr=1e-2, epochs=15, optimizer=optimizer)
    before = start_model(settings).state_dict()
    curve = run(labels, tmp_path, settings)
    model = ParaCLAP.from_pretrained(tmp_path / "model")
    # About five utterances of a batch share their emotion: the floor is near ln 5.
    assert curve["loss"].iloc[-8:].mean() < 0.83 * np.log(10)
    assert curve["loss"].iloc[:2].mean() > 0.9 * np.log(10)
    unused = {"audio_model.masked_spec_embed"} | {n for n in before if ".pooler." in n}
    assert set(before) - moved(before, model) == unused & set(before)
    assert uar(model, labels, "test") >= 0.9


@pytest.mark.parametrize("frozen", ["freeze_text", "freeze_audio"])
def test_frozen_encoders_keep_their_weights_and_the_rest_learns(labels, tmp_path, frozen) -> None:
    settings = SETTINGS.but(**{"freeze_text": False, frozen: True}, epochs=1)
    before = start_model(settings).state_dict()
    run(labels, tmp_path, settings)
    changed = moved(before, ParaCLAP.from_pretrained(tmp_path / "model"))
    parts = {"freeze_text": "text_model", "freeze_audio": "audio_model"}
    still = parts.pop(frozen)
    assert not any(name.startswith(still) for name in changed)
    for part in (*parts.values(), "audio_projection", "text_projection", "logit_scale"):
        assert any(name.startswith(part) for name in changed), part


def test_losses_are_those_of_a_plain_loop(labels, tmp_path) -> None:
    settings = SETTINGS.but(dropout=0.0, steps=8, audio_lr=1e-3)
    curve = run(labels, tmp_path, settings)
    model = start_model(settings)
    signals = Signals.decode(labels.index, tmp_path / "again.pcm")
    tokens = settings.but(frozen_dropout=True)  # for their batches; the encoder does not drop out
    pairs = Pairs(labels, pool_of(labels), model, tokens, signals)
    encoder = list(model.audio_model.parameters())
    heads = [p for n, p in model.named_parameters() if not n.startswith(("audio_m", "text_m"))]
    optimizer = torch.optim.AdamW([{"params": heads}, {"params": encoder}])
    for step in range(8):
        share = step / 1 if step < 1 else 0.5 * (1 + np.cos(np.pi * (step - 1) / 7))
        for group, rate in zip(optimizer.param_groups, (3e-3, 1e-3), strict=True):
            group["lr"] = share * rate
        batch = pairs[step]
        audio = model.get_audio_features(batch["input_values"], batch.get("audio_attention_mask"))
        text = model.get_text_features(batch["input_ids"], batch["attention_mask"])
        logits = model.temperature * normalize(audio) @ normalize(text).T
        loss = -(logits.log_softmax(0).diag().mean() + logits.log_softmax(1).diag().mean()) / 2
        assert curve["loss"][step] == pytest.approx(loss.item(), abs=1e-4), step
        assert curve["learning_rate"][step] == pytest.approx(share * 3e-3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert curve["temperature"].iloc[-1] == pytest.approx(model.temperature.item(), rel=1e-5)


def test_curves_have_a_row_a_step_and_a_score_where_an_epoch_ends(labels, tmp_path) -> None:
    curve = run(labels, tmp_path, SETTINGS.but(steps=10))
    names = "step loss temperature learning_rate distinct_texts dev_uar epoch"
    assert list(curve) == names.split()
    assert curve["step"].tolist() == list(range(10))
    assert curve["epoch"].tolist() == [0] * 4 + [1] * 4 + [2] * 2
    assert np.flatnonzero(curve["dev_uar"].notna()).tolist() == [3, 7, 9]
    pairs = Pairs(labels, pool_of(labels), start_model(SETTINGS), SETTINGS.but(steps=10))
    expected = [len(set(pairs.captions(step))) for step in range(10)]
    assert curve["distinct_texts"].tolist() == expected
    # The floor that captions of a batch set: the average loss cannot be below.
    floors = [loss_floor(pairs.captions(step)) for step in range(10)]
    assert curve["loss"].mean() > np.mean(floors)


def test_learning_rates_rise_and_fall_or_stay(labels, tmp_path) -> None:
    cosine = run(labels, tmp_path / "a", SETTINGS.but(steps=40, warmup=0.25))["learning_rate"]
    assert cosine.idxmax() == 10
    assert cosine.max() == pytest.approx(3e-3)
    assert cosine[0] == 0 and cosine[39] < 2e-5
    assert cosine[:11].is_monotonic_increasing and cosine[10:].is_monotonic_decreasing
    settings = SETTINGS.but(epochs=1, schedule="constant", warmup=0.0)
    assert set(run(labels, tmp_path / "b", settings)["learning_rate"]) == {3e-3}


@pytest.mark.parametrize(("largest", "rate"), [(0.5, 0.1), (2.0, 0.1)])
def test_the_temperature_stays_between_one_and_its_largest(labels, tmp_path, largest, rate) -> None:
    settings = SETTINGS.but(epochs=2, logit_scale_max=largest, head_lr=rate)
    temperature = run(labels, tmp_path, settings)["temperature"]
    assert temperature.between(1, np.exp(largest) + 1e-5).all()


def test_same_seed_gives_the_same_bits_and_another_seed_others(labels, tmp_path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        run(labels, tmp_path / name, SETTINGS.but(epochs=1, seed=seed, freeze_text=False))
    assert weights(tmp_path / "first") == weights(tmp_path / "again")
    assert weights(tmp_path / "first") != weights(tmp_path / "other")


# --- dropout ------------------------------------------------------------------------------------


def first_loss(labels, folder: Path, **changes: object) -> float:
    return run(labels, folder, SETTINGS.but(steps=1, **changes))["loss"][0]


def test_the_heads_drop_units_out_in_training_and_not_afterwards(labels, tmp_path) -> None:
    losses = [first_loss(labels, tmp_path / str(p), dropout=p) for p in (0.0, 0.5, 0.9)]
    assert len({round(loss, 4) for loss in losses}) == 3
    model = ParaCLAP.from_pretrained(tmp_path / "0.9" / "model")
    batch = torch.randn(2, 8_000, generator=torch.Generator().manual_seed(0))
    assert model.config.projection_dropout == 0.9
    assert torch.equal(model.get_audio_features(batch), model.get_audio_features(batch))
    ours = start_model(SETTINGS)
    assert not torch.equal(ours.get_audio_features(batch), ours.get_audio_features(batch))


def test_encoders_drop_units_out_if_they_learn_or_if_it_is_asked_for(labels, tmp_path) -> None:
    base = {"dropout": 0.0, "captions_per_utterance": 1}
    frozen = first_loss(labels, tmp_path / "a", **base)
    other = {"frozen_dropout": True}, {"freeze_text": False}, {"seed": 0, "freeze_audio": True}
    losses = [first_loss(labels, tmp_path / str(n), **base, **one) for n, one in enumerate(other)]
    assert losses[0] != frozen and losses[1] == losses[0]
    assert losses[2] == frozen  # this audio encoder has no dropout


# --- which data, which epoch --------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev", "test"])
def test_other_splits_are_never_trained_on(labels, tmp_path, split) -> None:
    here = (labels["split"] == split).to_numpy()
    files = labels.index.get_level_values("file").to_numpy(copy=True)
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    files[here] = [str(write(tmp_path / f"{n}.wav", noise)) for n in range(here.sum())]
    other = swapped(labels, split).set_axis(tables.segments(files))
    for name, table in (("one", labels), ("other", other)):
        table = table.assign(arousal=table["arousal"].where(~here, 3.0 * (name == "one")))
        run(table, tmp_path / name, SETTINGS.but(epochs=1))
    assert weights(tmp_path / "one") == weights(tmp_path / "other")


@pytest.mark.parametrize("misleading", ["dev", "test"])
def test_the_epoch_that_is_best_on_the_dev_split_is_kept(labels, tmp_path, misleading) -> None:
    """With exchanged labels the dev score falls while the test score rises, and vice versa."""
    table = swapped(labels, misleading)
    curve = run(table, tmp_path, FAST.but(epochs=8, schedule="constant"))
    scores = curve["dev_uar"].dropna().to_numpy()
    assert len(scores) == 8
    kept = ParaCLAP.from_pretrained(tmp_path / "model")
    assert uar(kept, table) == pytest.approx(scores.max())
    if misleading == "dev":
        assert scores.max() > scores[-1] + 0.2, "the last epoch would do as well"
        assert uar(kept, table, "test") < 0.8, "the test split chose"
    else:
        assert scores.max() > scores[0] + 0.2, "the first epoch would do as well"
        assert uar(kept, table, "test") < 0.3, "the test split chose"


def test_of_equal_scores_the_first_is_kept_and_without_scores_the_last(labels, tmp_path) -> None:
    one = labels.assign(emotion=labels["emotion"].where(labels["split"] == "train", "anger"))
    curve = run(one, tmp_path / "long", SETTINGS.but(epochs=2))
    assert curve["dev_uar"].isna().all()
    run(one, tmp_path / "short", SETTINGS.but(epochs=1, schedule="constant", warmup=0.0))
    longer = SETTINGS.but(epochs=2, schedule="constant", warmup=0.0)
    run(one, tmp_path / "longer", longer)
    assert weights(tmp_path / "longer") != weights(tmp_path / "short")


# --- settings -----------------------------------------------------------------------------------


def test_dot_products_and_cosines_train_different_models(labels, tmp_path) -> None:
    dot = first_loss(labels, tmp_path / "dot", similarity="dot", join="all")
    assert dot > 2 * first_loss(labels, tmp_path / "cosine", join="all")  # features are longer


def test_the_sigmoid_objective_learns_its_bias_and_goes_on_after_a_stop(labels, tmp_path) -> None:
    settings = SETTINGS.but(objective="sigmoid", captions_per_utterance=0, epochs=6)
    curve = run(labels, tmp_path / "whole", settings)
    assert curve["loss"].iloc[-3:].mean() < curve["loss"].iloc[:3].mean()
    assert ParaCLAP.from_pretrained(tmp_path / "whole" / "model").logit_bias.item() != -10
    vanished(labels, tmp_path / "stopped", 12, settings)
    run(labels, tmp_path / "stopped", settings)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


def test_an_encoder_of_functionals_trains_without_signals(labels, tmp_path) -> None:
    values = np.random.default_rng(0).normal(size=(60, 89))
    values[labels["emotion"] == "anger"] += 2
    table = pd.DataFrame(values, labels.index)
    settings = FAST.but(audio_encoder="egemaps", epochs=4)
    curve = run(labels, tmp_path, settings, functionals=table)
    assert curve["dev_uar"].max() == 1
    assert not (tmp_path / "signals.pcm").exists()
    for given in (None, table.iloc[1:]):
        with pytest.raises(ValueError, match=r"No functionals .* give the table of chapter 2"):
            train(labels, pool_of(labels), tmp_path, settings, given)


def test_a_loss_that_is_no_number_names_its_step_and_files(labels, tmp_path) -> None:
    settings = SETTINGS.but(head_lr=1e30, audio_lr=1e30, schedule="constant", warmup=0.0)
    with pytest.raises(FloatingPointError, match=r"Loss nan at step \d+ .*\.wav.*learning rates"):
        run(labels, tmp_path, settings)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_a_missing_split_is_an_error(labels, tmp_path, split) -> None:
    table = labels.assign(split=labels["split"].where(labels["split"] != split, "test"))
    with pytest.raises(ValueError, match=f"No {split} split among .*'test'"):
        train(table, pool_of(labels), tmp_path, SETTINGS)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_asked_for_where_there_is_none_is_an_error(labels, tmp_path) -> None:
    with pytest.raises(ValueError, match="Bad device 'cuda', torch has 'cpu' here"):
        run(labels, tmp_path, SETTINGS.but(device="cuda"))


def test_variants_share_the_decoded_audio_and_the_main_run(labels, tmp_path, capsys) -> None:
    base = SETTINGS.but(epochs=1)
    lonely = labels.assign(emotion=labels["emotion"].where(labels["split"] != "train", None))
    chosen = {"main": base, "rand1": base.but(rand=1), "only_emo": base.but(only_emotion=True)}
    places = train_variants(lonely, pool_of(lonely), tmp_path, base, chosen)
    assert places == {"main": tmp_path, "rand1": tmp_path / "variants" / "rand1"}
    assert "Left out only_emo: there are captions for 0 training" in capsys.readouterr().out
    assert (places["rand1"] / "curves.csv").is_file()
    assert [path.parent for path in tmp_path.rglob("signals.pcm")] == [tmp_path]
