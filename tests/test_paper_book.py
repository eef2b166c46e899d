"""The book on the corpora of the paper, in small: real layouts, synthetic speech, tiny towers."""

from __future__ import annotations

import json
from pathlib import Path

import layouts
import pytest

from paraclap import book, tables
from paraclap.corpora import known
from paraclap.pages import BookError

ROOT = Path(__file__).resolve().parent.parent
RAND5 = ROOT / "params" / "paper" / "rand5.yaml"
TINY = [
    "audio_encoder=smoke",
    "text_encoder=smoke",
    "text_pooling=mean",
    "projection_dim=16",
    "batch=8",
    "steps=4",
    "crop_seconds=0.8",
    "workers=0",
    "jobs=1",
    "draws=20",
    "variants=rand5",
    "measure_seconds=0.05",
    "measure_repeats=2",
]
TASKS = ["msp-podcast", "iemocap", "ravdess", "crema-d", "tess", "fau-aibo-5", "alc", "sld"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment with the folder of each corpus."""
    made = layouts.everything(tmp_path_factory.mktemp("corpora"))
    return {known.variable(name): folder for name, folder in made.items()}


@pytest.fixture(scope="module")
def run(folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in folders.items():
            patch.setenv(name, folder)
        return book.run(RAND5, runs=str(runs), overrides=TINY, only="0")


def printed(run: Path, chapter: str) -> str:
    """All outputs of a chapter as text."""
    notebook = json.loads((run / "notebooks" / f"{chapter}.ipynb").read_text("utf-8"))
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    parts = [out.get("text", "") for out in outputs]
    parts += [part for out in outputs for part in out.get("data", {}).values()]
    return "\n".join("".join(part) for part in parts)


def test_one_params_file_asks_the_questions_of_all_corpora(run: Path) -> None:
    scores = tables.read_table(run / "scores.csv")
    assert scores["task"].tolist() == [*TASKS, "fau-aibo-2"]
    labels = tables.read_table(run / "labels.parquet")
    learned = labels.loc[labels["split"] == "train", "corpus"].unique().tolist()
    assert learned == ["msp-podcast"]
    told = set(labels.loc[labels["synthetic"], "corpus"])
    assert told == {*TASKS} - {"fau-aibo-5", "sld"}, "SPHERE files have no place for a comment"


def test_classes_are_asked_for_in_the_words_of_the_paper(run: Path) -> None:
    said = printed(run, "05_evaluation")
    for words in (
        "anger / disgust / fear / happiness / neutral / sadness / pleasant surprise",
        "angry / emphatic / neutral / positive / rest",
        "intoxicated with alcohol / not intoxicated with alcohol",
    ):
        assert words in said


def test_synthetic_speech_in_the_layouts_of_the_paper_is_not_the_paper(run: Path) -> None:
    said = printed(run, "05_evaluation")
    assert "This run heard synthetic speech: nothing stands beside it" in said
    assert "and this run (measured)" not in said


def test_training_leaves_out_voices_without_an_agreed_emotion(run: Path) -> None:
    labels = tables.read_table(run / "labels.parquet")
    disagreed = (labels["emotion"] == "no_agreement") & (labels["split"] == "train")
    assert disagreed.any()
    assert f"Left out {disagreed.sum()} training voices" in printed(run, "04_training")


def test_a_title_of_the_paper_is_refused(
    folders: dict[str, str], run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, folder in folders.items():
        monkeypatch.setenv(name, folder)
    with pytest.raises(BookError, match="this run was measured on synthetic speech"):
        book.run(RAND5, runs=str(run.parent), overrides=[*TINY, "table_title=Table 1"], only="05")


def test_missing_corpora_stop_the_book_at_once_and_are_all_named(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, folder in folders.items():
        monkeypatch.setenv(name, folder)
    monkeypatch.delenv("PARACLAP_MSP_PODCAST")
    monkeypatch.setenv("PARACLAP_ALC", str(tmp_path / "nowhere"))
    with pytest.raises(BookError) as caught:
        book.run(RAND5, runs=str(tmp_path / "runs"), overrides=TINY, only="01")
    message = str(caught.value)
    assert "2 of 8 corpora cannot be read; nothing has been done yet" in message
    assert "PARACLAP_MSP_PODCAST is not set" in message
    for name in ("msp-podcast", "alc"):
        corpus = known.CORPORA[name]
        assert corpus.title in message and corpus.url in message and corpus.layout in message
    assert not list((tmp_path / "runs").glob("*/labels.parquet"))


def test_sessions_of_iemocap_are_scored_one_by_one(run: Path) -> None:
    labels = tables.read_table(run / "labels.parquet")
    sessions = labels.loc[labels["corpus"] == "iemocap", "session"]
    assert set(sessions) == {"1", "2", "3", "4", "5"}
    assert labels.loc[labels["corpus"] != "iemocap", "session"].isna().all()
