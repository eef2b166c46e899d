"""How does a model get to the hub together with what should be known of it?

    python -m paraclap.publishing runs/demo/model you/voices

uploads weights, configuration, tokenizer, preprocessing, the card that chapter 14 wrote
(:mod:`paraclap.card`), and the code of the model (:mod:`paraclap.carrying`). It is refused where
the card is missing or of other weights. ``model.push_to_hub("you/voices")`` does the same. From the
hub a model is loaded by ``paraclap.ParaCLAP.from_pretrained("you/voices")``, or without paraclap by
``AutoModel.from_pretrained("you/voices", trust_remote_code=True)``.

    python -m paraclap.publishing runs/demo/model --code

uploads nothing: it writes the code into the folder, which can then be handed on by other means.

Source: https://huggingface.co/docs/huggingface_hub/guides/upload.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from paraclap import carrying, origin, tables
from paraclap.card import NAME

NEEDED = ("config.json", "processor_config.json", "tokenizer.json", NAME)
UPLOADED = (
    "*.json",
    "*.safetensors",
    "*.txt",
    NAME,
    carrying.CODE,
)  # nothing else that may lie there


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


def push(
    folder: str | Path,
    repo_id: str,
    private: bool | None = None,
    token: str | bool | None = None,
    **commit: Any,
) -> str:
    """Upload a model folder with its card and its code; makes the repository if there is none.

    Args:
        folder: of a model; nothing in it is changed
        repo_id: "you/name"
        private: whether a new repository is for its owner alone
        token: of the hub; that of `hf auth login` if left out
        commit: `revision`, `create_pr`, `commit_message` and `commit_description`, as in
            `HfApi.upload_folder`

    Returns:
        address of the commit

    Raises:
        FileNotFoundError: if the folder is not complete
        ValueError: if the card is of other weights
    """
    names = check(folder)
    api = HfApi(token=token)
    with tempfile.TemporaryDirectory(prefix="paraclap-") as staged:
        for name in names:  # links: what carrying writes takes their place, not that of the files
            (Path(staged) / name).symlink_to((Path(folder) / name).resolve())
        carrying.carry(staged)
        api.create_repo(repo_id, private=private, exist_ok=True)
        done = api.upload_folder(repo_id=repo_id, folder_path=staged, **commit)
    return str(done.commit_url)


def push_model(
    model: Any, repo_id: str, *, max_shard_size: int | str = "50GB", **options: Any
) -> str:
    """Upload a loaded model with the card of the folder or repository it was loaded from.

    Args:
        model: a `ParaCLAP`
        repo_id: "you/name"
        max_shard_size: of a file of weights, as in `save_pretrained`
        options: see `push`

    Returns:
        address of the commit

    Raises:
        FileNotFoundError: if there is no card where the model comes from
        ValueError: if the model has learned since its card was written
    """
    from transformers.utils import cached_file

    silent = {
        f"_raise_exceptions_for_{what}": False for what in ("missing_entries", "connection_errors")
    }
    known = cached_file(model.name_or_path, NAME, **silent) if model.name_or_path else None
    if known is None:
        raise FileNotFoundError(
            f"No card {NAME} where this model comes from, {tables.short(model.name_or_path)!r}, "
            "expected that of its weights: load it from runs/<run>/model after chapter 14, or "
            "from a folder in which you have written a card that names paraclap.origin.model_hash."
        )
    with tempfile.TemporaryDirectory(prefix="paraclap-") as saved:
        model.save_pretrained(saved, max_shard_size=max_shard_size)
        shutil.copy(known, Path(saved) / NAME)
        return push(saved, repo_id, **options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m paraclap.publishing", description="Upload a model with its card."
    )
    parser.add_argument("folder", type=Path, help="of a model, such as runs/demo/model")
    parser.add_argument("repo", nargs="?", help="you/name; without it the folder is only checked")
    parser.add_argument("--private", action="store_true", help="for its owner alone")
    parser.add_argument(
        "--code", action="store_true", help="write the code of the model into the folder, too"
    )
    args = parser.parse_args(arguments)
    try:
        if args.code:
            print("Written:", tables.short(carrying.carry(args.folder)))
        if args.repo:
            print(push(args.folder, args.repo, args.private or None))
        else:
            print("Complete:", *check(args.folder))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
