import struct
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import RATE, buzz, mp3_without_header, tone, write

from paraclap import audio


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
    assert audio.is_silent(audio.read(file))


def test_a_segment_is_that_part_of_the_whole(tmp_path):
    file = write(tmp_path / "a.wav", tone(3), subtype="FLOAT")
    part = audio.read(file, 1.0, pd.Timedelta("2.5s"))
    np.testing.assert_array_equal(part, audio.read(file)[16_000:40_000])
    assert len(audio.read(file, 1, pd.NaT)) == 32_000
    assert len(audio.read(file, 0, 3.005)) == 48_000


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (np.int64(1), np.int64(2)),
        (np.float32(1), np.float32(2)),
        (1, 2),
        (pd.Timedelta(seconds=1), np.timedelta64(2_000, "ms")),
        ("00:00:01,000", "00:00:02.000"),
        ("1,0", "2.0"),
        ("1", "0 days 00:00:02"),
    ],
)
def test_numbers_are_seconds_and_texts_are_times(tmp_path, start, end):
    file = write(tmp_path / "a.wav", tone(3) * np.linspace(0, 1, 48_000), subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(file, start, end), audio.read(file, 1.0, 2.0))


@pytest.mark.parametrize("time", ["1,234,5", "one", "1:30", float("inf"), True, Decimal(1), [1]])
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


def test_of_a_30_minute_file_only_the_segment_is_read(tmp_path):
    file = tmp_path / "long.wav"
    with soundfile.SoundFile(file, "w", 16_000, 1, "PCM_16") as stream:
        for _ in range(30):
            stream.write(np.zeros(60 * 16_000, "int16"))
    raw = bytearray(file.read_bytes())
    raw[-32_000:] = (np.ones(16_000, "<i2") * 16_384).tobytes()
    file.write_bytes(raw)
    assert audio.read(file, 1799, 1800).min() == 0.5
    assert audio.duration(file) == 1800


def test_more_than_an_hour_at_once_is_refused(tmp_path):
    file = write(tmp_path / "a.flac", np.zeros(3_601 * 1_000, "int16"), 1_000)
    assert audio.duration(file) == 3_601
    with pytest.raises(audio.AudioError, match="too long, expected at most 3600 s at once"):
        audio.read(file)
    assert len(audio.read(file, 3_600)) == 16_000


def broken(folder, kind):
    file = folder / "a.wav"
    if kind == "folder":
        file.mkdir()
    elif kind == "0 bytes":
        file.touch()
    elif kind == "no samples":
        write(file, tone(0))
    elif kind == "text":
        file.write_text("this is no audio\n" * 100)
    elif kind == "pointer":
        file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 72862\n")
    elif kind == "NaN":
        write(file, np.where(np.arange(16_000) == 9, np.nan, tone()), subtype="FLOAT")
    elif kind == "integers":
        write(file, 32_767 * tone(), subtype="FLOAT")
    elif kind == "slow":
        write(file, tone(), 100)
    elif kind == "raw":
        file = folder / "a.raw"
        file.write_bytes(bytes(1_000))
    elif kind.startswith("half a"):
        file = folder / f"a.{kind.split()[-1]}"
        write(file, np.random.default_rng(0).uniform(-0.5, 0.5, 16_000))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("not there", "is not there"),
        ("folder", "is a folder"),
        ("0 bytes", "0 bytes"),
        ("no samples", "header but no samples"),
        ("text", "cannot be read as audio .* convert it to WAV"),
        ("pointer", "Git LFS pointer, no audio: run `git lfs pull`"),
        ("NaN", "1 NaN or infinite values"),
        ("integers", "values up to 16384, expected -1 to 1"),
        ("slow", "has 100 Hz, expected 1000 to"),
        ("raw", "no header"),
        ("half a wav", r"cut short: \d+ of 32000 bytes"),
        ("half a aiff", "cut short"),
        ("half a au", "cut short"),
        ("half a mp3", r"cut short: \d+ of 16000 samples"),
        ("half a flac", "cut short|cannot be read"),
    ],
)
def test_a_file_that_gives_no_signal_says_why(tmp_path, kind, message):
    file = broken(tmp_path, kind)
    with pytest.raises(audio.AudioError, match=message) as error:
        audio.read(file)
    assert f"{tmp_path.name}/{file.name}" in str(error.value)


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ((2, 3), "ends after the file"),
        ((0, 1.5), "ends after the file"),
        ((0.5, 0.5), "expected 0 <= start < end"),
        ((-1, 1), "expected 0 <= start < end"),
        ((0.5, 0.5005), "shorter than 1 ms"),
        ((0.9999, None), "shorter than 1 ms"),
    ],
)
def test_a_segment_must_lie_within_its_file_and_last_a_millisecond(tmp_path, segment, message):
    file = write(tmp_path / "a.wav", tone())
    with pytest.raises(audio.AudioError, match=rf"a\.wav' \(1\.000 s long\).*{message}"):
        audio.read(file, *segment)
    assert len(audio.read(file, 0.5, 0.501)) == 16


# --- headers that do not know the length ---------------------------------------------------------


def streamed(size):
    data = (tone() * 32_767).astype("<i2").tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    riff = struct.pack("<I", (size + 36) & 0xFFFFFFFF)
    return b"RIFF" + riff + b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + data


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 32_016])
def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path, size):
    (tmp_path / "a.wav").write_bytes(streamed(size))
    assert audio.duration(tmp_path / "a.wav") == 1
    np.testing.assert_allclose(audio.read(tmp_path / "a.wav"), tone(), atol=1e-4)


def test_a_flac_of_unknown_length_is_counted(tmp_path):
    file = write(tmp_path / "a.flac", buzz(3))
    known = audio.read(file)
    raw = bytearray(file.read_bytes())
    raw[21] &= 0xF0
    raw[22:26] = bytes(4)
    file.write_bytes(raw)
    assert soundfile.info(file).frames > 2**62
    assert audio.duration(file) == 3
    np.testing.assert_array_equal(audio.read(file), known)
    np.testing.assert_array_equal(audio.read(file, 1, 2), known[16_000:32_000])
    with pytest.raises(audio.AudioError, match=r"\(3\.000 s long\) ends after"):
        audio.read(file, 2, 4)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_an_mp3_without_a_header_is_decoded_to_its_end(tmp_path, rate):
    signal = np.concatenate([tone(2, rate=rate), np.zeros(2 * rate, np.float32)])
    file = tmp_path / "a.mp3"
    tag = b"ID3" + bytes([4, 0, 0, 0, 0, 0, 20]) + bytes(20)
    file.write_bytes(tag + mp3_without_header(signal, rate))
    assert soundfile.info(file).duration < 3  # guessed from the first frame
    assert audio.duration(file) == pytest.approx(4.05, abs=0.07)  # with the delay of the encoder
    found = audio.read(file)
    assert len(found) / RATE == pytest.approx(audio.duration(file), abs=1e-3)
    assert np.abs(found[: 2 * RATE]).max() > 0.4 > 0.01 > np.abs(found[-RATE:]).max()


def test_samples_of_an_mp3_do_not_depend_on_its_header(tmp_path):
    signal = np.concatenate([buzz(2), np.zeros(32_000, np.float32)])
    (tmp_path / "a.mp3").write_bytes(mp3_without_header(signal))
    found, known = audio.read(tmp_path / "a.mp3"), audio.read(write(tmp_path / "b.mp3", signal))
    np.testing.assert_array_equal(found[576:][: len(known)], known)
    np.testing.assert_array_equal(audio.read(tmp_path / "a.mp3", 1, 2), found[16_000:32_000])


def test_gsm_which_cannot_be_sought_in_is_read(tmp_path):
    file = write(tmp_path / "a.wav", tone(3, rate=8_000), 8_000, subtype="GSM610")
    expected = soundfile.read(file)[0]
    assert len(audio.read(file)) == 2 * len(expected) == audio.duration(file) * RATE
    assert len(audio.read(file, 1, 2)) == RATE


# --- writing, and small helpers ------------------------------------------------------------------


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
    assert not audio.is_synthetic([])


def test_crop_keeps_short_signals_and_is_repeatable():
    signal = tone()
    assert audio.crop(signal, 20_000, np.random.default_rng(0)) is signal
    first, again = (audio.crop(signal, 100, np.random.default_rng(1)) for _ in range(2))
    assert len(first) == 100
    np.testing.assert_array_equal(first, again)


def test_silence_is_a_signal_that_never_moves():
    assert audio.is_silent(np.zeros(100, np.float32))
    assert audio.is_silent(np.full(100, 0.3, np.float32))
    assert not audio.is_silent(0.01 * tone())
