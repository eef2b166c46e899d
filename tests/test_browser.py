"""What the browser finds wrong with a page: each kind of fault, in a page that has it."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import DESK, PHONE, Browser

PAGE = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>t</title><article>{}</article>"
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
    "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def show(browser: Browser, tmp_path: Path):
    """Open a page with this in its article."""

    def opened(article: str, width: int = DESK) -> Browser:
        page = tmp_path / "page.html"
        page.write_text(PAGE.format(article), "utf-8")
        browser.size(width)
        browser.open(page)
        return browser

    return opened


def sound(seconds: float) -> str:
    """Address of a tone, as in the pages: MP3 inside of them."""
    wave = 0.1 * np.sin(np.arange(round(16_000 * seconds)) / 10)
    encoded = io.BytesIO()
    soundfile.write(encoded, wave, 16_000, format="MP3")
    return f"data:audio/mpeg;base64,{base64.b64encode(encoded.getvalue()).decode()}"


GOOD = f"""
<h1>One</h1><h2>Two</h2><h3>Three</h3><h2>Two again</h2><p>Black on white, <a href="#">blue</a></p>
<img src="{DOT}" alt="a dot"><div style="overflow-x:auto"><table style="width:2000px"><tr><td>1</td>
</tr></table></div><audio controls src="{sound(0.3)}"></audio><pre>$$ in code \\( is none</pre>
<span class=math><mjx-container>x</mjx-container></span>
"""
FAULTS = {
    "images": '<h1>One</h1><img src="nowhere.png" alt="lost">',
    "described": f'<h1>One</h1><img src="{DOT}">',
    "headings": "<h1>One</h1><h3>Three</h3>",
    "equations": "<h1>One</h1><p>So $$x^2$$ it is</p>",
    "players": '<h1>One</h1><audio controls src="data:audio/mpeg;base64,AAAA"></audio>',
    "sideways": "<h1>One</h1><pre>" + "wide " * 100 + "</pre>",
    "clipped": '<h1>One</h1><div style="overflow:hidden"><table><td style="min-width:2000px">1',
    "contrast": '<h1>One</h1><p style="color:#999">pale</p>',
    "small": f'<h1>One</h1><figure><img style="width:0.5px" src="{DOT}" alt="a dot"></figure>',
}
ALL = tuple(FAULTS)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_nothing_is_found_in_a_page_without_faults(show, width):
    opened = show(GOOD, width)
    assert opened.check(*ALL) == {}
    assert opened.complaints == []


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found_and_no_other(show, kind):
    assert set(show(FAULTS[kind]).check(*ALL)) == {kind}


@pytest.mark.parametrize(
    ("style", "found"),
    [
        ("color:#767676", False),  # on white 4.54, by WCAG's own example
        ("color:#777777", True),  # 4.48
        ("color:#777777;font-size:24px", False),  # large: 3 is enough
        ("color:rgba(0,0,0,0.5)", True),  # 3.95 after it is laid over white
        ("color:#767676;background:rgba(0,0,0,0.1)", True),  # on a ground that is not white
        ("color:#999;visibility:hidden", False),  # nobody sees it
    ],
)
def test_contrasts_are_those_of_the_guideline(show, style, found):
    page = show(f'<h1>One</h1><p style="{style}">text</p>')
    assert ("contrast" in page.check("contrast")) == found


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("nothing.there()", "exception: ReferenceError"),
        ("console.error('oh')", "console: oh"),
        ("fetch('https://example.org/x').catch(() => 0)", "fetched from elsewhere"),
        ("new Image().src = 'lost.png'", "not loaded: Image"),
    ],
)
def test_errors_and_requests_of_a_script_are_taken_down(show, script, complaint):
    page = show(f"<h1>One</h1><script>{script}</script>")
    page.run("new Promise(done => setTimeout(done, 200))")
    assert any(complaint in one for one in page.complaints), page.complaints


def test_complaints_begin_anew_with_each_page(show):
    assert show("<h1>One</h1><script>nothing.there()</script>").complaints
    assert show("<h1>One</h1>").complaints == []
