"""A book of three short chapters in a folder of its own, to see how the runner treats it."""

from pathlib import Path

from paraclap.book import notebooks

HEADER = Path(__file__).with_name("data").joinpath("toy_chapter.txt").read_text("utf-8")
CHAPTERS = {
    "01_numbers": (
        {"reads": "", "writes": "numbers.csv", "inputs": "corpus", "title": "Numbers"},
        'count: int = 3  # how many\ncorpus: str = ""  # a file of the user\'s',
        '(folder / "numbers.csv").write_text("\\n".join(map(str, range(count))))',
    ),
    "02_squares": (
        {"reads": "numbers.csv", "writes": "squares.csv", "inputs": "", "title": "Squares"},
        "power: float = 2.0  # the exponent",
        'numbers = [int(n) for n in (folder / "numbers.csv").read_text().split()]\n'
        '(folder / "squares.csv").write_text("\\n".join(str(n**power) for n in numbers))',
    ),
    "03_sum": (
        {"reads": "squares.csv", "writes": "sum.txt, settings.json", "inputs": "", "title": "Sum"},
        "sign: int = 1  # 1 or -1",
        'numbers = (folder / "squares.csv").read_text().split()\n'
        '(folder / "settings.json").touch()\n'
        '(folder / "sum.txt").write_text(str(sign * sum(map(float, numbers))))',
    ),
}


def write(home: Path, **code: str) -> Path:
    """Write chapters, pairs and a params file below PARACLAP_HOME; `code` replaces a chapter's."""
    (home / "book").mkdir(parents=True, exist_ok=True)
    for name, (header, parameters, cell) in CHAPTERS.items():
        cell = code.get(f"c{name[:2]}", cell)
        text = HEADER.format(**header, parameters=parameters) + f"\n# %%\n{cell}\n"
        (home / "book" / f"{name}.py").write_text(text, "utf-8")
    notebooks.write_pairs()
    params = home / "params" / "toy.yaml"
    params.parent.mkdir(exist_ok=True)
    params.write_text("count: 4\n", "utf-8")
    return params
