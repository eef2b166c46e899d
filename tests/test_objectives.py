"""Objectives against cases worked out by hand and against loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraclap.loss import contrastive, matched, ranked, sigmoid
from paraclap.objectives import OBJECTIVES, loss


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whole(objective: str, weight: float, logits: torch.Tensor, **known: torch.Tensor) -> float:
    bias = torch.tensor(-1.0, dtype=torch.float64)
    return loss(objective, weight, logits, logits.T, 0, known, bias).item()


def test_the_objective_of_the_paper_is_the_symmetric_cross_entropy() -> None:
    logits = random(5, 5)
    assert whole("pairs", 1.0, logits) == pytest.approx(contrastive(logits).item())


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_objective_without_weight_is_that_of_the_paper(objective: str) -> None:
    logits, same = random(4, 4), torch.ones(4, 4, dtype=torch.float64)
    found = whole(objective, 0.0, logits, by_audio=same / 4, by_text=same / 4, distances=same)
    assert found == pytest.approx(contrastive(logits).item())


def test_texts_that_are_shared_share_their_target() -> None:
    # Two voices with one text: either column is right, so log 2 is all that can be asked for.
    logits, half = torch.zeros(2, 2, dtype=torch.float64), torch.full((2, 2), 0.5).double()
    assert whole("duplicates", 1.0, logits, by_audio=half, by_text=half) == pytest.approx(
        math.log(2)
    )
    # Row 0: -(ln p00 + ln p01) / 2 with p = softmax(ln 3, 0) = (3/4, 1/4); row 1: both 1/2.
    logits = torch.tensor([[math.log(3), 0], [0, 0]], dtype=torch.float64)
    row = -(math.log(3 / 4) + math.log(1 / 4)) / 2
    found = whole("holds", 1.0, logits, by_audio=half, by_text=half)
    assert found == pytest.approx((row + math.log(2)) / 2)


def test_weight_mixes_the_target_with_that_of_the_paper() -> None:
    logits, soft = random(3, 3), random(3, 3, seed=1).softmax(1)
    known = {"by_audio": soft, "by_text": soft}
    ends = [whole("soft", weight, logits, **known) for weight in (0.0, 1.0)]
    assert whole("soft", 0.3, logits, **known) == pytest.approx(0.7 * ends[0] + 0.3 * ends[1])


def test_sigmoid_asks_every_pair_by_itself() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 3.0]], dtype=torch.float64)
    shifted = [[1.0, -2.0], [-0.5, 2.0]]  # the bias is -1

    def minus_log_sigmoid(x: float) -> float:
        return math.log(1 + math.exp(-x))

    signs = [[1, -1], [-1, 1]]
    total = sum(minus_log_sigmoid(signs[i][j] * shifted[i][j]) for i in range(2) for j in range(2))
    assert whole("sigmoid", 1.0, logits) == pytest.approx(total / 2)
    assert sigmoid(logits - 1, torch.eye(2).double()).item() == pytest.approx(total / 2)


def slow_ranked(logits: torch.Tensor, distances: torch.Tensor) -> float:
    terms = []
    for i in range(len(logits)):
        known = [j for j in range(logits.shape[1]) if not math.isnan(distances[i, j])]
        for j in known:
            farther = [k for k in known if distances[i, k] >= distances[i, j]]
            bottom = sum(math.exp(logits[i, k]) for k in farther)
            terms.append(-math.log(math.exp(logits[i, j]) / bottom))
    return sum(terms) / max(1, len(terms))


@given(st.integers(1, 7), st.integers(0, 1000))
def test_ranked_equals_its_definition_with_ties_and_unknown_ratings(n: int, seed: int) -> None:
    logits = random(n, n, seed=seed)
    distances = (random(n, n, seed=seed + 1) * 2).round().abs()
    distances[random(n, n, seed=seed + 2) > 1] = math.nan
    assert ranked(logits, distances).item() == pytest.approx(slow_ranked(logits, distances))


def test_ranked_of_a_known_case() -> None:
    # Text 0 is nearest: its softmax runs over both texts; the farthest has only itself: ln 1.
    logits, distances = torch.tensor([[math.log(3), 0.0]]), torch.tensor([[0.0, 1.0]])
    assert ranked(logits, distances).item() == pytest.approx(-math.log(3 / 4) / 2)


def test_rank_is_the_mean_over_voices_and_texts() -> None:
    logits, distances = random(4, 4), random(4, 4, seed=1).abs()
    both = slow_ranked(logits, distances) + slow_ranked(logits.T, distances)
    assert whole("rank", 1.0, logits, distances=distances) == pytest.approx(both / 2)


def test_ranked_prefers_the_order_of_the_ratings() -> None:
    distances = torch.tensor([[0.0, 1.0, 2.0]])
    right, wrong = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[0.0, 1.0, 2.0]])
    assert ranked(right, distances) < ranked(wrong, distances)


def test_ranked_without_any_rating_is_zero_and_has_a_gradient() -> None:
    logits = random(3, 3).requires_grad_()
    value = ranked(logits, torch.full((3, 3), math.nan).double())
    value.backward()
    assert value.item() == 0
    assert logits.grad is not None and bool((logits.grad == 0).all())


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradients_equal_finite_differences(objective: str) -> None:
    soft, distances = random(4, 4, seed=1).softmax(1), random(4, 4, seed=2).abs()
    distances[1, 2] = distances[2] = math.nan
    known = {"by_audio": soft, "by_text": soft, "distances": distances}
    bias = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)

    def value(logits: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return loss(objective, 0.6, logits, logits.T, 0, known, bias)

    logits = random(4, 4).requires_grad_()
    assert torch.autograd.gradcheck(
        value, (logits, bias if objective == "sigmoid" else bias.detach())
    )


def test_loss_is_computed_where_the_logits_are() -> None:
    logits = torch.zeros(3, 3, device="meta")
    assert loss("pairs", 1.0, logits, logits.T, 0, {}).device.type == "meta"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_mean_over_processes_is_the_loss_of_the_batch(objective: str) -> None:
    logits, soft = random(6, 6), random(6, 6, seed=1).softmax(1)
    known = {"by_audio": soft, "by_text": soft.flip(0), "distances": random(6, 6, seed=2).abs()}
    known["distances"] = known["distances"] + known["distances"].T
    bias = torch.tensor(-1.0, dtype=torch.float64)
    parts = []
    for first in (0, 2, 4):
        own = slice(first, first + 2)
        cut = {name: values[own] for name, values in known.items()}
        parts.append(loss(objective, 0.5, logits[own], logits.T[own], first, cut, bias).item())
    assert sum(parts) / 3 == pytest.approx(whole(objective, 0.5, logits, **known))


def test_matched_takes_columns_or_shares() -> None:
    logits, columns = random(3, 5), torch.tensor([4, 0, 2])
    shares = torch.nn.functional.one_hot(columns, 5).double()
    assert matched(logits, columns).item() == pytest.approx(matched(logits, shares).item())
