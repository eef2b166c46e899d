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
# # Playground
#
# **What does it say of *your* voice?** In JupyterLab the last part of this chapter is a set of panels: upload or
# record a voice, type what may be answered, compare two models, look for voices in words. Before that, one voice is
# taken through the same steps, so that this page shows what the panels do, and by which calls your own code can do it.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/model/`, `variants/*/model/` | (folders) trained models |
# | `runs/<run>/labels.parquet`, `queries.parquet` | a segment |
# | `runs/<run>/edges.json` | what low and high mean |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/playground.csv` | a candidate in one wording: its query, cosine and probability |

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
jobs: int = 2  # CPU threads
other_model: str = ""  # folder of a model to ask instead of that of chapter 4
your_voice: str = ""  # audio file to ask about first; empty takes a test clip of the run
your_candidates: str = "angry,happy,sad,neutral"  # what may be answered, with commas between

# %%
import torch

from paraclap import tables
from paraclap.figures import playground as figures
from paraclap.playground import keeping, showing
from paraclap.playground.live import playground
from paraclap.playground.session import Session

torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)
session = Session.of(folder, other_model, seed)

# %% [markdown]
# ## A voice
#
# A voice is one signal: a file of yours (`your_voice`), or else a test clip of the corpus that the model was trained on.

# %%
voice = session.example(your_voice)
showing.heard(voice)

# %%
print(
    f"{voice.name}: {voice.seconds:.2f} s, {voice.about or 'nothing is known of how it was made'}."
)

# %% [markdown]
# Where it says *synthetic speech*, no person has spoken: the answers below then show how the method works, and
# nothing about people.
#
# ## What is it like?
#
# The same question can be asked in many words. Instead of choosing the {term}`template` that pleases most, all
# wordings of the frozen set of [chapter 11](11_evidence) are asked, and the {term}`candidates <candidate>` are given the mean of their
# probabilities.

# %%
given = session.ask(your_candidates)
print(given.sentence)

# %% mystnb={"figure": {"name": "fig-playground-answer", "align": "center", "caption": "Mean probability of each candidate over all wordings (bars), and that of every single wording (dots). Where the dots of two candidates overlap, the answer depends on how one asks; a bar near the dashed line is no more than a guess."}, "image": {"alt": "Bars of probability for each candidate with a dot for each wording, a line from the lowest to the highest, and the line of guessing."}}
figures.answer(given.table, given.summary)

# %%
given.summary.round(3)

# %% [markdown]
# That the wordings agree makes an answer steady, not right: compare it with the label, where the voice has one.
# `low` and `high` are the smallest and the largest probability over the wordings, and `first` counts the wordings in
# which the candidate is ahead. A single wording, which is what most demonstrations show, could have been any of the dots in
# {numref}`fig-playground-answer`.
#
# ## What is measured, and what holds
#
# openSMILE measures the voice as in [chapter 2](02_features). The {term}`edges` of the run say which {term}`level` a value has, beside
# the voices that the model was trained on.

# %%
print(given.remark or f"{len(given.levels)} attributes, {len(given.queries)} sentences hold.")
given.levels.round(3)

# %% [markdown]
# From the levels follow the sentences that hold, as in [chapter 3](03_queries). The model has not been told them here; sorted by
# cosine they show which of them it hears.

# %%
given.queries.head(10).round(3)

# %% [markdown]
# All of these are true by measurement. One far down, with a cosine near zero or below, is a truth that this model does not hear
# in this voice.
#
# ## Another model
#
# Two models can be asked the same. Here it is the one of the {term}`run` and, where [chapter 6](06_ablation) has left it,
# the one that learned from emotion words alone.

# %%
compared, said = session.compare_two(your_candidates, "variant only_emo")
print(said)

# %% mystnb={"figure": {"name": "fig-playground-models", "align": "center", "caption": "The same question to two models. A long grey line is a candidate about which they differ; where the order of the marks changes from row to row, they give different answers."}, "image": {"alt": "Two points for each candidate, one for each model, joined by a grey line, and the line of guessing."}}
figures.two_models(compared)

# %% [markdown]
# One voice decides nothing between the two models of {numref}`fig-playground-models`. The [ablation](06_ablation) asks all test voices, with intervals.

# %%
table = keeping.joined(session.answers)
tables.write_table(table, folder / "playground.csv")
table[["model", "wording", "query", "cosine", "probability"]].head(4).round(3)

# %% [markdown]
# The table has a row for each candidate in each wording, which is what *Export* gives in the panels below.
#
# ## Your voice
#
# Now it is your turn. The panels are a thin skin over the calls above. A recording or an upload stays in the memory of this notebook's Python; only
# what you export is written. For a model of your own type its folder into *Model*, or set `other_model`.

# %%
playground(folder, other_model, your_candidates, seed)

# %% [markdown]
# ## So: what does it say of your voice?
#
# It says which of your words lies closest, and {numref}`fig-playground-answer` says whether that would still be so had you asked in other words. The
# levels beside it are measured and can be checked by ear; the answer is a guess of a model that has heard the voices of one run. How good such
# guesses are on many voices is told in [chapter 5](05_evaluation) and [chapter 14](14_results).
