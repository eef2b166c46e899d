"""Training: what a run learns from, its loss, its steps, its checkpoints. Chapter 4."""

from .dataset import Pairs, decode_audio, read_training_data
from .loss import contrastive_loss, loss_floor, scaled_similarity
from .settings import VARIANTS, Settings, variants
from .step import start_model, training_step
from .train import train, train_variants

__all__ = [
    "VARIANTS", "Pairs", "Settings", "contrastive_loss", "decode_audio", "loss_floor",
    "read_training_data", "scaled_similarity", "start_model", "train", "train_variants",
    "training_step", "variants",
]  # fmt: skip
