"""How fast a full-size model scores voices on this processor, beside the released loop.

    python -m benchmarks.scoring

The released evaluation is stated again, as far as its speed goes: one file at a time and whole, no
mask, float32, and the candidates tokenised and encoded again for each file. Towers are those of
the publication with random weights, files are noise of 2 to 6 s, the candidates the eight emotions
of RAVDESS. Ours reads the same files and answers the same question; the candidates count, once.
Ways alternate in rounds, so that other work on the machine touches all alike.

How well bfloat16 agrees with float32 is counted on the same model, for the candidates and for
eight directions in which the voices differ most (a question that random weights do not settle
beforehand), and, with ``--run``, for a trained model and the test voices of its run.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.nn import functional

from benchmarks import noise
from paraclap import audio, tables, zeroshot
from paraclap.inference import Embeddings, Listener, inference_dtype, listen
from paraclap.model import ParaCLAP

EMOTIONS = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
SHORTEST, LONGEST = 2.0, 6.0  # seconds
TARGET, AGREEMENT = 3, 0.995

Way = Callable[[pd.MultiIndex], npt.NDArray[np.float32]]
Read = Callable[..., audio.Signal]


def voices(files: pd.MultiIndex, seed: int = 0) -> pd.MultiIndex:
    """The first 2 to 6 s of each file."""
    seconds = np.random.default_rng(seed).uniform(SHORTEST, LONGEST, len(files))
    ends = [pd.Timedelta(seconds=round(value, 2)) for value in seconds]
    return tables.segments(list(files.get_level_values("file")), None, ends)


def seconds_of(index: pd.MultiIndex) -> float:
    """Seconds of audio in all segments together."""
    lengths = index.get_level_values("end") - index.get_level_values("start")
    return float(lengths.total_seconds().to_numpy().sum())


def released(model: ParaCLAP, read: Read) -> Way:
    """The loop of the released evaluation: probabilities, one file after the other."""

    @torch.no_grad()
    def way(index: pd.MultiIndex) -> npt.NDArray[np.float32]:
        rows = []
        for segment in index:
            values = torch.from_numpy(read(*segment)).unsqueeze(0).to(model.device)
            hidden = model.audio_model(values).last_hidden_state
            voice = functional.normalize(model.audio_projection(hidden.mean(1)), dim=-1)
            said = model.get_text_features(**model.prepare(text=EMOTIONS))
            logits = model.temperature * voice @ functional.normalize(said, dim=-1).T
            rows.append(logits.softmax(-1).cpu().numpy())
        return np.concatenate(rows)

    return way


def ours(model: ParaCLAP, read: Read, precision: str, compiled: bool = False) -> Way:
    """What :func:`paraclap.scoring.score` does between reading the list and writing the answers."""
    listener = Listener(model, precision, compiled)

    def way(index: pd.MultiIndex) -> npt.NDArray[np.float32]:
        question = zeroshot.Question.of(model, EMOTIONS)
        found, reasons = listen(index, listener, read=read)
        assert not any(reasons), reasons
        return question.answer(found)[EMOTIONS].to_numpy()

    return way


@dataclass
class Rounds:
    """Speech per time of each way, a number a round."""

    speeds: dict[str, list[float]]

    @classmethod
    def run(
        cls,
        ways: dict[str, Way],
        lists: dict[str, pd.MultiIndex],
        rounds: int,
        wait: Callable[[], Any] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Rounds:
        """Take turns; the first turn of each is not counted.

        Args:
            ways: What is measured.
            lists: The segments for each of them.
            rounds: How many turns count.
            wait: Returns when the device has done all that it was given.
            clock: Seconds.
        """
        for name, way in ways.items():
            way(lists[name])
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                wait()
                begin = clock()
                way(lists[name])
                wait()
                seconds = clock() - begin
                speeds[name].append(seconds_of(lists[name]) / seconds)
        return cls(speeds)

    def times(self, name: str, reference: str = "released") -> list[float]:
        """How much faster than the reference in each round."""
        pairs = zip(self.speeds[name], self.speeds[reference], strict=True)
        return [speed / other for speed, other in pairs]

    def table(self) -> list[str]:
        """Lines of Markdown."""
        lines = ["| way | speech per time | times the released loop (smallest to largest) |"]
        lines += ["|---|---|---|"]
        for name, speeds in self.speeds.items():
            times = self.times(name)
            spread = f"{min(times):.2f} to {max(times):.2f}"
            median = statistics.median(times)
            lines.append(f"| {name} | {statistics.median(speeds):.1f} | {median:.2f} ({spread}) |")
        return lines


def agreement(exact: Embeddings, fast: Embeddings, queries: npt.NDArray[Any]) -> float:
    """Share of voices for which both find the same query nearest."""
    same = (exact @ queries.T).argmax(1) == (fast @ queries.T).argmax(1)
    return float(same.mean())


def directions(found: Embeddings, many: int) -> npt.NDArray[Any]:
    """Directions in which embeddings differ most, at right angles to their mean direction."""
    centre = found.mean(0) / np.linalg.norm(found.mean(0))
    rest = found - np.outer(found @ centre, centre)
    vectors: npt.NDArray[Any] = np.linalg.svd(rest - rest.mean(0), full_matrices=False)[2][:many]
    offsets = vectors @ rest.mean(0)  # a query that none is nearest to would ask nothing
    return vectors - np.outer(offsets / (found @ centre).mean(), centre)


def agreements(
    model: ParaCLAP,
    index: pd.MultiIndex,
    candidates: Sequence[str],
    template: str = "{}",
    read: Read | None = None,
) -> list[dict[str, Any]]:
    """How often bfloat16 answers as float32, for candidates and for directions."""
    exact, fast = (
        listen(index, Listener(model, name), read=read)[0] for name in ("float32", "bf16")
    )
    texts = zeroshot.Question.of(model, candidates, template).texts
    rows = []
    for what, queries in (
        ("candidates", texts),
        ("directions", directions(exact, len(candidates))),
    ):
        answers = (exact @ queries.T).argmax(1)
        rows.append(
            {
                "question": what,
                "voices": len(index),
                "most frequent": np.bincount(answers).max() / len(index),
                "agreement": agreement(exact, fast, queries),
            }
        )
    return rows


def trained(run: Path) -> tuple[ParaCLAP, pd.MultiIndex, list[str]]:
    """Model, test voices and emotions of a run of the book."""
    labels = tables.read_table(run / "labels.parquet")
    test = labels[labels["split"] == "test"]
    model = ParaCLAP.from_pretrained(run / "model")
    return model, test.index, sorted(test["emotion"].dropna().unique())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write beside this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring")
    parser.add_argument("--files", type=int, default=12, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--voices", type=int, default=400, help="on which precisions are compared")
    parser.add_argument("--run", type=Path, help="of the book: its trained model is compared too")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--cpu-time", action="store_true", help="count it, not time: where others use the machine"
    )
    parser.add_argument("--compiled", action="store_true", help="torch.compile too: minutes more")
    parser.add_argument("--tiny", action="store_true", help="tiny towers, to try it out")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    model = noise.model(noise.config(args.tiny), EMOTIONS).eval()
    with tempfile.TemporaryDirectory() as name:
        index = voices(noise.files(Path(name), max(args.files, args.voices), LONGEST))
        ways = {"released": released(model, audio.read)}
        ways |= {"ours, float32": ours(model, audio.read, "float32")}
        ways |= {"ours, bf16": ours(model, audio.read, "bf16")}
        if args.compiled:
            ways["ours, bf16, compiled"] = ours(model, audio.read, "bf16", True)
        few = index[: args.files]
        np.testing.assert_allclose(
            ways["released"](few[:4]), ways["ours, float32"](few[:4]), atol=1e-3
        )
        clock = time.process_time if args.cpu_time else time.perf_counter
        rounds = Rounds.run(ways, dict.fromkeys(ways, few), args.rounds, clock=clock)
        rows = {"random weights, noise": agreements(model, index[: args.voices], EMOTIONS)}
    if args.run is not None:
        said = "speaker is {}"
        rows["trained, synthetic speech"] = agreements(*trained(args.run), said)
    lines = report(rounds, rows, args)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def report(
    rounds: Rounds, rows: dict[str, list[dict[str, Any]]], args: argparse.Namespace
) -> list[str]:
    """The page."""
    extras = [f"--run {args.run}"] * (args.run is not None) + ["--compiled"] * args.compiled
    extras += ["--cpu-time"] * args.cpu_time
    for name, usual in (("files", 12), ("rounds", 5), ("voices", 400), ("threads", 2)):
        extras += [f"--{name} {getattr(args, name)}"] * (getattr(args, name) != usual)
    auto = inference_dtype("auto", torch.device("cpu"))
    lines = ["# Scoring at full size on a processor", ""]
    lines += [f"`{' '.join(['python -m benchmarks.scoring', *extras])}`,"]
    lines += [f"{datetime.datetime.now(datetime.UTC).date()}, torch {torch.__version__},"]
    lines += [f"{torch.get_num_threads()} threads, {args.files} files of noise a round,"]
    lines += [f'{args.rounds} rounds in turn; `precision="auto"` is {auto} here.', ""]
    lines += rounds.table()
    lines += ["", f"Wanted: at least {TARGET} times as fast with what `auto` takes.", ""]
    lines += ["## Answers in bfloat16", ""]
    lines += ["| model, voices | question | voices | share of the most frequent answer | same |"]
    lines += ["|---|---|---|---|---|"]
    for name, found in rows.items():
        lines += [
            f"| {name} | {row['question']} | {row['voices']} | {row['most frequent']:.2f} "
            f"| {row['agreement']:.4f} |"
            for row in found
        ]
    lines += [
        "",
        f"Wanted: at least {AGREEMENT} the same for the candidates. Directions are those in",
    ]
    return [*lines, "which the embeddings of float32 differ most, as many as candidates."]


if __name__ == "__main__":
    main()
