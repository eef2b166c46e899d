"""Which ink can be read on a colour, whatever the theme of the page around it?

Colours are hex values such as `#0173b2`. Contrast is that of WCAG 2.1: 1 to 21; 4.5 is enough for
text (level AA).
"""

from __future__ import annotations

BLACK, WHITE = "#000000", "#ffffff"


def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white).

    Raises:
        ValueError: if this is no hex colour

    >>> luminance("#ffffff"), luminance("#000000")
    (1.0, 0.0)
    """
    digits = colour.removeprefix("#")
    if len(digits) != 6 or not colour.startswith("#"):
        raise ValueError(f"Bad colour {colour!r}, expected one such as '#0173b2'.")
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """How well two colours are told apart, 1 to 21.

    >>> round(contrast("#ffffff", "#000000"))
    21
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink(ground: str) -> str:
    """Black or white, whichever is read better on a ground; its contrast is 4.5 at least.

    >>> ink("#ece133"), ink("#0173b2")
    ('#000000', '#ffffff')
    """
    return max((BLACK, WHITE), key=lambda one: contrast(one, ground))
