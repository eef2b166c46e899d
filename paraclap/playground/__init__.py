"""What does a model say of your voice? Ask it, compare it with another, and look for voices.

Signals in, tables out: every panel of the playground is a thin skin over functions that work
without widgets, in the order of these modules: :mod:`voices` (from a file, a recording or a clip of
a run to a signal), :mod:`opened` (models that remember what they heard), :mod:`asking` (candidates
in many wordings), :mod:`measuring` (levels and queries that hold), :mod:`beside` (two models),
:mod:`finding` (voices for a query), :mod:`keeping` (tables on disk), :mod:`session` (all of it,
around one run), :mod:`showing` (HTML), and with widgets :mod:`recorder`, :mod:`fields`,
:mod:`panels` and :mod:`live`.

Conventions: a voice is one signal, mono float32 at 16 kHz, `(samples,)`; embeddings have unit
length; probabilities are the softmax over the candidates. Nothing that is uploaded or recorded is
written to disk unless its table is exported, and then only the table.
"""
