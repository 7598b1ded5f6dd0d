"""Programs of their own on the test's database, to be killed in the middle of their work."""

import os
import signal
import subprocess
import sys

from django.conf import settings
from django.db import connection

_START = "import os, signal, django; django.setup()\n"
#: What a program says to die here and now, without a chance to tidy up.
DIE = "os.kill(os.getpid(), signal.SIGKILL)"


def environment(**more: str) -> dict[str, str]:
    """The variables with which a program finds this test's database, index and mail server. Needs a test that commits."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{values['NAME']}"
    else:
        url = f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATABASE_URL": url,
        "EMBEDDED_INDEX_PATH": str(settings.EMBEDDED_INDEX_PATH),
        "ELASTICSEARCH_URL": "",
        "EMAIL_URL": f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        **more,
    }


def run(program: str, *, is_killed: bool = False) -> str:
    """Run `program` (Python, Django is set up) to its end, which has to be a kill -9 or none; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", _START + program], env=environment(), cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == (-signal.SIGKILL if is_killed else 0), done.stderr
    return done.stdout
