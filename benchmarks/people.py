"""What do models hear in people? Attributes, asked of people whom no training contained.

    make model book people               # models of synthetic speech; the clips of people
    python -m benchmarks.people          # half an hour; --rounds: seeds with the encoder egemaps

Five folds over the speakers of :mod:`paraclap.corpora.people`: each is asked about once. Levels are
those of people of the other folds, for all models; settings are those of the models of synthetic
speech. The gender is also read off the pitch alone. Writes benchmarks/people.csv.
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from benchmarks import measure
from paraclap import ParaCLAP, embed_audio, queries, tables
from paraclap.evaluation import compare, tasks
from paraclap.training import Settings, train

SYNTHETIC = {"egemaps": "quick", "small": "demo"}  # encoder → run
FOLDS, PITCH = 5, ["F0semitoneFrom27.5Hz_sma3nz_amean"]
Answers = dict[str, list[pd.DataFrame]]  # what was learned from → answers of each seed


def main(given: list[str] | None = None) -> None:
    """Train, ask, write and print."""
    args = measure.arguments("people", given, rounds=3)
    clips, parts = read("people"), []
    for encoder, run in list(SYNTHETIC.items())[: 1 if args.dry else None]:
        spoken = read("smoke" if args.dry else run)
        seeds = 1 if args.dry or encoder == "small" else args.rounds
        answers = asked(clips, spoken, seeds)
        parts.append(summary(answers).assign(encoder=encoder, seeds=seeds))
        print(parts[-1].round(3).to_string(index=False), flush=True)
    tables.write_table(pd.concat(parts).round(4), args.out.with_suffix(".csv"))


def read(run: str) -> tuple[pd.DataFrame, pd.DataFrame, Path]:
    """Labels and features of the training corpus of a run, and its folder."""
    folder = tables.run_folder(run)
    features = tables.read_table(folder / "features.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[features.index]
    learned = labels["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"])
    return labels[learned], features, folder


def asked(clips: tuple, spoken: tuple, seeds: int) -> Answers:
    """Answers about people of models that learned from others."""
    (labels, features, _), (speech, theirs, run) = clips, spoken
    settings, model = Settings.of(tables.read_json(run / "settings.json")), run / "model"
    folds = np.random.default_rng(0).permutation(labels["speaker"].nunique()) % FOLDS
    fold = labels["speaker"].map(dict(zip(sorted(set(labels["speaker"])), folds, strict=True)))
    found: dict[tuple[str, int], list[pd.DataFrame]] = defaultdict(list)
    for k in range(FOLDS):
        split = fold.map({k: "test", (k + 1) % FOLDS: "dev"}).fillna("train")
        labels, both = labels.assign(split=split), pd.concat([theirs, features])
        levels = described(labels, features)
        pairs = {"people": labels, "both": pd.concat([labels[split != "test"], speech])}
        test = labels[split == "test"]
        pitch = LogisticRegression().fit(*known(labels[split == "train"], features))
        values, gender = known(test, features)
        rows = test.loc[gender.index, ["speaker"]].assign(corpus="gender", truth=gender)
        found["pitch alone", 0].append(rows.assign(prediction=pitch.predict(values)))
        for seed in range(seeds):
            models = {"synthetic": ParaCLAP.from_pretrained(model)} if not seed else {}
            for name, rows in pairs.items():
                pool, own = queries.QueryPool(described(rows, both)), settings.but(seed=seed)
                with tempfile.TemporaryDirectory() as place:
                    models[name] = train(rows, pool, Path(place), own, both)
            for name, net in models.items():
                embeddings = embed_audio(net, test, functionals=features)
                answers = tasks.attribute_answers(net, test, embeddings, levels.loc[test.index])
                found[name, seed].append(answers)
    return {
        one: [pd.concat(parts) for (name, _), parts in found.items() if name == one]
        for one, _ in found
    }


def described(labels: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Levels of utterances, cut at the edges of their training split, with emotion and gender."""
    own = features.loc[labels.index]
    edges = queries.fit_levels(own[(labels["split"] == "train").to_numpy()])
    return queries.assign_levels(own, edges).join(labels[["emotion", "gender"]])


def known(labels: pd.DataFrame, features: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Pitch of the utterances whose gender is stated, and the gender as an end."""
    gender = labels["gender"].map({"female": "low", "male": "high"}).dropna()
    return features.loc[gender.index, PITCH], gender


def summary(answers: Answers) -> pd.DataFrame:
    """UAR by attribute and what was learned from, with intervals over people and differences."""
    ends = dict.fromkeys(answers["people"][0]["corpus"], ("low", "high"))
    scored = compare.score_systems(answers, ends)
    table = compare.intervals(scored)
    counts = answers["people"][0].groupby("corpus")["speaker"].agg(["size", "nunique"])
    table = table.join(counts.set_axis(["n", "speakers"], axis=1), on="task")
    gaps = compare.differences(scored, [(name, "synthetic") for name in ("people", "both")])
    return table.merge(gaps.drop(columns="other"), "outer", on=["task", "system"])


if __name__ == "__main__":
    main(sys.argv[1:])
