"""The picture of the book in the README, from the built pages: a browser's view of chapter 5.

.venv/bin/python tests/picture.py        # after make book
"""

from __future__ import annotations

import sys
from pathlib import Path

from browser import Browser
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "book" / "_static" / "picture_of_the_book.png"
WIDTH, HEIGHT = 1200, 760  # pixels
SHOWN = "fig-eval-scores"  # the figure at the foot of the picture


def take(page: Path, picture: Path) -> None:
    """Save the part of a page that ends with the figure."""
    with Browser() as browser:
        browser.size(WIDTH, HEIGHT)
        browser.open(page)
        browser.theme("light")
        browser.run(f"document.getElementById({SHOWN!r}).scrollIntoView({{block: 'end'}})")
        browser.run("new Promise(done => setTimeout(done, 500))")
        browser.picture(picture, whole=False)
    with Image.open(picture) as image:
        image.convert("RGB").quantize(128).save(picture, optimize=True)


if __name__ == "__main__":
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html"
    take(site / "book" / "05_evaluation.html", PICTURE)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")
