"""A model folder: saved, loaded, used by transformers, with and without this package."""

import json
import os
import shutil
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hub import serve
from huggingface_hub import HfApi, ModelCard
from safetensors.torch import load_file, save_file
from sounds import noise
from transformers import AutoModel, AutoProcessor, AutoTokenizer, pipeline

from paraclap import audio, classify
from paraclap.model import ParaCLAP, ParaCLAPFeatureExtractor, build
from paraclap.model.embedding import embed_audio, embed_text
from paraclap.model.functionals import FUNCTIONALS

ROOT = Path(__file__).parents[2]
WORDS = ["angry", "very sad"]
TASK = "zero-shot-audio-classification"
SIGNALS = noise(9000, 12_000, 15_000)


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


def given(model):
    count = model.processor.feature_extractor.functionals
    return np.random.default_rng(3).normal(size=(3, count)) if count else None


def logits(model):
    inputs = model.prepare(text=WORDS, audio=SIGNALS, functionals=given(model))
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


def test_arguments_of_the_hub_reach_every_part(tmp_path, monkeypatch):
    branches = {"main": "1" * 40, "second": "2" * 40}
    for number, commit in enumerate(branches.values()):
        model = build("smoke", "smoke", 16 + number, 0.2, "mean", seed=1)
        model.processor.feature_extractor.min_samples = 1000 + number
        model.processor.tokenizer.add_tokens([f"word{number}"])
        model.save_pretrained(tmp_path / commit / "inner")
    options = {"cache_dir": tmp_path / "cache", "subfolder": "inner", "token": "secret"}
    with serve(branches, tmp_path, monkeypatch) as asked:
        for number, branch in enumerate(({}, {"revision": "second"}, {"revision": "2" * 40})):
            model = (ParaCLAP, AutoModel)[number % 2].from_pretrained("a/b", **branch, **options)
            number = min(number, 1)
            assert len(model.audio_projection.linear1.weight) == 16 + number
            assert model.config.projection_dim == 16 + number
            assert model.processor.feature_extractor.min_samples == 1000 + number
            assert f"word{number}" in model.processor.tokenizer.get_vocab()
        assert asked == {("Bearer secret", commit) for commit in branches.values()}
        with pytest.raises(OSError, match="nope is not a valid git identifier"):
            ParaCLAP.from_pretrained("a/b", revision="nope", **options)
        for file in (tmp_path / branches["main"]).rglob("[pt]*o*e*"):  # processor, tokenizer
            file.unlink()
        place = {"subfolder": "inner", "cache_dir": tmp_path / "other"}
        assert ParaCLAP.from_pretrained("a/b", **place).processor is None
    asked.clear()
    ParaCLAP.from_pretrained("a/b", revision="second", local_files_only=True, **options)
    with pytest.raises(OSError, match="No model at 'a/b' that can be read"):
        ParaCLAP.from_pretrained("a/b", revision="second", local_files_only=True, **place)
    assert not asked


def test_a_model_may_lie_on_the_disk_in_part_or_whole(model_folder, labels, tmp_path):
    expected = embed_audio(ParaCLAP.from_pretrained(model_folder), labels[:3])
    parts = ("text_model", "audio_projection", "text_projection", "logit_scale")
    for kept in ({"audio_model": "disk", **dict.fromkeys(parts, "cpu")}, {"": "disk"}):
        options = {"device_map": kept, "offload_folder": str(tmp_path)}
        with warnings.catch_warnings(action="ignore"):  # of accelerate, about what is asked for
            model = ParaCLAP.from_pretrained(model_folder, **options)
        np.testing.assert_array_equal(embed_audio(model, labels[:3]), expected)


def test_weights_come_from_a_dictionary_or_start_anew_if_the_report_is_read(copy):
    model = ParaCLAP.from_pretrained(copy)
    weights = model.state_dict()
    again = ParaCLAP.from_pretrained(None, config=model.config, state_dict=weights)
    assert all(torch.equal(value, weights[name]) for name, value in again.state_dict().items())
    kept = {name: one for name, one in weights.items() if not name.startswith(("text_p", "logit"))}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})
    model, info = ParaCLAP.from_pretrained(copy, output_loading_info=True)
    assert {*info["missing_keys"]} == weights.keys() - kept.keys()
    assert model.temperature.item() == pytest.approx(1 / 0.07)
    assert 0.05 < model.text_projection.linear1.weight.abs().mean() < 0.15  # uniform, to 32^-0.5


@pytest.mark.parametrize("wrong", [{"attn_implementation": "foo"}, {"dtype": "nonsense"}])
def test_a_bad_argument_is_named_and_no_file_is_blamed(model_folder, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))) as error:
        ParaCLAP.from_pretrained(model_folder, **wrong)
    assert "copy" not in str(error.value)


def test_sentence_transformers_embeds_as_the_package_does(model_folder, labels):
    transformer = pytest.importorskip("sentence_transformers").SentenceTransformer
    theirs, model = transformer(str(model_folder)), ParaCLAP.from_pretrained(model_folder)
    found = theirs.encode(["sad", "is quite loud"])
    np.testing.assert_allclose(found, embed_text(model, ["sad", "is quite loud"]), atol=1e-6)
    signals = [audio.read(*segment) for segment in labels.index[:3]]
    found = theirs.encode([{"array": one, "sampling_rate": 16_000} for one in signals])
    np.testing.assert_allclose(found, embed_audio(model, labels[:3]), atol=1e-5)


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_pipeline_answers_as_classify_and_in_batches(model_folder, labels, dtype):
    model = ParaCLAP.from_pretrained(model_folder, dtype=dtype)
    expected = classify(model, labels[:3], WORDS, template="speaker is {}")[WORDS]
    asked = {"candidate_labels": WORDS, "hypothesis_template": "speaker is {}"}
    given = [audio.read(*segment) for segment in labels.index[:3]]
    ask = pipeline(TASK, model=str(model_folder), dtype=dtype)
    for options in ({}, {"batch_size": 3}):
        answers = ask(given, **asked, **options)
        found = [[{a["label"]: a["score"] for a in one}[w] for w in WORDS] for one in answers]
        atol = 1e-5 if dtype == torch.float32 else 3e-3
        np.testing.assert_allclose(found, expected, atol=atol)


def test_auto_classes_give_the_parts(model_folder):
    assert transformers.AutoConfig.from_pretrained(model_folder).projection_dim == 16
    extractor = transformers.AutoFeatureExtractor.from_pretrained(model_folder)
    assert isinstance(extractor, ParaCLAPFeatureExtractor)
    model, processor = (one.from_pretrained(model_folder) for one in (ParaCLAP, AutoProcessor))
    batch = processor(text=WORDS, audio=SIGNALS, sampling_rate=16_000)
    with torch.inference_mode():
        np.testing.assert_array_equal(model(**batch).logits_per_audio, logits(model))
        read = AutoTokenizer.from_pretrained(model_folder)
        tokens = read(WORDS, padding=True, return_tensors="pt")
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
        arrays = {f"signal{n}": signal for n, signal in enumerate(SIGNALS)}
        values = given(model)
        np.savez(f"{folder}.npz", **arrays, **({} if values is None else {"functionals": values}))
        expected[folder] = logits(ParaCLAP.from_pretrained(folder))
    torchaudio = ROOT / "paraclap" / "_torchaudio.py"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": f"{tmp_path}/home"}
    command = [sys.executable, "-c", ELSEWHERE, str(torchaudio), *map(str, expected)]
    place = {"env": environment, "cwd": sys.prefix, "stdin": subprocess.DEVNULL}
    done = subprocess.run(command, **place, capture_output=True, text=True)
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
