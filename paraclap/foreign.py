"""What the files of a model may not ask for, whoever wrote them.

Some values of a ``config.json`` lead transformers into code although ``trust_remote_code`` is
False: an attention that is named like a repository of the hub is fetched there and run, a faster
one that is not installed likewise, and weights that are quantised bring the packages that do so
(CVE-2026-4372 and CVE-2026-5241 were of this kind). A backbone is asked for at the hub by name.
They are refused before transformers reads them. Which attention is used is for the caller to say,
by ``set_attn_implementation``.

An index of weights in several files may name files of its own folder alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Parts of transformers itself; all others are, or may become, code from the hub.
PLAIN = (None, "eager", "sdpa", "flex_attention", "batched_mm", "grouped_mm")
CHOICES = ("attn_implementation", "experts_implementation")
ELSEWHERE = (
    *("trust_remote_code", "quantization_config", "use_kernels", "kernel_config"),
    "backbone",
)


def refuse_requests(values: Mapping[str, Any], place: str) -> None:
    """Check the values of a ``config.json``, nested ones included.

    Args:
        values: As they stand in the file.
        place: Where it is, for the message.

    Raises:
        ValueError: If it asks for code or files from elsewhere.

    Examples:
        >>> refuse_requests({"attn_implementation": "sdpa"}, "model")
        >>> refuse_requests({"text_config": {"attn_implementation": "you/fast"}}, "model")
        Traceback (most recent call last):
        ...
        ValueError: Refused the config.json of 'model': it asks for code or files from elsewhere
        (first: ["text_config.attn_implementation: 'you/fast'"]), expected a description of layers
        alone: take these entries out of it, or ask who made it for a model without them.
    """
    if found := sorted(_requests(values)):
        raise ValueError(
            f"Refused the config.json of {place!r}: it asks for code or files from elsewhere "
            f"(first: {found[:5]}), expected a description of layers alone: take these entries out "
            "of it, or ask who made it for a model without them."
        )


def _requests(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        name = str(key).strip("_").removesuffix("_internal")
        asks = name in CHOICES and not all(one in PLAIN for one in _leaves(value))
        if asks or (name in ELSEWHERE and value):
            yield f"{above}{key}: {str(value)[:60]!r}"
        elif isinstance(value, Mapping):
            yield from _requests(value, f"{above}{key}.")


def _leaves(value: Any) -> list[Any]:
    """A value, or the values of a mapping: attention may be chosen for each part."""
    if not isinstance(value, Mapping):
        return [value]
    return [one for part in value.values() for one in _leaves(part)]


def refuse_shards(folder: str | Path) -> None:
    """Check that an index of weights names files of its own folder.

    Args:
        folder: Of a model; nothing is checked of a hub id, whose files are fetched by name.

    Raises:
        OSError: If it names others.
    """
    for index in sorted(Path(folder).glob("*.index.json")):
        names = _shards(index)
        away = sorted(name for name in names if not _beside(index, name))
        if away:
            raise OSError(
                f"Refused {index.name} of {Path(folder).name!r}: {len(away)} of the files that it "
                f"names are not in its folder (first: {away[:5]}), expected names of files beside "
                "it: copy the folder again."
            )


def _beside(index: Path, name: str) -> bool:
    return Path(name).name == name and (index.parent / name).is_file()


def _shards(index: Path) -> set[str]:
    """Files that an index names; none of one that is damaged, which transformers refuses."""
    try:
        return {str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()
