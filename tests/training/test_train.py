from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import SETTINGS, pool_of, run, weights
from sounds import write

from paraclap import tables
from paraclap.evaluation.zeroshot import classify
from paraclap.model import ParaCLAP
from paraclap.training import Pairs, decode_audio, start_model, train, train_variants

FAST = SETTINGS.but(only_emotion=True, audio_lr=1e-2, head_lr=1e-2)
TOKENS = ("input_ids", "attention_mask")
WORDS = {"anger": "angry", "sadness": "sad"}


def uar(model: ParaCLAP, labels: pd.DataFrame, split: str = "dev") -> float:
    """Zero-shot UAR of a split, computed apart from the training loop."""
    rows = labels[labels["split"] == split]
    hits = classify(model, rows, WORDS, "speaker is {}")["prediction"] == rows["emotion"]
    return hits.groupby(rows["emotion"]).mean().mean()


def swapped(labels: pd.DataFrame, split: str) -> pd.DataFrame:
    """The two emotions exchanged in one split."""
    other = labels["emotion"].map({"anger": "sadness", "sadness": "anger"})
    return labels.assign(emotion=labels["emotion"].where(labels["split"] != split, other))


def moved(before: dict[str, torch.Tensor], model: ParaCLAP) -> set[str]:
    after = model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_the_loss_falls_well_below_chance_and_all_that_learns_moves(labels, tmp_path) -> None:
    settings = FAST.but(freeze_text=False, text_lr=1e-2, epochs=14, optimizer="adam")
    before = start_model(settings).state_dict()
    curve = run(labels, tmp_path, settings)
    model = ParaCLAP.from_pretrained(tmp_path / "model")
    # About five utterances of a batch share their emotion: the floor is near ln 5.
    assert curve["loss"].iloc[-8:].mean() < 0.83 * np.log(10) < curve["loss"].iloc[:2].mean()
    unused = {"audio_model.masked_spec_embed"} | {n for n in before if ".pooler." in n}
    assert set(before) - moved(before, model) == unused & set(before)
    assert uar(model, labels) == pytest.approx(curve["dev_uar"].max())
    assert curve["dev_uar"].iloc[-1] >= 0.9


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
    signals = decode_audio(labels, tmp_path / "again.pcm", settings)
    with_tokens = settings.but(frozen_dropout=True)  # the encoder itself does not drop out
    pairs = Pairs(labels, pool_of(labels), model, with_tokens, signals)
    encoder = list(model.audio_model.parameters())
    heads = [p for n, p in model.named_parameters() if not n.startswith(("audio_m", "text_m"))]
    optimizer = torch.optim.AdamW([{"params": heads}, {"params": encoder}])
    for step in range(8):
        share = step / 1 if step < 1 else 0.5 * (1 + np.cos(np.pi * (step - 1) / 7))
        for group, rate in zip(optimizer.param_groups, (3e-3, 1e-3), strict=True):
            group["lr"] = share * rate
        batch = pairs[step]
        audio = model.get_audio_features(batch["input_values"], batch.get("audio_attention_mask"))
        text = model.get_text_features(**{name: batch[name] for name in TOKENS})
        logits = model.temperature * audio.pooler_output @ text.pooler_output.T
        loss = -(logits.log_softmax(0).diag().mean() + logits.log_softmax(1).diag().mean()) / 2
        assert curve["loss"][step] == pytest.approx(loss.item(), abs=1e-4), step
        assert curve["learning_rate"][step] == pytest.approx(share * 3e-3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert curve["temperature"].iloc[-1] == pytest.approx(model.temperature.item(), rel=1e-5)


def test_curves_have_a_row_a_step_and_a_score_where_an_epoch_ends(labels, tmp_path) -> None:
    curve = run(labels, tmp_path, SETTINGS.but(steps=10))
    assert curve["step"].tolist() == list(range(10))
    assert np.flatnonzero(curve["dev_uar"].notna()).tolist() == [3, 7, 9]
    pairs = Pairs(labels, pool_of(labels), start_model(SETTINGS), SETTINGS.but(steps=10))
    expected = [len(set(pairs.captions(step))) for step in range(10)]
    assert curve["distinct_texts"].tolist() == expected


def test_constant_learning_rates_stay_and_temperatures_have_limits(labels, tmp_path) -> None:
    constant = {"schedule": "constant", "warmup": 0.0, "head_lr": 0.1}
    curve = run(labels, tmp_path, SETTINGS.but(epochs=2, logit_scale_max=0.5, **constant))
    assert set(curve["learning_rate"]) == {0.1}
    assert curve["temperature"].between(1, np.exp(0.5) + 1e-5).all()
    assert curve["temperature"].nunique() > 1


def test_same_seed_gives_the_same_bits_and_another_seed_others(labels, tmp_path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        run(labels, tmp_path / name, SETTINGS.but(epochs=1, seed=seed, freeze_text=False))
    assert weights(tmp_path / "first") == weights(tmp_path / "again")
    assert weights(tmp_path / "first") != weights(tmp_path / "other")


def test_the_heads_drop_units_out_in_every_step_and_not_afterwards(labels, tmp_path) -> None:
    still = SETTINGS.but(head_lr=0.0, audio_lr=0.0, projection="paper")  # dropout alone changes it
    losses = [run(labels, tmp_path / str(p), still.but(dropout=p))["loss"] for p in (0.0, 0.5)]
    assert (abs(losses[0] - losses[1]) > 1e-3).all()
    model = ParaCLAP.from_pretrained(tmp_path / "0.5" / "model")
    assert model.text_projection.linear1.out_features == 2 * model.config.text_config.hidden_size
    for one, is_still in ((start_model(SETTINGS), False), (model, True)):
        for head in (one.audio_projection, one.text_projection):
            given = torch.ones(50, head.linear1.in_features)
            assert torch.equal(head(given), head(given)) is is_still


def first_loss(labels, folder: Path, **changes: object) -> float:
    return run(labels, folder, SETTINGS.but(steps=1, **changes))["loss"][0]


def test_encoders_drop_units_out_if_they_learn_or_if_it_is_asked_for(labels, tmp_path) -> None:
    base = {"dropout": 0.0, "captions_per_utterance": 1}
    frozen = first_loss(labels, tmp_path / "frozen", **base)
    asked = first_loss(labels, tmp_path / "asked", frozen_dropout=True, **base)
    learns = first_loss(labels, tmp_path / "learns", freeze_text=False, **base)
    assert frozen != asked == learns


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
    curve = run(table, tmp_path, FAST.but(epochs=10, schedule="constant"))
    scores = curve["dev_uar"].dropna().to_numpy()
    kept = ParaCLAP.from_pretrained(tmp_path / "model")
    assert uar(kept, table) == pytest.approx(scores.max())
    if misleading == "dev":
        assert scores.max() > scores[-1] + 0.2, "the last epoch would do as well"
        assert uar(kept, table, "test") < 0.8, "the test split chose"
    else:
        assert scores.max() > scores[0] + 0.2, "the first epoch would do as well"
        assert uar(kept, table, "test") < 0.3, "the test split chose"


def test_without_a_score_the_last_epoch_is_kept(labels, tmp_path) -> None:
    one = labels.assign(emotion=labels["emotion"].where(labels["split"] == "train", "anger"))
    settings = SETTINGS.but(schedule="constant", warmup=0.0)
    for epochs in (1, 2):
        curve = run(one, tmp_path / str(epochs), settings.but(epochs=epochs))
        assert curve["dev_uar"].isna().all()
    assert weights(tmp_path / "1") != weights(tmp_path / "2")


def test_dot_products_and_cosines_train_different_models(labels, tmp_path) -> None:
    dot = first_loss(labels, tmp_path / "dot", similarity="dot", join="all")
    assert dot > 2 * first_loss(labels, tmp_path / "cosine", join="all")  # features are longer


def test_the_sigmoid_objective_learns_its_bias(labels, tmp_path) -> None:
    curve = run(labels, tmp_path, SETTINGS.but(objective="sigmoid", epochs=4))
    assert curve["loss"].iloc[-3:].mean() < curve["loss"].iloc[:3].mean()
    assert ParaCLAP.from_pretrained(tmp_path / "model").logit_bias.item() != -10


def test_an_encoder_of_functionals_trains_without_signals(labels, tmp_path) -> None:
    values = np.random.default_rng(0).normal(size=(60, 89))
    values[labels["emotion"] == "anger"] += 2
    table = pd.DataFrame(values, labels.index)
    settings = FAST.but(audio_encoder="egemaps", epochs=4)
    curve = run(labels, tmp_path, settings, functionals=table)
    assert curve["dev_uar"].max() == 1
    assert not (tmp_path / "signals.pcm").exists()
    with pytest.raises(ValueError, match="No functionals, expected a table for 'egemaps'"):
        train(labels, pool_of(labels), tmp_path, settings)


def test_training_goes_on_from_a_model(labels, tmp_path) -> None:
    run(labels, tmp_path / "first", FAST.but(epochs=6))
    first, start = ParaCLAP.from_pretrained(tmp_path / "first/model"), tmp_path / "first/model"
    settings = FAST.but(start=str(start), freeze_audio=True, epochs=1)
    before = first.state_dict()
    assert not moved(before, start_model(settings))
    curve = run(labels, tmp_path / "again", settings)
    assert curve["loss"][0] < tables.read_table(tmp_path / "first/curves.csv")["loss"][0]
    changed = moved(before, ParaCLAP.from_pretrained(tmp_path / "again/model"))
    assert {name.split(".")[0] for name in changed} == {
        "audio_projection",
        "text_projection",
        "logit_scale",
    }
    with pytest.raises(ValueError, match=r"Bad start .*'functionals': False.* set audio_encoder"):
        start_model(settings.but(audio_encoder="egemaps"))


def test_functionals_are_scaled_as_the_model_that_goes_on_knows_them(labels, tmp_path) -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 89)), labels.index)
    settings = FAST.but(audio_encoder="egemaps", epochs=1)
    run(labels, tmp_path / "first", settings, functionals=table)
    start = settings.but(start=str(tmp_path / "first/model"))
    run(labels, tmp_path / "again", start, functionals=10 * table + 5)
    both = [ParaCLAP.from_pretrained(tmp_path / name / "model") for name in ("first", "again")]
    first, again = (model.processor.feature_extractor.to_dict() for model in both)
    assert first == again


def test_a_loss_that_is_no_number_names_its_step(labels, tmp_path) -> None:
    settings = SETTINGS.but(head_lr=1e30, audio_lr=1e30, schedule="constant", warmup=0.0)
    with pytest.raises(FloatingPointError, match=r"Loss nan at step \d+, .* learning rates"):
        run(labels, tmp_path, settings)


def test_a_missing_split_is_an_error(labels, tmp_path) -> None:
    table = labels.assign(split=labels["split"].where(labels["split"] != "dev", "test"))
    with pytest.raises(ValueError, match=r"No utterances in the splits \['dev'\]"):
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
    assert [path.parent for path in tmp_path.rglob("signals.pcm")] == [tmp_path]
