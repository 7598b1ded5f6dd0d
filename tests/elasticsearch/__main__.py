"""python -m tests.elasticsearch [--port 9200] [--home FOLDER] [--heap 512m]: a node in the foreground."""

import argparse
import sys
from pathlib import Path

from tests.elasticsearch import node


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.elasticsearch", description=__doc__)
    parser.add_argument("--port", type=int, default=9200, help="0 takes a free one")
    parser.add_argument("--home", type=Path, help="keeps its indices there; without it they are gone afterwards")
    parser.add_argument("--heap", default="512m", help="Java heap")
    options = parser.parse_args()
    try:
        node.serve(port=options.port, home=options.home, heap=options.heap)
    except node.NodeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
