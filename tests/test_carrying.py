"""A model folder carries its own code: it answers alike where paraclap is not installed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi
from transformers import AutoModel

from paraclap import ParaCLAP, carrying, origin, publishing
from paraclap.measured import FUNCTIONALS
from paraclap.towers import build

ROOT = Path(__file__).resolve().parent.parent
WORDS = ["angry", "very sad"]
# A Python that cannot import paraclap. The first line lets transformers live with a torchaudio
# that does not load beside this torch; it is run from its file, not imported.
ELSEWHERE = """
import runpy, sys
runpy.run_path(sys.argv[1])
class Blocked:
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "paraclap":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
import numpy as np, torch
from pathlib import Path
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor, pipeline
trusted = {"trust_remote_code": True}
def ask_for(folder):
    signals = [row[: 9000 + 3000 * n] for n, row in enumerate(np.load(f"{folder}.npy"))]
    processor = AutoProcessor.from_pretrained(folder, **trusted)
    model = AutoModel.from_pretrained(folder, **trusted)
    inputs = processor(text=["angry", "very sad"], audio=signals, sampling_rate=16000)
    with torch.inference_mode():
        np.save(f"{folder}.out.npy", model(**inputs).logits_per_audio)
    ask = pipeline("zero-shot-audio-classification", model=folder, **trusted)
    own = [model, model.processor, processor, ask.model, ask.feature_extractor]
    own += [auto.from_pretrained(folder, **trusted) for auto in (AutoConfig, AutoFeatureExtractor)]
    print({type(one).__module__.split(".")[0] for one in own})
    print(ask(signals[0], candidate_labels=["angry", "very sad"], hypothesis_template="{}")[0])
    model.save_pretrained(f"{folder}-again")
    again = AutoModel.from_pretrained(f"{folder}-again", **trusted)
    with torch.inference_mode():
        print(torch.equal(again(**inputs).logits_per_audio, model(**inputs).logits_per_audio))
for folder in sys.argv[2:]:
    ask_for(folder)
print("paraclap" in sys.modules)
try:
    AutoModel.from_pretrained(folder)
except ValueError as error:
    print("trust_remote_code=True" in str(error))
"""


def made(tower: str, folder: Path) -> Path:
    """Folder of a tiny model with its code."""
    model = build(tower, "smoke", 16, 0.2, "mean", seed=1).eval()
    assert model.processor is not None
    if model.processor.measures:
        spread = np.random.default_rng(1).normal(size=(40, FUNCTIONALS))
        model.processor.feature_extractor.fit(spread)
    model.save_pretrained(folder)
    carrying.carry(folder)
    return folder


def signals() -> list[np.ndarray]:
    rows = np.random.default_rng(2).normal(0, 0.1, (3, 15_000)).astype(np.float32)
    return [row[: 9000 + 3000 * n] for n, row in enumerate(rows)]


def logits(model: Any) -> np.ndarray:
    with torch.inference_mode():
        found = model(**model.prepare(text=WORDS, audio=signals())).logits_per_audio
    return np.asarray(found)


def elsewhere(home: Path, *folders: Path) -> list[str]:
    """What a Python of its own, without the project, prints about some folders."""
    guard = str(ROOT / "paraclap" / "_torchaudio.py")
    own = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, guard, *map(str, folders)],
        cwd=home,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


# --- without paraclap --------------------------------------------------------------------------


def test_a_folder_with_code_answers_bit_for_bit_alike_without_paraclap(tmp_path: Path) -> None:
    folders = [made(tower, tmp_path / tower) for tower in ("smoke", "egemaps+smoke")]
    rows = np.zeros((3, 15_000), np.float32)
    for row, signal in zip(rows, signals(), strict=True):
        row[: len(signal)] = signal
    for folder in folders:
        np.save(f"{folder}.npy", rows)
    said = elsewhere(tmp_path, *folders)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for folder in folders:
        expected = logits(ParaCLAP.from_pretrained(folder))
        np.testing.assert_array_equal(np.load(f"{folder}.out.npy"), expected)
        assert said.pop(0) == "{'transformers_modules'}"
        assert WORDS[int(expected[0].argmax())] in said.pop(0)
        assert said.pop(0) == "True"
    torch.set_num_threads(threads)
    assert said[0] == "False" and said[-1].endswith("True")


# --- with paraclap -----------------------------------------------------------------------------


def test_where_paraclap_is_imported_the_package_answers_and_not_the_file(saved: Path) -> None:
    before = logits(ParaCLAP.from_pretrained(saved))
    carrying.carry(saved)
    (saved / carrying.CODE).write_text("raise RuntimeError('run')\n", "utf-8")
    for model in (
        ParaCLAP.from_pretrained(saved),
        AutoModel.from_pretrained(saved),
        AutoModel.from_pretrained(saved, trust_remote_code=True),
    ):
        assert type(model) is ParaCLAP
        np.testing.assert_array_equal(logits(model), before)


def test_a_model_saved_anew_speaks_of_no_code_that_is_not_there(
    saved: Path, tmp_path: Path
) -> None:
    plain = {file.name: file.read_text("utf-8") for file in saved.glob("*config.json")}
    carrying.carry(saved)
    for number, load in enumerate((ParaCLAP.from_pretrained, AutoModel.from_pretrained)):
        again = tmp_path / f"again{number}"
        load(saved).save_pretrained(again)
        assert not (again / carrying.CODE).exists()
        assert "auto_map" not in "".join(f.read_text("utf-8") for f in again.glob("*.json"))
        assert {f.name for f in again.glob("*config.json")} == set(plain)


def test_carrying_twice_is_carrying_once(saved: Path) -> None:
    carrying.carry(saved)
    first = {file.name: file.read_bytes() for file in saved.iterdir()}
    carrying.carry(saved)
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == first


# --- the code ----------------------------------------------------------------------------------


@pytest.mark.parametrize("measures", [False, True])
def test_the_code_names_nothing_of_the_package_and_only_what_it_defines(measures: bool) -> None:
    text = carrying.code(measures)
    tree = ast.parse(text)
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    tops = {name.split(".")[0] for name in imported}
    assert "paraclap" not in tops
    assert ("opensmile" in tops) == measures  # transformers says so where it lacks
    assert tops <= {*sys.stdlib_module_names, "numpy", "torch", "transformers", "safetensors"} | (
        {"opensmile"} if measures else set()
    )
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None
    done = subprocess.run(
        [ruff, "check", "--isolated", "--select", "F", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_definition_is_taken_as_it_stands_with_its_comments() -> None:
    source = (ROOT / "paraclap" / "pooling.py").read_text("utf-8")
    text = carrying.code(False)
    assert source[source.index("def masked_mean") : source.index("\n\n\ndef as_it_is")] in text
    assert "def from_released" not in text and "def push_to_hub" not in text


# --- uploading ---------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the hub: only what would travel over the network is replaced."""
    place = tmp_path / "hub"

    class Done:
        commit_url = "https://hub/commit"

    def upload(_: HfApi, *, repo_id: str, folder_path: str, **__: Any) -> Done:
        shutil.copytree(folder_path, place / repo_id)
        return Done()

    monkeypatch.setattr(HfApi, "upload_folder", upload)
    monkeypatch.setattr(HfApi, "create_repo", lambda *_, **__: None)
    return place


def card_of(folder: Path) -> str:
    card = f"# A card\n\nweights `{origin.model_hash(folder)}`\n"
    (folder / "README.md").write_text(card, "utf-8")
    return card


def test_push_to_hub_uploads_the_card_of_the_folder_and_the_code(saved: Path, hub: Path) -> None:
    card = card_of(saved)
    model = ParaCLAP.from_pretrained(saved)
    assert model.push_to_hub("you/voices", private=True) == "https://hub/commit"
    pushed = hub / "you" / "voices"
    assert (pushed / "README.md").read_text("utf-8") == card
    assert origin.model_hash(pushed) == origin.model_hash(saved)
    known = json.loads((pushed / "config.json").read_text("utf-8"))["auto_map"]
    assert known["AutoModel"] == "modeling_paraclap.ParaCLAP"
    assert (pushed / carrying.CODE).is_file()
    np.testing.assert_array_equal(logits(ParaCLAP.from_pretrained(pushed)), logits(model))


def test_publishing_a_folder_adds_the_code_and_leaves_the_folder_as_it_is(
    saved: Path, hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card_of(saved)
    before = {file.name: file.read_bytes() for file in saved.iterdir()}
    assert publishing.main([str(saved), "you/voices"]) == 0
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before
    assert {f.name for f in (hub / "you/voices").iterdir()} == {*before, carrying.CODE}
    assert capsys.readouterr().out == "https://hub/commit\n"


def test_code_is_written_into_a_folder_for_those_who_hand_it_on(saved: Path) -> None:
    card_of(saved)
    assert publishing.main([str(saved), "--code"]) == 0
    assert carrying.CODE in publishing.check(saved)


def test_a_model_without_a_card_or_that_has_learned_since_is_not_uploaded(
    saved: Path, hub: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"No card README\.md where this model comes from"):
        ParaCLAP.from_pretrained(saved).push_to_hub("you/voices")
    card_of(saved)
    model = ParaCLAP.from_pretrained(saved)
    with torch.no_grad():
        model.logit_scale += 1
    with pytest.raises(ValueError, match="is not of its weights"):
        model.push_to_hub("you/voices")
    assert not hub.exists()
