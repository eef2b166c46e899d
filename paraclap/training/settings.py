"""What a training run is made of: every choice as a named setting; the defaults are the paper's.

Those in :data:`MACHINE` change the last bits of the weights at most: a run goes on, or counts as
finished, under other ones. Chapters 4, 6. Source: ParaCLAP (Jing et al., 2024), sections 2 and 3.
"""

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_type_hints

from paraclap.queries import emotion_word
from paraclap.tables import unknown

LEAST = {"batch": 2, "crop_seconds": 0.05}  # of other numbers: 0
LEAST |= dict.fromkeys(("epochs", "rand", "jobs", "checkpoint_steps"), 1)
MACHINE = {"device", "jobs", "workers", "attention", "compiled", "recompute", "chunk"}
MACHINE.add("checkpoint_steps")
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
    pad: Literal["crop", "batch"] = "crop"  # short signals: with silence, or masked
    # captions
    rand: int = 5  # most attributes in a caption
    emotion: Literal["always", "pool", "never"] = "always"  # is there an emotion query?
    only_emotion: bool = False  # the emotion query is the caption
    emotion_form: Literal["adjective", "noun"] = "adjective"  # of the emotion words
    join: Literal["rand", "all"] = "rand"  # how queries become a caption; all: as released
    captions_per_utterance: int = 0  # captions kept for each; 0: a new one at every step
    dev_template: str = "speaker is {}"  # asked of the dev split, with a slot for the emotion
    dev_form: Literal["same", "adjective", "noun"] = "same"  # of the emotion words in it
    # encoders
    start: str = ""  # a model to go on from, with its encoders and heads
    audio_encoder: str = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    signals: Literal["raw", "encoder"] = "raw"  # encoder: normalised, if it was trained so
    text_encoder: str = "bert-base-uncased"
    text_pooling: Literal["cls", "mean"] = "cls"  # which output of the text encoder is used
    freeze_audio: bool = False  # the audio encoder keeps its weights
    freeze_text: bool = False  # the text encoder keeps its weights
    frozen_dropout: bool = False  # dropout is active in encoders that keep their weights
    projection: Literal["paper", "released"] = "paper"  # the heads: as described, or as released
    projection_dim: int = 768  # size of the shared space
    dropout: float = 0.5  # probability, in the projection heads
    # optimiser
    similarity: Literal["cosine", "dot"] = "cosine"  # dot: as released
    objective: Literal["pairs", "sigmoid"] = "pairs"  # see paraclap.training.loss
    logit_scale_max: float = 4.605170185988092  # ln 100; the smallest value is 0
    optimizer: Literal["adam", "adamw"] = "adam"
    audio_lr: float = 1e-5  # learning rate of the audio encoder
    text_lr: float = 1e-5  # learning rate of the text encoder
    head_lr: float = 1e-3  # learning rate of the projection heads and the temperature
    schedule: Literal["constant", "cosine"] = "constant"  # cosine: learning rates fall to zero
    warmup: float = 0.0  # share of the steps in which the learning rates rise from zero
    batch: int = 64  # pairs in a batch, of all processes together
    epochs: int = 50  # passes over the training utterances, unless steps is set
    steps: int = 0  # number of steps; 0 leaves it to epochs
    seed: int = 0  # of every random weight and draw
    # machine
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"  # auto: a GPU if there is one
    precision: Literal["auto", "float32", "bf16"] = "auto"  # auto: bf16 on a GPU that has it
    jobs: int = 2  # CPU threads, unless OMP_NUM_THREADS says how many
    workers: int = 0  # processes that read batches ahead; 0: read in this one
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    compiled: bool = False  # torch.compile translates the encoders; needs a C++ compiler
    recompute: bool = False  # compute activations twice, to save memory
    chunk: int = 0  # pairs in memory at once, the gradient stays that of the batch; 0: all
    checkpoint_steps: int = 200  # steps between two checkpoints; each epoch ends with one, too

    def __post_init__(self) -> None:
        """Refuse values that mean nothing, with a ValueError that names the setting."""
        for name, hint in get_type_hints(type(self)).items():
            choices = get_args(hint)  # of a Literal
            value: Any = getattr(self, name)
            kind: Any = str if choices else hint
            if kind is float and type(value) in (int, str):  # YAML takes 1e-5 for text
                with contextlib.suppress(ValueError):
                    object.__setattr__(self, name, value := float(value))
            if type(value) is not kind:
                raise ValueError(f"Bad {name} {value!r}, expected {kind.__name__}.")
            if choices and value not in choices:
                raise ValueError(unknown(name, value, choices))
            if kind is not str and not value >= LEAST.get(name, 0):
                raise ValueError(f"Bad {name} {value}, expected at least {LEAST.get(name, 0)}.")
        if self.only_emotion and self.emotion == "never":
            raise ValueError("only_emotion asks for what emotion='never' forbids: choose one.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Settings from a mapping that may hold other names, too; the rest has its default."""
        return cls(**{name: values[name] for name in cls.__annotations__ if name in values})

    @property
    def reads_functionals(self) -> bool:
        """Whether the audio encoder reads functionals, alone or beside a signal."""
        return self.audio_encoder.split("+")[0] == "egemaps"

    def dev_question(self, emotion: str) -> str:
        """What the dev split is asked for an emotion."""
        form = self.emotion_form if self.dev_form == "same" else self.dev_form
        return self.dev_template.replace("{}", emotion_word(emotion, form))

    def but(self, **changes: Any) -> Self:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)

    def asdict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def variants(base: Settings, names: Sequence[str]) -> dict[str, Settings]:
    """Settings of some of :data:`VARIANTS`, everything else as in ``base``.

    >>> variants(Settings(), ["rand1"])["rand1"].emotion
    'pool'
    """
    for name in names:
        if name not in VARIANTS:
            raise ValueError(unknown("variant", name, VARIANTS))
    emotion = "always" if base.emotion == "never" else base.emotion
    return {name: base.but(**({"emotion": emotion} | VARIANTS[name])) for name in names}
