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
# # The paper's variants
#
# **What does each part of the captions contribute?** The paper compares four ways to make captions {cite}`jing2024paraclap`.
# Encoders, optimiser and seed stay the same; utterances without a caption are left out. After this chapter you can
#
# - train variants that differ in one thing, and say why their losses cannot be compared,
# - read a table in the form of Table 1 of the paper, with intervals beside it,
# - say which finding one training of each variant supports, and which it does not.
#
# | Variant | A caption has |
# |---|---|
# | no emotion, rand 5 | up to five attributes, never the emotion |
# | only emotion | the emotion and nothing else, in one wording: *emotion is …* |
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
from paraclap.training.dataset import training_rows

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
# An utterance for which a variant has no query is left out of its training: one whose raters disagree, for instance, has none
# where the caption is the emotion alone. Where training is counted in epochs, such a variant also takes fewer steps.
# {numref}`fig-variant-curves` shows how each variant learned.

# %% mystnb={"figure": {"caption": "Left: training loss of the variants, a running mean. The losses cannot be compared: the fewer captions there are, the more utterances of a batch share one, and the higher is the least possible loss. Right: UAR of the emotions of the dev split, which can be compared.", "name": "fig-variant-curves"}, "image": {"alt": "Two line charts: loss, and UAR on the dev split, for each variant."}}
names = paper_table.NAMES
learned = {names[name]: tables.read_table(place / "curves.csv") for name, place in places.items()}
curves(learned, main.batch)

# %%
for name in places:
    one, rows = learned[names[name]], training_rows(data.labels, data.pool, chosen[name])
    print(f"{names[name]}: {len(rows)} utterances, {len(one)} steps,", end=" ")
    print(f"{one['distinct_texts'].mean():.0f} distinct captions in a batch of {main.batch}.")

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
# its variants. They come from the real corpora and large pretrained encoders. **Scores of synthetic
# speech and small encoders, as in the demo, cannot be compared with them**; the order of the columns can.

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
# Each variant was trained once. Another seed of the training moves a score, too, and the test does not include that.
#
# ## With and without emotion
#
# Figures 2 and 3 of the paper show the confusions of two corpora for models without and with emotion queries, and a figure of its
# supplementary material those of all other corpora. {numref}`fig-without-and-with` and {numref}`fig-without-and-with-others` do the
# same. The paper's model without emotion queries called most utterances *sad*; the lines below say what these models call most.

# %% mystnb={"figure": {"caption": "Confusions in IEMOCAP and TESS, or in the synthetic corpora that imitate them, as shares of the true class (row): training without emotion queries (left) and with them (right).", "name": "fig-without-and-with"}, "image": {"alt": "Four confusion matrices."}}
two = [name for name in ("no_emo_rand5", "rand5") if name in predictions]
imitation = paper_table.paper_scores().set_index("task")["imitation"]
first = [one if one in questions else imitation[one] for one in ("iemocap", "tess")]
pairs = {(task, one): f"{task}: {names[one]}" for task in questions for one in two}
shown = {
    title: predictions[one][predictions[one]["corpus"] == task]
    for (task, one), title in pairs.items()
}
titles = {title: classes[task] for (task, _), title in pairs.items()}
main_two = {title: shown[title] for (task, _), title in pairs.items() if task in first}
for title, rows in main_two.items():
    share = rows["prediction"].value_counts(normalize=True)
    print(f"{title}: the most frequent answer is {share.index[0]}, {share.iloc[0]:.0%}.")
nothing = "This run has neither the two tasks nor the two variants."
figures.confusions(main_two, titles) if main_two else style.note(nothing)

# %% mystnb={"figure": {"caption": "The same for all other tasks, as in the supplementary material of the paper: training without emotion queries (left) and with them (right).", "name": "fig-without-and-with-others"}, "image": {"alt": "Pairs of confusion matrices, one pair for each task."}} tags=["hide-output"]
others = {title: rows for title, rows in shown.items() if title not in main_two}
nothing = "This run has no other tasks, or none of the two variants."
figures.confusions(others, titles) if others else style.note(nothing)

# %% [markdown]
# ## Attributes
#
# Does a model need attribute queries to answer questions about attributes? The variant with emotions alone has met none.
# {numref}`fig-variant-attributes` shows what it answers.

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
# An attribute can be answered without a single query about it if emotions carry it: angry utterances are loud and high, and
# a pretrained text encoder knows that "loud" and "angry" go together. An attribute that does not go with emotion has no such
# way. So an attribute score alone does not show what the attribute queries contribute. The comparison with the variant without
# them does:

# %%
columns = ["uar", "uar_low", "uar_high", "chance"]
alone, full = (
    asked[asked["variant"] == names[one]].set_index("task")[columns]
    for one in ("only_emo", "rand5")
)
both = alone.merge(full, left_index=True, right_index=True, suffixes=("", "_full"))
known = both.index[both["uar_low"] > both["chance"]]
better = both.index[both["uar_low_full"] > both["uar_high"]]
print("Interval above chance with emotions alone:", ", ".join(known) or "none")
print("Interval of rand 5 above that of emotions alone:", ", ".join(better) or "none")

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
# Through the ratings and through language. Its captions describe {term}`arousal` and loud, high or varied speech. If the text
# encoder places "angry" nearer to "loud" than "sad" is, the answer follows. Only knowledge that is in the words can be used
# this way. What else an emotion sounds like stays unknown.
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
# Variants that differ in their captions show what a caption contributes. A question can be answered through queries about
# something else that goes along with it; the printed lists say where. Paired tests separate differences from luck with the
# speakers, but not from luck in training. **Does the released code do what the paper says?** This is the question of
# [the next chapter](07_paper_and_code).
