"""The WSGI application that gunicorn serves."""

import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
application = get_wsgi_application()


def warm_up() -> None:
    """Search once, so that the dictionaries (some seconds) are loaded before the first visitor asks, not while they wait."""
    import search  # noqa: PLC0415 - after Django's set-up

    try:
        search.detect_language("Bon dia")
        search.find(search.Query(text="gel hidroalcohòlic"))
    except search.SearchUnavailable:
        return  # An index that is not there yet has nothing to be loaded.


def count_keys() -> None:
    """Write how much API keys are used every few seconds, so that no request has to."""
    from marketplace.rest import usage  # noqa: PLC0415 - as above

    usage.flush_in_background()


count_keys()
threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
