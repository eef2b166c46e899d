"""How long from nothing to an answer about a voice of one's own? What the README tells, timed.

Run it with ``python -m benchmarks.first_answer`` on a machine that does nothing else: it clones
this checkout into a folder of its own, without environment or runs, does there what the README
says under "An answer about your own voice", and writes ``benchmarks/first_answer.md`` and
``.json``. Packages come from where pip is set up to find them, and from its cache if there is one.
What is not committed is not in the clone.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from paraclap.espeak import SAMPLING_RATE, Espeak, Larynx

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python -m benchmarks.first_answer"
SECTION = "An answer about your own voice, in five minutes"
BAR = 300  # seconds


def commands(readme: str) -> list[str]:
    """The commands under ``SECTION`` of the README, with the installation as a step of its own."""
    section = readme.partition(f"\n## {SECTION}\n")[2].partition("\n## ")[0]
    found = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert found, f"No commands under {SECTION!r} in README.md, expected a block of sh."
    fetch, *others = found[1].splitlines()
    return [*(part.strip() for part in fetch.split("&&")), "make env", *others]


def voice(file: Path) -> None:
    """A WAV file of somebody who is no part of the corpora: a voice of espeak-ng, as it comes."""
    import soundfile

    with Espeak() as engine:
        signal = engine.speak(
            "I did not expect to see you here.", Larynx("en-us", 90, 180, rate=170)
        )
    soundfile.write(file, signal, SAMPLING_RATE)


def measure(command: str, folder: Path) -> dict[str, Any]:
    """How long a command takes, and what it prints."""
    start = time.monotonic()
    env = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MAKEFLAGS")
    }
    done = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    wall = time.monotonic() - start
    print(f"{command}: {wall:.0f} s", flush=True)
    return {
        "command": command,
        "seconds": round(wall, 1),
        "printed": done.stdout,
    }


def walk(folder: Path) -> list[dict[str, Any]]:
    """All commands in a folder, in order; the last one's answer is in what it printed."""
    url = ROOT.as_uri()
    here, steps = folder, []
    for command in commands((ROOT / "README.md").read_text("utf-8")):
        if command.startswith("cd "):
            here = here / command.removeprefix("cd ")
            voice(here / "my.wav")
            continue
        steps.append(measure(command.replace("URL", url), here))
    return steps


def page(steps: list[dict[str, Any]]) -> str:
    """What was measured, for people."""
    total = sum(step["seconds"] for step in steps)
    rows = [
        f"| `{step['command'].replace(ROOT.as_uri(), 'URL')}` | {step['seconds']:.0f} |"
        for step in steps
    ]
    verdict = "within" if total <= BAR else "above"
    return "\n".join(
        [
            "# The first answer",
            "",
            "What the README says under its first heading, from nothing to an answer about a WAV",
            "file, in a folder of its own. The model learned from **synthetic speech**.",
            "",
            f"- command: `{COMMAND}`",
            f"- date: {datetime.date.today().isoformat()}, processor cores: {os.cpu_count()}",
            f"- all of it: {total:.0f} s, {verdict} the {BAR} s aimed at",
            "",
            "| step | seconds |",
            "|:---|---:|",
            *rows,
            "",
            "```text",
            steps[-1]["printed"].rstrip(),
            "```",
            "",
        ]
    )


def main() -> None:
    """Measure and write both files."""
    folder = Path(tempfile.mkdtemp(prefix="paraclap-first-"))
    try:
        steps = walk(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    result = {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "seconds": round(sum(step["seconds"] for step in steps), 1),
        "steps": [{k: v for k, v in step.items() if k != "printed"} for step in steps],
    }
    text = page(steps)
    (ROOT / "benchmarks" / "first_answer.md").write_text(text, "utf-8")
    stored = json.dumps(result, indent=1).replace(ROOT.as_uri(), "URL")
    (ROOT / "benchmarks" / "first_answer.json").write_text(stored + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
