"""Messages: hooks that are refused, and forged messages that are."""

import datetime
import json
import uuid

from marketplace.federation import signing

from .probing import FaultError, Probe, SkipError, check, demand, problem

GROUP = "Messages"
REFUSED, UNKNOWN_HOOK, TOO_LARGE = 401, 404, 413
ELSEWHERE = (
    "https://elsewhere.example.org/messages",
    "http://elsewhere.example.org/messages",
    "https://127.0.0.2/messages",
    "https://[::1]/messages",
    "https://169.254.169.254/latest/meta-data/",
    "ftp://elsewhere.example.org/",
    "not an address",
    "",
)
JSON = {"Content-Type": "application/json"}


@check(GROUP, "a hook can only be registered on a host of the partner's, over https")
def hooks(probe: Probe) -> None:
    """Otherwise the node can be made to call anybody. A hook that is there stays as it is."""
    probe.need_key()
    before = probe.get(probe.path("hook"))
    for url in ELSEWHERE:
        answer = probe.ask("PUT", probe.path("hook"), headers=JSON, body=json.dumps({"url": url}).encode())
        if answer.status < 400:  # noqa: PLR2004
            raise FaultError(f"“{url}” was taken.", "Take only https addresses on a host that was agreed with the partner.")
        problem(answer, 400, 403, 409, 422)
    for body in (b"{}", b"[]", b'{"url": 7}', b"{", b'{"url": null}'):
        problem(probe.ask("PUT", probe.path("hook"), headers=JSON, body=body), 400, 422)
    after = probe.get(probe.path("hook"))
    demand((before.status, before.body) == (after.status, after.body), "A refused registration changed the hook.", "Change nothing when refusing.")


@check(GROUP, "the hook can be asked for")
def hook(probe: Probe) -> str:
    """With its state."""
    probe.need_key()
    answer = probe.get(probe.path("hook"))
    if answer.status == UNKNOWN_HOOK:
        problem(answer, UNKNOWN_HOOK)
        return "none is registered"
    told = json.loads(answer.body)
    demand(told.get("url") and told.get("state"), "It does not tell “url” and “state”.", "Tell both.")
    return f"{told['state']}"


def _message(node: object, **data: object) -> bytes:
    now = datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": "listing.changed", "timestamp": now, "data": {"node": str(node)} | data}).encode()


@check(GROUP, "forged, unsigned and old messages are refused, all in the same words")
def forged(probe: Probe) -> None:
    """Who is no partner learns not even who is."""
    if "webhooks" not in probe.endpoints:
        raise SkipError("it takes no messages")
    secret, now, node = signing.new_secret(), datetime.datetime.now(datetime.UTC), uuid.uuid4()
    body = _message(node)
    signed = signing.sign(str(uuid.uuid4()), now, body, [secret])
    told = _message(probe.discovery.get("node_id"))
    messages = {
        "an unsigned message": (body, {}),
        "a message of an unknown node": (body, signed),
        "a message in the name of another node": (told, signing.sign(str(uuid.uuid4()), now, told, [secret])),
        "a changed message": (body + b" ", signed),
        "a message of yesterday": (body, signing.sign(str(uuid.uuid4()), now - datetime.timedelta(days=1), body, [secret])),
        "a message of tomorrow": (body, signing.sign(str(uuid.uuid4()), now + datetime.timedelta(days=1), body, [secret])),
        "a message without content": (b"", signed),
        "a message that is no JSON": (b"{" * 2000, signed),
    }
    answers = set()
    for name, (content, headers) in messages.items():
        answer = probe.ask("POST", probe.endpoints["webhooks"], key=False, headers=JSON | headers, body=content)
        demand(answer.status == REFUSED, f"{name} is answered {answer.status}.", "Refuse it with 401.")
        problem(answer, REFUSED)
        answers.add(answer.body)
    demand(len(answers) == 1, "The refusals differ, so that one can tell who is a partner.", "Refuse an unknown node and a wrong signature alike.")


@check(GROUP, "a message of more than 64 KB is refused")
def large(probe: Probe) -> None:
    """Messages are thin."""
    if "webhooks" not in probe.endpoints:
        raise SkipError("it takes no messages")
    body = _message(uuid.uuid4(), more="x" * 100_000)
    headers = JSON | signing.sign(str(uuid.uuid4()), datetime.datetime.now(datetime.UTC), body, [signing.new_secret()])
    problem(probe.ask("POST", probe.endpoints["webhooks"], key=False, headers=headers, body=body), TOO_LARGE, REFUSED)
