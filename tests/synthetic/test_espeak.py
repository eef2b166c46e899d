"""espeak-ng gives the same samples for the same settings, whatever came before."""

import sys

import numpy as np
import pytest

from paraclap.corpora.synthetic import espeak
from paraclap.corpora.synthetic.espeak import Espeak, VoiceSettings

TEXT = "He bought a ticket for the early train."
MAN = VoiceSettings("en-us", 90, 130, 160)
SCOT = VoiceSettings("en-gb-scotland", 180, 300, 190, (120, 112, 118, 110, 121))
LOUD = VoiceSettings("de", 139, 329, 216, (100, 128, 98, 125, 110))


def test_same_settings_and_text_give_same_samples_whatever_came_before():
    with Espeak() as engine:
        alone = engine.speak(TEXT, SCOT)
    with Espeak() as engine:
        engine.speak("Das Wetter ist hier ganz ordentlich.", LOUD)
        engine.speak('The road <break time="300ms"/> goes along the river.', MAN)
        later = engine.speak(TEXT, SCOT)
    np.testing.assert_array_equal(alone, later)


def test_a_faster_rate_is_shorter_and_a_break_is_longer():
    with Espeak() as engine:
        plain = engine.speak(TEXT, MAN)
        fast = engine.speak(TEXT, VoiceSettings("en-us", 90, 130, 240))
        paused = engine.speak(TEXT.replace("for", '<break time="400ms"/> for'), MAN)
    assert len(fast) < 0.85 * len(plain)
    assert len(paused) > len(plain) + 0.2 * espeak.SAMPLING_RATE


def test_signal_is_float32_without_overflow():
    with Espeak() as engine:
        signal = engine.speak(TEXT, VoiceSettings("en-us", 350, 500, 160, (126,) * 5))
    assert signal.dtype == np.float32
    assert signal.ndim == 1
    assert 0.05 < np.abs(signal).max() < 0.95


def test_unknown_accent_and_empty_text_are_errors():
    with Espeak() as engine:
        with pytest.raises(ValueError, match="Unknown accent 'xx-no'"):
            engine.speak(TEXT, VoiceSettings("xx-no", 90, 130, 160))
        with pytest.raises(ValueError, match="gave no sound for ''"):
            engine.speak("", MAN)


def test_without_the_wheel_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ModuleNotFoundError, match="pip install espeakng-loader"), Espeak():
        pass
