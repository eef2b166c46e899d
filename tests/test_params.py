"""A params file says what the notebooks declare, or it is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from paraclap import params
from paraclap.params import ParamsError

CELL = """# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A question
# run: str = "not a declaration"

# %% tags=["parameters"]
{lines}

# %%
later: int = 3
"""

LINES = """seed: int = 0  # seed of all draws
audio_lr: float = 1.0e-5  # learning rate of the audio encoder, per step
only_emotion: bool = False  # leave all other queries out
emotion: str = "always # or so"  # always, pool or never
sizes: list[float] = [1, 2.5]  # seconds
limit: int | None = None  # rows, all if none"""


def notebook(folder: Path, lines: str = LINES, name: str = "01_mini.py") -> Path:
    path = folder / name
    path.write_text(CELL.format(lines=lines))
    return path


@pytest.fixture
def known(tmp_path: Path) -> dict[str, params.Parameter]:
    return params.declared(notebook(tmp_path))


def test_declared_parameters_carry_type_default_and_comment(known):
    assert list(known) == ["seed", "audio_lr", "only_emotion", "emotion", "sizes", "limit"]
    assert known["audio_lr"].kind == "float"
    assert known["audio_lr"].default == 1e-5
    assert known["emotion"].default == "always # or so"
    assert known["emotion"].comment == "always, pool or never"
    assert known["seed"].comment == "seed of all draws"
    assert known["seed"].notebook == "01_mini.py"


def test_a_notebook_without_a_parameters_cell_declares_none(tmp_path):
    path = tmp_path / "01_plain.py"
    path.write_text("# %%\nseed: int = 0\n")
    assert params.declared(path) == {}


@pytest.mark.parametrize(
    "line",
    ["seed = 0", "seed: int", "seed: int = 2 * 3", "seed: complex = 0", "print(1)"],
)
def test_a_declaration_that_is_not_a_typed_literal_is_an_error_with_its_line(tmp_path, line):
    with pytest.raises(ParamsError, match=r"01_mini\.py, line 13: .*expected name: type"):
        params.declared(notebook(tmp_path, f"rand: int = 5  # sentences\n{line}"))


def test_the_same_parameter_declared_differently_is_an_error_naming_both_notebooks(tmp_path):
    first = notebook(tmp_path, "seed: int = 0", "01_a.py")
    same = notebook(tmp_path, "seed: int = 0  # other words", "02_b.py")
    other = notebook(tmp_path, "seed: int = 1", "03_c.py")
    typed = notebook(tmp_path, "seed: float = 0", "04_d.py")
    assert list(params.declared_by_all([first, same])) == ["seed"]
    for bad in (other, typed):
        with pytest.raises(ParamsError, match=rf"'seed'.*01_a\.py.*{bad.stem}"):
            params.declared_by_all([first, same, bad])


def test_an_unknown_key_names_the_nearest_known_one_and_the_file(known):
    with pytest.raises(ParamsError, match=r"'audio_rl' in my\.yaml.*did you mean 'audio_lr'\?"):
        params.check({"audio_rl": 1.0}, known, "my.yaml")
    with pytest.raises(ParamsError, match=r"'zzz' in my\.yaml.*known are \['audio_lr'"):
        params.check({"zzz": 1.0}, known, "my.yaml")


@pytest.mark.parametrize(
    ("key", "value", "got"),
    [
        ("seed", True, r"True \(bool\)"),
        ("seed", 1.0, r"1.0 \(float\)"),
        ("seed", None, r"None \(NoneType\)"),
        ("audio_lr", False, r"False \(bool\)"),
        ("emotion", 3, r"3 \(int\)"),
        ("only_emotion", 1, r"1 \(int\)"),
        ("sizes", ["a"], r"\['a'\] \(list\)"),
        ("limit", "all", r"'all' \(str\)"),
    ],
)
def test_a_value_of_another_type_is_an_error_with_name_got_and_expected(known, key, value, got):
    with pytest.raises(ParamsError, match=rf"Bad {key} in my\.yaml: got {got}, expected"):
        params.check({key: value}, known, "my.yaml")


def test_a_float_that_yaml_takes_for_a_word_is_an_error_that_says_how_to_write_it(known, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("audio_lr: 1e-5\n")
    with pytest.raises(ParamsError, match=r"Write 1\.0e-5: YAML takes 1e-5 for a word"):
        params.check(params.read(file), known, file.name)


def test_an_unquoted_off_is_an_error_that_asks_for_quotes(known, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("emotion: off\n")
    with pytest.raises(ParamsError, match="Put it in quotes"):
        params.check(params.read(file), known, file.name)


def test_a_whole_number_is_taken_for_a_float_and_becomes_one(known):
    checked = params.check({"audio_lr": 1, "sizes": [3]}, known, "my.yaml")
    assert checked == {"audio_lr": 1.0, "sizes": [3.0]}
    assert type(checked["audio_lr"]) is float


def test_none_is_taken_where_it_is_declared(known):
    assert params.check({"limit": None}, known, "my.yaml") == {"limit": None}


@pytest.mark.parametrize("text", ["- a\n- b\n", "seed", "1: 2"])
def test_a_params_file_that_is_not_a_flat_mapping_is_an_error(tmp_path, text):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(ParamsError, match=r"my\.yaml: expected lines of the form key: value"):
        params.read(file)


def test_a_params_file_that_is_not_yaml_is_an_error_with_the_place(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("seed: [1\nrand: 2")
    with pytest.raises(ParamsError, match=r"Cannot read my\.yaml as YAML(?s:.*)line 2"):
        params.read(file)


def test_a_key_given_twice_is_an_error(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("seed: 1\nrand: 2\nseed: 3\n")
    with pytest.raises(ParamsError, match=r"\['seed'\] given more than once"):
        params.read(file)


def test_a_missing_params_file_is_an_error_that_names_those_there(tmp_path):
    (tmp_path / "demo.yaml").touch()
    with pytest.raises(FileNotFoundError, match=r"'dmeo\.yaml'.*\['demo'\]"):
        params.read(tmp_path / "dmeo.yaml")


def test_an_empty_params_file_leaves_every_default(known, tmp_path):
    (tmp_path / "my.yaml").touch()
    given = params.read(tmp_path / "my.yaml")
    values = params.effective(known, params.check(given, known, "my.yaml"), run="my")
    assert values == {**{name: p.default for name, p in known.items()}, "run": "my"}


def test_the_command_line_is_stronger_than_the_file_and_the_file_than_the_default(known):
    values = params.effective(known, {"seed": 1, "limit": 5}, {"seed": 2}, run="my")
    assert (values["seed"], values["limit"], values["emotion"]) == (2, 5, "always # or so")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed=3", ("seed", 3)),
        ("emotion=off", ("emotion", "off")),
        ("emotion=a=b", ("emotion", "a=b")),
        ("emotion=", ("emotion", "")),
        ("limit=null", ("limit", None)),
        ("sizes=[1, 2]", ("sizes", [1, 2])),
        ("unknown=1", ("unknown", 1)),
    ],
)
def test_an_override_is_read_by_the_type_that_is_declared(known, text, expected):
    assert params.override(text, known) == expected


def test_an_override_without_a_value_is_an_error(known):
    with pytest.raises(ParamsError, match="expected key=value"):
        params.override("seed", known)
