"""Bad input by the hundred: each case is read whole, or refused by an error that helps.

The long version, over ten thousand cases, is `python -m benchmarks.soak_input`. What a case is and
what may come of it is said in `fuzzing`.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import fuzz_kinds
import fuzzing
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import audio, corpora, levels, listing, params, reading, tables
from paraclap.corpora.labels import parse_columns

CASES = {  # as many as take about a second
    "audio": 120, "folder": 20, "list": 40, "table": 40, "params": 40, "templates": 60, "map": 100,
    "database": 15, "known": 8, "checkpoint": 60, "model": 12, "edges": 60, "results": 40,
    "store": 20,
}  # fmt: skip


@pytest.mark.parametrize("name", fuzz_kinds.KINDS)
def test_bad_input_is_read_whole_or_refused_by_an_error_that_helps(name, tmp_path):
    found = [fuzzing.attempt(fuzz_kinds.KINDS[name], n, tmp_path) for n in range(CASES[name])]
    assert [str(one) for one in found if one.wrong][:3] == []
    told = Counter(bool(one.refused) for one in found)
    assert told[True] > 0, "no case was refused: the faults are too few"
    assert told[False] > 0, "no case was read: the faults are too many"
    assert list(tmp_path.iterdir()) == []


# --- the harness itself ------------------------------------------------------------------------


def outcome(read, given="voice.wav"):
    def make(_: fuzzing.Rng, folder: Path) -> str:
        (folder / "voice.wav").touch()
        return given

    return fuzzing.attempt(fuzzing.Kind("own", make, read), 0)


def foreign(_: str) -> None:
    raise ValueError("Bad 'voice.wav', expected another file.")


def hung(_: str) -> None:
    reader, _writer = os.pipe()
    os.read(reader, 1)


def skipped(_: str) -> None:
    assert 1 == 2, "a row was skipped"


def exits(_: str) -> None:
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (foreign, "not by paraclap"),
        (hung, "more than 0.2 s"),
        (skipped, "not an error of ours, AssertionError: a row was skipped"),
        (exits, "not an error of ours, SystemExit"),
        (lambda _: {}["a"], "not an error of ours, KeyError"),
        (lambda _: int("a"), "not by paraclap"),
    ],
)
def test_the_harness_finds_foreign_errors_hangs_and_skips(read, wrong, monkeypatch):
    monkeypatch.setattr(fuzzing, "LONGEST", 0.2)
    assert wrong in outcome(read).wrong
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_harness_wants_a_name_and_a_remedy():
    refused = outcome(lambda _: audio.read("elsewhere/voice.wav"))
    assert "'elsewhere/voice.wav' is not there: copy it" in refused.refused
    assert refused.wrong == ""
    assert "names no file" in outcome(lambda _: audio.read("other.wav")).wrong
    told = fuzzing.judged(_of_ours("'voice.wav' is odd."), ["voice.wav"])
    assert "says not what to do" in told


def _of_ours(message: str) -> BaseException:
    try:
        audio.read("nothing.wav")
    except audio.AudioError as error:
        error.args = (message,)
        return error
    raise AssertionError


def test_code_in_data_that_ran_would_be_found():
    def make(_: fuzzing.Rng, folder: Path) -> Path:
        return folder / "pwned"

    kind = fuzzing.Kind("own", make, lambda mark: mark.touch())
    assert fuzzing.attempt(kind, 0).wrong == "code in the data was run"


def test_a_case_is_made_from_its_seed_alone(tmp_path):
    for kind in ("audio", "folder", "params"):
        one, other = tmp_path / f"{kind}1", tmp_path / f"{kind}2"
        for folder in (one, other):
            folder.mkdir()
            fuzz_kinds.KINDS[kind].make(fuzzing.np.random.default_rng(20), folder)
        assert fuzz_kinds.files_of(one) == fuzz_kinds.files_of(other)


# --- properties --------------------------------------------------------------------------------

FEW = settings(max_examples=60, derandomize=True, deadline=None, database=None)
words = st.one_of(st.text(max_size=20), st.sampled_from(fuzzing.CELLS))
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@FEW
@given(st.dictionaries(st.sampled_from(sorted(fuzz_kinds.parameters())), trees, max_size=4))
def test_a_params_file_is_its_values_or_an_error_that_names_it(tmp_path_factory, values):
    file = tmp_path_factory.mktemp("params") / "mine.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    try:
        checked = params.check(params.read(file), fuzz_kinds.parameters(), file.name)
    except params.ParamsError as error:
        assert "mine.yaml" in str(error)
    else:
        assert set(checked) == set(values)


@FEW
@given(st.text(alphabet="ab=, :fileemotion", max_size=30) | words)
def test_names_of_columns_are_a_mapping_or_a_value_error(text):
    try:
        found = parse_columns(text)
    except ValueError as error:
        assert str(error).startswith("Bad columns")
    else:
        assert len(found) <= text.count("=")


@FEW
@given(st.lists(st.sampled_from(["..", ".", "a", "b", "/", "é"]), min_size=1, max_size=8))
def test_a_path_is_outside_exactly_if_it_resolves_there(tmp_path_factory, parts):
    folder = tmp_path_factory.getbasetemp() / "corpus"
    file = "/".join(parts)
    inside = (folder / file).resolve().is_relative_to(folder)
    assert (reading.outside([file], folder) == []) == inside


@FEW
@given(
    st.floats(0.01, 1e5), st.floats(0.01, 60), st.floats(0.05, 1),
)  # fmt: skip
def test_windows_leave_nothing_out(seconds, window, share):
    found = listing.spans(min(seconds, 2_000 * window * share), window, window * share)
    assert found[0][0] == 0
    for (_, end), (start, _) in itertools.pairwise(found):
        assert start <= end + 1e-6
    assert found[-1][1] == pytest.approx(min(seconds, 2_000 * window * share))


# --- what the long version found, each in small ------------------------------------------------


def wav(tmp_path, signal, rate=16_000, name="a.wav"):
    fuzz_kinds.soundfile.write(tmp_path / name, signal, rate, subtype="FLOAT")
    return tmp_path / name


def test_values_whose_mean_is_infinite_are_refused(tmp_path):
    loud = fuzzing.np.full((100, 64), 3e38, "f4")
    with pytest.raises(audio.AudioError, match="too large, expected -1 to 1"):
        audio.read(wav(tmp_path, loud))


@pytest.mark.parametrize("rate", [1, 999, 1_000_001, 2**31 - 1])
def test_a_sampling_rate_that_no_speech_has_is_refused_before_anything_is_computed(tmp_path, rate):
    file = wav(tmp_path, fuzzing.np.zeros(1_000, "f4"), rate)
    for call in (audio.read, audio.duration):
        with pytest.raises(audio.AudioError, match=f"a sampling rate of {rate} Hz, expected 1000"):
            call(file)


def test_a_header_that_promises_a_terabyte_takes_no_memory(tmp_path):
    file = wav(tmp_path, fuzzing.np.zeros(16_000, "f4"))
    fuzz_kinds.soundfile.write(file.with_suffix(".flac"), fuzzing.np.zeros(16_000), 16_000)
    content = bytearray(file.with_suffix(".flac").read_bytes())
    content[21] |= 0x0F  # the upper four of 36 bits that tell how many samples there are
    file.with_suffix(".flac").write_bytes(content)
    assert audio.duration(file.with_suffix(".flac")) > 4_000_000
    began = time.perf_counter()
    with pytest.raises(audio.AudioError, match="expected at most 3600 s: give segments"):
        audio.read(file.with_suffix(".flac"))
    with pytest.raises(audio.AudioError, match=r"is cut short|cannot be read"):
        audio.read(file.with_suffix(".flac"), 0, 3_000)
    assert time.perf_counter() - began < 2


def test_a_row_with_more_cells_than_names_is_not_shifted(tmp_path):
    (tmp_path / "list.csv").write_text("file,start\n0.wav,0,1\n1.wav,0,1\n")
    for read in (listing.listed, tables.read_table):
        with pytest.raises(ValueError, match=r"More cells than names in .*list\.csv"):
            read(tmp_path / "list.csv")


@pytest.mark.parametrize("kind", ["laughs", "itself", "deep"])
def test_a_params_file_without_end_is_refused_at_once(tmp_path, kind):
    pairs = zip("abcdefghijklmnopqrst", "bcdefghijklmnopqrstu", strict=True)
    laughs = "\n".join(["a: &a [x, x]", *(f"{new}: &{new} [*{old}, *{old}]" for old, new in pairs)])
    (tmp_path / "mine.yaml").write_text(
        {"laughs": laughs, "itself": "a: &a [*a]", "deep": "a: " + "[" * 1_000}[kind]
    )
    with pytest.raises(params.ParamsError, match=r"(?s)mine\.yaml.*[eE]xpected"):
        params.read(tmp_path / "mine.yaml")


def test_a_pipe_in_the_place_of_a_label_file_is_not_waited_for(tmp_path):
    for name, content in fuzz_kinds.known("alc").items():
        fuzz_kinds.put(tmp_path / name, content)
    (tmp_path / "ALC.csv").unlink()
    os.mkfifo(tmp_path / "ALC.csv")
    with (
        fuzzing.at_most(20),
        pytest.raises(ValueError, match=r"'ALC\.csv' is no file but a folder, a pipe"),
    ):
        corpora.known.CORPORA["alc"].read(tmp_path)


def test_weights_that_are_not_finite_are_not_loaded(tmp_path):
    for name, content in fuzz_kinds.model().items():
        fuzz_kinds.put(tmp_path / "model" / name, content)
    path = tmp_path / "model" / "model.safetensors"
    state = fuzz_kinds.safetensors.torch.load(path.read_bytes())
    state["logit_scale"] = state["logit_scale"] * float("nan")
    path.write_bytes(fuzz_kinds.safetensors.torch.save(state, {"format": "pt"}))
    with pytest.raises(ValueError, match=r"NaN .* in 1 weights at '.*/model' .*'logit_scale'"):
        fuzz_kinds.ParaCLAP.from_pretrained(tmp_path / "model")


@pytest.mark.parametrize("ends", [(2.0, 1.0), (1.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_edges_that_are_turned_or_endless_are_not_loaded(tmp_path, ends):
    levels.save(levels.Edges({"duration": (1.0, 2.0)}), tmp_path / "edges.json")
    content = (tmp_path / "edges.json").read_text()
    for name, old, new in zip(("low", "high"), (1.0, 2.0), ends, strict=True):
        content = content.replace(f'"{name}": {old}', f'"{name}": {json.dumps(new)}')
    (tmp_path / "edges.json").write_text(content)
    with pytest.raises(ValueError, match=r"Bad edges of \['duration'\] in .*edges\.json"):
        levels.load(tmp_path / "edges.json")


def test_a_store_that_lists_a_segment_twice_is_not_served(tmp_path):
    for name, content in fuzz_kinds.store().items():
        fuzz_kinds.put(tmp_path / name, content)
    index = tmp_path / "signals" / "index.parquet"
    table = tables.read_table(index)
    tables.write_table(fuzz_kinds.pd.concat([table, table]), index)
    with pytest.raises(ValueError, match="lists segments twice, expected each once"):
        fuzz_kinds.Signals(table.index, tmp_path / "signals")
