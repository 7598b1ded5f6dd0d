"""The federation's tables, by topic."""

from .events import PartnerEvent
from .feed import FeedEntry, FeedLog
from .harvest import Checkpoint, DuplicateCandidate, HarvestRun, Overlay, QuarantinedItem, RemoteCompany, RemoteListing
from .interests import IncomingInterest, OutgoingInterest
from .mapping import Mapping
from .partners import Node, Partner
from .webhooks import Announced, Delivery, DeliveryAttempt, Hook, NodeKey, ReceivedMessage, Subscription

__all__ = [
    "Announced",
    "Checkpoint",
    "Delivery",
    "DeliveryAttempt",
    "DuplicateCandidate",
    "FeedEntry",
    "FeedLog",
    "HarvestRun",
    "Hook",
    "IncomingInterest",
    "Mapping",
    "Node",
    "NodeKey",
    "OutgoingInterest",
    "Overlay",
    "Partner",
    "PartnerEvent",
    "QuarantinedItem",
    "ReceivedMessage",
    "RemoteCompany",
    "RemoteListing",
    "Subscription",
]
