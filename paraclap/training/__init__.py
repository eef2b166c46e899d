"""Training: what a run learns from, its loss, its steps, its checkpoints. Chapter 4."""

from paraclap.training.dataset import Pairs as Pairs
from paraclap.training.dataset import decode_audio as decode_audio
from paraclap.training.dataset import read_training_data as read_training_data
from paraclap.training.loss import contrastive_loss as contrastive_loss
from paraclap.training.loss import loss_floor as loss_floor
from paraclap.training.loss import scaled_similarity as scaled_similarity
from paraclap.training.settings import VARIANTS as VARIANTS
from paraclap.training.settings import Settings as Settings
from paraclap.training.settings import variants as variants
from paraclap.training.step import start_model as start_model
from paraclap.training.step import training_step as training_step
from paraclap.training.train import train as train
from paraclap.training.train import train_variants as train_variants
