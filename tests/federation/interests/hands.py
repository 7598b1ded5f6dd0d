"""A program that stays beside a node and does what it is told, each time in a child of its own: Django is loaded once, not thirty times."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from tests.nodes import Node

_LOOP = """
import contextlib, io, json, os, sys, traceback
import django
django.setup()
from django.db import connections
from tests.federation.interests import seeds
from marketplace import worker
print("ready", flush=True)
for line in sys.stdin:
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        told = io.StringIO()
        try:
            with contextlib.redirect_stdout(told):
                exec(json.loads(line))
        except BaseException:
            told.write(traceback.format_exc())
            status = 1
        else:
            status = 0
        os.write(writing, told.getvalue().encode()[-60000:])
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told]), flush=True)
"""
KILLED = -9


@dataclass
class Hands:
    """Does things in `node` as its people and its worker would."""

    node: Node
    process: subprocess.Popen

    def do(self, program: str, *, is_killed: bool = False) -> str:
        """Run `program` (`seeds` and `worker` are there) to its end, which has to be a kill -9 or none; what it printed."""
        self.process.stdin.write(json.dumps(program) + "\n")
        self.process.stdin.flush()
        status, told = json.loads(self.process.stdout.readline())
        assert status == (KILLED if is_killed else 0), told
        return told

    def json(self, program: str) -> object:
        """What the last line that it printed means."""
        return json.loads(self.do(program).strip().splitlines()[-1])


@contextlib.contextmanager
def hands(node: Node) -> Iterator[Hands]:
    with (node.folder / "hands.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _LOOP], env=node.env, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout.readline() == "ready\n", (node.folder / "hands.log").read_text()[-3000:]
            yield Hands(node, process)
        finally:
            process.stdin.close()
            process.wait(20)
            process.stdout.close()
