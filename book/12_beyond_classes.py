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
# # Beyond classes
#
# **What else can be asked than: which class?** A model that knows which words fit a voice can search
# voices by words and words by voices, put numbers on arousal or pitch, and look for two things at once.
# None of this needs another training. Before that, two references tell what the answers of
# [chapter 5](05_evaluation) are worth: a few labelled voices, and queries that are not true.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/model/`, `settings.json`, `machine.json` | the main run of chapter 4 |
# | `runs/<run>/labels.parquet`, `features.parquet`, `queries.parquet` | a segment |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/control/true/`, `control/shuffled/` | (a folder each) model and curves |
# | `runs/<run>/control.csv` | a task, asked of a model with true or with shuffled queries |
# | `runs/<run>/probes.csv` | a task, a representation and a number of labelled voices |
# | `runs/<run>/retrieval.csv` | a direction and a measure |
# | `runs/<run>/dimensions.csv` | a corpus and an attribute |
# | `runs/<run>/composed.csv` | an emotion and a level, asked in one way |
# | `runs/<run>/within.csv` | an answer, over all voices and within groups |
#
# With the built-in corpora all speech is synthetic: what is found here says how the questions work,
# and nothing about people.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
jobs: int = 2  # CPU threads
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
draws: int = 1000  # of the bootstrap that gives the intervals
shots: str = "1,4,16,64"  # labelled voices a class that a probe learns from
probe_draws: int = 5  # how often the labelled voices of a probe are drawn
control_steps: int = 150  # steps of training with true and with shuffled queries

# %%
from functools import partial

import pandas as pd
import torch

from paraclap import ParaCLAP, evaluation, inputs, tables, training, zeroshot
from paraclap.evidence import composed, control, dimensions, probe, retrieval, truths, weighted
from paraclap.figures import beyond as figures
from paraclap.figures import style
from paraclap.machine import Machine
from paraclap.queries import Pool
from paraclap.settings import Settings

# %%
torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)
model, store = ParaCLAP.from_pretrained(folder / "model"), inputs.audio_store(folder)
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]
table = tables.read_table(folder / "queries.parquet").loc[features.index]
tasks = evaluation.tasks(labels, candidates)
test, dev = (labels[labels["split"] == split] for split in ("test", "dev"))

# %% [markdown]
# Every voice that is asked is embedded once; all questions of this chapter are put to these
# {term}`embeddings <embedding>`. The voices that probes may learn from are embedded, too.

# %%
counts = [int(count) for count in shots.split(",")]
learn = probe.voices_to_learn_from(labels, tasks, 2 * max(counts), seed)
needed = labels[labels.index.isin(test.index.union(dev.index).union(learn.index))]
heard = zeroshot.embed_audio(model, needed)
heard = pd.DataFrame(heard, index=needed.index)
embed = partial(zeroshot.embed_text, model)
print(f"{len(needed)} voices embedded, {len(test)} of them for testing.")

# %%
of_test = heard.loc[test.index].to_numpy()
predictions = evaluation.predict(model, test, tasks, template, of_test)
scores = evaluation.score(predictions, tasks, template, draws, seed)

# %% [markdown]
# ## What do labelled voices bring?
#
# A {term}`probe` learns the classes of a task from a few labelled voices, by logistic regression on
# embeddings that stay as they are {cite}`radford2021clip`. It never meets the speakers that it is asked about: where
# a corpus has training and dev voices, it learns from those; where a corpus is there for testing only, from
# folds of its test voices, divided by speaker. The same regression on the eGeMAPS
# features stands beside it. The column `source` says which it is, and `fewest` how many voices the smallest class had to give.

# %%
classes = {task: list(words) for task, words in tasks.items()}
systems, asked = {"embeddings": heard, "eGeMAPS": features}, evaluation.asked(labels)
probes = probe.curves(systems, asked, learn, classes, counts, probe_draws, seed, draws)
tables.write_table(probes, folder / "probes.csv")
tables.show(probes, rows=4).round(3)

# %% mystnb={"figure": {"name": "fig-beyond-probes", "align": "center", "caption": "UAR of probes by the number of labelled voices a class (bars: standard deviation over draws of these voices), and of the zero-shot answers with their interval. Where a curve crosses the blue line is how many labelled voices a class the names of the classes are worth."}, "image": {"alt": "One panel for each task: two rising curves of UAR by shots, a horizontal zero-shot line and a dashed chance line."}}
figures.probes(probes, scores)

# %%
zero = scores.set_index("task")["uar"]
own = probes[probes["system"] == "embeddings"]
for k, rows in own.groupby("k"):
    above = (rows["uar"].to_numpy() > zero[rows["task"]].to_numpy()).sum()
    print(f"Probes with {k} a class score above zero-shot in {above} of {len(rows)} tasks.")

# %% [markdown]
# On voices of the training corpus the probe has an easy start in {numref}`fig-beyond-probes`: the model has met those voices, though not
# as classes. What the embeddings hold and the names of the classes do not reach is the distance
# between the end of the curve and the line.
#
# ## What if the queries are not true?
#
# A score above chance should come from what was *said* of the training voices. The control: two short
# trainings that differ in one thing only. In one every training voice keeps its queries, in
# the other each gets those of another voice; and since the best epoch is chosen on the dev split, dev voices get the
# emotions of other dev voices, too. All else is the same, with one text a voice where texts are kept.

# %%
main = Settings(**tables.read_json(folder / "settings.json"))
machine = Machine(**tables.read_json(folder / "machine.json"))
voices, pool, _ = inputs.read(folder, templates, main.emotion_form)
short = main.but(steps=control_steps, texts_per_voice=min(1, main.texts_per_voice))
rows = inputs.speakable(voices, pool, short)
other_pool = control.shuffled(pool, rows, seed)
other_voices = control.shuffled_emotions(voices, "dev", seed)
told = {"true": (voices, pool), "shuffled": (other_voices, other_pool)}

# %%
trained = {}
for name, given in told.items():
    place = folder / "control" / name
    other = training.train(*given, place, short, machine, store)
    of_other = zeroshot.embed_audio(other, test)
    answers = evaluation.predict(other, test, tasks, template, of_other)
    trained[f"{name} queries"] = evaluation.score(answers, tasks, template, draws, seed)

# %%
controls = pd.concat([one.assign(queries=name) for name, one in trained.items()])
tables.write_table(controls.reset_index(drop=True), folder / "control.csv")
for name, one in trained.items():
    print(f"{name}: mean UAR {one['uar'].mean():.3f}, mean chance {one['chance'].mean():.3f}.")
    sides = (one["uar_low"] > one["chance"]).sum(), (one["uar_high"] < one["chance"]).sum()
    print(f"Whole interval above chance in {sides[0]} tasks, below it in {sides[1]}.")

# %% mystnb={"figure": {"name": "fig-beyond-control", "align": "center", "caption": "UAR of every task by two short trainings, with intervals and chance. With true queries the points leave the marks of chance; with the queries of other voices they fall back onto them, on average over the tasks."}, "image": {"alt": "Two points with intervals for each task, true and shuffled queries, beside marks of chance."}}
figures.control(trained)

# %% [markdown]
# A model that was told nothing true still answers by *something* in the voice, and whether that helps or
# hurts in a task is luck, shared by tasks with the same classes. The intervals are over speakers and know nothing of other
# trainings, so that single tasks may lie clearly to either side of chance; it is the mean over tasks that has to fall. If
# it did not, the answers would leak in by another way than the pairs.
#
# ## Searching
#
# Now the questions change. *Text → voice*: of all test voices of the training corpus, which fit a query best? *Voice →
# text*: of all queries, which fit a voice? Much is true at once: a query holds for many voices, and
# a voice has many true queries. {term}`R@k <R@k>` counts who finds *something* true among the first
# $k$, {term}`mAP` how far up *all* that is true stands. The level of a random order is
# computed exactly for the same truth, and is high where much is true.

# %%
corpora = labels.loc[labels["split"] == "train", "corpus"].unique()
own = test["corpus"].isin(corpora).to_numpy()
mine, vectors = test[own], of_test[own]
said = Pool.from_table(table.loc[mine.index], templates, main.emotion_form)
queries, truth = truths.truths(said)
similarity = vectors @ embed(queries).T

# %%
found = retrieval.retrieve(similarity, truth, mine["speaker"], draws, seed)
tables.write_table(found, folder / "retrieval.csv")
style.text_table(found)

# %% mystnb={"figure": {"name": "fig-beyond-retrieval", "align": "center", "caption": "Retrieval in both directions, with intervals over speakers and the level of a random order. R@10 says little where a random order nearly reaches it; mAP looks at every true item and keeps its room."}, "image": {"alt": "Two panels with points and intervals for R@1, R@5, R@10 and mAP, and marks of chance."}}
figures.retrieval(found)

# %% [markdown]
# Equal similarities count against the model. The intervals of *voice → text* come from drawing
# speakers anew; in *text → voice*, where a voice drawn twice would take two places, one
# speaker after the other is left out instead, which gives no interval for the median rank.
#
# Which queries find their voices, and which do not ({numref}`fig-beyond-queries`)?

# %%
each = retrieval.by_query(similarity, truth, queries, said)
pd.concat([each.head(4), each.tail(4)]).round(3)

# %% mystnb={"figure": {"name": "fig-beyond-queries", "align": "center", "caption": "Average precision of every query above that of a random order, by attribute (orange: mean of the attribute). Attributes whose points lie right of the dashed line can be searched; a wide row holds wordings that work and wordings that do not."}, "image": {"alt": "One row of points for each attribute, with its mean and a dashed line at chance."}}
figures.by_query(each)

# %%
gain = (each["precision"] - each["chance"]).groupby(each["attribute"]).mean().sort_values()
print(
    f"Best to search by: {gain.index[-1]} ({gain.iloc[-1]:+.2f}); worst: {gain.index[0]} ({gain.iloc[0]:+.2f})."
)

# %% [markdown]
# ## Numbers
#
# How much arousal does a voice have? Its score is the mean cosine with the queries of the high end
# minus that with those of the low end; nothing is fitted. It is held against the
# rating, or for pitch, level and the rest against the measured {term}`feature`, by rank correlation. The
# {term}`CCC` needs numbers on the scale of the ratings: only for it, mean and
# spread of the scores are matched to those of the dev split, where no test voice is.

# %%
names = [name for name in evaluation.attribute_queries(table, templates) if name != "gender"]
high_minus_low = dimensions.heard(of_test, embed, names, templates)
really = dimensions.measured(test, features)
of_dev = dimensions.heard(heard.loc[dev.index], embed, names, templates)
dev_really = dimensions.measured(dev, features)

# %%
rated = test[list(tables.DIMENSIONS)].notna().any(axis=1)
parts = []
for corpus in dict.fromkeys([*mine["corpus"], *test.loc[rated, "corpus"]]):
    at = (test["corpus"] == corpus).to_numpy()
    given = (high_minus_low[at], really[at], test["speaker"][at], of_dev, dev_really, draws, seed)
    parts.append(dimensions.agreement(*given).assign(corpus=corpus))
agreed = pd.concat(parts, ignore_index=True)
tables.write_table(agreed, folder / "dimensions.csv")
agreed[["corpus", "attribute", "n", "unit", "spearman", "pearson", "ccc"]].round(3)

# %% mystnb={"figure": {"name": "fig-beyond-dimensions", "align": "center", "caption": "Rank correlation of the zero-shot score with what was rated (arousal, valence, dominance) or measured (the others), with intervals. What lies right of the dashed line is heard as a matter of degree, not only at its ends."}, "image": {"alt": "Points with intervals for each attribute and corpus, and a dashed line at zero."}}
figures.dimensions(agreed)

# %% [markdown]
# A rank correlation asks for the order alone. How far apart voices of one rating are scored, and whether the scores
# bend at the ends, only the points themselves can show ({numref}`fig-beyond-scatter`).

# %% mystnb={"figure": {"name": "fig-beyond-scatter", "align": "center", "caption": "Score against rating, one point a voice of the training corpus's test split. A cloud that rises is a dimension that two opposite sentences can measure; the height at which it crosses the dashed line is what the model takes for the middle."}, "image": {"alt": "Scatter plots of scores against ratings of arousal, valence and dominance."}}
figures.scattered(high_minus_low[own], really[own], tables.DIMENSIONS)

# %% [markdown]
# An attribute that chapter 5 found well heard at its ends, and that stands low here, is heard as one thing or the other
# and not by degree.

# %%
ranked = agreed[agreed["corpus"] == mine["corpus"].iloc[0]].set_index("attribute")["spearman"]
clear = agreed.loc[agreed["spearman_low"] > 0, "attribute"].nunique()
print(f"Heard by degree in some corpus, by its whole interval: {clear} of {len(names)} attributes.")
print(
    f"Highest rank correlation on the training corpus's test voices: {ranked.idxmax()} ({ranked.max():.2f})."
)

# %% [markdown]
# ## Two things at once
#
# *"speaker is angry and has a low pitch"* is true of few voices, and many are half true: angry, or
# low, but not both. Does the text tower understand "and"? Its one embedding of the whole text is set
# beside the mean of the similarities with the two single queries (*added*), which needs no
# understanding, and beside each part alone. Training always says the emotion last; *one
# text* says it first, *turned round* as in training.

# %%
known = (
    ~mine["emotion"].isin(["other", "no_agreement"]).to_numpy() & mine["emotion"].notna().to_numpy()
)
some, felt = vectors[known], mine["emotion"][known]
levels = table.loc[felt.index, [name for name in names if name not in tables.DIMENSIONS]]
drawn = weighted.Draws.of(mine["speaker"][known], int(known.sum()), draws, seed)
pairs, means = composed.ask(some, embed, felt, levels, drawn, template, templates)
tables.write_table(pairs, folder / "composed.csv")
style.text_table(means)

# %% mystnb={"figure": {"name": "fig-beyond-composed", "align": "center", "caption": "Mean AUC over all combinations of an emotion and the end of an attribute. Left: true voices against all others. Right: against the half true ones only, where asking for one part alone cannot tell which voices have the other. One text beats the added similarities where the tower understands the whole."}, "image": {"alt": "Two panels of points with intervals for five ways of asking, and dashed lines at one half."}}
figures.composed(means)

# %%
for row in means[means["way"] == "one text"].to_dict("records"):
    print(
        f"One text, {row['measure']}: {row['more']:+.3f} AUC beside added "
        f"({row['more_low']:+.3f} to {row['more_high']:+.3f}), {row['combinations']} combinations."
    )

# %% [markdown]
# An interval that holds zero means that the two cannot be told apart here, and that "and" is no more than
# a sum. Listen: the voices that fit the composed query best, and worst.

# %%
query = " and ".join(composed.queries(("anger", "pitch", "low"), template, templates))
best = evaluation.nearest(model, mine, vectors, query, 2)
print(query)
style.players(
    best, [f"cosine {row.similarity:.2f}, labelled {row.label}" for row in best.itertuples()]
)

# %% [markdown]
# ## One thing or another?
#
# Anger is loud and joy is high: a model that hears nothing but emotion would still seem to
# hear level and pitch, and the reverse. So each is asked again where the other stands still: attributes within
# one emotion, emotions within one level of an attribute.

# %%
inside = composed.attributes_within(high_minus_low[own][known], really[own][known], felt, drawn)
words = {label: evaluation.task_word(label) for label in sorted(felt.unique())}
asked_for = embed([template.replace("{}", word) for word in words.values()])
fits = dict(zip(words, (some @ asked_for.T).T.astype(float), strict=True))
inside_levels = composed.emotions_within(fits, felt, levels, drawn)
within = pd.concat([inside, inside_levels], ignore_index=True)
tables.write_table(within, folder / "within.csv")
tables.show(within, rows=2).round(3)

# %% mystnb={"figure": {"name": "fig-beyond-attributes-within", "align": "center", "caption": "Rank correlation of attributes over all voices and within single emotions. What an attribute loses from grey to blue was heard by way of the emotion; where blue stays right of the dashed line, the model hears the attribute itself."}, "image": {"alt": "Two points with intervals for each attribute, over all voices and within emotions."}}
figures.within(inside, "Spearman correlation of the score", 0)

# %% [markdown]
# And the other way round: does the query of an emotion still find its voices where all voices are equally
# high, or equally loud ({numref}`fig-beyond-emotions-within`)?

# %% mystnb={"figure": {"name": "fig-beyond-emotions-within", "align": "center", "caption": "AUC of the query of each emotion over all voices, and within voices of one pitch or one level of intensity. An emotion that keeps its height within them is heard by more than this one cue."}, "image": {"alt": "Points with intervals for each emotion, over all voices and within levels of pitch and intensity."}}
figures.within(inside_levels, "AUC", 0.5)

# %%
lost = (inside["overall"] - inside["inside"]).set_axis(inside["asked"]).dropna().sort_values()
for name, value in lost.tail(2).items():
    print(f"{name} loses {value:.2f} of its rank correlation within emotions.")

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** A query is true of $t$ of $n$ voices. How probable is it that a random order has at least one true voice among its first $k$? Check it against
# the column `chance` of the {term}`R@k` in the retrieval table.
#
# ````{admonition} Answer
# :class: dropdown
# All $k$ are false with the probability $\binom{n-t}{k} / \binom{n}{k}$, and R@k at random is one minus this. For one query:
#
# ```python
# from math import comb
#
# from paraclap import tables
#
# found = tables.read_table(folder / "retrieval.csv")
# n, k = int(found.loc[found["direction"] == "text → voice", "items"].iloc[0]), 5
# for t in (max(1, n // part) for part in (100, 10, 3)):
#     print(f"{t} true: R@1 {t / n:.2f}, R@{k} {1 - comb(n - t, k) / comb(n, k):.2f}")
# ```
#
# The table averages over all queries, each with its own $t$. Where many queries are true of a third of the voices,
# a random order mostly finds one among the first few: R@k with a large $k$ is then no evidence of anything, and {term}`mAP` keeps its room.
# ````
#
# **2.** From how many labelled voices a class on does a {term}`probe` pass the zero-shot answer, task by task?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# zero = tables.read_table(folder / "scores.csv").set_index("task")["uar"]
# probes = tables.read_table(folder / "probes.csv")
# own = probes[probes["system"] == "embeddings"]
# above = own[own["uar"] > own["task"].map(zero)]
# print(above.groupby("task")["k"].min().reindex(zero.index).to_string())
# ```
#
# A number that is missing says that no number of voices tried here was enough. The number itself is a price: so many voices a class would have to
# be labelled to do without the words. It is small where the words fit badly, not only where the task is easy.
# ````

# %% [markdown]
# ## So: what else can be asked than: which class?
#
# Voices can be found by words and words by voices ({numref}`fig-beyond-retrieval`), two opposite
# sentences measure what was rated or can be measured as far as {numref}`fig-beyond-dimensions` shows,
# and {numref}`fig-beyond-composed` tells whether two things are understood together. What of it
# stands by itself, and what is only the emotion heard again, is seen in
# {numref}`fig-beyond-attributes-within`; that it all comes from what was said of the voices, in
# {numref}`fig-beyond-control`. Whether another objective makes more of the same queries is the question of
# the [next chapter](13_objectives).
