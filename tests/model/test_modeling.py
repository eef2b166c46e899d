"""The model: what it computes, and that padding, batches and modes change nothing."""

import pytest
import torch
from sounds import noise
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoTokenizer, ClapConfig, WhisperConfig

from paraclap.model import ParaCLAP, ParaCLAPConfig, Projection, build
from paraclap.model.encoders import minilm_folder
from paraclap.model.functionals import FunctionalsConfig
from paraclap.model.layers import contrastive_loss, is_exact_with_mask, mean_pool

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
TINY |= {"intermediate_size": 32, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
TINY |= {"conv_dim": (8, 8), "conv_kernel": (10, 4), "conv_stride": (5, 4)}
TINY |= {"mask_time_prob": 0.0, "layerdrop": 0.0, "feat_extract_norm": "layer"}
EXACT = [(name, {}) for name in ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat")]
EXACT += [("wav2vec2", {"do_stable_layer_norm": True})]
# Padding goes past the mask of these.
APART = [(name, {"feat_extract_norm": "group"}) for name in ("wav2vec2", "hubert", "wavlm")]
APART += [("wav2vec2", {"add_adapter": True, "num_adapter_layers": 1, "output_hidden_size": 12})]
APART += [("hubert", {"conv_pos_batch_norm": True}), ("data2vec-audio", {})]
APART += [("wav2vec2-conformer", {}), *((name, {"squeeze_factor": 2}) for name in ("sew", "sew-d"))]


def embed(model, batch):
    with torch.inference_mode():
        return model.get_audio_features(**model.prepare(audio=batch)).pooler_output


@pytest.fixture
def model():
    return build("smoke", "smoke", 16, 0.2, "mean", seed=1).eval()


# torch warns of the two kinds of mask that transformers' WavLM passes to it
@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")
@pytest.mark.parametrize(("name", "settings"), [*EXACT, *APART], ids=str)
def test_padding_changes_nothing_for_any_audio_encoder(name, settings):
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, **TINY | settings)
    model = build("smoke", "smoke", 16, 0.0, "mean", seed=1)
    audio = AutoModel.from_config(config)
    model = ParaCLAP.from_encoders(audio, model.text_model, model.processor, projection_dim=8)
    batch = noise(5000, 900, 5000, 3)
    assert is_exact_with_mask(config) == ((name, settings) in EXACT)
    model.eval()
    alone = torch.cat([embed(model, [signal]) for signal in batch])
    torch.testing.assert_close(embed(model, batch), alone, atol=1e-4, rtol=0)
    found = model.get_audio_features(**model.prepare(audio=batch), output_hidden_states=True)
    (one,) = model.get_audio_features(**model.prepare(audio=batch[1])).last_hidden_state
    assert len(found.hidden_states) == 2 and len(found.hidden_states[1]) == 4
    torch.testing.assert_close(found.last_hidden_state[1, : len(one)], one, atol=1e-4, rtol=0)


def test_mean_pooling_counts_no_padding():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [50.0, 60.0]]])
    pooled = mean_pool(hidden, torch.tensor([[1, 1, 0]]))
    torch.testing.assert_close(pooled, torch.tensor([[2.0, 3.0]]))
    torch.testing.assert_close(mean_pool(hidden), hidden.mean(1))
    assert mean_pool(hidden, torch.zeros(1, 3)).isfinite().all()


@pytest.mark.parametrize(("kind", "units"), [("released", 4), ("paper", 12)])
def test_the_projection_is_that_of_the_code_or_that_of_the_paper(kind, units):
    torch.manual_seed(0)
    head = Projection(6, 4, 0.5, kind).eval()
    hidden = torch.randn(3, 6)
    first = hidden @ head.linear1.weight.T
    assert first.shape == (3, units)
    skip = first if kind == "released" else torch.zeros(3, 4)
    inner = skip + functional.gelu(first) @ head.linear2.weight.T
    torch.testing.assert_close(head(hidden), functional.layer_norm(inner, (4,)))
    head.layer_norm = torch.nn.Identity()  # in training half of what is added is dropped
    added = head.train()(hidden.repeat(500, 1)) - skip.repeat(500, 1)
    assert (added.abs() < 1e-6).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_forward_returns_logits_and_embeddings(model):
    inputs = model.processor(text=["is loud", "is quiet"], audio=noise(4000, 3000))
    output = model(**inputs)
    names = ["logits_per_audio", "logits_per_text", "text_embeds", "audio_embeds"]
    assert list(output) == [*names, "text_model_output", "audio_model_output"]
    cosine = output.audio_embeds @ output.text_embeds.T
    torch.testing.assert_close(output.logits_per_audio, cosine / 0.07, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(output.logits_per_audio, output.logits_per_text.T)
    torch.testing.assert_close(output.audio_embeds.norm(dim=-1), torch.ones(2))
    found = model(**inputs, return_dict=False, return_loss=True)
    torch.testing.assert_close(found[0], contrastive_loss(output.logits_per_audio))
    assert torch.equal(found[1], output.logits_per_audio) and type(found[-1]) is tuple
    with pytest.raises(TypeError, match="audio_atention_mask"):
        model(**inputs, audio_atention_mask=None)


def test_layers_are_given_where_they_are_asked_for(model):
    inputs = model.processor(text=["is loud", "is quiet"], audio=noise(4000, 3000))
    model.set_attn_implementation("eager")
    asked = model(**inputs, output_hidden_states=True, output_attentions=True)
    model.config.output_hidden_states = model.config.output_attentions = True
    for output in (asked, model(**inputs)):
        for part in (output.text_model_output, output.audio_model_output):
            assert (len(part.hidden_states), len(part.attentions)) == (2, 1)
            assert part.shape == part.pooler_output.shape == (2, 16)


def test_tokens_are_read_as_transformers_tokenizers_give_them(model):
    tokens = AutoTokenizer.from_pretrained(minilm_folder())(["is loud"], return_tensors="pt")
    assert "token_type_ids" in tokens
    features = model.get_text_features(**tokens).pooler_output
    assert torch.equal(features, model.get_text_features(tokens["input_ids"]).pooler_output)
    tokens["token_type_ids"] += 1
    assert not torch.equal(features, model.get_text_features(**tokens).pooler_output)
    count = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(count + 1)
    assert model.get_text_features(torch.tensor([[count]])).shape == (1, 16)
    assert model.config.text_config.vocab_size == count + 1


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_pooling_is_the_first_token_or_the_mean(pooling):
    model = build("smoke", "smoke", 8, 0.0, pooling, seed=0).eval()
    inputs = model.processor(text=["is loud", "has a high pitch and is short"])
    with torch.inference_mode():
        hidden = model.text_model(**inputs).last_hidden_state
        pooled = model.pool_text(**inputs)
    first = hidden[0, 0] if pooling == "cls" else hidden[0, :4].mean(0)
    torch.testing.assert_close(pooled[0], first)


def test_a_model_in_half_precision_reads_signals(model):
    batch = noise(9000, 16_000)
    exact = embed(model, batch)
    assert (exact - embed(model, [signal / 30 for signal in batch])).abs().max() > 1e-3  # level
    half = embed(model.to(torch.bfloat16), batch)
    assert half.dtype == torch.float32  # they are compared in full
    assert functional.cosine_similarity(half, exact).min() > 0.99


def test_gradient_checkpointing_gives_the_same_gradients(model):
    model.train()
    model.audio_projection.eval()
    model.text_model.eval()
    found = []
    for enable in (False, True):
        if enable:
            model.activation_checkpointing_enable({"use_reentrant": False})
            assert model.is_activation_checkpointing
        model.zero_grad()
        features = model.get_audio_features(**model.prepare(audio=noise(4000, 3000)))
        features.pooler_output[:, 0].sum().backward()
        found.append(model.audio_model.feature_extractor.conv_layers[0].conv.weight.grad)
    torch.testing.assert_close(found[0], found[1])


def test_the_bias_of_the_sigmoid_objective_is_optional():
    assert build("smoke", "smoke", 8, 0.0, "cls", seed=0).logit_bias is None
    bias = build("smoke", "smoke", 8, 0.0, "cls", seed=0, bias=True).logit_bias
    assert bias is not None and bias.item() == -10


AUDIO = [WhisperConfig(), ClapConfig(), ParaCLAPConfig()]
AUDIO += [FunctionalsConfig(encoder=FunctionalsConfig())]
AUDIO += [{"model_type": name} for name in ("bert", "speecht5", "oneformer")]
TEXT = [{"model_type": "wav2vec2"}, {"model_type": "t5"}, ParaCLAPConfig()]


@pytest.mark.parametrize(
    ("kind", "config", "reads"),
    [*(("audio", one, "waveforms") for one in AUDIO), *(("text", one, "tokens") for one in TEXT)],
)
def test_encoders_of_other_kinds_are_refused(kind, config, reads):
    message = rf"Bad {kind} encoder '[\w-]+', expected one that reads {reads}"
    with pytest.raises(ValueError, match=message):
        ParaCLAPConfig(**{f"{kind}_config": config})
