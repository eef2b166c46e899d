"""How fast scoring, training and features are on a processor, beside plain loops.

    python -m benchmarks.speed        # about half an hour; --dry: tiny, to see that it runs

- **Scoring** at full size (random weights): the released loop takes one file at a time, whole,
  without a mask, and encodes the candidates again for each (in its favour: tokenised once); the
  pipeline of transformers; :func:`paraclap.classify`, and the same in bfloat16.
- **Training** as in params/demo.yaml: a whole run, decoding, dev scores and checkpoints included,
  beside a plain loop that keeps the outputs of the frozen text encoder, too, but reads its crops
  from the files, pads with the stock feature extractor and does nothing else.
- **Features**: two processes beside one.

Signals are noise. Writes benchmarks/speed.json.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers
import yaml
from torch.nn import functional

from benchmarks import measure, random_data
from paraclap import ParaCLAP, audio, embed_audio, features, tables
from paraclap.evaluation import zeroshot
from paraclap.model import build
from paraclap.queries import QueryPool
from paraclap.training import (
    Pairs,
    Settings,
    contrastive_loss,
    scaled_similarity,
    start_model,
    train,
)
from paraclap.training.step import make_optimizer

CANDIDATES = ["angry", "happy", "sad", "neutral"]
Rows = list[dict[str, Any]]


def main(given: Sequence[str] | None = None) -> None:
    """Measure, write and print."""
    args = measure.arguments("speed", given, rounds=5)
    with tempfile.TemporaryDirectory() as name:
        parts = [
            part(Path(name), args.rounds, args.dry) for part in (scoring, training, extraction)
        ]
    measure.write(args, [row for part in parts for row in part])


def scoring(folder: Path, rounds: int, dry: bool) -> Rows:
    """Seconds of audio a second that are answered."""
    index = random_data.corpus(folder / "scoring", 4 if dry else 16, 2, 6).index
    model = build(*random_data.encoders(folder / "encoders", CANDIDATES, dry), 16 if dry else 768)
    model.eval().save_pretrained(folder / "model")
    ask = transformers.pipeline("zero-shot-audio-classification", model=str(folder / "model"))
    words = {"candidate_labels": CANDIDATES, "hypothesis_template": "{}"}
    seconds = sum(audio.duration(file) for file in index.get_level_values("file"))
    ways = {
        "released loop": lambda: len(released(model, index)) and seconds,
        "pipeline": lambda: len([ask(audio.read(*one), **words) for one in index]) and seconds,
        "classify": lambda: len(zeroshot.classify(model, index, CANDIDATES)) and seconds,
        "classify, bf16": lambda: len(answered(model, index, "bf16")) and seconds,
    }
    speeds = measure.take_turns(ways, rounds)
    return measure.compare("scoring", "s/s", speeds, "released loop")


def answered(model: ParaCLAP, index: pd.MultiIndex, precision: str) -> pd.DataFrame:
    """What :func:`paraclap.classify` does, in another precision."""
    question = zeroshot.encode_candidates(model, CANDIDATES)
    return zeroshot.answer(question, embed_audio(model, index, precision=precision))


@torch.no_grad()
def released(model: ParaCLAP, index: pd.MultiIndex, read: Any = audio.read) -> np.ndarray:
    """The loop of the released evaluation: probabilities ``(files, candidates)``."""
    tokens, found = model.prepare(text=CANDIDATES), []
    for segment in index:
        signal = torch.from_numpy(read(*segment)).unsqueeze(0).to(model.device)
        hidden = model.audio_model(signal).last_hidden_state
        own = functional.normalize(model.audio_projection(hidden.mean(1)), dim=-1)
        texts = model.get_text_features(**tokens).pooler_output
        found.append((model.temperature * own @ texts.T).softmax(-1).cpu().numpy())
    return np.concatenate(found)


def training(folder: Path, rounds: int, dry: bool) -> Rows:
    """Pairs a second, of whole runs."""
    values = yaml.safe_load((tables.project_folder() / "params" / "demo.yaml").read_text("utf-8"))
    settings = Settings.of(values | {"steps": 8 if dry else 120, "device": "cpu"})
    if dry:
        settings = settings.but(audio_encoder="smoke", text_encoder="smoke", batch=8)
    labels = random_data.corpus(folder / "training", 20 if dry else 1000, 1, 3)
    pool, pairs = random_data.pool(labels), settings.batch * settings.steps
    ways = {
        "plain loop": lambda: len(plain_losses(labels, pool, settings)) and pairs,
        "train": lambda: len(train_losses(labels, pool, settings)) and pairs,
    }
    speeds = measure.take_turns(ways, rounds if dry else max(2, rounds // 2))
    return measure.compare("training", "pairs/s", speeds, "plain loop")


def train_losses(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> list[float]:
    """Losses of a whole run in a new folder."""
    with tempfile.TemporaryDirectory() as name:
        train(labels, pool, Path(name), settings)
        return tables.read_table(Path(name) / "curves.csv")["loss"].tolist()


def plain_losses(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> list[float]:
    """Losses of the same training as one writes it first; pairs and captions are the same."""
    model = start_model(settings)
    drawn, segments, losses = Pairs(labels, pool, model, settings), list(labels.index), []
    optimizer, schedule = make_optimizer(model, settings, drawn.steps)
    extractor = transformers.Wav2Vec2FeatureExtractor(
        do_normalize=False, return_attention_mask=True
    )
    options = {"sampling_rate": audio.SAMPLING_RATE, "padding": True, "return_tensors": "pt"}
    kept: dict[str, torch.Tensor] = {}
    for step in range(drawn.steps):
        captions = drawn.captions(step)
        for caption in set(captions) - kept.keys():
            with torch.no_grad():
                kept[caption] = model.pool_text(**model.prepare(text=[caption]))[0]
        crops = [crop(segments[row], settings.crop_seconds) for row in drawn.rows(step)]
        inputs = extractor(crops, **options)
        own = model.get_audio_features(*inputs.values()).pooler_output
        texts = model.text_projection(torch.stack([kept[caption] for caption in captions]))
        loss = contrastive_loss(scaled_similarity(own, texts, model.temperature))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def crop(segment: Any, seconds: float) -> audio.Signal:
    """A segment, at most so many seconds of it at a random place, read from its file."""
    signal, samples = audio.read(*segment), round(seconds * audio.SAMPLING_RATE)
    first = np.random.default_rng(len(signal)).integers(max(len(signal) - samples, 0) + 1)
    return signal[first : first + samples]


def extraction(folder: Path, rounds: int, dry: bool) -> Rows:
    """Seconds of audio a second whose features are computed."""
    index = random_data.corpus(folder / "features", 6 if dry else 600, 1, 3).index
    many = 1 if dry else 2  # two take seconds to start
    seconds = sum(audio.duration(file) for file in index.get_level_values("file"))
    ways = {
        "one process": lambda: len(features.extract(index, jobs=1)) and seconds,
        "two processes": lambda: len(features.extract(index, jobs=many)) and seconds,
    }
    return measure.compare("features", "s/s", measure.take_turns(ways, rounds), "one process")


if __name__ == "__main__":
    main()
