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
# # Corpora: who speaks, and what is known of it?
#
# A model that answers questions about voices needs two things to learn from: recordings, and what
# people have said about them. This chapter brings both into one table, whatever the {term}`corpus`
# looks like on disk, and then listens and looks before anything is measured.
#
# | | path in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | a folder of audio with a CSV, an audformat database, or known corpora by name | a {term}`segment` with its labels |
# | Writes | `corpus/` (only for the built-in speech) | a WAV file and its labels |
# | Writes | `labels.parquet` | a {term}`segment`: corpus, split, speaker, emotion, gender, ratings, label |
#
# ```{admonition} The built-in speech is synthetic
# :class: warning
# With `corpus: synthesis` nobody speaks here. A speech synthesiser, espeak-ng, is told to speak with
# more or less pitch, level, roughness and breath, following what the literature says of emotions
# {cite}`juslin2003communication,scherer2003vocal`. It makes the whole book run with no download. A score on
# it shows that the machinery works; it says nothing about people.
# ```

# %% [markdown]
# ## Parameters
#
# The next cell lists what can be changed. A params file gives other values, see `params/`.

# %% tags=["parameters"]
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # of everything that is drawn
jobs: int = 2  # processes
corpus: str = "synthesis"  # the built-in speech, a folder, or names with commas between
learn_from: str = ""  # of several corpora: names of those to train on; empty takes the first
msp_podcast: str = ""  # folder of MSP-Podcast, if it is named in corpus
iemocap: str = ""  # folder of IEMOCAP, if it is named in corpus
ravdess: str = ""  # folder of RAVDESS, if it is named in corpus
crema_d: str = ""  # folder of CREMA-D, if it is named in corpus
tess: str = ""  # folder of TESS, if it is named in corpus
fau_aibo: str = ""  # folder of FAU Aibo, if it is named in corpus
alc: str = ""  # folder of ALC, if it is named in corpus
sld: str = ""  # folder of SLD, if it is named in corpus
corpus_table: str = ""  # name of its CSV, or of tables of a database
label_column: str = "emotion"  # column with the class to be answered
columns: str = ""  # other names of columns, see params/folder.yaml
voices: int = 4800  # utterances to train on, if synthesised
held_out: int = 210  # utterances of each held-out corpus

# %%
import pandas as pd

from paraclap import contours, corpora, synthesis, tables
from paraclap.figures import corpora as figures
from paraclap.figures import style

folder = tables.run_folder(run, runs)

# %% [markdown]
# ## One table for any corpus
#
# If the built-in speech is asked for it is spoken first, unless it is there already. Any other corpus
# is only read. Either way the labels end up in the same columns.

# %%
spoken = folder / "corpus"
root = synthesis.corpus_folder(corpus, spoken, voices, held_out, seed, jobs)
folders = corpora.folders(globals())
labels = corpora.load(root, corpus_table, label_column, columns, seed, folders, learn_from)
key = tables.fingerprint(labels)
tables.write_table(labels, folder / "labels.parquet", key)
tables.show(labels[labels["split"] == "train"], 2).reset_index().T

# %% [markdown]
# Two rows of the table, standing upright. A row is a {term}`segment`: a file from a start to an end. `emotion` is a word for what is expressed;
# `label` is the class that the corpus itself asks for, which need not be an emotion. What a corpus does
# not know stays empty. Where something had to be decided, it is said here, and so are files that
# cannot be read:

# %%
print("\n".join(labels.attrs["notes"]) or "Nothing had to be decided.")
tables.show(pd.DataFrame(labels.attrs["failed"], columns=["file", "reason"]), 20)

# %% [markdown]
# ### Corpora known by name
#
# The paper learns from the first of these corpora and is tested on the others; their folders are read
# as they come from the publishers, once they are given as parameters and the names in `corpus`.

# %%
style.text_table(corpora.known_table())

# %% [markdown]
# None is part of this book, as most have to be applied for; open databases can be named beside them as
# `audb:<name>@<version>`, and are then downloaded.

# %% [markdown]
# ### Corpora of this run
#
# Which corpora are there? Those with a training {term}`split` are learned from; the others are only
# tested on, by a model that has never heard their speakers nor their labels.

# %%
labels.reset_index().groupby(["corpus", "split"], sort=False).agg(
    segments=("file", "size"),
    speakers=("speaker", "nunique"),
    classes=("label", "nunique"),
    rated=("arousal", "count"),
    language=("language", "first"),
)

# %% [markdown]
# On the built-in speech the corpora carry the names of those they imitate, with `-like` behind: the
# same number of classes, similar shares of them, similar channels, the language
# {cite}`lotfian2019podcast,busso2008iemocap,livingstone2018ravdess,cao2014cremad,dupuis2010tess,steidl2009aibo,schiel2012alc,burkhardt2011sld`.
# Not one recording of the originals is in them.

# %% [markdown]
# ## Listen
#
# Before any number: how do these voices sound? Here is one speaker, in as many {term}`emotions <emotion>` as the corpus
# has of one person.

# %%
chosen = figures.examples(labels, 6)
names = chosen["emotion"].fillna(chosen["label"]).fillna("no label")
print(f"Speaker {chosen['speaker'].iloc[0]}:")
style.players(chosen, names.to_list())

# %% [markdown]
# Two things are easy to hear, even in a synthetic voice: some emotions are *louder and higher*, some
# *slower and flatter*. Others differ in something harder to name. And here is one voice of each corpus:

# %%
one_each = labels.groupby("corpus", sort=False).head(1).head(9)
names = one_each["corpus"] + ": " + one_each["label"].fillna("no label")
style.players(one_each, names.to_list())

# %% [markdown]
# ## Look
#
# What the ear hears is in the {term}`signal`, but not where the eye would look for it. So
# {numref}`fig-looks` shows each of two voices three times: the signal itself; its energy by frequency (the *mel
# spectrogram*, with frequencies spaced as the ear spaces them); and its pitch, which openSMILE measures
# every 10 ms where the voice makes a tone.

# %% mystnb={"figure": {"name": "fig-looks", "caption": "Two voices of one speaker as signal, mel spectrogram and pitch contour. Loudness shows in the height of the signal, roughness and breath in the spectrogram, and the melody in the pitch: a flat line is a monotonous voice, gaps are places without tone."}, "image": {"alt": "Two columns, one for each voice, with signal, mel spectrogram and pitch over time."}}
pair = figures.contrast(chosen)
first, second = (contours.contours(*segment) for segment in pair.index)
titles = pair["emotion"].fillna(pair["label"]).fillna("no label").to_list()
figures.looks(first, second, (titles[0], titles[-1]))

# %% [markdown]
# The difference between the columns is what a model has to find. The difference *within* a voice, from
# one moment to the next, is what it has to look past: a word about a voice is about all of it.

# %% [markdown]
# ## Which classes, and how many of each?
#
# Classes are rarely balanced; {numref}`fig-classes` shows how they are here. A model can score well on unbalanced classes by naming the most frequent
# one, which is why the headline score of this book is {term}`UAR`, and why {term}`chance` is drawn
# wherever a score is.

# %% mystnb={"figure": {"name": "fig-classes", "caption": "Classes of the corpus that is trained on. Bars of one class that are equally long mean that the splits have the same mixture; bars beyond the dashed line are classes that are heard more often than the others."}, "image": {"alt": "Bars of the share of each class in the training, development and test split, with a line at equal shares."}}
figures.classes(labels)

# %% [markdown]
# Frequent classes dominate what is learned, rare ones have few voices to be learned from. Nothing is
# resampled here: the paper does not do so either {cite}`jing2024paraclap`.

# %% [markdown]
# ## Who speaks?
#
# {term}`Speakers <speaker>` must not be shared between splits. A model that has met a speaker may recognise the person
# and not the way of speaking, and its score would be too good.

# %%
shared = labels.groupby("speaker")["split"].nunique()
several = (shared > 1).sum()
print(f"Of {len(shared):,} speakers, {several} are in several splits.")

# %% mystnb={"figure": {"name": "fig-speakers", "caption": "Speakers of each split by gender, and how many segments each of them speaks. The fewer segments a speaker has, the less a model can gain by recognising the person."}, "image": {"alt": "Left: stacked bars of speakers by split and gender. Right: histogram of the number of segments of a speaker."}}
figures.speakers(labels)

# %% [markdown]
# The number of *speakers*, not of segments ({numref}`fig-speakers`), says how sure a score is: two segments of one person are
# not two independent observations. The evaluation draws its intervals by speaker for this reason
# {cite}`bisani2004bootstrap`.

# %% [markdown]
# ## Emotions in the plane
#
# Words are one way to describe an emotion, ratings another: {term}`arousal` from calm to excited,
# {term}`valence` from negative to positive, {term}`dominance` from submissive to dominant. Where a
# corpus has both, each word covers a region ({numref}`fig-plane`).

# %% mystnb={"figure": {"name": "fig-plane", "caption": "Emotions in the plane of valence and arousal, with an ellipse of one standard deviation each. Where ellipses overlap, the ratings alone do not tell the words apart, and neither can a perfect listener who knows only them."}, "image": {"alt": "Scatter of arousal over valence with one ellipse and one word per emotion."}}
figures.plane(labels)

# %% [markdown]
# The overlap is wanted. Emotions with sharp borders would be an easy task that no real corpus sets.

# %% [markdown]
# ## The corpora that are only tested on
#
# {term}`Zero-shot` means: answering a question whose classes were never trained for. Each held-out
# corpus asks another question ({numref}`fig-held-out`).

# %% mystnb={"figure": {"name": "fig-held-out", "caption": "Classes of each corpus that is only tested on. Some ask for emotions that the training corpus has, some for words that it never says: there the model has nothing but the meaning of the words to go by."}, "image": {"alt": "One panel of horizontal bars per held-out corpus, with the number of segments of each class."}}
figures.held_out(labels)

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Somebody divides a corpus of many speakers into train and test by drawing *recordings*, not speakers. Which way
# does the score on the test split err, and why does a larger corpus not help?
#
# ```{admonition} Answer
# :class: dropdown
# It is too good. Each speaker is in both splits, and what a model has learned of a voice (this one is always
# hoarse, and was mostly angry) helps with the rest of this person's recordings. More recordings of the same people make
# it worse, as there is more to learn of each of them; only *speakers* that training never met can tell how it fares with new ones.
# ```
#
# **2.** Imagine an answerer that hears nothing and always names the most frequent class. What is its accuracy on each corpus that
# is tested on, and what its {term}`UAR`?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import scores, tables
#
# labels = tables.read_table(folder / "labels.parquet")
# test = labels[labels["split"] == "test"].dropna(subset="label")
# for corpus, own in test.groupby("corpus", sort=False):
#     guess, classes = [own["label"].mode()[0]] * len(own), sorted(own["label"].unique())
#     values = [score(own["label"], guess, classes) for score in (scores.accuracy, scores.uar)]
#     print(f"{corpus}: accuracy {values[0]:.2f}, UAR {values[1]:.2f} of {len(classes)} classes")
# ```
#
# The accuracy is the share of the largest class, and high where classes are unequal. The UAR is
# {term}`chance`, whatever the shares: one class is found always, all others never.
# ````

# %% [markdown]
# ## So: who speaks, and what is known of it?
#
# All corpora are in one table, `labels.parquet`, with one row per segment and the same columns for a
# folder of files, a database or the built-in speech. The classes overlap, the splits share no speakers
# unless the check above says so, and every held-out corpus asks its own question. What the voices are
# *like* is not in the table yet: [the next chapter](02_features) measures it.
