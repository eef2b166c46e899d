# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Results
#
# **What has been measured, and what may be said of it?** A number without its origin cannot be
# repeated, and a zero-shot score means nothing until it is said what the model had met before. This
# chapter writes down, for machines and for people, what this run has measured, and puts all runs
# side by side.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/labels.parquet`, `queries.parquet` | a {term}`segment` |
# | `runs/<run>/settings.json`, `machine.json`, `model/` | what was trained, and on what |
# | `runs/<run>/scores.csv`, and the tables of other chapters that are there | a score |
# | `runs/*/results.json` | (a file) a finished {term}`run` |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/results.json` | (a file) all that this run has measured, and how |
# | `runs/<run>/results.csv` | a score |
# | `runs/<run>/model/README.md` | (a file) the model card |
#
# With the built-in corpora all speech is synthetic.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
device: str = "auto"  # "auto" (a GPU if there is one), "cpu", "cuda", ...
other_model: str = ""  # folder of a model to ask instead of that of chapter 4

# %%
import pandas as pd

from paraclap import card, collecting, exposure, quoted, results, tables
from paraclap.figures import results as figures
from paraclap.figures import style
from paraclap.machine import choose_device

folder = tables.run_folder(run, runs)
used = str(choose_device(device))

# %% [markdown]
# ## One file for a run
#
# The chapters have written their scores into tables. Here they come together in a {term}`results file`, with all that it takes to
# judge them: candidates, template, seed, commit, versions, device, and {term}`hashes <hash>` of the weights, the
# settings and the sentences. A hash is a short number that changes when a single bit of its source
# does, so two results with the same hashes were made with the same things.

# %%
result = collecting.collect(folder, seed, template, candidates, templates, used, other_model)
results.write(result, folder)
told = {name: value for name, value in result.items() if isinstance(value, (str, int))}
style.text_table(pd.DataFrame(told.items(), columns=["what", "value"]))

# %%
print(", ".join(f"{name} {version}" for name, version in result["packages"].items()))
print(f"Tables not there: {', '.join(result['missing']) or 'none'}.")

# %% [markdown]
# A commit that ends in *dirty* was changed before it ran: nobody else can get it back. Each score
# stands in the file with its task, what was offered as an answer, and whose speech it was measured on:

# %%
scores = results.flat(result)
shown = ["system", "task", "metric", "value", "low", "high", "n", "speakers", "unit", "speech"]
style.text_table(scores[shown].head(3), f"The first of {len(scores)} scores")

# %% [markdown]
# *Unit* is what the interval draws anew: speakers, or utterances where there are too few of them.
#
# ## What had the model met before?
#
# {term}`Zero-shot <zero-shot>` is a claim about what a model has *not* met. What it has met is its
# {term}`exposure`, and there are several ways to meet a question:

# %%
style.text_table(pd.DataFrame(exposure.MEANING.items(), columns=["occasion", "what is counted"]))

# %% mystnb={"figure": {"name": "fig-results-exposure", "align": "center", "caption": "What the model had met of each task before it was asked. A task is zero-shot where nothing stands in the columns of towers, training, speakers and epoch. Where classes and words are known, it has still learned to hear these very words in another corpus; only tasks with new words ask it for meanings that it was never shown."}, "image": {"alt": "Grid of tasks by occasions to meet them, dark where met, with a verdict for each task."}}
matrix = pd.DataFrame(result["exposure"])
figures.exposure(matrix)

# %% [markdown]
# Words decide more than they seem to: emotions have one name in all corpora, so that a model which has learned
# to hear anger in one corpus needs nothing new to find it in another. These classes are asked for by words
# that training has never said:

# %%
known = pd.DataFrame(result["words"], columns=list(exposure.CLASS))
unsaid = known[known["said"].eq(False)]
style.text_table(unsaid[["task", "label", "word", "voices"]])

# %%
sure = set(results.asked(scores).query("low > chance")["task"])
new = set(known["task"]) - set(known.loc[known["said"].eq(True), "task"])
print(
    f"Tasks with new words alone: {len(new)}; of these above chance with their whole interval: {len(new & sure)}."
)

# %% [markdown]
# The same for the model of the paper {cite}`jing2024paraclap,wagner2023dawn`, as far as it is published:

# %%
style.text_table(quoted.exposure())

# %% [markdown]
# ## All runs
#
# Each run that got this far left such a file. Here they stand side by side, a row a run. Scores on
# synthetic speech and on people never share a column: the one tells whether a pipeline works, the other
# whether voices are understood.

# %%
every, complaints = results.gather(runs)
for complaint in complaints:
    print(complaint)
kinds = pd.Series([one["speech"] for one in every]).value_counts()
print(f"{len(every)} runs. Their speech:", ", ".join(f"{kind} {n}" for kind, n in kinds.items()))

# %%
style.text_table(results.side_by_side(every, "recorded"), "UAR on recorded speech")

# %%
style.text_table(results.side_by_side(every, "synthetic"), "UAR on synthetic speech")

# %% mystnb={"figure": {"name": "fig-results-runs", "align": "center", "caption": "UAR of every run and task with its interval, the kinds of speech apart. Two runs differ where their intervals lie well apart; where these overlap, only a paired comparison over the same voices can tell."}, "image": {"alt": "Points with error bars for each task, a colour for each run, one panel for each kind of speech."}}
rows = pd.concat([results.flat(one) for one in every])
figures.runs(results.asked(rows))

# %% [markdown]
# An empty table says that no run has measured on this kind of speech. Voices of unknown origin have a panel of
# their own in the figure. A {term}`sweep` (`paraclap sweep`) makes many runs that differ in a few parameters, and a
# page that compares these alone. Files of other versions of this book are named above, not guessed at.
#
# ## The model card
#
# Whoever finds the folder of a model should not have to find this book as well. Its {term}`card <model card>` says what it is, what it
# has heard, how it scores, what it had met, and under which licence it may be used:

# %%
print(card.write(result, folder))

# %% [markdown]
# Above this text the file has the same for machines, as the Hugging Face hub reads it.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Sort the zero-shot scores of this run by the width of their interval. Why is the narrowest not always the surest?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import results
#
# scores = results.asked(results.flat(results.read(folder / "results.json")))
# scores = scores.assign(width=scores["high"] - scores["low"]).sort_values("width")
# print(scores[["task", "width", "n", "speakers", "unit"]].round(3).to_string(index=False))
# ```
#
# Look at `unit`. Where a task has too few speakers to draw them anew, utterances are drawn, and the interval says how the score might
# be with other utterances of *these* speakers. It can be narrow and say nothing of anybody else. An answer that is the same for nearly all voices
# makes a narrow interval, too, close to {term}`chance`.
# ````
#
# **2.** Two runs have the same scores and the same hash of the settings, but different hashes of the model. What may have happened?
#
# ```{admonition} Answer
# :class: dropdown
# The hash changes with a single bit of the weights: another machine, another number of threads or another version of torch adds numbers up in
# another order, and training carries the difference on. Scores are counts of right answers, and need not notice. The other way round would be alarming: the same
# weights, template and candidates, and other scores, mean that the voices or the code that asked are not the same.
# ```

# %% [markdown]
# ## So: what has been measured, and what may be said of it?
#
# `results.json` holds every score with its origin, and the card travels with the model.
# {numref}`fig-results-exposure` tells which scores are zero-shot, and which of these only move known words to new
# voices; {numref}`fig-results-runs` tells how the runs compare, each kind of speech for itself. Scores on
# synthetic speech stay what they are: a sign that all steps work. To measure on people, take
# `params/open.yaml`, or [a corpus of your own](08_your_corpus).
