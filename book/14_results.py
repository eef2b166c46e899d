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
#     - queries.parquet
#     - settings.json
#     - model
#     - scores.csv
#     - attributes.csv
#     - references.csv
#     writes:
#     - results.json
#     - model/README.md
# ---

# %% [markdown]
# # Results
#
# **What has been measured, and what does it show?** A number without its origin cannot be repeated, and a zero-shot score
# means nothing without what the model had seen before. This chapter writes both down, and puts all runs side by side.
#
# After this chapter you can
#
# - find every score of a run with all that it takes to judge it, in one file,
# - say which tasks are zero-shot, and which only move known words to new speakers,
# - compare runs without mixing synthetic speech and people,
# - give a model away with a card that says what it is.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `queries.parquet` | a {term}`segment` |
# | Reads | `settings.json`, `model/` | (no tables) the training of chapter 4 |
# | Reads | `scores.csv`, `attributes.csv`, `references.csv`, all other tables of scores, `../*/results.json` | a score |
# | Writes | `results.json` | (one object) all scores of this {term}`run`, and how they were measured |
# | Writes | `model/README.md` | (a text) the {term}`model card` |
#
# With the synthetic corpora all speech is synthetic.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# questions
template: str = "speaker is {}"  # prompt, with a slot for the word of a class
candidates: str = "own"  # words of the classes: own, or as in the paper or its released code
templates: str = "paper"  # paper, diverse, released, released-fixed, or a .csv

# %%
import pandas as pd
import seaborn as sns

from paraclap import tables
from paraclap.book import show
from paraclap.evaluation import contamination, paper_table, results
from paraclap.figures import style
from paraclap.figures.intervals import intervals

folder = tables.run_folder(run, runs)

# %% [markdown]
# ## One file for a run
#
# The chapters wrote their scores into tables. Here they come together, with candidates, prompt, seed, commit, versions, device, and
# a hash of the weights. A hash is a short number that changes with every bit: two results with the same hash come from the same
# weights.

# %%
result = results.collect(folder, seed, template, candidates, templates)
tables.write_json(result, folder / results.NAME)
plain = {name: value for name, value in result.items() if isinstance(value, (str, int))}
style.text_table(pd.DataFrame(plain.items(), columns=["what", "value"]))

# %%
print(", ".join(f"{name} {version}" for name, version in result["packages"].items()))
scores = pd.DataFrame(result["scores"])
print("Scores by table:", scores["file"].value_counts().to_string(), sep="\n")
columns = ["system", "task", "metric", "value", "low", "high", "n", "unit", "speech"]
style.text_table(scores[columns].head(3), f"The first of {len(scores)} scores")

# %% [markdown]
# A commit that ends in *dirty* was changed before the run, so others cannot repeat it. *Unit* is what the interval draws: speakers,
# or utterances where there are too few of them.
#
# ## What had the model seen before?
#
# {term}`Zero-shot <zero-shot>` is a claim about what a model has *not* seen. There are several ways of {term}`contamination`:

# %%
ways = pd.DataFrame(contamination.WAYS.items(), columns=["way", "meaning"])
style.text_table(ways)

# %% mystnb={"figure": {"caption": "What the model had seen of each task, as shares; empty cells are unknown. A task is zero-shot if the columns of encoders, training, speakers and epoch are 0. If classes and words are 1, the model has still learned these very words from another corpus. Only tasks with new words ask for a meaning that no caption had.", "name": "fig-results-contamination"}, "image": {"alt": "Grid of tasks by ways of contamination, dark where seen."}}
seen = pd.DataFrame(result["contamination"]).set_index("task")
fig, ax = style.figure(height=1.5 + 0.3 * len(seen))
look = {"cmap": "Blues", "vmin": 0, "vmax": 1, "annot": True, "fmt": ".0%", "cbar": False}
sns.heatmap(seen[list(contamination.WAYS)].astype(float), ax=ax, **look)
ax.set_yticklabels(seen.index + ": " + seen["seen"])
ax.tick_params(axis="x", rotation=45)
ax.set(ylabel="")
fig

# %% [markdown]
# Words matter: an emotion has the same name in all corpora. A model that has learned to find anger in one corpus needs no new word to
# find it in another. These classes are asked for by words that no training query contains:

# %%
words = pd.DataFrame(result["words"])
style.text_table(words.loc[~words["in_queries"], ["task", "label", "word", "utterances"]])

# %%
ours = results.score_table([result])
style.text_table(ours[["task", "value", "low", "high", "chance"]])

# %%
above = set(ours.loc[ours["low"] > ours["chance"], "task"])
new = set(words["task"]) - set(words.loc[words["in_queries"], "task"])
print(
    f"Tasks with new words only: {len(new)}; with their interval above chance, not corrected:",
    len(new & above),
)

# %% [markdown]
# A word counts if a query contains it as a whole:

# %%
show(contamination.holds_word)

# %% [markdown]
# The same for the model of the paper, as far as it is published {cite}`jing2024paraclap,wagner2023dawn`:

# %%
style.text_table(paper_table.paper_exposure())

# %% [markdown]
# ## All runs
#
# Each run leaves such a file. Scores on synthetic speech and on people never share a column: the former show that a pipeline works,
# the latter whether speech is understood.

# %%
every, problems = results.gather(runs)
print(*problems, sep="\n")
kinds = pd.Series([one["speech"] for one in every]).value_counts()
print(f"{len(every)} runs. Their speech:", ", ".join(f"{kind} {n}" for kind, n in kinds.items()))
style.text_table(results.side_by_side(every, "recorded"), "UAR on recorded speech")

# %%
style.text_table(results.side_by_side(every, "synthetic"), "UAR on synthetic speech")

# %% mystnb={"figure": {"caption": "UAR of every run on every task with its interval, one panel for each kind of speech. Overlapping intervals do not decide whether two runs differ; a paired comparison of the same utterances does (chapter 11).", "name": "fig-results-runs"}, "image": {"alt": "Points with intervals for each task, a colour for each run, one panel for each kind of speech."}}
rows = results.score_table(every).astype({"low": float, "high": float})
look = {"hue": "run", "panels": "speech", "ends": ("low", "high"), "xlabel": "UAR"}
intervals(rows, "value", "task", chance="chance", **look)

# %% [markdown]
# An empty table means that no run has measured this kind of speech. To get runs that differ in a few parameters, see
# `paraclap sweep --help`.
#
# ## The model card
#
# A user who finds the folder of a model should not need this book. Its {term}`card <model card>` says what it is, what it learned from,
# how it scores, what it had seen, and under which licence it may be used. A part for machines, as the Hugging Face hub reads it,
# stands above this text in the file:

# %%
print(results.write_card(result, folder))

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Sort the scores of this run by the width of their interval. Why is the narrowest not always the most certain?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
# from paraclap.evaluation import results
#
# scores = results.score_table([tables.read_json(folder / "results.json")])
# scores = scores.assign(width=scores["high"] - scores["low"]).sort_values("width")
# print(scores[["task", "width", "n", "unit"]].round(3).to_string(index=False))
# ```
#
# Look at `unit`. Where a task has too few speakers, utterances are drawn, and the interval says how the score might be with other
# utterances of *these* speakers. It can be narrow and say nothing about other speakers. And if nearly all answers are the same, the
# interval is narrow, too, close to {term}`chance`.
# ````
#
# **2.** Two runs have the same settings and the same scores but different hashes of the weights. What can have happened? What does it
# mean if the hashes are equal and the scores are not?
#
# ```{admonition} Answer
# :class: dropdown
# The hash changes with a single bit: another machine, another number of threads or another version of torch adds numbers in another
# order, and training carries the difference on. Scores count right answers and need not change. Equal weights with other scores
# would be alarming: then the utterances or the code of the evaluation are not the same.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.evaluation.results`: `collect`, `gather`, `score_table`, `side_by_side`, `write_card`; its template `model_card.jinja`
# - `paraclap.evaluation.contamination`: `of_run` and `matrix`; `pretraining.csv` lists what encoders have seen

# %% [markdown]
# ## Summary
#
# `results.json` holds every score with its origin, and the card travels with the model. {numref}`fig-results-contamination` shows
# which scores are zero-shot and which only move known words to new speakers; {numref}`fig-results-runs` compares runs, each kind of
# speech by itself. Scores on synthetic speech show that all steps work. What does the model answer about people? Take
# `params/open.yaml`, or [a corpus of your own](08_your_voices).
