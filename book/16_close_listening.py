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
# # Close listening
#
# **Where does it go wrong, and when?** A score counts mistakes; this chapter lets them be heard. First,
# which classes are taken for which, and what such voices sound like. Then a long recording, in which the
# answer changes from moment to moment.
#
# | Reads | A row is |
# |---|---|
# | `runs/<run>/model/` | (a folder) the trained model |
# | `runs/<run>/labels.parquet`, `features.parquet`, `queries.parquet` | a segment |
# | `runs/<run>/predictions.parquet`, `scores.csv` | a test voice, a task, from [chapter 5](05_evaluation) |
#
# | Writes | A row is |
# |---|---|
# | `runs/<run>/confused.csv` | a voice that can be heard here: truth, prediction, both probabilities |
# | `runs/<run>/over_time/*.wav` | (a file each) a long recording |
# | `runs/<run>/over_time.parquet` | a window of a recording: truth, prediction, a probability per candidate |
# | `runs/<run>/window_lengths.csv` | a length of windows |
#
# With the built-in corpora all speech is synthetic: what is heard here says nothing about how people speak.

# %% tags=["parameters"]
run: str = "demo"  # name of the run: its folder below `runs`
runs: str = "runs"  # folder of all runs, relative to the project
seed: int = 0  # of every random draw
jobs: int = 2  # CPU threads
template: str = "speaker is {}"  # sentence with a slot for the word of a class
candidates: str = "own"  # words for the classes: own, or as the paper or its released code says
listened_task: str = ""  # task whose mistakes are heard; empty: one that is answered well
listened_clips: int = 3  # voices that can be heard of each kind of mistake
recording: str = ""  # path of a long recording of yours; empty: one is made of the corpus
recording_candidates: str = ""  # words to ask for in it, with commas between; empty: the classes
window: float = 2.0  # seconds of a long recording that are heard at once
hop: float = 0.5  # seconds from window to window
stretch: float = 5.0  # seconds of each class in the recordings that are made
recordings: int = 2  # how many are made to compare lengths of windows

# %%
import torch

from paraclap import ParaCLAP, audio, evaluation, scoring, tables, zeroshot
from paraclap.figures import listening as figures
from paraclap.figures import style
from paraclap.inference import Listener
from paraclap.looking import confused, over_time, timeline
from paraclap.looking.recording import make
from paraclap.templates import NUMERIC

torch.set_num_threads(jobs)
folder = tables.run_folder(run, runs)

# %% [markdown]
# ## What do the mistakes sound like?
#
# The answers are those of [chapter 5](05_evaluation). Of its tasks one is looked at here: unless
# `listened_task` names another, that which is furthest above chance among those with few classes. There,
# mistakes are exceptions, and worth a hearing.

# %%
predictions = tables.read_table(folder / "predictions.parquet")
queries = tables.read_table(folder / "queries.parquet")
labels = tables.read_table(folder / "labels.parquet")
labels = labels.loc[tables.read_table(folder / "features.parquet").index]
tasks = evaluation.tasks(labels, candidates)
task = listened_task or confused.busiest(tables.read_table(folder / "scores.csv"))
own = confused.of_task(predictions, task)
voices = evaluation.asked(labels)
speech = "synthetic" if audio.is_synthetic([*voices.index.get_level_values("file")]) else "recorded"
print(f"{task}: {len(own)} voices, {len(tasks[task])} classes, {speech} speech.")

# %% [markdown]
# Of each cell of its matrix those voices are taken of which the model was surest. On the diagonal these are
# its clearest right answers; elsewhere, the mistakes that it would defend.

# %%
heard = confused.examples(own, listened_clips)
tables.write_table(heard.assign(task=task), folder / "confused.csv")
tables.show(heard, rows=3).round(3)

# %% mystnb={"figure": {"name": "fig-listening-confused", "caption": "Confusions of one task, in shares of each true class: a row adds up to one, and dark cells off the diagonal are what the model confuses. A cell plays its voices: press it."}, "image": {"alt": "Table of shares with the true classes as rows and the answers as columns; each cell opens the voices it counts."}}
classes = style.ordered(tasks[task])
confused.matrix(own, classes, heard, queries["queries"], figures.shades())

# %% [markdown]
# In {numref}`fig-listening-confused`, listen to a mistake, then to the two diagonal cells of its row and of its column. Does it sound like its own class
# or like the other one? What is measured or rated of the voices can be asked the same: of the attributes
# whose usual level differs between the two classes, the mistaken voices have some as their own class has
# them, and some as the other.

# %%
levels = queries[[name for name in NUMERIC if name in queries]]
mistakes = confused.between(own, levels, confused.largest(own, classes))
style.text_table(mistakes.head(6))

# %%
nearer = mistakes[mistakes["as_prediction"] > mistakes["as_truth"]]["voices"].sum()
known = mistakes.dropna()["voices"].sum()
print(
    f"{nearer} of {known} mistaken voices have more levels of the answer than of their own class."
)

# %% [markdown]
# `differ` counts these attributes, `as_truth` and `as_prediction` are the shares of levels that are usual in
# the one class and in the other. Where the second is larger, the model has heard what there is to hear, and
# the voice lies between two classes; where the first is larger, it has misheard.
#
# ## An answer that changes
#
# Up to here each voice was one answer. A long recording is cut into windows that overlap, and each is
# asked; the answer of a window stands for its middle. To know when an answer is right, it must be known
# who is heard when, and how. So utterances of one speaker are put one after the other, some seconds in one class and then
# some in another, with short pauses. Moods do not jump like that in people.

# %%
example = make(voices, folder / "over_time" / "example", stretch=stretch, seed=seed)
speaker, spoken = example["speaker"].iloc[0], example["corpus"].iloc[0]
print(f"{len(example)} stretches of {speaker} ({spoken}, {speech} speech).")
tables.show(example, rows=3)

# %% [markdown]
# A row is a stretch. The parameter `recording` takes a recording of yours instead, and `recording_candidates`
# the words to ask for; then nobody has said what is true, and the picture goes without it.

# %%
file = over_time.file_of(recording or example.index[0][0])
truth = None if recording else example
asked = scoring.candidates_of(recording_candidates) or tasks[spoken]
model = ParaCLAP.from_pretrained(folder / "model")
listener = Listener(model)
question = zeroshot.Question.of(model, asked, template)
windows = over_time.along(listener, question, file, window, hop, truth)
tables.write_table(windows, folder / "over_time.parquet")
tables.show(windows, rows=3).round(3)

# %% mystnb={"figure": {"name": "fig-listening-time", "caption": "Answers along a recording. Press the picture to go there; the grey band is the window that the answer has heard. Right answers have the colour of the truth above them."}, "image": {"alt": "Lines of probability for each candidate over the time of a recording, with the truth above and the level of the signal below."}}
colours = style.colours(style.ordered(question.labels))
timeline.timeline(windows, audio.read(file), colours, stretches=truth)

# %% [markdown]
# Where the grey band of {numref}`fig-listening-time` crosses from one {term}`stretch` into the next, the
# {term}`window` hears two classes, and is bound to be wrong
# about one of them. So windows that lie in one stretch are counted apart from all:

# %%
if truth is None:
    print("Nobody has said what is true of this recording: its answers cannot be counted.")
else:
    counted = over_time.recalls(windows).assign(chance=1 / len(question.labels))
    print(counted.round(3).to_string(index=False))

# %% [markdown]
# ## How long does it have to listen?
#
# A longer window hears more of a voice, and is later and blurs what changes within it. Which length is best depends
# on how long the moods last, here `stretch` seconds each. To count more windows, recordings are made of
# more speakers, or of as many as the corpus has; each class comes twice.

# %%
several = make(voices, folder / "over_time", recordings, stretch, rounds=2, seed=seed)
question = zeroshot.Question.of(model, tasks[spoken], template)
lengths = over_time.by_length(listener, question, several)
tables.write_table(lengths, folder / "window_lengths.csv")
style.text_table(lengths)

# %% mystnb={"figure": {"name": "fig-listening-windows", "align": "center", "caption": "UAR of windows against their length. Where the two lines part, longer windows lose by crossing from one class into the next what they gain by hearing more. The dashed line is chance; a point is left out where some class has no such window."}, "image": {"alt": "Two lines of UAR over the length of a window, for all windows and for those in one stretch, above a chance line."}}
figures.window_lengths(lengths)

# %%
best = lengths[lengths["which"] == over_time.EVERY].dropna(subset="uar")
if len(best):
    row = best.loc[best["uar"].idxmax()]
    print(
        f"Best of all windows: {row['window']:g} s, UAR {row['uar']:.2f}, chance {row['chance']:.2f}."
    )

# %% [markdown]
# The windows of a recording overlap and share their speakers, so these points lean on few voices: they tell which
# lengths are clearly too short, not which of two neighbours is better.

# %% [markdown]
# ## So: where does it go wrong, and when?
#
# It goes wrong in some directions more than in others, and the matrix lets one hear whether a mistaken voice lies
# between two classes or was misheard. Over time it goes wrong where classes change and where
# windows are short; {numref}`fig-listening-windows` says what a longer look is worth. A voice of your own
# is next: the [playground](17_playground) asks it.
