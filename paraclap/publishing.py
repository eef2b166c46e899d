"""How does a model get to the hub together with what should be known of it?

    python -m paraclap.publishing runs/demo/model you/voices

uploads a folder as it is: weights, configuration, tokenizer, preprocessing, and the card that
chapter 14 wrote (:mod:`paraclap.card`). It is refused where the card is missing or of other
weights. ``model.push_to_hub`` of transformers uploads the same files, but with a card of its own
that says nothing; a model is loaded from the hub in either case by
``paraclap.ParaCLAP.from_pretrained("you/voices")``.

Source: https://huggingface.co/docs/huggingface_hub/guides/upload.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import HfApi

from paraclap import origin, tables
from paraclap.card import NAME

NEEDED = ("config.json", "processor_config.json", "tokenizer.json", NAME)
UPLOADED = ("*.json", "*.safetensors", "*.txt", NAME)  # nothing else that may lie there


def check(folder: str | Path) -> list[str]:
    """Check that a model folder is complete and that its card is about its weights.

    Args:
        folder: of a model

    Returns:
        names of the files that would be uploaded

    Raises:
        FileNotFoundError: if a file is missing
        ValueError: if the card is of other weights
    """
    folder = Path(folder)
    weights = origin.model_hash(folder)
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"No {', '.join(missing)} in {tables.short(folder)!r}, expected all of {NEEDED}: "
            f"chapter 14 writes {NAME}, the card; model.save_pretrained writes the others."
        )
    if weights not in (folder / NAME).read_text("utf-8"):
        raise ValueError(
            f"The card in {tables.short(folder)!r} is not of its weights, {weights}: run chapter "
            "14 again, so that the card says what is uploaded."
        )
    return sorted({file.name for pattern in UPLOADED for file in folder.glob(pattern)})


def push(folder: str | Path, repo_id: str, private: bool = False, token: str | None = None) -> str:
    """Upload a model folder with its card; makes the repository if there is none.

    Args:
        folder: of a model
        repo_id: "you/name"
        private: whether a new repository is for its owner alone
        token: of the hub; that of `hf auth login` if left out

    Returns:
        address of the commit

    Raises:
        FileNotFoundError: if the folder is not complete
        ValueError: if the card is of other weights
    """
    names = check(folder)
    api = HfApi(token=token)
    api.create_repo(repo_id, private=private, exist_ok=True)
    done = api.upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=names)
    return str(done.commit_url)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m paraclap.publishing", description="Upload a model with its card."
    )
    parser.add_argument("folder", type=Path, help="of a model, such as runs/demo/model")
    parser.add_argument("repo", nargs="?", help="you/name; without it the folder is only checked")
    parser.add_argument("--private", action="store_true", help="for its owner alone")
    args = parser.parse_args(arguments)
    try:
        if args.repo:
            print(push(args.folder, args.repo, args.private))
        else:
            print("Complete:", *check(args.folder))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
