"""python -m tests [pytest arguments]: runs every test on real servers, in two passes.

The first pass is on SQLite, the second runs the tests marked `postgresql` on a PostgreSQL cluster of its own. One
Elasticsearch node serves both. What was started is stopped, however the run ends. The exit code is 0 only if both
passes succeeded; the last line of the output has the totals.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from tests import postgresql
from tests.elasticsearch import node

MISSING = "missing: "
NO_TESTS = 5  # pytest's exit code
#: Long tests stand beside short ones: who has none left takes over half of what the other still has.
PROCESSES = 2
WORKERS = ("-n", str(PROCESSES), "--dist", "worksteal")
CHILD_SECONDS = 60
#: So many files of each pass are named with the time they took: a run that has grown long tells where.
DEAREST = 20


@dataclass
class Pass:
    """What one run of pytest came to."""

    name: str
    code: int
    counts: Counter = field(default_factory=Counter)
    untested: dict[str, list[str]] = field(default_factory=dict)
    seconds: Counter = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """Failed tests; at least one where pytest itself failed (a crash, an error while collecting)."""
        return self.counts["failed"] or int(self.code != 0)


def main(arguments: list[str]) -> int:
    """Run both passes; return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with elasticsearch() as environment:
            passes = [first_pass(arguments, environment), second_pass(arguments, environment)]
    except KeyboardInterrupt:
        print("Interrupted; everything that was started is stopped.")
        return 130
    except (node.NodeError, postgresql.PostgresqlError) as error:
        print(error, file=sys.stderr)
        return 1
    if arguments:
        # A choice of tests may well lie in one pass alone.
        chosen = [one for one in passes if one.code != NO_TESTS]
        passes = chosen or passes
    return report(passes)


@contextlib.contextmanager
def elasticsearch():
    """Give the environment with TEST_ELASTICSEARCH_URL: the given server, or a node of ours, or none where it cannot run."""
    environment = dict(os.environ)
    if environment.get("TEST_ELASTICSEARCH_URL") or node.missing():
        yield environment
        return
    print("Starting Elasticsearch (the first time it downloads 40 MB) …", flush=True)
    started = node.start()
    try:
        yield environment | {"TEST_ELASTICSEARCH_URL": started.url}
    finally:
        started.stop()


def first_pass(arguments: list[str], environment: dict[str, str]) -> Pass:
    """Everything but what needs PostgreSQL, on SQLite whatever DATABASE_URL says."""
    without = {name: value for name, value in environment.items() if name != "DATABASE_URL"}
    return run("SQLite", [*workers(arguments), *arguments], without)


def second_pass(arguments: list[str], environment: dict[str, str]) -> Pass:
    """What is marked `postgresql`; where there is none, pytest names those tests as not tested."""
    at_once = workers(arguments)
    arguments = ["-m", "postgresql", *at_once, *arguments]
    if lack := postgresql.missing():
        return run("PostgreSQL", arguments, environment | {"TEST_POSTGRESQL_MISSING": lack})
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(postgresql.running()) for _ in range(PROCESSES if at_once else 1)]
        return run("PostgreSQL", arguments, environment | {"DATABASE_URL": urls[0], "TEST_DATABASE_URLS": " ".join(urls)})


def workers(arguments: list[str]) -> tuple[str, ...]:
    """PROCESSES of them, unless the caller says otherwise."""
    return () if {"-n", "--numprocesses", "--pdb"} & {one.partition("=")[0] for one in arguments} else WORKERS


def run(name: str, arguments: list[str], environment: dict[str, str]) -> Pass:
    """Run pytest in a process of its own and read its results."""
    print(f"\n=== Tests on {name} ===", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        child = subprocess.Popen([sys.executable, "-m", "pytest", f"--junitxml={results}", *arguments], env=environment)
        try:
            code = child.wait()
        except KeyboardInterrupt:
            stop(child)
            raise
        return read(name, code, results)


def stop(child: subprocess.Popen) -> None:
    """Ask pytest to end as Ctrl-C would, so that its fixtures are torn down; force it when it lingers."""
    # A Ctrl-C at the terminal has reached the child as well; a SIGTERM to us has not.
    child.send_signal(signal.SIGINT)
    try:
        child.wait(CHILD_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def read(name: str, code: int, results: Path) -> Pass:
    """Count outcomes and seconds, and gather what was not tested for want of something."""
    outcome = Pass(name, code)
    if not results.exists():
        return outcome
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        outcome.seconds[case.get("classname")] += float(case.get("time", 0))
        found = {element.tag for element in case}
        if found & {"failure", "error"}:
            outcome.counts["failed"] += 1
        elif "skipped" in found:
            outcome.counts["skipped"] += 1
            reason = case.find("skipped").get("message", "")
            if reason.startswith(MISSING):
                outcome.untested.setdefault(reason.removeprefix(MISSING), []).append(f"{case.get('classname')}.{case.get('name')}")
        else:
            outcome.counts["passed"] += 1
    return outcome


def report(passes: list[Pass]) -> int:
    """Print where the time went, what was missing and the totals; return the exit code."""
    print()
    for one in passes:
        print(f"{one.name}: {sum(one.seconds.values()):.0f} s of tests; the dearest files, in seconds:")
        print("  " + ", ".join(f"{name.removeprefix('tests.')} {seconds:.0f}" for name, seconds in one.seconds.most_common(DEAREST)))
        for reason, tests in one.untested.items():
            print(f"!!! NOT TESTED on {one.name}: {len(tests)} tests. {reason}")
            for test in tests:
                print(f"!!!   {test}")
        if one.code == NO_TESTS:
            print(f"!!! No test was found for the pass on {one.name}.")
        elif one.code and not one.counts["failed"]:
            print(f"!!! pytest itself failed on {one.name} (exit code {one.code}).")
    passed, skipped = (sum(one.counts[what] for one in passes) for what in ("passed", "skipped"))
    failed = sum(one.failed for one in passes)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
