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
# # Scaling
#
# **How long does it take, and what does it cost, to do all this for thousands of hours of speech?** The demo
# takes minutes, because it is small. This chapter first measures how fast every step is on the machine that made these
# pages, and then reckons from these speeds what any amount of speech would take. What is measured and what is
# reckoned are kept apart throughout.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/labels.parquet`, `features.parquet`, `queries.parquet` | a segment |
# | `runs/<run>/edges.json`, `machine.json`, `model/` | what chapters 3 and 4 have made |
# | `runs/<run>/speed.csv` | some steps of training: how long, how much of it waiting |
# | `benchmarks/gpu_training.json`, `gpu_scoring.json` | (one object each) speeds on a GPU, if there are any |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/throughput.csv` | a step of the book, measured on a number of cores |
# | `runs/<run>/costs.csv` | a step and an amount of speech: what it would take |
#
# With the built-in corpora the voices measured here are synthetic. For speed that matters little: what counts is how long they are.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of the choice of voices
jobs: int = 2  # processes, or threads where one process computes
crop_seconds: float = 5.0  # longest signal in a batch, in seconds; longer ones are cropped
measure_seconds: float = 1.0  # length of one measurement, about
measure_repeats: int = 3  # measurements of a step; their median counts
gpu_training: str = "benchmarks/gpu_training.json"  # speeds of training on a GPU, if it is there
gpu_scoring: str = "benchmarks/gpu_scoring.json"  # speeds of scoring on a GPU, if it is there
hours: list[float] = [110.0, 10000.0, 1000000.0]  # hours of speech to reckon with
voice_seconds: float = 6.0  # length of a voice on average, assumed
full_crop: float = 5.0  # seconds of speech in a pair of the full-size model
full_epochs: int = 50  # passes over all voices in training
full_tokens: int = 32  # tokens of a text, assumed
cores: int = 64  # processor cores that there are
gpus: int = 8  # GPUs that there are
gpu_tflops: float = 400.0  # 1e12 operations a second of a GPU in large products, assumed
gpu_share: float = 0.35  # share of gpu_tflops that training and scoring reach, assumed
gpu_together: float = 0.9  # share of their speed that several GPUs keep together, assumed

# %%
import pandas as pd

from paraclap import ParaCLAP, hardware, levels, scaling, stopwatch, tables, throughput
from paraclap.figures import scaling as figures
from paraclap.machine import Machine

folder = tables.run_folder(run, runs)
watch = stopwatch.Watch(measure_seconds, measure_repeats, folder)
hardware.here()

# %% [markdown]
# Speeds are those of this machine, at the hour when this page was made: they are measured anew whenever the
# chapter runs, and differ a little each time.
#
# ## How fast is each step here?
#
# Each step is given a random part of the run's voices, large enough to keep it busy for a moment. It runs once to
# warm up; then it is measured several times. The median counts, and the slowest and the fastest are kept beside it.

# %%
labels = tables.read_table(folder / "labels.parquet")
measured = tables.read_table(folder / "features.parquet")
voices = throughput.sample(measured, seed)
seconds = throughput.lengths(voices)
print(f"{len(voices):,} voices, {seconds.mean():.2f} s long on average.")

# %% [markdown]
# The first two steps work on files, and several processes can share them. One decodes every file and writes it into the
# {term}`audio store`; the other measures its features.

# %%
rows = []
for processes in stopwatch.powers(jobs):
    rows.append(throughput.decoding(voices, seconds, watch, processes))
    rows.append(throughput.measuring(voices, seconds, watch, processes))

# %% [markdown]
# Levels and queries are made by one process, as a table. Then come the random crops that training reads: from the files, and from
# the audio store, where only the crop itself is read. Scoring reads whole files, embeds the voices on
# the cores of this machine, and compares them with four words.

# %%
table = measured.join(labels).loc[voices]
rows.append(throughput.describing(table, seconds, levels.load(folder / "edges.json"), watch))
model = ParaCLAP.from_pretrained(folder / "model")
few = voices[:300]
with throughput.stored(few, folder) as store:
    rows.append(throughput.cropping(few, None, crop_seconds, watch, seed))
    rows.append(throughput.cropping(few, store, crop_seconds, watch, seed))
rows.append(throughput.scoring(model, few, seconds[:300], watch, jobs))

# %% [markdown]
# Training is not measured again. It wrote down its own speed in chapter 4: for every few steps, how long they took, how
# much of that was waiting for voices, and how much arithmetic the model asked for.

# %%
machine = Machine(**tables.read_json(folder / "machine.json"))
speed = hardware.speed_of(folder)
if len(speed):
    heard = seconds.clip(max=crop_seconds).mean()
    rows.append(throughput.trained(speed, heard, machine))
found = stopwatch.table(rows)
throughput.write(found, folder)
figures.readable(found.drop(columns=["repeats", "speech"]))

# %% mystnb={"figure": {"name": "fig-scaling-throughput", "align": "center", "caption": "Seconds of speech that each step handles in a second, on this machine, with the towers of this run; thin lines reach from the slowest to the fastest repeat. Measuring features is the slowest step before the model, by far; reading crops from the audio store is faster than reading them from files."}, "image": {"alt": "Horizontal bars on a logarithmic axis, one for each step and number of cores: seconds of speech handled in a second."}}
figures.throughput(found)

# %% [markdown]
# How fast training and scoring are in {numref}`fig-scaling-throughput` depends on the towers: these are the run's own. All files lay in the memory of the operating
# system when they were read, as they do when a corpus was just written; a cold disk is slower.
#
# ## Do more processes help?
#
# Voices have nothing to do with each other, so two processes should do twice as much as one. {numref}`fig-scaling-processes` shows how near
# they come.

# %% mystnb={"figure": {"name": "fig-scaling-processes", "align": "center", "caption": "Gain from several processes over one, beside the ideal. A line that stays near the ideal promises that more cores will help as well; one that falls off shares something else, such as the disk."}, "image": {"alt": "Lines of the speedup over the number of processes for the audio store and the features, with a dashed ideal line."}}
gain = stopwatch.efficiency(found)
figures.processes(gain)

# %%
for row in gain[gain["cores"] > 1].itertuples():
    percent = f"{100 * row.efficiency:.0f} %"
    print(f"{row.stage}: {row.cores} processes reach {percent} of {row.cores} times one.")

# %% [markdown]
# ## How busy does training keep the machine?
#
# Two things may hold up training: there may be no voices to learn from, because reading is too slow, or the arithmetic may be done
# at less than the speed that the device reaches in plain matrix products, its {term}`utilisation`.

# %%
for line in hardware.told(speed):
    print(line)

# %% [markdown]
# Small towers reach a small share, for their matrices are small; the full-size model is made of large ones. What is waited for
# voices is the one loss that costs nothing to avoid.
#
# ## On a GPU
#
# Two benchmarks measure the full-size model on a GPU: `python -m benchmarks.gpu_training` and
# `python -m benchmarks.gpu_scoring`, each from a checkout of this project alone. Where they have been run, their figures are shown
# and used below; otherwise the model has to *assume* a speed.

# %%
full = hardware.operations(full_crop, voice_seconds, full_tokens)
pairs = hardware.rate_of(full.pair, gpu_tflops, gpu_share)
spoken = hardware.rate_of(full.second, gpu_tflops, gpu_share)
gpu = hardware.gpu_speeds(gpu_training, gpu_scoring, pairs, spoken)
for line in gpu.told:
    print(line)

# %% [markdown]
# ## What would it cost?
#
# From here on nothing is measured: this is a model. It says what follows *if* the rates of this machine hold for more cores,
# *if* GPUs keep the speed above, and *if* the steps run one after the other, each with all cores or GPUs there are. An hour of
# long voices costs a little less than here, for every file has a price of its own. All that goes into it:

# %%
core = stopwatch.per_core(found)
stages = scaling.pipeline(core, gpu, voice_seconds, full_epochs, gpu_together)
guess = "assumed" if "assumed" in gpu.known else "not needed: measured"
given = [
    ("length of a voice", voice_seconds, "s", "assumed"),
    ("passes in training", full_epochs, "", "chosen"),
    ("crop in training", full_crop, "s", "chosen"),
    ("tokens of a text", full_tokens, "", "assumed"),
    ("matrix products of a GPU", gpu_tflops, "TFLOP/s", guess),
    ("share of these that is reached", gpu_share, "", guess),
    ("speed that several GPUs keep", gpu_together, "", "assumed"),
    *hardware.counted(full),
    *scaling.sources(stages, gpu),
]
figures.readable(pd.DataFrame(given, columns=["what", "value", "unit", "from"]))

# %% mystnb={"figure": {"name": "fig-scaling-costs", "align": "center", "caption": "A model, not a measurement: what every step takes for three amounts of speech, as work of one device (left) and on the clock with all cores and GPUs of the parameters (right). The two longest are the features, because one core measures them slowly, and the training, because it passes over all speech many times; the queries, which one process makes, do not get faster with more cores."}, "image": {"alt": "Two panels of grouped horizontal bars on logarithmic axes: device hours and wall-clock hours of five steps, for three amounts of speech."}}
reckoned = scaling.costs(stages, hours, cores, gpus)
tables.write_table(reckoned, folder / "costs.csv")
figures.costs(reckoned)

# %%
figures.readable(scaling.totals(reckoned))

# %% [markdown]
# The model is nearly a straight line: a hundred times the speech costs a hundred times as much. Nobody would pass over the largest
# corpus as often as the paper passed over its own, though: with more speech fewer passes are enough, and the cost of
# training shrinks with `full_epochs`.
#
# Where the bottleneck lies depends on what one has. The next table asks that of the second amount of speech, for a
# tenth of the cores and GPUs (or one), for all, and for ten times as many of one kind or of both. `lead` tells where the next bottleneck is: with so many times as
# many devices for the slowest step, the next one takes as long.

# %%
fewer = max(1, cores // 10), max(1, gpus // 10)
kinds = [fewer, (cores, gpus), (10 * cores, gpus), (cores, 10 * gpus), (10 * cores, 10 * gpus)]
figures.readable(scaling.bottlenecks(stages, hours[min(1, len(hours) - 1)], kinds))

# %% [markdown]
# ## How much room does it take?

# %% mystnb={"figure": {"name": "fig-scaling-storage", "align": "center", "caption": "Room for everything, by the same model. The audio store is the largest by far: as large as the recordings would be as plain files of its sampling rate; a checkpoint is the same for any amount of speech."}, "image": {"alt": "Grouped horizontal bars on a logarithmic axis: gigabytes of the audio store, tables, embeddings and a checkpoint for three amounts of speech."}}
voice = hardware.bytes_per_voice(folder) | {"embeddings": 4 * full.dimension}
in_memory = measured.memory_usage(deep=True).sum() / len(measured)
sizes = {name: 3600 / voice_seconds * size for name, size in voice.items()}
sizes = {"audio store (int16)": scaling.STORE} | sizes
sizes["features, in memory"] = 3600 / voice_seconds * in_memory
fixed = {"a checkpoint": scaling.ADAM * full.weights}
figures.storage(scaling.storage(sizes, fixed, hours))

# %%
fits = hardware.memory() / sizes["features, in memory"]
print(f"The memory of this machine is filled by the features of {fits:,.0f} hours of speech.")

# %% [markdown]
# What {numref}`fig-scaling-storage` counts lies on disk. Features, levels and queries are also tables that one process holds in memory, in chapters 3 and 4. With more speech than that they are
# what has to be cut in pieces next, before anything else in this book.
#
# ## Can the GPUs be fed?
#
# A GPU that waits costs as much as one that works. At full speed training asks for so many crops a second. They may be
# longer than those measured above, so what counts is how many seconds of speech a core reads:

# %%
crops = found.set_index("stage")["real_time"] / full_crop
need = scaling.feeding(gpu.pairs * gpu_together, gpus, full_crop, crops["crops from the store"])
files = scaling.feeding(gpu.pairs * gpu_together, gpus, full_crop, crops["crops from files"])
print(f"{need.crops:,.0f} crops a second, {need.megabytes:,.0f} MB/s from the audio store.")
print(f"Cores that read them: {need.cores:.1f} from the store, {files.cores:.1f} from files.")

# %% [markdown]
# Reading is work for cores, and several processes can read ahead (`workers`). Where the store is on a disk that reads fewer
# megabytes a second than that, it belongs on a faster one, or in memory.
#
# ## How each step is scaled
#
# The steps are the same for a minute and for a million hours; what changes is who works on them. Each way is
# a parameter of an earlier chapter, to be set in a params file or with `-p name=value`, or a command.
#
# | Step | Who works | How |
# |---|---|---|
# | features | the cores of this machine | `jobs: 64` in [chapter 2](02_features) |
# | features | a Dask cluster | `engine: dask` for one on this machine, or `engine: tcp://host:8786` |
# | features | a Slurm array | the command below, once as an array and once without `--part`, to collect |
# | audio | decoded once, read by crops | `audio_store: int16` in [chapter 4](04_training) |
# | audio | processes that read ahead | `workers: 8` |
# | training | all GPUs of this machine | `processes: 8`, or one of the commands below |
# | training | faster arithmetic | `precision: bf16`, `compiled: true` |
# | training | batches larger than memory | `chunk: 64` pairs at a time, with the same gradient |
# | training | longer crops, larger towers | `recompute: true`: less memory, more time |
# | scoring | one device, in constant memory | the last command; a stopped run goes on |
#
# ```
# sbatch --array=1-64 --wrap "python -m paraclap.features \
#     runs/mine/labels.parquet runs/mine/features.parquet --part slurm"
# torchrun --nproc_per_node 8 -m paraclap.training params/mine.yaml
# accelerate launch --num_processes 8 -m paraclap.training params/mine.yaml
# python -m paraclap.scoring runs/mine/model recordings/ --candidates angry,happy,sad --out answers.parquet
# ```
#
# All of these can be stopped and go on where they were, because what is finished lies in files that know what they were made from.
# The number of processes is never part of that: a run begun on two cores may be finished on many.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** How many hours of speech can the cores of this machine measure in a night of ten hours, and how many can they score?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# table = tables.read_table(folder / "throughput.csv")
# best = table.groupby("stage", sort=False)["real_time"].max()
# print((10 * best).round(0).rename("hours of speech in a night").to_string())
# ```
#
# `real_time` is seconds of speech in a second, and so hours of speech in an hour: ten times it is a night. All of them are measured with the
# towers of this run, in files that lay in memory; with the full-size model, scoring is the first row to measure anew.
# ````
#
# **2.** Somebody has ten times as much speech, and passes over it `full_epochs` times as before. Which costs grow tenfold, which do
# not, and what would you change?
#
# ```{admonition} Answer
# :class: dropdown
# All but the checkpoint grow tenfold ({numref}`fig-scaling-costs`, {numref}`fig-scaling-storage`). Features have to be measured once, whatever one does. Training need not: its
# cost is passes times speech, and with ten times the voices each of them may be met a tenth as often for the same number of steps. Keep
# the *steps*, not the passes, and look at the dev score.
# ```

# %% [markdown]
# ## So: how long does it take, and what does it cost?
#
# Before the model, time goes into measuring features, and these scale with the number of cores ({numref}`fig-scaling-processes`); with it,
# time goes into training, which passes over all speech many times ({numref}`fig-scaling-costs`). Room goes into the audio store, and the first
# thing that no longer fits is a table in the memory of one process. All words of this book are explained in the
# [glossary](glossary).
