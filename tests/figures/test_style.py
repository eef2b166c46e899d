"""The style: colours that stay, figures that show themselves, words that stay words."""

import base64
import io

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from PIL import Image

from paraclap.figures import style


def test_a_figure_shows_itself_as_png_and_is_unknown_to_pyplot():
    before = plt.get_fignums()
    fig, ax = style.figure(height=3)
    ax.set_title("a title")
    shown = fig._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    assert picture.size == (980, 420)
    assert shown["text/plain"] == "<Figure: a title>"
    assert plt.get_fignums() == before


def test_a_class_named_like_mathematics_breaks_no_figure():
    table = pd.DataFrame({"label": ["a$^$", "b_c$"], "n": [1, 2]})
    fig, ax = style.figure(height=2)
    sns.barplot(table, x="n", y="label", hue="label", ax=ax, legend="full")
    ax.set_title("100 $ and 2 $")
    fig._repr_mimebundle_()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a$^$", "b_c$"]


def test_words_keep_their_colours_and_come_in_the_order_of_the_book_whatever_is_beside_them():
    one = style.colours(["anger", "zest", "boredom"])
    assert one["anger"] == style.EMOTIONS["anger"]
    assert style.colours(["boredom", "zest", "anger"]) == one
    assert len(set(one.values())) == 3
    found = style.ordered(["zest", "fear", None, "sadness", "bored", "fear"])
    assert found == ["sadness", "fear", "bored", "zest"]


def test_tables_show_words_as_they_are_and_addresses_as_links():
    table = pd.DataFrame({"<b>": ["<script>"], "page": ["https://example.org/a?b&c"]})
    shown = style.text_table(table, "a < b").to_html()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown and "&lt;b&gt;" in shown and "a &lt; b" in shown
    assert '<a href="https://example.org/a?b&amp;c">example.org</a>' in shown
