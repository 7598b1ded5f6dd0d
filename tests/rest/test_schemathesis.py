"""schemathesis tries the whole schema, in all its phases, on the WSGI application that serves it; so that what is new in the schema is tried too."""

import collections
import functools
from collections import Counter

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import NonFatalError, PhaseFinished, ScenarioFinished

from marketplace.rest import authentication
from tests.factories import ListingFactory
from tests.rest import programs

#: Its checks that do not fit. Random values that the schema allows are no existing sector or municipality, so `positive_data_acceptance` and what
#: builds on accepted data have nothing to say; rows made a moment before are others' by design of the run.
LEFT_OUT = ("positive_data_acceptance", "missing_required_header", "ignored_auth", "use_after_free", "ensure_resource_availability")
#: A batch of 501 is 413, a wrong body with an old ETag 412: what is looked at first is no fault.
REFUSING = ["400", "401", "403", "404", "405", "409", "410", "411", "412", "413", "415", "422", "428", "429"]
PHASES = {"examples", "coverage", "fuzzing", "stateful"}


@pytest.fixture
def _no_limits(settings, monkeypatch):
    # Whose the two keys are, is asked once: it would be half of the work, and no input varies it.
    monkeypatch.setattr(authentication, "_key", functools.cache(authentication._key))
    settings.API_RATE_KEY = settings.API_RATE_ADDRESS = settings.API_RATE_FAILURES = 0


@pytest.fixture
def application():
    """The site's own, and how often it gave each status."""
    counted = Counter()
    handler = WSGIHandler()

    def serve(environ, start):
        def begin(status, headers, *rest):
            counted[int(status[:3])] += 1
            return start(status, headers, *rest)

        return handler({**environ, "REMOTE_ADDR": "127.0.0.1"}, begin)

    serve.counted = counted
    return serve


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_limits")
@pytest.mark.filterwarnings("ignore")
def test_no_input_makes_the_api_fail_or_leave_its_schema(application):
    company = programs.of_company(scopes=("read", "write"))
    ListingFactory.create_batch(3, live=True, company=company.company)
    partner = programs.of_partner()
    config = SchemathesisConfig.from_dict(
        {
            "seed": 6,
            "continue-on-failure": True,
            "headers": {"Authorization": f"Bearer {company.secret}"},
            "operations": [{"include-path-regex": "/federation/", "headers": {"Authorization": f"Bearer {partner.secret}"}}],
            "generation": {"max-examples": 8, "deterministic": True, "no-shrink": True, "database": "none"},
            "phases": {"stateful": {"max-steps": 6, "generation": {"max-examples": 6}}},
            "checks": {name: {"enabled": False} for name in LEFT_OUT} | {"negative_data_rejection": {"expected-statuses": REFUSING}},
        }
    )
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application, config=config)
    faults, phases = collections.defaultdict(list), {}
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            faults[f"{event.label}: {event.info.title}"].append(str(event.value))
        elif isinstance(event, PhaseFinished):
            phases[event.phase.name.value] = event.phase.is_enabled and event.phase.skip_reason is None
        elif isinstance(event, ScenarioFinished):
            for case, nodes in event.recorder.checks.items():
                for node in nodes:
                    if node.failure_info:
                        answer = event.recorder.interactions[case].response
                        faults[f"{event.label}: {node.name}"].append(f"{node.failure_info.failure}\n{node.failure_info.code_sample}\n{answer.content[:500]}")
    assert not faults, "\n\n".join(f"{name} ({len(found)})\n{found[0]}" for name, found in faults.items())
    assert {name for name, was_run in phases.items() if was_run} >= PHASES
    assert not [status for status in application.counted if status >= 500]
    assert sum(application.counted.values()) > 1000
