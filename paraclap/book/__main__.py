"""`python -m paraclap.book PARAMS`, and what the Makefile needs of the notebooks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from paraclap.book import notebooks, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run chapters and build the pages, or care for the pairs; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m paraclap.book", description=run.__doc__)
    parser.add_argument("params", nargs="?", help="a file of params/")
    parser.add_argument("-p", dest="overrides", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--only", default="", help="chapters, such as 03-05 or 01,04")
    parser.add_argument("--no-html", action="store_true", help="execute only, build no pages")
    parser.add_argument("--fresh", action="store_true", help="execute also what is up to date")
    parser.add_argument("--write-pairs", action="store_true", help="write each .ipynb from its .py")
    parser.add_argument(
        "--check-pairs", action="store_true", help="compare each .ipynb with its .py"
    )
    args = parser.parse_args(arguments)
    try:
        if args.write_pairs:
            notebooks.write_pairs()
        elif args.check_pairs:
            complaints = notebooks.check_pairs()
            print("\n".join(complaints), end="\n" if complaints else "")
            return bool(complaints)
        elif args.params:
            run.run(args.params, args.only, args.overrides, not args.no_html, args.fresh)
        else:
            parser.error("Got no params file, expected one such as params/demo.yaml.")
    except (notebooks.BookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
