"""Figures that are long or used twice; one of a few lines stands in its cell. Chapters 1 to 14."""
