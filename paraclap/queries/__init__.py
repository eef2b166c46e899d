"""From features and labels to words: levels, templates, queries and captions. Chapter 3."""

from .levels import FEATURES, LEVELS, assign_levels, fit_levels, load_edges, save_edges
from .pool import QueryPool, attribute_of, describe, query_truth
from .sampling import contrast, queries_for, sample_caption
from .templates import emotion_word, load_templates, matching_templates

__all__ = [
    "FEATURES", "LEVELS", "QueryPool", "assign_levels", "attribute_of", "contrast", "describe",
    "emotion_word", "fit_levels", "load_edges", "load_templates", "matching_templates",
    "queries_for", "query_truth", "sample_caption", "save_edges",
]  # fmt: skip
