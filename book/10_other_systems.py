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
#     - scores.csv
#     - references.csv
#     writes:
#     - systems.csv
# ---

# %% [markdown]
# # Other systems
#
# **What do other systems answer to the same questions?** A score alone says little. Systems that learned from sounds of all
# kinds and their descriptions, from dogs to doorbells, can answer the questions of chapter 5 as well. The paper asked two of them {cite}`elizalde2023clap,deshmukh2023pengi`. After this chapter you can
#
# - say what the five systems take in and give out, and get their weights,
# - ask any system that embeds signals and texts the questions of this book,
# - read a table of systems with chance, intervals and trained references in it.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `features.parquet` | a {term}`segment` |
# | Reads | `scores.csv`, `references.csv` | a task of chapter 5, and a trained reference on it |
# | Writes | `systems.csv` | a system and a task: {term}`UAR` with its {term}`interval` |
#
# The weights of the other systems are large and are not part of this project. The parameter `systems` names those that are on
# this machine, as in `clap-2023=weights/clap-2023, pengi=weights/pengi`. Without any, this chapter shows where they come from,
# and what the paper measured with two of them.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# systems
systems: str = ""  # systems to ask, with the folder of their weights; empty: none
# questions
template: str = "speaker is {}"  # prompt, with a slot for the word of a class
candidates: str = "own"  # words of the classes: own, or as in the paper or its released code
draws: int = 1000  # of the bootstrap that gives the intervals
# machine
jobs: int = 2  # CPU threads

# %%
import pandas as pd
import torch

from paraclap import systems as others
from paraclap import tables
from paraclap.book import show
from paraclap.evaluation import paper_table, tasks
from paraclap.figures import style
from paraclap.figures.intervals import intervals

torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)

# %% [markdown]
# ## Five systems
#
# Four of them are a {term}`system` in the sense of this book: they embed an utterance and they embed a query. The query with the
# most similar embedding is the answer, as in chapter 5. They differ in their encoders and in how much of a file they take.

# %%
known = others.catalogue()
numbers = {"parameters": (known["parameters"] / 1e6).round().astype(int).astype("str") + " M"}
numbers["seconds"] = known["seconds"].astype("str").replace("0", "all")
columns = ["name", "audio_encoder", "text_encoder", "parameters", "sampling_rate", "seconds"]
listed = known.assign(**numbers).reset_index()[columns].replace("", "-")
style.text_table(listed.rename(columns=lambda name: name.replace("_", " ")))

# %% [markdown]
# - Both models of Microsoft, {cite}`elizalde2023clap` and {cite}`elizalde2024clap`, and the one of LAION {cite}`wu2023laion`
#   learned as ParaCLAP does, from pairs of a sound and its description. Few of these descriptions say *how* somebody speaks.
# - Pengi {cite}`deshmukh2023pengi` does not compare. It *describes* the utterance in a sentence, and the {term}`query` whose text
#   is most similar to this sentence is its answer.
# - The dimensional model {cite}`wagner2023dawn` takes no queries. It rates {term}`arousal`, {term}`dominance` and
#   {term}`valence`. The paper's audio encoder is this model.
#
# A file that is longer than the seconds of a system is cut after them, a shorter one is repeated. The published code cuts at a
# random place instead, and so gives another answer each time. These commands fetch the weights where there is a network:

# %%
for name in known.index:
    print(f"# {name}", *others.commands(name), sep="\n")

# %% [markdown]
# ## The same questions
#
# One function asks all of them. It needs nothing of a system but the two embeddings and the factor of the cosines:

# %%
show(others.predict)

# %%
labels = tables.read_table(folder / "labels.parquet")
labels = labels.loc[tables.read_table(folder / "features.parquet").index]
test = labels[labels["split"] == "test"]
questions = tasks.tasks(labels, candidates)
specs = [spec.strip() for spec in systems.split(",") if spec.strip()]
asked = ", ".join(specs) or "none"
print(f"{len(test)} utterances, {len(questions)} tasks. Systems asked: {asked}.")

# %%
loaded = {spec.partition("=")[0]: others.load(spec) for spec in specs}
rater = loaded.pop("dimensional", None)
columns, parts = ["system", "task", "chance", "n", "uar", "uar_low", "uar_high"], []
for name, system in loaded.items():
    answers = others.predict(system, test, questions, template)
    scores = tasks.score(answers, questions, template, draws, seed)
    parts.append(scores.assign(system=name)[columns])
found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
tables.write_table(found, folder / "systems.csv")
print(f"{len(loaded)} systems answered {len(found)} questions.")

# %% [markdown]
# Beside them stand ParaCLAP and the two references of chapter 5. The logistic regression learned the classes from the labels of
# the training split, as ParaCLAP learned from captions with the same labels in them. The other systems saw neither. A task
# without trained classes has no reference.

# %%
names = {"logistic": "logistic regression", "majority": "majority class"}
ours = tables.read_table(folder / "scores.csv").assign(system="ParaCLAP")
references = tables.read_table(folder / "references.csv").replace({"system": names})
parts = [part for part in (ours, found, references) if len(part)]
table = pd.concat([part[list(found)] for part in parts], ignore_index=True)
style.text_table(table.pivot(index="task", columns="system", values="uar").reset_index())

# %% mystnb={"figure": {"caption": "UAR of each system on each task with its interval, and chance. Where an interval contains chance, the task shows nothing about the system. The majority class always has the UAR of chance. Systems that were not asked are not drawn.", "name": "fig-systems-scores"}, "image": {"alt": "Points with intervals for each task, a colour for each system, with marks of chance."}}
intervals(table, "uar", "task", hue="system", chance="chance", xlabel="UAR")

# %%
above = (table["uar_low"] > table["chance"]).groupby(table["system"], sort=False)
for system, (number, count) in above.agg(["sum", "size"]).iterrows():
    print(f"{system}: interval above chance in {number} of {count} tasks (not corrected).")

# %% [markdown]
# With many tasks some interval lies above chance by luck; chapter 11 corrects for their number. The other systems did not learn
# from synthetic speech. On the synthetic corpora their scores say even less about people than those of ParaCLAP.
#
# ## In words
#
# With Pengi you can read why it gave an answer. These are its descriptions of test utterances:

# %%
pengi = loaded.get("pengi")
described = pengi.descriptions.iloc[:: max(1, len(test) // 5)] if pengi else pd.Series(dtype="str")
print(f"{len(described)} descriptions to show.")
style.text_table(described.reset_index(drop=True).to_frame("description"))

# %% [markdown]
# Where a description names the sound and not the manner of speaking, no query about emotions is close to it. The answer then
# depends on accidental similarities between words.
#
# ## Without words
#
# Where utterances have ratings, the dimensional model can be compared with them. Corpora rate on scales of their own, so only
# the correlation counts.

# %%
rated = pd.DataFrame(columns=["corpus", *tables.DIMENSIONS])
if rater:
    ratings = rater.rate(test)
    people = test.groupby("corpus")[[*ratings]]
    rated = people.apply(lambda own: own.corrwith(ratings.loc[own.index])).reset_index()
print(f"Correlations with the ratings of people in {len(rated)} corpora:")
style.text_table(rated)

# %% [markdown]
# Such a model does not answer questions in words. It shows how much of a dimension this encoder finds in the signal.
#
# ## What the paper reports
#
# The paper {cite}`jing2024paraclap` measured these scores on the real corpora with the published weights. None of them comes from
# this run.

# %% mystnb={"figure": {"caption": "Quoted from Table 1 of the paper: UAR of CLAP, Pengi and ParaCLAP on corpora of real speech (in brackets: classes), and chance. The paper gives no intervals.", "name": "fig-systems-paper"}, "image": {"alt": "Points of UAR of three systems for each corpus of the paper, with marks of chance."}}
paper = paper_table.paper_scores()
three = ["clap", "pengi", "rand5"]
quoted = paper.melt(["corpus", "classes"], three, "system", "uar")
quoted["corpus"] += " (" + quoted["classes"].astype("str") + ")"
quoted["system"] = quoted["system"].replace(paper_table.NAMES | {"rand5": "ParaCLAP"})
quoted = quoted.assign(chance=1 / quoted["classes"], uar_low=quoted["uar"], uar_high=quoted["uar"])
intervals(quoted, "uar", "corpus", hue="system", chance="chance", xlabel="UAR (quoted)")

# %%
ahead = (paper["rand5"] > paper[["clap", "pengi"]].max(axis=1)).sum()
means = ", ".join(f"{paper_table.NAMES.get(one)} {paper[one].mean():.3f}" for one in three)
print(f"ParaCLAP (rand 5) has the highest score on {ahead} of {len(paper)} tasks. Means: {means}.")

# %% [markdown]
# ## One model, several numbers
#
# Not all papers report the same scores for ParaCLAP. The table has those that we know; `2024` is rand 5 in Table 1:

# %%
place = tables.project_folder() / "params" / "paper" / "reported.csv"
reported = tables.read_csv(place)
reported = reported.merge(paper[["task", "rand5"]].rename(columns={"rand5": "2024"}), on="task")
reported.loc[reported["measure"] != "UAR", "2024"] = pd.NA
reported["difference"] = reported["score"] - reported["2024"]
far = reported[reported["difference"].abs() >= 0.05]
far = [f"{row.task} {row.difference:+.3f} ({row.by})" for row in far.itertuples()]
print("At least .05 from rand 5 in the paper:", "; ".join(far) or "none")
style.text_table(reported)

# %% [markdown]
# The group that made ParaCLAP reports its scores again in a later paper {cite}`jing2026smoothclap`, where the columns of CLAP and
# Pengi are the same as in 2024. Another group reports scores as well {cite}`yang2026clsp`, probably of the published weights. We have
# read these numbers in summaries of the papers, two of them in notes only; we have not seen the papers themselves, and we do not know
# why the numbers differ. Another training, another epoch, other words for the classes or the published checkpoint instead of the
# paper's model are all possible. So no number is *the* score of a method. Before you compare with one, ask the same weights the
# same questions yourself.
#
# ## Exercises
#
# **1.** On which tasks of the paper does a model for general sounds come within three hundredths of ParaCLAP, or pass it? What
# do these tasks have in common?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap.evaluation import paper_table
#
# paper = paper_table.paper_scores()
# other = paper[["clap", "pengi"]].max(axis=1)
# near = paper[other > paper["rand5"] - 0.03]
# print(near[["corpus", "classes", "clap", "pengi", "rand5"]].to_string(index=False))
# ```
#
# On these tasks ParaCLAP itself stays near {term}`chance`, which is one divided by the number of classes. So there is little room for
# a difference. Without intervals we cannot say which of these differences are real.
# ````
#
# **2.** Pengi writes a sentence, and the candidate closest to this sentence is its answer. Why can such a system stay near chance
# although its sentences are good?
#
# ```{admonition} Answer
# :class: dropdown
# The sentence need not be about the question. "A woman speaks in a quiet room" is true, and equally far from *angry* and from
# *sad*. Similarities between words that have nothing to do with the speaker then decide. A system that compares the utterance
# with each {term}`candidate` has to use what the candidates differ in.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.systems`: `catalogue`, `commands`, `load`, `predict`
# - `paraclap.evaluation.tasks`: `tasks`; `paraclap.evaluation.paper_table`: `paper_scores`, Table 1 of the paper
# - `paraclap.figures.intervals`: `intervals`, the chart of all scores

# %% [markdown]
# ## Summary
#
# A system is anything that embeds signals and texts in one space, so four published models answer through one interface, and a
# fifth rates. {numref}`fig-systems-paper` shows what the paper measured: the line below it counts on how many tasks ParaCLAP is
# ahead. {numref}`fig-systems-scores` shows this run, with the intervals that the paper does not give. **Which differences are
# real?** This is the question of [the next chapter](11_evidence).
