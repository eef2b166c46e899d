"""Does coverage lead to bad input that chance does not find? atheris over the readers of text.

    pip install atheris
    python -m benchmarks.soak_coverage params --seconds 120

What may come of a case is as in ``benchmarks.soak_input``; atheris changes its bytes so that they
reach branches of the package that no case has reached yet. At the first failure it stops, prints it
and keeps the bytes in a file. atheris is in no lock file: it runs on few machines.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
TEXTS = {  # kind: name of its file
    "params": "mine.yaml",
    "templates": "mine.csv",
    "list": "list.csv",
    "table": "scores.csv",
    "edges": "edges.json",
}


def target(name: str, folder: Path) -> Callable[[bytes], None]:
    """What atheris calls with the bytes of a case."""
    import fuzz_kinds
    import fuzzing

    kind, numbers = fuzz_kinds.KINDS[name], itertools.count()

    def read(content: bytes) -> None:
        path = folder / f"{next(numbers)}-{TEXTS[name]}"  # a new name: what is read may be kept
        path.write_bytes(content)
        try:
            _, wrong = fuzzing._tried(kind, path, folder)
        finally:
            path.unlink()
        if wrong:
            raise AssertionError(wrong)

    return read


def corpus(name: str, folder: Path) -> Path:
    """A few cases to start from."""
    import fuzz_kinds
    import fuzzing

    for seed in range(40):
        rng, own = fuzzing.np.random.default_rng(seed), folder / f"case{seed}"
        own.mkdir(parents=True)
        made = fuzz_kinds.KINDS[name].make(rng, own)
        if made.suffix == Path(TEXTS[name]).suffix:
            (folder / f"{seed}").write_bytes(made.read_bytes())
        fuzzing.shutil.rmtree(own)
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Look for cases until the time is over; ends the process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_coverage")
    parser.add_argument("kind", choices=list(TEXTS))
    parser.add_argument("--seconds", type=int, default=120)
    args = parser.parse_args(arguments)
    try:
        import atheris  # type: ignore[import-not-found]  # in no lock file
    except ModuleNotFoundError:
        sys.exit(
            "atheris is not installed: pip install atheris, where there is one for this Python."
        )
    sys.path.insert(0, str(TESTS))
    with atheris.instrument_imports(include=["paraclap"]):
        import fuzz_kinds  # noqa: F401  (brings what is looked into)
    folder = Path(tempfile.mkdtemp())
    flags = [f"-max_total_time={args.seconds}", "-timeout=0", "-max_len=4096"]
    flags += ["-print_final_stats=1", f"-artifact_prefix={folder}/found-"]
    atheris.Setup(
        [sys.argv[0], str(corpus(args.kind, folder / "corpus")), *flags], target(args.kind, folder)
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
