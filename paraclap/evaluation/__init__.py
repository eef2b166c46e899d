"""How well a model answers: zero-shot questions, scores, intervals, comparisons (chapters 5 to 12).

A question is a list of candidates, answered by :mod:`paraclap.evaluation.zeroshot`. All scores are
made from tables of predictions: ``corpus`` (the task), ``speaker``, ``truth``, ``prediction``.
"""
