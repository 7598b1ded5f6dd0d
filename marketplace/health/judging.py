"""What the figures mean: for each part whether it is well, needs a look or needs help, and why, in sentences for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import IntegerChoices
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.core.heartbeats import Seen
from marketplace.core.lags import Lag
from search.status import Engine

from .state import Outbox, State

#: What each reader of the change log keeps up to date.
READERS = {
    "alerts": gettext_lazy("Saved searches"),
    "consortia": gettext_lazy("Groups"),
    "embedded": gettext_lazy("Embedded search index"),
    "facts": gettext_lazy("Facts of aid pages"),
    "feed": gettext_lazy("What partners read"),
    "index": gettext_lazy("Elasticsearch index"),
    "links": gettext_lazy("Links to check"),
    "listings": gettext_lazy("Listings whose company changed"),
    "page-cache": gettext_lazy("Kept pages"),
    "page-cache-found": gettext_lazy("Kept pages with search results"),
    "pictures": gettext_lazy("Sizes of pictures"),
    "rings": gettext_lazy("Rings"),
    "synergies": gettext_lazy("Suggestions"),
}

#: A reader whose oldest change waits for so long is late; then so late that what people see is old.
READER_LATE, READER_BAD = timedelta(minutes=5), timedelta(minutes=15)
#: What is due should be taken up within seconds.
OUTBOX_LATE, OUTBOX_BAD = timedelta(minutes=5), timedelta(minutes=15)
#: A mail that was tried in vain for so long: the mail server, or one recipient's.
MAIL_OLD = timedelta(hours=1)
#: Indices are compared once a day.
CHECK_OLD = timedelta(hours=48)
#: A hook rests five minutes at most between two attempts.
HOOK_FAILING = timedelta(minutes=15)


class Level(IntegerChoices):
    """How a part does."""

    WELL = 0, gettext_lazy("Well")
    LOOK = 1, gettext_lazy("Needs a look")
    BAD = 2, gettext_lazy("Needs help now")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service: a stable key for programs, its name, how it does, and why."""

    key: str
    title: str
    level: Level
    says: list[str]


Finding = tuple[Level, str]


def judged(state: State) -> list[Part]:
    """Every part, in the language that is active."""
    findings = {
        "engine": (_("Search engine"), _engines(state.index.engines)),
        "index": (_("Index and database"), _agreement(state.index.engines)),
        "readers": (_("Change log"), _readers(state.index.readers)),
        "workers": (_("Workers"), _workers(state.index.workers)),
        "mails": (_("Mails"), _mails(state.mails)),
        "partners": (_("Partners"), _partners(state)),
        "database": (_("Database"), _database(state.unapplied)),
    }
    return [_part(key, title, list(found)) for key, (title, found) in findings.items()]


def worst(parts: list[Part]) -> Level:
    """That of the part that does worst."""
    return max((part.level for part in parts), default=Level.WELL)


def _part(key: str, title: str, found: list[Finding]) -> Part:
    level = max((level for level, _says in found), default=Level.WELL)
    # Beside what is wrong, what is well would only be in the way.
    return Part(key, title, level, [says for its_level, says in found if says and (its_level or not level)])


def _ago(moment: datetime) -> str:
    return timesince(moment, depth=1)


def _span(seconds: float) -> str:
    return timesince(timezone.now() - timedelta(seconds=seconds), depth=1)


def _engines(engines: list[Engine]) -> Iterator[Finding]:
    for engine in engines:
        name = {"engine": engine.engine.capitalize()}
        if engine.error or engine.documents is None:
            level = Level.BAD if engine.is_chosen else Level.LOOK
            if engine.error:
                yield level, _("%(engine)s does not answer: %(error)s") % (name | {"error": engine.error})
            else:
                yield (
                    level,
                    _("%(engine)s has no index of this release yet. A worker builds it; until then searches use the one of before, if there is one.") % name,
                )
        elif engine.is_chosen:
            yield (
                Level.WELL,
                ngettext("%(engine)s answers and holds %(n)d document.", "%(engine)s answers and holds %(n)d documents.", engine.documents)
                % (name | {"n": engine.documents}),
            )
        if engine.colour and engine.colour != "green":
            told = name | {"n": engine.unassigned_shards}
            if engine.colour == "red":
                yield Level.BAD, _("The index's cluster is red: a part of the index cannot be reached. %(n)d parts (shards) have no node.") % told
            else:
                yield (
                    Level.LOOK,
                    _("The index's cluster is yellow: copies are missing, and the next node that fails would leave a gap. %(n)d shards have no node.") % told,
                )
        if engine.is_chosen and engine.breaker not in ("", "closed"):
            yield Level.LOOK, _("%(engine)s failed lately: this process asks it again only now and then, and searches use the stand-in.") % name


def _agreement(engines: list[Engine]) -> Iterator[Finding]:
    for engine in engines:
        name, found = {"engine": engine.engine.capitalize()}, engine.checked
        if engine.building and (engine.built is None or engine.building.started > engine.built.started) and not engine.building.is_running:
            yield (
                Level.LOOK,
                _("The last rebuild of %(engine)s came to no end: %(error)s The index of before goes on serving.")
                % (name | {"error": engine.building.error or _("it was killed.")}),
            )
        if found is None:
            yield Level.WELL, _("%(engine)s has not been compared with the database yet.") % name
            continue
        told = name | {"time": _ago(found.finished), "n": found.differences}
        if found.differences and not found.repaired:
            yield (
                Level.LOOK,
                ngettext(
                    "%(engine)s differs from the database in %(n)d document (compared %(time)s ago).",
                    "%(engine)s differs from the database in %(n)d documents (compared %(time)s ago).",
                    found.differences,
                )
                % told,
            )
        elif timezone.now() - found.finished > CHECK_OLD:
            yield Level.LOOK, _("%(engine)s was last compared with the database %(time)s ago; that should happen every day.") % told
        else:
            yield Level.WELL, _("%(engine)s agrees with the database (compared %(time)s ago).") % told


def _readers(readers: list[Lag]) -> Iterator[Finding]:
    for lag in readers:
        level = Level.BAD if lag.seconds > READER_BAD.total_seconds() else Level.LOOK if lag.seconds > READER_LATE.total_seconds() else Level.WELL
        if not level:
            continue
        told = {"reader": f"{READERS[lag.reader]} ({lag.reader})" if lag.reader in READERS else lag.reader, "n": lag.changes, "time": _span(lag.seconds)}
        yield (
            level,
            ngettext(
                "“%(reader)s” is behind: %(n)d change waits, for %(time)s.", "“%(reader)s” is behind: %(n)d changes wait, the oldest for %(time)s.", lag.changes
            )
            % told,
        )
        if lag.is_held_back:
            yield level, _("“%(reader)s” may not read on: a transaction that began before is still open in the database.") % told
    waiting = sum(lag.changes for lag in readers)
    yield (
        Level.WELL,
        ngettext("%(n)d change is being handled.", "%(n)d changes are being handled.", waiting) % {"n": waiting}
        if waiting
        else _("Every change has been handled."),
    )


def _workers(workers: list[Seen]) -> Iterator[Finding]:
    living = {worker.process for worker in workers if worker.is_alive}
    if not any(worker.is_alive and worker.part == "inside" for worker in workers):
        yield Level.BAD, _("No worker is running: nothing new is found, matched or mailed until one is started.")
    for worker in workers:
        told = {"host": worker.host, "pid": worker.pid, "step": worker.doing, "time": _span(worker.doing_seconds if worker.is_alive else worker.silent_seconds)}
        if worker.condition == "stuck":
            yield Level.LOOK, _("The worker %(pid)d on %(host)s has been in %(step)s for %(time)s.") % told
        elif worker.condition == "dead" and worker.part == "inside":
            yield Level.LOOK, _("The worker %(pid)d on %(host)s ended without a word %(time)s ago.") % told
    if living:
        yield Level.WELL, ngettext("%(n)d worker is running.", "%(n)d workers are running.", len(living)) % {"n": len(living)}


def _mails(mails: Outbox) -> Iterator[Finding]:
    told = {"n": mails.waiting, "time": _span(mails.oldest_seconds), "failing": mails.failing}
    if mails.overdue_seconds > OUTBOX_LATE.total_seconds():
        level = Level.BAD if mails.overdue_seconds > OUTBOX_BAD.total_seconds() else Level.LOOK
        yield level, _("Mails that are due have been left lying for %(time)s. Is a worker running?") % {"time": _span(mails.overdue_seconds)}
    if mails.failing and mails.oldest_seconds > MAIL_OLD.total_seconds():
        yield Level.LOOK, _("%(failing)d mails could not be delivered so far; the oldest waits for %(time)s. They are tried again.") % told
    yield Level.WELL, ngettext("%(n)d mail waits.", "%(n)d mails wait.", mails.waiting) % told if mails.waiting else _("No mail waits.")


def _partners(state: State) -> Iterator[Finding]:
    for partner in state.partners:
        told = {"name": partner.name}
        if partner.is_bad:
            yield Level.LOOK, _("“%(name)s” needs a look; its own page says why.") % told
        if partner.hook_failing_since and timezone.now() - partner.hook_failing_since > HOOK_FAILING:
            yield Level.LOOK, _("Messages have not reached “%(name)s” for %(time)s.") % (told | {"time": _ago(partner.hook_failing_since)})
    if state.partners:
        yield Level.WELL, ngettext("%(n)d active partner.", "%(n)d active partners.", len(state.partners)) % {"n": len(state.partners)}
    else:
        yield Level.WELL, _("No partners.")


def _database(unapplied: list[str]) -> Iterator[Finding]:
    if unapplied:
        yield (
            Level.BAD,
            ngettext("%(n)d migration of this release has not been applied.", "%(n)d migrations of this release have not been applied.", len(unapplied))
            % {"n": len(unapplied)},
        )
    yield Level.WELL, _("It answers, with every migration of this release.")
