"""How fast training and scoring are at full size on a GPU, beside the paper's recipe in plain code.

    python -m benchmarks.gpu          # on a machine with a GPU, about ten minutes
    python -m benchmarks.gpu --dry    # tiny and on a CPU, to see that it runs

It needs the checkout, its packages and no network: weights are random (wav2vec2-large of 12 layers,
BERT base, a space of 768), signals are noise. Training is measured in steps, reading included, with
the settings of the paper, both encoders learn. Plain code multiplies in float32, takes the Adam of
torch as it is and looks at every loss; what torch does by itself (convolutions in TF32) it does for
all. Scoring is that of :mod:`benchmarks.speed`. What fails is written down, and the others go on.
Writes benchmarks/gpu.json after each part.
"""

import itertools
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import get_constant_schedule

from benchmarks import measure, random_data, speed
from paraclap.queries import QueryPool
from paraclap.training import Pairs, Settings, decode_audio, start_model, training_step
from paraclap.training.step import make_optimizer

PARTS = ("training", "compiled", "large batch", "scoring")


def main(given: Sequence[str] | None = None) -> int:
    """Measure, write and print; 1 if there is no GPU or a part has failed."""
    args = measure.arguments("gpu", given, rounds=5)
    if not args.dry and not torch.cuda.is_available():
        print("torch sees no GPU here: take a machine with one, or --dry.", file=sys.stderr)
        return 1
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), args.rounds, args.dry)
        for part in PARTS:
            if args.dry and part == "compiled":  # it takes minutes and a compiler
                continue
            try:
                rows += bench.measure(part)
            except Exception as error:  # a benchmark reports all that happens
                rows.append({"what": part, "failed": f"{type(error).__name__}: {error}"[:300]})
            measure.write(args, rows, bench.device)
    return int(any("failed" in row for row in rows))


class Bench:
    """The corpus, the encoders and the settings that are measured."""

    def __init__(self, folder: Path, rounds: int, dry: bool) -> None:
        """Write corpus and encoders."""
        self.rounds, self.dry, self.device = rounds, dry, "cpu" if dry else "cuda"
        count, longest = (24, 0.8) if dry else (6000, 8.0)
        self.labels = random_data.corpus(folder / "files", count, longest / 2, longest)
        self.pool: QueryPool = random_data.pool(self.labels)
        words = [*self.pool.vocabulary, *speed.CANDIDATES]
        names = random_data.encoders(folder / "encoders", words, dry)
        base = Settings(audio_encoder=names[0], text_encoder=names[1], device=self.device)
        jobs = base.but(jobs=os.cpu_count() or 1)
        self.signals: Any = decode_audio(self.labels, folder / "signals.pcm", jobs)
        workers = min(12, max(1, (os.cpu_count() or 2) - 2))
        tiny = {"batch": 4, "crop_seconds": 0.5, "projection_dim": 16}
        self.settings = base.but(**(tiny if dry else {"workers": workers}))

    def measure(self, part: str) -> list[dict[str, Any]]:
        """Rows of a part."""
        if part == "scoring":
            return self.scoring()
        exact = self.settings.but(precision="float32")
        ways = {"plain code": self.steps(exact, plain=True)}
        if part == "large batch":
            size = {"batch": 16, "chunk": 4} if self.dry else {"batch": 4096, "chunk": 128}
            ways["large batch"] = self.steps(self.settings.but(**size, workers=0))
        else:
            ways["ours"] = self.steps(self.settings.but(compiled=part == "compiled"))
        speeds = measure.take_turns(ways, self.rounds, self.wait)
        rows = measure.compare(part, "pairs/s", speeds, "plain code")
        return [row | {"gigabytes": self.memory(ways[row["way"]])} for row in rows]

    def steps(self, settings: Settings, plain: bool = False) -> Callable[[], float]:
        """A way that takes some steps, and returns how many pairs they had."""
        model = start_model(settings, self.device)
        pairs = Pairs(self.labels, self.pool, model, settings.but(epochs=10**6), self.signals)
        optimizer, schedule = make_optimizer(model, settings, 10**6)
        if plain:
            optimizer = torch.optim.Adam(model.parameters(), settings.audio_lr)
            schedule = get_constant_schedule(optimizer)
        stream = iter(pairs.loader())
        update = partial(training_step, model, optimizer=optimizer, schedule=schedule)
        many = 2 if self.dry or settings.chunk else 20
        return lambda: self.take(update, stream, settings, many, plain)

    def take(self, update: Any, stream: Any, settings: Settings, many: int, look: bool) -> float:
        """Take steps of a stream; with a look at each loss, which waits for the device."""
        for batch in itertools.islice(stream, many):
            tensors = {name: one.to(self.device, non_blocking=True) for name, one in batch.items()}
            loss = update(tensors, settings=settings)
            if look:
                loss.item()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"Loss {loss.item()}, expected a number.")
        return settings.batch * many

    def scoring(self) -> list[dict[str, Any]]:
        """Seconds of audio a second that are answered; the released loop gets fewer files."""
        model = start_model(self.settings, self.device).eval()
        seconds = self.signals.seconds()
        few = self.labels.index[:2] if self.dry else self.labels.index[:64]
        place = {segment: row for row, segment in enumerate(self.labels.index)}
        read = partial(self.read, place)
        some = seconds[: len(few)].sum()
        ways = {
            "released loop": lambda: len(speed.released(model, few, read)) and some,
            "float32": lambda: len(self.embed(model, "float32")) and seconds.sum(),
            "bf16": lambda: len(self.embed(model, "bf16")) and seconds.sum(),
        }
        speeds = measure.take_turns(ways, self.rounds, self.wait)
        return measure.compare("scoring", "s/s", speeds, "released loop")

    def read(self, place: dict[Any, int], *segment: Any) -> Any:
        """A decoded signal."""
        return self.signals.read(place[segment])

    def embed(self, model: Any, precision: str) -> pd.DataFrame:
        """Answers from decoded signals."""
        question = speed.zeroshot.encode_candidates(model, speed.CANDIDATES)
        options = {"signals": self.signals, "precision": precision}
        return speed.zeroshot.answer(question, speed.embed_audio(model, self.labels, **options))

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def memory(self, way: Callable[[], float]) -> float | None:
        """Most gigabytes that were in use while a way did its work; None on a CPU."""
        if self.device != "cuda":
            return None
        torch.cuda.reset_peak_memory_stats()
        way()
        return torch.cuda.max_memory_allocated() / 1e9


if __name__ == "__main__":
    sys.exit(main())
