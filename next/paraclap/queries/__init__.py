"""From features and labels to words: levels, templates, queries and captions. Chapter 3."""

from paraclap.queries.description import describe
from paraclap.queries.levels import (
    FEATURES,
    LEVELS,
    Edges,
    assign_levels,
    fit_levels,
    load_edges,
    save_edges,
)
from paraclap.queries.pool import QueryPool
from paraclap.queries.sampling import contrast, queries_for, sample_caption
from paraclap.queries.templates import Template, emotion_word, load_templates, matching_templates
from paraclap.queries.truth import attribute_of, query_truth

__all__ = [
    "FEATURES",
    "LEVELS",
    "Edges",
    "QueryPool",
    "Template",
    "assign_levels",
    "attribute_of",
    "contrast",
    "describe",
    "emotion_word",
    "fit_levels",
    "load_edges",
    "load_templates",
    "matching_templates",
    "queries_for",
    "query_truth",
    "sample_caption",
    "save_edges",
]
