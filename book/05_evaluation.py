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
# # Evaluation
#
# **What can the model answer that it was never trained for?** It has learned from one corpus and
# its words. Now it is asked about other corpora, other speakers, other classes and, in part, another
# language, by nothing but the names of the classes: {term}`zero-shot`, as in {cite}`jing2024paraclap`.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/model/` | (a folder) the trained model |
# | `runs/<run>/labels.parquet`, `features.parquet`, `queries.parquet` | a segment |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/predictions.parquet` | a test voice: truth, prediction, a probability per candidate |
# | `runs/<run>/scores.csv` | a task |
# | `runs/<run>/attributes.csv` | an attribute |
# | `runs/<run>/references.csv` | a task, answered by simpler means |
#
# The built-in corpora whose names end in *-like* imitate, with synthetic speech, the label sets and
# sizes of real ones ({cite}`busso2008iemocap`, {cite}`livingstone2018ravdess`,
# {cite}`cao2014cremad`, {cite}`dupuis2010tess`, {cite}`steidl2009aibo`, {cite}`schiel2012alc`,
# {cite}`burkhardt2011sld`). A score here says nothing about how people are understood.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
jobs: int = 2  # CPU threads
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
table_title: str = ""  # of the table beside the paper's; refused for synthetic speech
other_model: str = ""  # folder of a model to ask instead of that of chapter 4
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
draws: int = 1000  # of the bootstrap that gives the intervals

# %%
import pandas as pd
import torch

from paraclap import ParaCLAP, evaluation, quoted, tables, zeroshot
from paraclap.figures import evaluation as figures
from paraclap.figures import style
from paraclap.settings import Settings, variant

torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)
model = ParaCLAP.from_pretrained(other_model or folder / "model")

# %% [markdown]
# ## The questions
#
# Every corpus with a test split is a task. Its classes become {term}`candidates <candidate>`: each is
# named by a word and put into one template, the same for all tasks. A class called *other* is
# no candidate, since nobody could say what it sounds like.

# %%
labels = tables.read_table(folder / "labels.parquet")
features = tables.read_table(folder / "features.parquet")
labels = labels.loc[features.index]
tasks = evaluation.tasks(labels, candidates)
asked = [(task, len(words), " / ".join(words.values())) for task, words in tasks.items()]
style.text_table(pd.DataFrame(asked, columns=["task", "classes", template]))

# %%
for remark in evaluation.remarks(labels):
    print(remark)

# %% [markdown]
# ## The answers
#
# Each test voice is embedded once, and so is each candidate. The {term}`logits` are their cosines
# times the learned factor, the softmax over candidates gives probabilities, and the largest is
# the answer. Nothing is cropped or drawn: asking again gives the same answer.

# %%
test = labels[labels["split"] == "test"]
voices = zeroshot.embed_audio(model, test)
predictions = evaluation.predict(model, test, tasks, template, voices)
tables.write_table(predictions, folder / "predictions.parquet")
tables.show(predictions.dropna(axis=1, how="all").iloc[:, :8], rows=2)

# %% [markdown]
# A row is a voice: what it is, what was answered, and how probable the model holds each candidate
# (only the first few are shown; candidates of other tasks stay empty).

# %%
scores = evaluation.score(predictions, tasks, template, draws, seed)
tables.write_table(scores, folder / "scores.csv")
style.text_table(scores.drop(columns="template"))

# %% [markdown]
# {term}`UAR` is the mean share found over the classes, so {term}`chance` is one divided by their
# number however unequal they are. The interval holds 95 % of the scores that come out when speakers are drawn
# anew with replacement {cite}`bisani2004bootstrap`: it says how the score might be with other speakers of this kind.
#
# What would simpler means reach? A logistic regression on the eGeMAPS features and a majority vote
# stand beside the model. Both have *seen labelled voices* of the classes that they are asked
# for, in the training corpus, which a zero-shot question does without; where that corpus does not
# have the classes of a task, they cannot answer at all.

# %%
references = evaluation.reference_scores(features, labels, tasks, draws, seed)
tables.write_table(references, folder / "references.csv")
style.text_table(references)

# %% mystnb={"figure": {"name": "fig-eval-scores", "align": "center", "caption": "Zero-shot UAR of every task with its interval, beside the logistic regression where there is one. An interval that does not reach the mark of chance shows that the model hears something of the task; where it does, nothing can be claimed."}, "image": {"alt": "Points with error bars for each task, chance marks, and reference points."}}
figures.task_scores(scores, references)

# %%
sure = scores.loc[scores["uar_low"] > scores["chance"], "task"].tolist()
print(
    f"Above chance with their whole interval: {len(sure)} of {len(scores)} tasks: {', '.join(sure) or 'none'}."
)

# %% [markdown]
# ## Beside the paper
#
# What the paper reports for the real corpora is quoted here, with the other two systems that it
# compares. A score of this run joins the columns only where it was *measured* on the same corpus, spoken by people,
# with all of its classes; where fewer voices were asked than the corpus has for testing, their number is said.

# %%
table = quoted.beside(scores, labels, evaluation.by_session(predictions, labels))
said = variant(Settings(**tables.read_json(folder / "settings.json")))
style.text_table(quoted.shown(table), quoted.title(labels, said, table_title))

# %% [markdown]
# The last column is the mean over recording sessions, the protocol of the released code for IEMOCAP; the
# paper does not say whether it pools them. Zero-shot is a claim about what a model has *not* met, so
# here is what the paper's model had met of each corpus before it was asked
# {cite}`jing2024paraclap,wagner2023dawn`:

# %%
style.text_table(quoted.exposure())

# %% [markdown]
# Its audio tower knows MSP-Podcast from an earlier fine-tuning, and the paper chose its epoch by the
# test split of that corpus. Here the choice is made on the dev split alone, and no test voice is looked at before
# the questions of this chapter.

# %% [markdown]
# ## Which mistakes?
#
# A score is a mean; the {term}`truth` and the {term}`prediction` side by side tell more. Each row of a matrix is a true
# class and adds up to one; the diagonal holds the recalls whose mean is the {term}`UAR`, drawn by themselves in {numref}`fig-eval-recalls`.

# %% mystnb={"figure": {"name": "fig-eval-confusions", "align": "center", "caption": "Share of each true class (row) that was given each answer (column). Dark cells off the diagonal in one column show an answer that the model prefers; a dark pair mirrored at the diagonal shows two classes that it confuses."}, "image": {"alt": "Grid of confusion matrices, one for each task."}}
classes = {task: list(words) for task, words in tasks.items()}
figures.confusions(predictions, classes)

# %% mystnb={"figure": {"name": "fig-eval-recalls", "align": "center", "caption": "Recall of each class. Classes left of the mark of chance are answered less often than guessing would; the spread within a row is what the mean hides."}, "image": {"alt": "Points of recall for each class, one row for each task."}}
recalls = evaluation.recalls(predictions)
figures.class_recalls(recalls, classes)

# %%
best, worst = recalls.loc[recalls["recall"].idxmax()], recalls.loc[recalls["recall"].idxmin()]
for word, row in (("Best", best), ("Worst", worst)):
    print(
        f"{word} heard: {row['label']} in {row['task']}, recall {row['recall']:.2f} of {row['n']} voices."
    )

# %% [markdown]
# ## Attributes
#
# The training text spoke of pitch, level and more. Each {term}`attribute` is asked here with one plain query
# for each of its ends, on test voices of the training corpus that lie at one of them (the
# bottom or the top by the {term}`edges` of the training split).

# %%
table = tables.read_table(folder / "queries.parquet")
corpora = labels.loc[labels["split"] == "train", "corpus"].unique()
own = test["corpus"].isin(corpora).to_numpy()
levels = table.loc[test.index[own]]
attributes = evaluation.attributes(model, test[own], voices[own], levels, templates, draws, seed)
tables.write_table(attributes, folder / "attributes.csv")
attributes.round(3)

# %% mystnb={"figure": {"name": "fig-eval-attributes", "align": "center", "caption": "UAR of the two ends of each attribute, best first, with intervals. Attributes whose interval lies right of the dashed line are heard; what is near it is either hard to hear or hard to say."}, "image": {"alt": "Bar chart of UAR by attribute with error bars and the chance line."}}
figures.attribute_scores(attributes)

# %% [markdown]
# Duration is a case of its own. In training every voice is cut to `crop_seconds` at most. With `pad: batch`, as in the
# demo, the towers never see what fills a batch up, and little is left to hear of a short or a long voice. With
# `pad: crop`, as in the paper, the silence behind a short voice is heard in training, and gives its length away.
#
# ## Does it know when it does not know?

# %% mystnb={"figure": {"name": "fig-eval-certainty", "align": "center", "caption": "Left: how far the first answer is ahead of the second, for right and for wrong answers. Right: the share of right answers by the probability that the model gives them; below the dashed line it is more sure than it is right."}, "image": {"alt": "Histogram of margins for right and wrong answers, and a calibration curve."}}
figures.certainty(predictions, classes)

# %%
top = predictions[sorted({label for own in classes.values() for label in own})].max(axis=1)
right = predictions["truth"] == predictions["prediction"]
print(
    f"Mean probability of the answer {top.mean():.2f}, share of right answers {right.mean():.2f}."
)

# %% [markdown]
# The probabilities of {numref}`fig-eval-certainty` come from cosines and one learned factor that was never fitted to questions: they
# rank answers, and should not be read as a promise.
#
# ## For whom does it work?
#
# A mean over voices can hide that one group is understood worse than another. {numref}`fig-eval-gender` parts the voices by gender.

# %% mystnb={"figure": {"name": "fig-eval-gender", "align": "center", "caption": "UAR of each task among female and among male voices. The longer the grey bar, the more unequally the two are understood; small groups differ by chance, too."}, "image": {"alt": "Points of UAR by gender, one row for each task, with chance marks."}}
groups = evaluation.by_group(predictions, labels.loc[predictions.index, "gender"])
figures.group_scores(groups, classes)

# %% [markdown]
# ## Other words
#
# The candidates so far are words that the training text has said. A model that knows its language
# should also understand others for the same thing ({numref}`fig-eval-synonyms`). No template says any of these:

# %%
words = evaluation.other_words(model, test, voices, tasks, template)
words.round(3)

# %% mystnb={"figure": {"name": "fig-eval-synonyms", "align": "center", "caption": "The same tasks asked with the words of training and with synonyms that training never said. How much is lost is how much the model has learned words and not meanings; a pretrained text encoder is what can keep the loss small."}, "image": {"alt": "Grouped bar chart of UAR by task and wording with chance lines."}}
figures.wordings(words)

# %% [markdown]
# ## Listening
#
# A query can also search. These voices of the test split fit *"speaker is angry"* best, and these fit it
# worst (each with its own label).

# %%
query = template.replace("{}", "angry")
found = evaluation.nearest(model, test[own], voices[own], query)
cosines = [f"cosine {row.similarity:.2f}, labelled {row.label}" for row in found.itertuples()]
style.players(found, cosines)

# %%
found = evaluation.nearest(model, test[own], voices[own], "has a high pitch")
cosines = [f"cosine {row.similarity:.2f}, labelled {row.label}" for row in found.itertuples()]
style.players(found, cosines)

# %% [markdown]
# The second row was searched with *"has a high pitch"*. Its ends should differ clearly to the ear, if
# pitch stands high in {numref}`fig-eval-attributes`.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** On some task the accuracy is *below* the share of the largest class, and the UAR nevertheless above chance. Can both be true?
# Look for such tasks.
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
# Yes. Whoever always names the largest class reaches its share as accuracy, and only {term}`chance` as {term}`UAR`. A model that really finds the
# small classes pays for it with mistakes among the many voices of the large one. Which of the two is wanted depends on what
# the answers are for; a comparison over corpora with different shares needs the UAR.
# ````
#
# **2.** Which two classes are confused most often over all tasks?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# predictions = tables.read_table(folder / "predictions.parquet")
# wrong = predictions[predictions["truth"] != predictions["prediction"]]
# print(wrong.groupby(["corpus", "truth", "prediction"]).size().nlargest(5).to_string())
# ```
#
# Counts favour large classes. {numref}`fig-eval-confusions` divides by the number of voices of each class and so shows the confusions of small
# classes too: look where the two disagree.
# ````
#
# **3.** Ask other words: run this chapter with `-p template="{}"`. Which tasks change most, and would you now choose the template by its score?
#
# ```{admonition} Answer
# :class: dropdown
# On the built-in speech emotions change little, and most changes where the words are ones that training never said: there an
# answer hangs on the wording more than on the voice. But choosing by this score would choose by the
# test voices, and the score would then no longer be that of a question which nobody has tuned. [Chapter 11](11_evidence)
# asks in many wordings that were fixed beforehand, and reports their spread.
# ```

# %% [markdown]
# ## So: what can it answer that it was never trained for?
#
# The tasks whose interval stays clear of chance in {numref}`fig-eval-scores` are answered from the names
# of their classes alone. {numref}`fig-eval-confusions` shows that what it answers best are emotions that training has
# named, and how it fares with words and languages further away. Which part of the training text
# brings this is the question of the [next chapter](06_ablation).
