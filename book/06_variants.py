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
#     - queries.parquet
#     - settings.json
#     - model
#     - curves.csv
#     writes:
#     - ablation.csv
#     - variants.parquet
# ---

# %% [markdown]
# # The variants of the paper
#
# **What does each part of the captions bring?** The paper compares four ways to make captions {cite}`jing2024paraclap`.
# Everything else stays the same: utterances, encoders, number of steps, seed. After this chapter you can
#
# - train variants that differ in one thing, and say why their losses cannot be compared,
# - read a table in the form of Table 1 of the paper, with intervals beside it,
# - say which finding one training of each variant supports, and which it does not.
#
# | Variant | A caption has |
# |---|---|
# | no emotion, rand 5 | up to five attributes, never the emotion |
# | only emotion | the emotion and nothing else |
# | rand 1 | one query: of an attribute or of the emotion |
# | rand 5 | up to five attributes, and the emotion as in the main run |
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `settings.json`, `model/`, `curves.csv` | the main run of chapter 4 |
# | Reads | `labels.parquet`, `features.parquet`, `queries.parquet` | a {term}`segment` |
# | Writes | `variants/<name>/` | (a folder each) model and curves |
# | Writes | `ablation.csv` | a variant and a task, or a variant and an {term}`attribute` |
# | Writes | `variants.parquet` | a test utterance asked of one variant: truth, prediction, probabilities |
#
# With the built-in corpora all speech is synthetic.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# the variants
variants: str = "no_emo_rand5,only_emo,rand1,rand5"  # variants to compare, in this order
templates: str = "paper"  # paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # of the emotion words: adjective (angry) or noun (anger)
# the questions
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as in the paper or its released code
draws: int = 1000  # draws of the bootstrap

# %%
import pandas as pd

from paraclap import ParaCLAP, embed_audio, tables, training
from paraclap.evaluation import compare, paper_table, tasks
from paraclap.figures import evaluation as figures
from paraclap.figures import style
from paraclap.figures.intervals import intervals
from paraclap.figures.training import curves

folder = tables.run_folder(run, runs)
main = training.Settings.of(tables.read_json(folder / "settings.json"))

# %% [markdown]
# ## The variants
#
# Only these settings differ. A variant with the settings of the main run *is* the main run and is not trained again.

# %%
chosen = training.variants(main, [name.strip() for name in variants.split(",")])
differing = pd.DataFrame({name: one.asdict() for name, one in chosen.items()}).T
differing = differing[["rand", "emotion", "only_emotion"]]
differing.assign(main_run=[one == main for one in chosen.values()])

# %%
features = tables.read_table(folder / "features.parquet")
data = training.read_training_data(folder, templates, emotion_form)
places = training.train_variants(data.labels, data.pool, folder, main, chosen, features)

# %% [markdown]
# Utterances for which a variant has no query are left out of its training: one whose raters disagree, for instance, has none
# where the emotion is all. {numref}`fig-variant-curves` shows how each variant learned.

# %% mystnb={"figure": {"caption": "Left: training loss of the variants, a running mean. The losses cannot be compared: the fewer captions there are, the more utterances of a batch share one, and the higher is the least possible loss. Right: UAR of the emotions of the dev split, which can be compared.", "name": "fig-variant-curves"}, "image": {"alt": "Two line charts: loss, and UAR on the dev split, for each variant."}}
names = paper_table.NAMES
learned = {names[name]: tables.read_table(place / "curves.csv") for name, place in places.items()}
curves(learned, main.batch)

# %%
for name, one in learned.items():
    print(
        f"{name}: {one['distinct_texts'].mean():.0f} distinct captions in a batch of {main.batch}."
    )

# %% [markdown]
# ## The answers
#
# Each variant gets the questions of chapter 5: all tasks in the same {term}`template`, and both ends of every attribute.

# %%
labels = tables.read_table(folder / "labels.parquet").loc[features.index]
questions = tasks.tasks(labels, candidates)
test = labels[labels["split"] == "test"]
own = test["corpus"].isin(data.labels["corpus"]).to_numpy()
levels = tables.read_table(folder / "queries.parquet").loc[test.index[own]]
predictions, parts = {}, []

# %%
for name, place in places.items():
    model = ParaCLAP.from_pretrained(place / "model")
    embeddings = embed_audio(model, test, functionals=features)
    predictions[name] = tasks.predict(model, test, questions, template, embeddings)
    scores = tasks.score(predictions[name], questions, template, draws, seed)
    asked = model, test[own], embeddings[own], levels
    attributes = tasks.attribute_scores(*asked, templates, draws, seed).assign(chance=0.5)
    attributes = attributes.rename(columns={"attribute": "task"}).assign(kind="attribute")
    parts.append(pd.concat([scores.assign(kind="task"), attributes]).assign(variant=name))

# %%
columns = ["kind", "task", "chance", "n", "uar", "uar_low", "uar_high", "variant"]
ablation = pd.concat(parts, ignore_index=True)[columns]
tables.write_table(ablation, folder / "ablation.csv")
answers = pd.concat([rows.assign(variant=name) for name, rows in predictions.items()])
tables.write_table(answers, folder / "variants.parquet")
named = ablation.replace({"variant": names})
tables.show(named, rows=2).round(3)

# %% [markdown]
# This is the form of Table 1 of the paper: a row is a task, a column a variant, the best {term}`UAR` of a row in bold and the
# second underlined. {numref}`fig-variants` adds the intervals.

# %%
wide = named[named["kind"] == "task"].pivot(
    index=["task", "chance"], columns="variant", values="uar"
)
figures.ranked(wide[list(learned)].reset_index())

# %% [markdown]
# And these are the paper's own numbers, with two models for general sounds, CLAP {cite}`elizalde2023clap` and Pengi, beside
# its variants. They come from the real corpora and large pretrained encoders. **They are not comparable with the scores
# above** where these come from synthetic speech and small encoders, as in the demo; the order of the columns is.

# %%
paper = paper_table.paper_scores().drop(columns=["task", "imitation", "utterances"])
figures.ranked(paper.rename(columns=names), beside=("corpus", "classes"))

# %% mystnb={"figure": {"caption": "UAR of every task by variant, with intervals over the test speakers of one trained model. Upright marks are chance.", "name": "fig-variants"}, "image": {"alt": "Points with error bars for each task and variant, with chance marks."}}
drawn = {"rows": "task", "hue": "variant", "chance": "chance", "xlabel": "UAR", "xlim": (0, 1)}
intervals(named[named["kind"] == "task"], "uar", **drawn)

# %% [markdown]
# Which differences are real? All variants answer the same utterances, so they are compared in pairs on the same draws of
# speakers, corrected for the number of pairs (Holm). Chapter 11 explains the test.

# %%
classes = {task: list(words) for task, words in questions.items()}
scored = compare.score_systems(predictions, classes, draws, seed)
sentences = compare.describe_differences(compare.differences(scored), compare.MEAN, names.get)
print("\n".join(sentences) or "Fewer than two tasks or variants: nothing to compare.")

# %% [markdown]
# Each variant was trained once. Another seed of the training moves a score, too, and the test knows nothing of that.
#
# ## With and without emotion
#
# Figures 2 and 3 of the paper show the confusions of two corpora for models without and with emotion queries.
# {numref}`fig-without-and-with` does the same. The paper saw its model call most utterances *sad* where training had no emotion
# queries.

# %% mystnb={"figure": {"caption": "Confusions in IEMOCAP and TESS, or in the synthetic corpora that imitate them, as shares of the true class (row): training without emotion queries (left) and with them (right).", "name": "fig-without-and-with"}, "image": {"alt": "Four confusion matrices."}}
pairs, titles = {}, {}
for task in (paper_table.local_task(one, questions) for one in ("iemocap", "tess")):
    for name in ("no_emo_rand5", "rand5"):
        if task in questions and name in predictions:
            title = f"{task}: {names[name]}"
            pairs[title] = predictions[name][predictions[name]["corpus"] == task]
            titles[title] = classes[task]
nothing = "This run has neither the two tasks nor the two variants."
figures.confusions(pairs, titles) if pairs else style.note(nothing)

# %% [markdown]
# ## Attributes
#
# Does a model need attribute queries to answer about attributes? One might expect that the variant with emotions alone
# cannot. {numref}`fig-variant-attributes` shows what it does.

# %% mystnb={"figure": {"caption": "UAR of low against high for each attribute by variant, with intervals. Upright marks are chance.", "name": "fig-variant-attributes"}, "image": {"alt": "Points with error bars for each attribute and variant, with chance marks."}}
asked = named[named["kind"] == "attribute"]
nothing = "No attribute has test utterances at both of its ends."
intervals(asked, "uar", **drawn) if len(asked) else style.note(nothing)

# %%
for name, rows in asked.groupby("variant", sort=False):
    others = rows.loc[rows["uar_low"] <= rows["chance"], "task"]
    count = f"{len(rows) - len(others)} of {len(rows)} with the whole interval above chance"
    print(f"{name}: {count}, not: {', '.join(others) or 'none'}.")

# %% [markdown]
# An attribute can be answered without a single query about it, because emotions carry it: angry utterances are loud and high,
# and the text encoder has read that "loud" and "angry" belong together. What does not go with emotion, such as the gender
# of a speaker, has no such way. So an attribute score alone does not show that the attribute queries brought it. The
# comparison with the variant without them does.

# %%
means = named.groupby(["variant", "kind"], sort=False)["uar"].mean().unstack()
for kind in means:
    print(f"Highest mean UAR over {kind}s: {means[kind].idxmax()}, {means[kind].max():.3f}.")
means.round(3)

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** The variant without emotion queries can be above {term}`chance` on emotions. How?
#
# ```{admonition} Answer
# :class: dropdown
# Through the ratings and through language. Its captions spoke of {term}`arousal` and of loud, high or varied speech. If the text
# encoder places "angry" nearer to "loud" than "sad" is, the answer follows. Only knowledge that is in the words can travel this
# way. What emotions sound like beyond loud and high stays unknown.
# ```
#
# **2.** Compare *rand 1* with *rand 5* by intervals that lie apart. Is that a fair way to judge?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# table = tables.read_table(folder / "ablation.csv")
# table = table[table["kind"] == "task"].set_index("task")
# one, five = (table[table["variant"] == name] for name in ("rand1", "rand5"))
# apart = (one["uar_low"] > five["uar_high"]) | (five["uar_low"] > one["uar_high"])
# print("Intervals apart:", ", ".join(apart.index[apart]) or "none")
# print((one["uar"] - five["uar"]).round(3).sort_values().to_string())
# ```
#
# It is too strict. Both variants answer the same utterances, and a hard one is hard for both: the *difference* is more certain
# than the two intervals suggest. It is too lenient as well, because each variant was trained only once.
# ````

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.training`: `variants`, `read_training_data`, `train_variants`
# - `paraclap.evaluation`: `tasks` (answers and scores), `compare` (pairs of variants), `paper_table` (Table 1)
# - `paraclap.figures`: `training.curves`, `evaluation.ranked`, `evaluation.confusions`, `intervals`

# %% [markdown]
# ## Summary
#
# Variants that differ in their captions alone show what a caption brings. Emotion queries and attribute queries do not divide
# the questions between them: each helps with what goes along with it, and the printed lists say how far. Paired tests tell
# differences from luck of the speakers, but not from luck of the training. **Do the paper and its released code do the same?**
# This is the question of [the next chapter](07_paper_and_code).
