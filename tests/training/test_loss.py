import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraclap.training import contrastive_loss, loss_floor, scaled_similarity
from paraclap.training.loss import sigmoid_loss


def slow(logits: list[list[float]]) -> float:
    """The equations of the paper, term by term."""
    n, total = len(logits), 0.0
    for i in range(n):
        row = sum(math.exp(logits[i][j]) for j in range(n))
        column = sum(math.exp(logits[j][i]) for j in range(n))
        total -= math.log(math.exp(logits[i][i]) / row) + math.log(math.exp(logits[i][i]) / column)
    return total / (2 * n)


def some_logits(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, n, generator=torch.Generator().manual_seed(seed)) * 3


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_loss_equals_the_equations_of_the_paper(n: int, seed: int) -> None:
    logits = some_logits(n, seed)
    assert contrastive_loss(logits).item() == pytest.approx(slow(logits.tolist()), abs=1e-5)


@pytest.mark.parametrize("loss", [contrastive_loss, sigmoid_loss])
def test_gradient_equals_finite_differences(loss) -> None:
    logits = some_logits(4, 0).double().requires_grad_()
    assert torch.autograd.gradcheck(loss, (logits,))


@pytest.mark.parametrize("shape", [(3, 4), (9,), (2, 2, 2)])
def test_loss_refuses_a_batch_without_pairs(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Bad logits \(.*\), expected \(n, n\)"):
        contrastive_loss(torch.zeros(shape))


def test_similarity_is_a_cosine_or_a_plain_product() -> None:
    audio, text = torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.tensor([[0.0, 2.0], [6.0, 8.0]])
    cosine = scaled_similarity(audio, text, 10.0)
    torch.testing.assert_close(cosine, torch.tensor([[8.0, 10.0], [10.0, 8.0]]))
    product = scaled_similarity(audio, text, torch.tensor(10.0), "dot")
    torch.testing.assert_close(product, torch.tensor([[80.0, 500.0], [20.0, 80.0]]))
    with pytest.raises(ValueError, match="Unknown similarity 'euclid', expected one of cosine"):
        scaled_similarity(audio, text, 10.0, "euclid")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_no_model_gets_below_the_floor_and_a_perfect_one_reaches_it(captions: list[int]) -> None:
    names = torch.tensor(captions)
    perfect = 100.0 * (names[:, None] == names)
    assert contrastive_loss(perfect).item() == pytest.approx(loss_floor(captions), abs=1e-5)


def test_sigmoid_loss_asks_every_pair_by_itself() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 3.0]])
    each = [math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1))]
    each += [math.log(1 + math.exp(0.5)), math.log(1 + math.exp(-3))]
    assert sigmoid_loss(logits).item() == pytest.approx(sum(each) / 2, abs=1e-6)
