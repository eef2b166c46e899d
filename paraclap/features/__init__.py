"""Features of segments: the eGeMAPS functionals, and contours to look at (chapter 2)."""

from paraclap.features.egemaps import SHORTEST, extract, failed, feature_names, functionals

__all__ = ["SHORTEST", "extract", "failed", "feature_names", "functionals"]
