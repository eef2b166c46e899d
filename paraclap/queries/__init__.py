"""From features and labels to words: levels, templates, queries and captions. Chapter 3."""

from paraclap.queries.levels import FEATURES as FEATURES
from paraclap.queries.levels import LEVELS as LEVELS
from paraclap.queries.levels import assign_levels as assign_levels
from paraclap.queries.levels import fit_levels as fit_levels
from paraclap.queries.levels import load_edges as load_edges
from paraclap.queries.levels import save_edges as save_edges
from paraclap.queries.pool import QueryPool as QueryPool
from paraclap.queries.pool import attribute_of as attribute_of
from paraclap.queries.pool import describe as describe
from paraclap.queries.pool import query_truth as query_truth
from paraclap.queries.sampling import contrast as contrast
from paraclap.queries.sampling import queries_for as queries_for
from paraclap.queries.sampling import sample_caption as sample_caption
from paraclap.queries.templates import emotion_word as emotion_word
from paraclap.queries.templates import load_templates as load_templates
from paraclap.queries.templates import matching_templates as matching_templates
