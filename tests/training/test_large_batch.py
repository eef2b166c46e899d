"""The gradient of a whole batch: in chunks, in several processes, with and without savings."""

import numpy as np
import pytest
import torch
import yaml
from small_training import SETTINGS, gradients, pool_of, run, shell, together, without_dropout

from paraclap import tables
from paraclap.model import ParaCLAP
from paraclap.training import Pairs, decode_audio, loss, start_model, training_step
from paraclap.training.step import encode_pairs, in_chunks, make_optimizer

PLAIN = SETTINGS.but(dropout=0.0, freeze_text=False, captions_per_utterance=0, pad="crop")


@pytest.fixture(scope="module")
def batch(labels, tmp_path_factory):
    """The first batch of PLAIN."""
    signals = decode_audio(labels, tmp_path_factory.mktemp("audio") / "signals.pcm", PLAIN)
    return Pairs(labels, pool_of(labels), start_model(PLAIN), PLAIN, signals)[0]


def after_a_step(batch, settings, dropout: bool = False, seed: int = 5):
    """Loss, and the gradient of every weight."""
    model = start_model(settings)
    if not dropout:
        without_dropout(model)
    torch.manual_seed(seed)
    value = training_step(model, batch, *make_optimizer(model, settings, 10), settings)
    return value, gradient_of(model), model


def gradient_of(model):
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


def assert_close(found, expected, tolerance: float) -> None:
    """Largest difference of each weight's gradient, against its largest value if above 1."""
    assert found.keys() == expected.keys()
    for name, one in expected.items():
        most = tolerance * max(1.0, one.abs().max().item())
        assert (found[name] - one).abs().max().item() <= most, name


CHANGES = [*({"chunk": size} for size in (1, 4, 100)), {"recompute": True}, {"attention": "eager"}]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("frozen", [False, True])
def test_chunks_and_what_saves_memory_or_time_leave_the_gradient(batch, frozen, change) -> None:
    settings = PLAIN.but(freeze_text=frozen)
    value, expected, _ = after_a_step(batch, settings)
    other, found, _ = after_a_step(batch, settings.but(**change))
    torch.testing.assert_close(other, value, atol=1e-5, rtol=0)
    assert_close(found, expected, 2e-5 if "chunk" in change else 1e-5)


def test_chunks_drop_out_the_same_units_both_times(batch) -> None:
    """The reference holds every chunk in memory at once: same draws, one plain backward pass."""
    settings = PLAIN.but(dropout=0.3, chunk=4)
    _, found, _ = after_a_step(batch, settings, dropout=True)
    model = start_model(settings)
    torch.manual_seed(5)
    parts = [{k: v[first : first + 4] for k, v in batch.items()} for first in (0, 4, 8)]
    sides = zip(*(encode_pairs(model, settings, part) for part in parts), strict=True)
    audio, text = map(torch.cat, sides)
    logits = loss.scaled_similarity(audio, text, model.temperature)
    loss.contrastive_loss(logits).backward()
    assert_close(found, gradient_of(model), 1e-5)
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


def test_bf16_products_keep_float32_weights_and_about_the_gradient(batch) -> None:
    found = []
    for precision in ("float32", "bf16"):
        _, gradient, model = after_a_step(batch, PLAIN.but(precision=precision))
        assert {one.dtype for one in model.parameters()} == {torch.float32}
        found.append(torch.cat([one.flatten() for one in gradient.values()]))
    assert not torch.equal(*found)
    assert torch.nn.functional.cosine_similarity(*found, dim=0) > 0.99


@pytest.mark.parametrize("changes", [{}, {"chunk": 2, "objective": "sigmoid"}])
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


def test_the_shell_has_the_curve_of_one_process_in_two(labels, tmp_path) -> None:
    settings = PLAIN.but(optimizer="adam", freeze_text=True, captions_per_utterance=2)
    expected = run(labels, tmp_path / "one", settings)
    folder = tmp_path / "runs" / "both"
    tables.write_table(labels, folder / "labels.parquet")
    tables.write_table(pool_of(labels).table(), folder / "queries.parquet")
    values = {"runs": str(tmp_path / "runs"), "recipe_seeds": 2} | settings.asdict()
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(values))
    together(shell, tmp_path / "both.yaml")
    found = tables.read_table(folder / "curves.csv")
    assert list(found) == list(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert found["distinct_texts"].equals(expected["distinct_texts"])
    ParaCLAP.from_pretrained(folder / "model")


@pytest.mark.parametrize(
    ("batch", "message"), [("many", "Bad batch 'many', expected int"), ("8", "queries.parquet")]
)
def test_the_shell_says_what_is_missing(tmp_path, batch, message) -> None:
    (tmp_path / "some.yaml").write_text(f"runs: {tmp_path}\nbatch: {batch}\n")
    with pytest.raises(SystemExit, match=message):
        shell(tmp_path / "some.yaml")
