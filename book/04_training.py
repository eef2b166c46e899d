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
#     writes:
#     - model
#     - curves.csv
#     - settings.json
# ---

# %% [markdown]
# # Training
#
# **How does a model learn which caption belongs to which utterance?** It has two {term}`encoders <encoder>`, one for audio and one for
# text, and learns to send an utterance and its {term}`caption` to the same place. This is the contrastive training of
# {cite}`jing2024paraclap`, after {cite}`radford2021clip` and {cite}`elizalde2023clap`. After this chapter you can
#
# - name each part of the model, with its formula and the shape of what it returns,
# - write down the loss, and say where it starts and why it cannot reach zero,
# - train a model, and tell from its curves whether it has learned something that helps with other speakers.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `labels.parquet`, `features.parquet`, `queries.parquet` | a {term}`segment` |
# | Writes | `curves.csv` | a step of training |
# | Writes | `model/`, `settings.json` | (no table) the model that was best on the dev split; its parameters |
#
# :::{figure-md} fig-model
# ![Two columns of boxes. Left: utterance, audio encoder (wav2vec2), mean over frames, projection. Right: caption, text encoder (BERT), the CLS piece, projection. Both end at a grid of utterances by captions whose diagonal is marked. Below, one utterance and three candidates, of which the best is marked.](_static/model_light.svg)
#
# The model of the paper, after its Figure 1. Training compares all utterances and captions of a batch; a test compares one utterance
# with the candidates for an answer.
# :::
#
# {numref}`fig-model` shows the whole model; each part has a section below. The defaults of the next cell are the paper's: large pretrained
# encoders that need a graphics processor. The demo replaces them by encoders that two processor cores can train. Where its corpora are
# the built-in ones, all of its speech is synthetic.

# %% tags=["parameters"]
# the run, and what is changed most often
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
audio_encoder: str = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"  # name, path or hub id
text_encoder: str = "bert-base-uncased"  # name, path or hub id
freeze_text: bool = False  # the text encoder keeps its weights
rand: int = 5  # most attributes in a caption
batch: int = 64  # pairs in a batch
epochs: int = 50  # passes over the training utterances, unless steps is set
device: str = "auto"  # "cpu", "cuda", "mps"; "auto": a GPU if there is one
# data
agreed_only: bool = True  # leave out training utterances whose raters agree on no emotion
balance: float = 0.0  # 0: utterances are drawn as they come, 1: every emotion equally often
crop_seconds: float = 5.0  # longest signal in a batch; longer ones are cropped at random
pad: str = "crop"  # shorter signals: "crop" adds silence up to crop_seconds, "batch" masks padding
# captions
templates: str = "paper"  # paper, diverse, released, released-fixed, or a .csv
emotion_form: str = "adjective"  # of the emotion words: adjective (angry) or noun (anger)
emotion: str = "always"  # the emotion query: always on top, pool (like the others), or never
only_emotion: bool = False  # nothing but the emotion: "emotion is …"
join: str = "rand"  # how queries become a caption: rand, or all of them, as released
captions_per_utterance: int = 0  # captions kept for each utterance; 0: a new one at every step
dev_template: str = "speaker is {}"  # asked of the dev split, with a slot for the emotion
dev_form: str = "same"  # of the emotion words in it: "same" as emotion_form, adjective or noun
# encoders
start: str = ""  # a model to go on from, with its encoders and heads: folder, hub id or "released"
signals: str = "raw"  # or "encoder": normalised, if the audio encoder was trained so
text_pooling: str = "cls"  # or "mean": which output of the text encoder is used
freeze_audio: bool = False  # the audio encoder keeps its weights
frozen_dropout: bool = False  # dropout is active in encoders that keep their weights
projection: str = "paper"  # the projection heads: "paper" as it describes them, or "released"
projection_dim: int = 768  # size of the shared space
dropout: float = 0.5  # probability, in the projection heads
# optimiser
similarity: str = "cosine"  # or "dot", as released
objective: str = "pairs"  # or "sigmoid" (chapter 12)
logit_scale_max: float = 4.605170185988092  # largest logit scale, ln 100
optimizer: str = "adam"  # or "adamw"
audio_lr: float = 1.0e-5  # learning rate of the audio encoder
text_lr: float = 1.0e-5  # learning rate of the text encoder
head_lr: float = 1.0e-3  # learning rate of the projection heads and the logit scale
schedule: str = "constant"  # or "cosine", down to zero
warmup: float = 0.0  # share of the steps in which the learning rates rise from zero
steps: int = 0  # number of steps; 0 leaves it to epochs
# machine
precision: str = "auto"  # "float32", "bf16" (products only); "auto": bf16 on a GPU that has it
jobs: int = 2  # CPU threads
workers: int = 0  # processes that read batches ahead; 0: read in this one
attention: str = "sdpa"  # or "eager", "flash_attention_2": how attention is computed
compiled: bool = False  # torch.compile translates the encoders; needs a C++ compiler
recompute: bool = False  # compute activations twice, to save memory
chunk: int = 0  # pairs in memory at once, with the gradient of the whole batch; 0: all

# %%
import numpy as np
import torch

from paraclap import tables, training
from paraclap.book import show
from paraclap.evaluation.tasks import attribute_queries
from paraclap.figures import style
from paraclap.figures.training import curves as draw_curves
from paraclap.model import Projection
from paraclap.model.embedding import embed_audio, embed_text
from paraclap.model.layers import mean_pool

folder = tables.run_folder(run, runs)
settings = training.Settings.of(globals())
labels, pool, queries = training.read_training_data(folder, templates, emotion_form)

# %%
features = tables.read_table(folder / "features.parquet")
labels.groupby(["corpus", "split"], sort=False).size().unstack(fill_value=0)

# %% [markdown]
# These corpora have a training split. The model learns from `train`, and its score on `dev` decides which epoch is kept. Nothing in this
# chapter looks at `test`.
#
# ## A batch
#
# A {term}`pair` is an utterance and a caption. The signal is cut at a random place to at most `crop_seconds`, and the caption is drawn
# as in chapter 3. So the same utterance is hardly ever seen twice in the same way.

# %%
decoded = training.decode_audio(labels, folder / "signals.pcm", settings)
start = training.start_model(settings)  # before the first step
pairs = training.Pairs(labels, pool, start, settings, decoded, features)
samples, captions = pairs[0]["input_values"], pairs.captions(0)
print(
    f"A batch for the audio encoder: {tuple(samples.shape)}, pairs by samples. Its first captions:"
)
print(*captions[:4], sep="\n")

# %% [markdown]
# ## The audio encoder: wav2vec2
#
# The paper takes wav2vec2 {cite}`baevski2020wav2vec2`, trained further to rate arousal, dominance and valence in MSP-Podcast
# {cite}`wagner2023dawn`. It has two parts. A stack of convolutions slides over the samples $x$ and makes a vector every 20 ms, a *frame*. A transformer then lets each
# frame look at all others and returns a new vector for each. With $T$ frames of $u$ numbers:
#
# $$H^a = \operatorname{Transformer}\big(\operatorname{Conv}(x)\big) \in \mathbb{R}^{T \times u}$$
#
# The network is pretrained on speech without labels: parts are hidden, and it has to find the true frame among false ones. So it knows
# how speech sounds before it meets any caption.
#
# Two processor cores cannot train it. The demo takes an encoder of the same class, with random weights, two layers, and windows of 40 ms
# that start as a bank of filters. It learns everything from the synthetic speech of the run. In the quick run `egemaps` takes its place:
# no network, but the functionals of chapter 2, passed on as one frame.
#
# ## The text encoder: BERT
#
# BERT {cite}`devlin2019bert` is a transformer, too. A tokenizer cuts the caption into $n$ pieces of words $w_i$. BERT returns a vector
# for each piece:
#
# $$H^t = \operatorname{BERT}(w_1, \dots, w_n) \in \mathbb{R}^{n \times v}$$
#
# BERT is pretrained on text in which some words are hidden and have to be guessed from the rest. The first piece is not a word but the
# mark `[CLS]`. Its vector can collect what the sentence says as a whole.
#
# The demo takes MiniLM {cite}`wang2020minilm`, a small BERT, trained so that sentences of like meaning get like vectors. Its weights are
# frozen (`freeze_text`): each caption has to be encoded only once, which saves most of the time on two cores. Where the text encoder
# learns, equal captions of a batch are encoded one by one, each with a dropout of its own.

# %%
with torch.no_grad():
    frames = start.audio_model(samples[:4]).last_hidden_state
    tokens = start.processor(text=captions[:4])
    words = start.text_model(**tokens).last_hidden_state
print(f"audio: {tuple(samples[:4].shape)} → {tuple(frames.shape)}, pairs by frames by units")
print(f"text: {tuple(tokens['input_ids'].shape)} → {tuple(words.shape)}, pairs by pieces by units")
print(start.processor.tokenizer.convert_ids_to_tokens(tokens["input_ids"][0]))

# %% [markdown]
# ## Pooling
#
# An utterance and a caption need one vector each. The paper takes the mean over the frames, and of the text encoder the vector of
# `[CLS]` (`text_pooling`). The demo takes the mean over the pieces, as MiniLM was trained with it. With $m_i = 0$ for padding, which
# makes the rows of a batch equally long, and else $1$:
#
# $$h = \frac{\sum_i m_i H_i}{\sum_i m_i}$$

# %%
show(mean_pool)

# %% [markdown]
# ## Projection and dropout
#
# The two vectors have different sizes, and their encoders were trained apart. A {term}`projection` head behind each encoder brings them
# into one space of `projection_dim` dimensions. It has two matrices $W_1, W_2$, which are learned. The paper says that the head maps
# to larger dimensions first and then down, which is `projection: paper`:
#
# $$E = \operatorname{LayerNorm}\Big(\operatorname{dropout}\big(W_2 \operatorname{GELU}(W_1 h)\big)\Big)$$
#
# It does not say how much larger; here $W_1$ has twice as many rows as the larger of $h$ and $E$. In the released code $W_1$ maps into
# the space at once, and its result is added, `projection: released`:
#
# $$E = \operatorname{LayerNorm}\Big(W_1 h + \operatorname{dropout}\big(W_2 \operatorname{GELU}(W_1 h)\big)\Big)$$
#
# GELU is a smooth step that lets positive values through. Layer norm brings each vector to mean 0 and spread 1, up to learned factors.
# *Dropout* sets units to zero with probability `dropout`, at random and anew in each step, and makes the others larger. So no unit can
# rely on another one, which should help with new speakers. In use nothing is dropped. The paper does not mention dropout: the 0.5 is
# that of the code.

# %%
show(Projection)

# %%
pooled = mean_pool(frames)
with torch.no_grad():
    learning = [start.audio_projection(pooled) for _ in range(2)]
    in_use = [start.audio_projection.eval()(pooled) for _ in range(2)]
print(f"{tuple(pooled.shape)} → {tuple(learning[0].shape)}, pairs by dimensions of the space")
print(f"Two passes are equal: {torch.equal(*learning)} in training, {torch.equal(*in_use)} in use")

# %% [markdown]
# ## Similarity and temperature
#
# Utterance $i$ is now a vector $E^a_i$, and caption $j$ a vector $E^t_j$. How well they fit is the cosine of their angle times a factor:
#
# $$ C_{ij} = \tau \, \frac{E^a_i \cdot E^t_j}{\lVert E^a_i \rVert \, \lVert E^t_j \rVert} $$ (eq-similarity)
#
# The paper calls $\tau$ the temperature. Strictly it is the inverse of one: a large $\tau$ makes small differences of the angle count.
# It is learned. The model keeps its logarithm, the {term}`logit scale`, so no step can make it negative. It starts at $1 / 0.07$, a
# value from the code, not from the paper.

# %%
show(training.scaled_similarity)

# %% [markdown]
# ## The loss
#
# A batch has $N$ pairs. Row $i$ of $C$ asks which caption belongs to utterance $i$, column $i$ asks which utterance belongs to caption
# $i$. The right answers lie on the diagonal. The loss is the cross entropy of both questions:
#
# $$ \ell_k = - \frac{1}{N} \sum_{i=1}^{N} \log \operatorname{softmax}_k(C)_{ii}, \qquad \mathcal{L} = \tfrac{1}{2} \left( \ell_{\mathrm{text}} + \ell_{\mathrm{audio}} \right) $$ (eq-loss)
#
# The softmax runs over captions in $\ell_{\mathrm{text}}$ and over utterances in $\ell_{\mathrm{audio}}$. Guessing gives each of the $N$
# answers the same probability, and the loss is $\ln N$: {term}`chance`.

# %%
show(training.contrastive_loss)

# %% [markdown]
# Where captions repeat, the loss cannot reach zero. Where $g$ pairs of a batch share one caption, each gets at most $1/g$ of the probability. Over all groups
# of equal captions this is a floor of $\frac{1}{N} \sum g \ln g$. The real floor is higher: different captions can be true of one
# utterance as well, and they count as wrong.

# %%
batches = [pairs.captions(step) for step in range(20)]
distinct = np.mean([len(set(one)) for one in batches])
floor = np.mean([training.loss_floor(one) for one in batches])
print(f"On average a batch of {batch} has {distinct:.1f} distinct captions.")
print(f"The loss of guessing is {np.log(batch):.2f}, the floor by equal captions {floor:.2f}.")

# %% [markdown]
# ## One step, and all of them
#
# A step encodes a batch, computes the loss and its gradient, and moves each weight a little against it:

# %%
show(training.training_step)

# %% [markdown]
# The optimiser (Adam) scales the step of each weight by how large its gradients have been. Pretrained encoders get a small learning
# rate, the new heads a larger one. After each epoch the model is asked for the emotions of the dev split, in words, and the best model
# so far is kept. A run that was stopped continues from its {term}`checkpoint`; a finished one is only loaded.

# %%
model = training.train(labels, pool, folder, settings, features)
curves = tables.read_table(folder / "curves.csv")
weights = sum(one.numel() for one in model.parameters()) / 1e6
print(f"{weights:.1f} million weights, {len(curves)} steps of {batch} pairs.")

# %% mystnb={"figure": {"caption": "Left: the loss of every step (thin) and its running mean; the dashed line is guessing. Right: UAR on the dev split after each epoch, emotions asked in words; the star marks the model that is kept, the dashed line is guessing.", "name": "fig-train-curves"}, "image": {"alt": "Two line charts over steps: training loss with its running mean, and UAR on the dev split, both with a dashed chance line."}}
known = labels["emotion"].notna() & ~labels["emotion"].isin(["other", "no_agreement"])
dev = labels[known & (labels["split"] == "dev")].sort_values("emotion", kind="stable")
draw_curves({"this run": curves}, batch, dev["emotion"].nunique())

# %%
last, factor = curves[["loss", "temperature"]].tail(max(1, len(curves) // 20)).mean()
print(
    f"Loss: guessing {np.log(batch):.2f}, first {curves['loss'].iloc[0]:.2f}, at the end {last:.2f}."
)
print(f"The factor of the similarities went from {1 / 0.07:.2f} to {factor:.2f}.")
for _, best in curves.nlargest(1, "dev_uar").dropna().iterrows():
    print(f"Best dev UAR {best['dev_uar']:.3f}, after step {best['step']:.0f} of {len(curves)}.")

# %% [markdown]
# ## Before and after
#
# What has training changed? In {numref}`fig-train-similarity` both models, before the first step and after the last, are asked
# about utterances of the dev split.

# %%
start.eval().processor = model.processor  # no step changes how signals are prepared
models = {"before training": start, "after training": model}
shown = dev.groupby("emotion").head(5)
names = list(dev["emotion"].unique())
asked = [settings.dev_question(name) for name in names]
cosines = {
    title: embed_audio(one, shown, functionals=features) @ embed_text(one, asked).T
    for title, one in models.items()
    if len(shown)
}
rows = shown["emotion"].value_counts(sort=False)  # of each emotion, one after the other
ends = rows.cumsum()

# %% mystnb={"figure": {"caption": "Cosine of dev utterances (rows, by their emotion in the labels) and the questions about emotions (columns), before and after training. Where all rows look alike, the answer does not depend on the utterance.", "name": "fig-train-similarity"}, "image": {"alt": "Two heat maps of utterances against emotion words, before and after training."}}
if not cosines:
    fig = style.note("No emotions: nothing to ask the dev split.")
else:
    fig, axes = style.figure(1, len(cosines), 4.6, sharey=True)
    for ax, (title, matrix) in zip(axes, cosines.items(), strict=True):
        image = ax.imshow(matrix, cmap="vlag", vmin=-1, vmax=1, aspect="auto")
        ax.hlines(ends[:-1] - 0.5, -0.5, len(names) - 0.5, color="white", linewidth=1)
        ax.grid(visible=False)
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        ax.set_title(title)
    axes[0].set_yticks(ends - rows / 2 - 0.5, rows.index, fontsize=8)
    fig.colorbar(image, ax=axes[-1], shrink=0.6, label="cosine")
fig

# %% [markdown]
# For a pretrained text encoder two sentences that differ in one word, such as *high* and *low*, are close. Training has to pull them
# apart. It also has to bring an utterance closer to its own caption than to those of others:

# %%
opposites = [query for ends in attribute_queries(queries, templates).values() for query in ends]
rows = np.flatnonzero(pool.has_queries(emotion, only_emotion) & (labels["split"] == "dev"))[:150]
draws = (rand, emotion, only_emotion, join)
drawn = pool.sample(rows, *draws, rng=np.random.default_rng(seed))
for title, one in models.items():
    cosine = embed_audio(one, labels.iloc[rows], functionals=features) @ embed_text(one, drawn).T
    rank = (cosine >= np.diag(cosine)[:, None]).sum(axis=1).mean()
    ends = embed_text(one, opposites)
    apart = (ends[::2] * ends[1::2]).sum(axis=1).mean()
    print(f"{title}: mean cosine of a query and its opposite {apart:.2f};")
    print(f"  of {len(rows)} captions, a dev utterance's own has rank {rank:.0f} on average.")

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** In a batch of 64 pairs 16 share one caption, and all others are distinct. How small can {eq}`eq-loss` become?
#
# ````{admonition} Answer
# :class: dropdown
# $\frac{16}{64} \ln 16 \approx 0.69$. A perfect model with a large $\tau$ reaches it:
#
# ```python
# import torch
#
# from paraclap.training import contrastive_loss, loss_floor
#
# perfect = torch.eye(64)
# perfect[:16, :16] = 1.0  # each of these utterances fits each of these captions
# print(contrastive_loss(100 * perfect).item(), loss_floor(["the same"] * 16 + list(range(48))))
# ```
# ````
#
# **2.** Was it worthwhile to keep the best epoch of {numref}`fig-train-curves` and not the last one?
#
# ```{admonition} Answer
# :class: dropdown
# The line below the figure names its score and its step; `curves.csv` has all of them.
# If the two are equal, the model was still learning when it stopped. If not, do not expect the whole difference from other speakers: the
# best of many epochs is best partly by luck with the dev utterances. This is why a dev score is not a result.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.training`: settings, the batches of `Pairs`, the loss, `training_step`, `train`
# - `paraclap.model`: the encoders by name, `Projection`, pooling, `embed_audio` and `embed_text`
# - `paraclap.queries`: captions; `paraclap.evaluation.tasks.attribute_queries`: a query for each end of an attribute
# - `paraclap.figures.training`: curves

# %% [markdown]
# ## Summary
#
# Two encoders, pooling and two heads turn an utterance and a caption into vectors of one space. The loss asks which
# caption of a batch belongs to which utterance. It starts near $\ln N$ or above, and cannot reach zero, since captions repeat. The dev
# split decides which epoch is kept. **How good are the answers, and how certain is that?** This is the question of [the next
# chapter](05_zero_shot).
