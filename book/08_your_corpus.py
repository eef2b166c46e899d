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
# # Your corpus
#
# **How do you get from a folder of audio to a table of answers?** In three steps: a table that names the
# files, a question in words, and a look at whether the answers can be trusted. No training is needed for
# that; how to train on your own corpus is told at the end.
#
# | Reads | A row is |
# |---|---|
# | a folder of yours with a CSV | a file, or a {term}`segment` of one |
# | `runs/<run>/model/` | (a folder) the trained model |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/your_corpus/` | (a folder) an example, if you name none |
# | `runs/<run>/answers.csv` | a voice: a probability per candidate, and the answer |

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
your_corpus: str = ""  # your folder; empty makes an example of some test voices
your_table: str = ""  # name of its CSV, or of tables of a database
your_columns: str = ""  # other names of columns, see params/folder.yaml
your_label: str = "emotion"  # column with the class to compare the answers with
your_candidates: str = "angry,happy,sad,neutral"  # what may be answered, with commas between
template: str = "speaker is {}"  # sentence with a slot for the word of a class

# %%
from pathlib import Path

from paraclap import ParaCLAP, corpora, evaluation, scores, tables, zeroshot
from paraclap.figures import style
from paraclap.figures import training as figures

folder = tables.run_folder(run, runs)
model = ParaCLAP.from_pretrained(folder / "model")

# %% [markdown]
# ## One: a folder with a table
#
# Put your recordings into a folder, in any layout, as WAV, FLAC, OGG, MP3 or SPHERE at any {term}`sampling rate`.
# Beside them lies `labels.csv`. Its only necessary column is `file`; add whatever you know: `start` and `end` in seconds,
# `speaker`, `gender`, `emotion`. If your columns have other names, the parameter `your_columns` tells so, and nothing
# need be renamed. An audformat database does as well.
#
# Where no folder is named, a small one is made here of test voices, so that you see one.

# %%
labels = tables.read_table(folder / "labels.parquet")
learned = labels["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"])
test = labels[learned & (labels["split"] == "test")].drop(columns="split")
root = tables.project_folder() / Path(your_corpus or folder / "your_corpus").expanduser()
if not your_corpus:
    corpora.folder.save(evaluation.one_each(test, "label", 48, least=2), root)
    print("\n".join((root / "labels.csv").read_text("utf-8").splitlines()[:4]))

# %% [markdown]
# The table is read as in [chapter 1](01_corpora), with the same checks. `for_testing` says that it is only asked about, so
# that no split is needed. Whatever had to be decided is said, and files that cannot be read are named with the reason; the
# others go on.

# %%
voices = corpora.load(root, your_table, your_label, your_columns, for_testing=True)
print(f"{len(voices)} voices.", *voices.attrs["notes"], sep="\n")
for file in voices.attrs["failed"]:
    print(f"Not read: {Path(file['file']).name}, {file['reason']}")
tables.show(voices.dropna(axis=1, how="all"), 3)

# %% [markdown]
# ## Two: a question
#
# A question is a list of words and a sentence with a slot. Each word makes a {term}`candidate`; the one whose
# sentence is closest to a voice is its answer. The words need not be emotions, nor be known from training: try
# `bored`, `in a hurry`, `a child`.

# %%
lost = {file["file"] for file in voices.attrs["failed"]}
files = voices.index.get_level_values("file")
heard = voices[~files.isin(tables.absolute(lost))]
asked = [word.strip() for word in your_candidates.split(",")]
answers = zeroshot.classify(model, heard, asked, template)
tables.write_table(answers, folder / "answers.csv")
tables.show(answers.round(3))

# %% [markdown]
# That is all: `answers.csv` is the table of answers. A row is a voice; the numbers are the probability that the
# model gives each candidate, and the last column is the most probable. Two ends of an attribute are asked in the same way:

# %%
ends = ["has a low pitch", "has a high pitch"]
pitch = zeroshot.classify(model, heard, ends)
tables.show(pitch.round(3), 3)

# %% [markdown]
# ## Three: can the answers be trusted?
#
# If some voices have labels, compare. A few labelled voices give a first idea whether a question works on your
# recordings at all. Only labels that were among the candidates can be compared.

# %%
labelled = set(heard["label"].dropna())
words = {label: evaluation.task_word(label) for label in sorted(labelled)}
words = {label: word for label, word in words.items() if word in asked}
rows = heard[heard["label"].isin(list(words))].sort_values("label", kind="stable")
print(f"{len(rows)} voices have a label that was asked for: {', '.join(words) or 'none'}.")

# %%
if len(words) > 1:
    again = zeroshot.classify(model, rows, words, template)
    uar = scores.uar(rows["label"], again["prediction"], list(words))
    print(f"UAR {uar:.2f}, chance {1 / len(words):.2f}, on {len(rows)} voices.")

# %% [markdown]
# A score of so few voices is a first look, not a result: [chapter 5](05_evaluation) shows how wide its interval is. {numref}`fig-yours`
# looks closer: which sentence is each voice near to?

# %% mystnb={"figure": {"name": "fig-yours", "align": "center", "caption": "Cosine of your voices (rows, sorted by their label) and the candidates. Framed blocks belong together; where a whole column is red, the model gives that answer whoever speaks, and other words may serve better."}, "image": {"alt": "Heat map of the cosine of voices and candidates, framed where label and candidate agree."}}
shown = rows if len(words) > 1 else heard.assign(label="your voices")
said = words if len(words) > 1 else {word: word for word in asked}
texts = [template.replace("{}", word) for word in said.values()]
near = zeroshot.embed_audio(model, shown) @ zeroshot.embed_text(model, texts).T
figures.voices_against_words({"your voices": near}, shown["label"].to_list(), said)

# %% [markdown]
# And the ear has the last word. These voices are nearest to the first candidate, and farthest from it:

# %%
embedded = zeroshot.embed_audio(model, heard)
found = evaluation.nearest(model, heard, embedded, template.replace("{}", asked[0]))
style.players(found, [f"cosine {value:.2f}" for value in found["similarity"]])

# %% [markdown]
# ## Further
#
# - **Train on your corpus**: `cp params/folder.yaml params/mine.yaml`, set `corpus` to your folder, and
#   `make book RUN=mine` runs all chapters of this book on it.
# - **Known corpora** are named instead of pointed at: [chapter 1](01_corpora) lists them, `params/paper/`
#   holds the runs of the paper.
# - **Open corpora** are fetched by name: `make book RUN=open` trains on CREMA-D and asks German EmoDB and
#   RAVDESS.
# - **The authors' model** is read by `ParaCLAP.from_released("KeiKinn/paraclap")`, and answers the same calls.

# %% [markdown]
# ## Exercises
#
# In the answers, `folder` is the folder of this run, as in the code above.
#
# **1.** Offer one {term}`candidate` more, of which you know that it fits nobody here, such as "a robot from a film". What happens to the
# probabilities of the others, and to the answers?
#
# ````{admonition} Answer
# :class: dropdown
# ```python
# from paraclap import ParaCLAP, tables, zeroshot
#
# model = ParaCLAP.from_pretrained(folder / "model")
# voices = tables.read_table(folder / "answers.csv").index[:12]
# few = ["angry", "happy", "sad"]
# for words in (few, [*few, "a robot from a film"]):
#     found = zeroshot.classify(model, voices, words, "speaker is {}")
#     means = found[few].astype(float).mean().round(2)
#     print(found["prediction"].value_counts().to_dict(), means.to_dict())
# ```
#
# The probabilities of the others shrink in the same proportion for each voice, as the softmax shares one unit among all that is offered; their order
# stays. The newcomer is named whenever its sentence is the nearest, true or not: the model must name one of what it is offered, and never says
# *none of these*.
# ````
#
# **2.** An answer comes with a probability of 0.9. How sure may you be that it is right?
#
# ```{admonition} Answer
# :class: dropdown
# Not that sure, until it was checked. The number says how far this candidate is ahead of the *others offered*, by a factor that was learned in training on
# other questions ({numref}`fig-eval-certainty`). Label a few dozen voices, ask them the same, and count; [chapter 11](11_evidence)
# shows how one number fitted to such voices mends a part of it.
# ```

# %% [markdown]
# ## So: how do you get from a folder of audio to a table of answers?
#
# A CSV names the files, a list of words and a sentence make the question, and one call gives the table. How far to believe it,
# labelled voices tell, the more the better. What it takes to do so for thousands of hours, the
# [next chapter](09_scaling) tells.
