"""Figures that play, and the playground: what a reader looks at and listens to. Chapter 13.

`voice_map`, `confusion` and `timeline` draw with bokeh; the other modules need JupyterLab.
"""

from paraclap.interactive.page import static_files

__all__ = ["static_files"]
