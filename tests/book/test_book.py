"""The whole book, once, as small as it goes: what it leaves fits together and reads well."""

import ast
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import jupytext
import numpy as np
import pandas as pd
import pytest
import yaml
from browser import DESK, PHONE, Browser
from jupytext.cli import jupytext as sync

import paraclap
from paraclap import tables
from paraclap.book import notebooks
from paraclap.book import run as runner
from paraclap.book.params import declared, read_params
from paraclap.evaluation import metrics
from paraclap.queries import QueryPool
from paraclap.queries.levels import assign_levels, fit_levels, load_edges

ROOT = Path(__file__).resolve().parent.parent.parent
SMOKE = ROOT / "params" / "smoke.yaml"
CHAPTERS = notebooks.chapters()
NAMES = [chapter.stem for chapter in CHAPTERS]
PAIRS = [chapter.with_suffix(".ipynb") for chapter in CHAPTERS]
SCORES = [
    *("task", "classes", "chance", "n", "speakers", "template"),
    *("uar", "uar_low", "uar_high", "macro_f1", "accuracy"),
]
ARTEFACTS = [
    *("params.yaml", "labels.parquet", "features.parquet", "features_failed.csv", "edges.json"),
    *("queries.parquet", "curves.csv", "model", "predictions.parquet", "scores.csv"),
    *("results.json", "notebooks"),
]
LARGEST_PAGE = 4_000_000  # bytes, with all that it loads


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("book")


@pytest.fixture(scope="module")
def run(place):
    """Folder of the run; the pages lie beside it, in `site`."""
    return runner.run(SMOKE, overrides=[f"runs={place / 'runs'}"], site=place / "site")


@pytest.fixture(scope="module")
def html(run, place):
    return place / "site" / "html"


@pytest.fixture(scope="module")
def executed(run):
    files = (run / "notebooks").glob("*.ipynb")
    return {file.stem: json.loads(file.read_text("utf-8"))["cells"] for file in files}


def outputs(cells):
    return [(cell, output) for cell in cells for output in cell.get("outputs", ())]


def text_of(output):
    """What a reader sees of an output as text: no pictures, no sounds."""
    data = {kind: text for kind, text in output.get("data", {}).items() if "image" not in kind}
    shown = json.dumps([data, output.get("text", "")])
    return re.sub(r"data:[\w/]+;base64,[\w+/=]+", "", shown)


# --- the run -----------------------------------------------------------------------------------


def test_every_artefact_of_the_contract_is_there(run, executed):
    assert [name for name in ARTEFACTS if not (run / name).exists()] == []
    assert sorted(executed) == NAMES


def test_the_parameters_that_are_kept_are_those_of_the_run(run):
    kept = yaml.safe_load((run / "params.yaml").read_text())
    assert kept == read_params(run / "params.yaml", (), PAIRS)
    assert yaml.safe_load(SMOKE.read_text()).items() <= kept.items()


def test_each_chapter_continues_with_the_segments_of_the_one_before(run):
    labels = tables.check_labels(tables.read_table(run / "labels.parquet"))
    features = tables.read_table(run / "features.parquet")
    queries = tables.read_table(run / "queries.parquet")
    predictions = tables.read_table(run / "predictions.parquet")
    assert len(features) + len(pd.read_csv(run / "features_failed.csv")) == len(labels)
    assert features.index.isin(labels.index).all()
    pd.testing.assert_index_equal(queries.index, features.index)
    assert (labels.loc[predictions.index, "split"] == "test").all()
    assert labels.groupby("speaker")["split"].nunique().max() == 1


def test_edges_and_queries_are_those_of_the_training_split(run):
    features = tables.read_table(run / "features.parquet")
    labels = tables.read_table(run / "labels.parquet").loc[features.index]
    values = features.join(labels[["arousal", "valence", "dominance"]])
    edges = load_edges(run / "edges.json")
    assert edges == fit_levels(values[labels["split"] == "train"])
    levels = assign_levels(values, edges)
    queries = tables.read_table(run / "queries.parquet")
    pool = QueryPool(levels.join(labels[["emotion", "gender"]]))
    assert [list(own) for own in queries["queries"]] == pool.table()["queries"].tolist()


def test_scores_are_those_of_the_predictions(run):
    scores = tables.read_table(run / "scores.csv")
    predictions = tables.read_table(run / "predictions.parquet")
    assert list(scores) == SCORES
    assert len(scores) == 9  # eight held-out tasks, and the test split of the training corpus
    for row in scores.itertuples():
        own = predictions[predictions["corpus"] == row.task]
        classes = sorted(own["truth"].unique())
        assert (len(own), own["speaker"].nunique()) == (row.n, row.speakers)
        assert metrics.uar(own["truth"], own["prediction"], classes) == pytest.approx(row.uar)
        assert row.uar_low <= row.uar <= row.uar_high
        assert np.allclose(own[classes].sum(axis=1), 1, atol=1e-5)
        assert (own[classes].idxmax(axis=1) == own["prediction"]).all()


def test_the_three_lines_of_the_readme_answer_a_question(run, tmp_path, monkeypatch):
    from sounds import buzz, write

    text = (ROOT / "README.md").read_text("utf-8")
    code = re.search(r"## Three lines of Python\s+```python\n(.*?)```", text, re.DOTALL)[1]
    *lines, last = ast.parse(code.replace("runs/demo/model", str(run / "model"))).body
    write(tmp_path / "voice.wav", buzz(1.5, 200, 0.3, 0))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(ast.Module(lines, []), "README.md", "exec"), names)
    answer = eval(compile(ast.Expression(last.value), "README.md", "eval"), names)
    assert list(answer) == ["angry", "happy", "sad", "prediction"]
    assert answer.index.names == tables.INDEX
    assert answer.iloc[0, :3].sum() == pytest.approx(1, abs=1e-5)


def test_nothing_is_made_again_where_nothing_changed(run, html, place, capsys):
    capsys.readouterr()
    runner.run(SMOKE, overrides=[f"runs={place / 'runs'}"], site=place / "site")
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(NAMES)] == [f"{name}: up to date" for name in NAMES]
    assert lines[len(NAMES)].startswith("pages: up to date")


# --- executed notebooks ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["py", "ipynb"])
def test_jupytext_has_nothing_to_bring_to_the_other_side(tmp_path, kind):
    shutil.copytree(ROOT / "book", tmp_path / "book")
    newer = sorted((tmp_path / "book").glob(f"[0-9]*.{kind}"))
    for file in newer:
        os.utime(file, (2e9, 2e9))
    sync(["--sync", "--quiet", *map(str, newer)])
    for file in (*CHAPTERS, *PAIRS):
        assert (tmp_path / "book" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_outputs_hold_no_error_no_warning_and_no_path_of_this_machine(executed, place, name):
    for cell, output in outputs(executed[name]):
        where = "".join(cell["source"])[:200]
        assert output["output_type"] != "error", where
        assert output.get("name") != "stderr", (where, output["text"])
        assert "Warning" not in text_of(output), (where, text_of(output)[:500])
        for private in (str(ROOT), str(place), f"{Path.home()}/"):
            assert private not in text_of(output), (where, text_of(output)[:500])


@pytest.mark.parametrize("name", NAMES)
def test_each_figure_has_a_name_a_caption_a_description_and_a_mention(executed, name):
    shown = [c for c, output in outputs(executed[name]) if "image/png" in output.get("data", {})]
    text = prose(ROOT / "book" / f"{name}.py")
    for cell in shown:
        about = cell["metadata"].get("mystnb", {})
        where = "".join(cell["source"])
        assert len(about.get("figure", {}).get("caption", "")) > 40, where
        assert f"{{numref}}`{about['figure']['name']}`" in text, where
        assert len(about.get("image", {}).get("alt", "")) > 20, where
        assert not re.search(r"\d\.\d|\d ?%", about["figure"]["caption"]), where


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_cells_are_short_and_define_nothing(chapter):
    for cell in jupytext.read(chapter).cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)  # no shell escapes: they do not parse
        kinds = {type(node) for node in ast.walk(tree)}
        assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Try}, cell.source
        if "parameters" not in cell.metadata.get("tags", []):
            assert len(cell.source.splitlines()) <= 15, cell.source


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_a_chapter_starts_with_its_goals_and_ends_with_the_question_of_the_next(chapter):
    text = " ".join(prose(chapter).split())
    body, helpers = text.split(" ## Where the helpers come from ")
    assert "After this chapter you can" in body and " ## Exercises " in body
    last = helpers.split(" ## Summary ")[1]
    for one in CHAPTERS[CHAPTERS.index(chapter) + 1 :][:1]:
        question = re.search(r"\*\*([^*]+\?)\*\*", " ".join(prose(one).split()))[1]
        assert f"**{question}** This is the question of [the " in last
        assert f"({one.stem}) | {question} |" in (ROOT / "book" / "index.md").read_text("utf-8")


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_parameters_have_one_default_in_all_chapters_and_are_used(pair):
    everywhere = [declared(one) for one in PAIRS]
    code = "\n".join(c.source for c in jupytext.read(pair).cells if c.cell_type == "code")
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    for name, (_, default) in declared(pair).items():
        assert all(other.get(name, (0, default))[1] == default for other in everywhere), name
        assert name in used or "globals()" in code, name


def prose(chapter):
    cells = jupytext.read(chapter).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_functionals_take_the_place_of_signals_in_every_chapter_that_trains(run):
    """params/quick.yaml, on the utterances of this run."""
    made = ("model", "notebooks", "control", "recipes", "checkpoints", ".*")
    shutil.copytree(run, run.parent / "quick", ignore=shutil.ignore_patterns(*made))
    small = ["steps=4", "batch=8", "control_steps=2", "recipe_steps=2", "recipe_seeds=1"]
    small += ["recipe_batch=8", "probe_draws=1", "draws=20", f"runs={run.parent}"]
    folder = runner.run(SMOKE.with_name("quick.yaml"), "4,7,12", small, html=False)
    assert tables.read_json(folder / "settings.json")["audio_encoder"] == "egemaps"
    assert tables.read_table(folder / "recipes.csv")["loss"].notna().all()
    assert set(tables.read_table(folder / "control.csv")["queries"]) == {"true", "shuffled"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_the_code_of_an_answer_runs_and_prints_something(run, chapter, capsys):
    codes = re.findall(r"^```python\n(.*?)^```", prose(chapter), re.MULTILINE | re.DOTALL)
    for code in codes:
        exec(compile(code, chapter.name, "exec"), {"folder": run})
        assert capsys.readouterr().out.strip(), code


# --- pages -------------------------------------------------------------------------------------


class Links(HTMLParser):
    """Addresses and ids of a page."""

    def __init__(self, page):
        super().__init__()
        self.addresses, self.ids = [], set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href") and value:
                self.addresses.append((tag, value))
            if name == "id" and value:
                self.ids.add(value)


@pytest.fixture(scope="module")
def links(html):
    pages = [page for page in sorted(html.rglob("*.html")) if "_static" not in page.parts]
    return {page: Links(page) for page in pages}


def test_what_a_page_points_to_is_there_and_nothing_is_fetched_from_elsewhere(html, links):
    assert {html / "book" / f"{name}.html" for name in NAMES} <= set(links)
    broken = []
    for page, found in links.items():
        for tag, address in found.addresses:
            if re.match(r"https?:|//", address):
                broken += [] if tag in ("a", "link") and "css" not in address else [address]
            elif not re.match(r"[a-z]+:", address):
                path, _, anchor = unquote(address).partition("#")
                file = (page.parent / path.partition("?")[0] if path else page).resolve()
                file = file / "index.html" if file.is_dir() else file
                missing = file in links and anchor and anchor not in links[file].ids
                broken += [(page.name, address)] if missing or not file.is_file() else []
    assert broken == []


def test_of_many_parameters_the_first_are_shown_and_the_others_folded(html):
    page = (html / "book" / "04_training.html").read_text("utf-8")
    shown, _, folded = page.partition("All other parameters")
    assert "epochs" in shown and "logit_scale_max" not in shown
    assert "logit_scale_max" in folded.partition("</details>")[0]


@pytest.mark.parametrize("name", paraclap.__all__)
def test_the_reference_has_every_public_name(html, name):
    made = getattr(paraclap, name)
    address = f"{made.__module__}.{made.__name__}"
    pages = [page for page in (html / "book").glob("api_*.html") if address in Links(page).ids]
    assert len(pages) == 1


@pytest.fixture(scope="module")
def found(html):
    """What a reader would stumble over, by page and kind; pages are opened without a network."""
    with Browser() as browser:
        return {page.stem: stumbles(browser, page) for page in (html / "book").glob("*.html")}


def stumbles(browser, page):
    looks = ["images", "described", "headings", "equations", "players"]
    browser.size(DESK)
    browser.open(page)
    weight = sum(file.stat().st_size for file in browser.files if file.is_file())
    browser.unfold()
    every = browser.check(*looks, "sideways", "clipped", "contrast")
    browser.theme("dark")
    every["dark"] = browser.check("contrast").get("contrast", [])
    browser.size(PHONE)
    phone = browser.check("sideways", "clipped", "small")
    every["phone"] = [one for many in phone.values() for one in many]
    every["console"] = browser.complaints
    every["weight"] = [weight] if weight > LARGEST_PAGE else []
    return {kind: what for kind, what in every.items() if what}


def test_pages_open_in_a_browser_without_a_complaint(found):
    assert {"index", "glossary", *NAMES} <= set(found)
    assert {page: what for page, what in found.items() if what} == {}


def test_search_finds_the_chapters_that_have_a_word(html):
    with Browser() as browser:
        browser.open(html / "search.html", "?q=eGeMAPS")
        hit = "document.querySelector('#search-results li a[href*=\"02_features\"]')"
        assert "Features" in browser.wait(f"{hit}?.textContent")
        assert browser.complaints == []
