"""The federation demo as it is run by hand: eleven steps between two marketplaces of their own processes, each checked by itself."""

import socket
import subprocess
import sys

from django.conf import settings

from marketplace.demo import across
from tests import database


def run(folder, *arguments):
    template = database.template()
    migrated = ["--migrated", str(template)] if template and template.exists() else []
    command = [sys.executable, "manage.py", "federation_demo", "--no-serve", "--folder", str(folder), *migrated, *arguments]
    return subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=600, check=False)


def test_all_steps_come_out(tmp_path):
    done = run(tmp_path / "demo")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "All 11 steps came out" in done.stdout
    assert "Traceback" not in "".join(file.read_text() for file in (tmp_path / "demo").glob("*/log.txt"))


def test_step_that_fails_ends_with_one(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(tmp_path / "demo", "--ports", str(taken.getsockname()[1]), "0")
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "Two marketplaces start" in done.stderr


def test_stories_are_whole():
    for told in across.story().values():
        keys = {one["key"] for one in told["companies"]}
        assert {one["company"] for one in told["listings"]} == keys
        assert all(len(one["title"]) <= 120 and len(one["description"]) >= 30 for one in told["listings"])
