"""A contour shows a tone where it is, and nothing where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from paraclap import contours


@pytest.fixture
def tone():
    time = np.arange(16_000) / 16_000
    return sum(np.sin(2 * np.pi * 200 * n * time) / n for n in range(1, 6)).astype(np.float32) / 3


def test_the_pitch_of_a_tone_is_its_frequency(tone):
    assert np.nanmedian(contours.pitch_hertz(tone)) == pytest.approx(200, rel=0.02)


def test_silence_has_no_pitch_and_a_click_too_short_to_measure_neither():
    assert np.isnan(contours.pitch_hertz(np.zeros(16_000, np.float32))).all()
    assert len(contours.pitch_hertz(np.zeros(100, np.float32))) == 0


def test_the_loudest_band_of_a_pure_tone_is_the_one_it_lies_in():
    time = np.arange(16_000) / 16_000
    mel, bands = contours.mel_levels(np.sin(2 * np.pi * 1000 * time).astype(np.float32))
    assert abs(bands[mel.mean(axis=1).argmax()] - 1000) < 60
    assert mel.max() == 0
    assert mel.min() >= contours.FLOOR


def test_contours_of_a_segment_cover_that_segment_alone(tone, tmp_path):
    soundfile.write(tmp_path / "tone.wav", tone, 16_000)
    part = contours.contours(str(tmp_path / "tone.wav"), 0.25, 0.75)
    assert len(part.signal) == 8_000
    assert part.mel.shape == (contours.BANDS, len(part.times))
    assert part.times[-1] < 0.5
    assert np.isfinite(contours.mel_levels(part.signal[:10])[0]).all()
