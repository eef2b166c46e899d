"""What lies beside what, and where does it go wrong? Pictures that a reader can listen to.

Each module turns tables and embeddings of a run into one piece of a page: a `Fragment` of HTML that
carries its signals, styles and script in itself. It shows alike in a notebook and in a page read
from disk, needs neither a kernel nor a network, and without a script it is still a picture or a
table. Several of them may stand in one page.

- `clips`: signals as compressed sound inside a page
- `fragment`: how a piece of a page is put together
- `neighbours`: places on a map, and what neighbours have in common
- `told`: the queries of a model, and of whom they are true
- `voice_map`: voices as points that play, and what is true of them
- `explorer`: queries and the voices closest to them and farthest from them
- `confused`: a confusion matrix that plays what was confused
- `recording`: a long recording in which it is known who is heard when, and how
- `over_time`: answers along a long recording
- `timeline`: their picture, which plays the recording
- `inks`: which ink can be read on a colour
"""
