"""One step of training: features of both towers, the loss, the gradient, the update.

Every draw of a step, dropout and masks included, is a function of seed and step. Nothing here waits
for a GPU: what a step measures comes back as a tensor that may still be on its way. Source:
ParaCLAP (Jing et al., 2024), sections 2.1 and 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from paraclap import gradients, masking, pairs, processes, schedule
from paraclap.checkpoint import Run
from paraclap.loss import scaled_similarity
from paraclap.machine import Machine, autocast, choose_device
from paraclap.measured import waveform_encoder
from paraclap.model import ParaCLAP
from paraclap.objectives import loss as loss_of
from paraclap.pooling import pool_voices
from paraclap.pretrained import UNHEARD
from paraclap.settings import Settings
from paraclap.text_cache import pooled_texts
from paraclap.towers import build

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def start(settings: Settings, device: str) -> Run:
    """A run before its first step: the untrained model, the same for the same seed.

    Args:
        settings: What the model and its optimiser are made of.
        device: See :func:`paraclap.machine.choose_device`.
    """
    model = build(
        settings.audio_encoder,
        settings.text_encoder,
        settings.projection_dim,
        settings.dropout,
        settings.text_pooling,
        settings.seed,
        settings.signals,
        bias=settings.objective == "sigmoid",
    ).to(choose_device(device))
    return Run(model, optimiser(model, settings))


def optimiser(model: ParaCLAP, settings: Settings) -> torch.optim.Optimizer:
    """Optimiser of all that learns; what is frozen is marked so.

    Args:
        model: On the device where it will stay.
        settings: Which optimiser, which learning rates, what is frozen.
    """
    model.audio_model.requires_grad_(not settings.freeze_audio)
    model.text_model.requires_grad_(not settings.freeze_text)
    heads = [
        *model.audio_projection.parameters(),
        *model.text_projection.parameters(),
        model.logit_scale,
        *([] if model.logit_bias is None else [model.logit_bias]),
    ]
    groups: list[dict[str, Any]] = [{"params": heads, "lr": settings.head_lr}]
    if not settings.freeze_audio:
        groups.append({"params": list(model.audio_model.parameters()), "lr": settings.audio_lr})
    if not settings.freeze_text:
        groups.append({"params": list(model.text_model.parameters()), "lr": settings.text_lr})
    for group in groups:
        group["peak_lr"] = group["lr"]
    made: torch.optim.Optimizer = OPTIMIZERS[settings.optimizer](groups, fused=True)
    return made


def rate(step: int, steps: int, settings: Settings) -> float:
    """Share of the full learning rate at a step: a linear rise, then constant or half a cosine."""
    warm = math.ceil(settings.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    if settings.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


class Stepper:
    """Takes a run from one step to the next."""

    def __init__(
        self,
        run: Run,
        settings: Settings,
        machine: Machine,
        steps: int,
        texts: Sequence[str] = (),
    ) -> None:
        """Prepare both towers for training on this machine.

        Args:
            run: The model and its optimiser, on their device.
            settings: What is learned, and how.
            machine: What it is computed with.
            steps: Of the whole run, for the learning rates.
            texts: All that will ever be said, if that is known; a frozen text tower embeds them
                once.
        """
        self.run, self.settings, self.machine, self.steps = run, settings, machine, steps
        model = run.model
        self.device: torch.device = model.device
        self.dtype = machine.dtype(self.device)
        encoder = waveform_encoder(model.audio_model)
        masking.draw_on_device(encoder)
        for tower in (encoder, model.text_model):
            if tower is not None:
                _set_up(tower, machine)
        self.learns_audio, self.learns_text = (
            not frozen and any(True for _ in tower.parameters())
            for frozen, tower in (
                (settings.freeze_audio, model.audio_model),
                (settings.freeze_text, model.text_model),
            )
        )
        keeps = settings.freeze_text and not settings.frozen_dropout and len(texts) > 0
        self.kept = pooled_texts(model, texts) if keeps else None
        self.voices = self._together(_Voices(model, self.dtype), self.learns_audio)
        self.words = self._together(_Words(model, self.dtype), self.learns_text)

    @property
    def needs_tokens(self) -> bool:
        """Whether batches have to bring tokens; else places among all texts are enough."""
        return self.kept is None

    def _together(self, encoder: nn.Module, learns: bool) -> nn.Module:
        """An encoder, translated if asked for, whose gradient is the mean over all processes."""
        if self.machine.compiled:
            encoder.compile()
        if processes.count() == 1 or not learns:
            return encoder
        device = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(
            encoder, device, broadcast_buffers=False, gradient_as_bucket_view=True
        )

    def step(self, batch: pairs.Batch) -> torch.Tensor:
        """Take one step.

        Args:
            batch: The share of this process, on any device.

        Returns:
            Loss of the whole batch and temperature after the step, shape ``(2,)``, on the device.
        """
        model, optimizer = self.run.model, self.run.optimizer
        self._begin(batch.step)
        loss = self.backward(batch.to(self.device)).detach()
        heads = optimizer.param_groups[0]["params"]
        processes.average([loss, *(one.grad for one in heads if one.grad is not None)])
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, self.settings.logit_scale_max)
        return torch.stack([loss, model.temperature.detach()])

    def _begin(self, step: int) -> None:
        model, settings = self.run.model.train(), self.settings
        if not settings.frozen_dropout:
            model.audio_model.train(self.learns_audio)
            model.text_model.train(self.learns_text)
        others = [processes.number()] if processes.number() else []
        torch.manual_seed(int(schedule.random(settings.seed, 4, step, *others).integers(2**62)))
        share = rate(step, self.steps, settings)
        for group in self.run.optimizer.param_groups:
            group["lr"] = share * group["peak_lr"]

    def backward(self, batch: pairs.Batch) -> torch.Tensor:
        """Loss of a batch; the gradient is left in the weights.

        Args:
            batch: On the device of the model.
        """
        model, settings, size = self.run.model, self.settings, self.machine.chunk
        similarity = settings.similarity
        self.run.optimizer.zero_grad(set_to_none=True)
        # Of the same number of voices, processes may have more or fewer distinct texts.
        alike = processes.count() > 1 and 0 < size < len(batch.places)
        heard, pass_on_heard = gradients.encode(
            self.voices, gradients.chunks(batch.signals, size), self.learns_audio, alike
        )
        if self.kept is None:
            said, pass_on_said = gradients.encode(
                self.words, gradients.chunks(batch.tokens, size), self.learns_text, alike
            )
        else:
            said, pass_on_said = self.kept, lambda: None
        audio = model.audio_projection(heard)
        text = model.text_projection(said[batch.places])
        by_audio, by_text = (
            scaled_similarity(own, processes.gathered(others), model.temperature, similarity)
            for own, others in ((audio, text), (text, audio))
        )
        first = processes.number() * len(audio)
        chosen = settings.objective, settings.objective_weight
        loss = loss_of(*chosen, by_audio, by_text, first, batch.known, model.logit_bias)
        loss.backward()
        pass_on_heard()
        pass_on_said()
        return loss


class _Voices(nn.Module):
    """The audio tower up to its mean over time."""

    def __init__(self, model: ParaCLAP, dtype: torch.dtype) -> None:
        super().__init__()
        self.tower, self.dtype, self.device = model.audio_model, dtype, model.device

    def forward(
        self, input_values: torch.Tensor, audio_attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        with autocast(self.dtype, self.device):
            return pool_voices(self.tower, input_values, audio_attention_mask).float()


class _Words(nn.Module):
    """The text tower up to its pooling."""

    def __init__(self, model: ParaCLAP, dtype: torch.dtype) -> None:
        super().__init__()
        self.tower, self.dtype, self.device = model.text_model, dtype, model.device
        self._pool = model.pool_text

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        with autocast(self.dtype, self.device):
            return self._pool(input_ids, attention_mask).float()


def _set_up(tower: Any, machine: Machine) -> None:
    """Choose how a tower attends and what it keeps for the backward pass."""
    if tower.config._attn_implementation != machine.attention:
        tower.set_attn_implementation(machine.attention)
    if machine.recompute:
        tower.activation_checkpointing_enable({"use_reentrant": False})
    for name, weight in tower.named_parameters():
        if name.startswith(UNHEARD) and not (name == "masked_spec_embed" and _masks(tower)):
            weight.requires_grad_(False)


def _masks(tower: Any) -> bool:
    return bool(tower.config.apply_spec_augment and tower.config.mask_time_prob > 0)
