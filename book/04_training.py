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
# # Training
#
# **How does a model learn which words fit a voice?** The last chapter gave every voice queries that
# are true of it. Here two {term}`towers <tower>`, one for voices and one for words, learn to send a voice and
# its words to the same place. This is the contrastive training of {cite}`jing2024paraclap`, which
# follows {cite}`radford2021clip` and {cite}`elizalde2023clap`.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/labels.parquet` | a segment with its corpus, split, speaker and labels |
# | `runs/<run>/queries.parquet` | a segment with its levels and its queries |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/model/` | (a folder) the model that answered best on the dev split |
# | `runs/<run>/signals/` | (a folder) the voices, decoded once |
# | `runs/<run>/curves.csv` | a step of training |
# | `runs/<run>/speed.csv` | some steps: how fast they were |
# | `runs/<run>/settings.json`, `machine.json` | (one object each) every choice of this chapter |
#
# With the built-in corpora all speech is synthetic: what is learned here are the voices of
# a speech synthesiser, not those of people.

# %% [markdown]
# The defaults of this cell are the settings of the paper: two large pretrained towers, trained on a
# graphics processor. A params file says what else to take; that of the demo names towers small enough
# for two processor cores.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random weight and draw
jobs: int = 2  # CPU threads
device: str = "auto"  # "auto" (a GPU if there is one), "cpu", "cuda", ...
workers: int = 0  # processes that read audio ahead; 0 reads in this one
processes: int = 1  # processes that train together; one for each GPU
precision: str = "auto"  # products in "float32", "bf16", or "auto": bf16 on a GPU that has it
attention: str = "sdpa"  # how attention is computed: "sdpa", "eager" or "flash_attention_2"
compiled: bool = False  # whether torch.compile translates the towers; needs a C++ compiler
recompute: bool = False  # whether activations are computed twice, to save memory
chunk: int = 0  # pairs held in memory at once; 0 holds the whole batch
keep: int = 2  # checkpoints that are kept while training
audio_store: str = "int16"  # decoded audio for fast reading: "int16", "float32" or "none"
templates: str = "paper"  # sentences: paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # how emotions are named: adjective (angry) or noun (anger)
audio_encoder: str = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"  # name, path or hub id
signals: str = "raw"  # what the audio encoder hears: "raw", or "encoder", as it was trained
text_encoder: str = "bert-base-uncased"  # name, path or hub id
text_pooling: str = "cls"  # "cls" or "mean": which output of the text encoder is used
freeze_audio: bool = False  # whether the audio encoder keeps its weights
freeze_text: bool = False  # whether the text encoder keeps its weights
frozen_dropout: bool = False  # whether encoders that keep their weights drop units out in training
projection_dim: int = 768  # size of the shared space
dropout: float = 0.5  # dropout probability in the projection heads
rand: int = 5  # most queries joined into one text
emotion: str = "always"  # whether the emotion query is said: "always", "pool" or "never"
only_emotion: bool = False  # whether the emotion query is all that is said
join: str = "rand"  # how queries become a text: "rand", or as released, "weighted" or "all"
agreed_only: bool = True  # whether training voices without an agreed emotion are left out
texts_per_voice: int = 0  # texts kept for each voice; 0 draws a new one at every step
similarity: str = "cosine"  # what the loss compares with: "cosine", or as released "dot"
objective: str = "pairs"  # also: "duplicates", "holds", "soft", "sigmoid" or "rank" (chapter 13)
objective_weight: float = 1.0  # share of the objective; the rest is that of the paper
logit_scale_max: float = 4.605170185988092  # natural logarithm of the largest temperature
optimizer: str = "adam"  # "adam" or "adamw"
audio_lr: float = 1.0e-5  # learning rate of the audio encoder, per step
text_lr: float = 1.0e-5  # learning rate of the text encoder, per step
head_lr: float = 1.0e-3  # learning rate of projection heads and temperature, per step
schedule: str = "constant"  # learning rates: "constant" or "cosine" (down to zero)
warmup: float = 0.0  # share of the steps in which the learning rates rise from zero
balance: float = 0.0  # 0 draws voices as they come, 1 every emotion equally often
batch: int = 64  # pairs in a batch
epochs: int = 50  # passes over the training voices, unless `steps` is set
steps: int = 0  # number of steps; 0 leaves it to `epochs`
crop_seconds: float = 5.0  # longest signal in a batch, in seconds; longer ones are cropped
pad: str = "crop"  # "crop": short signals get silence up to crop_seconds; "batch": masked
dev_template: str = "speaker is {}"  # sentence asked of the dev split, with a slot for the emotion
checkpoint_steps: int = 200  # steps between two checkpoints

# %%
import numpy as np

from paraclap import evaluation, hardware, inputs, tables, training, zeroshot
from paraclap.figures import training as figures
from paraclap.machine import Machine
from paraclap.settings import Settings

folder = tables.run_folder(run, runs)
settings, machine = Settings.of(globals()), Machine.of(globals())

# %% [markdown]
# ## What there is to learn from
#
# Only corpora with a train split are learned from. Below stand two rows of the table, upright: two
# voices with the {term}`levels <level>` and queries that chapter 3 found for them.

# %%
voices, pool, table = inputs.read(folder, templates, emotion_form)
tables.show(table, rows=2).reset_index().T

# %%
print(voices.groupby(["corpus", "split"], sort=False).size().to_string())

# %% [markdown]
# ## The objective
#
# A batch holds $N$ {term}`pairs <pair>` of a voice and a text. The audio tower turns voice $i$ into a vector
# $E^a_i$, the text tower turns text $j$ into $E^t_j$; both have the same length $d$. How well they fit
# is the cosine of the angle between them, sharpened by a learned factor $\tau$ (called
# temperature by the paper, kept as its logarithm, the {term}`logit scale`):
#
# $$
# C_{ij} = \tau \, \frac{E^a_i \cdot E^t_j}{\lVert E^a_i \rVert \, \lVert E^t_j \rVert}
# $$ (eq-similarity)
#
# Row $i$ of $C$ asks which text belongs to voice $i$; column $i$ asks which voice belongs to
# text $i$. The right answers lie on the diagonal. The loss is the cross entropy of both questions:
#
# $$
# \ell_k = - \frac{1}{N} \sum_{i=1}^{N} \log \operatorname{softmax}_k(C)_{ii},
# \qquad
# \mathcal{L} = \frac{1}{2} \left( \ell_{\mathrm{text}} + \ell_{\mathrm{audio}} \right)
# $$ (eq-loss)
#
# where the softmax runs over texts in $\ell_{\mathrm{text}}$ and over voices in $\ell_{\mathrm{audio}}$.
# A model that knows nothing gives each of the $N$ answers the same probability, and
# {eq}`eq-loss` is then $\ln N$: the line to beat.

# %% [markdown]
# ## What is said of a voice
#
# Before each step one text is drawn for each voice of the batch: at most `rand` attributes, joined
# by "and". A voice is described in several ways, so that no single text stands for it. Rare
# emotions may be drawn more often than they come (`balance`); the paper does not, the demo does,
# because its few steps would otherwise see too little of them. These are texts for a few voices, as the settings of this run draw them.

# %%
said = np.flatnonzero(pool.says(emotion, only_emotion))[:4]
for text in pool.sample(said, rand, emotion, only_emotion, join, rng=np.random.default_rng(seed)):
    print("-", text)

# %% [markdown]
# ## Training
#
# Each epoch ends with a look at the {term}`dev split <split>`: its emotions are asked
# {term}`zero-shot`, and the model with the best answers so far is kept. No test voice is looked at.
# A stopped run goes on from its last {term}`checkpoint`; one that is finished is only loaded.

# %%
tables.write_json(settings.asdict(), folder / "settings.json")
tables.write_json(machine.asdict(), folder / "machine.json")
store = inputs.decoded(voices, folder, audio_store, jobs)
measured = inputs.measured(folder, settings)
model = training.train(voices, pool, folder, settings, machine, store, measured)
curves = tables.read_table(folder / "curves.csv")

# %%
weights = sum(one.numel() for one in model.parameters())
print(f"{weights / 1e6:.1f} million weights, {len(curves)} steps of {batch} pairs.")
tables.show(curves, rows=1)

# %% [markdown]
# A row of the curves is a step. The dev score stands where an epoch ended and is missing elsewhere.

# %% mystnb={"figure": {"name": "fig-train-loss", "align": "center", "caption": "The loss starts at the line of a model that knows nothing. How far it falls below it is what the towers have learned about the texts of the training voices."}, "image": {"alt": "Line chart of the training loss over steps, with its running mean and a dashed chance line."}}
figures.losses(curves, batch)

# %%
last = curves["loss"].tail(max(1, len(curves) // 20)).mean()
print(
    f"Loss: chance {np.log(batch):.2f}, first step {curves['loss'].iloc[0]:.2f}, at the end {last:.2f}."
)

# %% [markdown]
# The loss of {numref}`fig-train-loss` cannot reach zero: voices of one batch may share a text, or their texts may be true of
# each other, and {eq}`eq-loss` counts these as mistakes. With more attributes in a text fewer voices
# share one ({numref}`fig-repeats`): the reason why the paper lets several attributes speak at once.
# The next figure asks whether what is learned helps with new speakers.

# %% mystnb={"figure": {"name": "fig-train-dev", "align": "center", "caption": "Zero-shot answers on the dev split after each epoch. The star marks the model that is kept, the best by this score and not the last one; the dashed line is chance."}, "image": {"alt": "Line chart of the UAR on the dev split by step, with the kept model starred and chance dashed."}}
known = voices.loc[voices["split"] == "dev", "emotion"].dropna()
classes = known[~known.isin(["other", "no_agreement"])].nunique()
figures.dev_scores(curves, max(1, classes))

# %% mystnb={"figure": {"name": "fig-train-rates", "align": "center", "caption": "Left: the learned factor that sharpens similarities, with its value at the start. Right: the learning rate of the projection heads, as the schedule sets it."}, "image": {"alt": "Two line charts over steps: temperature and learning rate."}}
figures.rates(curves)

# %% [markdown]
# The factor in {numref}`fig-train-rates` tells how sure the model lets itself be. A large one makes small differences in
# angle count; it is learned, but moves slowly, because its learning rate is that of the heads.

# %% [markdown]
# ## How fast?
#
# What held training up? {numref}`fig-train-speed` tells. While the towers compute, other processes can read the next
# batches ahead (`workers`), from voices that were decoded once (the {term}`audio store`). What
# the device could do at best is measured in plain matrix products; the share of it that the model uses is
# its {term}`utilisation`. Chapter 9 takes these figures to larger corpora.

# %% mystnb={"figure": {"name": "fig-train-speed", "align": "center", "caption": "Top: pairs learned from each second, and the share of the time in which no batch was ready. Bottom: the share of the device's arithmetic that the model used, and the most memory taken so far."}, "image": {"alt": "Four line charts over steps: pairs a second, waiting share, model FLOP utilisation, peak memory."}}
speed = tables.read_table(folder / "speed.csv")
figures.speed(speed)

# %%
steady = hardware.settled(speed)  # without the steps in which libraries are loaded
total = steady[["pairs", "seconds", "waiting", "flops"]].sum()
print(f"{total['pairs'] / total['seconds']:.0f} pairs a second on average, once all is loaded.")
print(f"{100 * total['waiting'] / total['seconds']:.1f} % of the time was waited for data.")
used = total["flops"] / (total["seconds"] * speed["peak_flops"].median())
print(f"{100 * used:.1f} % of the arithmetic that the device reaches was the model's own.")

# %% [markdown]
# ## Before and after
#
# What has training changed? The model as it was before the first step can be built again from the
# settings and the seed. Both are asked about voices of the dev split, sorted by their true class.

# %%
start = training.start(settings, "cpu").model
start.processor = model.processor  # how a voice is prepared is not learned by steps
models = {"before training": start, "after training": model}
dev = voices[voices["split"] == "dev"]
shown = evaluation.one_each(dev if dev["label"].notna().any() else voices, "label", 32)
words = {label: evaluation.task_word(label) for label in dict.fromkeys(shown["label"])}

# %% mystnb={"figure": {"name": "fig-train-similarity", "align": "center", "caption": "Cosine of dev voices (rows, sorted by their true emotion) and the emotion words (columns). Before training a column is the same for all voices; after it, similarities depend on the voice, and the framed blocks, which belong together, are redder than the rest of their rows where the model tells the emotions apart."}, "image": {"alt": "Two heat maps of voices against emotion words, before and after training."}}
texts = [dev_template.replace("{}", word) for word in words.values()]
heard = {
    t: zeroshot.embed_audio(m, shown) @ zeroshot.embed_text(m, texts).T for t, m in models.items()
}
figures.voices_against_words(heard, shown["label"].tolist(), words)

# %% [markdown]
# The text tower need not know beforehand that *high* and *low* are opposites: in the language of
# a pretrained encoder two sentences that differ in one word are close. Training has to pull them apart
# ({numref}`fig-train-queries`).

# %% mystnb={"figure": {"name": "fig-train-queries", "align": "center", "caption": "Cosine of attribute queries with each other. Before training all sentences resemble each other; training moves apart the two ends of an attribute that it has learned to hear."}, "image": {"alt": "Two heat maps of queries against queries, before and after training."}}
ends = evaluation.attribute_queries(table, templates)
texts = [query for pair in ends.values() for query in pair]
spoken = {title: zeroshot.embed_text(one, texts) for title, one in models.items()}
figures.queries_against_queries({t: e @ e.T for t, e in spoken.items()}, texts)

# %%
for title, e in spoken.items():
    opposite = np.sum(e[::2] * e[1::2], axis=1).mean()
    print(f"Mean cosine of a query and its opposite, {title}: {opposite:.2f}")

# %% [markdown]
# The last look is at whole texts, as the training drew them: is a dev voice closer to its own text
# than to those of others? {numref}`fig-train-pairs` answers for all.

# %% mystnb={"figure": {"name": "fig-train-pairs", "align": "center", "caption": "Cosine of dev voices with their own text (pairs) and with texts of other voices. Before training the two cannot be told apart; after it, pairs lie further to the right. The overlap that remains holds texts that are true of several voices, and what the model does not hear."}, "image": {"alt": "Two histograms of cosines, of pairs and of others, before and after training."}}
rows = np.flatnonzero((voices["split"] == "dev") & pool.says(emotion, only_emotion))[:150]
texts = pool.sample(rows, rand, emotion, only_emotion, join, rng=np.random.default_rng(seed))
pairs = {
    t: zeroshot.embed_audio(m, voices.iloc[rows]) @ zeroshot.embed_text(m, texts).T
    for t, m in models.items()
}
figures.pairs_and_others(pairs)

# %%
for title, cosine in pairs.items():
    place = (cosine >= np.diag(cosine)[:, None]).sum(axis=1).mean()
    print(f"{title}: of {len(texts)} texts, a voice's own is number {place:.0f} on average.")

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** In a batch of $N$ pairs, $g$ voices share one and the same text, and all other texts are distinct. How small can the loss
# {eq}`eq-loss` become at best?
#
# ````{admonition} Answer
# :class: dropdown
# Identical texts have identical embeddings, so the $g$ columns of $C$ are equal. For the $g$ voices the best the softmax
# over texts can do is $1/g$ each; for each of the $g$ texts the softmax over voices has $g$ equally good answers as well. All other
# pairs can reach zero. Either way $\mathcal{L} \ge \frac{g}{N} \log g$. With a perfect model and a large $\tau$:
#
# ```python
# import numpy as np
# import torch
#
# from paraclap.loss import contrastive
#
# pairs, shared = 64, 16
# perfect = torch.eye(pairs)
# perfect[:shared, :shared] = 1.0  # each of these voices fits each of these texts
# print(contrastive(100 * perfect).item(), shared / pairs * np.log(shared))
# ```
#
# {numref}`fig-repeats` shows how many pairs share their text. With the emotion alone nearly all do, and the floor is high.
# ````
#
# **2.** Was it worth while to keep the best epoch of {numref}`fig-train-dev` and not the last one?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import tables
#
# dev = tables.read_table(folder / "curves.csv").dropna(subset="dev_uar")
# best, last = dev.loc[dev["dev_uar"].idxmax()], dev.iloc[-1]
# print(f"best {best['dev_uar']:.3f} at step {best['step']:.0f}, last {last['dev_uar']:.3f}")
# ```
#
# If the two are equal, the model was still learning when it stopped. If not, the difference promises more than other voices will
# keep: the best of many epochs is best partly by luck with the dev voices, and this luck stays behind on the test split. It is why
# a dev score is no result.
# ````

# %% [markdown]
# ## So: how does a model learn which words fit a voice?
#
# Two towers learn to send a voice and a text that is true of it in the same direction, by having to
# find each other in a batch. Judged on speakers it has not heard, the model that was kept answers
# as {numref}`fig-train-dev` shows, and {numref}`fig-train-similarity` shows where its similarities come
# from. What it can answer on corpora and in words it was never trained for is the question of the
# [next chapter](05_evaluation).
