"""A params file says what the notebooks declare, or it is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paraclap import book, params
from paraclap.params import ParamsError

ROOT = Path(__file__).resolve().parent.parent

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


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("demmo", r"'demmo\.yaml' in params/, there are: \['demo', 'paper/rand5'\]"),
        ("paper/rand6", r"'rand6\.yaml' in paper/, there are: \['rand5'\]"),
        ("papre/rand5", r"'papre/rand5\.yaml' in params/, there are: \['demo', 'paper/rand5'\]"),
    ],
)
def test_a_missing_params_file_is_looked_for_in_folders_below_too(tmp_path, wanted, message):
    folder = tmp_path / "params"
    (folder / "paper").mkdir(parents=True)
    for name in ("demo", "paper/rand5"):
        (folder / f"{name}.yaml").touch()
    with pytest.raises(FileNotFoundError, match=message):
        params.read(folder / f"{wanted}.yaml")


def test_make_and_the_command_line_find_the_params_files_beside_a_missing_one():
    scripts = Path(sys.executable).parent
    commands = [
        ["make", "--silent", "book", "RUN=dmeo", f"BIN={scripts}", "STAMP="],  # installs nothing
        [sys.executable, "-m", "paraclap.book", "params/dmeo.yaml"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert "No params file 'dmeo.yaml' in params/, there are: ['demo', " in done.stderr


@pytest.mark.parametrize(
    ("line", "name"), [("seed: 1", "rand5"), ("run: other", "other")], ids=["stem", "given"]
)
def test_a_params_file_in_a_folder_below_gives_its_stem_to_the_run(tmp_path, line, name):
    notebook(tmp_path, 'seed: int = 0  # of all draws\nrun: str = "x"  # name')
    file = tmp_path / "params" / "paper" / "rand5.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(line)
    arguments = [str(file), "--folder", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert book.main([*arguments, "--no-html"]) == 0
    assert (tmp_path / "runs" / name / "notebooks" / "01_mini.ipynb").is_file()


def test_a_variable_of_the_environment_is_filled_in_and_an_unknown_one_left(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_TESS", "/data/tess: all")
    monkeypatch.setenv("PARACLAP_EMPTY", "")
    monkeypatch.delenv("PARACLAP_SLD", raising=False)
    file = tmp_path / "my.yaml"
    file.write_text(
        "tess: ${PARACLAP_TESS}\n"
        "inside: before/${PARACLAP_TESS}/${PARACLAP_SLD}\n"
        "sld: ${PARACLAP_SLD}\n"
        "empty: ${PARACLAP_EMPTY}\n"
        'several: ["${PARACLAP_TESS}", 3]\n'
        "plain: $PARACLAP_TESS\n"
        "seed: 1\n"
    )
    assert params.read(file) == {
        "tess": "/data/tess: all",
        "inside": "before//data/tess: all/${PARACLAP_SLD}",
        "sld": "${PARACLAP_SLD}",
        "empty": "",
        "several": ["/data/tess: all", 3],
        "plain": "$PARACLAP_TESS",
        "seed": 1,
    }


def test_a_variable_filled_in_is_text_whatever_it_looks_like(known, tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_SEED", "3")
    file = tmp_path / "my.yaml"
    file.write_text("seed: ${PARACLAP_SEED}\n")
    with pytest.raises(ParamsError, match=r"Bad seed in my\.yaml: got '3' \(str\), expected int"):
        params.check(params.read(file), known, file.name)


def test_a_step_is_run_again_when_what_lies_at_a_variable_changes(tmp_path, monkeypatch):
    step = notebook(tmp_path, 'tess: str = ""  # folder of the corpus')
    declared = params.declared(step)
    corpus = tmp_path / "tess"
    corpus.mkdir()
    monkeypatch.setenv("PARACLAP_TESS", str(corpus))
    file = tmp_path / "my.yaml"
    file.write_text("tess: ${PARACLAP_TESS}\n")

    def key() -> str:
        given = params.check(params.read(file), declared, file.name)
        values = params.effective(declared, given, run="my")
        return book.plan([step], values, tmp_path / "runs")[0].key

    before = key()
    assert key() == before
    (corpus / "a.wav").write_bytes(b"new")
    after = key()
    assert after != before
    monkeypatch.setenv("PARACLAP_TESS", os.fspath(tmp_path))
    assert key() not in (before, after)


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
