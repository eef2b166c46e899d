"""What the chapters print as findings follows from their tables, whatever these say."""

import ast
from pathlib import Path

import jupytext
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = yaml.safe_load((ROOT / "tests" / "data" / "findings.yaml").read_text("utf-8"))


def given(value):
    is_table = isinstance(value, list) and isinstance(value[0], dict)
    return pd.DataFrame(value) if is_table else value


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one['chapter']}: {one['says'][0]}")
def test_a_finding_is_what_its_table_says(case, tmp_path, capsys):
    cells = jupytext.read(ROOT / "book" / f"{case['chapter']}.py").cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    (finding,) = [source for source in code if case["cell"] in source]
    lines = [one for source in code for one in ast.parse(source).body]
    imports = [one for one in lines if isinstance(one, (ast.Import, ast.ImportFrom))]
    names = {"folder": tmp_path}
    exec(compile(ast.Module(imports, []), case["chapter"], "exec"), names)
    exec(finding, names | {name: given(value) for name, value in case["given"].items()})
    printed = capsys.readouterr().out
    assert [sentence for sentence in case["says"] if sentence not in printed] == [], printed
