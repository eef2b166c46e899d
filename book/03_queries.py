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
# # Queries: what can be said of a voice?
#
# Numbers become words here. Each measured value falls into one of three {term}`levels <level>`, each
# level has sentences that say so, and what is true of a voice is what the model is told about it.
#
# | | path in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `features.parquet` | a {term}`segment` |
# | Writes | `edges.json` | an {term}`attribute`: where low ends and high begins |
# | Writes | `queries.parquet` | a segment: its levels, emotion, gender, and all its queries |

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs
seed: int = 0  # of all draws
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # how emotions are named: adjective (angry) or noun (anger)
low_quantile: float = 0.3  # share of train below the lower edge
high_quantile: float = 0.7  # share of train below the upper edge
rand: int = 5  # most queries joined into one text
emotion: str = "always"  # whether the emotion query is said: always, pool or never
only_emotion: bool = False  # whether the emotion query is all that is said
join: str = "rand"  # how queries become a text: "rand", or as released, "weighted" or "all"
batch: int = 64  # pairs in a batch

# %%
import numpy as np
import pandas as pd

from paraclap import levels, tables, variety
from paraclap.figures import queries as figures
from paraclap.figures import style
from paraclap.queries import Pool
from paraclap.templates import sentences

folder = tables.run_folder(run, runs)
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet")
labels = labels.loc[features.index]
pd.set_option("display.max_colwidth", 200)

# %% [markdown]
# ## From values to levels
#
# Two {term}`edges` cut each attribute in three. They are quantiles of the *training* {term}`split` and of
# nothing else: a level must not know the voices that the model is tested on.

# %%
table = features.join(labels)
quantiles = (low_quantile, high_quantile)
edges = levels.fit(table, quantiles, levels.varying(table, quantiles))
key = tables.fingerprint(edges, low_quantile, high_quantile)
levels.save(edges, folder / "edges.json", key)
pd.DataFrame(edges, index=["low ends at", "high begins at"]).T.round(3)

# %% [markdown]
# The words are relative. A "high jitter" is high for this corpus; that a doctor would call it so is not
# implied. And two voices on either side of an edge differ in the word though hardly in the value.

# %%
level = levels.assign(table, edges)
tables.show(level[labels["split"] == "train"], 2).reset_index().T

# %% [markdown]
# ## Do the levels mean the same elsewhere?
#
# On the training split the shares are fixed by construction. On the other splits and corpora they are
# not ({numref}`fig-shares`, {numref}`fig-drift`).

# %% mystnb={"figure": {"name": "fig-shares", "caption": "Share of low, normal and high for each attribute and split, with dashed lines at the quantiles that the edges were fitted at. In the training split the colours meet at the lines by construction; where they do so in the others, the speakers there are like those trained on."}, "image": {"alt": "Stacked horizontal bars of level shares per attribute, one panel per split, with dashed lines at the quantiles."}}
figures.shares(level, labels["split"], (low_quantile, high_quantile))

# %% mystnb={"figure": {"name": "fig-drift", "caption": "High minus low in each corpus, in per cent of its segments. Zero is what the training split has by construction; a strong colour means that one word would be true of nearly every voice of that corpus, and so says little about any of them. Empty cells are ratings that a corpus does not have."}, "image": {"alt": "Heat map of the difference between the share of high and of low, one row per corpus, one column per attribute."}}
figures.drift(level, labels["corpus"])

# %% [markdown]
# At zero-shot time no levels are needed: the model is asked in words. Drift matters nevertheless, for a
# model has learned what "high" means among the voices of its training split.

# %% [markdown]
# ## Which levels come together?
#
# Two attributes that always go together say one thing twice; {numref}`fig-together` shows which do.

# %% mystnb={"figure": {"name": "fig-together", "caption": "How the levels of two attributes go together: per cent of the segments in each row. Rows that differ are attributes that are not independent, so that a query about one also teaches something about the other; equal rows are attributes that have nothing to do with each other."}, "image": {"alt": "Heat maps of levels of one attribute given the level of another."}}
figures.together(level[labels["split"] == "train"])

# %% [markdown]
# ## From levels to sentences
#
# The sentences are data: a {term}`template` belongs to an attribute and says in which states it may be
# said. Those of the set in use (two of each attribute):

# %%
said = sentences(templates)
print(f"{len(said)} templates in the set {templates!r}.")
rows = [(one.attribute, one.template) for one in said]
said = pd.DataFrame(rows, columns=["attribute", "template"])
said.groupby("attribute", sort=False).head(2).set_index("attribute")

# %% [markdown]
# A {term}`query` is a template with its slot filled. All queries of all voices are found at once, and
# this is the table that the model will be trained from.

# %%
feeling, gender = labels["emotion"], labels["gender"]
pool = Pool.build(level, feeling, gender, templates, emotion_form)
queries = pool.table()
key = tables.fingerprint(queries, templates)
tables.write_table(queries, folder / "queries.parquet", key)
print(f"{len(pool.vocabulary)} distinct queries for {len(pool):,} segments.")
tables.show(queries[labels["split"] == "train"], 1).reset_index().T

# %% [markdown]
# ## One voice and all that is true of it

# %%
says = pool.says(emotion, only_emotion)
train = np.flatnonzero((labels["split"] == "train") & says)
known = queries["queries"].iloc[train].map(len)
one = train[known.to_numpy().argmax()]
print(level.iloc[one].dropna().astype("str").to_string())
print("All its queries:", *pool.queries(one), sep="\n  - ")
style.players(queries.iloc[[one]], ["the voice described above"])

# %% [markdown]
# No sentence contradicts another: a continuation such as "but a high pitch variance" is said only where
# the variance *is* high.

# %% [markdown]
# ## What the model is told
#
# In training a voice does not come with all its queries. Up to `rand` attributes are drawn, one wording
# of each, and joined by "and"; the emotion is added or not. This is what the paper varies in its Table 1
# {cite}`jing2024paraclap`, and {numref}`fig-said` counts how often each attribute is then spoken of. First the same voice three times as this run draws it, then two other voices for
# each variant of the paper:

# %%
rng = np.random.default_rng(seed)
told = pool.sample([one] * 3, rand, emotion, only_emotion, join, rng=rng)
print("As this run tells it:", *told, sep="\n  - ")
texts = variety.draw(pool, train, 20_000, seed)
texts.groupby("variant", sort=False).head(2).set_index("variant")

# %% mystnb={"figure": {"name": "fig-said", "caption": "How often each attribute is spoken of when at most n attributes are drawn, in per cent of the texts, with the emotion drawn as one of them. Attributes that every voice has are equally frequent, whatever the number of their wordings, because attributes are drawn first; those that some voices lack are rarer."}, "image": {"alt": "Heat map of the share of texts that speak of an attribute, attributes in rows, rand in columns."}}
figures.said(variety.said(pool, train, max(rand, 2), templates, seed))

# %% [markdown]
# ## How many different texts are there?
#
# A contrastive model learns from differences: in a batch, every other text counts as *wrong* for a voice.
# So it matters how many different texts there are ({numref}`fig-growth`), and how often one comes twice
# ({numref}`fig-repeats`).

# %% mystnb={"figure": {"name": "fig-growth", "caption": "Distinct texts seen as more are drawn from the training split, for the paper's four variants. A curve that flattens has run out of texts; one that stays near the dashed line says something new with almost every draw."}, "image": {"alt": "Distinct texts over texts drawn on two logarithmic axes, one line per variant, with a dashed line where each draw is new."}}
figures.growth(variety.growth(texts))

# %% mystnb={"figure": {"name": "fig-repeats", "caption": "Pairs of a batch whose text another pair of the same batch has too. The fewer distinct texts a variant has, the more often the loss pushes a voice away from a text that is true of it."}, "image": {"alt": "Box plots of the share of repeated texts in a batch, one per variant, axis from 0 to 100 per cent."}}
figures.repeats(variety.repeats(texts, batch), batch)

# %% [markdown]
# This is the price of short texts. With the emotion alone a batch holds only as many texts as there are
# emotions, and nearly every pair is also somebody else's; with several attributes drawn, repetition is
# rare. And even two different texts may both be true of one voice, which no count of repetitions shows.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Why are the edges fitted on the training split and not on each corpus by itself? {numref}`fig-drift` would then be zero
# everywhere.
#
# ```{admonition} Answer
# :class: dropdown
# A word would mean another thing in each corpus: a "high pitch" among children is not that among men. The model
# hears the signal and not the corpus, so it could not learn when to use the word. And levels of a test corpus that are fitted to
# its own voices would depend on which voices are tested together.
# ```
#
# **2.** Which queries are said of the fewest training voices, and which of the most? What will the model learn least about?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# labels = tables.read_table(folder / "labels.parquet")
# queries = tables.read_table(folder / "queries.parquet")
# train = queries[labels["split"].loc[queries.index] == "train"]
# said = train["queries"].explode().value_counts() / len(train)
# print(said.iloc[[0, 1, 2, -3, -2, -1]].map("{:.2%} of the voices".format).to_string())
# ```
#
# Sentences that hold of a whole gender or of a level are said of many voices. Rarest are those with a condition, on the built-in speech
# the emotion together with how much of it there is: few voices are sad *and* of a high {term}`arousal`. The model learns least about what they
# add, though it meets the emotion itself in plainer words.
# ````
#
# **3.** Run this chapter again with narrower words: `low_quantile` at one tenth and `high_quantile` at nine tenths. What happens to the
# number of queries of a voice, and to {numref}`fig-repeats`?
#
# ```{admonition} Answer
# :class: dropdown
# `python -m paraclap.book params/demo.yaml -p run=narrow -p low_quantile=0.1 -p high_quantile=0.9 --only 03`, after the same
# command with `--only 01` and `--only 02`. Most values are then normal. Attributes with a sentence for *normal* still speak, but all
# alike, so texts of different voices resemble each other more and more of a batch is repeated; what is still called high
# or low is so beyond doubt. The paper's quantiles keep the three levels about equally frequent, which is when a level tells most.
# ```

# %% [markdown]
# ## So: what can be said of a voice?
#
# Two edges per attribute, fitted on the training split alone, turn measurements into low, normal and
# high, and templates turn these into queries that never contradict one another. Drawing several
# attributes at a time makes texts that hardly ever repeat; saying the emotion alone repeats nearly
# always. [The next chapter](04_training) trains a model on pairs of a voice and such a text.
