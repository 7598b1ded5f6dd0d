import pytest
from django.core.cache import caches


@pytest.fixture
def page_cache(settings, tmp_path):
    """The page cache as the demo has it, in files; on everywhere else in the tests it would show old pages."""
    settings.CACHES = settings.CACHES | {
        "pages": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "pages"), "OPTIONS": {"MAX_ENTRIES": 2000}}
    }
    return caches["pages"]
