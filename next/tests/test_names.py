"""What `import paraclap` gives, and what it does to transformers and torchaudio."""

import subprocess
import sys
from pathlib import Path

import pytest

import paraclap

ROOT = Path(__file__).parent.parent


def python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_public_names_load_when_they_are_used():
    heavy = "{'torch', 'transformers', 'pandas'}"
    assert python(f"import sys, paraclap; print(*{heavy} & {{*sys.modules}})").strip() == ""
    for name in paraclap.__all__:
        assert getattr(paraclap, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Paraclap'"):
        _ = paraclap.Paraclap


@pytest.mark.parametrize("order", ["paraclap, transformers", "transformers, paraclap"])
def test_transformers_knows_the_model_after_the_import(order):
    code = f"import {order}; print(transformers.AutoConfig.for_model('paraclap').model_type)"
    assert python(code).strip() == "paraclap"


def test_transforms_of_torchaudio_work_beside_any_torch():
    import torch

    from paraclap._torchaudio import ensure_torchaudio

    resample = ensure_torchaudio().transforms.Resample(16_000, 8_000)
    assert resample(torch.zeros(1, 16_000)).shape == (1, 8_000)
