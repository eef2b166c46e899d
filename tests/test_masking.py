import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

from paraclap import masking

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": (8, 8),
    "conv_kernel": (400, 3),
    "conv_stride": (160, 2),
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "layerdrop": 0.0,
}


def runs(row: torch.Tensor) -> list[int]:
    """Lengths of the stretches that are True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.numpy().astype(int), [0]])))
    return list(edges[1::2] - edges[::2])


@pytest.mark.parametrize(
    ("share", "span", "least"), [(0.05, 10, 2), (0.3, 10, 0), (0.65, 10, 2), (0.2, 4, 1)]
)
def test_spans_mask_as_much_as_those_of_transformers(share: float, span: int, least: int) -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    lengths = torch.tensor([249, 200, 100, 30])
    marks = (torch.arange(249) < lengths[:, None]).long()
    ours = [masking.spans(lengths, 249, share, span, least) for _ in range(400)]
    theirs = [_compute_mask_indices((4, 249), share, span, marks, least) for _ in range(400)]
    got = torch.stack(ours).float().mean((0, 2))
    expected = np.stack(theirs).mean((0, 2))
    np.testing.assert_allclose(got, expected, rtol=0.08)


def test_spans_are_whole_and_lie_within_their_rows() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([50, 20, 10, 9])
    for _ in range(100):
        masked = masking.spans(lengths, 50, 0.2, 10, 1)
        assert all(length >= 10 for row in masked for length in runs(row))
        assert not any(row[length:].any() for row, length in zip(masked, lengths, strict=True))
        assert masked[2].all() or masked[2, :10].all()  # one span fits, exactly
        assert not masked[3].any()  # none fits


def test_nothing_is_masked_where_nothing_is_to_be() -> None:
    assert not masking.spans(torch.tensor([40]), 40, 0.0, 10, 0).any()
    assert not masking.spans(torch.tensor([5]), 5, 0.5, 10, 2).any()


def test_rows_shorter_than_a_span_are_rows_without_one() -> None:
    none = masking.spans(torch.tensor([5, 3]), 5, 0.5, 10, 2)
    assert torch.equal(none, torch.zeros(2, 5, dtype=torch.bool))


@pytest.mark.parametrize("span", [10, 60])
def test_spans_are_drawn_where_the_lengths_are(span: int) -> None:
    masked = masking.spans(torch.tensor([50, 20], device="meta"), 50, 0.2, span, 1)
    assert masked.device.type == "meta"
    assert masked.shape == (2, 50)


def masked(voices: torch.Tensor, mask: torch.Tensor | None = None, **config: float) -> torch.Tensor:
    """What an encoder makes of hidden states while it learns, and its vector for what it masks."""
    spared = {"mask_time_prob": 0.0, "mask_feature_prob": 0.0, "mask_feature_min_masks": 1}
    tower = Wav2Vec2Model(Wav2Vec2Config(**{**SMALL, **spared, **config})).train()
    with torch.no_grad():
        tower.masked_spec_embed.fill_(7.0)
        masking.draw_on_device(tower)
        return tower._mask_hidden_states(voices, attention_mask=mask)


def test_masked_frames_lie_in_the_signal_and_all_hold_the_learned_vector() -> None:
    torch.manual_seed(0)
    mask = torch.arange(40) < torch.tensor([[40], [12]])
    for marks, last in ((mask.long(), 12), (None, 40)):
        found = masked(torch.ones(2, 40, 16), marks, mask_time_prob=0.5, mask_time_length=4)
        hidden = (found == 7).all(2)
        assert torch.equal(found != 1, hidden[:, :, None].expand(-1, -1, 16))
        assert hidden[0].any() and hidden[1].any()
        assert not hidden[1, last:].any()


def test_masked_units_are_silent_in_every_frame() -> None:
    torch.manual_seed(0)
    found = masked(torch.ones(2, 40, 16), mask_feature_prob=0.5, mask_feature_length=4)
    silent = (found == 0).all(1)
    assert silent.any(1).all() and not silent.all(1).any()
    assert torch.equal(found != 1, silent[:, None].expand(-1, 40, -1))


def test_an_encoder_draws_its_masks_from_the_seed_of_the_step_alone() -> None:
    torch.manual_seed(0)
    tower = Wav2Vec2Model(Wav2Vec2Config(mask_time_prob=0.3, mask_feature_prob=0.2, **SMALL))
    voices = torch.randn(3, 16_000)
    plain = tower.eval()(voices).last_hidden_state
    masking.draw_on_device(tower)
    assert torch.equal(tower(voices).last_hidden_state, plain)
    tower.train()
    heard = []
    for noise in (1, 2):
        np.random.seed(noise)  # the stream that transformers draws from
        torch.manual_seed(7)
        heard.append(tower(voices).last_hidden_state)
    assert torch.equal(heard[0], heard[1])
    assert not torch.allclose(heard[0], plain, atol=1e-3)


def test_encoders_that_mask_nothing_stay_as_they_are() -> None:
    tower = Wav2Vec2Model(Wav2Vec2Config(apply_spec_augment=False, **SMALL))
    before = tower._mask_hidden_states
    masking.draw_on_device(tower)
    assert tower._mask_hidden_states == before
