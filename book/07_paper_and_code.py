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
#     reads:
#     - labels.parquet
#     - features.parquet
#     - queries.parquet
#     - settings.json
#     - model
#     writes:
#     - recipes.csv
# ---

# %% [markdown]
# # The paper and its code
#
# **Does the released code do what the paper says?** Not in everything. If you repeat one of them, you need to know where they differ.
# This chapter compares {cite}`jing2024paraclap` with the code that its authors published. After this chapter you can
#
# - name the elements of a {term}`recipe` in which the two differ, and the parameter that sets each,
# - say which sentences of the released code are false by their own wording, and of how many utterances,
# - judge from a table with several seeds which element matters, and when such a table decides nothing.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `features.parquet`, `queries.parquet` (and `settings.json`, `model/`) | a {term}`segment` |
# | Writes | `recipes.csv` | a recipe and, if it was trained, a seed: its captions, loss and scores |

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# training both recipes in small
recipe_steps: int = 0  # steps of the paper's recipe; 0 trains neither
recipe_seeds: int = 3  # trainings of each recipe
recipe_batch: int = 32  # pairs in a batch of the paper's recipe
recipe_lr: float = 3.0e-4  # learning rate of encoders that are trained

# %%
import numpy as np
import pandas as pd
import seaborn as sns
import yaml

from paraclap import ParaCLAP, embed_audio, tables, training
from paraclap.evaluation import metrics, results, tasks
from paraclap.figures import style
from paraclap.queries import QueryPool

folder, project = tables.run_folder(run, runs), tables.project_folder()
table = tables.read_table(folder / "queries.parquet")
labels = tables.read_table(folder / "labels.parquet").loc[table.index]

# %% [markdown]
# ## What differs
#
# Both recipes are params files: `params/paper/rand5.yaml` says what the paper says, `params/paper/released.yaml` what the code does. The
# table has what differs, with the parameter in brackets. Rows without a parameter are differences that this package does not imitate.

# %%
place, files = project / "params" / "paper", {"paper": "rand5", "released": "released"}
recipes = {name: yaml.safe_load((place / f"{one}.yaml").read_text()) for name, one in files.items()}
differing = pd.DataFrame(recipes).astype(object).drop(["run", "variants"])
differing = differing[differing["paper"].astype(str) != differing["released"].astype(str)]
notes = tables.read_csv(place / "differences.csv")
named = notes["parameter"].notna()
notes.loc[named, list(files)] = differing.loc[notes.loc[named, "parameter"]].to_numpy(str)
notes.loc[named, "element"] += " (" + notes["parameter"] + ")"
style.text_table(notes.drop(columns="parameter"))

# %% [markdown]
# Three rows change the method itself. The paper draws *"a maximum of n"* queries at random; in the code an utterance has one caption,
# made of all its queries. The paper trains both encoders; the code trains the projection heads and the logit scale alone. And the
# heads differ ([chapter 4](04_training) has both formulas). The weights
# that the authors published load with `ParaCLAP.from_released("KeiKinn/paraclap")`; tests hold this to their code with a tiny checkpoint.
#
# ## The captions of both, of the same utterances

# %%
train, about = table[(labels["split"] == "train") & (labels["emotion"] != "no_agreement")], []
for name, one in recipes.items():
    pool = QueryPool(train, one["templates"], one["emotion_form"])
    draws = [one[key] for key in ("rand", "emotion", "only_emotion", "join")]
    passes = [np.random.default_rng([seed, turn]) for turn in (1, 2)]
    first, second = (pool.sample(range(len(pool))[:1000], *draws, rng=rng) for rng in passes)
    row = {"recipe": name, "first utterance": first[0], "second utterance": first[1]}
    row["words (median)"] = np.median([len(caption.split()) for caption in first])
    row["distinct captions"] = f"{len(set(first))} of {len(first)}"
    row["same in the next pass"] = f"{np.mean(np.array(first) == second):.0%}"
    about.append(row)
style.text_table(pd.DataFrame(about))

# %% [markdown]
# ## Sentences that contradict themselves
#
# The paper adds to jitter and shimmer what the pitch does *instead*: "has a low jitter but a high pitch variance". The code says so
# whenever the variance is not low, so it says it of a normal one, too. It calls an utterance loud if *either* of two features is high, and
# else quiet if either is low. Here each claim is compared with the level that it names ({numref}`fig-recipe-false`).

# %%
claims = {
    "but a high pitch variance": ("pitch variation", "high"),
    "but a low pitch variance": ("pitch variation", "low"),
    "is loud": ("loudness", "high"),
    "is almost silent": ("loudness", "low"),
}
false = {}
for name in ("paper", "released", "released-fixed"):
    queries = QueryPool(table, name).table()["queries"].map(" | ".join)
    for claim, (attribute, level) in claims.items():
        wrong = table[attribute].notna() & (table[attribute] != level)
        false[name, claim] = queries.str.contains(claim, regex=False) & wrong

# %% mystnb={"figure": {"caption": "Claims in queries that the levels of the utterance contradict, for the template sets of the paper and of the code. Without a bar, a set makes no false claim of this kind.", "name": "fig-recipe-false"}, "image": {"alt": "Horizontal bars: share of utterances with a false claim, a row for each claim, a colour for each template set."}}
false = pd.DataFrame(false)
wrong = false.T.groupby(level=0, sort=False).any().mean(axis=1).map("{:.0%}".format)
print(f"Utterances with a false claim, of {len(false):,}:", wrong.to_string(), sep="\n")
shares = (100 * false.mean()).rename_axis(["templates", "claim"]).reset_index(name="share")
fig, ax = style.figure(height=2.6)
sns.barplot(shares, x="share", y="claim", hue="templates", ax=ax)
ax.set(xlabel="utterances with a false claim (%)", ylabel="")
fig

# %% [markdown]
# The set `paper` makes none by construction: a continuation needs the level that it names, and loudness is mentioned only where both
# features agree. The paper's printed table swaps stable and unstable pitch; here "unstable" is a *high* variation, as in the code.
#
# ## Which element matters?
#
# This was measured once, by `python -m benchmarks.recipes`, on **synthetic speech**, with small encoders and few steps (see
# `benchmarks/recipes.md`). It compares recipes with each other and says nothing about the published model. `paper+join` is the paper's
# recipe with the `join` of the code, and so on. All of them have the released projection head: the other one came later.

# %%
measured = tables.read_csv(project / "benchmarks" / "recipes.csv")
paper = measured.set_index("recipe").loc["paper"]
apart = (measured["highest"] < paper["lowest"]) | (measured["lowest"] > paper["highest"])
outside = ", ".join(measured.loc[apart, "recipe"]) or "none"
print("No seed within the range of the paper's recipe:", outside)
style.text_table(measured, "UAR, mean over the tasks: mean, lowest and highest of the seeds")

# %% [markdown]
# Where ranges overlap, the difference may be luck of the training. The order may change with the number of steps, too: a recipe
# that trains its encoders needs more of them than one that trains heads alone.
#
# ## Training both
#
# With `recipe_steps` above zero both recipes are trained here, from the same encoders: the audio encoder of chapter 4, which has
# learned from the training corpus as the paper's has, and the text encoder from which chapter 4 started. Batches and steps keep their
# proportions. A model whose loss stays at that of guessing ({term}`chance`) has not learned; its score is left out.

# %%
settings = tables.read_json(folder / "settings.json")
features, test = tables.read_table(folder / "features.parquet"), labels[labels["split"] == "test"]
questions = tasks.tasks(labels)
start = folder / "recipes" / results.model_hash(folder / "model")
if recipe_steps and not training.Settings.of(settings).reads_functionals:
    model = ParaCLAP.from_pretrained(folder / "model")
    model.audio_model.save_pretrained(start)
    model.processor.feature_extractor.save_pretrained(start)
    settings["audio_encoder"] = str(start)
settings |= {"captions_per_utterance": 0, "audio_lr": recipe_lr, "text_lr": recipe_lr}

# %%
keys = [*differing.index, "agreed_only", "rand", "emotion", "only_emotion"]
found, paper = [], recipes["paper"]
for name, turn in [(n, turn) for n in recipes for turn in range(recipe_seeds) if recipe_steps]:
    one, place = recipes[name], folder / "recipes" / f"{name}-{turn}"
    batch = recipe_batch * one["batch"] // paper["batch"]
    steps = recipe_steps * recipe_batch * one["epochs"] // (batch * paper["epochs"])
    own = {key: one[key] for key in keys} | {"seed": seed + turn, "frozen_dropout": False}
    own = training.Settings.of(settings | own | {"batch": batch, "steps": steps})
    data = training.read_training_data(folder, one["templates"], own.emotion_form)
    model = training.train(data.labels, data.pool, place, own, features)
    vectors = embed_audio(model, test, functionals=features)
    recalls = metrics.recalls(tasks.predict(model, test, questions, "{}", vectors))
    uar = recalls.groupby("task")["recall"].mean().mean()
    loss = tables.read_table(place / "curves.csv")["loss"].tail(-(-steps // 10)).mean()
    found.append([name, seed + turn, uar, loss, np.log(batch)])

# %%
found = pd.DataFrame(found, columns=["recipe", "seed", "uar", "loss", "guessing"])
found["at chance"] = found["loss"] > 0.95 * found["guessing"]
found.loc[found["at chance"], "uar"] = np.nan
tables.write_table(pd.DataFrame(about).merge(found, "left", "recipe"), folder / "recipes.csv")
found = found.sort_values("uar", ascending=False).round(3).to_string(index=False)
print(found if recipe_steps else "Nothing is trained in this run: recipe_steps is 0.")

# %% [markdown]
# ## Exercises
#
# A layer norm gives an embedding a length of about the square root of its size. What is the loss of an untrained model if embeddings are
# *not* normalised?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# import torch
# from paraclap.training import contrastive_loss, scaled_similarity
#
# audio, text = (torch.nn.LayerNorm(768)(torch.randn(64, 768)) for _ in range(2))
# for similarity in ("cosine", "dot"):
#     loss = contrastive_loss(scaled_similarity(audio, text, 1 / 0.07, similarity))
#     print(f"{similarity}: loss {loss.item():.1f}, guessing {torch.tensor(64.0).log():.1f}")
# ```
#
# The dot product is the cosine times the size of the embedding. So at first the softmax puts nearly all probability on one caption, by luck.
# ````

# %% [markdown]
# ## Where the helpers come from
#
# - `params/paper/`: both recipes, and `differences.csv` with the notes; `benchmarks/recipes.csv`: the measured table
# - `paraclap.queries.QueryPool`, `paraclap.training.train`, `paraclap.evaluation.tasks`; `paraclap.model.checkpoint`: published weights

# %% [markdown]
# ## Summary
#
# The released code trains projection heads on encoders that stay as they are, with one long caption for each utterance, and its full
# list of sentences contradicts itself ({numref}`fig-recipe-false`). Only several seeds can show what one element is worth.
# **How do you get from a folder of recordings to a table of answers?** This is the question of [the next chapter](08_your_voices).
