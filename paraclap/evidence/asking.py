"""How much do answers depend on the wording? One question in many wordings, alone and together.

Voices are embedded once, queries once; a system is whatever embeds a list of queries, so that
other models can be asked alike. Of many wordings an answer can be made in three ways:

- `mean embedding`: the queries of a class are embedded, and their unit-length embeddings averaged
  and brought to unit length again, one for each class;
- `mean probability`: the probabilities of all wordings are averaged;
- `entropy-weighted`: they are averaged with weights that fall with the entropy of each answer, a
  wording's weight for a voice being proportional to 1 / entropy: a wording that leaves the voice
  undecided counts little.

None of them chooses a wording by its score.

Conventions: embeddings `(n, dimensions)` of unit length; logits are cosines times `scale`; entropy
in nats; kappa is 1 for equal answers and 0 for those of chance.
Source: Radford et al., ICML 2021, section 3.1.4 (mean of embeddings); Misra, Bourlard and Tyagi,
ICASSP 2003 (weights by inverse entropy); Cohen, Educ. Psychol. Meas. 1960 (kappa).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import entr, softmax

from paraclap import scores
from paraclap.evidence.wordings_set import FIXED, TEMPLATE, UNSEEN
from paraclap.tasks import truth

Floats = npt.NDArray[np.float64]
Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]
MEAN_EMBEDDING, MEAN_PROBABILITY, ENTROPY = "mean embedding", "mean probability", "entropy-weighted"
LEAST_ENTROPY = 1e-6  # nats: an answer cannot be surer than this, so that no weight is infinite


@dataclass(frozen=True)
class Asked:
    """The voices of one task and all wordings that it is asked in.

    Args:
        task: its name
        labels: its classes
        rows: its voices: `corpus, speaker, truth` on the audformat index
        wordings: a row a wording, see `wordings_set.asked`
        texts: embeddings of its queries, `(wordings, classes, dimensions)`
        voices: embeddings, `(voices, dimensions)`
        scale: factor of cosines, the model's learned one
    """

    task: str
    labels: tuple[str, ...]
    rows: pd.DataFrame
    wordings: pd.DataFrame
    texts: Floats
    voices: Floats
    scale: float

    def of(self, kind: str) -> npt.NDArray[np.intp]:
        """Places of the wordings of a kind, template or unseen."""
        return np.flatnonzero(self.wordings["kind"] == kind)

    def logits(self, kind: str = TEMPLATE) -> Floats:
        """Logits of the wordings of a kind, `(wordings, voices, classes)`."""
        cosines: Floats = np.einsum("vd,wcd->wvc", self.voices, self.texts[self.of(kind)])
        return self.scale * cosines

    @property
    def codes(self) -> npt.NDArray[np.intp]:
        """Position of the true class of each voice, `(voices,)`."""
        return pd.Index(self.labels).get_indexer(pd.Index(self.rows["truth"]))

    def answers(self, logits: Floats) -> pd.DataFrame:
        """Predictions table for logits or probabilities `(voices, classes)`."""
        given = np.asarray(self.labels, dtype=object)[logits.argmax(axis=1)]
        answered: pd.DataFrame = self.rows.assign(prediction=given)
        return answered

    def uar(self, logits: Floats) -> float:
        """UAR of the answers that logits or probabilities `(voices, classes)` give."""
        given = self.answers(logits)
        return scores.uar(given["truth"], given["prediction"], self.labels)


def ask(
    embed_text: Embed,
    voices: pd.DataFrame,
    embeddings: npt.NDArray[np.float32],
    sets: Mapping[str, pd.DataFrame],
    scale: float,
) -> list[Asked]:
    """Ask every task in all its wordings; each query is embedded once.

    Args:
        embed_text: queries → their embeddings of unit length
        voices: labels table, of any split
        embeddings: of the voices, in the same order
        sets: task → its wordings, as `wordings_set.asked` or `wordings_set.one` gives them
        scale: factor of cosines, the model's learned one

    Returns:
        the tasks that have a voice among these

    Raises:
        ValueError: if voices and embeddings differ in number
    """
    if len(voices) != len(embeddings):
        raise ValueError(f"Got {len(voices)} voices and {len(embeddings)} embeddings of voices.")
    own = {task: table[_labels(table)].to_numpy() for task, table in sets.items()}
    queries = list(dict.fromkeys(query for table in own.values() for query in table.ravel()))
    place = {query: row for row, query in enumerate(queries)}
    embedded = np.asarray(embed_text(queries), float)
    made = []
    for task, table in sets.items():
        classes = truth(voices, task)
        known = classes.isin(_labels(table)).to_numpy()
        rows = voices.loc[known, ["speaker"]].assign(corpus=task, truth=classes[known])
        texts = embedded[[[place[query] for query in row] for row in own[task]]]
        heard = np.asarray(embeddings[known], float)
        made.append(Asked(task, tuple(_labels(table)), rows, table, texts, heard, scale))
    return [one for one in made if len(one.rows)]


def _labels(wordings: pd.DataFrame) -> list[str]:
    return [str(name) for name in wordings if name not in FIXED]


def wording_scores(questions: Sequence[Asked]) -> pd.DataFrame:
    """UAR of every task in every wording: `task, wording, kind, template, queries, chance, uar`.

    Args:
        questions: as `ask` gives them
    """
    rows = []
    for one in questions:
        for kind in (TEMPLATE, UNSEEN):
            said = one.wordings.iloc[one.of(kind)]
            for logits, wording in zip(one.logits(kind), said.to_dict("records"), strict=True):
                place = {name: wording[name] for name in ("wording", "kind", "template")}
                queries = "; ".join(str(wording[label]) for label in one.labels)
                score = {"chance": 1 / len(one.labels), "uar": one.uar(logits)}
                rows.append({"task": one.task, **place, "queries": queries, **score})
    return pd.DataFrame(rows)


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """Mean, spread and worst over wordings: `task, kind, wordings, mean, std, worst, best, range`.

    Args:
        table: as `wording_scores` gives it
    """
    grouped = table.groupby(["task", "kind"], sort=False)["uar"]
    found = grouped.agg(wordings="size", mean="mean", std="std", worst="min", best="max")
    found["range"] = found["best"] - found["worst"]
    return found.reset_index()


def ensembles(one: Asked, kind: str = TEMPLATE) -> dict[str, pd.DataFrame]:
    """Predictions of one task by all its wordings together, ensemble → predictions table.

    Args:
        one: the task
        kind: of wordings, template or unseen; no ensembles if the task has none
    """
    if not len(one.of(kind)):
        return {}
    mean = unit(one.texts[one.of(kind)].mean(axis=0))
    shares = softmax(one.logits(kind), axis=-1)
    return {
        MEAN_EMBEDDING: one.answers(one.voices @ mean.T),
        MEAN_PROBABILITY: one.answers(shares.mean(axis=0)),
        ENTROPY: one.answers(entropy_weighted(shares)),
    }


def unit(vectors: Floats) -> Floats:
    """Bring vectors along the last axis to unit length."""
    length: Floats = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / length


def entropy_weighted(shares: Floats) -> Floats:
    """Average probabilities of several wordings, each weighted by its inverse entropy.

    Args:
        shares: `(wordings, voices, classes)`

    Returns:
        `(voices, classes)`

    >>> sure, unsure = [[0.9, 0.1]], [[0.5, 0.5]]
    >>> entropy_weighted(np.array([sure, unsure])).round(3).tolist()
    [[0.772, 0.228]]
    """
    weights = 1 / np.maximum(entr(shares).sum(axis=-1), LEAST_ENTROPY)
    averaged: Floats = np.einsum("wv,wvc->vc", weights / weights.sum(axis=0), shares)
    return averaged


def agreement(questions: Sequence[Asked], kind: str = TEMPLATE) -> pd.DataFrame:
    """How alike the answers of two wordings are, a mean over all pairs of wordings.

    Args:
        questions: as `ask` gives them; those with fewer than two wordings of the kind are left out
        kind: of wordings

    Returns:
        `task, wordings, equal, kappa`: share of voices with equal answers, and Cohen's kappa
    """
    rows = []
    for one in questions:
        given = one.logits(kind).argmax(axis=-1)
        if len(given) > 1:
            equal, kappa = agree(given, len(one.labels))
            place = {"task": one.task, "wordings": len(given)}
            rows.append({**place, "equal": equal, "kappa": kappa})
    return pd.DataFrame(rows, columns=["task", "wordings", "equal", "kappa"])


def agree(answers: npt.NDArray[np.intp], classes: int) -> tuple[float, float]:
    """Mean share of equal answers, and mean kappa, over pairs of raters.

    Kappa of two raters who both give one and the same answer throughout is not defined; such pairs
    are left out of its mean, which is NaN if there is no other.

    Args:
        answers: positions of classes, `(raters, voices)`
        classes: how many there are
    """
    given = np.eye(classes)[answers]
    equal = np.einsum("avc,bvc->ab", given, given) / answers.shape[1]
    shares = given.mean(axis=1)
    by_chance = shares @ shares.T
    pairs = np.triu_indices(len(answers), 1)
    observed, expected = equal[pairs], by_chance[pairs]
    defined = expected < 1 - 1e-12
    kappas = (observed[defined] - expected[defined]) / (1 - expected[defined])
    return float(observed.mean()), float(kappas.mean()) if len(kappas) else float("nan")
