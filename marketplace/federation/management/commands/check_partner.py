"""manage.py check_partner URL: whether a marketplace keeps to the protocol of the federation."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError

from marketplace.core import sealing
from marketplace.federation import conformance
from marketplace.federation.conformance import Outcome
from marketplace.federation.models import Partner

SIGNS = {"ok": "✓", "fault": "✗", "skipped": "–"}


class Command(BaseCommand):
    """Looks at any marketplace from outside and changes nothing there; the exit code is 1 if something is not as docs/federation.md says."""

    help = "Check from outside whether a marketplace keeps to the federation's protocol."

    def add_arguments(self, parser):
        """Whom to look at, with which key."""
        parser.add_argument("url", help="the marketplace's address, like https://marketplace.example.org")
        parser.add_argument("--key", default="", help="a key of yours there (“-”: read from standard input); a partner's is known already")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *, url: str, key: str, **options):
        """Check after check."""
        url = url.rstrip("/")
        key = sys.stdin.readline().strip() if key == "-" else key or _own_key(url)
        self.group = ""
        report = conformance.run(url, key, **({} if options["json"] else {"told": self._tell}))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict, ensure_ascii=False, indent=2))
        else:
            skipped = sum(outcome.state == "skipped" for outcome in report.outcomes)
            self.stdout.write(f"\n{len(report.outcomes)} checks, {len(report.faults)} faults, {skipped} left out")
        if report.faults:
            raise CommandError(f"{url} does not keep to the protocol in {len(report.faults)} points.")

    def _tell(self, outcome: Outcome) -> None:
        if outcome.group != self.group:
            self.group = outcome.group
            self.stdout.write(f"\n{self.group}")
        style = {"ok": self.style.SUCCESS, "fault": self.style.ERROR}.get(outcome.state, str)
        self.stdout.write(f"  {style(SIGNS[outcome.state])} {outcome.name}" + (f" ({outcome.found})" if outcome.found and outcome.state != "fault" else ""))
        if outcome.state == "fault":
            self.stdout.write(f"      {outcome.found}\n      → {outcome.advice}")


def _own_key(url: str) -> str:
    """The key that this partner gave us; "" if it is none."""
    partner = Partner.objects.filter(base_url=url).exclude(sealed_key="").first()
    return sealing.unseal(partner.sealed_key) if partner else ""
