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
#     inputs:
#     - other_model
#     - templates
#     reads:
#     - labels.parquet
#     - features.parquet
#     - queries.parquet
#     - settings.json
#     - model
#     writes:
#     - predictions.parquet
#     - scores.csv
#     - attributes.csv
#     - references.csv
# ---

# %% [markdown]
# # Zero-shot evaluation
#
# **How good are the answers, and how certain is that?** The model has learned from one corpus and its words. Now it gets other
# corpora, other speakers and other words, and for each task only the names of the classes {cite}`jing2024paraclap`. After this
# chapter you can
#
# - say what training has seen of a task, and which answers are therefore {term}`zero-shot`,
# - turn the names of classes into an answer, and answers into a {term}`UAR` with its {term}`interval`,
# - tell a class that the model recognises from one that it always answers.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `model/`, `labels.parquet`, `features.parquet`, `queries.parquet` | a {term}`segment` |
# | Writes | `predictions.parquet` | a test utterance: truth, prediction, a probability for each candidate |
# | Writes | `scores.csv`, `references.csv`, `attributes.csv` | a task; a task of a baseline; an {term}`attribute` |

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
jobs: int = 2  # processes
# the questions
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as in the paper or its released code
templates: str = "paper"  # paper, diverse, released, released-fixed, or a .csv
# the answers
other_model: str = ""  # folder of a model to ask instead of that of chapter 4
draws: int = 1000  # draws of the bootstrap

# %%
import pandas as pd
import seaborn as sns
import torch

from paraclap import ParaCLAP, embed_audio, embed_text, tables
from paraclap.book import show
from paraclap.figures import evaluation as figures
from paraclap.figures import style
from paraclap.figures.intervals import intervals
from paraclap.figures.players import players

torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)
model = ParaCLAP.from_pretrained(other_model or folder / "model")

# %%
from paraclap.evaluation import baselines, bootstrap, compare, metrics, paper_table, tasks, zeroshot
from paraclap.evaluation.contamination import matrix, of_run
from paraclap.evaluation.prompts import ask, prompt_scores
from paraclap.evaluation.results import speech
from paraclap.training import Settings

features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]
queries = tables.read_table(folder / "queries.parquet").loc[features.index]

# %% [markdown]
# ## The questions
#
# Every corpus with a test split is a task. Its classes become {term}`candidates <candidate>`: each has a word, and the word
# goes into one {term}`template`, the same for all tasks. The class *other* is not a candidate, because the word describes
# no way of speaking.

# %%
questions = tasks.tasks(labels, candidates)
asked = [(task, len(words), " / ".join(words.values())) for task, words in questions.items()]
print("\n".join(tasks.remarks(labels)))
style.text_table(pd.DataFrame(asked, columns=["task", "classes", template]))

# %% [markdown]
# ## What is zero-shot here, and what is not?
#
# {term}`Zero-shot <zero-shot>` is about what training did *not* contain. This table says it for every task: whether
# utterances of the corpus were trained on, and the share of its classes, and of their words, that training contained.

# %%
settings = Settings.of(tables.read_json(folder / "settings.json"))
known = of_run(labels, queries, questions, settings, templates)
seen = matrix(labels, known, settings)
style.text_table(seen[["task", "training", "classes", "words", "seen"]])

# %% [markdown]
# Where all classes and words are known, only the corpus and its speakers are new. The paper says of IEMOCAP, whose classes
# MSP-Podcast has: *"In this case, our method is tantamount to doing standard classification"* {cite}`jing2024paraclap`.
#
# For this reason a **logistic regression** on the functionals stands beside the model in this chapter. It is a fair
# reference: it learned from the emotion labels of the same training utterances. Where training has all classes of a task, both
# do the same kind of work. The regression can never answer a class that training does not have. This is where *zero-shot* begins.
#
# In a run on the built-in speech, the held-out corpora come from the same generator as the training corpus: other speakers
# and settings, but the same synthesiser and the same rules for an emotion. Real corpora differ more; the
# section *Another generator* below shows what a second one changes. All speech of such a run is synthetic, and its scores say
# nothing about people.
#
# ## The answers
#
# Each candidate is embedded once, and so is each utterance.

# %%
show(zeroshot.encode_candidates)

# %%
show(zeroshot.answer)

# %% [markdown]
# The {term}`logits` are the cosines times the learned factor; the largest one is the {term}`prediction`. That factor was not
# fitted to any question, so the probabilities rank answers and are not calibrated. Chapter 11 calibrates them.

# %%
test = labels[labels["split"] == "test"]
embeddings = embed_audio(model, test, functionals=features)
predictions = tasks.predict(model, test, questions, template, embeddings)
tables.write_table(predictions, folder / "predictions.parquet")
tables.show(predictions.dropna(axis=1, how="all").iloc[:, :6], rows=2)

# %% [markdown]
# ## The scores
#
# The headline score is the unweighted average recall ({term}`UAR`). {term}`Chance` is one divided by the number of classes,
# however unequal they are.

# %%
show(metrics.uar)

# %% [markdown]
# What would the score be with other speakers? The bootstrap draws the speakers again, with replacement, and scores each draw
# {cite}`bisani2004bootstrap`. The {term}`interval` holds 95 % of these scores.

# %%
show(bootstrap.bootstrap_interval)

# %%
scores = tasks.score(predictions, questions, template, draws, seed)
tables.write_table(scores, folder / "scores.csv")
style.text_table(scores.drop(columns="template"))

# %% mystnb={"figure": {"caption": "UAR of every task with its interval: the model, and the logistic regression where training has two classes of the task or more. Upright marks are chance, which is also what the majority class reaches.", "name": "fig-zero-shot-scores"}, "image": {"alt": "Points with error bars for each task and system, with chance marks."}}
references = baselines.reference_scores(features, labels, questions, draws, seed)
tables.write_table(references, folder / "references.csv")
regression = references[references["system"] == "logistic"]
systems = pd.concat([scores.assign(system="model"), regression])
intervals(systems, "uar", "task", "system", chance="chance", xlabel="UAR", xlim=(0, 1))

# %%
both = regression.merge(scores, on=["task", "classes"], suffixes=("", "_model"))
both = both[both["learnable"] == both["classes"]]
higher = both.loc[both["uar"] > both["uar_model"], "task"]
print(f"Training has all classes of {len(both)} of {len(scores)} tasks.")
print(f"There the regression has the higher UAR in: {', '.join(higher) or 'none'}.")

# %% [markdown]
# Which tasks in {numref}`fig-zero-shot-scores` are above chance? With many tasks some interval misses chance by luck, so the
# tests are corrected for their number (Holm). A task with a single answer for all utterances is set apart: there
# the answer does not depend on the utterance at all.

# %%
above = compare.above_chance(predictions, questions, draws, seed)
print(compare.describe_above_chance(above))

# %% [markdown]
# ## Another generator
#
# How much of a score belongs to the synthesiser? A model of the demo was asked the same tasks about **synthetic speech from other
# hands**: another synthesiser, other texts, other rooms, and other cues of the emotions. This was measured once, by
# `python -m benchmarks.other_generator test demo`, and not in this run; `benchmarks/other_generator.md` says how. `own` is the
# generator of the training corpus.

# %%
measured = tables.read_csv(tables.project_folder() / "benchmarks" / "other_generator.csv")
for task in measured["task"]:
    (sentence,) = compare.describe_differences(measured, task, "UAR with the {}".format)
    print(f"{task}: {sentence}")
columns = ["task", "chance", "own generator", "other generator", "regression", "learned there"]
style.text_table(measured[columns])

# %% [markdown]
# The regressions on the functionals answer the same questions about the second generator. `regression` learned from the training
# corpus of the model. `learned there` learned from other speakers of the second generator, and tells how difficult the tasks are.
#
# ## Beside the paper
#
# These are the numbers of the paper for the real corpora. A score of this run stands beside them only if it comes from the
# same corpus, from people, with all of its classes. `sessions` is the mean over recording sessions, the protocol of the
# released code for IEMOCAP. [The appendix](14_results) lists what the paper's model had seen of each corpus before.

# %%
table = paper_table.beside_paper(scores, labels, predictions).dropna(axis=1, how="all")
named = table.drop(columns="task").rename(columns=paper_table.NAMES)
nothing = "This run used synthetic speech: none of its scores stands beside the paper's."
beside = nothing if speech(labels) != "recorded" else "This run: n to sessions."
style.text_table(named, f"Table 1 of the paper. {beside}")

# %% [markdown]
# ## Which mistakes?
#
# Each row of a matrix in {numref}`fig-confusions` is a true class and adds up to one. The diagonal has the recalls whose mean
# is the UAR. A dark *column* is an answer that the model prefers.

# %% mystnb={"figure": {"caption": "Share of each true class (row) that got each answer (column).", "name": "fig-confusions"}, "image": {"alt": "Grid of confusion matrices, one for each task."}}
classes = {task: list(words) for task, words in questions.items()}
answers = {task: predictions[predictions["corpus"] == task] for task in classes}
figures.confusions(answers, classes)

# %% [markdown]
# Recall alone is misleading: a class that is always answered has recall 1. Its *precision*, the share of these answers that is
# right, is then low. {numref}`fig-recall-precision` has both.

# %% mystnb={"figure": {"caption": "Recall and precision of every class. Top right: recognised. Bottom right: answered often, and often wrongly. Classes that are never answered have no precision and are missing.", "name": "fig-recall-precision"}, "image": {"alt": "Scatter of precision over recall, one mark for each class, coloured by task."}}
recalls = metrics.recalls(predictions)
fig, ax = style.figure(height=3.8)
sns.scatterplot(recalls, x="recall", y="precision", hue="task", style="task", s=50, ax=ax)
ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
fig

# %% [markdown]
# These are the classes with the lowest and the highest F1, the harmonic mean of both:

# %%
order = recalls.sort_values("f1", ignore_index=True)
style.text_table(pd.concat([order.head(2), order.tail(2)]))

# %% [markdown]
# ## Attributes
#
# The captions of training also describe pitch, level and more. Each {term}`attribute` gets one query for its low end and one
# for its high end, asked of test utterances of the training corpus at one of the ends ({numref}`fig-attributes`).

# %%
own = test["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"]).to_numpy()
asked = model, test[own], embeddings[own], queries.loc[test.index[own]]
attributes = tasks.attribute_scores(*asked, templates, draws, seed)
tables.write_table(attributes, folder / "attributes.csv")
attributes.round(3)

# %% mystnb={"figure": {"caption": "UAR of low against high for each attribute, best first, with intervals. The dashed line is chance.", "name": "fig-attributes"}, "image": {"alt": "Points with error bars for each attribute and the chance line."}}
nothing = "No attribute has test utterances at both of its ends."
drawn = {"value": "uar", "rows": "attribute", "chance": 0.5, "xlabel": "UAR", "xlim": (0, 1)}
intervals(attributes, **drawn) if len(attributes) else style.note(nothing)

# %% [markdown]
# Duration is special. Training crops long utterances to `crop_seconds`, and with `pad: batch` the padding is masked. With
# `pad: crop`, as in the paper, the silence behind a short utterance tells its length.
#
# ## For whom does it work?
#
# A mean can hide that one group is recognised worse than another ({numref}`fig-gender`).

# %% mystnb={"figure": {"caption": "UAR of each task among female and among male speakers, without intervals. Small groups differ by chance as well.", "name": "fig-gender"}, "image": {"alt": "Points of UAR by gender, one row for each task."}}
groups = metrics.by_group(predictions, labels.loc[predictions.index, "gender"])
fig, ax = style.figure(height=1 + 0.3 * len(questions))
sns.scatterplot(groups, x="uar", y="task", hue="group", style="group", s=60, ax=ax)
ax.set(xlim=(0, 1), xlabel="UAR", ylabel="")
fig

# %% [markdown]
# ## Other words
#
# A model that knows its language should also understand words that no template contains, such as "furious"
# ({numref}`fig-words`). These prompts were fixed before any score was computed, see [chapter 11](11_evidence).

# %% mystnb={"figure": {"caption": "UAR of the tasks in many prompts; a mark is a template with one set of words. Trained: the words of the task. Unseen: synonyms that no template contains, for tasks whose classes all have them.", "name": "fig-words"}, "image": {"alt": "Strip of marks for each task, coloured by whether the words were trained."}}
found = prompt_scores(ask(model, test, embeddings, questions))
fig, ax = style.figure(height=1.2 + 0.4 * len(questions))
sns.stripplot(found, x="uar", y="task", hue="kind", dodge=True, size=4, ax=ax)
ax.set(xlim=(0, 1), xlabel="UAR", ylabel="")
fig

# %% [markdown]
# ## Listening
#
# A query can also search. The first three of these test utterances fit it best, the last three fit it worst.

# %%
similarity = embeddings[own] @ embed_text(model, ["has a high pitch"])[0]
found = test[own].assign(similarity=similarity).sort_values("similarity", ascending=False)
best = pd.concat([found[:3], found[3:][-3:]])
players(best, [f"cosine {row.similarity:.2f}, labelled {row.label}" for row in best.itertuples()])

# %% [markdown]
# ## Exercises
#
# **1.** (`folder` is that of this run.) The accuracy of a task is *below* the share of its largest class, and its UAR above chance. Can both be true?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# scores = tables.read_table(folder / "scores.csv").set_index("task")
# predictions = tables.read_table(folder / "predictions.parquet")
# shares = predictions.groupby("corpus")["truth"].value_counts(normalize=True)
# largest = shares.groupby("corpus").max()
# print(scores.assign(largest=largest)[["accuracy", "largest", "uar", "chance"]].round(2))
# ```
#
# Yes. Always answering the largest class gives its share as accuracy, and chance as UAR. A model that finds the small classes pays
# with mistakes in the large one.
# ````
#
# **2.** Ask in other words: run this chapter with `-p template="{}"`. Would you now choose the template by its score?
#
# ```{admonition} Answer
# :class: dropdown
# No: that would tune the question on the test utterances. [Chapter 11](11_evidence) reports the spread over fixed prompts.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.evaluation`: `tasks` and `zeroshot` (candidates, answers), `metrics`, `bootstrap` and `compare` (scores),
#   `baselines`, `contamination`, `paper_table` and `prompts` (what stands beside them)
# - `paraclap.figures`: interval charts, confusions, players

# %% [markdown]
# ## Summary
#
# Names of classes are enough to get an answer. What it is worth depends on what training has seen of the task, and on what the
# same labels give without words. **What does each part of the captions contribute?** This is the question of
# [the next chapter](06_variants).
