"""Where does a result come from? Commit, package versions, and hashes of what it was made with."""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from paraclap import __version__
from paraclap.tables import fingerprint, project_folder, short
from paraclap.templates import sentences

PACKAGES = (
    *("torch", "transformers", "opensmile", "audformat", "audmetric", "numpy", "pandas"),
    *("scikit-learn", "scipy", "soundfile", "soxr"),
)


def commit(folder: Path | None = None) -> str:
    """The commit of a checkout, `-dirty` if it was changed since; else the version of the package.

    Args:
        folder: of the checkout; that of the project if left out

    Returns:
        what `git describe --always --dirty` says, or such as "paraclap 0.1.0, no checkout"
    """
    folder = folder or project_folder()
    git = shutil.which("git")
    if git and (folder / ".git").exists():
        asked = [git, "--no-optional-locks", "-C", str(folder), "describe", "--always", "--dirty"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
    return f"paraclap {__version__}, no checkout"


def packages() -> dict[str, str]:
    """Versions of paraclap and of what decides its numbers; those not installed are left out."""
    found = {"paraclap": __version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def model_hash(folder: Path) -> str:
    """Sixteen hex digits of the weights in a model folder, whatever else lies there.

    Raises:
        FileNotFoundError: if there are none
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(
            f"No weights in {short(folder)!r}, expected model.safetensors: train the model first."
        )
    return fingerprint(*files)


def templates_hash(templates: str) -> str:
    """Sixteen hex digits of all sentences of a set, of when they hold, and of their words.

    Raises:
        ValueError: if there is no such set
    """
    said = sentences(templates)
    held = [
        [one.attribute, one.template, {name: sorted(states) for name, states in one.states.items()}]
        for one in said
    ]
    words = Path(__file__).parent / "emotion_words.csv"
    further = [one.intensities for one in said]
    return fingerprint(held, further, words) if any(further) else fingerprint(held)
