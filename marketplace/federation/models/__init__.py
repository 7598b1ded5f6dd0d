"""The federation's tables, by topic."""

from .partners import Node, Partner

__all__ = ["Node", "Partner"]
