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
#     - your_recording
#     - your_utterance
#     - other_model
#     reads:
#     - labels.parquet
#     - queries.parquet
#     - edges.json
#     - model
#     - predictions.parquet
#     - scores.csv
#     writes:
#     - map.csv
# ---

# %% [markdown]
# # Looking and listening
#
# **Where is the model right, and where does it go wrong?** Scores count mistakes. Here you look at them and hear them. After this
# chapter you can
#
# - read a map of embeddings, and test with a number what it seems to show,
# - listen to the mistakes of which the model is surest,
# - watch an answer change along a recording,
# - ask about a recording of your own voice.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `queries.parquet`, `predictions.parquet`, `model/` | a {term}`segment` |
# | Reads | `scores.csv`, `edges.json` | a task; an {term}`attribute` |
# | Writes | `map.csv` | an utterance: its place on the map, and what we know about it |
#
# On the built-in corpora all speech is synthetic: you learn how to look, and the results say nothing about people.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# what is shown
map_utterances: int = 100  # utterances on the map
map_method: str = "tsne"  # how their places are found: tsne or pca
shown_task: str = ""  # task of the confusion matrix; empty: one with few classes and a high UAR
# your recordings
your_recording: str = ""  # a long recording of yours; empty makes one of labelled utterances
your_utterance: str = ""  # a short one for the playground; empty takes a test utterance
other_model: str = ""  # folder of a model to ask instead of that of chapter 4
# the questions
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as in the paper or its released code
your_candidates: str = "angry,happy,sad,neutral"  # possible answers, with commas between
window: float = 2.0  # seconds of a long recording that make one answer
hop: float = 0.5  # seconds from window to window

# %%
import pandas as pd

from paraclap import ParaCLAP, classify, embed_audio, embed_text, tables
from paraclap.evaluation import scoring, tasks
from paraclap.figures import style
from paraclap.figures.intervals import intervals
from paraclap.interactive import confusion, playground, session, timeline, voice_map

folder = tables.run_folder(run, runs)
model = ParaCLAP.from_pretrained(other_model or folder / "model")
predictions = tables.read_table(folder / "predictions.parquet")
queries = tables.read_table(folder / "queries.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[queries.index]

# %% [markdown]
# ## A map of utterances
#
# An {term}`embedding` has many dimensions, a page has two. *t-SNE* {cite}`vandermaaten2008tsne` places utterances so that those
# with similar embeddings are close to each other. It cannot keep all neighbours, so we count how many it keeps.

# %%
drawn = voice_map.sample_utterances(labels, predictions, map_utterances, seed)
embeddings = embed_audio(model, drawn)
places = voice_map.places(embeddings, map_method, seed)
known = queries.loc[drawn.index, ["pitch", "intensity", "duration"]]
drawn = drawn.join(known).assign(x=places[:, 0], y=places[:, 1])
tables.write_table(drawn, folder / "map.csv")
kept = voice_map.kept_neighbours(embeddings, places)
print(f"{len(drawn)} utterances, {embeddings.shape[1]} dimensions.")
print(f"Of the {voice_map.NEAREST} nearest neighbours of an utterance, the map keeps {kept:.0%}.")

# %% [markdown]
# Point at an utterance in {numref}`fig-map` to see what we know about it, and press it to hear it. *Colour by* chooses an
# attribute, or a query: then dark utterances fit it best. The axes of the map have no meaning, and neither has the distance
# between two islands. Only neighbours count.

# %% mystnb={"figure": {"caption": "Map of test utterances: those with similar embeddings are close to each other. Where colours form islands, the model keeps these classes apart; where they mix, it does not, or it orders by something else.", "name": "fig-map"}, "image": {"alt": "Scatter of coloured marks, one for each utterance, that play when pressed."}}
columns = ["emotion", "prediction", "gender", "corpus", "pitch", "intensity", "duration"]
asked = [template.replace("{}", tasks.task_word(word)) for word in ("anger", "sadness")]
asked += ["has a high pitch"]
cosines = pd.DataFrame(embeddings @ embed_text(model, asked).T, drawn.index, asked)
voice_map.voice_map(drawn, columns, cosines)

# %% [markdown]
# People see patterns everywhere, so here is a test. How many of the nearest neighbours of an utterance share its emotion, its
# gender, its pitch? By {term}`chance`, some do: chance is what remains when the values are shuffled among the utterances.

# %% mystnb={"figure": {"caption": "Share of the nearest neighbours that have the same value of an attribute, among embeddings and on the map. The grey mark and its bar are the mean and the range of shuffled values. Right of the bar is what the model orders utterances by.", "name": "fig-map-neighbours"}, "image": {"alt": "A row for each attribute with points for embeddings, map and chance along an axis of shares."}}
near = voice_map.agreement(embeddings, drawn, ["speaker", *columns])
on_map = voice_map.agreement(places, drawn, ["speaker", *columns])
dealt = near.assign(share=near["chance"], low=near["chance_low"], high=near["chance_high"])
counted = ("embeddings", near), ("map", on_map)
parts = [one.assign(among=name, low=one["share"], high=one["share"]) for name, one in counted]
shares = pd.concat([*parts, dealt.assign(among="chance")])
colours = {"embeddings": style.BLUE, "map": style.ORANGE, "chance": style.GREY}
look = {"ends": ("low", "high"), "colours": colours, "xlabel": "share of neighbours"}
intervals(shares, "share", "attribute", "among", **look)

# %%
above = near[near["share"] > near["chance_high"]].sort_values("share", ascending=False)
print("More often than by chance, neighbours share:", ", ".join(above["attribute"]) or "nothing")

# %% [markdown]
# One attribute can stand for another: utterances of a speaker share a gender, and a {term}`corpus` has its own emotions.
#
# Queries have embeddings, too. Why are they not on the map?

# %%
texts = embed_text(model, sorted({query for own in queries["queries"] for query in own}))
means = {"two utterances": embeddings @ embeddings.T, "two queries": texts @ texts.T}
means["an utterance and a query"] = embeddings @ texts.T
print("Mean cosine:", *(f"{name} {pairs.mean():.2f}" for name, pairs in means.items()), sep="\n")

# %% [markdown]
# Training only asks an utterance to be closer to its own caption than to others. Audio and text may stay in two regions, with a
# gap between them {cite}`liang2022gap`. Then only the *order* of utterances by their cosine with a query is an answer.
#
# ## Mistakes
#
# The answers are those of [chapter 5](05_zero_shot). Each cell of the matrix plays the utterances of which the model was surest: on
# the diagonal its clearest right answers, elsewhere its surest mistakes.

# %%
questions = tasks.tasks(labels, candidates)
scores = tables.read_table(folder / "scores.csv").set_index("task")
few = scores[scores["classes"] <= max(5, scores["classes"].min())]
task = shown_task or (few["uar"] - few["chance"]).idxmax()
classes = list(questions[task])
answers = predictions[predictions["corpus"] == task].dropna(axis=1, how="all")
surest = confusion.surest(answers).query("truth != prediction")
print(f"{task}: {len(answers)} utterances, UAR {scores.at[task, 'uar']:.2f}. Surest mistakes:")
style.text_table(surest.nlargest(3, "p_prediction").drop(columns="place"))

# %% mystnb={"figure": {"caption": "Confusion matrix of one task: rows are true classes, columns are answers, and each row adds up to one. A cell that is pressed plays its utterances.", "name": "fig-listen-confusions"}, "image": {"alt": "Square of shaded cells with shares, one row for each true class and one column for each answer."}}
confusion.confusion(answers, classes, each=2)

# %% [markdown]
# Listen in {numref}`fig-listen-confusions` to a mistake, then to the diagonal cells of its row and its column. Does it sound like
# its own class, or like the answer?
#
# ## An answer that changes
#
# A long recording is cut into windows, as in [chapter 8](08_your_voices). Without `your_recording`, utterances of the task are
# joined, of one speaker if a speaker has several classes. So the truth is known at each moment.

# %%
recording, stretches, words = your_recording, None, your_candidates.split(",")
if not your_recording:
    rows, words = tasks.task_rows(labels).query("corpus == @task"), questions[task]
    counts = rows.groupby("speaker")["label"].nunique()
    rows = rows[rows["speaker"] == counts.idxmax()] if counts.max() > 1 else rows
    recording = folder / "recording.wav"
    stretches = timeline.join_utterances(rows, recording, seed=seed)
cut = scoring.windows(tables.as_index(recording), window, hop)
windows = classify(model, tables.segments(*zip(*cut, strict=True)), words, template)
tables.show(windows.round(3), rows=2)

# %% mystnb={"figure": {"caption": "Probability of each candidate along a recording. The bands above show the answer and the truth. Press Play, or a place in the picture: the line follows the sound.", "name": "fig-listen-timeline"}, "image": {"alt": "Lines of probability over time, one for each candidate, with two bands of colours above and an upright line that moves while the recording plays."}}
timeline.timeline(windows, stretches)

# %% [markdown]
# Near a change of class in {numref}`fig-listen-timeline`, a window contains two classes, and it cannot be right about both.

# %%
if stretches is not None:
    right = windows["prediction"] == timeline.truth_of(windows, stretches)
    starts, ends = (windows.index.get_level_values(name) for name in ("start", "end"))
    last = stretches.index.get_level_values("end")[:-1]
    inside = last.searchsorted(starts, "right") == last.searchsorted(ends, "left")
    for name, chosen in (("in one stretch", inside), ("across a change", ~inside)):
        print(f"Windows {name}: {right[chosen].sum()} of {chosen.sum()} are right.")

# %% [markdown]
# ## Playground
#
# In JupyterLab the last cell of this part is a set of panels: record or upload an utterance, and ask. A page has no Python, so
# here one utterance goes through the same steps. All prompts of the frozen set of [chapter 11](11_evidence) ask the question, and
# the answer is the mean of the probabilities.

# %% mystnb={"figure": {"caption": "Mean probability of each candidate over all prompts (bars), and its probability in each prompt (dots). Where dots of two candidates overlap, the answer depends on the wording. The dashed line is a guess.", "name": "fig-playground"}, "image": {"alt": "A bar of probability for each candidate with a dot for each prompt, and a line where guessing is."}}
now = session.Session(folder, other_model, seed)
now.use(your_utterance)
found = now.ask(your_candidates)
for row in session.summary(found).itertuples():
    print(f"{row.candidate}: {row.probability:.2f} (prompts: {row.low:.2f} to {row.high:.2f})")
session.answer_figure(found)

# %% [markdown]
# A single prompt gives one of the dots in {numref}`fig-playground`. By the {term}`edges` of the run, the utterance has these
# {term}`levels <level>`. The queries that are true follow from them. The model does not recognise those with a low cosine.

# %%
levels, true = now.describe()
for row in true.iloc[[0, 1, -2, -1]].itertuples():
    print(f"cosine {row.cosine:+.2f}: {row.query}")
style.text_table(levels)

# %%
playground.playground(folder, other_model, your_candidates, seed)

# %% [markdown]
# ## Exercises
#
# **1.** (`folder` is that of this run.) A map shows an island of one emotion. Does the model recognise this emotion?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# places = tables.read_table(folder / "map.csv")
# grouped = places.groupby("emotion" if places["emotion"].notna().any() else "truth")
# print(grouped[["speaker", "corpus"]].nunique().assign(utterances=grouped.size()).to_string())
# ```
#
# An island may be a speaker or a corpus that has mostly this emotion. {numref}`fig-map-neighbours` compares the attributes, and a
# {term}`UAR` over many speakers decides.
# ````
#
# **2.** Run this chapter with `window` 0.5 and with 8. Which answers change more often, and which come too late?
#
# ```{admonition} Answer
# :class: dropdown
# Short windows contain little speech, so answers jump. Long ones are steady, but after a change they still contain the class
# before it. Choose the window on labelled recordings that you do not test on.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.interactive`: `voice_map`, `confusion`, `timeline` (they play in a page), `session` and `playground` (JupyterLab)
# - `paraclap.evaluation`: `scoring.windows`, `tasks`; `paraclap.figures.intervals`

# %% [markdown]
# ## Summary
#
# The map shows which utterances are similar for the model, and {numref}`fig-map-neighbours` what they have in common. The matrix
# and the timeline play its mistakes. **What has been measured, and what does it show?** This is the question of [the
# appendix](14_results).
