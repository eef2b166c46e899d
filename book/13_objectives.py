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
# # Beyond the recipe
#
# **What improves zero-shot answers, and what does not?** The paper ends by asking for more diverse queries
# and a better use of them {cite}`jing2024paraclap`. Here other objectives, other queries, another audio
# tower and other ways of asking stand against its recipe, each change by itself, with several seeds and paired
# tests, so that luck is not taken for progress.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/settings.json`, `machine.json`, `model/` | the main run of chapter 4 |
# | `runs/<run>/labels.parquet`, `features.parquet`, `queries.parquet` | a segment |
# | `benchmarks/contest/*.csv` | what was measured before, where this run trains no contenders |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/variants/<contender>-<seed>/` | (a folder each) model and curves |
# | `runs/<run>/contest/scores.csv` | a contender on a task, or on the mean over tasks |
# | `runs/<run>/contest/seeds.csv` | a contender and a seed: the mean over tasks |
# | `runs/<run>/contest/gains.csv` | two contenders: their difference |
#
# With the built-in corpora all speech is synthetic.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
draws: int = 1000  # of the bootstrap that gives the intervals
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # how emotions are named: adjective (angry) or noun (anger)
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
contenders: str = "all"  # who stands: all, or some, such as "egemaps,soft"
contest_seeds: int = 0  # trainings of each contender, such as 3; 0 shows what was measured before
measured_before: str = "benchmarks/contest"  # folder of what was measured before

# %%
from paraclap import contest, evaluation, inputs, outcome, tables
from paraclap.evidence import paired, systems
from paraclap.figures import contest as figures
from paraclap.figures import style
from paraclap.machine import Machine
from paraclap.settings import Settings

folder = tables.run_folder(run, runs)
main = Settings(**tables.read_json(folder / "settings.json"))
table = contest.chosen([name.strip() for name in contenders.split(",")])

# %% [markdown]
# ## The contenders
#
# Each differs in one thing from the contender that it is tested *against*; all others of its settings are those of the main
# run, its number of steps included. What they are asked was fixed before any of them was trained: the words and wordings
# of chapter 11, in their first version.

# %%
style.text_table(table.reset_index()[["name", "group", "against", "says"]])

# %% [markdown]
# **Another tower.** The paper says in words what openSMILE measures, and leaves it to an encoder of
# waveforms to hear it. `egemaps` takes a short cut: its audio tower reads the 88 functionals of eGeMAPS
# {cite}`eyben2016gemaps` and the duration, standardised, and hands them to the projection head. It
# learns in seconds. With synthetic speech this is a home game: its emotions were set by pitch, level and
# voice quality, which is what eGeMAPS measures, and the attribute queries were made from these very numbers.
#
# **Other objectives.** {eq}`eq-loss` takes every other text of the batch for false, although some are true
# of the voice as well ({numref}`fig-repeats`). With targets $P_{ij}$ instead of a single right answer it becomes
#
# $$
# \ell_{\mathrm{text}} = - \frac{1}{N} \sum_{i=1}^{N} \sum_{j=1}^{N} P_{ij} \log \operatorname{softmax}_j(C)_{ij}
# $$ (eq-soft)
#
# and likewise for the other direction. *duplicates* shares the target among identical texts, *holds* among all texts
# that are true of the voice, *soft* by how alike the levels of two voices are, after
# {cite}`jing2026smoothclap`. *sigmoid* asks every voice and text by itself {cite}`zhai2023siglip`, and
# *rank* wants texts of voices with like arousal, valence and dominance to fit better than those of
# unlike ones, after {cite}`emotionrankclap2025`.
#
# **Other queries.** *diverse* is told {term}`paraphrases <paraphrase>` in several registers, and {term}`synonyms <synonym>` of emotions with their
# intensities; none of the unseen words is among them.
#
# **Other ways of asking.** *ensemble* asks in many wordings and weighs each by its certainty. *matched*
# makes all answers equally frequent. It needs all test voices at once, without their labels: it is
# {term}`transductive`, and no answer to a single voice.

# %%
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]
test = labels[labels["split"] == "test"]
tasks = contest.acted(evaluation.tasks(labels, candidates), labels)
own = test["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"]).to_numpy()
levels = tables.read_table(folder / "queries.parquet").loc[test.index[own]]

# %%
trains = contest_seeds > 0 and len(tasks) > 0
if trains:
    given = inputs.read(folder, templates, emotion_form)
    machine = Machine(**tables.read_json(folder / "machine.json"))
    places = contest.train(given, folder, main, table, contest_seeds, machine)
    answered = contest.ask_all(places, table, test, tasks, levels, features)
    regression = systems.regression(features, labels, tasks)
    found = outcome.compare(answered, table, regression, draws, seed)
    found.save(folder / "contest", outcome.about(contest_seeds, main, labels))

# %%
place = folder / "contest" if trains else tables.project_folder() / measured_before
scores, seeds, gains = outcome.Outcome.load(place)
print("; ".join(f"{key}: {value}" for key, value in tables.read_json(place / "about.json").items()))

# %% [markdown]
# If this run trained none (`contest_seeds: 0`, or no test corpus of emotions that was not learned from), the contenders
# below are those of an earlier run, made at the date and from the commit that stand above.

# %% [markdown]
# ## Who answers how well?
#
# {numref}`fig-contest-scores` shows what each {term}`contender` reached, on three kinds of questions.

# %% mystnb={"figure": {"name": "fig-contest-scores", "align": "center", "caption": "Mean UAR of each contender over the acted emotions in the words of training, the same in unseen words, and the ends of all attributes. Circles: all seeds with the interval over speakers; crosses: single seeds. Crosses far apart say that a training was lucky or not; long bars, that few speakers were asked."}, "image": {"alt": "Three panels of points with error bars, one row for each contender, crosses for single seeds."}}
means = scores[scores["task"] == paired.MEAN]
figures.scores(means, seeds)

# %%
shown = means.pivot(index="system", columns="kind", values="uar")
shown.reindex(index=dict.fromkeys(means["system"]), columns=list(outcome.KINDS)).round(3)

# %% [markdown]
# ## Which differences are real?
#
# All contenders answered the same voices, so their luck with these is shared, and it is differences that are
# tested: speakers drawn anew, the mean over seeds, corrected for the number of comparisons {cite}`holm1979`.

# %% mystnb={"figure": {"name": "fig-contest-gains", "align": "center", "caption": "Difference of the mean UAR of two contenders, with its interval. Dark marks are real after the correction; pale ones cannot be told from luck. What lies left of the dashed line is a loss."}, "image": {"alt": "Three panels of differences with error bars around a dashed line at zero, one row for each pair of contenders."}}
figures.gains(gains)

# %%
for verdict in outcome.verdicts(gains):
    print(verdict)

# %% [markdown]
# An objective that helps attributes and not emotions has moved what the space is spent on. That an objective with more
# knowledge does not help need not mean that the knowledge is false: with few texts that are shared in a batch there is
# little to repair.
#
# ## How far is the way to a trained classifier?
#
# The logistic regression of chapter 5 has seen labelled voices of the classes. How much of the room between
# the paper's recipe and this regression does each contender close, on the acted emotions?

# %%
style.text_table(outcome.room(scores))

# %% [markdown]
# A share above one is better than the regression, which knows no words: a contender is told of attributes as
# well, and can answer for classes that it was never told of.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Which targets $P$ turn {eq}`eq-soft` into the paper's loss {eq}`eq-loss`? Verify it.
#
# ````{admonition} Answer
# :class: dropdown
# $P_{ij} = 1$ where $i = j$, and zero elsewhere: of the inner sum only the diagonal is left.
#
# ```python
# import torch
#
# from paraclap.loss import contrastive, matched
#
# logits = torch.randn(8, 8, generator=torch.Generator().manual_seed(0))
# targets = torch.eye(8)
# both = (matched(logits, targets) + matched(logits.T, targets)) / 2
# print(torch.isclose(both, contrastive(logits)).item())
# ```
# ````
#
# **2.** For the acted emotions, how does the number of contenders change what is called real? Count the gains that are real with Holm's correction and those that would be without one.
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
# from paraclap.evidence import paired
#
# gains = tables.read_table(tables.project_folder() / "benchmarks/contest/gains.csv")
# acted = gains[(gains["kind"] == "acted") & (gains["task"] == paired.MEAN)]
# print(f"{(acted['p'] <= paired.ALPHA).sum()} without, {acted['real'].sum()} with, of {len(acted)}")
# ```
#
# These are the gains that were measured before; those of a run that trained its own lie in `contest/gains.csv` of its folder. Every further contender raises
# the bar for all: a contest of a hundred ideas needs more voices than one of ten, or fewer questions that are fixed beforehand.
# ````

# %% [markdown]
# ## So: what improves zero-shot answers, and what does not?
#
# {numref}`fig-contest-gains` says it for these voices, and the sentences below it say it in words. On
# recorded speech, with large towers that were pretrained on people, the order may be another: the same contenders are one parameter away
# (`contenders`, `contest_seeds`). All results of this run stand together in the [last chapter](14_results).
