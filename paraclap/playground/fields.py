"""The parts of a panel: a button with its result, a choice, and a choice with a field beside it.

Whatever goes wrong while a button works is said in a sentence, and what was shown before stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets

from paraclap.playground import showing

EXPECTED = (OSError, ValueError, ArithmeticError, ModuleNotFoundError)
WIDE = {"description_width": "7em"}
LONG = {"width": "min(44em, calc(100% - 6px))"}  # of a layout; fields have margins


class Doing:
    """A button, what it is at, and what came of it.

    Attributes:
        button: The button.
        told: What it is at, or what went wrong.
        result: What came of it.
    """

    def __init__(self, name: str, doing: str, work: Callable[[], str]) -> None:
        """Make a button.

        Args:
            name: on it
            doing: said while it works
            work: gives the HTML of the result
        """
        self.button = ipywidgets.Button(description=name, button_style="primary")
        self.told, self.result = ipywidgets.HTML(), ipywidgets.HTML()
        self._doing, self._work = doing, work
        self.button.on_click(lambda _: self.do())

    def do(self) -> None:
        """Work, as if the button was pressed."""
        with telling(self.told, self._doing, self.button):
            self.result.value = self._work()


@contextlib.contextmanager
def telling(place: Any, doing: str, button: Any = None) -> Iterator[None]:
    """Say what is done, and in a sentence what went wrong.

    Args:
        place: an HTML widget
        doing: said meanwhile; may be empty
        button: cannot be pressed meanwhile
    """
    place.value = showing.note(doing) if doing else ""
    if button is not None:
        button.disabled = True
    try:
        yield
        place.value = ""
    except EXPECTED as error:
        place.value = showing.note(str(error), bad=True)
    except Exception as error:  # a traceback of a button is seen by nobody
        unforeseen = f"This should not happen: {type(error).__name__}: {error}"
        place.value = showing.note(unforeseen, bad=True)
    finally:
        if button is not None:
            button.disabled = False


def choice(name: str, options: list[Any]) -> Any:
    """A list to choose from.

    Args:
        name: of the field
        options: values, or pairs of what is shown and the value
    """
    return ipywidgets.Dropdown(description=name, options=options, style=WIDE, layout=LONG)


class Either:
    """A choice from a list, or what is typed beside it, which counts if there is anything.

    Attributes:
        choice: The list.
        typed: The field beside it.
        box: Both.
    """

    def __init__(self, name: str, options: Sequence[str], instead: str, first: int = 0) -> None:
        """Make the two fields.

        Args:
            name: of the choice
            options: of the list; at least one
            instead: what may be typed
            first: place of the option that is chosen at the start
        """
        self.choice = choice(name, list(options))
        self.choice.index = min(first, len(options) - 1)
        self.typed = ipywidgets.Text(description="or", placeholder=instead, style=WIDE, layout=LONG)
        self.box = ipywidgets.VBox([self.choice, self.typed])

    @property
    def value(self) -> str:
        """What counts now."""
        return str(self.typed.value.strip() or self.choice.value)
