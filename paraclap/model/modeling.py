"""ParaCLAP as a transformers ``PreTrainedModel``: two encoders, two projection heads, one space.

``input_values (batch, samples)`` are float32; masks are 1 on signal, 0 on padding at the end.
Chapter 4. Source: ParaCLAP (Jing et al., 2024), section 2.1.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from huggingface_hub import ModelCard
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, BatchFeature, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.clap.modeling_clap import ClapOutput
from transformers.utils import can_return_tuple, logging
from transformers.utils.hub import resolve_revision

from .configuration import ParaCLAPConfig
from .functionals import output_size
from .layers import Mask, Projection, contrastive_loss, encode_audio, mean_pool, sigmoid_loss
from .processing import ParaCLAPProcessor, saved_processor

CACHE = ("cache_dir", "local_files_only", "revision", "token")
HUB = (*CACHE, "force_download", "proxies", "subfolder")


@dataclass
class ParaCLAPFeatures(BaseModelOutputWithPooling):  # type: ignore[misc]  # untyped
    """Output of an encoder; ``pooler_output`` are its embeddings, unit length, float32."""

    @property
    def shape(self) -> torch.Size:
        """That of the embeddings, ``(batch, projection_dim)``."""
        return self.pooler_output.shape  # type: ignore[no-any-return]  # untyped


@dataclass
class ParaCLAPOutput(ClapOutput):  # type: ignore[misc]  # transformers is untyped here
    """Logits ``(audio, text)`` and ``(text, audio)``, embeddings, and what the encoders gave."""


class ParaCLAP(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    """Utterances and queries in one space; saved and loaded with its ``processor``, if any."""

    config_class = ParaCLAPConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = _supports_flash_attn = True
    processor: ParaCLAPProcessor | None = None

    def __init__(self, config: ParaCLAPConfig) -> None:
        """Build both encoders from their configurations, with random weights."""
        super().__init__(config)
        audio, text = config.audio_config, config.text_config
        head = config.projection_dim, config.projection_dropout, config.projection
        self.audio_model = AutoModel.from_config(audio, trust_remote_code=False)
        self.text_model = AutoModel.from_config(text, trust_remote_code=False)
        if pooler := getattr(self.text_model, "pooler", None):
            pooler.requires_grad_(False)  # nothing comes from it
        self.audio_projection = Projection(output_size(audio), *head)
        self.text_projection = Projection(text.hidden_size, *head)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init)))
        bias = config.logit_bias_init
        self.logit_bias = None if bias is None else nn.Parameter(torch.tensor(float(bias)))
        for weight in self.parameters():  # keeps the values that it is made with, if it has any
            weight._is_hf_initialized = not weight.is_meta
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Give the weights that a checkpoint lacks the values they start with."""
        if module is self:
            nn.init.constant_(self.logit_scale, self.config.logit_scale_init)
            if self.logit_bias is not None:
                nn.init.constant_(self.logit_bias, self.config.logit_bias_init)
        elif isinstance(module, nn.Linear | nn.LayerNorm):  # of the heads
            module.reset_parameters()

    @classmethod
    def from_encoders(
        cls, audio_model: Any, text_model: Any, processor: ParaCLAPProcessor, **settings: Any
    ) -> Self:
        """Put new heads on two encoders; ``settings`` as in :class:`ParaCLAPConfig`."""
        configs = {"audio_config": audio_model.config, "text_config": text_model.config}
        model = cls(ParaCLAPConfig(**configs, **settings))
        model.audio_model, model.text_model = audio_model, text_model
        model.processor = processor
        return model

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path | None, *args: Any, **kwargs: Any
    ) -> Any:
        """Load a model with its processor, in evaluation mode; arguments as in transformers.

        The hub id of the authors, or ``released``, gives their model, converted once.
        OSError if there is no model or its weights cannot be read; ValueError if it is the model of
        another architecture or weights do not fit.
        """
        given, with_info = pretrained_model_name_or_path, kwargs.pop("output_loading_info", False)
        name = None if given is None else str(given)  # None: all is in config and state_dict
        if name in ("KeiKinn/paraclap", "released") and not Path(name).exists():
            name = str(importlib.import_module("paraclap.model.checkpoint").released_folder())
        cached = {key: kwargs[key] for key in CACHE if key in kwargs}
        kwargs["revision"] = resolve_revision(name, **cached)  # the same commit for every part
        try:
            with quiet():  # what would be reported is checked below
                options = {"ignore_mismatched_sizes": True, **kwargs, "output_loading_info": True}
                model, info = super().from_pretrained(name, *args, **options)
        except (OSError, SafetensorError) as error:
            msg = f"No model at {name!r} that can be read ({error}), expected its folder or hub id"
            raise OSError(f"{msg}: check the arguments, train one, or copy it again.") from error
        check_weights(model, {} if with_info else info)
        if name is not None:
            hub = {key: kwargs[key] for key in HUB if key in kwargs}
            model.processor = saved_processor(name, model.config, **hub)
        return (model, info) if with_info else model

    @classmethod
    def from_released(cls, checkpoint: str | Path, *args: Any, **kwargs: Any) -> "ParaCLAP":
        """Read the authors' checkpoint, see :func:`paraclap.model.checkpoint.load_released`."""
        # By name: a model folder that carries this file has no use for that one.
        module = importlib.import_module("paraclap.model.checkpoint")
        model: ParaCLAP = module.load_released(checkpoint, *args, **kwargs)
        return model

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Write weights, configuration, processor and the code of the classes."""
        if self.processor is not None:
            self.processor.save_pretrained(save_directory)
        with quiet():
            super().save_pretrained(save_directory, **kwargs)
        os.umask(mask := os.umask(0))  # safetensors writes files that nobody else may read
        for file in Path(save_directory).glob("*.safetensors"):
            file.chmod(0o666 & ~mask)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the model with its code and the model card of the folder it was loaded from."""
        url: str = super().push_to_hub(repo_id, **options)
        card = Path(self.name_or_path, "README.md")
        if card.is_file():
            place = {key: options.get(key) for key in ("token", "revision", "create_pr")}
            ModelCard.load(card).push_to_hub(repo_id, **place)
        return url

    def require_processor(self) -> ParaCLAPProcessor:
        """The processor; ValueError if the model has none."""
        if self.processor is None:
            raise ValueError("No model.processor: load it with from_released(…, tokenizer=…).")
        return self.processor

    def prepare(self, **inputs: Any) -> BatchFeature:
        """What :meth:`forward` takes, of inputs of the processor; no mask if nothing is padded."""
        batch = self.require_processor()(**inputs)
        if "audio_attention_mask" in batch and batch["audio_attention_mask"][:, -1].all():
            del batch["audio_attention_mask"]
        device = "cpu" if self.device.type == "meta" else self.device  # meta: offloaded to a disk
        return batch.to(device, self.dtype)

    @property
    def language_model(self) -> Any:
        """The text encoder, by the name with which transformers looks for a table of tokens."""
        return self.text_model

    @property
    def temperature(self) -> Tensor:
        """Factor of the cosine similarities, a scalar: exp(logit_scale)."""
        return self.logit_scale.exp()

    @can_return_tuple  # type: ignore[untyped-decorator]  # transformers is untyped here
    def get_audio_features(
        self, input_values: Tensor, audio_attention_mask: Mask = None, **layers: Any
    ) -> ParaCLAPFeatures:
        """Embed utterances: ``(batch, samples)`` to ``(batch, projection_dim)``.

        ``layers``, here and below: ``output_hidden_states`` and ``output_attentions``.
        """
        values, layers = input_values.to(self.dtype), self._layers(**layers)
        found = encode_audio(self.audio_model, values, audio_attention_mask, **layers)
        return _features(*found, self.audio_projection)

    @can_return_tuple  # type: ignore[untyped-decorator]  # transformers is untyped here
    def get_text_features(
        self,
        input_ids: Tensor,
        attention_mask: Mask = None,
        token_type_ids: Tensor | None = None,
        **layers: Any,
    ) -> ParaCLAPFeatures:
        """Embed queries: ``(batch, tokens)`` to ``(batch, projection_dim)``."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        found = self._encode_text(input_ids, attention_mask, **types, **self._layers(**layers))
        return _features(*found, self.text_projection)

    def pool_text(self, input_ids: Tensor, attention_mask: Mask = None) -> Tensor:
        """Output of the text encoder before its projection, shape ``(batch, hidden_size)``."""
        return self._encode_text(input_ids, attention_mask)[1]

    def _encode_text(self, input_ids: Tensor, mask: Mask, **options: Any) -> tuple[Any, Tensor]:
        found = self.text_model(input_ids, attention_mask=mask, return_dict=True, **options)
        hidden, is_cls = found.last_hidden_state, self.config.text_pooling == "cls"
        return found, hidden[:, 0] if is_cls else mean_pool(hidden, mask)

    def _layers(self, output_hidden_states: Any = None, output_attentions: Any = None) -> Any:
        own = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
        own = {key: getattr(self.config, key) if on is None else on for key, on in own.items()}
        return {key: on for key, on in own.items() if on}

    @can_return_tuple  # type: ignore[untyped-decorator]  # transformers is untyped here
    def forward(
        self,
        input_ids: Tensor,
        input_values: Tensor,
        attention_mask: Mask = None,
        audio_attention_mask: Mask = None,
        token_type_ids: Tensor | None = None,
        return_loss: bool | None = None,  # of the n-th query as that of the n-th utterance
        **layers: Any,
    ) -> ParaCLAPOutput:
        """Compare every utterance with every query, as the processor gives them."""
        layers |= {"return_dict": True}
        text = self.get_text_features(input_ids, attention_mask, token_type_ids, **layers)
        audio = self.get_audio_features(input_values, audio_attention_mask, **layers)
        embeds = text.pooler_output, audio.pooler_output  # T, A: of unit length
        logits = self.temperature.float() * embeds[1] @ embeds[0].T  # equation 1: tau (e_a . e_t)
        loss, bias = None, self.logit_bias
        if return_loss:
            loss = contrastive_loss(logits) if bias is None else sigmoid_loss(logits + bias)
        return ParaCLAPOutput(loss, logits, logits.T, *embeds, text, audio)


def _features(found: Any, pooled: Tensor, projection: nn.Module) -> ParaCLAPFeatures:
    embeddings = functional.normalize(projection(pooled).float(), dim=-1)
    layers = found.get("hidden_states"), found.get("attentions")
    return ParaCLAPFeatures(found.last_hidden_state, embeddings, *layers)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from warnings and progress bars."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def check_weights(model: PreTrainedModel, info: Mapping[str, Any]) -> None:
    """Check what transformers loaded (its report is ``info``) and copy it out of the mapped file.

    There alignment varies, and with it the last bits of products. ValueError if weights do not fit.
    """
    kinds = {n: [*info.get(f"{n}_keys", ())] for n in ("missing", "unexpected", "mismatched")}
    kinds["not finite"] = []
    for key, weight in model.named_parameters():
        if not weight.is_meta:  # offloaded to the disk
            weight.data = weight.data.clone()
            kinds["not finite"] += [] if weight.isfinite().all() else [key]
    if wrong := {kind: sorted(keys)[:5] for kind, keys in kinds.items() if keys}:
        got = f"Bad weights in {model.name_or_path!r} ({wrong})"
        raise ValueError(f"{got}, expected those of its configuration: copy all its files again.")


ParaCLAPConfig.register_for_auto_class()
ParaCLAP.register_for_auto_class("AutoModel")
