"""A text-generation model that is asked for other wordings of a sentence.

Any causal language model of transformers will do, from a folder or, where asked for, the hub. A
model that was trained to follow instructions is asked by its own chat template, any other one is
shown two examples and goes on. Each sentence is drawn with a seed of its own, so that what it is
answered does not depend on which sentences were asked before.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paraclap import pretrained
from paraclap.provenance import first_line

# isort: split
import torch
from huggingface_hub import snapshot_download
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

ASK = """Each sentence says something of a voice. Say the same in other words, in one short line.
Keep a word in braces as it is.

Sentence: talks fast
Other words: the person speaks at a quick pace

Sentence: speaker comes from {place}
Other words: you can hear that the speaker is from {place}

Sentence: <sentence>
Other words:"""
QUESTION = f"{zlib.crc32(ASK.encode()):08x}"  # its fingerprint
_WEIGHTS = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors"]


@dataclass(frozen=True)
class Rewriter:
    """A model and its tokenizer; made by `Rewriter.load`.

    Args:
        model: a causal language model, in evaluation mode
        tokenizer: its tokenizer
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @classmethod
    def load(cls, name: str | Path, download: bool = False, device: str = "cpu") -> Rewriter:
        """Load a model.

        Args:
            name: a folder, or a hub id
            download: whether a hub id that is not on this machine yet may be fetched
            device: where it runs, as torch names it

        Raises:
            OSError: if there is no model that can be read
            ValueError: if the checkpoint lacks weights
        """
        folder = _folder(name, download)
        words = pretrained.tokenizer(folder)
        try:
            config = pretrained.config(folder)
            model, info = AutoModelForCausalLM.from_pretrained(
                folder, config=config, output_loading_info=True, **pretrained.NO_CODE
            )
        except Exception as error:
            raise OSError(
                f"No text-generation model at {pretrained.named(name)!r} ({first_line(error)}), "
                "expected the config.json and the weights of a causal language model."
            ) from error
        if missing := sorted(info["missing_keys"]):
            raise ValueError(
                f"{len(missing)} missing weights in the model at {pretrained.named(name)!r} "
                f"(first: {missing[:5]}), expected all of them: is it a causal language model?"
            )
        return cls(model.eval().to(device), words)

    def answers(
        self, source: str, count: int, seed: int, temperature: float, max_tokens: int
    ) -> list[str]:
        """Ask for other wordings of one sentence.

        Args:
            source: the sentence
            count: how many answers; only one can be had without chance
            seed: of the draws
            temperature: how much is left to chance; 0 for none
            max_tokens: longest answer

        Returns:
            the first line of each answer, unchecked, possibly empty
        """
        asked = self._asked(source)
        start = asked["input_ids"].shape[1]
        chance: Mapping[str, Any] = {"do_sample": False}
        if temperature > 0:
            chance = {
                "do_sample": True,
                "temperature": temperature,
                "num_return_sequences": count,
            }
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(zlib.crc32(f"{seed} {source}".encode()))
            told = self.model.generate(
                **asked, **chance, max_new_tokens=max_tokens, pad_token_id=self._padding()
            )
        texts = self.tokenizer.batch_decode(told[:, start:], skip_special_tokens=True)
        return [_line(text) for text in texts]

    def _asked(self, source: str) -> dict[str, torch.Tensor]:
        """The tokens of the question."""
        text = ASK.replace("<sentence>", source)
        chat = bool(self.tokenizer.chat_template)
        if chat:
            said = [{"role": "user", "content": text}]
            text = str(
                self.tokenizer.apply_chat_template(
                    said, add_generation_prompt=True, tokenize=False, enable_thinking=False
                )
            )
        tokens = self.tokenizer(text, return_tensors="pt", add_special_tokens=not chat)
        names = ("input_ids", "attention_mask")
        return {name: tokens[name].to(self.model.device) for name in names}

    def _padding(self) -> int:
        known = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0)
        return int(next(number for number in known if number is not None))


def _folder(name: str | Path, download: bool) -> Path:
    """Folder of a model on this machine."""
    if Path(name).is_dir():
        return Path(name)
    try:
        found = snapshot_download(str(name), local_files_only=not download, allow_patterns=_WEIGHTS)
    except Exception as error:
        raise FileNotFoundError(
            f"No model {str(name)!r} on this machine ({first_line(error)}), expected a folder with "
            "a causal language model or a hub id: correct the path, or ask for a download."
        ) from error
    return Path(found)


def _line(text: str) -> str:
    """First line of an answer, without its label, quotation marks, full stop and capital."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = (lines or [""])[0].removeprefix("Other words:").strip(" .\"'“”")
    return line[:1].lower() + line[1:]
