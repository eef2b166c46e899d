import struct

import numpy as np
import pandas as pd
import pytest
import soundfile

from paraclap import audio


def tone(seconds=1.0, rate=16_000, hertz=440.0):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def write(path, signal, rate=16_000, **options):
    soundfile.write(path, signal, rate, **options)
    return path


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


def test_channels_are_averaged(tmp_path):
    file = write(tmp_path / "a.wav", np.stack([tone(), -tone()], axis=1), subtype="FLOAT")
    assert np.abs(audio.read(file)).max() == 0


def test_reading_by_content_not_by_name(tmp_path):
    file = write(tmp_path / "a.flac", tone()).rename(tmp_path / "a.wav")
    assert len(audio.read(file)) == 16_000
    sphere = write(tmp_path / "a.sph", tone(), format="NIST", subtype="PCM_16")
    assert len(audio.read(sphere)) == 16_000


def test_a_segment_is_that_part_of_the_whole(tmp_path):
    file = write(tmp_path / "a.wav", tone(3), subtype="FLOAT")
    part = audio.read(file, 1.0, pd.Timedelta("2.5s"))
    np.testing.assert_array_equal(part, audio.read(file)[16_000:40_000])
    assert len(audio.read(file, 1, pd.NaT)) == 32_000
    assert len(audio.read(file, 0, 3.005)) == 48_000


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


def broken(tmp_path, kind):
    file = tmp_path / "a.wav"
    if kind == "not there":
        return file
    if kind == "folder":
        file.mkdir()
    elif kind == "0 bytes":
        file.touch()
    elif kind == "no samples":
        write(file, tone(0))
    elif kind == "text":
        file.write_text("this is no audio\n" * 100)
    elif kind == "NaN":
        write(file, np.where(np.arange(16_000) == 9, np.nan, tone()), subtype="FLOAT")
    else:
        suffix = kind.split()[-1]
        rng = np.random.default_rng(0)
        whole = write(tmp_path / f"a.{suffix}", rng.uniform(-0.5, 0.5, 16_000))
        whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        return whole
    return file


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("not there", "is not there"),
        ("folder", "is a folder"),
        ("0 bytes", "0 bytes"),
        ("no samples", "header but no samples"),
        ("text", "cannot be read as audio"),
        ("NaN", "1 NaN or infinite"),
        ("truncated wav", "cut short"),
        ("truncated flac", "cut short|cannot be read"),
    ],
)
def test_a_file_that_gives_no_signal_says_why(tmp_path, kind, message):
    file = broken(tmp_path, kind)
    with pytest.raises(audio.AudioError, match=message):
        audio.read(file)


@pytest.mark.parametrize("segment", [(2, 3), (0, 1.5), (0.5, 0.5), (-1, 1)])
def test_a_segment_must_lie_within_its_file(tmp_path, segment):
    file = write(tmp_path / "a.wav", tone())
    with pytest.raises(audio.AudioError, match=r"'a\.wav' \(1\.000 s"):
        audio.read(file, *segment)


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


@pytest.mark.parametrize("form", ["WAV", "FLAC", "NIST"])
def test_encoded_signal_is_read_back_with_its_comment(tmp_path, form):
    signal = np.linspace(-1, 1, 8_000, dtype=np.float32)
    file = tmp_path / "file.audio"
    file.write_bytes(audio.encode(signal, 16_000, audio.SYNTHETIC, format=form))
    np.testing.assert_allclose(audio.read(file), signal, atol=1e-4)
    assert audio.comment(file) == ("" if form == "NIST" else audio.SYNTHETIC)


def test_comment_of_no_audio_is_an_error(tmp_path):
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(audio.AudioError, match=r"'a\.wav' cannot be read as audio"):
        audio.comment(tmp_path / "a.wav")


def test_one_synthetic_file_among_those_asked_makes_a_corpus_synthetic(tmp_path):
    files = [write(tmp_path / f"{number}.wav", tone()) for number in range(9)]
    assert not audio.is_synthetic([str(file) for file in files])
    files[4].write_bytes(audio.encode(tone(), comment=audio.SYNTHETIC))
    files[0].write_text("no audio")
    assert audio.is_synthetic([str(file) for file in files])
    assert not audio.is_synthetic([])


IRCAM = [bytes.fromhex(one) for one in ("64a30100", "64a30200", "64a30300", "0001a364", "0002a364")]
TAG = b"ID3" + bytes([4, 0, 0, 0, 0, 0, 20]) + bytes(20)


@pytest.mark.parametrize("tags", [b"", TAG, TAG * 2], ids=["bare", "tagged", "tagged twice"])
@pytest.mark.parametrize("head", [*IRCAM, b"Creative Voice File", b"MATLAB 5.0 MAT-file", b"PVF1"])
def test_formats_that_speech_does_not_come_in_are_refused_unopened(tmp_path, head, tags):
    (tmp_path / "a.wav").write_bytes(tags + head.ljust(2_048, b"\1"))
    for look in (audio.read, audio.duration, audio.comment):
        with pytest.raises(audio.AudioError, match=r"'a\.wav' cannot .* expected WAV, FLAC"):
            look(tmp_path / "a.wav")


@pytest.mark.parametrize("format", ["AIFF", "AU", "CAF", "W64", "RF64", "WAVEX", "NIST", "MP3"])
def test_formats_that_speech_comes_in_are_read_behind_tags_too(tmp_path, format):
    file = write(tmp_path / "a", tone(), format=format)
    assert audio.duration(file) == pytest.approx(1, abs=0.1)
    if format == "MP3":
        file.write_bytes(TAG + file.read_bytes())
        assert audio.duration(file) == pytest.approx(1, abs=0.1)


def test_more_compressed_samples_than_libsndfile_can_count_are_refused(tmp_path):
    block, samples = 2_048, 4_089  # bytes and samples of one block of mono IMA ADPCM
    blocks = 2**32 // samples + 8
    rate = struct.pack("<HHIIHHHH", 0x11, 1, 16_000, 8_000, block, 4, 2, samples)
    chunks = b"fmt " + struct.pack("<I", len(rate)) + rate + b"fact" + struct.pack("<II", 4, 0)
    chunks += b"data" + struct.pack("<I", block * blocks)
    with (tmp_path / "long.wav").open("wb") as file:  # all zeros, which take no place on the disk
        file.write(b"RIFF" + struct.pack("<I", 4 + len(chunks) + block * blocks) + b"WAVE" + chunks)
        file.truncate(file.tell() + block * blocks)
    assert soundfile.info(tmp_path / "long.wav").frames < 100_000  # of more than four billion
    for look in (audio.read, audio.duration):
        with pytest.raises(audio.AudioError, match=r"'long\.wav' holds 2\.0 GiB of ADPCM"):
            look(tmp_path / "long.wav")
