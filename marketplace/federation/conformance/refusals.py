"""What is not given to everybody, and how that is said."""

from marketplace.federation.client import BASE

from .probing import OK, UNAUTHORIZED, Probe, check, demand, document, problem

GROUP = "Access and errors"
NOBODY = "00000000-0000-7000-8000-000000000000"
NOT_FOUND, NOT_ALLOWED, FORBIDDEN = 404, 405, 403


def _closed(probe: Probe) -> dict[str, str]:
    return {"changes": probe.path("changes"), "snapshot": probe.path("snapshot"), "listing": probe.path("listing", uid=NOBODY), "hook": probe.path("hook")}


@check(GROUP, "nothing is read without a key (401)")
def without_key(probe: Probe) -> None:
    """With the header that says how to show one."""
    for name, address in _closed(probe).items():
        answer = probe.get(address, key=False)
        demand(answer.status == UNAUTHORIZED, f"{name} answers {answer.status} without a key.", "Answer 401.")
        problem(answer, UNAUTHORIZED)
        demand("bearer" in answer.headers.get("WWW-Authenticate", "").lower(), f"{name}: WWW-Authenticate is missing.", "Send “WWW-Authenticate: Bearer”.")


@check(GROUP, "a wrong key is refused (401)")
def wrong_key(probe: Probe) -> None:
    """In any form."""
    for key in ("Bearer mpk_wrong", "Bearer ", "Basic YTpi", "Bearer " + "x" * 2000):
        problem(probe.get(probe.path("changes"), key=False, headers={"Authorization": key}), UNAUTHORIZED)


@check(GROUP, "the key works")
def key_works(probe: Probe) -> None:
    """Otherwise nothing below tells much."""
    probe.need_key()
    answer = probe.get(probe.path("changes"), limit=1)
    demand(answer.status != FORBIDDEN, "The key may not read the feed (403).", "Give the key the scope “federation”, and the partner something to read.")
    document(answer)


@check(GROUP, "errors are problems (RFC 9457)")
def problems(probe: Probe) -> None:
    """That say what to change."""
    problem(probe.get(f"{BASE}/no-such-thing"), NOT_FOUND)
    problem(probe.ask("PATCH", probe.path("webhooks"), key=False, body=b"{}", headers={"Content-Type": "application/json"}), NOT_ALLOWED)


@check(GROUP, "the limit of requests is told")
def limits(probe: Probe) -> str:
    """So that a program can keep to it before it is refused."""
    probe.need_key()
    headers = {name.lower(): value for name, value in probe.get(probe.path("changes"), limit=1).headers.items()}
    found = next((headers[name] for name in ("ratelimit", "ratelimit-policy", "x-ratelimit-limit") if name in headers), "")
    demand(found, "No answer says how much is left.", "Send RateLimit and RateLimit-Policy (or X-RateLimit-Limit), and Retry-After with a 429.")
    return found


@check(GROUP, "strange requests get an answer of status 4xx")
def strange(probe: Probe) -> None:
    """Never 5xx."""
    for parameters in (
        {"limit": "9" * 30},
        {"limit": "-1"},
        {"limit": "1e9"},
        {"limit": "NaN"},
        {"cursor": "\x00"},
        {"cursor": "é" * 500},
        {"cursor": "A" * 6000},
    ):
        answer = probe.get(probe.path("changes"), **parameters)
        demand(answer.status < 500, f"{str(parameters)[:80]} is answered {answer.status}.", "Refuse it with a 4xx.")  # noqa: PLR2004
    for uid in ("x", "%00", "0" * 3000, "..%2f..%2f"):
        answer = probe.get(probe.path("listing", uid=uid))
        demand(OK < answer.status < 500, f"A listing “{uid[:20]}” is answered {answer.status}.", "Answer 404.")  # noqa: PLR2004
