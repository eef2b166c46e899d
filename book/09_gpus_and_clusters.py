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
#     - speed.csv
# ---

# %% [markdown]
# # GPUs and clusters
#
# **How long does it take, and on which machine?** The demo is small and takes minutes. The corpus of the paper has a hundred hours, others
# have ten thousand. The steps stay the same; the machines change. After this chapter you can
#
# - name the parameters that matter on a GPU, and what each of them costs,
# - start training on several GPUs and features on a cluster, and stop and continue both,
# - compute from measured rates how long a corpus of any size takes, and say what such a number assumes.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `features.parquet`, `queries.parquet` | a {term}`segment` |
# | Reads | `settings.json`, `model/` | (no table) the training of chapter 4, and its model |
# | Writes | `speed.csv` | a step, measured on this machine |

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
jobs: int = 2  # CPU threads
# what is measured
measure_seconds: float = 1.0  # length of each measurement, about
# what is computed from it
hours: str = "110, 10000, 1000000"  # hours of audio, with commas between
cores: int = 64  # processor cores that share the features
epochs: int = 50  # passes over the training utterances, unless steps is set

# %%
import os
import platform

import pandas as pd
import torch
from torch.utils.benchmark import Timer

from paraclap import ParaCLAP, audio, embed_audio, tables, training
from paraclap.book import show
from paraclap.features.egemaps import functionals
from paraclap.figures import style
from paraclap.training.step import CaptionCache, in_chunks, make_optimizer, start_accelerator

# %%
folder = tables.run_folder(run, runs)
features = tables.read_table(folder / "features.parquet")
settings = training.Settings.of(tables.read_json(folder / "settings.json"))
print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, {jobs} threads")

# %% [markdown]
# ## On a GPU
#
# These parameters of [chapter 4](04_training) matter there. Apart from the last digits, only `batch` changes what is learned.
#
# | Parameter | What it does | What it costs |
# |---|---|---|
# | `precision: bf16` | the encoders multiply in bfloat16; weights stay float32 | some digits; `auto` takes it where the GPU has it, `params/paper/` asks for float32 |
# | `batch: 256` | more captions to tell the right one from | memory; another result |
# | `chunk: 64` | so many pairs in memory at once, same gradient | a second forward pass |
# | `recompute: true` | activations of the encoders are computed twice | time; saves memory for longer crops |
# | `compiled: true` | torch translates the encoders | minutes at the start; needs a C++ compiler |
# | `workers: 8` | processes read batches ahead | processor cores, and memory for the batches |
#
# A larger batch is not the same as several small ones whose gradients are added: within a small batch an utterance meets few
# wrong captions. This function keeps the large batch in the memory of a small one. Only the features of all chunks are kept; on the way
# back each chunk is encoded again.

# %%
show(in_chunks)

# %% [markdown]
# ## On several
#
# Training runs on [accelerate](https://huggingface.co/docs/accelerate). Every process encodes its part of each batch, and the loss
# compares all pairs of all processes. Features are computed by [joblib](https://joblib.readthedocs.io) on the cores of one machine, or
# by the workers of a Dask cluster that see the same files:
#
# ```
# accelerate launch --num_processes 8 -m paraclap.training runs/mine/params.yaml
# paraclap book params/mine.yaml --only 02 -p engine=tcp://scheduler:8786
# ```
#
# Both continue where they stopped: training from its last {term}`checkpoint`, with any number of processes, features from the parts
# that are finished.
#
# ## How fast is this machine?
#
# Three steps are measured for a moment each, with the encoders of this run: functionals on one core, one training step (read, encode,
# loss, update), and {term}`embeddings <embedding>` from files.

# %%
utterances = features.sample(min(16, len(features)), random_state=seed)
signals = [audio.read(*segment) for segment in utterances.index]
embedder = ParaCLAP.from_pretrained(folder / "model").to(start_accelerator(settings).device)
labels, pool, _ = training.read_training_data(folder)
learner = training.start_model(settings, embedder.device)
decoded = training.decode_audio(labels, folder / "signals.pcm", settings)
pairs = training.Pairs(labels, pool, learner, settings, decoded, features)
update = (*make_optimizer(learner, settings, pairs.steps), settings)
names = {"learner": learner, "pairs": pairs, "update": update, "signals": signals}
names |= {"embedder": embedder, "utterances": utterances, "embed_audio": embed_audio}
names |= {"functionals": functionals, "step": training.training_step}
names["cache"] = CaptionCache(learner, settings.precision)

# %%
update_once = """
batch = pairs[0]
if "captions" in batch:
    batch["pooled_text"] = cache(batch.pop("captions"))
step(learner, {name: one.to(learner.device) for name, one in batch.items()}, *update)
"""
seconds = utterances["duration"].sum()
steps = {
    "features": ("[functionals(signal) for signal in signals]", 1, seconds),
    "training": (update_once, jobs, settings.batch * features["duration"].mean()),
    "embedding": ("embed_audio(embedder, utterances)", jobs, seconds),
}

# %%
rows = []
for name, (statement, threads, amount) in steps.items():
    timer = Timer(statement, globals=names, num_threads=threads)
    taken = timer.blocked_autorange(min_run_time=measure_seconds).median
    row = {"step": name, "threads": threads, "seconds": taken, "seconds of audio": amount}
    row |= {"per second of audio": taken / amount, "times real time": amount / taken}
    rows.append(row)
speed = pd.DataFrame(rows)
tables.write_table(speed, folder / "speed.csv")
style.text_table(speed, "Seconds that a measurement took, and the audio in it")

# %% [markdown]
# These rates were measured for a moment, with the encoders of this run; larger ones take longer. The audio files were in the memory of the
# operating system. Whether the speech is synthetic makes no difference here.
#
# ## How long would it take?
#
# The rest is arithmetic. It assumes that utterances are as long as here, that all cores are as fast as this one, and that no step
# waits for a disk. Training passes over the audio `epochs` times; training and embedding are those of this one machine.

# %%
times = speed.set_index("step")["times real time"]
needed = pd.DataFrame({"hours of audio": [float(one) for one in hours.split(",")]})
needed[f"features, {cores} cores"] = needed["hours of audio"] / times["features"] / cores
needed[f"training, {epochs} passes"] = epochs * needed["hours of audio"] / times["training"]
needed["embedding"] = needed["hours of audio"] / times["embedding"]
print("Hours that each step takes:", needed.map("{:,.1f}".format).to_string(index=False), sep="\n")

# %% [markdown]
# The slowest step shows where more hardware helps. More audio needs fewer passes, so training need not grow with the corpus. Features have
# to be computed once in any case.
#
# ## What was measured elsewhere
#
# `python -m benchmarks.speed` compares this package with plain loops on a processor, in rounds that take turns.
# `python -m benchmarks.gpu` measures the full-size model on a GPU. Each writes a file:

# %%
for name in ("speed", "gpu"):
    file = tables.project_folder() / "benchmarks" / f"{name}.json"
    found = tables.read_json(file) if file.is_file() else {"about": "not measured yet"}
    print(f"{file.name}: {found['about']}.")
    print(pd.DataFrame(found["rows"]).round(2).to_string(index=False) if "rows" in found else "")

# %% [markdown]
# ## Exercises
#
# Is the gradient in chunks really that of the whole batch, and what do small batches give instead?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# import torch
#
# from paraclap.training import contrastive_loss
# from paraclap.training.step import in_chunks
#
# torch.manual_seed(0)
# layer, pairs = torch.nn.Linear(8, 8), torch.randn(12, 8)
# encode = lambda part: (layer(part["input_values"]), part["input_values"])
# for size, chunk in ((12, 0), (12, 4), (4, 0)):
#     layer.zero_grad()
#     for part in pairs.split(size):
#         audio, text = in_chunks(encode, {"input_values": part}, chunk)
#         (contrastive_loss(audio @ text.T) * size / len(pairs)).backward()
#     print(f"batches of {size}, chunk {chunk}: length of the gradient {layer.weight.grad.norm():.4f}")
# ```
#
# The first two are equal. The third is the gradient of another loss, in which each utterance meets fewer wrong captions.
# ````

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.training`: `Pairs`, `training_step`, `step.in_chunks`; `paraclap.features.egemaps.functionals`
# - `torch.utils.benchmark.Timer`: repeats a statement for a while and takes the median

# %% [markdown]
# ## Summary
#
# Features need cores, training needs a GPU, and each has a parameter or a command for more of them. Rates measured for a second
# give the order of magnitude for any corpus. **What do other systems answer to the same questions?** This is the question of [the next
# chapter](10_other_systems).
