import copy
import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import audinterface
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from transformers import AutoModel, HubertConfig, Wav2Vec2Config, WavLMConfig

from benchmarks import gpu_scoring
from benchmarks import scoring as scoring_benchmark
from paraclap import audio, inference, interfaces, listing, scoring, tables, zeroshot
from paraclap.folding import folded, framed
from paraclap.inference import Listener
from paraclap.model import ParaCLAP
from paraclap.towers import build

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 4),
    "conv_stride": (5, 4),
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
WORDS = ["angry", "sad", "calm"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine noises of three lengths, in a folder and one below it."""
    rng = np.random.default_rng(0)
    (tmp_path / "voices" / "more").mkdir(parents=True)
    for number in range(9):
        name = f"{'more/' if number % 2 else ''}{number}.wav"
        noise = rng.normal(0, 0.02 * (number + 1), 4_000 * (1 + number % 3))
        soundfile.write(tmp_path / "voices" / name, noise.astype(np.float32), 16_000)
    return tmp_path / "voices"


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "PIECE", 4)


def test_a_folder_is_scored_as_zero_shot_answers(
    model: ParaCLAP, folder: Path, tmp_path: Path, small_pieces: None
) -> None:
    out = scoring.score(model, folder, WORDS, tmp_path / "a.parquet", "speaker is {}")
    files = sorted(map(str, folder.rglob("*.wav")))
    expected = zeroshot.classify(model, files, WORDS, "speaker is {}")
    got = tables.read_table(out)
    assert got.index.names == tables.INDEX
    assert got.index.get_level_values("file").tolist() == files
    assert list(got) == [*WORDS, "prediction"]
    np.testing.assert_allclose(got[WORDS], expected[WORDS], atol=2e-2)  # bf16 where that is fast
    assert not (tmp_path / "a.parts").exists()
    assert tables.read_table(tmp_path / "a_failed.csv").empty


def test_float32_scores_are_those_of_zero_shot(
    model: ParaCLAP, folder: Path, tmp_path: Path
) -> None:
    out = scoring.score(
        model, folder, WORDS, tmp_path / "a.parquet", precision="float32", embeddings=True
    )
    got = tables.read_table(out)
    voices = got.index
    np.testing.assert_allclose(
        np.stack(got["embedding"]), zeroshot.embed_audio(model, voices), atol=1e-5
    )
    expected = zeroshot.classify(model, voices, WORDS)
    np.testing.assert_allclose(got[WORDS], expected[WORDS], atol=1e-5)
    assert got["prediction"].tolist() == expected["prediction"].tolist()


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_no_mask_means_no_padding(norm: str) -> None:
    torch.manual_seed(0)
    model = build("smoke", "smoke", 16, 0.0, "mean", seed=1).eval()
    config = copy.deepcopy(model.config.audio_config)
    config.feat_extract_norm = norm
    tower = type(model.audio_model)(config)
    model = ParaCLAP.from_towers(tower, model.text_model, model.processor, projection_dim=8).eval()
    values = torch.randn(3, 6000)
    with torch.inference_mode():
        plain = model.get_audio_features(values)
        masked = model.get_audio_features(values, torch.ones(3, 6000, dtype=torch.long))
        tokens = model.processor(text=["is loud"])
        texts = [model.get_text_features(**tokens), model.get_text_features(tokens["input_ids"])]
    torch.testing.assert_close(plain, masked, atol=1e-5, rtol=0)
    torch.testing.assert_close(*texts, atol=1e-5, rtol=0)


@pytest.mark.parametrize("config", [Wav2Vec2Config, HubertConfig, WavLMConfig])
@pytest.mark.parametrize("norm", ["layer", "group"])
def test_a_folded_tower_hears_the_same(config: type, norm: str) -> None:
    torch.manual_seed(0)
    tower = AutoModel.from_config(config(**TINY, feat_extract_norm=norm, conv_bias=True)).eval()
    values = torch.randn(3, 3001)
    with torch.inference_mode():
        before = tower(values).last_hidden_state
        after = framed(folded(copy.deepcopy(tower)))(values).last_hidden_state
        again = tower(values).last_hidden_state
    torch.testing.assert_close(before, after, atol=1e-5, rtol=0)
    assert torch.equal(before, again)


def test_packing_equals_the_feature_extractor(model: ParaCLAP) -> None:
    rng = np.random.default_rng(0)
    signals = [rng.normal(0.1, 0.1, n).astype(np.float32) for n in (5000, 3, 4000)]
    for normalise in (False, True):
        extractor = copy.deepcopy(model.processor.feature_extractor)
        extractor.do_normalize = normalise
        called = extractor(signals, return_tensors="pt")
        values, mask = extractor.pack(signals)
        torch.testing.assert_close(values, called["input_values"], atol=1e-6, rtol=0)
        assert torch.equal(mask, called["audio_attention_mask"])
        assert extractor.pack(signals[:1])[1] is None


def test_the_model_is_not_changed(model: ParaCLAP, folder: Path, tmp_path: Path) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    scoring.score(model, folder, WORDS, tmp_path / "a.parquet", precision="bf16")
    after = model.state_dict()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert after[name].dtype == value.dtype
        assert torch.equal(after[name], value)
    assert all(part.training for part in model.modules())
    model.eval()
    inputs = model.processor(audio=[np.ones(4000, np.float32)])
    assert torch.isfinite(model.get_audio_features(**inputs)).all()


def test_bf16_agrees_with_float32_wherever_float32_is_sure(tmp_path: Path) -> None:
    model = build("small", "smoke", 64, 0.0, "mean", seed=3).eval()
    rng = np.random.default_rng(0)
    signals = [
        rng.normal(0, 10 ** rng.uniform(-3, -0.3), 8000).astype(np.float32) for _ in range(200)
    ]
    exact, fast = (Listener(model, precision)(signals) for precision in ("float32", "bf16"))
    assert fast.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(fast, axis=1), 1, atol=1e-5)
    # an untrained model hears little: directions in which the voices do differ ask the question
    centre = exact.mean(0)
    queries = np.linalg.svd(exact - centre)[2][:4]
    answers = [((found - centre) @ queries.T).argmax(1) for found in (exact, fast)]
    assert len(set(answers[0])) == 4
    assert (answers[0] == answers[1]).mean() >= 0.95
    sorted_ = np.sort((exact - centre) @ queries.T, axis=1)
    sure = sorted_[:, -1] - sorted_[:, -2] > 0.02
    assert sure.mean() > 0.5
    assert (answers[0] == answers[1])[sure].mean() >= 0.995


def test_precision_of_another_name_is_refused(model: ParaCLAP) -> None:
    with pytest.raises(ValueError, match="Bad precision 'fp8', expected one of"):
        Listener(model, "fp8")


def test_a_killed_run_goes_on_and_ends_with_the_same_file(
    saved: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(240):
        os.link(folder / "0.wav", tmp_path / "many" / f"{number:04d}.wav")
    files = tmp_path / "many"
    program = "from paraclap import scoring; scoring.PIECE = 100; scoring.main()"
    monkeypatch.setattr(scoring, "PIECE", 100)
    command = [sys.executable, "-c", program, str(saved), str(files)]
    command += ["--candidates", ",".join(WORDS), "--precision", "float32"]
    command += ["--out", str(tmp_path / "stopped.parquet")]
    parts = tmp_path / "stopped.parts"
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while running.poll() is None and not list(parts.glob("[!.]*.parquet")):
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    first = {path: path.stat().st_mtime_ns for path in parts.glob("[!.]*.parquet")}
    assert 0 < len(first) < 3
    assert not (tmp_path / "stopped.parquet").exists()
    model = ParaCLAP.from_pretrained(saved)
    pieces, write = [], scoring.write_piece
    with monkeypatch.context() as patched:
        patched.setattr(
            scoring, "write_piece", lambda path, *rest: (pieces.append(path), write(path, *rest))
        )
        again = scoring.score(
            model, files, WORDS, tmp_path / "stopped.parquet", precision="float32"
        )
    assert not set(pieces) & set(first)
    assert len(pieces) + len(first) == 3
    whole = scoring.score(model, files, WORDS, tmp_path / "whole.parquet", precision="float32")
    # Two processes may differ in the last bit of a product: their memory lies elsewhere.
    pd.testing.assert_frame_equal(
        tables.read_table(again), tables.read_table(whole), check_exact=False, rtol=0, atol=1e-6
    )


def test_a_current_result_is_only_read_and_a_changed_one_made_anew(
    model: ParaCLAP, folder: Path, tmp_path: Path, small_pieces: None
) -> None:
    out = tmp_path / "a.parquet"
    state = scoring.score(model, folder, WORDS, out).stat()
    assert scoring.score(model, folder, WORDS, out).stat().st_mtime_ns == state.st_mtime_ns
    made = [out.stat().st_ino]
    with torch.no_grad():
        model.audio_projection.linear1.weight.add_(0.1)
    made.append(scoring.score(model, folder, WORDS, out).stat().st_ino)
    made.append(scoring.score(model, folder, WORDS, out, "speaker is {}").stat().st_ino)
    made.append(scoring.score(model, folder, WORDS[:2], out, "speaker is {}").stat().st_ino)
    soundfile.write(folder / "0.wav", np.ones(5000, np.float32) / 3, 16_000)
    made.append(scoring.score(model, folder, WORDS[:2], out, "speaker is {}").stat().st_ino)
    assert all(first != second for first, second in itertools.pairwise(made))


def test_files_that_cannot_be_heard_are_listed_and_the_rest_is_scored(
    model: ParaCLAP, folder: Path, tmp_path: Path, small_pieces: None
) -> None:
    (folder / "notes.wav").write_text("no audio")
    (folder / "short.wav").write_bytes((folder / "0.wav").read_bytes()[:3000])
    (folder / "empty.wav").touch()
    out = scoring.score(model, folder, WORDS, tmp_path / "a.parquet")
    assert len(tables.read_table(out)) == 9
    failed = tables.read_table(tmp_path / "a_failed.csv")["reason"]
    names = [Path(file).name for file in failed.index.get_level_values("file")]
    assert names == ["empty.wav", "notes.wav", "short.wav"]
    assert [reason.split(":")[0].split(" is ")[-1] for reason in failed][::2] == [
        "empty",
        "cut short",
    ]


def test_a_file_that_may_not_be_opened_costs_no_other(
    model: ParaCLAP, folder: Path, tmp_path: Path
) -> None:
    files = [folder / "0.wav", folder / f"{'x' * 300}.wav"]
    out = scoring.score(model, files, WORDS, tmp_path / "a.parquet")
    assert len(tables.read_table(out)) == 1
    (reason,) = tables.read_table(tmp_path / "a_failed.csv")["reason"]
    assert "cannot be opened: File name too long." in reason


def test_relative_files_are_found_again_from_any_folder(
    model: ParaCLAP, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = scoring.score(model, folder.name, WORDS, "a.parquet").absolute()
    monkeypatch.chdir("/")
    files = tables.read_table(out).index.get_level_values("file")
    assert all(Path(file).is_file() for file in files)


def test_nothing_heard_at_all_is_an_error(model: ParaCLAP, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no audio")
    with pytest.raises(ValueError, match=r"None of 1 segments could be heard \('notes.wav' cannot"):
        scoring.score(model, tmp_path / "notes.wav", WORDS, tmp_path / "a.parquet")


def test_windows_cover_all_and_are_of_one_length(
    model: ParaCLAP, folder: Path, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", noise, 16_000)
    soundfile.write(tmp_path / "tail.wav", noise[-16_000:], 16_000)
    files = [tmp_path / "long.wav", folder / "0.wav"]
    out = scoring.score(
        model,
        files,
        WORDS,
        tmp_path / "a.parquet",
        window=1,
        hop=0.75,
        embeddings=True,
        precision="float32",
    )
    table = tables.read_table(out).reset_index()
    seconds = [[s.total_seconds() for s in table[side]] for side in ("start", "end")]
    assert seconds[0] == [0, 0.75, 1.5, 2.25, 3.0, 3.75, 4.0, 0]
    assert seconds[1] == [1, 1.75, 2.5, 3.25, 4.0, 4.75, 5.0, 0.25]
    last = zeroshot.embed_audio(model, tmp_path / "tail.wav")[0]
    np.testing.assert_allclose(table["embedding"][6], last, atol=1e-5)


def test_a_recording_is_read_window_by_window(
    model: ParaCLAP, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 2 * inference.LONGEST
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 16_000, 1) as stream:
        for second in range(seconds):
            stream.write(np.full(16_000, second / seconds, np.float32))
    read, most = audio.read, []

    def spy(*segment: object) -> np.ndarray:
        found = read(*segment)
        most.append(len(found))
        return found

    monkeypatch.setattr(audio, "read", spy)
    out = scoring.score(model, tmp_path / "long.wav", WORDS, tmp_path / "a.parquet", window=4)
    assert max(most) == 64_000
    assert len(tables.read_table(out)) == len(most) == seconds / 2 - 1
    with pytest.raises(ValueError, match="1200 s at once, expected at most 600 s: set a window"):
        scoring.score(model, tmp_path / "long.wav", WORDS, tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("window", "hop"), [(None, 1), (0, None), (2, 3), (2, 0), (-1, None), (float("nan"), None)]
)
def test_windows_that_leave_gaps_are_refused(window: float | None, hop: float | None) -> None:
    with pytest.raises(ValueError, match=r"expected (both|a hop above 0)"):
        listing.check_windows(window, hop)


def test_a_window_too_long_to_be_heard_is_refused(
    model: ParaCLAP, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"Bad window 700 s, expected at most 600 s"):
        scoring.score(model, folder, WORDS, tmp_path / "a.parquet", window=700)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_gives_segments_in_seconds_or_timedeltas(folder: Path, kind: str) -> None:
    table = pd.DataFrame({"file": ["0.wav", "2.wav"], "start": [0, 0.1], "end": [np.nan, 0.5]})
    expected = tables.segments(
        [str(folder / "0.wav"), str(folder / "2.wav")],
        [pd.Timedelta(0), pd.Timedelta(seconds=0.1)],
        [pd.NaT, pd.Timedelta(seconds=0.5)],
    )
    path = folder / f"list.{kind}"
    write = table.to_csv if kind == "csv" else table.to_parquet
    write(path, index=False)
    pd.testing.assert_index_equal(listing.listed(path), expected)
    times = table.assign(**{t: pd.to_timedelta(table[t], unit="s") for t in ("start", "end")})
    write = times.to_csv if kind == "csv" else times.to_parquet
    write(path, index=False)
    pd.testing.assert_index_equal(listing.listed(path), expected)


def test_files_of_a_table_lie_beside_it_even_if_the_first_is_gone(folder: Path) -> None:
    pd.DataFrame({"file": ["gone.wav", "0.wav"]}).to_csv(folder / "list.csv", index=False)
    files = listing.listed(folder / "list.csv").get_level_values("file")
    assert files.tolist() == [str(folder / "gone.wav"), str(folder / "0.wav")]


def test_what_is_no_list_of_audio_is_refused(tmp_path: Path, folder: Path) -> None:
    pd.DataFrame({"path": ["a.wav"]}).to_csv(tmp_path / "list.csv")
    with pytest.raises(ValueError, match=r"Bad table .*list.csv.*expected a column 'file'"):
        listing.listed(tmp_path / "list.csv")
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="No audio in"):
        listing.listed(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="expected a folder, a table or an audio file"):
        listing.listed(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="No table at"):
        listing.listed(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match=r"1 segments are listed twice \(first: \['0.wav'\]\)"):
        listing.listed([folder / "0.wav"] * 2)


def test_names_that_clash_are_refused(model: ParaCLAP, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Bad candidates \['file'\]"):
        scoring.score(model, folder, ["file", "sad"], tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"expected a name that ends in \.parquet"):
        scoring.score(model, folder, WORDS, tmp_path / "a.csv")


@pytest.mark.filterwarnings("ignore:Dynamo detected:UserWarning")
@pytest.mark.filterwarnings("ignore:Guards may run slower:RuntimeWarning")  # of Python 3.13.0
def test_compiled_towers_hear_the_same(model: ParaCLAP, monkeypatch: pytest.MonkeyPatch) -> None:
    # traced as always; C++ code for it would take a minute
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    rng = np.random.default_rng(0)
    signals = [rng.normal(0, 0.1, n).astype(np.float32) for n in (4000, 4000, 7000)]
    plain, compiled = (Listener(model, "float32", flag)(signals) for flag in (False, True))
    np.testing.assert_allclose(plain, compiled, atol=1e-5)


# --- audinterface ------------------------------------------------------------------------------


def test_interfaces_give_the_frames_of_audinterface(model: ParaCLAP, folder: Path) -> None:
    served = interfaces.embeddings(model)
    files = sorted(map(str, folder.rglob("*.wav")))
    index = tables.segments(files)
    batched = served.process_index(index)
    alone = audinterface.Feature.process_index(served, index)
    pd.testing.assert_frame_equal(batched, alone, atol=1e-5, rtol=0)
    one = served.process_file(files[1])
    pd.testing.assert_frame_equal(one, batched.iloc[1:2], atol=1e-5, rtol=0)
    np.testing.assert_allclose(batched, zeroshot.embed_audio(model, files), atol=1e-5)
    names = [str(Path(file).relative_to(folder)) for file in files]
    relative = pd.Index(names, name="file")
    pd.testing.assert_frame_equal(
        served.process_index(relative, root=str(folder), preserve_index=True),
        audinterface.Feature.process_index(served, relative, root=str(folder), preserve_index=True),
        atol=1e-5,
        rtol=0,
    )


def test_interface_mixes_down_and_resamples(model: ParaCLAP, folder: Path, tmp_path: Path) -> None:
    served = interfaces.probabilities(model, WORDS, "speaker is {}")
    assert list(served.feature_names) == WORDS
    stereo = np.random.default_rng(0).normal(0, 0.1, (44_100, 2)).astype(np.float32)
    soundfile.write(tmp_path / "stereo.wav", stereo, 44_100, subtype="FLOAT")
    expected = zeroshot.classify(model, tmp_path / "stereo.wav", WORDS, "speaker is {}")
    for frame in (
        served.process_signal(stereo.T, 44_100),
        served.process_file(str(tmp_path / "stereo.wav")),
        served.process_index(tables.segments([tmp_path / "stereo.wav"])),
    ):
        np.testing.assert_allclose(frame, expected[WORDS], atol=1e-5)
        assert frame.idxmax(axis=1).tolist() == expected["prediction"].tolist()
    part = served.process_file(str(tmp_path / "stereo.wav"), start=0.25, end=0.75)
    assert part.index[0][1:] == (pd.Timedelta(seconds=0.25), pd.Timedelta(seconds=0.75))
    windows = interfaces.probabilities(model, WORDS, win_dur=0.5, hop_dur=0.25)
    assert len(windows.process_file(str(tmp_path / "stereo.wav"))) == 3


def test_interface_says_what_cannot_be_heard(model: ParaCLAP, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no audio")
    with pytest.raises(audio.AudioError, match=r"notes\.wav. cannot be read"):
        interfaces.embeddings(model).process_index(tables.segments([tmp_path / "notes.wav"]))


# --- command line ------------------------------------------------------------------------------


def test_command_line_scores_a_folder(
    saved: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "notes.wav").write_text("no audio")
    out = tmp_path / "a.parquet"
    asked = [str(saved), str(folder), "--candidates", "joy=happy,sad", "--out", str(out)]
    asked += ["--template", "speaker is {}", "--window", "0.5", "--hop", "0.25"]
    assert scoring.main([*asked, "--device", "cpu"]) == 0
    assert list(tables.read_table(out)) == ["joy", "sad", "prediction"]
    assert "12 segments scored, 1 could not be heard (see a_failed.csv)." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "/nowhere"}, "No model at '/nowhere'"),
        ({"files": "nowhere"}, "Nothing at 'nowhere'"),
        ({"--candidates": "sad"}, "expected two or more different ones"),
        ({"--candidates": "joy=happy,joy=glad,sad"}, "expected each label once"),
        ({"--template": "none"}, "expected a slot"),
        ({"--hop": "1"}, "Got a hop of 1.0 s and no window"),
        ({"--device": "cuda"}, "torch sees no GPU here"),
        ({"--precision": "fp8"}, "Bad precision 'fp8'"),
    ],
)
def test_command_line_says_what_is_wrong(
    saved: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    said: str,
) -> None:
    given = {"model": str(saved), "files": str(folder), "--candidates": "happy,sad"}
    given |= {"--out": str(tmp_path / "a.parquet")} | changes
    if "--device" in changes and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    asked = [part for name, value in given.items() if name[0] == "-" for part in (name, value)]
    assert scoring.main([given["model"], given["files"], *asked]) == 1
    assert said in capsys.readouterr().err


# --- benchmarks --------------------------------------------------------------------------------


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_gpu_benchmark_says_that_there_is_no_gpu(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert gpu_scoring.main(["--out", str(tmp_path / "out.json")]) == 1
    assert "--device cpu --tiny" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_the_gpu_benchmark_runs_in_small_anywhere(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert gpu_scoring.main(["--device", "cpu", "--tiny", "--rounds", "1", "--out", str(out)]) == 0
    page = json.loads(out.read_text("utf-8"))
    assert {"device", "date", "versions", "command", "model", "peak_memory"} <= page.keys()
    assert page["ways"]["released"]["times"] == 1
    assert all(row["hours_per_hour"] > 0 for row in page["ways"].values())


def test_the_released_loop_stated_again_answers_as_ours(model: ParaCLAP, folder: Path) -> None:
    files = tables.segments(sorted(folder.rglob("*.wav")))
    theirs = scoring_benchmark.released(model, audio.read)(files)
    ours = scoring_benchmark.ours(model, audio.read, "float32")(files)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
