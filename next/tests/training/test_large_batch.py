"""The gradient of a whole batch: in chunks, in several processes, with and without savings."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from small_training import (
    SETTINGS,
    gradients,
    pool_of,
    run,
    together,
    train_in,
    weights,
    without_dropout,
)

from paraclap import tables
from paraclap.model import ParaCLAP
from paraclap.training import Pairs, Signals, start_model, training_step
from paraclap.training.large_batch import in_chunks
from paraclap.training.step import encode_pairs, make_optimizer

PLAIN = SETTINGS.but(dropout=0.0, freeze_text=False, captions_per_utterance=0, pad="crop")


@pytest.fixture(scope="module")
def batch(labels, tmp_path_factory):
    """The first batch of PLAIN."""
    signals = Signals.decode(labels.index, tmp_path_factory.mktemp("audio") / "signals.pcm")
    return Pairs(labels, pool_of(labels), start_model(PLAIN), PLAIN, signals)[0]


def after_a_step(batch, settings, dropout: bool = False, seed: int = 5):
    """Loss, and the gradient of every weight."""
    model = start_model(settings)
    if not dropout:
        without_dropout(model)
    torch.manual_seed(seed)
    loss = training_step(model, batch, *make_optimizer(model, settings, 10), settings)
    found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    return loss, found, model


def assert_close(found, expected, tolerance: float) -> None:
    """Largest difference of each weight's gradient, against its largest value if above 1."""
    assert found.keys() == expected.keys()
    for name, one in expected.items():
        most = tolerance * max(1.0, one.abs().max().item())
        assert (found[name] - one).abs().max().item() <= most, name


@pytest.mark.parametrize("chunk", [1, 4, 10, 100])
@pytest.mark.parametrize("frozen", [(), ("freeze_text",), ("freeze_audio",)])
def test_chunks_give_the_gradient_of_the_whole_batch(batch, chunk, frozen) -> None:
    settings = PLAIN.but(**dict.fromkeys(frozen, True))
    loss, expected, _ = after_a_step(batch, settings)
    other, found, _ = after_a_step(batch, settings.but(chunk=chunk))
    torch.testing.assert_close(other, loss, atol=1e-5, rtol=0)
    assert_close(found, expected, 2e-5)


def test_chunks_drop_out_the_same_units_both_times(batch) -> None:
    """The reference holds every chunk in memory at once: same draws, one plain backward pass."""
    settings = PLAIN.but(dropout=0.3, chunk=4)
    _, found, _ = after_a_step(batch, settings, dropout=True)
    model = start_model(settings)
    torch.manual_seed(5)
    parts = [{k: v[first : first + 4] for k, v in batch.items()} for first in (0, 4, 8)]
    sides = zip(*(encode_pairs(model, settings, part) for part in parts), strict=True)
    audio, text = (torch.nn.functional.normalize(torch.cat(side), dim=-1) for side in sides)
    logits = model.temperature * audio @ text.T
    target = torch.arange(10)
    cross = torch.nn.functional.cross_entropy
    ((cross(logits, target) + cross(logits.T, target)) / 2).backward()
    assert_close(
        found, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}, 1e-5
    )
    _, other, _ = after_a_step(batch, settings, dropout=True, seed=6)
    name = "audio_projection.linear2.weight"
    assert not torch.allclose(other[name], found[name], atol=1e-5)


def test_a_chunk_at_a_time_is_kept_for_the_way_back(batch) -> None:
    """What autograd keeps while it waits for the loss, in numbers."""
    model, kept = without_dropout(start_model(PLAIN)), {}
    weights = {one.data_ptr() for one in model.parameters()}

    def keep(tensor):
        if tensor.data_ptr() not in weights:
            kept[size] = kept.get(size, 0) + tensor.numel()
        return tensor

    for size in (0, 2):
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda one: one):
            in_chunks(lambda part: encode_pairs(model, PLAIN, part), batch, size)
    assert kept.get(2, 0) < 0.01 * kept[0]


@pytest.mark.parametrize("change", [{"recompute": True}, {"attention": "eager"}])
def test_what_saves_memory_or_time_leaves_the_gradient(batch, change) -> None:
    _, expected, _ = after_a_step(batch, PLAIN)
    _, found, _ = after_a_step(batch, PLAIN.but(**change))
    assert_close(found, expected, 1e-5)


def test_bf16_products_keep_float32_weights_and_about_the_gradient(batch) -> None:
    found = []
    for precision in ("float32", "bf16"):
        _, gradient, model = after_a_step(batch, PLAIN.but(precision=precision))
        assert {one.dtype for one in model.parameters()} == {torch.float32}
        found.append(torch.cat([one.flatten() for one in gradient.values()]))
    assert not torch.equal(*found)
    assert torch.nn.functional.cosine_similarity(*found, dim=0) > 0.99


def test_auto_precision_is_float32_on_a_processor(batch) -> None:
    losses = [after_a_step(batch, PLAIN.but(precision=p))[0] for p in ("auto", "float32")]
    assert losses[0] == losses[1]


# --- several processes --------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"chunk": 2}, {"objective": "sigmoid"}])
def test_two_processes_have_the_gradient_of_one(labels, tmp_path, changes) -> None:
    settings = PLAIN.but(**changes)
    together(gradients, labels, tmp_path, settings)
    expected = gradients(labels, tmp_path, settings.but(chunk=0))
    both = [torch.load(tmp_path / f"{n}-of-2.pt", weights_only=True) for n in (0, 1)]
    for one in both:
        torch.testing.assert_close(one["loss"], expected["loss"], atol=1e-5, rtol=0)
        assert_close(one["gradient"], expected["gradient"], 1e-5 if settings.chunk else 1e-6)
    for name, weight in both[0]["weights"].items():
        assert torch.equal(weight, both[1]["weights"][name]), name


def test_two_processes_have_the_curve_of_one_and_go_on_after_a_stop(labels, tmp_path) -> None:
    settings = PLAIN.but(optimizer="adam", freeze_text=True, captions_per_utterance=2)
    expected = run(labels, tmp_path / "one", settings)
    together(train_in, labels, tmp_path / "two", settings)
    found = tables.read_table(tmp_path / "two" / "curves.csv")
    assert list(found) == list(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert found["distinct_texts"].equals(expected["distinct_texts"])
    before = weights(tmp_path / "two")
    run(labels, tmp_path / "two", settings)  # finished, whoever made it
    assert weights(tmp_path / "two") == before


def test_accelerate_launch_starts_it_from_the_shell(labels, tmp_path) -> None:
    folder = tmp_path / "runs" / "both"
    tables.write_table(labels, folder / "labels.parquet")
    tables.write_table(pool_of(labels).table(), folder / "queries.parquet")
    values = {"runs": str(tmp_path / "runs"), "recipe_seeds": 2}
    values |= PLAIN.but(epochs=1, freeze_text=True).asdict()
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(values))
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    module = ["-m", "paraclap.training", str(tmp_path / "both.yaml"), "-p", "head_lr=1e-3"]
    done = subprocess.run(
        [sys.executable, *launch, *module],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The model: both/model") == 1
    assert tables.read_table(folder / "curves.csv")["step"].tolist() == [0, 1, 2, 3]
    assert tables.read_json(folder / "settings.json")["head_lr"] == 1e-3
    ParaCLAP.from_pretrained(folder / "model")


def test_the_shell_says_what_is_missing(tmp_path, capsys) -> None:
    from paraclap.training.__main__ import main

    (tmp_path / "some.yaml").write_text(f"runs: {tmp_path}\nbatch: many\n")
    assert main([str(tmp_path / "some.yaml")]) == 1
    assert "Bad batch 'many', expected int" in capsys.readouterr().err
    assert main([str(tmp_path / "some.yaml"), "-p", "batch=8"]) == 1
    assert "queries.parquet" in capsys.readouterr().err
    assert main([str(tmp_path / "none.yaml")]) == 1
