"""The state as JSON and as text, for programs and terminals: in English, whatever language the person reads."""

from dataclasses import asdict
from datetime import timedelta

from django.utils import translation

from search import status_text
from search.status_text import duration

from .judging import judged, worst
from .state import Outbox, State


def as_json(state: State) -> dict[str, object]:
    """Everything. The keys are stable; `level` is well, look or bad."""
    with translation.override("en"):
        parts = judged(state)
    return {
        "level": worst(parts).name.lower(),
        "parts": [{"part": part.key, "level": part.level.name.lower(), "says": part.says} for part in parts],
        "at": state.at,
        "engines": [asdict(engine) for engine in state.index.engines],
        "readers": [asdict(lag) for lag in state.index.readers],
        "workers": [asdict(worker) | {"condition": worker.condition} for worker in state.index.workers],
        "mails": asdict(state.mails),
        "messages": asdict(state.messages),
        "partners": [asdict(partner) for partner in state.partners],
        "migrations_unapplied": state.unapplied,
    }


def as_text(state: State) -> str:
    """How each part does, then the figures."""
    with translation.override("en"):
        parts = judged(state)
    head = [f"{part.level.name:<5}{part.key}: {' '.join(part.says)}" for part in parts]
    rest = [f"mails: {_outbox(state.mails)}", f"messages to partners: {_outbox(state.messages)}"]
    rest += [
        f"partner {one.name}: {one.condition}, {'unknown' if one.lag is None else one.lag} changes behind, last visit {status_text.when(one.visited)}"
        for one in state.partners
    ]
    rest += [f"migration not applied: {name}" for name in state.unapplied]
    return "\n".join([f"{worst(parts).name} at {status_text.when(state.at)}", "", *head, "", *status_text.lines(state.index), *rest, ""])


def _outbox(outbox: Outbox) -> str:
    if not outbox.waiting:
        return "none waits"
    return f"{outbox.waiting} wait, {outbox.failing} were tried in vain, the oldest is {duration(timedelta(seconds=outbox.oldest_seconds))} old"
