"""Device, model and optimiser, and one step of training: features, loss, gradient, update.

The gradient is that of the whole batch: each process computes the loss of all pairs. Of each chunk
only the features are kept, and on the way back it is encoded again, with the same random numbers.
Chapters 4 and 9. Sources: ParaCLAP (Jing et al., 2024), sections 2.1 and 3.3; GradCache (Gao et
al., 2021).
"""

import functools
import math
import os
from collections.abc import Callable, Iterable
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import Tensor, distributed
from torch.distributed.nn.functional import all_gather
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.checkpoint import checkpoint
from tqdm import tqdm
from transformers import get_scheduler

from paraclap.model import ParaCLAP, build, embedding
from paraclap.model.layers import encode_audio
from paraclap.training.dataset import Batch
from paraclap.training.loss import contrastive_loss, scaled_similarity, sigmoid_loss
from paraclap.training.settings import Settings

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
PATIENCE = timedelta(hours=6)  # with another process, such as the one that decodes a corpus
WIDTH = 16  # tokens: captions of a frozen encoder are padded to multiples of it


def training_step(
    model: ParaCLAP, batch: Batch, optimizer: Optimizer, schedule: LRScheduler, settings: Settings
) -> Tensor:
    """Take one step; the loss that the batch had before it, a scalar."""
    optimizer.zero_grad()
    encode = functools.partial(encode_pairs, model, settings)
    audio, text = in_chunks(encode, batch, settings.chunk)  # E^a, E^t: (n, d)
    audio, text = gather(audio), gather(text)  # of all processes: (N, d)
    logits = scaled_similarity(audio, text, model.temperature, settings.similarity)  # C: (N, N)
    bias = model.logit_bias
    loss = contrastive_loss(logits) if bias is None else sigmoid_loss(logits + bias)  # equation 2
    loss.backward()
    average_gradients(model)  # over the processes
    optimizer.step()
    schedule.step()
    with torch.no_grad():
        model.logit_scale.clamp_(0, settings.logit_scale_max)
    return loss.detach()


def encode_pairs(model: ParaCLAP, settings: Settings, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features of utterances and captions, both ``(n, projection_dim)``, not normalised."""
    half = uses_bf16(model, settings)
    with torch.autocast(model.device.type, torch.bfloat16, enabled=half):  # the encoders alone
        mask = batch.get("audio_attention_mask")
        _, audio = encode_audio(model.audio_model, batch["input_values"], mask)
        text = batch.get("pooled_text")  # of a frozen text encoder
        if text is None:
            text = model.pool_text(batch["input_ids"], batch["attention_mask"])
    return model.audio_projection(audio.float()), model.text_projection(text.float())


def in_chunks(
    encode: Callable[[Batch], tuple[Tensor, Tensor]], batch: Batch, chunk: int
) -> tuple[Tensor, Tensor]:
    """Encode a batch in the memory of ``chunk`` pairs; 0 encodes all of them at once."""
    pairs = len(batch["input_values"])
    if not 0 < chunk < pairs:
        return encode(batch)
    pieces = zip(*(values.split(chunk) for values in batch.values()), strict=True)
    parts = [dict(zip(batch, piece, strict=True)) for piece in pieces]
    found = [checkpoint(encode, part, use_reentrant=False) for part in parts]
    audio, text = map(torch.cat, zip(*found, strict=True))
    return audio, text


def gather(rows: Tensor) -> Tensor:
    """Rows of all processes, in their order; gradients find their way back."""
    return torch.cat(all_gather(rows)) if distributed.is_initialized() else rows


def average_gradients(model: ParaCLAP) -> None:
    """Replace each gradient by its mean over the processes."""
    if distributed.is_initialized():
        for gradient in (one.grad for one in model.parameters() if one.grad is not None):
            distributed.all_reduce(gradient)
            gradient /= distributed.get_world_size()


class CaptionCache:
    """Outputs of a frozen text encoder, one a caption, the same bits whatever else is encoded."""

    def __init__(self, model: ParaCLAP, precision: str = "float32", most: int = 200_000) -> None:
        """Keep about ``most`` outputs; ``precision`` as in :func:`paraclap.embed_audio`."""
        self.model, self.most, self.kept = model, most, dict[str, Tensor]()
        self.is_half = embedding.uses_bf16(precision, model.device)
        self.tokenizer = model.require_processor().tokenizer

    @torch.no_grad()
    def __call__(self, captions: Iterable[str], batch: int = 128) -> Tensor:
        """Output before the projection for each caption, shape ``(captions, hidden_size)``."""
        if len(self.kept) > self.most:
            self.kept.clear()
        captions, parts = list(captions), dict[tuple[int, int], list[str]]()
        for place, text in enumerate(sorted(set(captions) - self.kept.keys())):
            width = math.ceil(len(self.tokenizer(text)["input_ids"]) / WIDTH)
            parts.setdefault((width, place // batch), []).append(text)
        for part in tqdm(parts.values(), "Encode captions", disable=len(parts) < 10 or None):
            inputs = self.model.prepare(text=part, pad_to_multiple_of=WIDTH)
            with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.is_half):
                pooled = self.model.pool_text(**inputs).float()
            self.kept.update(zip(part, pooled, strict=True))
        return torch.stack([self.kept[caption] for caption in captions])


def uses_bf16(model: ParaCLAP, settings: Settings) -> bool:
    """Whether the encoders multiply in bfloat16; weights are float32 in any case."""
    is_cpu = settings.precision == "auto" and model.device.type == "cpu"
    return not is_cpu and embedding.uses_bf16(settings.precision, model.device)


def start_accelerator(settings: Settings) -> Accelerator:
    """Device and processes; ValueError if there is no such device."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(settings.jobs)
    patience = InitProcessGroupKwargs(timeout=PATIENCE)
    accelerator = Accelerator(cpu=settings.device == "cpu", kwargs_handlers=[patience])
    found = accelerator.device.type
    if settings.device not in ("auto", found):
        raise ValueError(f"Bad device {settings.device!r}, torch has {found!r} here: set 'auto'.")
    return accelerator


def start_model(settings: Settings, device: torch.device | str = "cpu") -> ParaCLAP:
    """The model before its first step, in training mode, the same for the same seed."""
    s, bias = settings, settings.objective == "sigmoid"
    heads = s.projection_dim, s.dropout, s.text_pooling
    parts = s.audio_encoder, s.text_encoder, *heads, s.seed, s.signals, bias, s.projection
    model = _started(settings) if s.start else build(*parts)
    model.to(device).train()
    frozen = {model.audio_model: s.freeze_audio, model.text_model: s.freeze_text}
    for encoder, is_frozen in frozen.items():
        encoder.requires_grad_(not is_frozen).train(s.frozen_dropout or not is_frozen)
        if encoder.config._attn_implementation != s.attention:
            encoder.set_attn_implementation(s.attention)
        if s.recompute:
            encoder.activation_checkpointing_enable({"use_reentrant": False})
        if s.compiled:
            encoder.compile()
    return model


def _started(settings: Settings) -> ParaCLAP:
    """The model to go on from; ValueError if it reads, or is trained for, something else."""
    model: ParaCLAP = ParaCLAP.from_pretrained(settings.start)
    reads = bool(model.require_processor().feature_extractor.functionals)
    found = {"functionals": reads, "a bias": model.logit_bias is not None}
    asked = {"functionals": settings.reads_functionals, "a bias": settings.objective == "sigmoid"}
    if found != asked:
        msg = f"Bad start {settings.start!r}: it has {found}, the settings expect {asked}"
        raise ValueError(f"{msg}: set audio_encoder and objective as it was trained.")
    return model


def make_optimizer(
    model: ParaCLAP, settings: Settings, steps: int
) -> tuple[Optimizer, LRScheduler]:
    """Optimiser of all that learns, and the schedule of its learning rates over ``steps``."""
    rates = {"audio_model": settings.audio_lr, "text_model": settings.text_lr}
    parts: dict[float, list[Tensor]] = {settings.head_lr: []}  # the first: it is in the curves
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            rate = rates.get(name.partition(".")[0], settings.head_lr)
            parts.setdefault(rate, []).append(weight)
    groups = [{"params": weights, "lr": rate} for rate, weights in parts.items()]
    optimizer = OPTIMIZERS[settings.optimizer](groups, fused=True)
    kind = "cosine" if settings.schedule == "cosine" else "constant_with_warmup"
    return optimizer, get_scheduler(kind, optimizer, math.ceil(settings.warmup * steps), steps)
