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
#     - templates
#     reads:
#     - labels.parquet
#     - features.parquet
#     writes:
#     - edges.json
#     - queries.parquet
# ---

# %% [markdown]
# # Queries
#
# **Which sentences are true of an utterance?** Here numbers become words. Each value falls into one of three
# {term}`levels <level>`, each level has sentences, and the model learns from the sentences that hold. After this chapter you can
#
# - cut features into levels without using the test data,
# - list all queries that hold for an utterance, and say why another one does not,
# - draw captions as the variants of the paper do, and count how often a batch repeats one.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `features.parquet` | a {term}`segment` |
# | Writes | `edges.json` | an {term}`attribute`: where low ends and high begins |
# | Writes | `queries.parquet` | a segment: its levels, emotion, gender, and all its queries |

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# levels and sentences
low_quantile: float = 0.3  # share of the training split below the lower edge
high_quantile: float = 0.7  # share of the training split below the upper edge
templates: str = "paper"  # paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # of the emotion words: adjective (angry) or noun (anger)
# captions
rand: int = 5  # most attributes in a caption
emotion: str = "always"  # the emotion query: always on top, pool (like the others), or never
only_emotion: bool = False  # nothing but the emotion: "emotion is …"
join: str = "rand"  # how queries become a caption: rand, or all of them, as released
batch: int = 64  # pairs in a batch

# %%
import numpy as np
import pandas as pd
import seaborn as sns

from paraclap import queries, tables
from paraclap.book import show
from paraclap.figures import players, style
from paraclap.training import VARIANTS, Settings, variants

folder = tables.run_folder(run, runs)
features = tables.read_table(folder / "features.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[features.index]
train = (labels["split"] == "train").to_numpy()

# %% [markdown]
# ## From values to levels
#
# Two {term}`edges` cut each attribute in three. They are quantiles of the *training* {term}`split` and of nothing else, because
# a level must not depend on the utterances that the model is tested on.

# %%
show(queries.fit_levels)

# %%
show(queries.assign_levels)

# %%
table = features.join(labels)
edges = queries.fit_levels(table, (low_quantile, high_quantile))
queries.save_edges(edges, folder / "edges.json")
levels = queries.assign_levels(table, edges)
ends = pd.DataFrame(edges, index=["low ends at", "high begins at"]).T.round(3)
ends.assign(**{"first segment": levels[train].iloc[0].astype("str")})

# %% [markdown]
# The words are relative. A "high jitter" is high for this corpus, and a doctor may disagree. Two utterances on either side of an
# edge differ in the word, but hardly in the value.
#
# ## Do the levels mean the same elsewhere?
#
# In the training split the shares are fixed by the quantiles; in other splits ({numref}`fig-shares`) and corpora
# ({numref}`fig-drift`) they are free. The model needs no levels when it answers a question, but it learned what "high" means from
# its training split.

# %% mystnb={"figure": {"caption": "Share of low, normal and high for each attribute and split. The dashed lines are the quantiles of the edges. In the training split the colours meet at the lines by construction; in the others they do so where the speakers are like those of the training split.", "name": "fig-shares"}, "image": {"alt": "Stacked horizontal bars of level shares for each attribute, one panel for each split, with dashed lines at the quantiles."}}
there = [split for split in tables.SPLITS if (labels["split"] == split).any()]
fig, axes = style.figure(1, len(there), 1.4 + 0.27 * levels.shape[1], squeeze=False, sharey=True)
for ax, split in zip(axes[0], there, strict=True):
    part = levels[labels["split"] == split]
    shares = pd.DataFrame({name: part[name].value_counts(normalize=True) for name in part}).T
    bars = {"stacked": True, "width": 0.8, "color": style.LEVELS, "legend": False}
    (100 * shares[list(style.LEVELS)].fillna(0)).plot.barh(ax=ax, **bars)
    for quantile in (low_quantile, high_quantile):
        style.chance(ax, 100 * quantile, "_", upright=True)
    ax.set(title=f"{split} ({len(part):,})", xlim=(0, 100), xlabel="segments in %")
ax.invert_yaxis()
ax.legend(*ax.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1, 1))
fig

# %% mystnb={"figure": {"caption": "High minus low in each corpus, in per cent of its segments. With symmetric quantiles the training split alone has zero, ties aside. Strong colours mean that one word holds for nearly every utterance of the corpus. Empty cells are ratings that a corpus does not have.", "name": "fig-drift"}, "image": {"alt": "Heat map of the difference between the share of high and of low, one row for each corpus, one column for each attribute."}}
codes = levels.apply(lambda one: one.cat.codes.where(one.notna()) - 1)  # low -1, high 1
drift = 100 * codes.groupby(labels["corpus"], sort=False).mean()
fig, ax = style.figure(height=1.7 + 0.36 * len(drift))
look = {"vmin": -100, "vmax": 100, "cmap": "vlag", "annot_kws": {"size": 8}}
sns.heatmap(drift, annot=True, fmt=".0f", ax=ax, **look)
ax.set(ylabel="")
ax.tick_params(axis="x", rotation=45)
fig

# %% [markdown]
# ## From levels to sentences
#
# The sentences are data. A {term}`template` belongs to an attribute and says in which states it holds. Some depend on a second
# attribute: "but a high pitch variance" is added only where the variance *is* high. So no query contradicts another (the
# `released` sets keep the contradictions of the authors' code, see chapter 7). Finding those that hold is a filter:

# %%
show(queries.matching_templates)

# %%
found = queries.load_templates(templates)
print(f"{len(found)} templates in the set {templates!r}; the first two of each attribute:")
rows = pd.DataFrame({"attribute": [one.attribute for one in found]})
rows["template"] = [one.text for one in found]
rows["holds for"] = [
    "; ".join(f"{name}: {', '.join(sorted(good))}" for name, good in one.states.items())
    for one in found
]
style.text_table(rows.groupby("attribute", sort=False).head(2))

# %% [markdown]
# A {term}`query` is a template with its slot filled. This finds the queries of all segments, and is the table that the model is
# trained from:

# %%
pool = queries.QueryPool(levels.join(labels[["emotion", "gender"]]), templates, emotion_form)
tables.write_table(pool.table(), folder / "queries.parquet")
print(f"{len(pool.vocabulary)} distinct queries for {len(pool):,} segments.")

# %% [markdown]
# ## One utterance and all that is true of it

# %%
able = np.flatnonzero(train & pool.has_queries(emotion, only_emotion))
one = max(able, key=lambda row: len(pool.queries(row)))
print("; ".join(f"{name} {level}" for name, level in levels.iloc[one].dropna().items()))
print("All its queries:", *pool.queries(one), sep="\n  - ")
players.players(labels.iloc[[one]], ["the utterance described above"])

# %% [markdown]
# ## Captions
#
# In training, an utterance does not come with all its queries but with a {term}`caption`: up to `rand` attributes, one wording
# of each, joined by "and". Attributes are drawn first, so one with many wordings is not more frequent. The function gets the
# wordings of one utterance, attribute by attribute:

# %%
show(queries.sample_caption)

# %%
print("Wordings of the emotion:", pool.wordings(one).get("emotion"))
rng = np.random.default_rng(seed)
own = pool.sample([one] * 3, rand, emotion, only_emotion, join, rng=rng)
print("Three captions with the parameters of this run:", *own, sep="\n  - ")

# %% [markdown]
# The paper compares four ways to draw in its Table 1 {cite}`jing2024paraclap`; chapter 6 trains a model with each. In `rand1` the
# emotion is an attribute like the others; in `rand5` it is as this run says. The captions of `only_emo` have one wording, the
# one that the paper names: *emotion is …*.

# %%
base = Settings(rand=rand, emotion=emotion, join=join)
captions = {}
for name, one in variants(base, list(VARIANTS)).items():
    rows = np.flatnonzero(train & pool.has_queries(one.emotion, one.only_emotion))
    if len(rows):
        options = (one.rand, one.emotion, one.only_emotion, one.join)
        captions[name] = pool.sample(rng.choice(rows, 20_000), *options, rng=rng)
captions = pd.DataFrame(captions)
style.text_table(captions.head(2).T.rename_axis("variant").reset_index())

# %% [markdown]
# ## How many different captions are there?
#
# A contrastive model learns from differences: in a batch every other caption counts as *wrong* for an utterance. So it matters
# how many there are ({numref}`fig-growth`), and how often one comes twice ({numref}`fig-repeats`).

# %% mystnb={"figure": {"caption": "Distinct captions after so many draws from the training split, for the variants of the paper. A curve that flattens has run out of captions. At the dashed line every draw is new.", "name": "fig-growth"}, "image": {"alt": "Distinct captions over captions drawn on two logarithmic axes, one line for each variant, with a dashed line where each draw is new."}}
distinct = (~captions.apply(pd.Series.duplicated)).cumsum()
points = np.unique(np.geomspace(1, len(captions), 40).astype(int))
fig, ax = style.figure(height=3.8)
ax.plot(points, points, color=style.INK, linestyle="--", label="each draw is new")
sns.lineplot(distinct.iloc[points - 1].set_index(points), dashes=False, linewidth=2, ax=ax)
ax.set(xscale="log", yscale="log", xlabel="captions drawn", ylabel="distinct captions")
ax.xaxis.set_major_formatter("{x:,.0f}")
ax.yaxis.set_major_formatter("{x:,.0f}")
fig

# %% mystnb={"figure": {"caption": "Share of a batch whose caption another pair of the batch has too, for the variants of the paper. There the loss pushes an utterance away from a caption that is true of it.", "name": "fig-repeats"}, "image": {"alt": "Box plots of the share of repeated captions in a batch, one for each variant, axis from 0 to 100 per cent."}}
batches = captions.groupby(np.arange(len(captions)) // batch)
repeated = 100 * batches.agg(lambda own: own.duplicated(keep=False).mean())
fig, ax = style.figure(height=1.2 + 0.5 * captions.shape[1])
sns.boxplot(repeated, orient="h", ax=ax)
ax.set(xlim=(-2, 102), xlabel=f"pairs of a batch of {batch} with a repeated caption (%)")
fig

# %%
counts = pd.DataFrame({"distinct": captions.nunique(), "repeated in a batch (%)": repeated.mean()})
print(f"{len(captions):,} captions of each variant:", counts.round(1).to_string(), sep="\n")

# %% [markdown]
# Two different captions can both be true of one utterance, too. These counts do not show that.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Why are the edges fitted on the training split, and not on each corpus? {numref}`fig-drift` would then be zero
# everywhere.
#
# ```{admonition} Answer
# :class: dropdown
# A word would mean something else in each corpus: a "high pitch" among children is not a "high pitch" among men. The model
# gets the signal and not the corpus, so it could not learn when to use the word. And the level of a test utterance would
# depend on which others are tested with it.
# ```
#
# **2.** Which queries hold for the fewest training utterances, and which for the most? What will the model learn least about?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# labels = tables.read_table(folder / "labels.parquet")
# queries = tables.read_table(folder / "queries.parquet")
# train = queries[labels["split"].loc[queries.index] == "train"]
# share = train["queries"].explode().value_counts() / len(train)
# print(share.iloc[[0, 1, 2, -3, -2, -1]].map("{:.2%} of the utterances".format).to_string())
# ```
#
# Queries about a gender or a level hold for many. Queries with two conditions, such as an emotion *and* its degree, are rare.
# The model learns least about what these add, though it gets the emotion itself in other words.
# ````
#
# **3.** Run this chapter with narrower words: `low_quantile` 0.1 and `high_quantile` 0.9. What happens to the queries of an
# utterance, and to {numref}`fig-repeats`?
#
# ```{admonition} Answer
# :class: dropdown
# `paraclap book params/demo.yaml -p run=narrow -p low_quantile=0.1 -p high_quantile=0.9 --only 01-03`. Most values are
# then normal, so captions of different utterances are more alike and a batch repeats more of them. What is still high or low
# is so beyond doubt. A level tells most when all three are about equally frequent, as with the quantiles of the paper.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.queries`: `fit_levels`, `assign_levels`, `matching_templates`, `sample_caption`, and `QueryPool` for a whole table
# - `paraclap/queries/templates.csv`: the sentences; `paraclap.queries.templates` explains its columns
# - `paraclap.training.settings.VARIANTS`: the variants that chapter 6 trains
# - `paraclap.figures`: players, colours

# %% [markdown]
# ## Summary
#
# Two edges for each attribute, fitted on the training split alone, turn values into low, normal and high. Templates turn levels
# and labels into queries. A caption joins a few of them, and how it is drawn decides how often a batch repeats itself. **How does
# a model learn which caption belongs to which utterance?** This is the question of [the next chapter](04_training).
