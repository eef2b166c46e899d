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
# # Evidence
#
# **Which of these differences are real?** A score is one number from some voices, some speakers, one wording and
# one training. Had any of them been others, it would be another. This chapter asks how far it could
# move, before anything is said to be better than anything else.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/model/`, `variants/<name>/model/` | (a folder each) the models of chapters 4 and 6 |
# | `runs/<run>/settings.json` | (one object) the choices of chapter 4 |
# | `runs/<run>/labels.parquet`, `features.parquet` | a segment |
# | `runs/<run>/recipes.csv` | a recipe of chapter 7, a set of sentences, a seed and a task |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/evidence.csv` | two systems on a task, or on the mean over tasks: their difference |
# | `runs/<run>/wordings.csv` | a task in one wording |
# | `runs/<run>/calibration.csv` | a task under one treatment of its probabilities |
#
# With the built-in corpora all speech is synthetic: what is real here is real of synthetic voices.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
draws: int = 1000  # of the bootstrap that gives the intervals
variants: str = "no_emo_rand5,only_emo,rand1,rand5"  # which to compare, in this order

# %%
from functools import partial

import pandas as pd

from paraclap import ParaCLAP, comparison, evaluation, tables, zeroshot
from paraclap.figures import evidence as figures
from paraclap.figures import style
from paraclap.figures.ablation import name

folder = tables.run_folder(run, runs)
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]

# %%
from paraclap.evidence import asking, calibration, paired, priors, recalls, seeds, systems, verdicts
from paraclap.evidence import treatments as treat
from paraclap.evidence import wordings_set as words_of

test, dev = (labels[labels["split"] == split] for split in ("test", "dev"))
tasks = evaluation.tasks(labels, candidates)
classes = {task: list(words) for task, words in tasks.items()}

# %% [markdown]
# ## Who is compared
#
# The variants of the [ablation](06_ablation), as far as they were trained, and the logistic regression of
# chapter 5, which has seen labelled voices of the classes it is asked for. Each model embeds every test
# voice once; all that follows is made from these embeddings.

# %%
places = systems.models(folder, variants.split(","))
models = {which: ParaCLAP.from_pretrained(place) for which, place in places.items()}
heard = {which: zeroshot.embed_audio(model, test) for which, model in models.items()}

# %%
answers = {
    which: evaluation.predict(model, test, tasks, template, heard[which])
    for which, model in models.items()
}
learned = systems.regression(features, labels, tasks)
given = answers | ({systems.REGRESSION: learned} if len(learned) else {})
print("Compared: " + ", ".join(name(which) for which in given) + ".")

# %% [markdown]
# ## Intervals at a glance
#
# {term}`Intervals <interval>` come from a bootstrap {cite}`bisani2004bootstrap`: voices are drawn anew, with replacement, and scored
# again, many times. Voices of one speaker are alike, so whole speakers are drawn {cite}`field2007clusters`; where there
# are too few of them, utterances are, and then the interval says nothing of other speakers. Draws of few speakers are spread
# as far as their small number demands {cite}`hesterberg2015bootstrap`. {numref}`fig-evidence-systems` draws them all.

# %%
scored = paired.redrawn(given, classes, draws, seed)
compared = paired.differences(scored)
tables.write_table(compared, folder / "evidence.csv")
for remark in verdicts.remarks(scored, compared):
    print(remark)

# %% mystnb={"figure": {"name": "fig-evidence-systems", "align": "center", "caption": "UAR of every system on every task, with intervals over the unit that was drawn (speakers, unless the task says otherwise). An interval that holds the mark of chance claims nothing. Whether two systems differ cannot be read from overlapping bars: both answer the same voices, so their luck is shared."}, "image": {"alt": "Points with error bars for each task and system, with chance marks."}}
chances = {task: 1 / len(own) for task, own in classes.items()}
intervals = paired.intervals(scored)
figures.systems(intervals, chances)

# %%
means = intervals[intervals["task"] == paired.MEAN]
style.text_table(means.drop(columns=["task", "units"]), "Mean over the tasks that all can answer")

# %% [markdown]
# ## Two by two
#
# A hard draw is hard for everybody. So two systems are scored on *the same* draws, and the difference of
# their scores is looked at. It counts as real if its p, corrected for the number of comparisons made on that task
# {cite}`holm1979`, is at most one in twenty. Many differences looked at one by one would find some by chance.

# %%
tables.show(compared, rows=2).round(3)

# %% mystnb={"figure": {"name": "fig-evidence-forest", "align": "center", "caption": "Paired differences of the mean UAR over the tasks that both systems answer, with intervals. Blue ones are real after correction; grey ones cannot be told from no difference."}, "image": {"alt": "Points with error bars, one row for each pair of systems, and a line at zero."}}
figures.forest(compared, verdicts.headline(compared))

# %%
for sentence in verdicts.told_apart(compared, verdicts.headline(compared), name):
    print(sentence)

# %% [markdown]
# Not told apart does not mean equal: the interval says how large a difference may still hide there.

# %% mystnb={"figure": {"name": "fig-evidence-matrix", "align": "center", "caption": "The same differences on every task, in hundredths. A dot marks what is real after correction. Where a row has numbers but no dots, the order of the two systems on those tasks may be luck; empty cells are tasks that one of the two cannot answer."}, "image": {"alt": "Heat map of differences of UAR, pairs of systems in rows, tasks in columns, dots on some cells."}}
figures.matrix(compared)

# %%
single = compared[compared["task"] != paired.MEAN]
print(f"Told apart: {single['real'].sum()} of {len(single)} comparisons on single tasks.")
open_tasks = [task for task, own in single.groupby("task", sort=False) if not own["real"].any()]
print(f"Tasks on which nothing can be told apart: {', '.join(open_tasks) or 'none'}.")

# %% [markdown]
# One uncertainty is missing here. Each of these models was trained once, and the random numbers that a training begins with
# move its scores, too {cite}`bouthillier2021variance`. The recipes of [chapter 7](07_paper_and_code) were trained
# several times each: this is what the seed alone does to their mean over tasks.

# %%
trained = tables.read_table(folder / "recipes.csv")
own_seed = trained[trained["seed"].astype("str") != comparison.TOGETHER]
by = ["recipe", "sentences"]
each = own_seed.groupby([*by, "seed"], sort=False)["uar"].mean().reset_index()
style.text_table(seeds.over_seeds(each, by))

# %% [markdown]
# The interval of a mean over a few seeds is wide, because few seeds say little. A difference between two single
# models that is smaller than the spread over seeds is one between trainings, and need not be one between variants.
#
# ## Class by class
#
# From here on the main run alone answers. A {term}`UAR` is a mean of recalls, and each of them rests on few voices ({numref}`fig-evidence-recalls`).

# %%
main = next(which for which, place in places.items() if place == folder / "model")
found = recalls.recalls({main: answers[main]}, classes, draws, seed)
widest = found.loc[(found["recall_high"] - found["recall_low"]).idxmax()]
print(
    f"Least is known of {widest['label']} in {widest['task']}: recall {widest['recall']:.2f} "
    f"({widest['recall_low']:.2f} to {widest['recall_high']:.2f}), number of voices {widest['n']}."
)

# %% mystnb={"figure": {"name": "fig-evidence-recalls", "align": "center", "caption": "Recall of each class with its interval, and chance. Where a class is found always or never a bootstrap would show no width at all; there the interval is the exact one of a proportion. Most classes have intervals far wider than that of the UAR: what is said of a single class should be said carefully."}, "image": {"alt": "Panels of points with error bars, one panel for each task, one row for each class, chance lines."}}
figures.class_recalls(found)

# %% [markdown]
# ## Other wordings
#
# How a question is put is a choice, and one that can be made until the answer pleases. So the wordings are
# a table that was fixed before it met a test voice, has a version, and is refused when somebody changes it. Nothing is picked
# from it by its score.

# %%
style.text_table(words_of.templates(), f"Wordings, version {words_of.VERSION}")

# %%
model, voices = models[main], heard[main]
embed, scale = partial(zeroshot.embed_text, model), model.temperature.item()
words = evaluation.tasks(labels)
sets = {task: words_of.asked(own) for task, own in words.items()}
asked = asking.ask(embed, test, voices, sets, scale)
wordings = asking.wording_scores(asked)
tables.write_table(wordings, folder / "wordings.csv")
tables.show(wordings, rows=2).round(3)

# %% [markdown]
# A template is asked of a task if it takes its words: nouns exist for emotions alone. Of several wordings
# together, an answer is made by averaging the embeddings of each class's queries {cite}`radford2021clip`, by averaging probabilities, or
# by averaging them with the more weight the lower their entropy {cite}`misra2003entropy`.

# %%
made = [asking.ensembles(one) for one in asked]
together = {way: pd.concat([each[way] for each in made]) for way in made[0]}
single = f"'{template}' alone"
together[single] = evaluation.predict(model, test, words, template, voices)
again = paired.redrawn(together, classes, draws, seed)
ensembles = paired.intervals(again)
groups = ensembles[ensembles["system"] != single]

# %% mystnb={"figure": {"name": "fig-evidence-wordings", "align": "center", "caption": "UAR of every task in every wording of the set: a dot is a wording with the words of the task (blue) or with synonyms that training never said (orange). The width of a blue cloud is what the choice of a template is worth; its distance to the orange one is what the choice of the word is worth. Black marks are answers by all templates together."}, "image": {"alt": "Strips of dots for each task in two colours, black marks for ensembles, and chance marks."}}
figures.spread(wordings, groups)

# %%
style.text_table(asking.spread(wordings))

# %%
unlike = asking.agreement(asked).sort_values("kappa")
style.text_table(unlike, "Agreement of two wordings: share of equal answers, and kappa")

# %% [markdown]
# A kappa near one: it does not matter how the question is put. Near zero, the answers are
# those of the wording more than those of the voice. Are the wordings together better than the one template of this run?

# %%
beside = paired.differences(again, [(way, single) for way in together if way != single])
for sentence in verdicts.told_apart(beside, verdicts.headline(beside)):
    print(sentence)

# %%
means = wordings.groupby(["kind", "task"])["uar"].mean().unstack("kind")
both = means.reindex(columns=["template", "unseen"]).dropna().reset_index()
style.text_table(both, "Mean UAR over wordings: words of the task, and words training never said")

# %% [markdown]
# ## How sure is it, and how sure may it be?
#
# Chapter 5 warned against reading its probabilities as a promise. A {term}`temperature` can mend a
# part: all logits are divided by one number {cite}`guo2017calibration`, fitted to labelled voices of the dev split. No answer changes;
# {numref}`fig-evidence-reliability` shows what does.

# %%
own = {task: words_of.one(words, template) for task, words in tasks.items()}
questions = asking.ask(embed, test, voices, own, scale)
known = asking.ask(embed, dev, zeroshot.embed_audio(model, dev), own, scale)
temperature = treat.fitted(known)
of = ", ".join(one.task for one in known) or "no task, so that it stays as it is"
print(f"Temperature {temperature:.2f}, from dev voices of {of}.")

# %% mystnb={"figure": {"name": "fig-evidence-reliability", "align": "center", "caption": "Share of right answers by the probability of the answer, all tasks together, before and after the temperature. Left, bins of equal width; right, bins of equal mass. A curve below the dashed line is surer than it is right. The size of a mark is its share of the voices."}, "image": {"alt": "Two panels with reliability curves before and after temperature scaling, and the diagonal."}}
sure = {"as asked": 1.0, "with the temperature": temperature}
curves = {
    title: {
        which: calibration.reliability(*treat.sureness(questions, value), equal_mass=mass)
        for which, value in sure.items()
    }
    for title, mass in (("equal width", False), ("equal mass", True))
}
figures.reliability(curves)

# %%
for which, value in sure.items():
    errors = [
        calibration.ece(*treat.sureness(questions, value), equal_mass=mass)
        for mass in (False, True)
    ]
    print(
        f"Calibration error {which}: {errors[0]:.3f} (equal width), {errors[1]:.3f} (equal mass)."
    )

# %% [markdown]
# A temperature fitted to the classes of one corpus need not suit the questions asked of another. What it leaves is
# in part a preference for some answers, whatever is heard.
#
# ## Correcting a preference, with all voices at hand
#
# If many voices are asked at once, such a preference can be seen without a single label. Two
# corrections use it, and both are {term}`transductive`: an answer then depends on which other voices are asked. The one
# estimates the shares of the classes and expects them {cite}`saerens2002priors`; the other asks that every class be equally
# probable on average {cite}`liusie2023wordbias`, which is right where the classes are balanced. {numref}`fig-evidence-priors` tells what either of them changes.

# %%
table = treat.calibrated(questions, temperature, draws, seed)
tables.write_table(table, folder / "calibration.csv")
style.text_table(table.drop(columns=["temperature", "n", "unit"]))

# %% mystnb={"figure": {"name": "fig-evidence-priors", "align": "center", "caption": "UAR as asked, and with the two transductive corrections. A ring marks a change that is real after correction. Expecting what is answered often makes a preference stronger; asking for equal shares takes it away, and helps most where one answer had drowned the others."}, "image": {"alt": "Points with error bars for each task under three treatments, rings on some."}}
figures.treatments(table, [priors.AS_ASKED, priors.EXPECTED, priors.MATCHED])

# %%
for way in (priors.EXPECTED, priors.MATCHED):
    changed = table[(table["treatment"] == way) & table["real"].eq(True)]
    up, down = (
        changed.loc[sign, "task"].tolist() for sign in (changed["gain"] > 0, changed["gain"] < 0)
    )
    print(f"{way}: better on {', '.join(up) or 'none'}; worse on {', '.join(down) or 'none'}.")

# %% [markdown]
# Scores with such a correction are never to be put beside scores without it: a single voice cannot be corrected.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Ten comparisons, none of them real: how often does at least one look real at one in twenty? And how many of this chapter's comparisons on single tasks are real without
# a correction, by Holm's, and by multiplying every p by their number (Bonferroni)?
#
# ````{admonition} Answer
# :class: dropdown
# About four times in ten, if they are independent: one minus the chance that none of the ten does, `1 - 0.95 ** 10`.
#
# ```python
# from paraclap import tables
# from paraclap.evidence import paired
#
# table = tables.read_table(folder / "evidence.csv")
# single = table[table["task"] != paired.MEAN].dropna(subset="p")
# number = single.groupby("task")["p"].transform("size")
# ways = {"none": single["p"], "Holm": single["p_holm"], "Bonferroni": single["p"] * number}
# print({way: int((p <= paired.ALPHA).sum()) for way, p in ways.items()}, "of", len(single))
# ```
#
# Holm never finds fewer than Bonferroni and holds the same promise: it multiplies only the smallest p by the whole number, the next by one less.
# ````
#
# **2.** How many more *speakers* would it take to halve an interval? And how many more utterances of the same speakers?
#
# ```{admonition} Answer
# :class: dropdown
# Four times as many speakers: the width falls with the square root of the number of what is drawn. More utterances of the same speakers narrow only
# the part that comes from utterances. What differs between speakers stays, and soon it is all there is: this is why whole speakers are drawn, and why the
# corpora with few of them keep wide intervals however many files they have.
# ```

# %% [markdown]
# ## So: which of these differences are real?
#
# Those with a dot in {numref}`fig-evidence-matrix`, for these speakers and this one training of each model; the sentences
# below {numref}`fig-evidence-forest` name what cannot be told apart. How a question is worded can move a score as much as how a model was
# trained ({numref}`fig-evidence-wordings`), and an answer by several wordings does without the choice. What else can be
# asked of a voice than its class is the question of the [next chapter](12_beyond_classes).
