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
#     writes:
#     - features.parquet
#     - features_failed.csv
# ---

# %% [markdown]
# # Features
#
# **What can we measure in an utterance?** "Her voice is high and rough" is about two measurements. To write such sentences by the
# thousand without a listener, this chapter measures each {term}`segment`: pitch, level, roughness, duration. After this chapter you can
#
# - extract the eGeMAPS {term}`functionals <functional>` of a corpus, and find out which segments failed and why,
# - say which of them have a word, in which unit, and how strongly they differ between emotions,
# - tell how far another corpus is from the one that you train on.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet` | a {term}`segment` with its labels |
# | Writes | `features.parquet` | a segment: 88 functionals and its duration |
# | Writes | `features_failed.csv` | a segment without features, and why |
#
# The functionals are those of the extended Geneva Minimalistic Acoustic Parameter Set (eGeMAPSv02) {cite}`eyben2016gemaps`,
# computed by openSMILE {cite}`eyben2010opensmile`, under its names. openSMILE is free for research; products need a licence.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
# the machine
jobs: int = 2  # processes
engine: str = "loky"  # processes of this machine; "dask", or the address of a scheduler

# %%
import pandas as pd
import seaborn as sns

from paraclap import features, tables
from paraclap.book import show
from paraclap.corpora import synthetic
from paraclap.figures import style
from paraclap.queries import FEATURES, fit_levels
from paraclap.queries.levels import UNITS

folder = tables.run_folder(run, runs)
labels = tables.read_table(folder / "labels.parquet")
tables.show(labels[labels["split"] == "train"], 1).reset_index().T

# %% [markdown]
# ## One signal, all signals
#
# This function is the step. It takes one {term}`signal` and returns numbers:

# %%
show(features.functionals)

# %% [markdown]
# Signals are always mono at 16 kHz here, as the audio encoders expect it. A file at another rate, such as 48 kHz, is resampled
# *before* openSMILE, and most functionals then differ by more than a few per cent from those of the file itself. So compare
# features only with others made at the same rate.
#
# Of all steps before training, features take longest. Finished parts are kept on disk, so a run that was stopped continues
# where it was. The values are the same on processes of this machine and on the workers of a Dask cluster.

# %%
out = folder / "features.parquet"
table = features.extract(labels, out, jobs, engine)
failed = features.failed(out)
print(f"{len(table):,} of {len(labels):,} segments have features, {len(failed)} failed.")
tables.show(failed)

# %% [markdown]
# Some columns have a word: the {term}`queries <query>` of chapter 3 are about them. `amean` is the mean over the segment,
# `stddevNorm` the standard deviation divided by the mean. Ratings such as {term}`arousal`, where a corpus has them, are used alike.

# %%
words = pd.DataFrame({"column": FEATURES, "unit": UNITS}).loc[list(UNITS)]
words.assign(**{"first segment": table[words["column"]].iloc[0].round(3).to_list()})

# %% [markdown]
# ## How do features differ between emotions?
#
# From here on only the training {term}`split` is shown, unless corpora are compared: what we decide by looking must not depend on
# the test data. Where boxes overlap in {numref}`fig-distributions`, one feature cannot name the emotion. Several may.

# %%
table = table.join(labels)
table["emotion"] = table["emotion"].fillna(table["label"])  # other corpora have other classes
train = table[table["split"] == "train"]
edges = fit_levels(train)

# %% mystnb={"figure": {"caption": "Six features by emotion, on the training split. Boxes span the quartiles. The dotted lines are the edges between low, normal and high (chapter 3). A box beyond an edge is an emotion that mostly gets the same word.", "name": "fig-distributions"}, "image": {"alt": "Six panels of horizontal box plots by emotion: pitch, pitch variation, intensity, jitter, shimmer, duration, each with two dotted lines."}}
emotions = train["emotion"].astype("str").fillna("not given")
order = style.ordered(emotions)
look = {"order": order, "hue_order": order, "palette": style.colours(order), "width": 0.65}
fig, axes = style.figure(2, 3, 2.4 + 0.42 * len(order), sharey=True)
six = ("pitch", "pitch variation", "intensity", "jitter", "shimmer", "duration")
for ax, name in zip(axes.flat, six, strict=True):
    values = train[FEATURES[name]]
    sns.boxplot(x=values, y=emotions, hue=emotions, ax=ax, fliersize=0, legend=False, **look)
    for edge in edges.get(name, ()):
        ax.axvline(edge, color=style.INK, linestyle=":")
    low, high = values.quantile([0.01, 0.99])  # a few wild ones would press the rest together
    limits = (low, high) if high > low else None
    ax.set(title=name, xlabel=UNITS[name], ylabel="", xlim=limits)
fig

# %% [markdown]
# ## Which of the 88 separate emotions?
#
# The share of a feature's variance *between* emotions (η², eta squared) says how much the emotion explains of it, feature by
# feature ({numref}`fig-strongest`). Strong ones often measure nearly the same.

# %% mystnb={"figure": {"caption": "The functionals that differ most between emotions, on the training split. Orange ones have a word in the queries. The model gets the blue ones only through the signal. The dashed line is what unrelated numbers would reach.", "name": "fig-strongest"}, "image": {"alt": "Horizontal bars of the variance explained by emotion for the strongest functionals, with a line at chance."}}
functionals = features.feature_names()[:-1]  # without the duration
means = train[functionals].groupby(emotions).transform("mean")
explained = (means.var() / train[functionals].var()).dropna().sort_values(ascending=False)
top = explained.head(15).rename("η²").rename_axis("functional").reset_index()
has_word = top["functional"].isin(list(FEATURES.values()))
fig, ax = style.figure(height=4.8)
colours = {True: style.ORANGE, False: style.SKY}
sns.barplot(top, y="functional", x="η²", hue=has_word, palette=colours, legend=False, ax=ax)
style.chance(ax, (len(order) - 1) / (len(train) - 1), "unrelated", upright=True)
ax.set(ylabel="", xlabel="share of the variance between emotions (η²)")
fig

# %%
place = explained.rank(ascending=False).astype(int)
words = words[words["column"].isin(place.index)]
print(f"Place among {len(place)} functionals, the strongest first:")
print(words["column"].map(place).sort_values().to_string())

# %% [markdown]
# ## Which features go together?
#
# If two features always move together ({numref}`fig-correlations`), two queries about them say the same thing twice. Intensity is
# the level of the signal, loudness how strong it seems to the ear; sentences such as "is loud" are used only where both agree.

# %% mystnb={"figure": {"caption": "Rank correlation (Spearman) of the features that have a word and, where the corpus has them, of the ratings, on the training split. Strong colours off the diagonal are attributes that say nearly the same.", "name": "fig-correlations"}, "image": {"alt": "Square heat map of rank correlations with numbers in the cells."}}
names = {column: name for name, column in FEATURES.items() if column in train}
ranks = train[list(names)].rename(columns=names).dropna(axis=1, how="all").corr("spearman")
fig, ax = style.figure(height=5.4)
look = {"vmin": -1, "vmax": 1, "cmap": "vlag", "annot_kws": {"size": 8}}
sns.heatmap(ranks, annot=True, fmt=".2f", square=True, ax=ax, **look)
ax.tick_params(axis="x", rotation=45)
fig

# %% [markdown]
# ## Does the synthetic speech do what it should?
#
# The built-in speech is synthetic, so we know its *intended* prosody, in standard deviations (z). If the features do not follow
# it ({numref}`fig-intended`), the labels cannot be heard. If they follow it without error, the task is too easy.

# %%
intended = synthetic.intended_prosody(folder / "corpus", train.index)
rows = intended.join(table[[*functionals, "duration"]])
rows = rows.sample(min(len(rows), 1200), random_state=0)
print(f"{len(intended)} segments of known intention, {len(rows)} of them drawn.")

# %% mystnb={"figure": {"caption": "Intended prosody of the synthetic speech against what openSMILE measures; r is the rank correlation. The duration stands over the speaking rate, so a negative r is the right one there.", "name": "fig-intended"}, "image": {"alt": "Six scatter plots of features over intended values, with the rank correlation in each title."}}
targets = ("pitch", "variation", "level", "jitter", "shimmer", "rate")
if rows.empty:
    fig = style.note("A real corpus: no prosody was intended.")
else:
    fig, axes = style.figure(2, 3, 4.8)
    for ax, name, target in zip(axes.flat, six, targets, strict=True):
        values = rows[FEATURES[name]]
        rho = rows[target].corr(values, method="spearman")
        ax.scatter(rows[target], values, s=4, alpha=0.3, linewidths=0)
        low, high = values.quantile([0.005, 0.995])
        ax.set(title=f"{name} (r = {rho:.2f})", ylim=(low, high) if high > low else None)
        ax.set(xlabel=f"intended {target} (z)", ylabel=UNITS[name])
fig

# %% [markdown]
# ## How far are the other corpora?
#
# The {term}`edges` between low, normal and high come from the training split. In a corpus of children nearly every
# utterance has a "high pitch", whatever it expresses. Such shifts ({numref}`fig-shift`) are one reason why a model can be good on the test split of its
# own corpus and poor on another.

# %% mystnb={"figure": {"caption": "Mean of each feature in each corpus and split, in standard deviations of the training split and from its mean. Values near zero are corpora that sound alike on average. Strong colours are other voices, rooms or channels.", "name": "fig-shift"}, "image": {"alt": "Heat map of standardised differences, one row per corpus and split, one column per feature."}}
columns = {column: name for name, column in FEATURES.items() if name in UNITS}
values = table[list(columns)].rename(columns=columns)
own = values[table["split"] == "train"]
shift = (values - own.mean()) / own.std()
shift = shift.groupby([table["corpus"], table["split"]], sort=False).mean()
fig, ax = style.figure(height=1.7 + 0.36 * len(shift))
look = {"vmin": -2, "vmax": 2, "cmap": "vlag", "annot_kws": {"size": 8}}
sns.heatmap(shift, annot=True, fmt=".1f", ax=ax, cbar_kws={"label": "standard deviations"}, **look)
ax.set(ylabel="")
ax.tick_params(axis="x", rotation=45)
fig

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Reduce the amplitude of a recording by half. Which of the features with a word change, and which do not? What does
# this mean for a corpus in which some speakers sat closer to the microphone?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# import pandas as pd
#
# from paraclap import audio, features, tables
# from paraclap.queries import FEATURES
#
# table = tables.read_table(folder / "features.parquet")
# signal = audio.read(*table.index[0])
# found = {"original": features.functionals(signal), "half": features.functionals(signal / 2)}
# named = [column for column in FEATURES.values() if column in table]
# print(pd.DataFrame(found, features.feature_names()).loc[named].round(3))
# ```
#
# The level falls by six decibels, and the loudness falls too. Pitch and its variation stay; jitter and shimmer, which compare
# one period with the next, change little. So "is quiet" may hold for a speaker who only sat further away: words about
# intensity are about the recording as much as about the voice.
# ````
#
# **2.** {numref}`fig-distributions` shows one feature at a time. Which feature or rating separates anger from sadness best, and
# which anger from happiness?
#
# ````{admonition} Answer
# :class: dropdown
# The difference of two means in standard deviations says it (Cohen's *d*):
#
# ```python
# from paraclap import tables
# from paraclap.queries import FEATURES
#
# labels = tables.read_table(folder / "labels.parquet")
# table = tables.read_table(folder / "features.parquet").join(labels)
# train = table[table["split"] == "train"]
# groups = train.groupby("emotion")[[column for column in FEATURES.values() if column in train]]
# scaled = groups.mean() / groups.std().mean()
# for one, other in (("anger", "sadness"), ("anger", "happiness")):
#     distance = scaled.reindex([one, other]).diff().iloc[1].abs().sort_values()
#     print(f"{one} and {other}:", distance.tail(3).round(2).to_string(), sep="\n")
# ```
#
# Compare the two lists. Anger and happiness both come with high {term}`arousal`, so features that follow arousal should
# separate them less than they separate anger from sadness. {term}`valence` can separate them, but no feature here measures it directly.
# If so, the word of the emotion adds something to all other queries.
# ````

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.features`: `functionals` of one signal, `extract` for a table, `failed`
# - `paraclap.queries`: `FEATURES` (attribute and column), `fit_levels` for the dotted lines
# - `paraclap.corpora.synthetic.intended_prosody`: the targets of the synthetic speech
# - `paraclap.figures.style`: sizes, colours

# %% [markdown]
# ## Summary
#
# Each segment has 88 functionals and a duration, or is listed with the reason why not. Some of them have words. They differ
# between emotions, more or less, and between corpora. Numbers are not words yet. **Which sentences are true of an utterance?** This
# is the question of [the next chapter](03_queries).
