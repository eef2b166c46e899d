"""What does a panel do when its button is pressed? The playground without widgets.

A session knows a run, its models, the voice that is asked about and all answers so far. Each of its
calls gives tables and sentences; the panels only show them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pandas as pd

from paraclap import audio, tables
from paraclap.playground import asking, beside, finding, keeping, measuring
from paraclap.playground.opened import OWN, Opened, models, opened
from paraclap.playground.voices import Voice, clips, from_clip, from_file, store_of
from paraclap.tasks import NO_CLASS

NAMED = "named model"  # the model that a parameter names
SEARCHED = 120  # voices that a query is compared with


@dataclass(frozen=True)
class Answer:
    """What one model says of one voice.

    Attributes:
        table: As :func:`paraclap.playground.asking.ask` gives it.
        summary: The same, over all wordings.
        sentence: The same, in words.
        levels: As :func:`paraclap.playground.measuring.level_table` gives it; may be empty.
        queries: As :func:`paraclap.playground.measuring.queries` gives it; may be empty.
        remark: Why the last two are empty; itself empty if they are not.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    sentence: str
    levels: pd.DataFrame
    queries: pd.DataFrame
    remark: str = ""


@dataclass
class Session:
    """A run, its models, a voice, and what was answered so far.

    Attributes:
        run: Folder of the run.
        models: Name → folder; the first is asked unless another is named.
        labels: Labels table of the run; empty if it has none.
        seed: Of the draw of the voices that are searched.
        voice: Who is asked about.
        answers: All tables so far.
    """

    run: Path
    models: dict[str, Path]
    labels: pd.DataFrame
    seed: int = 0
    voice: Voice | None = None
    answers: list[pd.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, run: Path, model: str = "", seed: int = 0) -> Self:
        """Look at what a run has.

        Args:
            run: folder of the run; what it lacks is said when it is asked for
            model: folder of a model, asked instead of that of the run; may be empty
            seed: of the draw of the voices that are searched
        """
        known = ({NAMED: Path(model)} if model else {}) | models(run)
        file = run / "labels.parquet"
        labels = tables.read_table(file) if file.is_file() else pd.DataFrame()
        return cls(run, known or {OWN: run / "model"}, labels, seed)

    @property
    def edges(self) -> Path:
        """What is low and high in this run."""
        return self.run / "edges.json"

    def open(self, name: str = "") -> Opened:
        """Open a model by its name here, or by its folder.

        Args:
            name: empty for the first

        Raises:
            FileNotFoundError: if there is no such model
        """
        name = name.strip() or next(iter(self.models))
        return opened(self.models.get(name, name), name)

    def take(self, corpus: str, label: str, place: int) -> Voice:
        """Take a clip of the run as the voice.

        Args:
            corpus: see :func:`paraclap.playground.voices.clips`
            label: likewise
            place: of the clip among those

        Raises:
            AudioError: if it cannot be read
            ValueError: if there is no such clip
        """
        chosen = clips(self.labels, corpus, label).iloc[place : place + 1]
        self.voice = from_clip(chosen, store_of(self.run))
        return self.voice

    def ask(self, candidates: str, template: str = asking.ALL, model: str = "") -> Answer:
        """Ask a model about the voice, and measure it.

        Args:
            candidates: see :func:`paraclap.playground.asking.words`
            template: see :func:`paraclap.playground.asking.wordings`
            model: name or folder; empty for the first

        Raises:
            FileNotFoundError: if there is no such model
            AudioError: if the voice cannot be heard
            ValueError: if there is no voice yet, or candidates or template are bad
        """
        asked = self.open(model)
        table = asking.ask(asked, self._voice(), candidates, template)
        self.answers.append(table)
        told = (table, asking.summary(table), asking.sentence(table))
        return Answer(*told, *self._measured(asked, self._voice()))

    def _voice(self) -> Voice:
        if self.voice is None:
            raise ValueError("Got no voice yet: choose a clip, upload a file, or record one.")
        return self.voice

    def _measured(self, asked: Opened, voice: Voice) -> tuple[pd.DataFrame, pd.DataFrame, str]:
        """Levels and queries of a voice, or why there are none; the answer is given anyway."""
        try:
            measured = measuring.measured(voice)
            return (
                measuring.level_table(measured, self.edges),
                measuring.queries(asked, voice, measured, self.edges),
                "",
            )
        except (audio.AudioError, FileNotFoundError, ValueError) as error:
            return pd.DataFrame(), pd.DataFrame(), str(error)

    def compare(
        self, candidates: str, template: str, first: str, second: str
    ) -> tuple[pd.DataFrame, str]:
        """Ask two models the same; their answers side by side, and a sentence about them.

        Args:
            candidates: see :meth:`ask`
            template: likewise
            first: name or folder of a model
            second: of the other

        Raises:
            ValueError: if they are one and the same; else as :meth:`ask`
        """
        both = [self.open(name) for name in (first, second)]
        if both[0] is both[1]:
            raise ValueError(f"Got the model {both[0].name!r} twice, expected two: choose another.")
        given = [asking.ask(one, self._voice(), candidates, template) for one in both]
        self.answers += given
        return beside.compared(*given), beside.sentence(*given)

    def compare_two(self, candidates: str, second: str = "") -> tuple[pd.DataFrame, str]:
        """Ask the first model and another the same, in all wordings; nothing if there is no other.

        Args:
            candidates: see :meth:`ask`
            second: its name here; if there is no such model, the next one is taken
        """
        first, *others = self.models
        if not others:
            return pd.DataFrame(), "This run has one model: train another to compare it with."
        chosen = second if second in others else others[0]
        return self.compare(candidates, asking.ALL, first, chosen)

    def example(self, file: str = "") -> Voice:
        """Take a voice to begin with: a file, or a clip of the corpora that were trained on.

        Args:
            file: an audio file; empty draws a test clip with the seed of the session

        Raises:
            AudioError: if it cannot be read
        """
        if file:
            self.voice = from_file(file)
            return self.voice
        trained = self.labels.loc[self.labels["split"] == "train", "corpus"].unique()
        known = clips(self.labels)
        own = known[known["corpus"].isin(trained) & ~known["label"].isin(NO_CLASS)]
        drawn = (own if len(own) else known).sample(1, random_state=self.seed)
        self.voice = from_clip(drawn, store_of(self.run))
        return self.voice

    def find(self, query: str, model: str = "", n: int = finding.SHOWN) -> pd.DataFrame:
        """Voices of the run that fit a query best and worst.

        Args:
            query: a sentence or a word
            model: name or folder; empty for the first
            n: how many of each

        Raises:
            ValueError: if the run has no voices, or the query is empty; else as :meth:`ask`
        """
        if self.labels.empty:
            raise ValueError(
                f"No voices in {tables.short(self.run)!r}, expected its labels.parquet: run "
                "chapter 1, or name another run."
            )
        voices = finding.sample(self.labels, SEARCHED, self.seed)
        return finding.found(self.open(model), voices, query, n, store_of(self.run))

    def export(self, file: str) -> Path:
        """Write all answers so far.

        Args:
            file: ends in .csv or .parquet; below the folder of the run unless absolute

        Raises:
            ValueError: if nothing was asked yet, or the name ends otherwise
            OSError: if it cannot be written
        """
        return keeping.save(
            keeping.joined(self.answers), self.run / Path(file.strip()).expanduser()
        )
