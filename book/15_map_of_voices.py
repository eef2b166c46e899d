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
# # A map of voices
#
# **What lies beside what?** The model turns every voice into a point, its {term}`embedding`, and says that a
# voice fits a {term}`query` when the two points lie in the same direction. Scores tell how often that comes out
# right. This chapter lets you look at the points, and listen to them: first all voices on one map, then the voices
# that lie closest to a sentence, and farthest from it.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/model/`, `settings.json` | (a folder) the model of chapter 4, and how it was trained |
# | `runs/<run>/labels.parquet`, `queries.parquet` | a segment |
# | `runs/<run>/predictions.parquet` | a test voice and what was answered in chapter 5 |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/map.csv` | a voice: its place on the map, and what is known of it |
# | `runs/<run>/neighbours.csv` | an attribute: how often neighbours share it, and by chance |
#
# With the built-in corpora all speech is synthetic: what lies beside what says how such a map is read, and
# nothing about people.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
jobs: int = 2  # CPU threads
template: str = "speaker is {}"  # sentence with a slot for the word of a class
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
map_voices: int = 140  # voices on the map, about: as many of each emotion
map_method: str = "tsne"  # how the map is drawn: tsne, pca

# %%
import torch

from paraclap import ParaCLAP, tables, zeroshot
from paraclap.figures import looking as figures
from paraclap.figures import style
from paraclap.looking import clips, explorer, neighbours, told, voice_map

# %%
torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)
model = ParaCLAP.from_pretrained(folder / "model")
form = tables.read_json(folder / "settings.json")["emotion_form"]
labels = tables.read_table(folder / "labels.parquet")
levels = tables.read_table(folder / "queries.parquet")
predictions = tables.read_table(folder / "predictions.parquet")

# %% [markdown]
# ## The voices
#
# A page can carry some voices, not all. They are drawn from the test splits, alike many of each emotion, so that
# frequent emotions do not hide rare ones. None of them was heard in training.

# %%
drawn = voice_map.draw(labels, predictions, map_voices, seed)
own = levels.loc[drawn.index]
voices = drawn.join(own[["pitch", "loudness", "duration"]])
tables.show(voices, rows=2)

# %% [markdown]
# A row is a voice: what it is, what the model answered in [chapter 5](05_evaluation) and how probable it held
# that answer, and the {term}`levels <level>` of three of its attributes.
#
# ## From many dimensions to two
#
# Paper has two dimensions, an embedding has many more. *t-SNE* {cite}`vandermaaten2008tsne` places the voices
# so that those which are close among the embeddings stay close on the map. It cannot keep everything. How many of
# the nearest voices of each voice are still among its nearest on the map?

# %%
embeddings = zeroshot.embed_audio(model, drawn)
places = neighbours.places(embeddings, map_method, seed)
voices = voices.assign(x=places[:, 0], y=places[:, 1])
tables.write_table(voices, folder / "map.csv")
print(
    f"{len(voices)} voices, {embeddings.shape[1]} dimensions: of the {neighbours.NEAREST} nearest "
    f"voices of each, {neighbours.kept(embeddings, places):.0%} are among its nearest on the map."
)

# %% [markdown]
# What is kept is what a map can show: who lies beside whom. The directions of such a map mean nothing, an
# island that is far from another one need not be more different than one half as far, and how dense an
# island looks is no measure either.
#
# What the model was told in training, and the closest of it to each voice, belongs to the map too:

# %%
trained = levels[labels.loc[levels.index, "split"] == "train"]
queries = told.vocabulary(trained, templates, form)
texts = zeroshot.embed_text(model, queries["query"].tolist())
cosines, truths = texts @ embeddings.T, told.truths(queries, own, templates, form)
style.text_table(queries.groupby("attribute", sort=False).agg("first").reset_index())

# %% [markdown]
# One sentence of each attribute is shown here, and one of the emotion words that stand alone.
#
# ## The map
#
# On the {term}`map of voices` in {numref}`fig-map-voices`, point at a voice to see what is known of it. A click, a tap or the enter key plays it; *colour by* shows another
# attribute, and an entry of the legend makes the others faint.

# %% mystnb={"figure": {"name": "fig-map-voices", "caption": "The drawn voices in two dimensions, a point each; voices that the model hears alike lie beside each other. Islands of one colour are classes that it keeps apart; where colours mix it hears no difference, or one of another kind: try the other colours."}, "image": {"alt": "Map of voices as coloured marks, one shape and colour for each class, that play when chosen."}}
colours = figures.palettes(
    voices, ["emotion", "prediction", "gender", "corpus", "pitch", "loudness", "duration"]
)
signals = clips.read(drawn.index)
nearest = explorer.closest(cosines, truths, queries)
voice_map.show(voices, own["queries"], nearest, signals, colours)

# %% [markdown]
# A map invites stories, so here is a check in numbers. Of the voices nearest to each voice, how many have its
# emotion, its gender, its pitch? Shuffling an attribute among the voices shows what chance alone would give.

# %% mystnb={"figure": {"name": "fig-map-agreement", "align": "center", "caption": "Share of the nearest voices that have the same attribute, among the embeddings and on the map, beside what is left when the attribute is dealt out at random. A mark to the right of the grey bar is an attribute by which the model orders voices; a mark on the bar is one that it does not hear, whatever the map seems to show."}, "image": {"alt": "Points for each attribute, among embeddings and on the map, with a grey bar of chance."}}
columns = ["emotion", "gender", "corpus", "speaker", "pitch", "loudness", "duration"]
near = neighbours.agreement(embeddings, voices, columns, seed=seed)
on_map = neighbours.agreement(places, voices, columns, seed=seed)
tables.write_table(near, folder / "neighbours.csv")
figures.agreements({"among embeddings": near, "on the map": on_map})

# %%
heard = near[near["share"] > near["chance_high"]].sort_values("share", ascending=False)
gains = [
    f"{row.attribute} ({row.share:.2f}, by chance {row.chance:.2f})" for row in heard.itertuples()
]
print(f"Neighbours share more often than by chance: {', '.join(gains) or 'nothing'}.")

# %% [markdown]
# An attribute can stand here because the model was told of it, or because it comes with another one: voices of one
# speaker share a gender and often a pitch, and a corpus has its own speakers and emotions.
#
# ## Where are the sentences?
#
# The queries are points, too, in the same space. Why are they not on the map?

# %%
mean = neighbours.gap(embeddings, texts)
print(
    f"Mean cosine of two voices {mean['voices']:.2f}, of two queries {mean['queries']:.2f}, "
    f"of a voice and a query {mean['between']:.2f}, of a voice and its closest query {mean['closest']:.2f}."
)

# %% [markdown]
# Contrastive training asks a voice to be closer to its own queries than to others, and to no more than that.
# Voices may therefore lie on one side and queries on another, the {term}`modality gap` {cite}`liang2022gap`. The wider
# it is, the less a common map would say: it would show two heaps. Only the *order* of voices by their
# closeness to a query carries an answer, and that can be looked at.
#
# ## Voices closest to a sentence
#
# Type a part of a query and choose one. On the small map a mark is the fuller the closer its voice is to the query, a
# coloured edge marks those that it is true of by the labels and levels, and a plus or a minus stands beside the two ends, which can be heard.

# %% mystnb={"figure": {"name": "fig-map-explorer", "caption": "Queries that training could have said, and the bare words of its emotions, with the voices closest to each and farthest from it. The line below them says of how many the query is true, at both ends and among all: where the closest are no better than all, the model does not know what the words sound like."}, "image": {"alt": "List of queries, a small map filled by closeness, and the closest and farthest voices with players."}}
start = told.first(queries, template)
explorer.show(voices, queries, cosines, truths, signals, figures.HOLDS, start, carried=False)

# %%
shares = explorer.precision(cosines, truths, neighbours.NEAREST).assign(
    attribute=queries["attribute"]
)
means = shares.groupby("attribute", sort=False).mean().reset_index()
style.text_table(means.sort_values("closest", ascending=False))

# %% [markdown]
# The mean over the queries of each attribute: the share of the closest, of the farthest and of all voices
# (`chance`) that they are true of. Where the closest stand well above all, and the farthest below, the words of that attribute find their
# voices.

# %% [markdown]
# ## So: what lies beside what?
#
# Voices lie beside each other when the model hears them alike, and {numref}`fig-map-agreement` names the attributes by
# which it does: those right of the grey bar. {numref}`fig-map-voices` shows the same as islands to be listened to, as
# far as two dimensions can keep them. Sentences order the voices instead of lying among them, and
# {numref}`fig-map-explorer` lets you hear where that order is right. Where it goes wrong, and when in a
# recording, is the question of the [next chapter](16_close_listening).
