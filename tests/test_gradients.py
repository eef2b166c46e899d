import numpy as np
import pandas as pd
import pytest
import torch

from paraclap import gradients, pairs, stepping
from paraclap.checkpoint import Run
from paraclap.machine import Machine
from paraclap.queries import Pool
from paraclap.schedule import Schedule
from paraclap.settings import Settings
from paraclap.signals import Signals
from paraclap.texts import Texts

SETTINGS = Settings(
    audio_encoder="smoke",
    text_encoder="smoke",
    text_pooling="mean",
    projection_dim=16,
    dropout=0.3,
    rand=2,
    batch=12,
    crop_seconds=0.6,
    pad="batch",
)


def started(settings: Settings, machine: Machine) -> stepping.Stepper:
    run = stepping.start(settings, "cpu")
    run.model.text_model.config.hidden_dropout_prob = 0.2
    return stepping.Stepper(run, settings, machine, steps=10)


def first_batch(stepper: stepping.Stepper, voices: pd.DataFrame, pool: Pool) -> pairs.Batch:
    settings = stepper.settings
    texts = Texts(pool, range(len(pool)), 0, 0, settings.rand, "always", False)
    schedule = Schedule(len(voices), settings.batch, 0)
    read = pairs.Voices(
        Signals(voices.index), schedule, texts, stepper.run.model.processor, 0.6, settings.pad
    )
    return read[0]


def gradient(run: Run) -> dict[str, torch.Tensor]:
    named = run.model.named_parameters()
    return {name: one.grad.clone() for name, one in named if one.grad is not None}


def assert_equal_within(
    found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], tolerance: float
) -> None:
    """Largest difference of each weight's gradient, against its largest value if above 1."""
    assert found.keys() == expected.keys()
    for name, one in expected.items():
        most = tolerance * max(1.0, one.abs().max().item())
        assert (found[name] - one).abs().max().item() <= most, name


def dropout(model: torch.nn.Module, probability: float) -> None:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability


@pytest.mark.parametrize("chunk", [1, 5, 12, 100])
@pytest.mark.parametrize("frozen", [(), ("freeze_text",), ("freeze_audio",)])
def test_chunks_give_the_gradient_of_the_whole_batch(
    voices: pd.DataFrame, pool: Pool, chunk: int, frozen: tuple[str, ...]
) -> None:
    settings = SETTINGS.but(dropout=0.0, **dict.fromkeys(frozen, True))
    found = []
    for size in (0, chunk):
        stepper = started(settings, Machine(device="cpu", chunk=size))
        dropout(stepper.run.model, 0.0)
        loss = stepper.backward(first_batch(stepper, voices, pool))
        found.append((loss, gradient(stepper.run)))
    torch.testing.assert_close(found[1][0], found[0][0], atol=1e-5, rtol=0)
    # Voices alone are convolved in another order than in a batch, in 32 bits.
    assert_equal_within(found[1][1], found[0][1], 2e-5 if chunk == 1 else 1e-5)


def test_chunks_drop_out_the_same_units_both_times(voices: pd.DataFrame, pool: Pool) -> None:
    """The reference holds every chunk in memory at once: same draws, one plain backward pass."""

    def kept_in_memory(encoder, parts, learns, alike):
        return torch.cat([encoder(**part) for part in parts]), lambda: None

    found = []
    for encode in (kept_in_memory, gradients.encode):
        stepper = started(SETTINGS, Machine(device="cpu", chunk=4))
        dropout(stepper.run.model, 0.3)
        torch.manual_seed(5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gradients, "encode", encode)
            stepper.backward(first_batch(stepper, voices, pool))
        found.append(gradient(stepper.run))
    assert_equal_within(found[1], found[0], 1e-5)
    plain = started(SETTINGS, Machine(device="cpu", chunk=4))
    dropout(plain.run.model, 0.3)
    torch.manual_seed(6)
    plain.backward(first_batch(plain, voices, pool))
    name = "audio_model.encoder.layers.0.attention.k_proj.weight"
    assert not torch.allclose(gradient(plain.run)[name], found[0][name], atol=1e-5)


@pytest.mark.parametrize("change", [{"recompute": True}, {"attention": "eager"}])
def test_what_saves_memory_or_time_leaves_the_gradient(
    voices: pd.DataFrame, pool: Pool, change: dict[str, object]
) -> None:
    found = []
    for more in ({}, change):
        stepper = started(SETTINGS, Machine(device="cpu", **more))
        torch.manual_seed(5)
        stepper.backward(first_batch(stepper, voices, pool))
        found.append(gradient(stepper.run))
    assert_equal_within(found[1], found[0], 1e-5)


def test_bf16_products_keep_float32_weights_and_about_the_gradient(
    voices: pd.DataFrame, pool: Pool
) -> None:
    found = []
    for precision in ("float32", "bf16"):
        stepper = started(SETTINGS, Machine(device="cpu", precision=precision))
        torch.manual_seed(5)
        stepper.step(first_batch(stepper, voices, pool))
        assert {one.dtype for one in stepper.run.model.parameters()} == {torch.float32}
        found.append(torch.cat([one.flatten() for one in gradient(stepper.run).values()]))
    assert not torch.equal(found[0], found[1])
    assert torch.nn.functional.cosine_similarity(found[0], found[1], dim=0) > 0.99


def test_chunks_cover_all_rows_in_order() -> None:
    inputs = {"a": torch.arange(7), "b": torch.arange(7) * 2}
    parts = gradients.chunks(inputs, 3)
    assert [len(part["a"]) for part in parts] == [3, 3, 1]
    assert torch.cat([part["b"] for part in parts]).tolist() == list(np.arange(7) * 2)
    assert len(gradients.chunks(inputs, 0)) == 1
