"""Each voice dimension moves what it names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import espeak, shaping
from paraclap.shaping import DIMENSIONS

PLAIN = dict.fromkeys(DIMENSIONS, 0.0)
z_units = st.floats(-4, 4)


@pytest.fixture(scope="module")
def speech():
    with espeak.Espeak() as engine:
        settings, _ = shaping.larynx(PLAIN, "en-us", (100,) * 5)
        return engine.speak("They live on the other side of town.", settings)


def shaped(speech, telephone=False, **voice):
    rng = np.random.default_rng(0)
    return shaping.shape(speech, PLAIN | voice, 150.0, -75.0, telephone, rng)


def share_above(signal, hertz):
    power = np.abs(np.fft.rfft(signal)) ** 2
    return power[np.fft.rfftfreq(len(signal), 1 / 16_000) > hertz].sum() / power.sum()


def test_level_is_what_was_asked_for(speech):
    for z in (-2, 0, 2):
        signal = shaped(speech, level=z)
        assert 10 * np.log10(np.mean(signal**2)) == pytest.approx(-30 + 4.5 * z, abs=0.3)


def test_brighter_voices_have_more_energy_above_one_kilohertz(speech):
    shares = [share_above(shaped(speech, brightness=z), 1_000) for z in (-2, 0, 2)]
    assert shares == sorted(shares)
    assert shares[2] > 5 * shares[0]


def test_telephone_passes_300_to_3400_hertz_only(speech):
    signal = shaped(speech, telephone=True, level=2)
    assert share_above(signal, 3_700) < 1e-3
    assert 1 - share_above(signal, 180) < 1e-3


def test_breath_fills_the_gaps_between_harmonics(speech):
    difference = [
        np.std(shaping.breathe(speech, z, np.random.default_rng(0)) - speech) for z in (-2, 0, 2)
    ]
    assert difference[2] > 2.5 * difference[1] > 6 * difference[0]


def test_without_perturbation_speech_is_unchanged(speech):
    same = shaping.perturb(speech, -20, -20, 150.0, np.random.default_rng(0))
    np.testing.assert_allclose(same[:-1], speech[:-1], atol=1e-3)


def test_resampling_keeps_a_tone_where_it_was():
    time = np.arange(22_050, dtype=np.float32) / 22_050
    tone = np.sin(2 * np.pi * 1_000 * time).astype(np.float32)
    signal = shaping.colour(tone, 0.0, telephone=False)
    expected = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    assert len(signal) == 16_000
    np.testing.assert_allclose(signal[200:-200], expected[200:-200], atol=2e-3)


def test_nothing_is_left_of_silence_but_its_edges(speech):
    padded = np.concatenate([np.zeros(22_050, np.float32), speech, np.zeros(22_050, np.float32)])
    assert len(shaping.trim(padded)) == pytest.approx(len(shaping.trim(speech)), abs=2 * 1_400)


@given(st.fixed_dictionaries(dict.fromkeys(DIMENSIONS, z_units)))
@settings(max_examples=15, deadline=None)
def test_any_voice_gives_a_finite_signal_within_bounds(speech, voice):
    larynx, pitch = shaping.larynx(voice, "en-us", (100,) * 5)
    signal = shaping.shape(speech, voice, pitch, -70.0, False, np.random.default_rng(0))
    assert 30 <= larynx.low <= larynx.high <= 900
    assert signal.dtype == np.float32
    assert np.isfinite(signal).all()
    assert np.abs(signal).max() <= 1
