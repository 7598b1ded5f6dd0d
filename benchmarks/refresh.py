"""What the refresh of one changed listing's synergies costs in a large town, beside a small one.

    export ELASTICSEARCH_URL=http://127.0.0.1:9200
    python benchmarks/refresh.py FOLDER… [--listings 100000] [--small 12500] [--changed 20] [--rounds 6] [--keep NAME]

Two processes, each with a database of its own (SQLite) and an index of its own on the same server, take turns; within a round each refreshes so many other
listings by `synergies.refresh.refresh`, which asks the engine and writes what was found. The first round does not count.
"""

import os
import subprocess
import sys
from argparse import Namespace

import loaded

PARSER = loaded.arguments(__doc__.splitlines()[0])
PARSER.add_argument("--small", type=int, default=12_500)
PARSER.add_argument("--changed", type=int, default=20, help="listings in a round")
PARSER.add_argument("--database", default="", help="folder for the databases of a kept index")
PARSER.add_argument("--town", action="store_true", help="be one of the two processes")


def serve(options: Namespace) -> None:
    """One town: refreshes as many listings as a line says, and answers with a line when it is done."""
    folder = loaded.configure(options)
    if options.keep:
        os.environ["DATABASE_URL"] = f"sqlite:///{options.database or folder}/{options.listings}.sqlite3?conn_max_age=600"
    import django  # noqa: PLC0415 - after the settings

    django.setup()
    import random  # noqa: PLC0415

    from marketplace.listings.models import Listing  # noqa: PLC0415 - needs Django
    from marketplace.synergies import refresh  # noqa: PLC0415 - as above

    loaded.load(options)
    loaded.read_all_words()
    uids = list(Listing.objects.live().order_by("uid").values_list("uid", flat=True))
    random.Random(7).shuffle(uids)  # noqa: S311 - to measure, no secret
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            refresh.refresh([uids.pop()])
        print("done", flush=True)


class Town:
    """The other end of such a process."""

    def __init__(self, listings: int, options: Namespace) -> None:
        keep = ["--keep", f"{options.keep}{listings}", "--database", options.database] if options.keep else []
        arguments = [*map(str, options.folders), "--town", "--listings", str(listings), *keep]
        self.process = subprocess.Popen([sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this program itself
        self.wait_for("ready")

    def wait_for(self, word: str) -> None:
        """Read on until it says so."""
        for line in self.process.stdout:
            if line.strip() == word:
                return
        raise RuntimeError(f"the town ended with {self.process.wait()}")

    def refresh(self, changed: int) -> None:
        """Refresh so many listings."""
        self.process.stdin.write(f"{changed}\n")
        self.process.stdin.flush()
        self.wait_for("done")


def main() -> None:
    """Start both towns, then measure."""
    options = PARSER.parse_args()
    if options.town:
        serve(options)
        return
    import measuring  # noqa: PLC0415 - only here

    towns = {f"{listings:,} listings": Town(listings, options) for listings in (options.small, options.listings)}
    times = measuring.take_turns({name: (lambda town=town: town.refresh(options.changed)) for name, town in towns.items()}, rounds=options.rounds)
    measuring.print_table(times, base=f"{options.small:,} listings", each=options.changed, title=f"one changed listing; {measuring.machine()}")
    for town in towns.values():
        town.process.stdin.close()
        town.process.wait()


if __name__ == "__main__":
    main()
