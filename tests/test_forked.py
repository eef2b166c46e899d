"""Forked kernels are as alone as kernels that start anew, and end with the book."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from paraclap import forked, kernel
from paraclap.pages import BookError

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not forked.possible(), reason="kernels start anew on this machine")
ALONE = """# %%
import json
import os
import sys

asked = {"torch", "transformers", "sklearn", "matplotlib", "paraclap", "paraclap.model"}
here = sorted(set(sys.modules) & asked)
left = "before" in globals()
before = 1
print(json.dumps([here, left, os.getcwd(), os.environ.get("GIVEN"), os.getpgrp() == os.getpid()]))
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "01_alone.py"
    file.write_text(text, "utf-8")
    return file


def told(executed: Path) -> str:
    cells = nbformat.read(executed, as_version=4).cells
    return "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", []))


def test_a_kernel_knows_its_environment_and_nothing_of_the_one_before(tmp_path, monkeypatch):
    for given in ("one", "two"):
        monkeypatch.setenv("GIVEN", given)
        kernel.execute(write(tmp_path, ALONE), tmp_path / "out.ipynb", {}, "key")
        here, left, folder, found, leads = json.loads(told(tmp_path / "out.ipynb"))
        assert here == ["sklearn", "torch", "transformers"]
        assert (left, folder, found, leads) == (False, str(ROOT), given, True)


def test_a_program_without_a_guard_runs_notebooks(tmp_path):
    source = write(tmp_path, "# %%\nprint(__name__)\n")
    program = tmp_path / "program.py"
    program.write_text(f"""from pathlib import Path

from paraclap import kernel

kernel.execute(Path({str(source)!r}), Path({str(tmp_path / "out.ipynb")!r}), {{}}, "key")
print("once")
""")
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, program], env=own, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "once\n"), run.stderr
    assert told(tmp_path / "out.ipynb") == "__main__\n"


def test_a_killed_kernel_is_told_of(tmp_path):
    source = write(tmp_path, "# %%\nimport os\n\nos.kill(os.getpid(), 9)\n")
    with pytest.raises(BookError, match="its process died"):
        kernel.execute(source, tmp_path / "out.ipynb", {}, "key")


def test_a_kernel_may_have_processes_of_its_own(tmp_path):
    text = """# %%
from joblib import Parallel, delayed

print(Parallel(2)(delayed(abs)(n) for n in (-1, -2)))
"""
    kernel.execute(write(tmp_path, text), tmp_path / "out.ipynb", {}, "key")
    assert told(tmp_path / "out.ipynb") == "[1, 2]\n"


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("forks", [True, False])
def test_what_is_to_be_done_at_the_end_of_a_kernel_is_done(tmp_path, monkeypatch, forks, started):
    monkeypatch.setattr(forked, "possible", lambda: forks)
    text = f"""# %%
import atexit

from joblib import Parallel, delayed

Parallel({1 + started})(delayed(abs)(n) for n in (-1, -2))
atexit.register(open, {str(tmp_path / "done")!r}, "w")
"""
    kernel.execute(write(tmp_path, text), tmp_path / "out.ipynb", {}, "key")
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_kernel_outlives_the_book(tmp_path, number):
    started = tmp_path / "started"
    text = f"""# %%
import os
import time
from pathlib import Path

Path({str(started)!r}).write_text(str(os.getpid()))
time.sleep(600)
"""
    code = (
        "import sys; from pathlib import Path; from paraclap import book, kernel; "
        "import signal; signal.signal(signal.SIGTERM, book.stop); "
        f"kernel.execute(Path({str(write(tmp_path, text))!r}), Path({str(tmp_path / 'o.ipynb')!r}),"
        " {}, 'key')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    child = int(wait_for(lambda: started.is_file() and started.read_text()))
    process.send_signal(number)
    process.wait(30)
    wait_for(lambda: not alive(child))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_for(found, seconds: float = 240):
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return value
