"""How fast scoring, training and features are on a processor, beside plain loops.

    python -m benchmarks.speed        # about an hour; --dry: tiny, to see that it runs

- **Scoring** at full size (random weights): the released loop takes one file at a time, whole,
  without a mask, and encodes the candidates again for each (in its favour: tokenised once); the
  pipeline of transformers; :func:`paraclap.classify`, and the same in bfloat16.
- **Training** as in params/demo.yaml: whole runs, from the start to the saved model. Ours decodes
  the corpus, scores the dev split and writes checkpoints. A plain loop and the Trainer of
  transformers take the same steps: they keep the outputs of the frozen text encoder, too, and
  compute attention alike, but read crops from the files, pad with the stock extractor, and do
  nothing else.
- **Features**: two processes beside one.

Signals are noise. Writes benchmarks/speed.json.
"""

import tempfile
from collections.abc import Iterator, Sequence
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
        parts = [part(Path(name), args.rounds, args.dry) for part in PARTS]
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
    first = pd.Series(CANDIDATES).take(released(model, index).argmax(axis=1)).to_numpy()
    given = zeroshot.classify(model, index, CANDIDATES), answered(model, index, "bf16")
    equal = [measure.agreement(first, one["prediction"].to_numpy()) for one in given]
    rows = measure.compare("scoring", "s/s", speeds, "released loop")
    return [row | {"agreement": one} for row, one in zip(rows, [None, None, *equal], strict=True)]


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
        "Trainer": lambda: len(trainer_losses(labels, pool, settings)) and pairs,
        "train": lambda: len(train_losses(labels, pool, settings)) and pairs,
    }
    speeds = measure.take_turns(ways, rounds)
    return measure.compare("training", "pairs/s", speeds, "plain loop")


def train_losses(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> list[float]:
    """Losses of a whole run in a new folder."""
    with tempfile.TemporaryDirectory() as name:
        train(labels, pool, Path(name), settings)
        return tables.read_table(Path(name) / "curves.csv")["loss"].tolist()


def plain_losses(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> list[float]:
    """Losses of the same run as one writes it first; pairs and captions are the same."""
    model, losses = start_model(settings), []
    drawn = Pairs(labels, pool, model, settings)
    optimizer, schedule = make_optimizer(model, settings, drawn.steps)
    for batch in plain_batches(labels, drawn, model, settings):
        loss = pair_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    with tempfile.TemporaryDirectory() as name:
        model.save_pretrained(name)
    return losses


def trainer_losses(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> list[float]:
    """Losses of the same run, its steps taken by the Trainer of transformers."""
    model, losses = start_model(settings), list[float]()
    drawn = Pairs(labels, pool, model, settings)

    class Steps(torch.utils.data.IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            return plain_batches(labels, drawn, model, settings)

    class Trainer(transformers.Trainer):
        def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> torch.Tensor:
            loss = pair_loss(model, inputs)
            losses.append(loss.item())
            return loss

    with tempfile.TemporaryDirectory() as name:
        still = {"report_to": "none", "logging_strategy": "no", "disable_tqdm": True}
        whole = {"per_device_train_batch_size": 1, "remove_unused_columns": False}
        args = transformers.TrainingArguments(
            name, max_steps=drawn.steps, max_grad_norm=0, use_cpu=True, **still, **whole
        )
        optimizers = make_optimizer(model, settings, drawn.steps)
        given = {"data_collator": lambda one: one[0], "optimizers": optimizers}
        trainer = Trainer(model, args, train_dataset=Steps(), **given)
        trainer.train()
        trainer.save_model()
    return losses


def plain_batches(
    labels: pd.DataFrame, drawn: Pairs, model: ParaCLAP, settings: Settings
) -> Iterator[dict[str, torch.Tensor]]:
    """Signals read from their files at each step, and captions that are encoded once."""
    segments, kept = list(labels.index), dict[str, torch.Tensor]()
    extractor = transformers.Wav2Vec2FeatureExtractor(
        do_normalize=False, return_attention_mask=True
    )
    options = {"sampling_rate": audio.SAMPLING_RATE, "padding": True, "return_tensors": "pt"}
    for step in range(drawn.steps):
        captions = drawn.captions(step)
        model.text_model.eval()
        for caption in set(captions) - kept.keys():
            with torch.no_grad():
                kept[caption] = model.pool_text(**model.prepare(text=[caption]))[0]
        crops = [crop(segments[row], settings.crop_seconds) for row in drawn.rows(step)]
        pooled = torch.stack([kept[caption] for caption in captions])
        yield dict(extractor(crops, **options)) | {"pooled": pooled}


def pair_loss(model: ParaCLAP, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Loss of a batch of :func:`plain_batches`."""
    inputs = batch["input_values"], batch["attention_mask"]
    own = model.get_audio_features(*inputs).pooler_output
    texts = model.text_projection(batch["pooled"])
    return contrastive_loss(scaled_similarity(own, texts, model.temperature))


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


PARTS = scoring, training, extraction

if __name__ == "__main__":
    main()
