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
# # Features: what can be measured in a voice?
#
# "Her voice is high and rough" is a sentence about two measurements. To make such sentences by the
# thousand, with no one listening, each {term}`segment` is measured: its pitch and how much it varies,
# its level, its roughness, its length.
#
# | | path in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet` | a {term}`segment` with its labels |
# | Writes | `features.parquet` | a segment: 88 functionals and its duration |
# | Writes | `features_failed.csv` | a segment that could not be measured, and why |
#
# The measurements are those of the extended Geneva Minimalistic Acoustic Parameter Set (eGeMAPSv02)
# {cite}`eyben2016gemaps`, made by openSMILE {cite}`eyben2010opensmile`. Each {term}`feature` goes under its
# openSMILE name. openSMILE may be used freely for research, but not in products without a licence.

# %% tags=["parameters"]
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
jobs: int = 2  # processes
shard: int = 128  # most segments that are written down at a time
engine: str = "processes"  # "processes", "dask", or the address of a Dask scheduler

# %%
import pandas as pd

from paraclap import features, levels, synthesis, tables
from paraclap.figures import features as figures

folder = tables.run_folder(run, runs)
labels = tables.read_table(folder / "labels.parquet")
tables.show(labels[labels["split"] == "train"], 1).reset_index().T

# %% [markdown]
# ## Measure
#
# This is the longest step before training. It is done in pieces that are written down one by one, so
# a run that was stopped goes on where it was. Who measures the pieces changes nothing in the table:
# the processes of this machine, the workers of a Dask cluster, or the tasks of a Slurm array, each of
# which is given every n-th piece (`python -m paraclap.features --help`).

# %%
out = folder / "features.parquet"
measured = features.extract(labels, out, jobs, shard, engine)
failed = features.failed(out)
print(f"{len(measured):,} of {len(labels):,} segments measured.")
print(f"{len(failed)} could not be measured.")
tables.show(failed)

# %%
named = [name for name in levels.FEATURES.values() if name in measured]
tables.show(measured[named], 2).reset_index().round(3).T

# %% [markdown]
# These are the functionals that words exist for; the table holds all 88. `amean` is a mean over the
# segment, `stddevNorm` its standard deviation divided by the mean. What each stands for:

# %%
pd.DataFrame({"column": levels.FEATURES, "unit": figures.UNITS})

# %% [markdown]
# ## How do features differ between emotions?
#
# From here on the measurements stand beside the labels. All figures but those across corpora show the
# training {term}`split` alone: what is decided by looking must not be decided by looking at the test.

# %%
table = measured.join(labels)
train = table[table["split"] == "train"]
edges = levels.fit(train, attributes=levels.varying(train))

# %% mystnb={"figure": {"name": "fig-distributions", "caption": "Six features by emotion, on the training split. Boxes reach from quartile to quartile; the dotted lines are the edges between low, normal and high, at the two quantiles of all training segments. A box that lies wholly beyond an edge belongs to an emotion that almost always gets the same word; most boxes do not."}, "image": {"alt": "Six panels of horizontal box plots by emotion: pitch, pitch variation, intensity, jitter, shimmer, duration, each with two dotted lines."}}
figures.distributions(train, edges)

# %% [markdown]
# In {numref}`fig-distributions` no single feature names the emotion. A voice of high level may be angry or happy; what tells them
# apart has to come from several features at once. So much the better for a model that hears the whole
# signal, and so much the worse for one query that speaks of one feature.

# %% [markdown]
# ## Which of the 88 tell emotions apart?
#
# The share of a feature's variance that lies *between* emotions (η², eta squared) says how much knowing
# the emotion tells of the feature. Orange bars in {numref}`fig-strongest` are features that queries speak of.

# %% mystnb={"figure": {"name": "fig-strongest", "caption": "The functionals that differ most between emotions. Those in orange have a word in the queries; the blue ones are known to the model only through the signal. The dashed line is what unrelated numbers would reach."}, "image": {"alt": "Horizontal bars of the variance explained by emotion for the strongest functionals, with a line at chance."}}
functionals = [name for name in measured if name != "duration"]
figures.strongest(train, functionals)

# %% [markdown]
# Often many of the strongest are kin: several ways to say how loud a voice is. The figure says how
# strong each is alone, not how much each adds to the others.

# %% [markdown]
# ## What goes with what?
#
# If two features always move together, two queries about them say the same thing twice. And if a
# feature moves with {term}`arousal`, a query about the one teaches something about the other.

# %% mystnb={"figure": {"name": "fig-correlations", "caption": "Rank correlation of the features that queries speak of and, where the corpus has them, the ratings. Strong colours off the diagonal are attributes that say nearly the same; pale rows are attributes that say something of their own."}, "image": {"alt": "Square heat map of rank correlations with numbers in the cells."}}
figures.correlations(train)

# %% [markdown]
# Loudness and intensity are two measurements of nearly one thing ({numref}`fig-correlations`); that is why the intensity sentences
# that speak of loudness are said only where the two agree. The row of {term}`valence` is usually the
# palest: how pleasant a voice sounds is the hardest of the three to measure.

# %% [markdown]
# ## Does the synthetic voice do what it is told?
#
# For the built-in speech there is a truth that no real corpus has: the voice that was *intended*. Each
# voice was given a value on several dimensions, in standard deviations (z). If the measurements did not
# follow them, the labels would be about nothing that can be heard.

# %%
meant = synthesis.intended_of(folder / "corpus", train.index)
tables.show(meant, 1).reset_index().round(2).T

# %% mystnb={"figure": {"name": "fig-intended", "caption": "What was intended of the synthetic voices against what openSMILE measured. Pitch and level are followed closely. Irregularities (jitter, shimmer) and pitch variation are followed with more error, as they are hard to measure in natural speech as well. Duration follows the speaking rate downwards, and depends on the sentence more."}, "image": {"alt": "Six scatter plots of measured features over intended values, with the rank correlation in each title."}}
figures.intended(meant.join(measured))

# %% [markdown]
# The scatter around each curve of {numref}`fig-intended` is wanted: a feature that can be read off without error would make the
# task easier than any real one.

# %% [markdown]
# ## How far are the other corpora?
#
# The {term}`edges` that turn values into words come from the training split. A corpus whose voices are
# all higher is full of "high" voices, whatever they express. {numref}`fig-shift` shows how far each corpus lies from the
# training split.

# %% mystnb={"figure": {"name": "fig-shift", "caption": "How far the mean of each feature lies from that of the training split, in standard deviations of the training split. Rows near zero are corpora that sound alike on average; strong colours mark another kind of voice, room or line, which a model meets unprepared."}, "image": {"alt": "Heat map of standardised differences, one row per corpus and split, one column per feature."}}
figures.shift(table)

# %% [markdown]
# In the built-in speech the child-like voices are high, the telephone line changes what can be measured
# of roughness, and short carrier sentences shorten everything. Such shifts are why a model that is good on
# the test split of its own corpus may be poor elsewhere.

# %% [markdown]
# ## All at once
#
# Eighty-eight numbers cannot be looked at, but their two strongest directions can ({numref}`fig-components`).

# %% mystnb={"figure": {"name": "fig-components", "caption": "All functionals of the training split, seen along their first two principal components; each word stands at the mean of its segments. Means that lie apart are emotions that differ in the strongest directions of the voice; dots of all colours lie between them, and no line would separate them."}, "image": {"alt": "Scatter of the first two principal components coloured by emotion, with a word at the mean of each emotion."}}
figures.plane(train, functionals)

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Turn the volume of a recording down by half. Which of the features that queries speak of change, and which do not? What
# does it mean for a corpus in which some speakers sat closer to the microphone?
#
# ````{admonition} Answer
# :class: dropdown
# Measure one voice twice:
#
# ```python
# import pandas as pd
#
# from paraclap import audio, features, levels, tables
#
# measured = tables.read_table(folder / "features.parquet")
# signal = audio.read(*measured.index[0])
# twice = {"as it is": signal, "half": signal / 2}
# found = {how: features.measure(one) for how, one in twice.items()}
# named = [name for name in levels.FEATURES.values() if name in measured]
# print(pd.DataFrame(found, measured.columns).loc[named].round(3))
# ```
#
# The level falls by about six decibels and the loudness by less than half. Pitch and its variation stay as they were, and jitter
# and shimmer, which compare one period with the next, change little. So *"intensity is low"* may be said of a speaker who
# merely sat further away: the words about intensity speak of the recording as much as of the voice.
# ````
#
# **2.** {numref}`fig-distributions` shows one feature at a time. Which of them tells anger from sadness best, and which anger from
# happiness?
#
# ````{admonition} Answer
# :class: dropdown
# The distance of two means in standard deviations says it (Cohen's *d*):
#
# ```python
# from paraclap import levels, tables
#
# labels = tables.read_table(folder / "labels.parquet")
# table = tables.read_table(folder / "features.parquet").join(labels)
# train = table[table["split"] == "train"]
# named = [name for name in levels.FEATURES.values() if name in train]
# groups = train.groupby("emotion")[named]
# apart = (groups.mean() / groups.std().mean()).round(2)
# for one, other in (("anger", "sadness"), ("anger", "happiness")):
#     distance = apart.reindex([one, other]).diff().iloc[1].abs()
#     print(distance.sort_values().tail(3).to_string(), end="\n\n")
# ```
#
# On the built-in speech loudness and {term}`arousal` part anger from sadness by far; between anger and happiness, both loud and
# excited, {term}`valence` has the largest distance. No measurement of the signal comes near it: the word for an emotion says something
# that the other queries do not.
# ````

# %% [markdown]
# ## So: what can be measured in a voice?
#
# Every segment now has 88 functionals and a duration, or a reason why not. Emotions differ in their
# measurements, but overlap in each of them, and the strongest differences are those of loudness, pitch
# and their variation. The numbers are not words yet: [the next chapter](03_queries) turns them into
# low, normal and high, and these into queries.
