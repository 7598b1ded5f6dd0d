"""The project's settings, with what tests change: throw-away files, fast passwords, no mail leaves."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if urls := os.environ.get("TEST_DATABASE_URLS", "").split():
    # A cluster for each process: an open transaction in any database of a cluster holds up the readers of the change log in all of them.
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["DATABASE_URL"] = urls[min(place, len(urls) - 1)]

from marketplace.settings import *  # noqa: F403 - tests run on the real settings
from marketplace.settings import CACHES, DATABASES

# One folder for each process, so that parallel runs never meet.
SCRATCH = Path(tempfile.mkdtemp(prefix="marketplace-tests-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

SECRET_KEY = "only-for-tests"
SITE_URL = WAGTAILADMIN_BASE_URL = "http://testserver"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

MEDIA_ROOT = SCRATCH / "media"
STATIC_ROOT = SCRATCH / "static"
STATIC_ROOT.mkdir()  # whitenoise warns of one that is not there
EMBEDDED_INDEX_PATH = SCRATCH / "index"
OPEN_DATA_PATH = SCRATCH / "open-data"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in the demo: in memory all threads would share one connection and could never meet a lock.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}
# Kept connections would outlive the threads that tests start, and block dropping the database.
DATABASES["default"]["CONN_MAX_AGE"] = 0

# The server is chosen by the fixture that starts it, never by the developer's environment.
ELASTICSEARCH_URL = ""
# Words alone: a text takes the encoder some hundredths of a second. Tests of meaning choose it themselves.
SEMANTIC_ENCODER = os.environ["SEMANTIC_ENCODER"] = ""  # Also in the processes that tests start.
SEARCH_INDEX_PREFIX = f"test-{os.getpid()}"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MAIL_DELIVERY_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# No kept pages: tests write rows past the operations that log changes. Those of the page cache have one of their own.
CACHES |= {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}, "pages": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
