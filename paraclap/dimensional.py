"""An audio tower that has learned arousal, valence and dominance before it meets any query.

The paper starts from a wav2vec2 that audEERING fine-tuned in this way. On a corpus with ratings of
one's own the same start is made here, and written in the same layout: the encoder under
`wav2vec2.`, a regression head under `classifier.`, which is left out when the folder is named as
`audio_encoder`.

Conventions: ratings are standardised on the training split; the loss is one minus their
concordance correlation coefficient, averaged over the dimensions.

Source: Wagner et al., "Dawn of the transformer era in speech emotion recognition", IEEE TPAMI 2023.
"""

from __future__ import annotations

import errno
from pathlib import Path

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedModel

from paraclap import pairs, progress, tables, towers, whole
from paraclap.pooling import pool_voices
from paraclap.processor import ParaCLAPFeatureExtractor
from paraclap.schedule import Schedule
from paraclap.signals import Signals
from paraclap.tables import DIMENSIONS

CURVE = "curve.csv"
BATCH = 32


class Regression(nn.Module):
    """An audio encoder, mean pooling, and a head with one output a dimension."""

    def __init__(self, encoder: PreTrainedModel, dimensions: int) -> None:
        """Put a new head on an encoder."""
        super().__init__()
        self.wav2vec2 = encoder
        units = encoder.config.hidden_size
        self.classifier = nn.ModuleDict(
            {"dense": nn.Linear(units, units), "out_proj": nn.Linear(units, dimensions)}
        )

    def forward(self, signals: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Ratings of `signals (batch, samples)`, shape `(batch, dimensions)`."""
        pooled = pool_voices(self.wav2vec2, signals, mask)
        rated: torch.Tensor = self.classifier["out_proj"](self.classifier["dense"](pooled).tanh())
        return rated


def discord(truth: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """One minus the concordance correlation coefficient of each column, averaged.

    >>> values = torch.tensor([[1.0], [2.0], [4.0]])
    >>> discord(values, values).item(), discord(values, -values).item() > 1
    (0.0, True)
    """
    a, b = truth - truth.mean(0), given - given.mean(0)
    apart = (truth.mean(0) - given.mean(0)) ** 2
    concord = 2 * (a * b).mean(0) / ((a**2).mean(0) + (b**2).mean(0) + apart)
    return (1 - concord).mean()


def finetune(
    labels: pd.DataFrame,
    folder: Path,
    audio_encoder: str = "small",
    steps: int = 100,
    batch: int = BATCH,
    lr: float = 1e-3,
    crop_seconds: float = 3.0,
    seed: int = 0,
    threads: int = 2,
) -> pd.DataFrame:
    """Train an audio tower on the ratings of the train split, unless the folder holds it already.

    Args:
        labels: labels table with ratings; voices without all three are left out
        folder: gets the tower, its preprocessing and the curve
        audio_encoder: where to start, see `towers.audio_tower`
        steps: how many
        batch: voices in a step
        lr: largest learning rate, of encoder and head; half a cosine down to zero
        crop_seconds: longest signal; longer ones are cropped at random
        seed: of every random weight and draw
        threads: of torch

    Returns:
        curve: `step, loss` (0 where the ratings are met, 1 where nothing is known)

    Raises:
        ValueError: if fewer rated voices than a batch are there
    """
    rated = _rated(labels)
    key = tables.fingerprint(
        rated, audio_encoder, steps, batch, lr, crop_seconds, seed, torch.__version__
    )
    if not (whole.is_free(folder) and tables.is_current(folder / CURVE, key)):
        with whole.alone(folder):
            if not tables.is_current(folder / CURVE, key):  # by the process that was waited for
                given = audio_encoder, steps, batch, lr, crop_seconds, seed, threads
                model, extractor, losses = _learn(rated, *given)
                (folder / CURVE).unlink(missing_ok=True)  # it closes what is about to change
                _save(model, extractor, folder)
                tables.write_table(pd.DataFrame(losses), folder / CURVE, key)
    return tables.read_table(folder / CURVE)


def _learn(
    rated: pd.DataFrame,
    audio_encoder: str,
    steps: int,
    batch: int,
    lr: float,
    crop_seconds: float,
    seed: int,
    threads: int,
) -> tuple[Regression, ParaCLAPFeatureExtractor, list[dict[str, float]]]:
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    tower, extractor = towers.audio_tower(audio_encoder)
    model = Regression(tower, len(DIMENSIONS)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    values = rated[list(DIMENSIONS)].to_numpy(np.float32)
    truth = torch.from_numpy((values - values.mean(0)) / values.std(0).clip(min=1e-6))
    schedule = Schedule(len(rated), batch, seed)
    voices = pairs.Crops(Signals(rated.index), schedule, extractor, crop_seconds)
    losses = []
    with progress.bar("training on ratings", steps) as bar:
        for one in pairs.batches(voices, range(steps)):
            given = model(one.signals["input_values"], one.signals.get("audio_attention_mask"))
            loss = discord(truth[one.rows], given)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            decay.step()
            losses.append({"step": one.step, "loss": loss.item()})
            bar.update(1)
    return model, extractor, losses


def start(labels: pd.DataFrame, folder: Path, audio_encoder: str, seed: int, threads: int) -> str:
    """Name of an audio encoder that knows something of voices before it meets a query.

    Args:
        labels: labels table
        folder: for what is trained here
        audio_encoder: a pretrained one is taken as it is; one that starts with random weights is
            first trained on ratings, if there are enough of them
        seed: of the training
        threads: of torch
    """
    if audio_encoder not in towers.SMALL:
        return audio_encoder
    if len(_rated(labels)) < BATCH:
        print("Too few voices with ratings: the audio tower starts with random weights.")
        return audio_encoder
    finetune(labels, folder, audio_encoder, seed=seed, threads=threads)
    return str(folder)


def _rated(labels: pd.DataFrame) -> pd.DataFrame:
    return labels[(labels["split"] == "train") & labels[list(DIMENSIONS)].notna().all(axis=1)]


def _save(model: Regression, extractor: ParaCLAPFeatureExtractor, folder: Path) -> None:
    model.wav2vec2.config.architectures = ["Wav2Vec2ForSpeechClassification"]
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    with whole.atomic_files(folder) as temporary:
        extractor.save_pretrained(temporary)
        model.wav2vec2.config.save_pretrained(temporary)
        try:
            save_file(weights, temporary / "model.safetensors", metadata={"format": "pt"})
        except SafetensorError as error:  # all that it says of a full disk
            raise OSError(errno.EIO, f"not all of it could be written: {error}") from error
