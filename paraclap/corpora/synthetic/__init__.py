"""Corpora of synthetic speech, made on this machine: nothing to download, no person speaks.

espeak-ng speaks one training corpus and eight held-out ones that imitate the tasks of the paper.
``plan`` draws the utterances, ``espeak`` gives plain speech, ``effects`` add prosody and channel,
``build`` writes the files and an audformat database. Scores on this speech show that the pipeline
works; they say nothing about people. Chapter 1.
"""

from paraclap.corpora.synthetic.build import build, corpus_folder, intended_prosody

__all__ = ["build", "corpus_folder", "intended_prosody"]
