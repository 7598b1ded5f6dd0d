"""A partner's address for messages, on a real web server of this machine, and what came to it."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.utils import timezone

from marketplace.federation import deliveries, hooks, node_keys, sending, signing
from marketplace.federation.models import Hook
from tests import websites
from tests.federation import feeding

PATH = "/messages"


@dataclass
class Ears:
    """What a partner's address has heard. `answer` may be changed: a status, or a function that gets request and body and gives what a page of `websites` gives."""

    site: websites.Site
    answer: int | Callable = 200
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return self.site.url + PATH

    @property
    def messages(self) -> list[dict]:
        """What was told, each time it was, without pings."""
        return [json.loads(body) for _headers, body in self.heard if b"hook.ping" not in body]

    @property
    def ids(self) -> list[str]:
        """The ids of `messages`."""
        return [headers["webhook-id"] for headers, body in self.heard if b"hook.ping" not in body]

    def hear(self, request):
        """The page: a ping is given back, the rest is answered with `answer`."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self.heard.append((headers, body))
        told = json.loads(body)
        if told["type"] == hooks.PING and self.answer == 200:
            return 200, {"Content-Type": "application/json"}, json.dumps({"challenge": told["data"]["challenge"]}).encode()
        return self.answer if isinstance(self.answer, int) else self.answer(request, body)

    def verify(self, place: int = -1) -> signing.Verified:
        """What a partner does with what it heard; raises SignatureError."""
        headers, body = self.heard[place]
        return signing.verify(headers, body, [key["key"] for key in node_keys.public_keys()], timezone.now())


@contextlib.contextmanager
def listening(settings) -> Iterator[Ears]:
    """An address of this machine that may be called."""
    with websites.serve() as site:
        settings.OUTGOING_ALLOWED_HOSTS = [*settings.OUTGOING_ALLOWED_HOSTS, site.host]
        ears = Ears(site)
        site.pages[PATH] = ears.hear
        yield ears


def partner(ears: Ears, number: int = 1) -> feeding.Reading:
    """A partner that reads us and whose host is that of `ears`."""
    reading = feeding.partner(number)
    reading.partner.base_url = ears.site.url
    reading.partner.save()
    return reading


def hooked(ears: Ears, number: int = 1) -> Hook:
    """The active hook of such a partner; nothing has been told yet."""
    hook = hooks.register(partner(ears, number).partner, ears.url)
    send()
    hook.refresh_from_db()
    assert hook.is_active
    ears.heard.clear()
    return hook


def send() -> int:
    """What the worker does, waiting for every answer."""
    return deliveries.announce() + sending.run_once(seconds=30)
