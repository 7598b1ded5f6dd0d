"""Whether a marketplace keeps to docs/federation.md, as far as it can be seen from outside. Free of Django.

    report = conformance.run("https://marketplace.example.org", key="…")

Nothing is changed at the other side: what is sent besides reading is made to be refused.
"""

from . import discovery, feed, items, messages, refusals  # noqa: F401 - each registers its checks
from .probing import Outcome, Report, run

__all__ = ["Outcome", "Report", "run"]
