"""Loaders of the eight corpora, from their folders as the publishers give them away.

Names of classes are those of the paper (``codes.csv``). Of the acted corpora (IEMOCAP, RAVDESS,
CREMA-D, TESS) no split is published; FAU Aibo, ALC and SLD have those of the Interspeech challenges
of 2009, 2011 and 2012. Chapter 1.

Sources: section 3 of the paper; Lotfian and Busso 2019 (MSP-Podcast); Busso et al. 2008 (IEMOCAP);
Livingstone and Russo 2018 (RAVDESS); Cao et al. 2014 (CREMA-D); Dupuis and Pichora-Fuller 2010
(TESS); Steidl 2009 (FAU Aibo); Schiel et al. 2012 (ALC); Burkhardt et al. 2011 (SLD).
"""

from pathlib import Path

import pandas as pd

from paraclap.corpora.labels import TASK
from paraclap.corpora.paper import base
from paraclap.tables import report_rows


def msp_podcast(home: Path, notes: list[str]) -> pd.DataFrame:
    """Spontaneous speech from podcasts, the training corpus of the paper.

    ``Labels/labels_consensus.csv`` (up to release 1.8 ``labels_concensus.csv``) has a row per file
    with the class, the mean ratings (1 to 7), the speaker, and the published split. The labels of
    the third test set are hidden; it is left out. The published count is the paper's: utterances
    for training in release 1.9, those without agreement included.
    """
    path = max(home.glob("Labels/labels_con[sc]ensus.csv"))
    ratings = {"EmoAct": "arousal", "EmoVal": "valence", "EmoDom": "dominance"}
    columns = ["FileName", "EmoClass", *ratings, "SpkrID", "Gender", "Split_Set"]
    rows = base.table(path, columns).rename(columns={"FileName": "id"})
    rows = base.matched(rows, [home / "Audios", home / "Audio"], path.name, notes)
    rows["split"], where = rows["Split_Set"].str.lower(), f"Split_Set of {path.name}"
    note = "{} utterances of Test3 left out: their labels are hidden."
    rows = base.left_out(rows, rows["split"] == "test3", note, notes)
    for theirs, ours in ratings.items():
        rows[ours] = pd.to_numeric(rows[theirs], errors="coerce")
        bad, expected = rows[theirs].notna() & ~rows[ours].between(1, 7), "ratings from 1 to 7"
        report_rows(rows.set_index(["id"]), bad, theirs, path.name, f"{expected}: correct it there")
    return rows.assign(
        emotion=base.words(rows["EmoClass"], "msp-podcast", rows["id"], path.name),
        split=base.words(rows["split"], "msp-podcast split", rows["id"], where),
        speaker=rows["SpkrID"].mask(rows["SpkrID"].str.lower() == "unknown"),
        gender=rows["Gender"],
    )


def iemocap(home: Path, notes: list[str]) -> pd.DataFrame:
    """Ten actors in five sessions of dialogue, with the usual four emotions.

    Lines with a bracket first in ``SessionN/dialog/EmoEvaluation/*.txt`` give each utterance the
    emotion that most raters chose. Happiness and excitement are one class; other emotions and
    utterances without agreement are left out. The name of an utterance ends with the speaker:
    ``Ses01F_impro01_M000`` is the man's, although the woman wears the markers.
    """
    where, form = "the files of EmoEvaluation", r"^Ses0?(?P<session>\d)[FM]_.*_(?P<gender>[FM])\d+$"
    paths = sorted(home.glob("Session?/dialog/EmoEvaluation/[!.]*.txt"))
    rows = base.lines(paths, r"^\[[^\]]*\]\s+(?P<id>\S+)\s+(?P<code>\S+)")
    rows = rows.join(rows["id"].str.extract(form))
    note = "{} lines with unusual names left out: {}."
    rows = base.left_out(rows, rows["gender"].isna(), note, notes)
    rows = base.matched(rows, sorted(home.glob("Session?/sentences/wav")), where, notes)
    rows["emotion"] = base.words(rows["code"], "iemocap", rows["id"], where)
    rows["speaker"] = "Ses0" + rows["session"] + rows["gender"]
    other = rows["emotion"] == ""
    counts = [f"{code} {n:,}" for code, n in rows["code"][other].value_counts().items()]
    note = f"{{}} utterances of other classes left out: {', '.join(counts)}."
    return base.left_out(rows, other, note, notes)


def ravdess(home: Path, notes: list[str]) -> pd.DataFrame:
    """24 actors say two sentences in eight emotions; only speech is taken.

    ``03-01-EE-II-SS-RR-AA.wav``: modality (03 audio only), channel (01 speech, 02 song), emotion,
    intensity, statement, repetition, actor. Actors with odd numbers are male.
    """
    name = r"(?P<kind>\d\d-\d\d)-(?P<code>\d\d)(?:-\d\d){3}-(?P<speaker>\d\d)"
    rows = base.parsed([home], name, "03-01-05-01-02-01-12.wav", notes)
    rows = base.left_out(rows, rows["kind"] != "03-01", "{} files of song left out.", notes)
    rows["gender"] = (rows["speaker"].astype(int) % 2).map({1: "male", 0: "female"})
    where = "the file names of RAVDESS"
    return rows.assign(emotion=base.words(rows["code"], "ravdess", rows["id"], where))


def crema_d(home: Path, notes: list[str]) -> pd.DataFrame:
    """91 actors say twelve sentences in six emotions.

    ``1001_DFA_ANG_XX.wav``: actor, sentence, emotion, level. The labels are the intended emotions;
    those that listeners perceived often differ. One file is published without sound.
    """
    folder = home / "AudioWAV" if (home / "AudioWAV").is_dir() else home
    name = r"(?P<speaker>\d{4})_[a-z]{3}_(?P<code>[a-z]+)_\w+"
    rows = base.parsed([folder], name, "1001_DFA_ANG_XX.wav", notes)
    people, sexes = home / "VideoDemographics.csv", pd.Series(dtype="str")
    if people.is_file():
        sexes = base.table(people, ["ActorID", "Sex"]).set_index("ActorID")["Sex"]
    if lost := sorted(set(rows["speaker"]) - set(sexes.index)):
        notes.append(f"Gender of {len(lost)} actors is not in {people.name}: {base.first(lost)}.")
    codes, where = rows["code"].str.upper(), "the file names of CREMA-D"
    rows["emotion"] = base.words(codes, "crema-d", rows["id"], where)
    return rows.assign(gender=rows["speaker"].map(sexes))


def tess(home: Path, notes: list[str]) -> pd.DataFrame:
    """Two actresses, OAF the older and YAF the younger, say 200 words in seven emotions.

    ``OAF_back_angry.wav``: actress, word, emotion. Copies differ: names are in any case, and one
    file may be ``OA_bite_neutral.wav``. `ps`, pleasant surprise, is taken as surprise.
    """
    rows = base.parsed([home], r"(?P<who>[oy]a)f?_[^_]+_(?P<code>.+)", "OAF_back_angry.wav", notes)
    rows["emotion"] = base.words(rows["code"], "tess", rows["id"], "the file names of TESS")
    return rows.assign(speaker=rows["who"].str.upper() + "F", gender="female")


def fau_aibo(home: Path, notes: list[str]) -> pd.DataFrame:
    """Children speak to a robot dog that does not always obey; two tasks on one audio.

    ``labels/IS2009EmotionChallenge/chunk_labels_{2cl,5cl}_corpus.txt`` have a line per utterance:
    name, class and confidence. The first part of a name is the school, Ohm for training and Mont
    for testing; the second is the child. With both files the label is that of five classes, and
    the column ``task:fau-aibo-2`` has that of two. The released code says motherese for positive.
    """
    folder, labels = home / "labels" / "IS2009EmotionChallenge", []
    for path in sorted(folder.glob("chunk_labels_[25]cl_corpus.txt"), reverse=True):
        task = f"fau-aibo-{path.name[13]}"
        rows = base.lines([path], r"^\s*(?P<id>[^\s.]+)\S*\s+(?P<code>\S+)\s+\S+\s*$")
        rows[TASK + task] = base.words(rows.pop("code"), task, rows["id"], path.name)
        labels.append(rows)
    main = str(labels[0].columns[-1])
    rows = labels[0].merge(labels[-1], how="outer")  # by name
    rows = base.matched(rows, [home / "wav"], "the label files", notes)
    names = rows["id"].str.split("_")
    return rows.rename(columns={main: "label"}).assign(
        corpus=main.removeprefix(TASK),
        split=base.words(names.str[0], "fau-aibo split", rows["id"], "schools of the label files"),
        speaker=names.str[0] + "-" + names.str[1],
    )


def alc(home: Path, notes: list[str]) -> pd.DataFrame:
    """The same people sober and after drinking.

    Files for testing lie in ``DIST/TEST``; others are taken where ``DIST/TRAIN`` or ``DIST/DEVEL``
    is there. Columns `speaker` and `gender` of the table are used if it has them.
    """
    rows = base.table(home / "ALC.csv", ["file", "challenge_class"]).rename(columns={"file": "id"})
    rows["label"] = base.words(rows["challenge_class"], "alc", rows["id"], "ALC.csv")
    splits = base.CODES["alc split"]
    rows = base.matched(rows, [home / "DIST" / name for name in splits], "ALC.csv", notes)
    rows["split"] = [splits[file.relative_to(home).parts[1]] for file in rows["file"]]
    if "speaker" not in rows:
        notes.append("No column speaker in ALC.csv: each file counts as one.")
        rows["speaker"] = rows["id"].map(base.key)
    return rows


def sld(home: Path, notes: list[str]) -> pd.DataFrame:
    """Are these telephone voices likable?

    The name of a file starts with its split, such as ``devel_…``. Each file has another speaker.
    """
    table = "LSC_final_geheim.csv"
    rows = base.table(home / table, ["file", "likability"]).rename(columns={"file": "id"})
    rows["label"] = base.words(rows["likability"], "sld", rows["id"], table)
    rows = base.matched(rows, [home / "wav"], table, notes)
    rows["speaker"] = rows["id"].map(base.key)
    starts, where = rows["speaker"].str.split("_").str[0], f"what file names in {table} start with"
    return rows.assign(split=base.words(starts, "sld split", rows["id"], where))
