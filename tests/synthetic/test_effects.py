"""Each dimension of prosody moves what it names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import tone

from paraclap.corpora.synthetic import effects
from paraclap.corpora.synthetic.effects import PROSODY
from paraclap.corpora.synthetic.espeak import Espeak

PLAIN = dict.fromkeys(PROSODY, 0.0)
PLAIN |= {"accent": "en-us", "formants": (100,) * 5, "noise": -75.0, "telephone": False}


@pytest.fixture(scope="module")
def speech():
    with Espeak() as engine:
        voice, _ = effects.voice_settings(PLAIN)
        return engine.speak("They live on the other side of town.", voice)


def changed(speech, **row):
    return effects.apply_effects(speech, PLAIN | row, 150.0, np.random.default_rng(0))


def share_above(signal, hertz):
    power = np.abs(np.fft.rfft(signal)) ** 2
    return power[np.fft.rfftfreq(len(signal), 1 / 16_000) > hertz].sum() / power.sum()


def test_level_is_what_was_asked_for(speech):
    for z in (-2, 0, 2):
        signal = changed(speech, level=z)
        assert 10 * np.log10(np.mean(signal**2)) == pytest.approx(-30 + 4.5 * z, abs=0.3)


def test_brighter_speech_has_more_energy_above_one_kilohertz(speech):
    shares = [share_above(changed(speech, brightness=z), 1_000) for z in (-2, 0, 2)]
    assert shares == sorted(shares)
    assert shares[2] > 5 * shares[0]


def test_telephone_passes_300_to_3400_hertz_only(speech):
    signal = changed(speech, telephone=True, level=2)
    assert share_above(signal, 3_700) < 1e-3
    assert 1 - share_above(signal, 180) < 1e-3


def test_more_breath_is_more_noise(speech):
    breathed = (effects.add_breath(speech, z, np.random.default_rng(0)) for z in (-2, 0, 2))
    noise = [np.std(signal - speech) for signal in breathed]
    assert noise[2] > 2.5 * noise[1] > 6 * noise[0]


def test_without_perturbation_speech_is_unchanged(speech):
    same = effects.perturb(speech, -20, -20, 150.0, np.random.default_rng(0))
    np.testing.assert_allclose(same[:-1], speech[:-1], atol=1e-3)


def test_resampling_keeps_a_tone_where_it_was():
    signal = effects.tilt_and_resample(tone(1, 1_000, 1, 22_050), 0.0, telephone=False)
    assert len(signal) == 16_000
    np.testing.assert_allclose(signal[200:-200], tone(1, 1_000, 1)[200:-200], atol=2e-3)


@given(st.fixed_dictionaries(dict.fromkeys(PROSODY, st.floats(-4, 4))))
@settings(max_examples=15, deadline=None)
def test_any_prosody_gives_a_finite_signal_within_bounds(speech, prosody):
    voice, pitch = effects.voice_settings(PLAIN | prosody)
    rng = np.random.default_rng(0)
    signal = effects.apply_effects(speech, PLAIN | prosody, pitch, rng)
    assert 30 <= voice.low <= voice.high <= 900
    assert signal.dtype == np.float32
    assert np.isfinite(signal).all()
    assert np.abs(signal).max() <= 1
