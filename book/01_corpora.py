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
#     - corpus
#     - msp_podcast
#     - iemocap
#     - ravdess
#     - crema_d
#     - tess
#     - fau_aibo
#     - alc
#     - sld
#     reads: []
#     writes:
#     - labels.parquet
# ---

# %% [markdown]
# # Corpora
#
# **Which recordings are there, and what do we know about them?** A model that answers questions about speech needs two
# things to learn from: recordings, and labels that people gave them. This chapter brings both into one table, whatever
# the {term}`corpus` looks like on disk. Then we listen and look, before anything is computed.
#
# After this chapter you can
#
# - read any corpus into one labels table, and say what each of its columns means,
# - check that the splits share no speakers, and say why that matters,
# - describe the classes of a corpus, and say what {term}`chance` is for them.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | a folder of audio with a CSV, an audformat database, or corpora by name | a {term}`segment` with its labels |
# | Writes | `corpus/` (only for the built-in speech) | a WAV file and its labels |
# | Writes | `labels.parquet` | a {term}`segment`: corpus, split, speaker, emotion, gender, ratings, label |
#
# ```{admonition} The built-in speech is synthetic
# :class: warning
# With `corpus: synthesis` no person speaks. The speech synthesiser espeak-ng varies pitch, level, roughness and breath
# as the literature describes it for emotions {cite}`juslin2003communication,scherer2003vocal`. The whole book runs on it
# without a download. A score on it shows that the pipeline works; it says nothing about people.
# ```

# %% [markdown]
# The next cell lists what can be changed; on the pages of the book, what is changed rarely is folded. A params file
# gives other values, see `params/`.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
jobs: int = 2  # processes
# the corpus
corpus: str = "synthesis"  # the built-in speech, "people", a folder, or names with commas between
learn_from: str = ""  # of several corpora: names of those to train on; empty takes the first
corpus_table: str = ""  # name of the CSV of a folder, or of tables of a database
label_column: str = "emotion"  # column with the class of the corpus
columns: str = ""  # other names of columns, see params/folder.yaml
utterances: int = 4800  # utterances of the built-in training corpus
held_out: int = 210  # utterances of each built-in corpus for testing
# folders of the paper's corpora, for those named in `corpus`
msp_podcast: str = ""  # folder of MSP-Podcast
iemocap: str = ""  # folder of IEMOCAP
ravdess: str = ""  # folder of RAVDESS
crema_d: str = ""  # folder of CREMA-D
tess: str = ""  # folder of TESS
fau_aibo: str = ""  # folder of FAU Aibo
alc: str = ""  # folder of ALC
sld: str = ""  # folder of SLD

# %%
import pandas as pd
import seaborn as sns

from paraclap import corpora, tables
from paraclap.corpora import paper, synthetic
from paraclap.figures import corpora as figures
from paraclap.figures import style
from paraclap.figures.players import players

folder = tables.run_folder(run, runs)

# %% [markdown]
# ## One table for any corpus
#
# The built-in speech is synthesised first, unless it is there already; `people`, clips of 42 speakers in packages of Debian, is
# fetched. Any other corpus is only read. In all cases the labels end up in the same columns.

# %%
root = synthetic.corpus_folder(corpus, folder / "corpus", utterances, held_out, seed, jobs)
folders = paper.folders(globals())
labels = corpora.load(root, corpus_table, label_column, columns, seed, folders, learn_from)
tables.write_table(labels, folder / "labels.parquet")
tables.show(labels[labels["split"] == "train"], 2).reset_index().T

# %% [markdown]
# These are two rows, printed upright. A row is a {term}`segment`: a part of a file from a start to an end. `emotion` is
# a word for what the speaker expresses. `label` is the class that the corpus itself asks for, which need not be an
# emotion. What a corpus does not know stays empty. The notes say what the loader had to
# decide, and which files it could not read:

# %%
print("\n".join(labels.attrs["notes"]) or "Nothing had to be decided.")
tables.show(pd.DataFrame(labels.attrs["failed"], columns=["file", "reason"]), 20)

# %% [markdown]
# ### Corpora known by name
#
# The paper trains on the first of these corpora and tests on all of them. Give their folders as parameters and their
# names in `corpus`, and they are read as their publishers distribute them.

# %%
style.text_table(paper.overview())

# %% [markdown]
# None of them is part of this book: most are licensed, and the table says where to apply. Open databases can be named as
# `audb:<name>@<version>`; they are downloaded.
#
# A loader compares what it finds with the published counts, and notes a difference. In one place the paper itself cannot be
# right: it gives SLD 800 chunks for *each* of its two labels. As far as we know (we have not counted them), the data of the
# challenge are 800 in all: 394 to learn from, 178 to develop, 228 to test. The paper does not say which of them it tested.
#
# ### Corpora of this run
#
# A corpus with a training {term}`split` is learned from. The others are only tested on.

# %%
labels.reset_index().groupby(["corpus", "split"], sort=False).agg(
    segments=("file", "size"),
    speakers=("speaker", "nunique"),
    classes=("label", "nunique"),
    rated=("arousal", "count"),
    language=("language", "first"),
)

# %% [markdown]
# The built-in corpora have the names of those that they imitate, with `-like` behind: the same number of classes, similar
# shares of them, similar channels, the same language
# {cite}`lotfian2019podcast,busso2008iemocap,livingstone2018ravdess,cao2014cremad,dupuis2010tess,steidl2009aibo,schiel2012alc,burkhardt2011sld`.
# They contain no recording of the originals. All of them come from *one* synthesiser, so they differ less from each other
# than real corpora do.

# %% [markdown]
# ## Listening
#
# How do these utterances sound? Here is one speaker, with as many {term}`emotions <emotion>` as the corpus has of one
# person.

# %%
column = "emotion" if labels["emotion"].notna().any() else "label"
words = labels.groupby("speaker")[column].agg(["nunique", "size"])
speaker = words.sort_values(["nunique", "size"]).index[-1]
chosen = labels[labels["speaker"] == speaker].drop_duplicates(column).sort_values(column).head(6)
names = chosen["emotion"].fillna(chosen["label"]).fillna("no label").to_list()
print(f"Speaker {chosen['speaker'].iloc[0]}:")
players(chosen, names)

# %% [markdown]
# And here is one utterance of each corpus:

# %%
one_each = labels.groupby("corpus", sort=False).head(1).head(9)
players(one_each, (one_each["corpus"] + ": " + one_each["label"].fillna("no label")).to_list())

# %% [markdown]
# ## Looking
#
# {numref}`fig-contours` shows two of these utterances three times: the {term}`signal` itself; its energy by frequency
# (the *mel spectrogram*, with frequencies spaced as the ear spaces them); and its pitch, which openSMILE estimates every
# 10 ms where the voice has one.

# %% mystnb={"figure": {"caption": "Two utterances of one speaker as signal, mel spectrogram and pitch contour. Loudness shows in the height of the signal, roughness and breath in the spectrogram, melody in the pitch. Gaps in the pitch are places without voice.", "name": "fig-contours"}, "image": {"alt": "Two columns, one for each utterance, with signal, mel spectrogram and pitch over time."}}
figures.contours(chosen.iloc[[0, -1]], [names[0], names[-1]])

# %% [markdown]
# A model has to find the difference *between* the columns. It has to ignore the changes *within* an utterance, because
# a word such as "angry" is about all of it.

# %% [markdown]
# ## Which classes, and how many of each?
#
# Classes are rarely balanced ({numref}`fig-classes`). A model can score well on unbalanced classes by always predicting
# the most frequent one. For this reason the headline score of this book is {term}`UAR`, and {term}`chance` is drawn
# wherever a score is.

# %% mystnb={"figure": {"caption": "Share of each class in the splits of the corpus that is trained on. Bars of equal length within a class mean that the splits have the same mixture. The dashed line marks equal shares.", "name": "fig-classes"}, "image": {"alt": "Bars of the share of each class in the training, development and test split, with a line at equal shares."}}
trained = labels[labels["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"])]
shares = (
    trained.groupby("split")["label"].value_counts(normalize=True).rename("share").reset_index()
)
fig, ax = style.figure(height=4.5)
sns.barplot(shares, y="label", x="share", hue="split", hue_order=list(tables.SPLITS), ax=ax)
ax.axvline(1 / shares["label"].nunique(), color="grey", linestyle="--")
ax.set(xlabel="share of the split", ylabel="")
fig

# %% [markdown]
# The paper trains on the classes as they are {cite}`jing2024paraclap`. The parameter `balance` of chapter 4 can draw
# them equally often instead, which the demo does.

# %% [markdown]
# ## Who speaks?
#
# {term}`Speakers <speaker>` must not be shared between splits. A model that knows a speaker can recognise the person
# instead of the way of speaking, and its score would be too high.

# %%
splits = labels.groupby("speaker")["split"].nunique()
print(f"{(splits > 1).sum()} of {len(splits):,} speakers are in more than one split.")

# %% mystnb={"figure": {"caption": "Segments of each speaker, by split. The fewer segments a speaker has, the less a model can gain by recognising the person.", "name": "fig-speakers"}, "image": {"alt": "Histogram of the number of segments of a speaker, stacked by split."}}
segments = labels.groupby(["split", "speaker"]).size().rename("segments").reset_index()
fig, ax = style.figure(height=3.5)
sns.histplot(
    segments,
    x="segments",
    hue="split",
    hue_order=list(tables.SPLITS),
    multiple="stack",
    bins=20,
    ax=ax,
)
ax.set(xlabel="segments of a speaker", ylabel="speakers")
fig

# %% [markdown]
# The number of *speakers*, not of segments ({numref}`fig-speakers`), decides how certain a score is: two segments of one
# person are not independent. Chapter 5 therefore draws its {term}`intervals <interval>` by speaker
# {cite}`bisani2004bootstrap`.

# %% [markdown]
# ## Emotions as words and as ratings
#
# Words are one way to describe an emotion. Ratings are another: {term}`arousal` from calm to excited, {term}`valence` from
# negative to positive, {term}`dominance` from submissive to dominant. Where a corpus has both, each word covers a region
# ({numref}`fig-ratings`).

# %% mystnb={"figure": {"caption": "Mean ratings of valence and arousal for each emotion; lines span one standard deviation. Where they overlap, the ratings alone do not tell the words apart.", "name": "fig-ratings"}, "image": {"alt": "Scatter of mean arousal over mean valence with error bars, one point for each emotion."}}
rated = labels.dropna(subset=["valence", "arousal", "emotion"]).groupby("emotion")
middle, spread = rated[["valence", "arousal"]].mean(), rated[["valence", "arousal"]].std()
fig, ax = style.figure(height=4.5)
ax.errorbar(
    middle["valence"], middle["arousal"], spread["arousal"], spread["valence"],
    fmt="o", elinewidth=0.7, alpha=0.8,
)  # fmt: skip
for emotion, (valence, arousal) in middle.iterrows():
    ax.annotate(emotion, (valence, arousal), xytext=(5, 5), textcoords="offset points")
ax.set(xlabel="valence", ylabel="arousal")
fig

# %% [markdown]
# ## The corpora for testing
#
# Each held-out corpus asks another question ({numref}`fig-held-out`). Some ask for emotions that the training corpus
# has, others for words that it never contains. Chapter 5 keeps the two apart.

# %% mystnb={"figure": {"caption": "Number of test segments of each class, for every corpus that is tested on.", "name": "fig-held-out"}, "image": {"alt": "Heat map with one row for each corpus and one column for each class; cells hold the number of segments."}}
counts = labels[labels["split"] == "test"].groupby(["corpus", "label"], sort=False).size().unstack()
fig, ax = style.figure(height=1.5 + 0.4 * len(counts))
sns.heatmap(counts, annot=True, fmt=".0f", cbar=False, cmap="Blues", ax=ax)
ax.set(xlabel="", ylabel="")
ax.tick_params(axis="x", rotation=60)
fig

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** You divide a corpus of many speakers into train and test by drawing *recordings*, not speakers. Is the score on
# the test split too high or too low, and why does a larger corpus not help?
#
# ```{admonition} Answer
# :class: dropdown
# It is too high. Each speaker is in both splits, and what the model learned about a voice (this person is always hoarse,
# and was mostly angry) helps with the other recordings of this person. More recordings of the same people make it
# worse. Only *speakers* that training never contained tell how the model does with new ones.
# ```
#
# **2.** A model ignores the audio and always predicts the most frequent class. What is its accuracy on each corpus, and
# what its {term}`UAR`?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
# from paraclap.evaluation import metrics
#
# labels = tables.read_table(folder / "labels.parquet")
# test = labels[labels["split"] == "test"].dropna(subset="label")
# for corpus, rows in test.groupby("corpus", sort=False):
#     guess, classes = [rows["label"].mode()[0]] * len(rows), sorted(rows["label"].unique())
#     values = [score(rows["label"], guess, classes) for score in (metrics.accuracy, metrics.uar)]
#     print(f"{corpus}: accuracy {values[0]:.2f}, UAR {values[1]:.2f} of {len(classes)} classes")
# ```
#
# The accuracy is the share of the largest class, and high where classes are unbalanced. The UAR is {term}`chance`,
# whatever the shares: one class is always found, all others never.
# ````

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.corpora.load`: any corpus as one table; `paraclap.corpora.paper`: the eight corpora of the paper
# - `paraclap.corpora.synthetic.corpus_folder`: the built-in synthetic speech
# - `paraclap.tables`: the table of segments, its checks, and how it is stored
# - `paraclap.figures`: colours, players, and the figure of contours

# %% [markdown]
# ## Summary
#
# All corpora are in one table, `labels.parquet`, with one row per segment and the same columns for a folder of files, a
# database or the built-in speech. The splits share no speakers unless the check above says so. Each held-out corpus asks
# its own question. The table does not say yet how the utterances *sound*. **What can we measure in an utterance?** This is
# the question of [the next chapter](02_features).
