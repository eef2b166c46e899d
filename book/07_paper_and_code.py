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
# # The paper and its code
#
# **Does the released code do what the paper says?** Not quite, and whoever reruns one or the other
# should know where they part. This chapter lists the differences between {cite}`jing2024paraclap` and
# the code its authors published, and measures what each of them changes: first in the texts, where
# nothing needs to be trained, then in the answers.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/settings.json`, `machine.json` | (one object each) the choices of chapter 4 |
# | `runs/<run>/labels.parquet`, `queries.parquet` | a segment |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/dimensional/` | (a folder) an audio tower that has learned ratings |
# | `runs/<run>/recipes/variants/<name>/` | (a folder each) model and curves |
# | `runs/<run>/recipes.csv` | a recipe, a set of sentences, a seed and a task |
#
# With the built-in corpora all speech is synthetic, and the towers are small: what follows compares the
# two recipes with each other. It is no measurement of the paper's model.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
draws: int = 1000  # of the bootstrap that gives the intervals
recipes: str = "paper,released"  # recipes to train and compare; empty trains none
recipe_sentences: str = "paper,released-fixed"  # sets of sentences to train with
recipe_seeds: int = 3  # how often each recipe is trained
recipe_changes: str = "similarity,join,freeze_audio"  # what of "released" is tried alone in "paper"
recipe_voices: int = 800  # voices to train on, at most
recipe_batch: int = 32  # pairs in a batch of the recipe "paper"; "released" takes half of it
recipe_steps: int = 40  # steps of the recipe "paper"; "released" takes four times as many
recipe_text_encoder: str = "minilm-2"  # where the text tower starts
recipe_audio_lr: float = 1.0e-3  # learning rate of the audio tower, where it learns
recipe_text_lr: float = 3.0e-4  # learning rate of the text tower, where it learns

# %%
from paraclap import ParaCLAP, comparison, dimensional, evaluation, tables, training, variety
from paraclap import recipes as recipe
from paraclap.figures import recipes as figures
from paraclap.figures import style
from paraclap.inputs import audio_store
from paraclap.machine import Machine
from paraclap.queries import Pool
from paraclap.settings import Settings

folder = tables.run_folder(run, runs)
main = Settings(**tables.read_json(folder / "settings.json"))
machine = Machine(**tables.read_json(folder / "machine.json"))
table = tables.read_table(folder / "queries.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[table.index]
train = labels["split"] == "train"

# %% [markdown]
# ## What differs
#
# A {term}`recipe` is everything that has to be decided before a model can be trained. Where the paper and its
# code decide alike the row is left out, unless a reader would look for it. In brackets stands the parameter
# that sets it in a params file; the two recipes as a whole are `params/paper/rand5.yaml` and
# `params/paper/released.yaml`. Rows without a parameter say what cannot be chosen here.

# %%
style.text_table(recipe.differences())

# %% [markdown]
# One difference lies at the heart of the paper: it draws *a maximum of n* queries at
# random; in the code the drawing is switched off, and each voice has one text, made of all its queries. What
# was switched off is kept here as `join: weighted`.
#
# ## Sentences that contradict themselves
#
# The paper's table adds to jitter and shimmer what the pitch does *instead*: "has a low jitter but a high
# pitch variance". The code says so whenever the variance is not low, so of a normal one as well; and so with the
# other continuations. It calls a voice loud if *either* of two measurements is high, or else quiet if
# either is low, whatever the other says. And a calm voice of low arousal is said to be "not very calm". {numref}`fig-recipes-false` counts
# the voices of which a sentence is said that is false by its own wording.

# %%
sets = ["paper", "released", "released-fixed"]
false = {name: variety.falsehoods(table, name) for name in sets}
for name, own in false.items():
    print(f"{name}: something false is said of {100 * own.any(axis=1).mean():.0f} % of the voices.")

# %% mystnb={"figure": {"name": "fig-recipes-false", "align": "center", "caption": "Sentences of the released sets that are said of voices of which they are false. The full list errs most with the continuations of jitter and shimmer, which the fixed list does not have; what is left there are voices that one of two measures calls loud or quiet and the other does not."}, "image": {"alt": "Horizontal bars, one for each sentence, of the share of voices of which it is said although it is false."}}
figures.falsehoods(false)

# %% [markdown]
# The paper's set says nothing false here, by construction: a continuation is said only where the
# pitch variation really is the opposite, and loudness is spoken of where both measures agree. The paper's printed table
# swaps stable and unstable pitch; here "unstable" is a *high* variation, as in the code.
#
# ## Texts: a few queries or all of them

# %% mystnb={"figure": {"name": "fig-recipes-lengths", "align": "center", "caption": "Words in the text of a training voice by the way its queries are joined. All queries together make a long text, and it is the same in every pass; a few of them make a short one, and another one each time."}, "image": {"alt": "Box plots of the number of words by way of joining and set of sentences."}}
pools = {name: Pool.from_table(table[train], name, recipe.form(name)) for name in sets}
ways = {"a few (paper)": "rand", "weighted (switched off)": "weighted", "all (released)": "all"}
rows = range(min(1000, int(train.sum())))
texts = variety.lengths(pools, rows, ways, seed)
figures.text_lengths(texts)

# %%
counts = texts.groupby(["sentences", "join"], sort=False)["text"].agg(["size", "nunique"])
counts.set_axis(["texts", "different texts"], axis=1)

# %% [markdown]
# {numref}`fig-recipes-lengths` shows how much is said at a time. In the released recipe a voice meets one and the same text in every pass. In the paper's it is told of in new words each time.
# The code has a switch that leaves nothing but the emotion, too (`only_emotion`).
#
# ## Two recipes, trained
#
# For a fair comparison both recipes start from the same towers: a text tower cut from a pretrained one, and an audio tower
# that has learned to rate {term}`arousal`, {term}`valence` and {term}`dominance`, as the paper's has
# {cite}`wagner2023dawn`. The paper then trains both towers on; the released code trains nothing but the
# projection heads and the temperature. Each recipe is trained with the sentences of either; those of the code name
# emotions by nouns, as it does. Two things are left out to save time: dropout in frozen towers, and the full size of
# batches and passes, whose proportions are kept.

# %%
chosen = [name.strip() for name in recipes.split(",") if name.strip()]
learned = labels[train & (labels["emotion"] != "no_agreement")]
few = learned.sample(min(recipe_voices, len(learned)), random_state=seed).index
voices = labels[labels.index.isin(few) | (labels["split"] == "dev")]
encoder = main.audio_encoder
if chosen:
    encoder = dimensional.start(voices, folder / "dimensional", encoder, seed, machine.jobs)

# %%
names = [name.strip() for name in recipe_sentences.split(",")]
pools = {n: Pool.from_table(table.loc[voices.index], n, recipe.form(n)) for n in names}
base = main.but(audio_encoder=encoder, text_encoder=recipe_text_encoder, texts_per_voice=0)
base = base.but(audio_lr=recipe_audio_lr, text_lr=recipe_text_lr, dev_template="{}")
size = (recipe_steps, recipe_batch)
cells = recipe.grid(base, chosen, names, recipe_seeds, *size)
changed = [f"paper+{name.strip()}" for name in recipe_changes.split(",") if name.strip()]
if "paper" in chosen:
    cells |= recipe.grid(base, changed, names[:1], 1, *size)

# %%
for name in chosen:
    one = training.start(recipe.of(base, name), "cpu").model
    sizes = [weight.numel() for weight in one.parameters() if weight.requires_grad]
    print(
        f"{name}: {sum(sizes) / 1e6:.2f} of {one.num_parameters() / 1e6:.2f} million weights learn."
    )

# %%
places = {}
for cell, settings in cells.items():
    title = {"-".join(map(str, cell)): settings}
    given = (voices, pools[cell[1]], folder / "recipes", main, title)
    made = training.train_variants(*given, machine, audio_store(folder))
    places.update(zip([cell], made.values(), strict=False))

# %% [markdown]
# What changes first is the size of the loss. A cosine lies between -1 and 1; the product of two embeddings
# that are not normalised grows with their lengths, and layer norm gives each a length of about the square root of its size.
# Multiplied by the temperature, such logits make the first loss many times as large ({numref}`fig-recipes-curves`).

# %% mystnb={"figure": {"name": "fig-recipes-curves", "align": "center", "caption": "Loss, on a logarithmic axis, and temperature in the course of training, first seed. The released recipe starts far above the paper's, because lengths count. The temperature comes nowhere near its bound in either: how it is clamped makes no difference here."}, "image": {"alt": "Two line charts over the share of steps: loss and temperature, a line for each recipe and set of sentences."}}
curves = {cell: tables.read_table(place / "curves.csv") for cell, place in places.items()}
first = {cell[:2]: one for cell, one in curves.items() if cell[2] == 0 and cell[0] in chosen}
figures.curves(first)

# %% [markdown]
# ## The answers
#
# All models are asked the same: bare words, as in the evaluation of the paper. Every test voice counts as often as there are seeds.

# %%
questions = evaluation.tasks(labels)
test = labels[labels["split"] == "test"]
answers = {}
for cell, place in places.items():
    model = ParaCLAP.from_pretrained(place / "model")
    answers[cell] = evaluation.predict(model, test, questions, "{}")

# %%
compared = comparison.compare(answers, questions, draws, seed)
tables.write_table(compared, folder / "recipes.csv")
whole = compared[compared["recipe"].isin(chosen)]
tables.show(whole, rows=2).round(3)

# %% mystnb={"figure": {"name": "fig-recipes-answers", "align": "center", "caption": "UAR of every task by recipe and set of sentences. Circles are all seeds together with their interval over speakers, crosses the single seeds. Where crosses of one colour lie as far apart as circles of two, the difference is one of luck."}, "image": {"alt": "Points with error bars for each task, one colour for each recipe and set of sentences, crosses for the seeds, chance marks."}}
figures.answers(whole)

# %% [markdown]
# Which element makes the difference? Below the two recipes stand models of the paper's recipe with *one*
# element of the released one, trained once each: the mean over all tasks, and how far single seeds lie apart. What
# changes less than the seeds do, may be nothing. And a few dozen steps are a beginning: a recipe that trains its towers needs
# more of them than one that trains only heads, so the order may change with `recipe_steps`. `benchmarks/recipes.md` holds more elements, with as many seeds as the recipes.

# %%
means = comparison.means(compared)
style.text_table(means)

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Layer norm gives an embedding a length of about the square root of its size, *d*. How large is the loss of an untrained model then,
# if embeddings are *not* normalised, compared with cosines?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# import torch
# from torch.nn import functional
#
# from paraclap.loss import chance, contrastive, scaled_similarity
#
# torch.manual_seed(0)
# audio, text = (functional.layer_norm(torch.randn(64, 768), [768]) for _ in range(2))
# print(f"length {audio.norm(dim=1).mean():.1f}, chance {chance(64):.2f}")
# for similarity in ("cosine", "dot"):
#     logits = scaled_similarity(audio, text, torch.tensor(1 / 0.07), similarity)
#     print(f"{similarity}: loss {contrastive(logits):.1f}")
# ```
#
# A product is *d* times the cosine, so the logits are spread *d* times as widely. The softmax is then nearly all on one answer, chosen by chance,
# and the loss is the distance from the best to the right one: hundreds of times chance. {numref}`fig-recipes-curves` starts there.
# ````
#
# **2.** How much do the recipes differ, measured in units of what the seed alone does?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import comparison, tables
#
# table = tables.read_table(folder / "recipes.csv")
# table = table[table["seed"].astype(str) != comparison.TOGETHER]
# single = table.groupby(["recipe", "sentences", "seed"], sort=False)["uar"].mean()
# print(single.groupby(level=[0, 1], sort=False).agg(["mean", "std", "size"]).round(3))
# ```
#
# Where the means of two rows differ by less than the column `std`, one more training could turn them round. Rows of a single training have
# no spread at all, and say the least.
# ````

# %% [markdown]
# ## So: does the released code do what the paper says?
#
# It trains something else: projection heads on towers that stay as they are, with one long text a voice, on
# sentences that partly contradict themselves. {numref}`fig-recipes-answers` shows what that is worth for the run of these
# pages; with the corpora of the paper at hand, `params/paper/` asks the question on the real ones. How to ask questions of
# your own voices is told in the [next chapter](08_your_corpus).
