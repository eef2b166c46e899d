"""Figures of the book: one style, one chart for all intervals, and the few long pictures.

``style`` sets the theme when it is imported, ``intervals`` draws scores, ``players`` let the reader
listen. A plot of a few seaborn lines stands in its notebook cell. Chapters 1 to 13.
"""
