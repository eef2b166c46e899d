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
# # Other systems
#
# **What do models for general sounds, and a model of three dimensions, answer about voices?** A score means
# little alone. Systems that learned from sounds of all kinds and their descriptions, from dogs to doorbells, can be
# asked the very questions of [chapter 5](05_evaluation), and the paper did so with two of them
# {cite}`elizalde2023clap,deshmukh2023pengi`.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/labels.parquet`, `features.parquet` | a segment |
# | `runs/<run>/scores.csv`, `references.csv` | a task |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/systems.csv` | a system and a task: UAR with its interval |
#
# The weights of the other systems are large and not part of this project. The parameter `systems` names those that are on
# this machine, as in `clap-2023=weights/clap-2023, pengi=weights/pengi`; without any, this chapter shows where they come from, and what they are to be compared with.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
jobs: int = 2  # CPU threads
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
draws: int = 1000  # of the bootstrap that gives the intervals
systems: str = ""  # other systems to ask: names and folders of their weights; empty: none

# %%
import torch

from paraclap import evaluation, quoted, tables
from paraclap import systems as others
from paraclap.figures import style
from paraclap.figures import systems as figures

torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)

# %% [markdown]
# ## Who is asked
#
# Each is a {term}`system`: all of them stand behind the same two calls as ParaCLAP, embed voices and embed queries, so the same code asks all:
# the query closest to the voice is the answer. They differ in what they hear.

# %%
known = others.shown()
style.text_table(known.drop(columns="fetch"))

# %% [markdown]
# - Both models of Microsoft, {cite}`elizalde2023clap` and {cite}`elizalde2024clap`, and LAION's {cite}`wu2023laion`, learned
#   as ParaCLAP does, from pairs of a sound and its description. Few of those descriptions say *how* somebody speaks.
# - Pengi {cite}`deshmukh2023pengi` does not compare: it *describes* the voice in a sentence of its own, and
#   the {term}`query` whose text is closest to that sentence is its answer.
# - The dimensional model {cite}`wagner2023dawn`, from which the paper's audio tower starts, knows no words. It rates
#   {term}`arousal`, {term}`dominance` and {term}`valence`.
#
# A voice longer than the seconds of a system is heard from its start, a shorter one is repeated or padded. The published
# code of all four cuts at a random place instead, and answers differently each time.
#
# These commands fetch the weights, on a machine with a network:

# %%
for name, commands in known[["name", "fetch"]].itertuples(index=False):
    print(f"# {name}", *commands.split("; "), sep="\n")

# %% [markdown]
# ## The same questions

# %%
labels = tables.read_table(folder / "labels.parquet")
labels = labels.loc[tables.read_table(folder / "features.parquet").index]
test = labels[labels["split"] == "test"]
tasks = evaluation.tasks(labels, candidates)
at_hand = others.named(systems)
print(f"{len(test)} voices, {len(tasks)} tasks. Weights at hand: {', '.join(at_hand) or 'none'}.")

# %%
loaded = others.load_all(at_hand)
found = others.compare(loaded, test, tasks, template, draws, seed)
tables.write_table(found, folder / "systems.csv")
scores = tables.read_table(folder / "scores.csv")
references = tables.read_table(folder / "references.csv")
table = others.beside(scores, references, found)
style.text_table(table.pivot(index="task", columns="system", values="uar").reset_index())

# %% [markdown]
# The logistic regression and the majority vote have seen labelled voices of the classes they are asked for; a task without
# such voices has no score of theirs. All others answer {term}`zero-shot`, ParaCLAP included.

# %% mystnb={"figure": {"name": "fig-systems-scores", "align": "center", "caption": "UAR of every system on every task with its interval, beside what simpler means reach. A system whose interval reaches the mark of chance has shown nothing on that task; two systems whose intervals lie apart differ there. Systems whose weights are not at hand are not drawn."}, "image": {"alt": "Points with error bars for each task, one colour for each system, with chance marks."}}
figures.system_scores(table)

# %%
sure = table["uar_low"] > table["chance"]
for name, number in sure.groupby(table["system"], sort=False).sum().items():
    print(
        f"{name}: above chance with the whole interval in {number} of {(table['system'] == name).sum()} tasks."
    )

# %% [markdown]
# A majority vote has no interval, as it always scores chance. Synthetic speech is nothing that any of these systems has
# learned from, so on the built-in corpora their scores say still less about people than ParaCLAP's.
#
# ## In their own words
#
# Of Pengi one can read why it answered what it answered: these are sentences it made of test voices.

# %%
said = others.descriptions(loaded)
print(f"{len(said)} descriptions to show.")
style.text_table(said)

# %% [markdown]
# Where a sentence names the sound and not the manner of speaking, no query about emotions is close to it, and the
# answer hangs on chance resemblances between words.
#
# ## Without words
#
# Where voices have ratings, the dimensional model is compared with them. Corpora rate on scales of their own, so it is the
# correlation that counts.

# %%
rated = others.rate(at_hand, test)
print(f"{len(rated)} correlations with ratings.")
style.text_table(rated)

# %% [markdown]
# A model of ratings answers no question that is put in words; it shows how much of a dimension can be heard at all by
# the tower that the paper starts from.
#
# ## What the paper reports
#
# With real corpora and the published weights, the paper {cite}`jing2024paraclap` measured this. Nothing here comes from this run.

# %% mystnb={"figure": {"name": "fig-systems-paper", "align": "center", "caption": "Quoted from Table 1 of the paper: UAR on real corpora, spoken by people. The paper gives no intervals. On several corpora the models for general sounds stay near chance, and on some they come close to ParaCLAP or pass it."}, "image": {"alt": "Points of UAR for CLAP, Pengi and ParaCLAP on each corpus of the paper, with chance marks."}}
paper = quoted.paper_scores()
figures.quoted_scores(paper)

# %%
ahead = (paper["rand5"] > paper[["clap", "pengi"]].max(axis=1)).sum()
mean = paper[["clap", "pengi", "rand5"]].mean().round(3).to_dict()
print(f"ParaCLAP ahead of both on {ahead} of {len(paper)} tasks of the paper. Mean UAR: {mean}.")

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** On which of the paper's tasks does a model for general sounds come within three hundredths of ParaCLAP, or pass it? What have these in common?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import quoted
#
# paper = quoted.paper_scores()
# other = paper[["clap", "pengi"]].max(axis=1)
# near = paper[other > paper["rand5"] - 0.03]
# print(near[["corpus", "classes", "clap", "pengi", "rand5"]].to_string(index=False))
# ```
#
# They are tasks on which ParaCLAP itself stays near {term}`chance`, one divided by the number of classes: there is little to be ahead by. Without
# intervals nobody can say which of these differences are real.
# ````
#
# **2.** Pengi writes a sentence, and the candidate nearest to this sentence is its answer. Why may such a system stay near chance although its sentence is good?
#
# ```{admonition} Answer
# :class: dropdown
# Because the sentence need not be about what is asked. "A woman speaks in a quiet room" is true, and equally far from *angry* and from *sad*;
# the decision then falls by resemblances between words that have nothing to do with the voice. A system that compares the voice with
# each {term}`candidate` is forced to look at what the candidates differ in.
# ```

# %% [markdown]
# ## So: what do models for other sounds answer about voices?
#
# In the paper, models for general sounds answer some questions about voices above {term}`chance`, and on most corpora fall behind
# one that was taught to speak of voices ({numref}`fig-systems-paper`). What those whose weights are at hand answer in this
# run stands in {numref}`fig-systems-scores`, asked by the same code, with intervals that the paper lacks. Whether a difference between two
# of them is real is the question of the [next chapter](11_evidence).
