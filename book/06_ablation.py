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
# # Ablation
#
# **What does each part of the training text bring?** The paper compares four ways of saying what is
# heard {cite}`jing2024paraclap`. Everything else stays the same: voices, towers, number of steps, seed.
#
# | Variant | What is said of a voice |
# |---|---|
# | no emotion, rand 5 | up to five attributes, never the emotion |
# | only emotion | the emotion and nothing else |
# | rand 1 | one thing: an attribute or the emotion |
# | rand 5 | up to five attributes, and the emotion as in the main run |
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/settings.json`, `machine.json`, `model/` | the main run of chapter 4 |
# | `runs/<run>/labels.parquet`, `queries.parquet` | a segment |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/variants/<name>/` | (a folder each) model and curves |
# | `runs/<run>/ablation.csv` | a variant and a task, or a variant and an attribute |
#
# With the built-in corpora all speech is synthetic.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # how emotions are named: adjective (angry) or noun (anger)
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
draws: int = 1000  # of the bootstrap that gives the intervals
variants: str = "no_emo_rand5,only_emo,rand1,rand5"  # which to compare, in this order

# %%
import pandas as pd

from paraclap import ParaCLAP, evaluation, inputs, quoted, tables, training, zeroshot
from paraclap.figures import ablation as figures
from paraclap.machine import Machine
from paraclap.settings import Settings
from paraclap.settings import variants as settings_of

folder = tables.run_folder(run, runs)
main = Settings(**tables.read_json(folder / "settings.json"))

# %% [markdown]
# ## The variants
#
# Only these settings differ. A variant with the settings of the main run is the main run itself and is
# not trained again. Voices, steps and batches are the same for all: where the main run draws rare emotions
# more often (`balance`), the variant that never says an emotion does so, too.

# %%
chosen = settings_of(main, [name.strip() for name in variants.split(",")])
differing = ["rand", "emotion", "only_emotion"]
settings = pd.DataFrame({name: one.asdict() for name, one in chosen.items()}).T[differing]
settings.assign(main_run=[one == main for one in chosen.values()])

# %%
table = tables.read_table(folder / "queries.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[table.index]
voices, pool, _ = inputs.read(folder, templates, emotion_form)
store, machine = inputs.audio_store(folder), Machine(**tables.read_json(folder / "machine.json"))
measured = inputs.measured(folder, main)
places = training.train_variants(voices, pool, folder, main, chosen, machine, store, measured)

# %% [markdown]
# Voices of which a variant has nothing to say are left out of its training: a voice whose
# raters do not agree, for instance, is silent when only emotions are said. How each variant learned,
# {numref}`fig-ablation-variant-curves` shows.

# %% mystnb={"figure": {"name": "fig-ablation-variant-curves", "align": "center", "caption": "Left: training loss of the variants. It cannot be compared between them: the fewer texts there are to say, the more voices of a batch share one, and the higher the floor. Right: emotions of the dev split, which can."}, "image": {"alt": "Two line charts: loss, and UAR on the dev split, for each variant."}}
curves = {name: tables.read_table(place / "curves.csv") for name, place in places.items()}
figures.curves(curves, main.batch)

# %%
for name, one in curves.items():
    print(
        f"{figures.name(name)}: {one['distinct_texts'].mean():.0f} distinct texts in a batch of {main.batch}."
    )

# %% [markdown]
# ## The answers
#
# Each variant is asked what chapter 5 asked: all tasks with the same {term}`template`, and both ends of every {term}`attribute`.

# %%
questions = evaluation.tasks(labels, candidates)
test = labels[labels["split"] == "test"]
own = test["corpus"].isin(voices["corpus"]).to_numpy()
levels = table.loc[test.index[own]]
predictions, parts = {}, []

# %%
for name, place in places.items():
    model = ParaCLAP.from_pretrained(place / "model")
    heard = zeroshot.embed_audio(model, test)
    predictions[name] = evaluation.predict(model, test, questions, template, heard)
    scores = evaluation.score(predictions[name], questions, template, draws, seed)
    said = evaluation.attributes(model, test[own], heard[own], levels, templates, draws, seed)
    parts.append(evaluation.together(scores, said).assign(variant=name))

# %%
ablation = pd.concat(parts, ignore_index=True)
tables.write_table(ablation, folder / "ablation.csv")
tables.show(ablation, rows=2).round(3)

# %% [markdown]
# This is the form of Table 1 in the paper: a row is a task, a column a variant, the best {term}`UAR` of
# a row in bold and the second underlined. {numref}`fig-ablation-variants` adds the intervals.

# %%
figures.side_by_side(ablation)

# %% [markdown]
# And these are the paper's own numbers, with two models for general sounds, CLAP
# {cite}`elizalde2023clap` and Pengi, beside its variants. They were measured on the real corpora, with
# large pretrained towers. **They are not comparable with those above** where these come from
# synthetic speech and small towers, as in the demo; what may be compared is the order of the columns.

# %%
paper = (
    quoted.paper_scores().drop(columns=["task", "imitation", "voices"]).rename(columns=figures.name)
)
figures.ranked(paper, beside=("corpus", "classes"))

# %% mystnb={"figure": {"name": "fig-ablation-variants", "align": "center", "caption": "UAR of every task by variant, with intervals. Where the intervals of two variants lie apart, the training text made the difference; where they overlap much, the order of the columns above may be luck."}, "image": {"alt": "Points with error bars for each task and variant, with chance marks."}}
figures.by_variant(ablation)

# %%
mean = ablation[ablation["kind"] == "task"].groupby("variant", sort=False)["uar"].mean()
print(
    "Mean UAR over tasks: " + ", ".join(f"{figures.name(n)} {v:.3f}" for n, v in mean.items()) + "."
)

# %% [markdown]
# ## With and without emotion
#
# Figures 2 and 3 of the paper show two corpora without and with emotion queries in training; here they are
# {numref}`fig-ablation-iemocap` and {numref}`fig-ablation-tess`. Never
# told a word for an emotion, a model can still have learned that anger is loud, if its text
# encoder knows as much; but it has no reason to.

# %% mystnb={"figure": {"name": "fig-ablation-iemocap", "align": "center", "caption": "Four emotions, asked of the voices of IEMOCAP or of its imitation: never told of emotions in training (left), and told (right). What is dark on the diagonal on the left comes from pitch, level and the text encoder's knowledge of words; what the right has beyond it, the emotion queries have brought."}, "image": {"alt": "Two confusion matrices of four emotions."}}
pair = {name: predictions[name] for name in ("no_emo_rand5", "rand5") if name in predictions}
four = quoted.here("iemocap", questions)
figures.without_and_with(pair, four, list(questions.get(four, {})))

# %% mystnb={"figure": {"name": "fig-ablation-tess", "align": "center", "caption": "The same for the seven emotions of TESS or of its imitation, all from two speakers."}, "image": {"alt": "Two confusion matrices of seven emotions."}}
seven = quoted.here("tess", questions)
figures.without_and_with(pair, seven, list(questions.get(seven, {})))

# %% [markdown]
# ## What the attributes cost, and what they bring
#
# A model that is told of emotions alone has no words for pitch or level. One that is told of everything
# has to share its space between them.

# %% mystnb={"figure": {"name": "fig-ablation-variant-attributes", "align": "center", "caption": "UAR of the two ends of each attribute by variant. The variant that heard of emotions alone stays near the dashed chance marks, save for attributes that go with emotion."}, "image": {"alt": "Points with error bars for each attribute and variant, with chance marks."}}
figures.by_variant(ablation, "attribute")

# %%
means = ablation.groupby(["variant", "kind"], sort=False)["uar"].mean().unstack()
for kind in means:
    print(f"Best at {kind}s: {figures.name(means[kind].idxmax())}.")
means.rename(index=figures.name).round(3)

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** The variant that never heard a word for an emotion can still be above {term}`chance` on emotions. How, if nobody told it?
#
# ```{admonition} Answer
# :class: dropdown
# Through the ratings and through language. It was told of {term}`arousal` and of a loud, high or varied voice; if the text encoder, trained on much
# text, places "angry" nearer to "loud" or "excited" than "sad" is, the answer follows. Where the text encoder was small or its weights
# do not fit, this way is weak. Only knowledge that is *in the words* can travel so; what emotions sound like beyond
# loud and high stays unknown.
# ```
#
# **2.** For which tasks is *rand 1* clearly better or worse than *rand 5*, judged by intervals that lie apart? Is that a fair way to judge?
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
# It is too strict. Both variants answer the same voices, and a hard voice is hard for both, so the uncertainty of the *difference* is smaller
# than the two intervals suggest. [Chapter 11](11_evidence) tests differences in pairs. And it is too lenient at the same time, as each
# variant was trained only once.
# ````

# %% [markdown]
# ## So: what does each part of the training text bring?
#
# Emotion queries bring the emotions: {numref}`fig-ablation-iemocap` shows what is missing without them. Attribute queries
# bring the attributes, which only models that heard of them can answer ({numref}`fig-ablation-variant-attributes`).
# What is paid for having both, the last table tells; to try it on voices of your own, take
# `params/folder.yaml`, and look up words in the [glossary](glossary).
