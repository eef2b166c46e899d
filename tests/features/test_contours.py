import numpy as np
import pytest
from sounds import buzz, tone

from paraclap.features import contours


@pytest.mark.parametrize("hertz", [200, 3_000])
def test_the_loudest_band_of_a_tone_is_at_its_frequency(hertz):
    levels, centres, times = contours.mel_spectrogram(tone(1, hertz))
    assert levels.shape == (contours.BANDS, len(times))
    nearest = centres[levels.mean(axis=1).argmax()]
    assert nearest == pytest.approx(hertz, rel=0.12)
    assert levels.max() == 0
    assert levels.min() >= contours.FLOOR
    assert times[0] == pytest.approx(0.016)
    np.testing.assert_allclose(np.diff(times), contours.HOP, atol=1e-6)
    assert contours.mel_spectrogram(tone(0.01))[0].shape == (contours.BANDS, 1)


def test_the_mel_weights_are_those_of_torchaudio():
    from paraclap._torchaudio import ensure_torchaudio

    expected = ensure_torchaudio().functional.melscale_fbanks(257, 0.0, 8_000.0, 64, 16_000)
    signal = buzz(0.5)
    frames = np.lib.stride_tricks.sliding_window_view(signal, 512)[::160] * np.hanning(512)
    energy = (np.abs(np.fft.rfft(frames)) ** 2) @ expected.numpy()
    decibel = 10 * np.log10(np.maximum(energy / energy.max(), 1e-7))
    np.testing.assert_allclose(contours.mel_spectrogram(signal)[0], decibel.T, atol=0.01)


def test_pitch_follows_a_buzz_and_is_missing_in_silence():
    pitch = contours.pitch_contour(np.concatenate([buzz(1, 150), np.zeros(16_000, np.float32)]))
    assert np.nanmedian(pitch[10:80]) == pytest.approx(150, rel=0.1)
    assert np.isnan(pitch[120:]).all()
    assert len(pitch) == pytest.approx(200, abs=6)
    assert len(contours.pitch_contour(tone(0.05))) == 0
