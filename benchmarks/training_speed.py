"""How fast a step of the demo is on processor cores, beside a plain loop that does the same.

``python -m benchmarks.training_speed`` trains the towers of ``params/demo.yaml`` (the small audio
tower, the frozen MiniLM) on crops of noise, in one process, both ways in turn:

- ours: as :mod:`paraclap.training` does, from an audio store;
- the plain loop (:class:`Plain`): files are read one by one, the stock feature extractor of
  transformers pads the batch, the frozen text tower encodes every text at every step, attention is
  spelt out, the optimiser goes from weight to weight.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import transformers  # lazy: what it holds is loaded after paraclap has prepared torchaudio
import yaml

from benchmarks import noise
from paraclap import audio, pairs, schedule, signals, stepping
from paraclap.loss import contrastive, scaled_similarity
from paraclap.machine import Machine
from paraclap.model import ParaCLAP
from paraclap.schedule import Schedule
from paraclap.settings import Settings
from paraclap.signals import Signals
from paraclap.texts import Texts

ROOT = Path(__file__).resolve().parent.parent
TARGET = 1.5  # times the plain loop
TRIAL = 88  # utterances a second and thread that a trial of such a loop reached elsewhere
FILE_SECONDS = 3.0
CLOCK = time.perf_counter


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed")
    parser.add_argument("--seconds", type=float, default=30.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--voices", type=int, default=400)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = demo()
    with tempfile.TemporaryDirectory() as name:
        ways = made(settings, Path(name), args.voices, args.threads)
        for step in ways.values():
            step()  # loads libraries, fills caches
        rounds = [_round(ways, settings.batch, args.seconds) for _ in range(args.rounds)]
    _report(pd.DataFrame(rounds) / args.threads, args)


def demo() -> Settings:
    """Settings of the demo run."""
    values = yaml.safe_load((ROOT / "params" / "demo.yaml").read_text("utf-8"))
    known = {field.name for field in dataclasses.fields(Settings)}
    return Settings().but(**{name: values[name] for name in values if name in known})


def made(
    settings: Settings, folder: Path, voices: int, threads: int
) -> dict[str, Callable[[], Any]]:
    """Both ways to take a step, each with a model of its own of the same weights."""
    index = noise.files(folder / "files", voices, FILE_SECONDS)
    signals.build(index, folder / "store", jobs=1)
    pool = noise.pool(voices)
    said = settings.rand, settings.emotion, settings.only_emotion, settings.join
    texts = Texts(pool, range(voices), 0, settings.texts_per_voice, *said)
    schedule = Schedule(voices, settings.batch, 0)
    plain = Plain(stepping.start(settings, "cpu").model, settings, index, schedule, texts)
    ours = _ours(settings, Signals(index, folder / "store"), schedule, texts, threads)
    return {"plain loop": plain.step, "ours": ours.__next__}


def _ours(
    settings: Settings,
    voices: Signals,
    schedule: Schedule,
    texts: Texts,
    threads: int,
) -> Iterator[torch.Tensor]:
    """Steps without an end; gives loss and temperature of each."""
    run = stepping.start(settings, "cpu")
    model = run.model
    machine = Machine(device="cpu", jobs=threads)
    stepper = stepping.Stepper(run, settings, machine, 10**6, texts.distinct)
    assert model.processor is not None
    batches = pairs.Voices(
        voices,
        schedule,
        texts,
        model.processor,
        settings.crop_seconds,
        settings.pad,
        tokens=stepper.needs_tokens,
    )
    for batch in pairs.batches(batches, range(10**6)):
        yield stepper.step(batch)


class Plain:
    """The loop as one writes it first. What is learned is the same."""

    def __init__(
        self,
        model: ParaCLAP,
        settings: Settings,
        index: pd.MultiIndex,
        schedule: Schedule,
        texts: Texts,
    ) -> None:
        """Prepare a model."""
        self.model, self.settings, self.number = model.train(), settings, 0
        self.segments, self.schedule, self.texts = list(index), schedule, texts
        self.extractor = transformers.Wav2Vec2FeatureExtractor(
            do_normalize=False, return_attention_mask=True
        )
        for tower in (model.audio_model, model.text_model):
            tower.set_attn_implementation("eager")
        model.text_model.requires_grad_(False).eval()
        heads = [model.audio_projection, model.text_projection]
        weights = [weight for head in heads for weight in head.parameters()]
        groups = [
            {"params": [*weights, model.logit_scale], "lr": settings.head_lr},
            {"params": list(model.audio_model.parameters()), "lr": settings.audio_lr},
        ]
        self.optimizer = torch.optim.AdamW(groups, foreach=False)
        self.rates = [group["lr"] for group in groups]

    def step(self) -> float:
        """Take one step; gives the loss."""
        for group, peak in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = peak * stepping.rate(self.number, 10**6, self.settings)
        rows = self.schedule.rows(self.number)
        said = self.texts.of(self.number, rows)
        heard = self.extractor(
            [self._crop(int(row)) for row in rows],
            sampling_rate=audio.SAMPLING_RATE,
            padding=True,
            return_tensors="pt",
        )
        tokens = self.model.prepare(text=said)
        with torch.no_grad():
            pooled = self.model.pool_text(**tokens)
        loss = contrastive(
            scaled_similarity(
                self.model.get_audio_features(heard["input_values"], heard["attention_mask"]),
                self.model.text_projection(pooled),
                self.model.temperature,
            )
        )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.number += 1
        return loss.item()

    def _crop(self, row: int) -> audio.Signal:
        rng = schedule.random(self.schedule.seed, 1, self.number, row)
        samples = round(self.settings.crop_seconds * audio.SAMPLING_RATE)
        return audio.crop(audio.read(*self.segments[row]), samples, rng)


def _round(ways: dict[str, Callable[[], Any]], batch: int, seconds: float) -> dict[str, float]:
    """Utterances a second of each way, steps in turn: what else runs slows all of them alike."""
    spent, steps = dict.fromkeys(ways, 0.0), 0
    while sum(spent.values()) < seconds:
        for way, step in ways.items():
            begin = CLOCK()
            step()
            spent[way] += CLOCK() - begin
        steps += 1
    return {way: batch * steps / time_spent for way, time_spent in spent.items()}


def _report(speeds: pd.DataFrame, args: argparse.Namespace) -> None:
    plain, ours = speeds["plain loop"].median(), speeds["ours"].median()
    table = speeds.assign(ratio=speeds["ours"] / speeds["plain loop"])
    table.index = pd.RangeIndex(1, args.rounds + 1, name="round")
    text = f"""# A training step of the demo: ours against a plain loop

`python -m benchmarks.training_speed --seconds {args.seconds} --rounds {args.rounds} \
--threads {args.threads} --voices {args.voices}`, {datetime.datetime.now(datetime.UTC).date()}, \
{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.

Utterances (crops of {demo().crop_seconds} s, noise) a second **per thread**, {args.threads} \
threads, one process, steps in turn:

{table.round(2).to_markdown()}

Ratio of the medians: **{ours / plain:.2f}** (target {TARGET}). Ours makes {ours:.0f} utterances a \
second per thread; a trial of such a loop made {TRIAL} on a machine of its own, so these two \
figures are no ratio. Both ways learn the same (a test holds that). The plain loop reads files one \
by one, pads with the stock feature extractor, encodes every text at every step with the frozen \
text tower, spells attention out and has an optimiser that goes from weight to weight.
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
