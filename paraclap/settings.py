"""What a training run is made of: every choice of the paper as a named setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

# What a setting may be, where it is one of a few words.
CHOICES: dict[str, tuple[str, ...]] = {
    "signals": ("raw", "encoder"),
    "text_pooling": ("cls", "mean"),
    "emotion": ("always", "pool", "never"),
    "emotion_form": ("adjective", "noun"),
    "join": ("rand", "weighted", "all"),
    "similarity": ("cosine", "dot"),
    "objective": ("pairs", "duplicates", "holds", "soft", "sigmoid", "rank"),
    "optimizer": ("adam", "adamw"),
    "schedule": ("constant", "cosine"),
    "pad": ("crop", "batch"),
}
# What the paper compares in its Table 1; "rand5" is told whether emotion is said by its base.
VARIANTS: dict[str, dict[str, Any]] = {
    "no_emo_rand5": {"emotion": "never", "only_emotion": False, "rand": 5},
    "only_emo": {"emotion": "always", "only_emotion": True},
    "rand1": {"emotion": "pool", "only_emotion": False, "rand": 1},
    "rand5": {"only_emotion": False, "rand": 5},
}


@dataclass(frozen=True)
class Settings:
    """What a training run is made of; the defaults are the paper's.

    Attributes:
        audio_encoder: Name, path or hub id, see :mod:`paraclap.towers`.
        signals: What the audio tower hears: ``"raw"``, or ``"encoder"``, normalised if its own
            preprocessing says so.
        text_encoder: Name, path or hub id.
        text_pooling: ``"cls"`` or ``"mean"``.
        freeze_audio: Whether the audio tower keeps its weights.
        freeze_text: Whether the text tower keeps its weights.
        frozen_dropout: Whether a tower that keeps its weights drops units out while training.
        projection_dim: Size of the shared space.
        dropout: Dropout probability in the projection heads.
        rand: Most queries joined into one text.
        emotion: Whether the emotion query is said: ``"always"``, ``"pool"`` or ``"never"``.
        only_emotion: Whether it is all that is said.
        emotion_form: How the dev split is asked: ``"adjective"`` (angry) or ``"noun"`` (anger).
        join: How the queries of a voice become a text: ``"rand"``, ``"weighted"``, ``"all"``.
        agreed_only: Whether voices whose raters do not agree on an emotion are left out.
        texts_per_voice: Texts kept for each voice; 0 draws a new one at every step.
        similarity: What the loss compares with, ``"cosine"`` or ``"dot"``.
        objective: What is to be learned from a batch, see :mod:`paraclap.objectives`.
        objective_weight: Its share of the loss; the rest is the objective of the paper.
        logit_scale_max: Largest natural logarithm of the temperature; 0 is the smallest.
        optimizer: ``"adam"`` or ``"adamw"``.
        audio_lr: Learning rate of the audio tower.
        text_lr: Learning rate of the text tower.
        head_lr: Learning rate of the projection heads and the temperature.
        schedule: ``"constant"`` or ``"cosine"`` (down to zero).
        warmup: Share of the steps in which the learning rates rise from zero.
        batch: Pairs in a batch.
        balance: 0 draws voices as they come, 1 every emotion equally often.
        epochs: Passes over the training voices, unless ``steps`` is set.
        steps: Number of steps; 0 leaves it to ``epochs``.
        crop_seconds: Longest signal of a batch; longer ones are cropped at random.
        pad: ``"crop"`` pads shorter signals with silence to ``crop_seconds``, which is heard;
            ``"batch"`` pads to the longest of the batch and masks the padding.
        dev_template: Sentence with a slot for the emotion, asked of the dev split.
        checkpoint_steps: Steps between two checkpoints; each epoch ends with one, too.
        seed: Of every random weight and draw.
    """

    audio_encoder: str = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    signals: str = "raw"
    text_encoder: str = "bert-base-uncased"
    text_pooling: str = "cls"
    freeze_audio: bool = False
    freeze_text: bool = False
    frozen_dropout: bool = False
    projection_dim: int = 768
    dropout: float = 0.5
    rand: int = 5
    emotion: str = "always"
    only_emotion: bool = False
    emotion_form: str = "adjective"
    join: str = "rand"
    agreed_only: bool = True
    texts_per_voice: int = 0
    similarity: str = "cosine"
    objective: str = "pairs"
    objective_weight: float = 1.0
    logit_scale_max: float = 4.605170185988092  # a temperature of 100
    optimizer: str = "adam"
    audio_lr: float = 1e-5
    text_lr: float = 1e-5
    head_lr: float = 1e-3
    schedule: str = "constant"
    warmup: float = 0.0
    batch: int = 64
    balance: float = 0.0
    epochs: int = 50
    steps: int = 0
    crop_seconds: float = 5.0
    pad: str = "crop"
    dev_template: str = "speaker is {}"
    checkpoint_steps: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            ValueError: Naming the setting, what was got and what was expected.
        """
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                got = getattr(self, name)
                raise ValueError(f"Bad {name} {got!r}, expected one of {choices}.")
        for name in ("batch", "epochs", "crop_seconds", "checkpoint_steps", "rand"):
            if getattr(self, name) <= 0:
                raise ValueError(f"Bad {name} {getattr(self, name)}, expected more than 0.")
        if not 0 <= self.objective_weight <= 1:
            raise ValueError(f"Bad objective_weight {self.objective_weight}, expected 0 to 1.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Settings from a mapping that may hold other things, such as a notebook's names.

        Raises:
            KeyError: If a setting is missing.
        """
        return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls)})

    def but(self, **changes: Any) -> Self:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)

    def asdict(self) -> dict[str, Any]:
        """Plain values, for JSON and fingerprints."""
        return dataclasses.asdict(self)


def variant(settings: Settings) -> str:
    """Name of the paper's variant that settings are, by what is said of a voice.

    Towers that are not the paper's are named, as the scores of a variant are those of its towers.

    >>> variant(Settings()), variant(Settings(emotion="pool", rand=3))
    ('rand5', 'another variant')
    >>> variant(Settings(audio_encoder="small", text_encoder="minilm"))
    'rand5, other towers (small, minilm)'
    """
    towers = {name: getattr(settings, name) for name in ("audio_encoder", "text_encoder")}
    own_towers = all(getattr(Settings, name) == tower for name, tower in towers.items())
    end = "" if own_towers else f", other towers ({', '.join(towers.values())})"
    for name, own in VARIANTS.items():
        if settings.but(**own) == settings and settings.join == "rand":
            return name + end
    return "another variant" + end


def variants(base: Settings, names: Sequence[str]) -> dict[str, Settings]:
    """Settings of the paper's variants, everything else as in ``base``.

    Args:
        base: Settings of the main run.
        names: Keys of ``VARIANTS``, in the order wanted.

    Raises:
        ValueError: If a name is unknown.

    >>> variants(Settings(), ["rand1"])["rand1"].emotion
    'pool'
    """
    if unknown := [name for name in names if name not in VARIANTS]:
        raise ValueError(f"Bad variants {unknown[:5]}, expected some of {list(VARIANTS)}.")
    said = "always" if base.emotion == "never" else base.emotion
    return {name: base.but(**{"emotion": said, **VARIANTS[name]}) for name in names}
