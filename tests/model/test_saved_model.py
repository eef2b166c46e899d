"""A model folder: saved, loaded, used by transformers, with and without this package."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi, ModelCard
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoProcessor,
    AutoTokenizer,
    pipeline,
)

from paraclap.model import ParaCLAP, ParaCLAPFeatureExtractor, build
from paraclap.model.functionals import FUNCTIONALS

ROOT = Path(__file__).parents[2]
WORDS = ["angry", "very sad"]
TASK = "zero-shot-audio-classification"


@pytest.fixture
def copy(model_folder, tmp_path):
    """A folder of a model to be changed."""
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def made(encoder):
    """A tiny model; one that reads functionals knows their scaling."""
    model = build(encoder, "smoke", 16, 0.2, "mean", seed=1).eval()
    if model.processor.feature_extractor.functionals:
        values = np.random.default_rng(1).normal(size=(40, FUNCTIONALS))
        model.processor.feature_extractor.fit(values)
    return model


def signals():
    rows = np.random.default_rng(2).normal(0, 0.1, (3, 15_000)).astype(np.float32)
    return [row[: 9000 + 3000 * n] for n, row in enumerate(rows)]


def given(model):
    count = model.processor.feature_extractor.functionals
    return np.random.default_rng(3).normal(size=(3, count)) if count else None


def logits(model):
    inputs = model.prepare(text=WORDS, audio=signals(), functionals=given(model))
    with torch.inference_mode():
        return model(**inputs).logits_per_audio.numpy()


def change(file, values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize("encoder", ["smoke", "egemaps", "egemaps+smoke"])
def test_saving_and_loading_keep_every_bit(encoder, tmp_path):
    model = made(encoder).train()
    model.save_pretrained(tmp_path)
    again = ParaCLAP.from_pretrained(tmp_path)
    assert not again.training
    np.testing.assert_array_equal(logits(model.eval()), logits(again))
    auto = AutoModel.from_pretrained(tmp_path)
    assert type(auto) is ParaCLAP
    np.testing.assert_array_equal(logits(auto), logits(again))


def test_a_folder_holds_weights_as_data_and_everybody_may_read_it(tmp_path):
    umask = os.umask(0o027)
    try:
        made("smoke").save_pretrained(tmp_path / "model")
    finally:
        os.umask(umask)
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "model").iterdir()}
    assert {"config.json", "model.safetensors", "processor_config.json"} <= modes.keys()
    assert {"tokenizer.json", "modeling.py", "layers.py", "functionals.py"} <= modes.keys()
    assert set(modes.values()) == {0o640}
    assert not [name for name in modes if name.endswith((".bin", ".pt", ".pkl"))]
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert (config["model_type"], config["architectures"]) == ("paraclap", ["ParaCLAP"])


def test_saving_and_loading_print_nothing(model_folder, tmp_path, capfd):
    ParaCLAP.from_pretrained(model_folder).save_pretrained(tmp_path)
    build("smoke", "minilm", 16)
    AutoModel.from_pretrained(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_later_changes_of_the_file_do_not_reach_the_model(copy):
    model = ParaCLAP.from_pretrained(copy)
    before = logits(model)
    weights = copy / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(weights.stat().st_size // 2)
        file.write(b"\xff" * (weights.stat().st_size // 2))
    np.testing.assert_array_equal(logits(model), before)


def test_arguments_of_transformers_are_taken(model_folder):
    options = {"projection_dropout": 0.0, "dtype": torch.bfloat16, "attn_implementation": "eager"}
    for owner in (ParaCLAP, AutoModel):
        model, info = owner.from_pretrained(model_folder, output_loading_info=True, **options)
        assert type(model) is ParaCLAP and not info["missing_keys"]
        assert (model.config.projection_dropout, model.dtype) == (0, torch.bfloat16)
        assert model.text_model.config._attn_implementation == "eager"


def test_arguments_of_the_hub_reach_every_part(model_folder, tmp_path):
    repository = tmp_path / "models--you--voices"
    (repository / "refs").mkdir(parents=True)
    for number, branch in enumerate(("main", "second")):
        commit = str(number) * 40
        (repository / "refs" / branch).write_text(commit)
        place = repository / "snapshots" / commit / "inner"
        shutil.copytree(model_folder, place)
        extractor = json.loads((place / "processor_config.json").read_text())
        extractor["feature_extractor"]["min_samples"] = 1000 + number
        (place / "processor_config.json").write_text(json.dumps(extractor))
        change(place / "config.json", {"projection_dropout": 0.1 * number})
    options = {"cache_dir": tmp_path, "subfolder": "inner", "local_files_only": True}
    for number, branch in enumerate(("main", "second")):
        model = ParaCLAP.from_pretrained("you/voices", revision=branch, token=False, **options)
        assert model.processor.feature_extractor.min_samples == 1000 + number
        assert model.config.projection_dropout == 0.1 * number
        assert len(model.processor.tokenizer) == 30522


def test_a_model_without_a_processor_is_loaded_without_one(tmp_path):
    model = made("smoke")
    model.processor = None
    model.save_pretrained(tmp_path)
    assert ParaCLAP.from_pretrained(tmp_path).processor is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"projection_dim": 32}, "Bad weights in '.*copy' .*'mismatched': "),
        ({"logit_bias_init": 0.0}, r"'missing': \['logit_bias'\]"),
        ({"audio_config": {"model_type": "whisper"}}, "Bad audio encoder 'whisper'"),
        ({"text_pooling": "max"}, "Bad text_pooling 'max'"),
    ],
)
def test_a_configuration_of_another_model_is_refused(copy, values, message):
    change(copy / "config.json", values)
    with pytest.raises(ValueError, match=message):
        ParaCLAP.from_pretrained(copy)


def test_damaged_files_are_refused(copy):
    file = copy / "model.safetensors"
    weights = load_file(file)
    weights |= {"extra": torch.zeros(3), "logit_scale": torch.tensor(float("nan"))}
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"'unexpected': \['extra'\], 'not finite': \['logit_sc"):
        ParaCLAP.from_pretrained(copy)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(OSError, match=r"No model at .*copy' that can be read \(Error"):
        ParaCLAP.from_pretrained(copy)
    with pytest.raises(OSError, match=r"No model at .*nowhere' .*, expected its folder or hub id"):
        ParaCLAP.from_pretrained(copy / "nowhere")


def test_a_damaged_tokenizer_is_refused(copy):
    (copy / "tokenizer.json").write_text("{")
    with pytest.raises(OSError, match="Unreadable tokenizer or preprocessing in"):
        ParaCLAP.from_pretrained(copy)


def test_a_pipeline_answers_as_the_model_alone_and_in_batches(model_folder):
    model = ParaCLAP.from_pretrained(model_folder)
    asked = {"candidate_labels": WORDS, "hypothesis_template": "speaker is {}"}
    texts = [f"speaker is {word}" for word in WORDS]
    with torch.inference_mode():
        output = model(**model.prepare(text=texts, audio=signals())).logits_per_audio.softmax(-1)
    ask = pipeline(TASK, model=str(model_folder))
    for options in ({}, {"batch_size": 3}):
        answers = ask(signals(), **asked, **options)
        found = [[{a["label"]: a["score"] for a in one}[w] for w in WORDS] for one in answers]
        np.testing.assert_allclose(found, output, atol=1e-5)


def test_auto_classes_give_the_parts(model_folder):
    assert AutoConfig.from_pretrained(model_folder).projection_dim == 16
    extractor = AutoFeatureExtractor.from_pretrained(model_folder)
    assert isinstance(extractor, ParaCLAPFeatureExtractor)
    model, processor = (one.from_pretrained(model_folder) for one in (ParaCLAP, AutoProcessor))
    batch = processor(text=WORDS, audio=signals(), sampling_rate=16_000)
    with torch.inference_mode():
        np.testing.assert_array_equal(model(**batch).logits_per_audio, logits(model))
        tokens = AutoTokenizer.from_pretrained(model_folder)(
            WORDS, padding=True, return_tensors="pt"
        )
        expected = model.get_text_features(**processor(text=WORDS)).pooler_output
        torch.testing.assert_close(model.get_text_features(**tokens).pooler_output, expected)


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
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor, pipeline
trusted = {"trust_remote_code": True}
for folder in sys.argv[2:]:
    data = np.load(f"{folder}.npz")
    signals = [data[name] for name in data if name.startswith("signal")]
    processor = AutoProcessor.from_pretrained(folder, **trusted)
    model = AutoModel.from_pretrained(folder, **trusted)
    inputs = processor(["angry", "very sad"], signals, functionals=data.get("functionals"))
    with torch.inference_mode():
        np.save(f"{folder}.npy", model(**inputs).logits_per_audio)
    ask = pipeline("zero-shot-audio-classification", model=folder, **trusted)
    own = [model, model.processor, processor, ask.model, ask.feature_extractor]
    own += [auto.from_pretrained(folder, **trusted) for auto in (AutoConfig, AutoFeatureExtractor)]
    print({type(one).__module__.split(".")[0] for one in own})
    try:
        print(len(ask(signals[0], candidate_labels=["angry", "very sad"])))
    except ImportError as error:
        print(error)
print("paraclap" in sys.modules)
try:
    AutoModel.from_pretrained(folder)
except ValueError as error:
    print("trust_remote_code=True" in str(error))
"""


def test_a_folder_answers_alike_where_paraclap_is_not_installed(tmp_path):
    expected = {}
    for name in ("smoke", "egemaps+smoke"):
        model, folder = made(name), tmp_path / name.replace("+", "_")
        model.save_pretrained(folder)
        arrays = {f"signal{n}": signal for n, signal in enumerate(signals())}
        values = given(model)
        np.savez(f"{folder}.npz", **arrays, **({} if values is None else {"functionals": values}))
        expected[folder] = logits(ParaCLAP.from_pretrained(folder))
    torchaudio = ROOT / "paraclap" / "_torchaudio.py"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": f"{tmp_path}/home"}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(torchaudio), *map(str, expected)],
        env=environment,
        cwd=Path(sys.prefix),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = done.stdout.splitlines()
    for folder, values in expected.items():
        np.testing.assert_allclose(np.load(f"{folder}.npy"), values, atol=1e-5)
        assert told.pop(0) == "{'transformers_modules'}"
        assert told.pop(0) in ("2", "No module named 'paraclap'")
    assert told[0] == "False" and told[-1].endswith("True")


def test_where_paraclap_is_imported_the_package_answers_and_not_the_copy(copy):
    before = logits(ParaCLAP.from_pretrained(copy))
    (copy / "modeling.py").write_text("raise RuntimeError('run')\n", "utf-8")
    for options in ({}, {"trust_remote_code": True}):
        model = AutoModel.from_pretrained(copy, **options)
        assert type(model) is ParaCLAP
        np.testing.assert_array_equal(logits(model), before)


def test_a_model_is_published_with_its_code_and_its_card(copy, tmp_path, monkeypatch):
    (copy / "README.md").write_text("---\nlicense: mit\n---\n# A card of its scores\n", "utf-8")
    hub: dict[str, str] = {}

    def upload(_, folder, *__, **___):
        hub.update({path.name: path.read_text(errors="ignore") for path in Path(folder).iterdir()})
        return "https://hub/commit"

    repository = type("Repository", (), {"repo_id": "you/voices"})
    monkeypatch.setattr(HfApi, "create_repo", lambda *_, **__: repository)
    monkeypatch.setattr(ParaCLAP, "_upload_modified_files", upload)
    monkeypatch.setattr(
        ModelCard, "push_to_hub", lambda card, *_, **__: hub.update({"README.md": str(card)})
    )
    model = ParaCLAP.from_pretrained(copy)
    assert model.push_to_hub("you/voices") == "https://hub/commit"
    assert {"modeling.py", "model.safetensors", "tokenizer.json"} <= hub.keys()
    assert "A card of its scores" in hub["README.md"]
