"""Figures that play (bokeh), and the playground (JupyterLab). Chapter 13."""

from paraclap.interactive.page import static_files as static_files
