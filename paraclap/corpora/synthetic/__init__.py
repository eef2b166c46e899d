"""Corpora of synthetic speech, made on this machine: nothing to download, no person speaks.

``plan`` draws the utterances of one training corpus and eight held-out ones that imitate the tasks
of the paper, ``espeak`` speaks them, ``effects`` add prosody and channel, ``build`` writes files
and an audformat database. Scores show that the pipeline works, nothing about people. Chapter 1.
"""

from paraclap.corpora.synthetic.build import build, corpus_folder, intended_prosody

__all__ = ["build", "corpus_folder", "intended_prosody"]
