"""What `import paraclap` gives, and what it does to transformers."""

import subprocess
import sys

import pytest

import paraclap

CODE = """
import sys, paraclap
print({"torch", "transformers", "pandas"} & {*sys.modules})
import paraclap.features
print({"torch", "transformers"} & {*sys.modules})
import transformers
print(transformers.AutoConfig.for_model("paraclap").model_type)
for name in [name for name in sys.modules if name.startswith("paraclap")]:
    del sys.modules[name]
import paraclap
print("paraclap.model" in sys.modules)
"""


def test_imports_are_light_and_transformers_knows_the_model_in_any_order():
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()", "set()", "paraclap", "True"]


def test_public_names_load_when_they_are_used():
    for name in paraclap.__all__:
        assert getattr(paraclap, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Paraclap'"):
        _ = paraclap.Paraclap
