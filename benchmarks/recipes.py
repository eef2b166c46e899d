"""What does each element of the released recipe change, put alone into the paper's? For chapter 7.

    make book                         # makes runs/demo
    python -m benchmarks.recipes      # trains from it, about half an hour on two cores

Synthetic speech and small encoders: the numbers compare recipes with each other and nothing else.
As in the paper, the audio encoder has learned ratings of arousal, valence and dominance before; the
text encoder is the first two layers of MiniLM. All models answer the tasks in bare words. Writes
benchmarks/recipes.csv.
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

from benchmarks import measure
from paraclap import audio, tables
from paraclap.evaluation import metrics, tasks
from paraclap.model.encoders import load_text_encoder, small_encoder
from paraclap.model.layers import encode_audio
from paraclap.queries import QueryPool
from paraclap.training import Settings, read_training_data, train

ELEMENTS = ["", "similarity", "join", "freeze_audio", "freeze_text"]
ELEMENTS += ["batch+epochs", "logit_scale_max", "projection"]
STEPS, BATCH, UTTERANCES = 40, 32, 800  # of the paper's recipe


def main(given: Sequence[str] | None = None) -> None:
    """Train, ask, write and print."""
    args = measure.arguments("recipes", given, rounds=3)
    folder = tables.run_folder("smoke" if args.dry else "demo")
    labels, pool, _ = read_training_data(folder)
    learned = (labels["split"] == "train") & (labels["emotion"] != "no_agreement")
    few = labels[learned].sample(min(UTTERANCES, int(learned.sum())), random_state=0).index
    rows = np.flatnonzero(labels.index.isin(few) | (labels["split"] == "dev"))
    pool = QueryPool(pool.labels.iloc[rows])
    every = tables.read_table(folder / "labels.parquet")
    test, questions, found = every[every["split"] == "test"], tasks.tasks(every), {}
    with tempfile.TemporaryDirectory() as name:
        starts = encoders(labels.loc[few], Path(name), "smoke" if args.dry else "small")
        for recipe, settings in recipes(folder, starts, args.dry).items():
            for seed in range(args.rounds):
                place, own = Path(name) / f"{recipe}-{seed}", settings.but(seed=seed)
                model = train(labels.iloc[rows], pool, place, own, audio=Path(name) / "signals.pcm")
                scored = metrics.recalls(tasks.predict(model, test, questions, "{}"))
                uar = scored.groupby("task")["recall"].mean().mean()
                found.setdefault(recipe, []).append(uar)
    table = pd.DataFrame(found).agg(["mean", "min", "max"]).T
    table = table.set_axis(["mean", "lowest", "highest"], axis=1).rename_axis("recipe")
    table.insert(0, "seeds", args.rounds)
    table.insert(1, "tasks", len(questions))
    table = table.reset_index()
    tables.write_table(table.round(3), args.out.with_suffix(".csv"))
    print(table.round(3).to_string(index=False))


def recipes(folder: Path, starts: dict[str, str], dry: bool) -> dict[str, Settings]:
    """Settings of the paper's recipe, of that with one element of the code, and of the code."""
    place = tables.project_folder() / "params" / "paper"
    files = [place / name for name in ("rand5.yaml", "released.yaml")]
    paper, released = (yaml.safe_load(file.read_text("utf-8")) for file in files)
    differing = [key for key in paper if paper[key] != released[key]]
    fixed: dict[str, Any] = tables.read_json(folder / "settings.json") | starts
    fixed |= {"captions_per_utterance": 0, "dev_template": "{}", "audio_lr": 1e-3, "text_lr": 3e-4}
    chosen = {f"paper+{one}" if one else "paper": one.split("+") for one in ELEMENTS}
    made = {}
    for name, taken in (chosen | {"released": differing}).items():
        own = paper | {key: released[key] for key in taken if key}
        batch = (8 if dry else BATCH) * own["batch"] // paper["batch"]
        steps = (2 if dry else STEPS) * own["epochs"] * paper["batch"]
        steps //= paper["epochs"] * own["batch"]
        own = {key: own[key] for key in differing if key != "run"}
        own |= {"batch": batch, "steps": steps, "emotion_form": "adjective"}
        made[name] = Settings.of(fixed | own | {"frozen_dropout": False})
    return made


def encoders(labels: pd.DataFrame, folder: Path, name: str) -> dict[str, str]:
    """Write an audio encoder that has learned ratings, and a short text encoder; their folders."""
    sound, words = folder / "audio", folder / "text"
    ratings = labels[list(tables.DIMENSIONS)].dropna()
    train_on_ratings(ratings, name, 2 if name == "smoke" else 100).save_pretrained(sound)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(sound)
    text, tokenizer = load_text_encoder("smoke" if name == "smoke" else "minilm")
    text.encoder.layer = text.encoder.layer[:2]
    text.config.num_hidden_layers = len(text.encoder.layer)
    text.save_pretrained(words)
    tokenizer.save_pretrained(words)
    return {"audio_encoder": str(sound), "text_encoder": str(words)}


def train_on_ratings(ratings: pd.DataFrame, name: str, steps: int, batch: int = 32) -> Any:
    """An audio encoder with a head for each rating, by one minus their concordance correlation."""
    torch.manual_seed(0)
    encoder, rng = small_encoder(name).train(), np.random.default_rng(0)
    head = torch.nn.Linear(encoder.config.hidden_size, ratings.shape[1])
    truth = torch.tensor(((ratings - ratings.mean()) / ratings.std()).to_numpy(np.float32))
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=1e-3)
    form = {"do_normalize": False, "return_attention_mask": True}
    extractor = transformers.Wav2Vec2FeatureExtractor(**form)
    options = {"sampling_rate": audio.SAMPLING_RATE, "padding": True, "return_tensors": "pt"}
    for _ in range(steps):
        rows = rng.choice(len(ratings), min(batch, len(ratings)), replace=False)
        signals = [audio.read(*ratings.index[row])[: 3 * audio.SAMPLING_RATE] for row in rows]
        inputs = extractor(signals, **options)
        rated = head(encode_audio(encoder, *inputs.values())[1])
        a, b = rated - rated.mean(0), truth[rows] - truth[rows].mean(0)
        apart = (rated.mean(0) - truth[rows].mean(0)) ** 2
        loss = 1 - (2 * (a * b).mean(0) / ((a**2).mean(0) + (b**2).mean(0) + apart)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder


if __name__ == "__main__":
    main()
