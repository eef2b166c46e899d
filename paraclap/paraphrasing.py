"""Which other wordings of a template does a language model offer, and which of them are taken?

    python -m paraclap.paraphrasing --model FOLDER --out paraphrases.csv --templates paper

asks a text-generation model for other wordings of every template of a set and keeps each answer
in a file, one a row: `source`, `paraphrase`, `model`, `settings`, `seed`, `accepted`, `reason`.
A sentence that was asked of a model with the same settings and seed is never asked again.

Nothing is taken by itself. An answer with a fault is marked `no`, and `reason` says which: a slot
is lost, it says a word that belongs to a class (see `emotion_words`), names another level, denies
what the sentence says, or is said of something else already. All others are `unreviewed`: read
them and write `yes` or `no`. Then

    python -m paraclap.paraphrasing --out paraphrases.csv --templates paper --write more.csv

writes a template set of its own, the templates and what was accepted, for `templates: more.csv`.
A reviewer may overrule a `no` about levels and denials, whose words are only signs.

Source: the outlook of section 5 of the paper, on more diverse queries.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.objections import fault, objection
from paraclap.pretrained import named
from paraclap.provenance import atomic_path
from paraclap.rewording import QUESTION, Rewriter
from paraclap.templates import COLUMNS as ROW
from paraclap.templates import sentences, template_rows

COLUMNS = ("source", "paraphrase", "model", "settings", "seed", "accepted", "reason")
VERDICTS = ("yes", "no", "unreviewed")


def paraphrase(
    sources: Iterable[str],
    model: str | Path,
    out: str | Path,
    count: int = 4,
    seed: int = 0,
    temperature: float = 0.8,
    max_tokens: int = 24,
    download: bool = False,
    device: str = "cpu",
) -> pd.DataFrame:
    """Ask a model for other wordings of sentences that it was not asked for yet, and keep them.

    Args:
        sources: the sentences, slots in braces
        model: folder or hub id of a causal language model; loaded only if something is to be asked
        out: the file of all answers, made or extended; written after each sentence
        count: answers a sentence
        seed: of the draws
        temperature: how much is left to chance; 0 for the one likeliest answer
        max_tokens: longest answer
        download: whether a model that is not on this machine may be fetched
        device: where the model runs

    Returns:
        the whole file, see `read`

    Raises:
        OSError: if the model cannot be loaded or the file not be read
        ValueError: if the file is not one of paraphrases, or a parameter is out of range
    """
    draws = {"count": count, "temperature": temperature, "max_tokens": max_tokens}
    if count < 1 or temperature < 0 or max_tokens < 1:
        raise ValueError(f"Bad parameters {draws}, expected at least 1, 0 and 1.")
    table = read(out) if Path(out).exists() else pd.DataFrame(columns=list(COLUMNS), dtype="str")
    settings = json.dumps({**draws, "question": QUESTION})
    made = {"model": named(model), "settings": settings, "seed": str(seed)}
    asked = set(table.loc[(table[list(made)] == pd.Series(made)).all(axis=1), "source"])
    new = [source for source in dict.fromkeys(sources) if source not in asked]
    if not new:
        return table
    rewriter = Rewriter.load(model, download, device)
    for source in new:
        answers = dict.fromkeys(rewriter.answers(source, count, seed, temperature, max_tokens))
        rows = _judged(source, list(answers), made, table)
        table = pd.concat([table, rows], ignore_index=True).fillna("")
        _write(table, out)
    return table


def _judged(
    source: str, answers: Sequence[str], made: Mapping[str, str], table: pd.DataFrame
) -> pd.DataFrame:
    """Rows of the answers to one sentence."""
    elsewhere = dict(zip(table["paraphrase"], table["source"], strict=True))
    reasons = [objection(source, answer) or _twice(source, answer, elsewhere) for answer in answers]
    verdicts = ["no" if reason else "unreviewed" for reason in reasons]
    own = {"source": source, "paraphrase": answers, **made}
    rows = pd.DataFrame(own | {"accepted": verdicts, "reason": reasons}, dtype="str")
    return rows[list(COLUMNS)]


def _twice(source: str, answer: str, elsewhere: Mapping[str, str]) -> str:
    return f"offered for {elsewhere[answer]!r} already" if answer in elsewhere else ""


def read(path: str | Path) -> pd.DataFrame:
    """Read a file of paraphrases; all columns are text, and further ones are kept.

    Raises:
        OSError: if it cannot be read
        ValueError: if columns lack or a verdict is none of yes, no, unreviewed
    """
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    if lacking := [name for name in COLUMNS if name not in table]:
        raise ValueError(
            f"No columns {lacking} in {named(path)}, expected {list(COLUMNS)}: "
            "is it a file of paraphrases?"
        )
    table["accepted"] = table["accepted"].str.strip().str.lower()
    bad = ~table["accepted"].isin(VERDICTS)
    if bad.any():
        lines = [f"line {i + 2}: {table['accepted'].iloc[i]!r}" for i in np.flatnonzero(bad)[:5]]
        raise ValueError(
            f"Bad values of accepted in {named(path)} ({bad.sum()} rows, {', '.join(lines)}), "
            f"expected one of {list(VERDICTS)}: correct them."
        )
    return table


def _write(table: pd.DataFrame, path: str | Path) -> None:
    with atomic_path(Path(path)) as temporary:
        table.to_csv(temporary, index=False)


def templates_from(path: str | Path, templates: str = "paper") -> pd.DataFrame:
    """Give the accepted paraphrases as rows of `templates.csv`.

    Each is said where its source is said, by a sentence of the template set for each row of it.

    Args:
        path: the file of paraphrases
        templates: the set that the sources are of; its name is that of the new rows too

    Returns:
        columns `set`, `attribute`, `level`, `when`, `template`

    Raises:
        ValueError: if an accepted paraphrase has a fault that no reviewer may let pass, is
            accepted for two templates, or its source is no template of the set
    """
    table = read(path)
    table = table[table["accepted"] == "yes"]
    faults = [fault(*pair) for pair in zip(table["source"], table["paraphrase"], strict=True)]
    known = _set(templates)
    strange = ~table["source"].isin(known["template"])
    twice = table.groupby("paraphrase")["source"].transform("nunique") > 1
    twice |= table["paraphrase"].isin(known["template"])
    reasons = pd.Series(faults, table.index, dtype="str")
    reasons = reasons.mask(twice, "another template says so, too")
    reasons = reasons.mask(strange, f"its source is no template of {templates!r}")
    _refuse(table.assign(reason=reasons)[reasons != ""], path)
    pairs = table[["source", "paraphrase"]].drop_duplicates()
    rows = known.merge(pairs, left_on="template", right_on="source", sort=False)
    return rows.assign(template=rows["paraphrase"])[list(ROW)]


def _set(templates: str) -> pd.DataFrame:
    """Rows of a template set."""
    rows = pd.DataFrame(template_rows(templates), columns=list(ROW))
    return rows if templates.endswith(".csv") else rows.assign(set=templates)


def _refuse(bad: pd.DataFrame, path: str | Path) -> None:
    if len(bad):
        pairs = zip(bad["paraphrase"].head(5), bad["reason"].head(5), strict=True)
        raise ValueError(
            f"{len(bad)} accepted paraphrases in {named(path)} cannot be templates "
            f"({'; '.join(f'{text!r}: {reason}' for text, reason in pairs)}), expected other "
            "wordings with the slots of their source: correct them, or write 'no'."
        )


def write_set(path: str | Path, out: str | Path, templates: str = "paper") -> Path:
    """Write a template set as a file: the templates of a set and its accepted paraphrases.

    Args:
        path: the file of paraphrases
        out: the file to write, to be used as `templates`; ends in `.csv`
        templates: the set that is extended

    Raises:
        ValueError: as `templates_from`, or if `out` is no place for a set
    """
    if Path(out).suffix != ".csv" or Path(out).resolve() == Path(path).resolve():
        raise ValueError(f"Bad file {named(out)} for a set, expected a .csv beside {named(path)}.")
    _write(pd.concat([_set(templates), templates_from(path, templates)]), out)
    return Path(out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m paraclap.paraphrasing", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", help="folder or hub id of a causal language model")
    parser.add_argument("--out", type=Path, required=True, help="file of all paraphrases")
    parser.add_argument("--templates", default="paper", help="template set")
    parser.add_argument("--count", type=int, default=4, help="answers a template")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--temperature", type=float, default=0.8, help="0: the likeliest answer")
    parser.add_argument("--max-tokens", type=int, default=24, help="longest answer")
    parser.add_argument("--device", default="cpu", help="where the model runs")
    parser.add_argument("--download", action="store_true", help="fetch the model of a hub id")
    parser.add_argument("--write", type=Path, help="write the templates and what was accepted here")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the return value is the exit status."""
    given = vars(_parser().parse_args(arguments))
    templates, model, out, write = (given.pop(n) for n in ("templates", "model", "out", "write"))
    try:
        if model:
            asked = [one.template for one in sentences(templates)]
            table = paraphrase(asked, model, out, **given)
            print(f"{out}: {table['accepted'].value_counts().to_dict()}")
        if write:
            print(f"{write_set(out, write, templates)}: {len(templates_from(out, templates))} new")
    except (OSError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
