"""What a training run is made of: every choice as a named setting; the defaults are the paper's.

:data:`MACHINE` names the settings that say what to compute with. They change the last bits of the
weights at most, so a run goes on, or counts as finished, under other ones. Chapter 4; the variants
are those of Table 1, chapter 6. Source: ParaCLAP (Jing et al., 2024), sections 2 and 3.3.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from paraclap.tables import unknown

# What a setting may be, where it is one of a few words.
CHOICES: dict[str, tuple[str, ...]] = {
    "signals": ("raw", "encoder"),
    "text_pooling": ("cls", "mean"),
    "emotion": ("always", "pool", "never"),
    "emotion_form": ("adjective", "noun"),
    "join": ("rand", "weighted", "all"),
    "similarity": ("cosine", "dot"),
    "objective": ("pairs", "sigmoid"),
    "optimizer": ("adam", "adamw"),
    "schedule": ("constant", "cosine"),
    "pad": ("crop", "batch"),
    "device": ("auto", "cpu", "cuda", "mps"),
    "precision": ("auto", "float32", "bf16"),
    "attention": ("sdpa", "eager", "flash_attention_2"),
}
LEAST = {"batch": 2} | dict.fromkeys(("epochs", "rand", "checkpoint_steps", "jobs", "keep"), 1)
LEAST |= dict.fromkeys(("steps", "captions_per_utterance", "warmup", "balance"), 0)
LEAST |= dict.fromkeys(("workers", "chunk", "audio_lr", "text_lr", "head_lr"), 0)
MACHINE = (
    *("device", "jobs", "workers", "attention", "compiled", "recompute", "chunk"),
    *("keep", "checkpoint_steps"),
)
# What the paper compares in its Table 1; whether rand5 names the emotion, its base says.
VARIANTS: dict[str, dict[str, Any]] = {
    "no_emo_rand5": {"emotion": "never", "only_emotion": False, "rand": 5},
    "only_emo": {"emotion": "always", "only_emotion": True},
    "rand1": {"emotion": "pool", "only_emotion": False, "rand": 1},
    "rand5": {"only_emotion": False, "rand": 5},
}


@dataclass(frozen=True)
class Settings:
    """What a training run is made of; the defaults are the paper's."""

    # data
    agreed_only: bool = True  # leave out utterances whose raters agree on no emotion
    balance: float = 0.0  # 0: utterances are drawn as they come, 1: every emotion equally often
    crop_seconds: float = 5.0  # longest signal in a batch; longer ones are cropped at random
    pad: str = "crop"  # "crop": silence up to crop_seconds; "batch": to the longest, masked
    # captions
    rand: int = 5  # most attributes in a caption
    emotion: str = "always"  # "always", "pool" or "never": is there an emotion query?
    only_emotion: bool = False  # the emotion query is the caption
    emotion_form: str = "adjective"  # of the questions on the dev split: "adjective" or "noun"
    join: str = "rand"  # how queries become a caption; "weighted", "all": as released
    captions_per_utterance: int = 0  # captions kept for each; 0: a new one at every step
    dev_template: str = "speaker is {}"  # asked of the dev split, with a slot for the emotion
    # encoders
    audio_encoder: str = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    signals: str = "raw"  # or "encoder": normalised, if the audio encoder was trained so
    text_encoder: str = "bert-base-uncased"
    text_pooling: str = "cls"  # or "mean": which output of the text encoder is used
    freeze_audio: bool = False  # the audio encoder keeps its weights
    freeze_text: bool = False  # the text encoder keeps its weights
    frozen_dropout: bool = False  # dropout is active in encoders that keep their weights
    projection_dim: int = 768  # size of the shared space
    dropout: float = 0.5  # probability, in the projection heads
    # optimiser
    similarity: str = "cosine"  # or "dot", as released
    objective: str = "pairs"  # or "sigmoid", see paraclap.training.loss
    logit_scale_max: float = 4.605170185988092  # ln 100; the smallest value is 0
    optimizer: str = "adam"  # or "adamw"
    audio_lr: float = 1e-5  # learning rate of the audio encoder
    text_lr: float = 1e-5  # learning rate of the text encoder
    head_lr: float = 1e-3  # learning rate of the projection heads and the temperature
    schedule: str = "constant"  # or "cosine", down to zero
    warmup: float = 0.0  # share of the steps in which the learning rates rise from zero
    batch: int = 64  # pairs in a batch, of all processes together
    epochs: int = 50  # passes over the training utterances, unless steps is set
    steps: int = 0  # number of steps; 0 leaves it to epochs
    seed: int = 0  # of every random weight and draw
    # machine
    device: str = "auto"  # "cpu", "cuda", "mps"; "auto": a GPU if there is one
    precision: str = "auto"  # "float32", "bf16" (products only); "auto": bf16 on a GPU that has it
    jobs: int = 2  # CPU threads, unless OMP_NUM_THREADS says how many
    workers: int = 0  # processes that read batches ahead; 0: read in this one
    attention: str = "sdpa"  # or "eager", "flash_attention_2": how attention is computed
    compiled: bool = False  # torch.compile translates the encoders; needs a C++ compiler
    recompute: bool = False  # compute activations twice, to save memory
    chunk: int = 0  # pairs in memory at once, the gradient stays that of the batch; 0: all
    keep: int = 2  # newest checkpoints that are kept
    checkpoint_steps: int = 200  # steps between two checkpoints; each epoch ends with one, too

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            ValueError: Naming the setting, what was got and what was expected.
        """
        for field in dataclasses.fields(self):
            kind, value = type(field.default), getattr(self, field.name)
            with contextlib.suppress(ValueError):
                if kind is float and type(value) in (int, str):  # YAML takes 1e-5 for text
                    object.__setattr__(self, field.name, float(value))
            if type(getattr(self, field.name)) is not kind:
                raise ValueError(f"Bad {field.name} {value!r}, expected {kind.__name__}.")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(unknown(name, getattr(self, name), choices))
        for name, least in LEAST.items():
            if not getattr(self, name) >= least:
                raise ValueError(f"Bad {name} {getattr(self, name)}, expected at least {least}.")
        if not self.crop_seconds > 0:
            raise ValueError(f"Bad crop_seconds {self.crop_seconds}, expected more than 0.")
        if self.only_emotion and self.emotion == "never":
            raise ValueError("only_emotion asks for what emotion='never' forbids: choose one.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Settings from a mapping that may hold other things, such as a notebook's names.

        What it does not name has its default.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: values[name] for name in names if name in values})

    @property
    def reads_functionals(self) -> bool:
        """Whether the audio encoder reads functionals, alone or beside a signal."""
        return self.audio_encoder.split("+")[0] == "egemaps"

    def but(self, **changes: Any) -> Self:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)

    def asdict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def variants(base: Settings, names: Sequence[str]) -> dict[str, Settings]:
    """Settings of the paper's variants, everything else as in ``base``.

    Args:
        base: Settings of the main run.
        names: Keys of :data:`VARIANTS`, in the order wanted.

    Raises:
        ValueError: If a name is unknown.

    >>> variants(Settings(), ["rand1"])["rand1"].emotion
    'pool'
    """
    for name in names:
        if name not in VARIANTS:
            raise ValueError(unknown("variant", name, VARIANTS))
    emotion = "always" if base.emotion == "never" else base.emotion
    return {name: base.but(**({"emotion": emotion} | VARIANTS[name])) for name in names}
