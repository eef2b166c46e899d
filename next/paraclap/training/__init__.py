"""Training: what a run learns from, its loss, its steps, its checkpoints. Chapter 4."""

from paraclap.training.dataset import (
    Pairs,
    TrainingData,
    read_training_data,
    training_rows,
)
from paraclap.training.loss import contrastive_loss, loss_floor, scaled_similarity
from paraclap.training.settings import VARIANTS, Settings, variants
from paraclap.training.signals import Signals, decode_audio
from paraclap.training.step import start_model, training_step
from paraclap.training.train import train, train_variants

__all__ = [
    "VARIANTS",
    "Pairs",
    "Settings",
    "Signals",
    "TrainingData",
    "contrastive_loss",
    "decode_audio",
    "loss_floor",
    "read_training_data",
    "scaled_similarity",
    "start_model",
    "train",
    "train_variants",
    "training_rows",
    "training_step",
    "variants",
]
