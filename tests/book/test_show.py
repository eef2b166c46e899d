"""Source shown to the reader is the source that runs."""

import ast

import pytest

from paraclap.book import show
from paraclap.evaluation.metrics import uar
from paraclap.queries.levels import fit_levels
from paraclap.training.loss import contrastive_loss


@pytest.mark.parametrize("part", [uar, fit_levels, contrastive_loss], ids=lambda p: p.__name__)
def test_a_function_is_shown_whole_with_the_place_it_comes_from(part):
    text = repr(show(part))
    module = part.__module__.replace(".", "/")
    assert text.startswith(f"# {module}.py, line ")
    (function,) = ast.parse(text).body
    assert function.name == part.__name__
    assert len(text.splitlines()) <= 26 + len((part.__doc__ or "").splitlines())


def test_a_method_loses_its_indentation_only():
    from paraclap.queries import QueryPool

    text = repr(show(QueryPool.sample))
    assert "\ndef sample(" in text
    assert "\n    " in text


def test_pages_and_jupyterlab_get_colours():
    assert "<span" in show(uar)._repr_html_()


@pytest.mark.parametrize("part", [len, "uar", ast.parse])
def test_what_is_not_of_the_package_is_refused(part):
    with pytest.raises(TypeError, match="expected a function or a class of paraclap"):
        show(part)
