"""How well a model answers: zero-shot questions, scores, intervals, comparisons (chapters 5 to 12).

A question is a list of candidates; :mod:`paraclap.evaluation.zeroshot` answers it. Tables of
predictions have one row an utterance, with the columns ``corpus`` (the task), ``speaker``,
``truth``, ``prediction``, and are what all scores are made from.
"""
