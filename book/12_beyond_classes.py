# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: paraclap,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   paraclap:
#     reads:
#     - labels.parquet
#     - features.parquet
#     - queries.parquet
#     - settings.json
#     - model
#     writes:
#     - probes.csv
#     - control.csv
#     - retrieval.csv
#     - dimensions.csv
# ---

# %% [markdown]
# # Beyond classes
#
# **What else can we ask?** So far a question was about classes. A model that knows which words fit an utterance can also search
# utterances by words and words by utterances, and it can measure arousal or pitch. Two controls come first: a few labelled
# utterances, and captions that are not true. After this chapter you can
#
# - train a linear probe on embeddings, and say how many labels a question in words is worth,
# - test that a score comes from the captions and from nothing else,
# - measure search where many items are true, and compare it with a random order,
# - turn two opposite queries into a number, and compare it with ratings.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `model/`, `settings.json`; `labels.parquet`, `features.parquet`, `queries.parquet` | a {term}`segment` |
# | Writes | `probes.csv`, `control.csv` | a task and a probe; a task and the captions of a training |
# | Writes | `retrieval.csv`, `dimensions.csv` | a direction and a measure; an attribute |
#
# On synthetic speech the results show how the questions work, and say nothing about people.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# questions
template: str = "speaker is {}"  # prompt, with a slot for the word of a class
candidates: str = "own"  # words of the classes: own, or as in the paper or its released code
templates: str = "paper"  # paper, diverse, released, released-fixed, or a .csv
draws: int = 1000  # of the bootstrap that gives the intervals
# probes and control
shots: str = "1,4,16,64"  # labelled utterances of each class that a probe learns from
probe_draws: int = 5  # how often they are drawn
control_steps: int = 150  # steps of training with true and with shuffled captions

# %%
import numpy as np
import pandas as pd
import seaborn as sns

from paraclap import ParaCLAP, embed_audio, embed_text, tables, training
from paraclap.book import show
from paraclap.evaluation import dimensions, probe, retrieval, tasks
from paraclap.figures import style
from paraclap.figures.intervals import intervals
from paraclap.queries import QueryPool, query_truth

folder = tables.run_folder(run, runs)
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]

# %%
questions = tasks.tasks(labels, candidates)
counts = [int(count) for count in shots.split(",")]
learn = probe.learning_rows(labels, questions, 2 * max(counts), seed)
test, dev = (labels[labels["split"] == split] for split in ("test", "dev"))
needed = labels[labels.index.isin(test.index.union(dev.index).union(learn.index))]
model = ParaCLAP.from_pretrained(folder / "model")
embedded = pd.DataFrame(embed_audio(model, needed, functionals=features), needed.index)
of_test = embedded.loc[test.index].to_numpy()
predictions = tasks.predict(model, test, questions, template, of_test)
scores = tasks.score(predictions, questions, template, draws, seed)

# %% [markdown]
# ## What do labels contribute?
#
# A {term}`probe` is a logistic regression that learns the classes of a task from a few labelled utterances, on embeddings that stay
# as they are {cite}`radford2021clip`. It learns from other speakers than those it is tested on: from the train and dev splits of
# the corpus or, where there are none, from folds of the test split by speaker. The same regression on the eGeMAPS features stands
# beside it ({numref}`fig-beyond-probes`).

# %%
vectors = {"embeddings": embedded, "eGeMAPS": features}
rows = tasks.task_rows(labels)
probes = probe.probe_curves(vectors, rows, learn, questions, counts, probe_draws, draws, seed)
tables.write_table(probes, folder / "probes.csv")
zero = scores.set_index("task")
own = probes[probes["system"] == "embeddings"]
above = own["uar"] > own["task"].map(zero["uar"])
for k, better in above.groupby(own["k"]):
    count = f"{better.sum()} of {len(better)} tasks"
    print(f"Probes with {k} of each class score above the question in words on {count}.")

# %% mystnb={"figure": {"caption": "UAR of probes by the number of labelled utterances of each class, of the question in words (solid line) and of chance (dashed line). Where a curve crosses the solid line is how many labels of each class the words of the classes are worth.", "name": "fig-beyond-probes"}, "image": {"alt": "One panel for each task: curves of UAR over shots for two representations, with lines for the question in words and chance."}}
lines = max(1, -(-probes["task"].nunique() // 3))
fig, axes = style.figure(lines, 3, 0.4 + 1.9 * lines, sharex=True, squeeze=False)
for ax, (task, own) in zip(axes.flat, probes.groupby("task", sort=False), strict=False):
    legend = "auto" if ax is axes.flat[0] else False
    sns.lineplot(own, x="k", y="uar", hue="system", marker="o", legend=legend, ax=ax)
    ax.axhline(zero.loc[task, "uar"], color=style.GREEN)
    style.chance(ax, zero.loc[task, "chance"], "")
    ax.set(title=task, xscale="log", xlabel="", ylabel="UAR")
    ax.set_xticks(counts, counts)
    ax.minorticks_off()
fig.supxlabel("labelled utterances of each class", fontsize=10)
fig

# %% [markdown]
# On the training corpus a probe starts easily: the model learned from these very utterances, with their captions.
#
# ## What if the captions are not true?
#
# A score above chance should come from what the captions say. The control consists of two short trainings that differ in one
# thing. In one, every utterance has its own captions; in the other, it has those of another utterance of its split. The dev
# split, which decides the epoch, then has wrong emotions, too.

# %%
main = training.Settings.of(tables.read_json(folder / "settings.json"))
short = main.but(steps=control_steps, captions_per_utterance=min(1, main.captions_per_utterance))
data = training.read_training_data(folder, templates, main.emotion_form)
order, rng = np.arange(len(data.labels)), np.random.default_rng(seed)
for split in ("train", "dev"):
    places = rng.permutation(np.flatnonzero(data.labels["split"] == split))
    order[places] = np.roll(places, 1)  # no utterance keeps its own
moved = data.table.iloc[order].set_axis(data.table.index)
emotions = data.labels["emotion"].iloc[order].set_axis(data.labels.index)
pool = QueryPool(moved, templates, main.emotion_form)
sides = {"true": (data.labels, data.pool), "shuffled": (data.labels.assign(emotion=emotions), pool)}

# %% mystnb={"figure": {"caption": "UAR of every task by two short trainings, with intervals, and chance. Intervals are over speakers and do not include other trainings, so single tasks may lie to either side of chance.", "name": "fig-beyond-control"}, "image": {"alt": "Two points with intervals for each task, true and shuffled captions, with marks of chance."}}
parts = []
for name, given in sides.items():
    other = training.train(*given, folder / "control" / name, short, features)
    audio = embed_audio(other, test, functionals=features)
    answers = tasks.predict(other, test, questions, template, audio)
    parts.append(tasks.score(answers, questions, template, draws, seed).assign(queries=name))
control = pd.concat(parts, ignore_index=True)
tables.write_table(control, folder / "control.csv")
intervals(control, "uar", "task", hue="queries", chance="chance", xlabel="UAR")

# %%
means = control.groupby("queries", sort=False)[["uar", "chance"]].mean().round(3)
print("Mean over the tasks:", means.to_string(), sep="\n")
gained = means["uar"] - means["chance"]
found = "less than half" if gained["shuffled"] < gained["true"] / 2 else "NOT less than half"
print(f"With shuffled captions the mean is {found} as far above chance as with true ones.")

# %% [markdown]
# ## Searching
#
# *Text → audio*: which test utterances of the training corpus fit a query best? *Audio → text*: which queries fit an utterance? A
# query is true of many utterances, and many queries are true of one. {term}`R@k` is the share of searches with something true
# among the first $k$ hits; {term}`mAP` looks at how far up *all* that is true stands. The level of a random order is exact, and high
# where much is true. In a bootstrap a speaker who is drawn twice would take two places among the hits. So the intervals of this and the
# next section leave out one speaker at a time instead (the jackknife). {numref}`fig-beyond-queries` looks at each query.

# %%
trained = labels.loc[labels["split"] == "train", "corpus"].unique()
own = test["corpus"].isin(trained).to_numpy()
mine = test[own]
table = tables.read_table(folder / "queries.parquet").loc[mine.index]
captions = QueryPool(table, templates, main.emotion_form)
queries = captions.vocabulary
truth = query_truth(captions, queries)
similarity = of_test[own] @ embed_text(model, queries).T

# %% mystnb={"figure": {"caption": "Search in both directions, with intervals over speakers and the level of a random order. R@10 says little where a random order nearly reaches it; mAP counts every true item.", "name": "fig-beyond-retrieval"}, "image": {"alt": "Two panels with points and intervals for R@1, R@5, R@10 and mAP, with marks of chance."}}
found = retrieval.retrieve(similarity, truth, mine["speaker"])
tables.write_table(found, folder / "retrieval.csv")
ends = {"ends": ("low", "high"), "panels": "direction", "xlabel": "share"}
intervals(found, "value", "measure", chance="chance", **ends)

# %% mystnb={"figure": {"caption": "Average precision of every query above that of a random order, by attribute. Right of the dashed line a query finds more than a random order.", "name": "fig-beyond-queries"}, "image": {"alt": "A row of points for each attribute with a dashed line at zero."}}
each = retrieval.by_query(similarity, truth, queries, captions)
fig, ax = style.figure(height=1.2 + 0.28 * each["attribute"].nunique())
sns.stripplot(each, x="gain", y="attribute", hue="attribute", legend=False, size=4, ax=ax)
style.chance(ax, 0, upright=True)
ax.set(xlabel="average precision above a random order", ylabel="")
gain = each.groupby("attribute")["gain"].mean().sort_values()
best, worst = (f"{gain.index[place]} ({gain.iloc[place]:+.2f})" for place in (-1, 0))
print(f"Best to search by: {best}; worst: {worst}.")
fig

# %% [markdown]
# ## Numbers
#
# How much arousal does an utterance have? Its score is the cosine with the query of the high end minus that with the query of the
# low end.

# %%
show(dimensions.attribute_values)

# %% mystnb={"figure": {"caption": "Rank correlation of the score with ratings (arousal, valence, dominance) or features (all others), with intervals, on the test split of the training corpus. Right of the dashed line, a higher score goes with a higher value.", "name": "fig-beyond-dimensions"}, "image": {"alt": "Points with intervals for each attribute, and a dashed line at zero."}}
names = [name for name in tasks.attribute_queries(table, templates) if name != "gender"]
values = dimensions.attribute_values(model, of_test[own], names, templates)
of_dev = dimensions.attribute_values(model, embedded.loc[dev.index].to_numpy(), names, templates)
really, dev_really = (dimensions.true_values(rows, features) for rows in (mine, dev))
agreed = dimensions.correlations(values, really, mine["speaker"], of_dev, dev_really)
tables.write_table(agreed, folder / "dimensions.csv")
fig = intervals(agreed, "spearman", "attribute", xlabel="Spearman correlation")
style.chance(fig.axes[0], 0, upright=True)
fig

# %%
by_degree = agreed.loc[agreed["spearman_low"] > 0, "attribute"].tolist()
print(f"Interval above zero: {', '.join(by_degree) or 'none'}.")
style.text_table(agreed[["attribute", "n", "unit", "spearman", "ccc"]])

# %% [markdown]
# The {term}`CCC` asks for the values and not only for their order: mean and spread of the scores are matched to the dev split.
#
# ## Other objectives, other templates
#
# The paper ends by asking for more diverse captions {cite}`jing2024paraclap`. In {eq}`eq-loss` every
# other caption of a batch counts as wrong, although some are true ({numref}`fig-repeats`). Do other objectives repair this, such
# as soft targets for utterances with similar levels {cite}`jing2026smoothclap` or a sigmoid for each pair {cite}`zhai2023siglip`? Is
# the template set `diverse` better? This was measured once, on synthetic speech with three seeds each, and is kept in
# `benchmarks/objectives.csv`; `objectives.md` beside it says how.

# %%
changes = tables.read_csv(tables.project_folder() / "benchmarks" / "objectives.csv")

# %%
for kind, own in changes[changes["real"]].groupby("questions", sort=False):
    up, down = (own.loc[sign * own["difference"] > 0, "change"] for sign in (1, -1))
    print(f"{kind}: real gain: {'; '.join(up) or 'none'}. Real loss: {'; '.join(down) or 'none'}.")

# %%
wide = changes.pivot(index="change", columns="questions", values="difference")
marks = changes.pivot(index="change", columns="questions", values="real").eq(True)
shown = wide.map("{:+.3f}".format) + np.where(marks, " *", "")
kinds = ["trained words", "unseen words", "attributes"]
style.text_table(shown[kinds].reset_index(), "Difference of the mean UAR; * real after correction")

# %% [markdown]
# ## Exercises
#
# **1.** A query is true of $t$ of $n$ utterances. How probable is a true one among the first $k$ of a random order?
#
# ````{admonition} Answer
# :class: dropdown
# All $k$ are false with probability $\binom{n-t}{k} / \binom{n}{k}$, and R@k of a random order is one minus this:
#
# ```python
# from math import comb
#
# from paraclap import tables
#
# found = tables.read_table(folder / "retrieval.csv")
# n, k = int(found.loc[found["direction"] == "text → audio", "items"].iloc[0]), 5
# for t in (max(1, n // part) for part in (100, 10, 3)):
#     print(f"{t} true: R@1 {t / n:.2f}, R@{k} {1 - comb(n - t, k) / comb(n, k):.2f}")
# ```
# ````
#
# **2.** How many labelled utterances of each class does a {term}`probe` need to pass the question in words, task by task?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# zero = tables.read_table(folder / "scores.csv").set_index("task")["uar"]
# probes = tables.read_table(folder / "probes.csv")
# own = probes[probes["system"] == "embeddings"]
# above = own[own["uar"] > own["task"].map(zero)]
# print(above.groupby("task")["k"].min().reindex(zero.index).to_string())
# ```
#
# Where a number is missing, none of those tried was enough. A small one can mean an easy task, or words that do not fit.
# ````

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.evaluation`: `probe`, `retrieval`, `dimensions`, `tasks`; `paraclap.queries`: `query_truth` for all template sets
# - `paraclap.training`: `train`, `read_training_data`; `paraclap.figures.intervals`: the chart of all scores

# %% [markdown]
# ## Summary
#
# The same embeddings answer other questions: utterances and words find each other ({numref}`fig-beyond-retrieval`), and two
# opposite queries measure what {numref}`fig-beyond-dimensions` shows. {numref}`fig-beyond-control` tests whether it
# comes from the captions. **Where is the model right, and where does it go wrong?** This is the question of [the next
# chapter](13_look_and_listen).
