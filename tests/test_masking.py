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
