"""What lies beside what? Places of voices in two dimensions, and how far they may be believed.

A map keeps some of the neighbours that voices have among their embeddings and loses others:
`kept` says how many. `agreement` asks of the neighbours themselves, on the map or among the
embeddings, how often they share an attribute, beside what is left when attributes are dealt out at
random.

Conventions: embeddings `(voices, dimensions)` float32 of unit length; neighbours are nearest by
cosine among embeddings and by distance on the map, a voice is none of its own; places `(voices, 2)`
float64, the axes of which mean nothing; shares lie in 0 to 1.

Source: L. van der Maaten, G. Hinton: Visualizing data using t-SNE, JMLR 9, 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

METHODS = ("tsne", "pca")
NEAREST = 10  # neighbours that are looked at
_PERPLEXITY = 30  # of t-SNE: about how many neighbours a voice shall have
_FEWEST = 8  # voices for t-SNE

Embeddings = npt.NDArray[np.float32]
Places = npt.NDArray[np.float64]


def places(embeddings: Embeddings, method: str = "tsne", seed: int = 0) -> Places:
    """Lay voices out in two dimensions.

    Args:
        embeddings: of the voices
        method: `tsne` keeps neighbours together and says little of far distances; `pca` shows the
            two directions in which the voices differ most, and is used below eight voices
        seed: of t-SNE

    Raises:
        ValueError: if the method is another one, or there are fewer than three voices
    """
    if method not in METHODS:
        raise ValueError(f"Bad method {method!r} of a map, expected one of {list(METHODS)}.")
    if len(embeddings) < 3:
        msg = f"Got {len(embeddings)} voices for a map, expected three or more: draw more of them."
        raise ValueError(msg)
    if method == "pca" or len(embeddings) < _FEWEST:
        return np.asarray(PCA(2, svd_solver="full").fit_transform(embeddings), np.float64)
    # The exact method gives the same places with any number of threads.
    how: dict[str, Any] = {"init": "pca", "metric": "cosine", "method": "exact"}
    perplexity = min(_PERPLEXITY, (len(embeddings) - 1) / 3)
    found = TSNE(2, perplexity=perplexity, random_state=seed, **how).fit_transform(embeddings)
    return np.asarray(found, np.float64)


def nearest(points: npt.NDArray[Any], n: int = NEAREST) -> npt.NDArray[np.intp]:
    """Nearest neighbours of every point, nearest first, shape `(points, n)` or fewer of a few.

    Args:
        points: embeddings (compared by cosine, which for unit length is the order of distance), or
            places
        n: how many
    """
    found = NearestNeighbors(n_neighbors=min(n, len(points) - 1)).fit(points)
    return np.asarray(found.kneighbors(return_distance=False), np.intp)


def kept(embeddings: Embeddings, places: Places, n: int = NEAREST) -> float:
    """Share of the nearest neighbours among embeddings that are nearest on the map as well.

    Args:
        embeddings: of the voices
        places: theirs on the map
        n: neighbours of each
    """
    pairs = zip(nearest(embeddings, n), nearest(places, n), strict=True)
    return float(np.mean([np.isin(one, other).mean() for one, other in pairs]))


def agreement(
    points: npt.NDArray[Any],
    table: pd.DataFrame,
    columns: list[str],
    draws: int = 200,
    seed: int = 0,
    n: int = NEAREST,
) -> pd.DataFrame:
    """How often neighbours share an attribute, and how often they would by chance.

    Voices of which the attribute is not known are left out, as neighbours and as voices.

    Args:
        points: embeddings or places of the voices
        table: the voices in the same order, a column per attribute
        columns: attributes; one with a single value, or known of fewer than three, is left out
        draws: times the attribute is dealt out anew
        seed: of the draws
        n: neighbours of each voice

    Returns:
        `attribute, n` (voices), `share`, and by chance `chance, chance_low, chance_high` (mean and
        95 % of the draws)
    """
    rng = np.random.default_rng(seed)
    rows = []
    for column in columns:
        known = table[column].notna().to_numpy()
        codes = pd.factorize(table[column][known])[0]
        if len(codes) < 3 or codes.max() < 1:
            continue
        beside = nearest(points[known], n)
        drawn = [_share(rng.permutation(codes), beside) for _ in range(draws)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        found = {"attribute": column, "n": len(codes), "share": _share(codes, beside)}
        by_chance = {"chance": np.mean(drawn), "chance_low": low, "chance_high": high}
        rows.append(found | by_chance)
    names = ["attribute", "n", "share", "chance", "chance_low", "chance_high"]
    return pd.DataFrame(rows, columns=names)


def _share(codes: npt.NDArray[Any], beside: npt.NDArray[np.intp]) -> float:
    return float((codes[beside] == codes[:, None]).mean())


def gap(voices: Embeddings, queries: Embeddings) -> dict[str, float]:
    """How far apart voices and queries lie as a whole: mean cosines.

    Args:
        voices: their embeddings
        queries: theirs

    Returns:
        `voices` (to one another), `queries` (to one another), `between` (a voice and a query), and
        `closest` (a voice and its closest query)
    """
    between = voices @ queries.T
    return {
        "voices": _among(voices),
        "queries": _among(queries),
        "between": float(between.mean()),
        "closest": float(between.max(axis=1).mean()),
    }


def _among(embeddings: Embeddings) -> float:
    """Mean cosine of all pairs of two."""
    pairs = np.triu_indices(len(embeddings), 1)
    return float((embeddings @ embeddings.T)[pairs].mean())
