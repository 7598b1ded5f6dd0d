"""The federation's tables, by topic."""

from .events import PartnerEvent
from .partners import Node, Partner

__all__ = ["Node", "Partner", "PartnerEvent"]
