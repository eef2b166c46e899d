"""Device, model and optimiser before training, and one step: features, loss, gradient, update.

Nothing here waits for a GPU. Chapter 4. Source: ParaCLAP (Jing et al., 2024), sections 2.1 and 3.3.
"""

from __future__ import annotations

import functools
import math
import os
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup

from paraclap.model import ParaCLAP, build
from paraclap.model.embedding import has_fast_bf16
from paraclap.model.layers import pool_audio
from paraclap.training.dataset import Batch
from paraclap.training.large_batch import average_gradients, gather, in_chunks
from paraclap.training.loss import contrastive_loss, scaled_similarity, sigmoid_loss
from paraclap.training.settings import Settings

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
PATIENCE = timedelta(hours=6)  # with another process, such as the one that decodes a corpus


def training_step(
    model: ParaCLAP, batch: Batch, optimizer: Optimizer, schedule: LRScheduler, settings: Settings
) -> Tensor:
    """Take one step; the loss that the batch had before it, a scalar."""
    optimizer.zero_grad()
    encode = functools.partial(encode_pairs, model, settings)
    audio, text = in_chunks(encode, batch, settings.chunk)  # E^a, E^t: (n, d)
    audio, text = gather(audio), gather(text)  # of all processes: (N, d)
    logits = scaled_similarity(audio, text, model.temperature, settings.similarity)  # C: (N, N)
    if model.logit_bias is None:
        loss = contrastive_loss(logits)  # equation 2
    else:
        loss = sigmoid_loss(logits + model.logit_bias)
    loss.backward()
    average_gradients(model)  # over the processes
    optimizer.step()
    schedule.step()
    with torch.no_grad():
        model.logit_scale.clamp_(0, settings.logit_scale_max)
    return loss.detach()


def encode_pairs(model: ParaCLAP, settings: Settings, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features of utterances and captions, both ``(n, projection_dim)``, not normalised.

    Each caption is encoded by itself, also where a batch has it twice: dropout differs.
    """
    half = torch.autocast(model.device.type, torch.bfloat16, enabled=uses_bf16(model, settings))
    with half:  # the encoders alone
        mask = batch.get("audio_attention_mask")
        audio = pool_audio(model.audio_model, batch["input_values"], mask)
        text = batch.get("pooled_text")  # of a frozen text encoder
        if text is None:
            text = model.pool_text(batch["input_ids"], batch["attention_mask"])
    return model.audio_projection(audio.float()), model.text_projection(text.float())


def uses_bf16(model: ParaCLAP, settings: Settings) -> bool:
    """Whether the encoders multiply in bfloat16; weights are float32 in any case."""
    fast = model.device.type == "cuda" and has_fast_bf16(model.device)
    return settings.precision == "bf16" or (settings.precision == "auto" and fast)


def start_accelerator(settings: Settings) -> Accelerator:
    """Device and processes; ValueError if there is no such device."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(settings.jobs)
    patience = InitProcessGroupKwargs(timeout=PATIENCE)
    accelerator = Accelerator(cpu=settings.device == "cpu", kwargs_handlers=[patience])
    if settings.device not in ("auto", accelerator.device.type):
        found = accelerator.device.type
        raise ValueError(f"Bad device {settings.device!r}, torch has {found!r} here: set 'auto'.")
    return accelerator


def start_model(settings: Settings, device: torch.device | str = "cpu") -> ParaCLAP:
    """The model before its first step, the same for the same seed.

    Frozen encoders are in evaluation mode, unless ``frozen_dropout``; all else is in training mode.
    """
    s, bias = settings, settings.objective == "sigmoid"
    heads = s.projection_dim, s.dropout, s.text_pooling
    model = build(s.audio_encoder, s.text_encoder, *heads, s.seed, s.signals, bias)
    model.to(device).train()
    frozen = {model.audio_model: s.freeze_audio, model.text_model: s.freeze_text}
    for encoder, is_frozen in frozen.items():
        encoder.requires_grad_(not is_frozen)
        encoder.train(s.frozen_dropout or not is_frozen)
        if encoder.config._attn_implementation != s.attention:
            encoder.set_attn_implementation(s.attention)
        if s.recompute:
            encoder.activation_checkpointing_enable({"use_reentrant": False})
        if s.compiled:
            encoder.compile()
    return model


def make_optimizer(
    model: ParaCLAP, settings: Settings, steps: int
) -> tuple[Optimizer, LRScheduler]:
    """Optimiser of all that learns, and the schedule of its learning rates over ``steps``."""
    rates = {"audio_model": settings.audio_lr, "text_model": settings.text_lr}
    parts: dict[str, list[Tensor]] = {"heads": []}  # the first: its rate is the one in the curves
    for name, weight in model.named_parameters():
        part = name.partition(".")[0]
        if weight.requires_grad:
            parts.setdefault(part if part in rates else "heads", []).append(weight)
    groups = [{"params": w, "lr": rates.get(part, settings.head_lr)} for part, w in parts.items()]
    optimizer = OPTIMIZERS[settings.optimizer](groups, fused=True)
    warm = math.ceil(settings.warmup * steps)
    if settings.schedule == "cosine":
        return optimizer, get_cosine_schedule_with_warmup(optimizer, warm, steps)
    return optimizer, get_constant_schedule_with_warmup(optimizer, warm)
