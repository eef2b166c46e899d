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
#     - settings.json
#     - model
#     - predictions.parquet
#     - variants.parquet
#     writes:
#     - evidence.csv
#     - prompts.csv
#     - calibration.csv
# ---

# %% [markdown]
# # Evidence
#
# **Which differences are real?** A score comes from some utterances, some speakers, one prompt and one training. With
# others it would be another score. By how much? After this chapter you can
#
# - compare two systems on the same draws, and correct for the number of comparisons,
# - separate luck with the speakers from luck in training,
# - say how much of a score belongs to the prompt,
# - calibrate probabilities with one number.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `predictions.parquet`, `variants.parquet` | a test utterance: the answers of chapters 5 and 6 |
# | Reads | `model/`, `settings.json` | (no tables) the model of chapter 4 |
# | Reads | `labels.parquet`, `features.parquet` | a {term}`segment` |
# | Writes | `evidence.csv` | two systems on a task, or on the mean over tasks: their difference |
# | Writes | `prompts.csv`, `calibration.csv` | a task in one {term}`prompt`; a task before and after a temperature |
#
# With the synthetic corpora, a real difference is one between models of a speech synthesiser.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# questions
template: str = "speaker is {}"  # prompt, with a slot for the word of a class
candidates: str = "own"  # words of the classes: own, or as in the paper or its released code
draws: int = 1000  # of the bootstrap that gives the intervals

# %%
import numpy as np
import pandas as pd
import seaborn as sns

from paraclap import ParaCLAP, embed_audio, tables, training
from paraclap.book import show
from paraclap.evaluation import baselines, compare, metrics, prompts, tasks
from paraclap.evaluation.paper_table import NAMES
from paraclap.figures import style
from paraclap.figures.intervals import intervals

folder = tables.run_folder(run, runs)
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]

# %% [markdown]
# ## Who is compared
#
# The main run, the variants of chapter 6, and the logistic regression of chapter 5. All of them learned from the same training
# split and were asked the same.

# %%
test, dev = (labels[labels["split"] == split] for split in ("test", "dev"))
questions = tasks.tasks(labels, candidates)
answers = tables.read_table(folder / "variants.parquet").groupby("variant", sort=False)
answers = {str(name): rows.drop(columns="variant") for name, rows in answers}
main = training.Settings.of(tables.read_json(folder / "settings.json"))
same = [name for name, one in training.variants(main, list(answers)).items() if one == main]
own = same[0] if same else "main run"
predictions = answers.setdefault(own, tables.read_table(folder / "predictions.parquet"))
answers["logistic regression"] = baselines.baseline_predictions(features, labels, questions)
answers = {NAMES.get(name, name): table for name, table in answers.items() if len(table)}
print("Compared: " + ", ".join(answers) + ".")

# %% [markdown]
# ## Intervals
#
# An {term}`interval` comes from a bootstrap {cite}`bisani2004bootstrap`: utterances are drawn again with replacement and scored,
# many times. Utterances of one speaker resemble each other, so whole speakers are drawn {cite}`field2007clusters`; with fewer than
# six, utterances are, and the interval says nothing about other speakers. Few units widen it {cite}`hesterberg2015bootstrap`.
# {numref}`fig-evidence-systems` draws the intervals of all that are compared.

# %% mystnb={"figure": {"caption": "UAR of every system on every task with its interval, and chance. An interval that contains chance shows nothing. Overlapping intervals do not decide whether two systems differ: both answer the same utterances, so they share their luck.", "name": "fig-evidence-systems"}, "image": {"alt": "Points with intervals for each task, a colour for each system, with marks of chance."}}
scored = compare.score_systems(answers, questions, draws, seed)
table = compare.intervals(scored)
chances = table["task"].map({task: 1 / len(words) for task, words in questions.items()})
tested = compare.above_chance(predictions, questions, draws, seed)
print("The main run.", compare.describe_above_chance(tested))
intervals(table.assign(chance=chances), "uar", "task", hue="system", chance="chance", xlabel="UAR")

# %% [markdown]
# ## Two by two
#
# A hard draw is hard for all systems. So two systems are scored on *the same* draws, and only the difference of their scores
# counts. It is called real if its p, corrected by Holm for the number of comparisons {cite}`holm1979`, is at most one in twenty.
# Without a correction, some of many differences would look real by chance.

# %%
show(compare.p_value)

# %%
compared = compare.differences(scored)
tables.write_table(compared, folder / "evidence.csv")
for sentence in compare.describe_differences(compared):
    print(sentence)

# %% mystnb={"figure": {"caption": "Paired differences of the mean UAR over the tasks that both systems answer, with intervals. The colour says whether a difference is real after the correction; the dashed line is no difference. *Not shown* does not mean equal: the interval says how large a difference can still be.", "name": "fig-evidence-differences"}, "image": {"alt": "Points with intervals, one row for each pair of systems, with a dashed line at zero."}}
pairs = compared[compared["task"] == compare.MEAN]
pairs = pairs.assign(pair=pairs["system"] + " - " + pairs["other"])
pairs["difference is"] = np.where(pairs["real"], "real", "not shown")
look = {"ends": ("low", "high"), "colours": {"real": style.BLUE, "not shown": style.GREY}}
fig = intervals(pairs, "difference", "pair", hue="difference is", **look)
style.chance(fig.axes[0], 0, "no difference", upright=True)
fig

# %% mystnb={"figure": {"caption": "The same differences on every task, in hundredths. A star marks what is real after the correction on that task. Empty cells are tasks that one of the two systems does not answer.", "name": "fig-evidence-matrix"}, "image": {"alt": "Heat map of differences, pairs of systems in rows, tasks in columns, stars on some cells."}}
single = compared[compared["task"] != compare.MEAN]
single = single.assign(pair=single["system"] + " - " + single["other"])
wide = (100 * single.pivot(index="pair", columns="task", values="difference")).round()
stars = single.pivot(index="pair", columns="task", values="real").eq(True)
words = wide.map("{:.0f}".format).where(wide.notna(), "") + np.where(stars, "*", "")
fig, ax = style.figure(height=1.6 + 0.3 * len(wide))
sns.heatmap(wide, annot=words, fmt="", cmap="vlag", center=0, annot_kws={"size": 8}, ax=ax)
ax.set(xlabel="", ylabel="")
real = single.groupby("task", sort=False)["real"].sum()
print(f"Real after the correction: {real.sum()} of {len(single)} comparisons on single tasks.")
print(f"Tasks without any: {', '.join(real.index[real == 0]) or 'none'}.")
fig

# %% [markdown]
# One uncertainty is missing. Each model was trained once, and the random numbers of a training move its scores, too
# {cite}`bouthillier2021variance`. Chapter 7 trains several seeds of each recipe and shows the spread over them.
# A difference between two single models that is smaller than this spread need not be one between their recipes.
#
# ## Other prompts
#
# From here on only the main run answers. A question can be put in many ways, and it is tempting to try them until the score is good. So
# the prompts are a table that was fixed before any test utterance was asked. No score is used to choose from it.

# %%
print("Templates:", *prompts.frozen().query("kind != 'synonym'")["text"], sep="\n  - ")
model = ParaCLAP.from_pretrained(folder / "model")
embeddings = embed_audio(model, test, functionals=features)
trained_words = tasks.tasks(labels)
asked = prompts.ask(model, test, embeddings, trained_words)
table = prompts.prompt_scores(asked)
tables.write_table(table, folder / "prompts.csv")
style.text_table(prompts.sensitivity(asked))

# %% [markdown]
# A kappa near one means that the prompt does not matter. Near zero, the answers depend on the prompt more than on the utterance. The
# kind `unseen` replaces the words of the classes by synonyms that no caption holds. Several prompts can answer together, by the
# mean of their embeddings {cite}`radford2021clip`.

# %%
alone = f"'{template}' alone"
mean = asked[(asked["prompt"] == prompts.MEAN) & (asked["kind"] == "trained")]
single = tasks.predict(model, test, trained_words, template, embeddings)
again = compare.score_systems({prompts.MEAN: mean, alone: single}, questions, draws, seed)
for sentence in compare.describe_differences(compare.differences(again)):
    print(sentence)

# %% mystnb={"figure": {"caption": "UAR of every task in every prompt: each dot is a prompt, with the words of the task or with synonyms that no caption holds. Black diamonds are the answers by the mean embedding of all trained prompts. The width of a cloud is the influence of the template.", "name": "fig-evidence-prompts"}, "image": {"alt": "Strips of dots for each task in two colours with black diamonds."}}
fig, ax = style.figure(height=1.2 + 0.42 * table["task"].nunique())
sns.stripplot(table, x="uar", y="task", hue="kind", dodge=True, size=3.5, ax=ax)
mean = compare.intervals(again).query("system == @prompts.MEAN")
ax.plot(mean["uar"], mean["task"], "D", color="black", markersize=5, label=prompts.MEAN)
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
ax.set(xlabel="UAR", ylabel="")
fig

# %% [markdown]
# ## How sure may it be?
#
# Probabilities need not be right. A {term}`temperature` repairs a part of this: all logits are divided by one number, fitted to the
# dev split {cite}`guo2017calibration`. The answers stay the same.

# %%
of_dev = embed_audio(model, dev, functionals=features)
known = tasks.predict(model, dev, questions, template, of_dev)
parts = []
for task, rows in known.groupby("corpus", sort=False):
    classes = list(questions[task])
    parts.append((np.log(rows[classes]), pd.Categorical(rows["truth"], classes).codes))
temperature = metrics.fit_temperature(parts) if parts else 1.0
of = ", ".join(known["corpus"].unique()) or "no task"
print(f"Temperature {temperature:.2f}, from the dev split of: {of}.")

# %%
curves, errors = [], []
right = predictions["truth"] == predictions["prediction"]
for name, value in (("as asked", 1.0), ("with the temperature", temperature)):
    shares = predictions.drop(columns=list(tasks.COLUMNS)) ** (1 / value)
    sure = shares.max(axis=1) / shares.sum(axis=1)
    curves.append(metrics.reliability(sure, right).assign(probabilities=name))
    both = pd.DataFrame({"task": predictions["corpus"], "sure": sure, "right": right})
    for task, rows in both.groupby("task", sort=False):
        errors.append((task, name, metrics.ece(rows["sure"], rows["right"])))
calibration = pd.DataFrame(errors, columns=["task", "probabilities", "ece"])
tables.write_table(calibration, folder / "calibration.csv")
style.text_table(calibration.groupby("probabilities", sort=False)["ece"].mean().reset_index())

# %% mystnb={"figure": {"caption": "Share of right answers by the probability of the answer, all tasks together, before and after the temperature. Below the dashed line the model is surer than it is right.", "name": "fig-evidence-reliability"}, "image": {"alt": "Reliability curves before and after temperature scaling, with the diagonal dashed."}}
fig, ax = style.figure(height=3.8)
ax.plot([0, 1], [0, 1], "--", color=style.INK, label="as often right as sure")
sns.lineplot(pd.concat(curves), x="confidence", y="right", hue="probabilities", marker="o", ax=ax)
ax.set(xlabel="probability of the answer", ylabel="share of right answers")
fig

# %% [markdown]
# A temperature that fits the classes of one corpus need not fit the questions about another.
#
# ## Exercises
#
# **1.** Ten comparisons, none of them real: how often does at least one look real at one in twenty? How many comparisons of this
# chapter are real on single tasks without a correction, by Holm's, and with every p times their number (Bonferroni)?
#
# ````{admonition} Answer
# :class: dropdown
# About four times in ten, if they are independent: one minus the probability that none of them does, `1 - 0.95 ** 10`.
#
# ```python
# from paraclap import tables
# from paraclap.evaluation import compare
#
# table = tables.read_table(folder / "evidence.csv")
# single = table[table["task"] != compare.MEAN]
# number = single.groupby("task")["p"].transform("size")
# ways = {"none": single["p"], "Holm": single["p_holm"], "Bonferroni": single["p"] * number}
# print({way: int((p <= compare.ALPHA).sum()) for way, p in ways.items()}, "of", len(single))
# ```
#
# Holm never finds fewer than Bonferroni and keeps the same guarantee.
# ````
#
# **2.** How many more *speakers* does it take to halve an interval? And how many more utterances of the same speakers?
#
# ```{admonition} Answer
# :class: dropdown
# Four times as many speakers: the width falls with the square root of the number of units. More utterances of the same speakers
# only reduce the part that comes from utterances; the differences between speakers stay.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.evaluation.compare`: intervals, paired differences, Holm's correction, sentences about them
# - `paraclap.evaluation.prompts`: `frozen`, `ask`, `prompt_scores`, `sensitivity`; the prompts are in `prompts.csv`
# - `paraclap.evaluation`: `metrics` (`fit_temperature`, `reliability`, `ece`), `baselines`, `tasks`

# %% [markdown]
# ## Summary
#
# Differences are tested on the same draws and corrected for their number: {numref}`fig-evidence-differences` and
# {numref}`fig-evidence-matrix` show which are real for these speakers and this one training of each model. The prompt moves a score,
# too ({numref}`fig-evidence-prompts`), and an answer by several prompts needs no choice. One number calibrates probabilities
# ({numref}`fig-evidence-reliability`). **What else can we ask?** This is the question of [the next chapter](12_beyond_classes).
