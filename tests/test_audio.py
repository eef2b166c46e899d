import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import RATE, buzz, mp3_without_header, tone, write

from paraclap import audio, tables
from paraclap.evaluation.scoring import windows


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_any_rate_and_format_becomes_the_same_16_khz_tone(tmp_path, rate, suffix):
    file = write(tmp_path / f"a.{suffix}", np.stack([tone(rate=rate)] * 2, axis=1), rate)
    signal = audio.read(file)
    assert signal.dtype == np.float32
    assert abs(len(signal) - 16_000) <= (1_300 if suffix == "mp3" else 2)
    middle = signal[4_000:12_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(spectrum.argmax() * 2 - 440) <= 2
    assert middle.std() == pytest.approx(0.5 / 2**0.5, rel=0.02)


@pytest.mark.parametrize("format", ["AIFF", "AU", "CAF", "W64", "RF64", "WAVEX", "NIST", "MP3"])
def test_files_are_read_by_content_not_by_name(tmp_path, format):
    file = write(tmp_path / "a.wav", tone(), format=format)
    assert audio.duration(file) == 1
    assert len(audio.read(file)) == 16_000


def test_channels_are_averaged_and_channels_that_cancel_are_an_error(tmp_path):
    both = np.stack([tone(), 0.5 * tone()], axis=1)
    file = write(tmp_path / "a.wav", both, subtype="FLOAT")
    np.testing.assert_allclose(audio.read(file), 0.75 * tone(), atol=1e-7)
    write(file, np.stack([tone(), -tone()], axis=1), subtype="FLOAT")
    with pytest.raises(audio.AudioError, match=r"2 channels of '.*a\.wav' cancel out: keep one"):
        audio.read(file)
    write(file, np.zeros((16_000, 2)))
    assert audio.is_silent(audio.read(file)) and not audio.is_silent(0.01 * tone())


def test_a_segment_is_that_part_of_the_whole(tmp_path):
    file = write(tmp_path / "a.wav", tone(3), subtype="FLOAT")
    for start in (1.0, np.int64(1), np.float32(1), "1,0", pd.Timedelta("1s")):
        for end in (2, np.int64(2), np.float32(2), "00:00:02,000"):
            part = audio.read(file, start, end)
            np.testing.assert_array_equal(part, audio.read(file)[16_000:32_000])
    assert len(audio.read(file, 1, pd.NaT)) == 32_000
    assert len(audio.read(file, 0.5, 0.501)) == 16
    assert len(audio.read(file, 0, 3.005)) == 48_000


@pytest.mark.parametrize("time", ["1,234,5", float("inf"), "1,100", [1]])
def test_what_is_no_time_is_an_error(tmp_path, time):
    with pytest.raises(audio.AudioError, match=r"a\.wav': Bad time"):
        audio.read(write(tmp_path / "a.wav", tone()), time)


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 47_000), samples=st.integers(16, 1_000))
def test_any_segment_is_exactly_its_samples(tmp_path_factory, first, samples):
    file = tmp_path_factory.getbasetemp() / "ramp.wav"
    if not file.exists():
        write(file, np.arange(48_000) / 48_000, subtype="FLOAT")
    found = audio.read(file, first / RATE, (first + samples) / RATE)
    np.testing.assert_array_equal(found, (np.arange(first, first + samples) / 48_000).astype("f4"))


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 72862\n"
WITH_NAN = np.where(np.arange(16_000) == 9, np.nan, tone())
FLOAT = {"subtype": "FLOAT"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", None, r"cannot be opened \(No such file or directory\): correct its path"),
        ("", None, "Is a directory"),
        ("a\\xfc.wav", None, "rename it in UTF-8"),
        ("a.wav", b"", "0 bytes"),
        ("a.wav", b"this is no audio\n" * 100, "cannot be read as audio .* convert it to WAV"),
        ("a.wav", LFS, "Git LFS pointer, no audio: run `git lfs pull`"),
        ("a.raw", bytes(1_000), "no header"),
        ("a.wav", (tone(0), RATE, {}), "header but no samples"),
        ("a.wav", (WITH_NAN, RATE, FLOAT), "1 NaN or infinite values"),
        ("a.wav", (32_767 * tone(), RATE, FLOAT), "values up to 16384, expected -1 to 1"),
        ("a.wav", (tone(), 100, {}), "has 100 Hz, expected 1000 to"),
        ("a.flac", (np.zeros(3_601_000, "int16"), 1_000, {}), "expected 0.001 to 3600 s at once"),
    ],
)
def test_a_file_that_gives_no_signal_says_why(tmp_path, name, content, message):
    file = tmp_path / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        write(file, *content[:2], **content[2])
    with pytest.raises(audio.AudioError, match=message) as error:
        audio.read(file)
    assert f"{tmp_path.name}/{name}".rstrip("/") in str(error.value).replace("\\\\", "\\")


TAG = b"ID3" + bytes([4, 0, 0, 0, 0, 1, 20]) + bytes(148)
CODECS = [{"format": name} for name in ("MP3", "OGG", "FLAC")]
CODECS += [{"format": "OGG", "subtype": "OPUS"}]
PCM = [{"format": name} for name in ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "AVR")]
PCM += [{"format": "WAV", "endian": "BIG"}, {"format": "WAV", "subtype": "IMA_ADPCM"}]


@pytest.mark.parametrize("options", CODECS + PCM, ids=str)
@pytest.mark.parametrize("front", [b"", TAG])
def test_half_a_file_is_cut_short(tmp_path, options, front, capfd):
    file = write(tmp_path / "a", np.random.default_rng(0).uniform(-0.5, 0.5, 16_000), **options)
    file.write_bytes(front + file.read_bytes()[: file.stat().st_size // 2])
    for reader in (audio.read, audio.duration):
        with pytest.raises(audio.AudioError, match=r"cut short .* are there|cannot be read"):
            reader(file)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("options", CODECS, ids=str)
def test_files_put_one_after_another_are_read_to_the_end(tmp_path, options, capfd):
    files = [write(tmp_path / name, buzz(6, seed=ord(name)), **options) for name in "ab"]
    one, other = map(audio.read, files)
    np.testing.assert_array_equal(audio.read(files[0], 4.5, 5.5), one[72_000:88_000])
    between = TAG if options["format"] == "MP3" else b""
    files[0].write_bytes(between.join([b"", *(file.read_bytes() for file in files), bytes(3_000)]))
    both = audio.read(files[0])
    np.testing.assert_array_equal(both, np.concatenate([one, other]))
    np.testing.assert_array_equal(audio.read(files[0], 5.5, 6.5), both[88_000:104_000])
    assert audio.duration(files[0]) == 12
    faster = write(tmp_path / "c", buzz(3), 48_000, **options).read_bytes()
    files[0].write_bytes(files[1].read_bytes() + faster)
    with pytest.raises(audio.AudioError, match=r"changes between .*: convert it to WAV"):
        audio.read(files[0])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("form", "place", "bits"), [
    ("WAV", 40, bytes([0, 4, 0, 0])),
    ("WAV", 40, bytes(4)),
    ("AU", 8, bytes([0, 0, 4, 0])),
    ("FLAC", 22, bytes([0, 0, 4, 0])),
    ("MP3", 5_000, bytes(6_000)),
    ("OGG", 8_000, bytes(1)),
])  # fmt: skip
def test_what_does_not_fit_the_header_is_named(tmp_path, form, place, bits):
    file = write(tmp_path / "a", buzz(3), format=form)
    raw = bytearray(file.read_bytes())
    raw[place : place + len(bits)] = bits
    file.write_bytes(raw if form != "OGG" else raw[:place] + raw[place + 5_000 :])
    with pytest.raises(audio.AudioError, match=r"cut short or damaged \(.*(no audio|there)\)"):
        audio.read(file)


@pytest.mark.parametrize("options", CODECS + PCM[:2], ids=str)
def test_time_and_memory_are_bounded_also_where_the_length_is_unknown(tmp_path, options):
    file = write(tmp_path / "a", buzz(20), **options)
    known, raw = audio.read(file), file.read_bytes()
    if options["format"] == "FLAC":  # as where ffmpeg writes to a pipe
        file.write_bytes(raw[:21] + b"\xf0" + bytes(4) + raw[26:])
        assert soundfile.info(file).frames > 2**62
    tracemalloc.start()
    start = time.process_time()
    assert len(windows(tables.segments([file]), 1, 0.5)) == 39
    np.testing.assert_array_equal(audio.read(file, 10, 11), known[160_000:176_000])
    assert time.process_time() - start < 5 and tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    with pytest.raises(audio.AudioError, match=r"\(20\.000 s long\), expected 0 <="):
        audio.read(file, 19, 21)


def test_segments_of_an_mp3_cost_little_more_than_the_whole(tmp_path, monkeypatch):
    file = tmp_path / "long.mp3"
    soundfile.write(file, np.tile(buzz(10), 12), 16_000)
    begin = time.perf_counter()
    whole = audio.read(file)
    once = time.perf_counter() - begin
    for second in range(0, 120, 2):
        part = audio.read(file, second, second + 2)
        assert np.array_equal(part, whole[16_000 * second :][:32_000])
    assert time.perf_counter() - begin < 1 + 10 * once  # not 60 / 2
    file.write_bytes(file.read_bytes()[: 2**16])  # another file by the same name
    with pytest.raises(audio.AudioError, match=r"cut short|within the file"):
        audio.read(file, 100, 102)


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ((2, 3), "within the file"),
        ((0, 1.5), "within the file"),
        ((0.5, 0.5), "expected 0 <= start < end"),
        ((-1, 1), "expected 0 <= start < end"),
        ((0.5, 0.5005), "expected 0.001 to 3600 s"),
        ((0.9999, None), "expected 0.001 to 3600 s"),
    ],
)
def test_a_segment_must_lie_within_its_file_and_last_a_millisecond(tmp_path, segment, message):
    file = write(tmp_path / "a.wav", tone())
    with pytest.raises(audio.AudioError, match=rf"a\.wav' \(1\.000 s long\).*{message}"):
        audio.read(file, *segment)


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 32_016])
def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path, size):
    file = write(tmp_path / "a.wav", tone())
    raw = bytearray(file.read_bytes())
    raw[4:8], raw[40:44] = ((n & 0xFFFFFFFF).to_bytes(4, "little") for n in (size + 36, size))
    file.write_bytes(raw)
    assert audio.duration(file) == 1
    np.testing.assert_allclose(audio.read(file), tone(), atol=1e-4)


@pytest.mark.parametrize("front", [TAG + bytes(99), b"APETAGEX" * 30, bytes([255, 251, 144]) * 9])
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100])
def test_an_mp3_without_a_header_is_decoded_to_its_end(tmp_path, rate, front, capfd):
    signal = np.concatenate([tone(2, rate=rate), np.zeros(2 * rate, np.float32)])
    content, file = mp3_without_header(signal, rate), tmp_path / "a.mp3"
    file.write_bytes(content)
    assert soundfile.info(file).duration < 3  # guessed from the first frame
    file.write_bytes(front + content + b"TAG" + bytes(4_000))
    assert audio.duration(file) == pytest.approx(4.05, abs=0.07)  # with the delay of the encoder
    found, known = audio.read(file), audio.read(write(tmp_path / "b.mp3", signal, rate))
    assert len(found) / RATE == pytest.approx(audio.duration(file), abs=1e-3)
    assert np.abs(found[: 2 * RATE]).max() > 0.4 > 0.01 > np.abs(found[-RATE:]).max()
    if rate == RATE:
        np.testing.assert_array_equal(found[576:][: len(known)], known)
        np.testing.assert_array_equal(audio.read(file, 1, 2), found[16_000:32_000])
    assert capfd.readouterr().err == ""


def test_gsm_which_cannot_be_sought_in_is_read(tmp_path):
    file = write(tmp_path / "a.wav", tone(3, rate=8_000), 8_000, subtype="GSM610")
    expected = soundfile.read(file)[0]
    assert len(audio.read(file)) == 2 * len(expected) == audio.duration(file) * RATE
    assert len(audio.read(file, 1, 2)) == RATE


@pytest.mark.parametrize("form", ["WAV", "FLAC", "NIST"])
def test_an_encoded_signal_is_read_back_with_its_comment(tmp_path, form):
    signal = np.linspace(-1, 1, 8_000, dtype=np.float32)
    file = tmp_path / "file.audio"
    file.write_bytes(audio.encode(signal, 16_000, audio.SYNTHETIC, format=form))
    np.testing.assert_allclose(audio.read(file), signal, atol=1e-4)
    assert audio.is_synthetic([str(file)]) == (form != "NIST")


def test_one_synthetic_file_among_those_opened_makes_a_corpus_synthetic(tmp_path):
    files = [write(tmp_path / f"{number}.wav", tone()) for number in range(9)]
    assert not audio.is_synthetic([str(file) for file in files])
    files[4].write_bytes(audio.encode(tone(), comment=audio.SYNTHETIC))
    files[0].write_text("no audio")
    assert audio.is_synthetic([str(file) for file in files])
