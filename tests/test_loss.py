import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraclap.loss import chance, contrastive, scaled_similarity


def slow(logits: list[list[float]]) -> float:
    """The equations of the paper, term by term."""
    n = len(logits)
    total = 0.0
    for i in range(n):
        row = sum(math.exp(logits[i][j]) for j in range(n))
        column = sum(math.exp(logits[j][i]) for j in range(n))
        total -= math.log(math.exp(logits[i][i]) / row) + math.log(math.exp(logits[i][i]) / column)
    return total / (2 * n)


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_loss_equals_the_equations_of_the_paper(n: int, seed: int) -> None:
    logits = torch.randn(n, n, generator=torch.Generator().manual_seed(seed)) * 3
    assert contrastive(logits).item() == pytest.approx(slow(logits.tolist()), abs=1e-5)


def test_loss_of_a_known_case() -> None:
    # row: -ln(e^2/(e^2+1)) for both rows and both columns
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    assert contrastive(logits).item() == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)


def test_loss_of_equal_logits_is_chance() -> None:
    assert contrastive(torch.zeros(64, 64)).item() == pytest.approx(chance(64))


def test_loss_is_the_same_with_audio_and_text_exchanged() -> None:
    logits = torch.randn(5, 5)
    assert contrastive(logits).item() == pytest.approx(contrastive(logits.T).item())


def test_gradient_equals_finite_differences() -> None:
    logits = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(contrastive, (logits,))


def test_loss_refuses_a_batch_without_pairs() -> None:
    message = (
        "Bad logits of shape (3, 4), expected (n, n): give every voice of the batch exactly one "
        "query."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        contrastive(torch.zeros(3, 4))


def test_loss_is_computed_where_the_logits_are() -> None:
    assert contrastive(torch.zeros(3, 3, device="meta")).device.type == "meta"


def test_similarity_is_a_cosine_or_a_plain_product() -> None:
    audio, text = torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.tensor([[0.0, 2.0], [6.0, 8.0]])
    scale = torch.tensor(10.0)
    cosine = scaled_similarity(audio, text, scale)
    torch.testing.assert_close(cosine, torch.tensor([[8.0, 10.0], [10.0, 8.0]]))
    product = scaled_similarity(audio, text, scale, "dot")
    torch.testing.assert_close(product, torch.tensor([[80.0, 500.0], [20.0, 80.0]]))
    message = "Bad similarity 'euclid', expected one of ('cosine', 'dot')."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        scaled_similarity(audio, text, scale, "euclid")
