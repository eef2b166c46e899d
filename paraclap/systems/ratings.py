"""A model that rates arousal, dominance and valence: the one behind the paper's audio encoder.

Conventions: 16 kHz, one file at a time in full; ratings from about 0 to 1. Chapter 10. Source:
Wagner et al., "Dawn of the transformer era in speech emotion recognition", IEEE TPAMI 2023.
"""

from collections import OrderedDict
from typing import Any

import pandas as pd
import torch
import transformers
from torch import nn

from paraclap import audio, tables
from paraclap.model.modeling import quiet
from paraclap.systems.interface import catalogue, read_signals, refuse


class Dimensional(transformers.Wav2Vec2PreTrainedModel):  # type: ignore[misc]  # untyped
    """wav2vec2, mean pooling over time, and a head with one output a dimension."""

    def __init__(self, config: transformers.PreTrainedConfig) -> None:
        """Build it with random weights, under the names of the published file."""
        super().__init__(config)
        self.wav2vec2 = transformers.Wav2Vec2Model(config)
        units, outputs = config.hidden_size, config.num_labels
        layers = OrderedDict(dense=nn.Linear(units, units), tanh=nn.Tanh())
        self.classifier = nn.Sequential(layers | {"out_proj": nn.Linear(units, outputs)})
        self.post_init()

    def forward(self, input_values: torch.Tensor) -> Any:
        """Ratings of signals ``(batch, samples)``, shape ``(batch, dimensions)``."""
        return self.classifier(self.wav2vec2(input_values).last_hidden_state.mean(1))

    def rate(self, files: Any) -> pd.DataFrame:
        """Rate utterances: `arousal, dominance, valence` on the audformat index."""
        given = {"sampling_rate": audio.SAMPLING_RATE, "return_tensors": "pt"}
        with torch.inference_mode():
            signals = read_signals(files, audio.SAMPLING_RATE)
            rows = [self(self.extractor(one, **given).input_values) for one in signals]
        names = [self.config.id2label[place].lower() for place in range(self.config.num_labels)]
        table = pd.DataFrame(torch.cat(rows).numpy(), tables.as_index(files), names)
        return table[sorted(tables.DIMENSIONS)]


def load_dimensional(name: str, place: str = "") -> Any:
    """Read the published model from a folder or the hub, see :func:`paraclap.systems.load`."""
    place = place or catalogue()["repository"][name]
    with quiet():
        model, info = Dimensional.from_pretrained(place, output_loading_info=True)
    model.extractor = transformers.AutoFeatureExtractor.from_pretrained(place)
    refuse(set(info["missing_keys"]) - {"wav2vec2.masked_spec_embed"}, place)
    return model.eval()
