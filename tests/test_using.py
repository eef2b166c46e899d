"""A model folder in other people's code: transformers finds it, and answers as the package does."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from transformers import AutoModel, AutoProcessor, pipeline
from typer.testing import CliRunner

import paraclap
from paraclap import ParaCLAP, audio, command, levels, origin, publishing, registering
from paraclap.measured import FUNCTIONALS
from paraclap.towers import build

ROOT = Path(__file__).resolve().parent.parent
WORDS = ["angry", "sad", "calm"]
TEMPLATE = "speaker is {}"
TASK = "zero-shot-audio-classification"
TOWERS = ["smoke", "egemaps", "egemaps+smoke"]


def made(tower: str) -> ParaCLAP:
    """A tiny model; one that reads functionals knows their spread."""
    model = build(tower, "smoke", 16, 0.2, "mean", seed=1).eval()
    assert model.processor is not None
    if model.processor.measures:
        values = np.random.default_rng(1).normal(size=(40, FUNCTIONALS))
        model.processor.feature_extractor.fit(values)
    return model


@pytest.fixture(params=TOWERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Folder of a model, one for each kind of audio tower."""
    made(request.param).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def files(voices: pd.DataFrame) -> list[str]:
    """Five voices of five lengths."""
    return voices.index.get_level_values("file")[::12].tolist()


def run(code: str, *arguments: str) -> list[str]:
    """Lines that a Python of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def table(answers: list[list[dict[str, float]]]) -> np.ndarray:
    """Probabilities that a pipeline gives, voices by words."""
    return np.array([[{a["label"]: a["score"] for a in one}[w] for w in WORDS] for one in answers])


# --- pipeline ----------------------------------------------------------------------------------


def test_a_pipeline_answers_as_classify_does(folder: Path, files: list[str]) -> None:
    ask = pipeline(TASK, model=str(folder))
    signals = [audio.read(file) for file in files]
    answers = ask(signals, candidate_labels=WORDS, hypothesis_template=TEMPLATE)
    expected = paraclap.classify(ParaCLAP.from_pretrained(folder), files, WORDS, TEMPLATE)
    np.testing.assert_allclose(table(answers), expected[WORDS], atol=1e-5)
    assert [one[0]["label"] for one in answers] == expected["prediction"].tolist()


def test_batches_of_a_pipeline_answer_as_single_voices_do(folder: Path, files: list[str]) -> None:
    ask = pipeline(TASK, model=str(folder))
    asked = {"candidate_labels": WORDS, "hypothesis_template": TEMPLATE}
    signals = [audio.read(file) for file in files]
    many = table(ask(signals, **asked))
    np.testing.assert_allclose(table([ask(one, **asked) for one in signals]), many, atol=1e-6)
    np.testing.assert_allclose(table(ask(signals, batch_size=3, **asked)), many, atol=1e-5)


def test_the_masks_of_voices_and_queries_have_names_of_their_own(
    folder: Path, files: list[str]
) -> None:
    processor = AutoProcessor.from_pretrained(folder)
    signals = [audio.read(file) for file in files]
    voices, queries = processor(audio=signals), processor(text=WORDS)
    assert set(voices) == {"input_values", "audio_attention_mask"}
    assert not set(voices) & set(queries)


# --- Auto classes ------------------------------------------------------------------------------


def test_auto_classes_give_the_model_and_its_processor(folder: Path, files: list[str]) -> None:
    own = ParaCLAP.from_pretrained(folder)
    auto, processor = AutoModel.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    signals = [audio.read(file) for file in files]
    inputs = processor(text=WORDS, audio=signals, sampling_rate=16_000)
    with torch.inference_mode():
        expected = own(**own.prepare(text=WORDS, audio=signals)).logits_per_audio
        assert torch.equal(auto(**inputs).logits_per_audio, expected)
        assert torch.equal(
            auto.get_audio_features(**processor(audio=signals, sampling_rate=16_000)),
            own.get_audio_features(**own.prepare(audio=signals)),
        )


@pytest.mark.parametrize("first", ["import paraclap", "import transformers"])
def test_import_paraclap_is_all_that_transformers_needs(first: str, saved: Path) -> None:
    code = f"""{first}
import sys, paraclap
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor, pipeline
for auto in (AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor):
    print(type(auto.from_pretrained(sys.argv[1])).__name__)
print(pipeline("{TASK}", model=sys.argv[1]).model.config.model_type)
"""
    names = ["ParaCLAPConfig", "ParaCLAPFeatureExtractor", "ParaCLAP", "ParaCLAPProcessor"]
    assert run(code, str(saved)) == [*names, "paraclap"]


def test_import_paraclap_waits_for_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, paraclap; print(*sorted({'torch', 'transformers', 'pandas'} & {*sys.modules}))"
    )
    assert run(code) == [""]


def test_modules_that_import_transformers_themselves_load_first() -> None:
    assert run("import paraclap.processor; print('loaded')") == ["loaded"]


def test_the_lookout_finds_nothing_but_transformers() -> None:
    lookout = registering.Lookout()
    assert lookout.find_spec("torch", None) is None
    assert lookout.find_spec("transformers.models", ["anywhere"]) is None
    spec = lookout.find_spec("transformers", None)
    assert spec is not None and spec.name == "transformers"


# --- folders -----------------------------------------------------------------------------------


def test_a_folder_holds_all_that_others_need(folder: Path) -> None:
    names = {file.name for file in folder.iterdir()}
    needed = {"config.json", "model.safetensors", "processor_config.json", "tokenizer.json"}
    assert needed <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["model_type"] == "paraclap"
    assert config["architectures"] == ["ParaCLAP"]


def card_of(folder: Path) -> None:
    (folder / "README.md").write_text(
        f"# A card\n\nweights `{origin.model_hash(folder)}`\n", "utf-8"
    )


def test_a_folder_is_published_with_its_card_and_without_what_else_lies_there(saved: Path) -> None:
    card_of(saved)
    (saved / "notes.md").write_text("mine")
    names = publishing.check(saved)
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= set(names)
    assert "notes.md" not in names


def test_what_is_published_is_a_model_elsewhere(
    saved: Path, files: list[str], tmp_path: Path
) -> None:
    card_of(saved)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in publishing.check(saved):
        shutil.copy(saved / name, elsewhere)
    answers = [
        paraclap.classify(ParaCLAP.from_pretrained(place), files, WORDS, TEMPLATE)
        for place in (saved, elsewhere)
    ]
    pd.testing.assert_frame_equal(*answers)


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("README.md", r"No README\.md in .*: chapter 14 writes README\.md"),
        ("tokenizer.json", r"No tokenizer\.json in "),
        ("model.safetensors", r"safetensors"),
    ],
)
def test_an_incomplete_folder_is_not_published(saved: Path, lacks: str, said: str) -> None:
    card_of(saved)
    (saved / lacks).unlink()
    with pytest.raises(FileNotFoundError, match=said):
        publishing.push(saved, "nobody/nothing")


def test_a_card_of_other_weights_is_not_published(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card_of(saved)
    assert publishing.main([str(saved)]) == 0
    assert capsys.readouterr().out.startswith("Complete: README.md config.json")
    build("smoke", "smoke", 16, 0.2, "mean", seed=2).save_pretrained(saved)
    assert publishing.main([str(saved), "nobody/nothing"]) == 1
    assert "is not of its weights" in capsys.readouterr().err


# --- README ------------------------------------------------------------------------------------


def readme(title: str, language: str) -> list[str]:
    """Pieces of code in a section of the README."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def home(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a demo model, in which somebody works on a WAV of their own."""
    shutil.copytree(saved, tmp_path / "runs" / "demo" / "model")
    rng = np.random.default_rng(0)
    (tmp_path / "recordings").mkdir()
    for name in ("voice.wav", "recordings/a.wav"):
        soundfile.write(tmp_path / name, rng.normal(0, 0.1, (33_075, 2)), 44_100)
    (tmp_path / "runs" / "demo" / "edges.json").write_text(
        json.dumps(
            {
                "version": levels.VERSION,
                "quantiles": [0.3, 0.7],
                "attributes": {"duration": {"column": "duration", "low": 1.0, "high": 2.0}},
            }
        )
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path))
    return tmp_path


def test_what_the_readme_shows_of_other_packages_runs(home: Path, files: list[str]) -> None:
    _, ask, learn = readme("Three lines of Python", "python")
    names = {
        "signal": audio.read("voice.wav"),
        "files": files,
        "truth": ["sad", "angry"] * 2 + ["sad"],
    }
    learn = learn.replace('["{}", "speaker is {}"]})', '["{}", "speaker is {}"]}, cv=2)')
    for code in (ask, learn):
        exec(compile(code, "README.md", "exec"), names)
    assert sorted(names["asked"].classes_) == ["angry", "happy", "sad"]


def test_the_commands_of_the_readme_run(home: Path) -> None:
    (lines,) = readme("From the shell", "sh")
    said = {}
    for line in lines.splitlines()[1:]:
        name, *arguments = shlex.split(line)
        assert name == "paraclap"
        done = CliRunner().invoke(command.app, arguments)
        assert done.exit_code == 0, (line, done.stderr)
        said[arguments[0], arguments[-1]] = done.stdout
    assert said["score", "happy,sad,angry"].split()[:5] == [
        "file",
        "happy",
        "sad",
        "angry",
        "prediction",
    ]
    assert "  has a short duration\n" in said["queries", "voice.wav"]
    assert (home / "features.parquet").is_file()
