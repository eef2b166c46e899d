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
#     - your_corpus
#     - your_recording
#     reads:
#     - labels.parquet
#     - model
#     writes:
#     - answers.csv
#     - over_time.parquet
#     - over_time_failed.csv
# ---

# %% [markdown]
# # Your voices
#
# **How do you get from a folder of recordings to a table of answers?** You need no training, and no labels. After this chapter
# you can
#
# - read a folder of audio, and see which files are broken,
# - ask a question in your own words, and check with a few labels whether the answers can be trusted,
# - follow an answer through a long recording, and train on a corpus of your own,
# - say what models of synthetic speech hear in people, and what they do not.
#
# | | in `runs/<run>/` | a row is |
# |---|---|---|
# | Reads | `model/`, `labels.parquet`, or a folder of yours with a CSV | a {term}`segment` |
# | Writes | `answers.csv`, `over_time.parquet` | an utterance or a window: a probability for each {term}`candidate` |
# | Writes | `over_time_failed.csv` | a file that cannot be read |
#
# If you name no folder, the chapter makes one of test utterances. On the built-in corpora they are synthetic speech, and the
# answers say nothing about people.

# %% tags=["parameters"]
# the run
run: str = "demo"  # name of the run, and of its folder
runs: str = "runs"  # folder of all runs
seed: int = 0  # seed of everything that is drawn
# your recordings
your_corpus: str = ""  # your folder; empty makes one of test utterances
your_table: str = ""  # name of its CSV, or of tables of a database
your_columns: str = ""  # other names of columns, see params/folder.yaml
your_label: str = "emotion"  # column with the class that answers are compared with
your_recording: str = ""  # a long recording of yours; empty makes one of labelled utterances
# your question
your_candidates: str = "angry,happy,sad,neutral"  # possible answers, with commas between
template: str = "speaker is {}"  # sentence with a slot for the word of a class
window: float = 2.0  # seconds of a long recording that make one answer
hop: float = 0.5  # seconds from window to window

# %%
from pathlib import Path

import pandas as pd
import seaborn as sns

from paraclap import ParaCLAP, classify, corpora, tables
from paraclap.evaluation import metrics, scoring, tasks, zeroshot
from paraclap.figures import style
from paraclap.figures.intervals import intervals
from paraclap.interactive.timeline import join_utterances, truth_of

folder = tables.run_folder(run, runs)
model = ParaCLAP.from_pretrained(folder / "model")

# %% [markdown]
# ## A folder with a table
#
# Put your recordings into a folder: WAV, FLAC, OGG, MP3 or SPHERE, with any {term}`sampling rate`. Beside them lies
# `labels.csv` with a column `file`, and what you have of `start` and `end` in seconds, `speaker`, `gender` and `emotion`. Without
# a folder of yours, this cell makes one from speakers that training did not contain. One more file is broken on purpose.

# %%
root = Path(your_corpus or folder / "your_corpus").expanduser()
if not your_corpus:
    labels = tables.read_table(folder / "labels.parquet")
    trained = labels["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"])
    four = labels["label"].isin(["anger", "happiness", "sadness", "neutral"])
    test = labels[trained & four & (labels["split"] == "test")].drop(columns="split")
    some = test.sample(frac=1, random_state=seed).groupby("label").head(12)
    table = corpora.folder.save(some if len(some) else labels.head(12), root)
    (root / "broken.wav").write_bytes((root / "000.wav").read_bytes()[:9000])
    rows = tables.read_csv(table)
    rows = pd.concat([rows, rows.head(1).assign(file="broken.wav")], ignore_index=True)
    tables.write_table(rows, table)
    print(*table.read_text("utf-8").splitlines()[:3], sep="\n")

# %% [markdown]
# `corpora.load` makes the same checks as in [chapter 1](01_corpora). With `for_testing` the folder needs no {term}`split`. Files
# that cannot be read are listed with the reason. They do not stop the others, and nothing is filled in for them.

# %%
utterances = corpora.load(root, your_table, your_label, your_columns, for_testing=True)
failed = pd.DataFrame(utterances.attrs["failed"], columns=["file", "reason"])
utterances = utterances[~utterances.index.isin(failed["file"], level="file")]
speech = "synthetic" if utterances["synthetic"].all() else "recorded"
print(f"{len(utterances)} utterances of {speech} speech.", *utterances.attrs["notes"], sep="\n")
print(*failed["reason"], sep="\n")
tables.show(utterances[["speaker", "gender", "label"]], 3)

# %% [markdown]
# ## A question in words
#
# Each word makes a candidate. The candidate whose sentence is most similar to an utterance is its answer. The words need not be
# emotions, and need not occur in training: try *bored*, *in a hurry*, *a child*. In a shell, `paraclap score` does the same.

# %%
asked = list(zeroshot.parse_candidates(your_candidates).values())
answers = classify(model, utterances, asked, template)
tables.write_table(answers, folder / "answers.csv")
tables.show(answers.round(3), 3)

# %% [markdown]
# ## Can the answers be trusted?
#
# A few labels give a first impression, where they are among the candidates. For so few utterances the {term}`interval` of a
# {term}`UAR` is wide, see [chapter 5](05_zero_shot).

# %%
words = {label: tasks.task_word(label) for label in sorted(utterances["label"].dropna().unique())}
words = {label: word for label, word in words.items() if word in asked}
labelled = utterances[utterances["label"].isin(list(words))].sort_values("label", kind="stable")
checked = answers.loc[labelled.index].assign(label=labelled["label"].map(words))
checked["probability"] = checked[asked].max(axis=1)
checked["right"] = checked["prediction"] == checked["label"]
print(f"{len(checked)} utterances have a label among the candidates: {', '.join(words) or 'none'}.")
if len(words) == len(asked):
    uar = metrics.uar(checked["label"], checked["prediction"], asked)
    print(f"UAR {uar:.2f}, chance {1 / len(asked):.2f}.")

# %% [markdown]
# The probability says how far the answer is ahead of the *other candidates*. {numref}`fig-your-confidence` shows whether answers
# with a high probability are right more often. If not, the number is of no use for these recordings.

# %% mystnb={"figure": {"caption": "Probability of the answer to each labelled utterance, by its label. Colour says whether the answer is right; the dashed line is the probability of a guess.", "name": "fig-your-confidence"}, "image": {"alt": "Rows of marks, one row for each label, along an axis of probability, with right and wrong answers in two colours."}}
fig, ax = style.figure(height=1.4 + 0.5 * len(words))
look = {"hue": "right", "palette": {True: style.BLUE, False: style.ORANGE}, "dodge": True}
if len(checked):
    sns.stripplot(checked, x="probability", y="label", **look, size=5, ax=ax)
style.chance(ax, 1 / len(asked), "guess", upright=True)
ax.legend(title="answer is right", loc="upper left", bbox_to_anchor=(1, 1))
ax.set(xlim=(0, 1.02), xlabel="probability of the answer", ylabel="")
sure = checked["probability"] >= checked["probability"].median()
for name, part in (("surest", checked[sure]), ("other", checked[~sure])):
    print(f"The {name} half: {part['right'].sum()} of {len(part)} answers are right.")
fig

# %% [markdown]
# ## Long recordings
#
# A long recording is cut into windows that overlap. `score_files` asks each of them; it works in parts, so memory does not grow
# with the files, and after a stop it continues where it was. Without `your_recording`, labelled utterances are joined, some
# seconds of each class, so that we know what is right at each moment. The mood of people does not jump like this.

# %%
recording, stretches = Path(your_recording).expanduser(), None
if not your_recording:
    recording = folder / "your_recording.wav"
    stretches = join_utterances(labelled if len(words) > 1 else utterances, recording, seed=seed)
out, files = folder / "over_time.parquet", [recording, *failed["file"]]
scoring.score_files(model, files, asked, out, template, window=window, hop=hop)
over_time = tables.read_table(out)
print(*pd.read_csv(folder / "over_time_failed.csv")["reason"], sep="\n")
if stretches is not None and len(words) > 1:
    right = over_time["prediction"] == truth_of(over_time, stretches).map(words)
    print(f"{right.sum()} of {len(over_time)} windows have the right answer.")

# %% mystnb={"figure": {"caption": "Probability of each candidate along the recording; a value stands at the middle of its window. The band on top has the colour of the true class, where we know it.", "name": "fig-your-recording"}, "image": {"alt": "Lines of probability over time, one for each candidate, below a band of colours for the true class."}}
starts, ends = (over_time.index.get_level_values(name).total_seconds() for name in ("start", "end"))
colours = style.colours(asked)
fig, ax = style.figure(height=3.2)
for word in asked:
    ax.plot((starts + ends) / 2, over_time[word], color=colours[word], label=word)
for (_, start, end), label in [] if stretches is None else stretches["truth"].items():
    colour = colours.get(words.get(label), style.INK)
    ax.axvspan(start.total_seconds(), end.total_seconds(), 0.94, 1, color=colour)
ax.set(ylim=(0, 1.08), xlabel="time in s", ylabel="probability")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
fig

# %% [markdown]
# Where {numref}`fig-your-recording` changes from one class to the next, a window contains both, and it cannot be right about both.
# [Chapter 13](13_look_and_listen) plays a recording together with its answers.
#
# ## What models hear in people
#
# The built-in corpora are synthetic. What do models that learned from them hear when *people* speak? 42 adults speak in packages of
# Debian: announcers of telephone systems, volunteers who read words, actors of a game. `make people` fetches their clips and runs
# chapters 1 to 5 on them. Nobody has labelled emotions, but the queries about attributes need no labels. In five turns, some
# speakers are asked about and most others are learned from, so that no model has met a speaker it is asked about. A level is high or low
# among these people. {numref}`fig-people` was measured once, by `python -m benchmarks.people`, and not in this run;
# `benchmarks/people.md` says how.

# %% mystnb={"figure": {"caption": "UAR of the questions for the low or the high end of an attribute, asked about people by models that learned from synthetic speech, from other people, or from both. The encoder `egemaps` reads the functionals, `small` the signal. The intervals draw speakers.", "name": "fig-people"}, "image": {"alt": "Two panels of marks with intervals, one for each encoder, a row for each attribute, in colours for what was learned from."}}
people = tables.read_csv(tables.project_folder() / "benchmarks" / "people.csv")
each = people[people["task"] != "mean"]
intervals(each, "uar", "task", "system", "encoder", 0.5, xlabel="UAR", xlim=(0.3, 1))

# %%
for (encoder, system), rows in people.groupby(["encoder", "system"], sort=False):
    above = ", ".join(rows.loc[rows["uar_low"] > 0.5, "task"]) or "none"
    print(f"{encoder}, {system}: whole interval above chance for {above}.")
    if rows["difference"].notna().any():
        better = ", ".join(rows.loc[(rows["difference"] > 0) & rows["real"].eq(True), "task"])
        print(f"    Better than with synthetic speech alone: {better or 'none'}.")

# %% [markdown]
# Two things are easily misread. The *intensity* across speakers measures the recording as much as the person: the levels of the
# packages differ by up to 40 dB. The *gender* is that which the package, a role or the first name of a contributor states, where
# one does; `pitch alone` is a logistic regression on the mean pitch. Nothing here says how emotions of people are understood.
#
# The clips belong to their authors. They are fetched when you ask for them, and are not part of this book. Do not publish
# models that learned from them under the licence of this project.

# %%
packages = corpora.people.CLIPS.with_name("people_packages.csv")
style.text_table(pd.read_csv(packages))

# %% [markdown]
# ## Training on your own corpus
#
# `cp params/folder.yaml params/mine.yaml`, set `corpus` to your folder, and `make book RUN=mine` runs the whole book on it.
# Without a column `split`, the speakers are divided into train, dev and test. With little data, go on from a model: `start:
# runs/quick/model` and the settings of `params/quick.yaml`, a lower `audio_lr` and `head_lr`, and fewer `steps`. Open corpora have names, see `params/open.yaml`,
# and so have those of the paper, see `params/paper/`.
#
# ## Exercises
#
# **1.** (`folder` is that of this run.) Add a candidate that fits nobody, such as "a robot". What happens to the other
# probabilities?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import ParaCLAP, classify, tables
#
# model = ParaCLAP.from_pretrained(folder / "model")
# some = tables.read_table(folder / "answers.csv").index[:12]
# for words in (["angry", "happy", "sad"], ["angry", "happy", "sad", "a robot"]):
#     found = classify(model, some, words, "speaker is {}")
#     print(found["prediction"].value_counts().to_dict(), found[words].mean().round(2).to_dict())
# ```
#
# The probabilities of all candidates add up to one, so the others shrink in the same proportion. The robot is the answer wherever its
# sentence is the most similar: the model never answers *none of these*.
# ````
#
# **2.** An answer has a probability of 0.9. Is it right in nine cases out of ten?
#
# ```{admonition} Answer
# :class: dropdown
# Only a check can tell. The number compares the candidates with each other, by a factor that training fitted to other questions.
# Label a few dozen utterances and count. [Chapter 11](11_evidence) fits one {term}`temperature` to labelled utterances.
# ```

# %% [markdown]
# ## Where the helpers come from
#
# - `paraclap.corpora`: `load`, `folder`, which reads and writes folders with a CSV, and `people`
# - `paraclap.classify`; `paraclap.evaluation`: `scoring` (windows, many files), `tasks`, `metrics`
# - `paraclap.interactive.timeline`: `join_utterances`, `truth_of`; `paraclap.figures`: style, intervals

# %% [markdown]
# ## Summary
#
# A CSV names the files, words make the question, and one call gives the table. Broken files are listed, a few labels show how far
# the answers can be trusted, and windows follow them through time. **How long does it take, and on which machine?** This is the
# question of [the next chapter](09_gpus_and_clusters).
