"""Players carry their sound, and neither paths nor tags."""

import base64
import io

import numpy as np
import pytest
import soundfile
from sounds import RATE, buzz, tone, write

from paraclap import tables
from paraclap.figures import players


def decoded(address):
    head, content = address.split(",")
    assert head == "data:audio/mpeg;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(content)))


def test_a_clip_sounds_like_the_signal_and_only_a_long_one_is_cut():
    sound, rate = decoded(players.data_uri(tone(1.0, 440.0, 0.5), 2.0))
    assert (rate, len(sound) / rate) == (RATE, pytest.approx(1.0, abs=0.1))
    middle = sound[RATE // 4 : RATE // 2]
    peak = np.abs(np.fft.rfft(middle)).argmax() * RATE / len(middle)
    assert peak == pytest.approx(440, abs=5)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)
    assert len(players.data_uri(buzz(5.0))) / 5 == pytest.approx(4_000, rel=0.1)  # bytes a second
    long, _ = decoded(players.data_uri(tone(5.0), 2.0))
    assert len(long) / rate == pytest.approx(2.0, abs=0.1)


def test_players_hold_the_sound_of_their_segment_and_their_label_but_no_path(tmp_path):
    file = write(tmp_path / "secret.wav", np.concatenate([tone(1.0, 440), tone(1.0, 880)]))
    index = tables.segments([file, file], [0, 1], [1, 2])
    page = players.players(index, ["low <", "high"]).data
    assert page.count("<audio controls") == 2
    assert "low &lt;" in page and "secret" not in page
    sounds = [decoded(part.split('"')[0])[0] for part in page.split('src="')[1:]]
    peaks = [np.abs(np.fft.rfft(sound)).argmax() / len(sound) for sound in sounds]
    assert peaks[1] == pytest.approx(2 * peaks[0], rel=0.02)
