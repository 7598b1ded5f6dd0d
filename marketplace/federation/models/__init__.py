"""The federation's tables, by topic."""

from .events import PartnerEvent
from .partners import Node, Partner
from .webhooks import Delivery, DeliveryAttempt, Hook, NodeKey, ReceivedMessage, Subscription

__all__ = ["Delivery", "DeliveryAttempt", "Hook", "Node", "NodeKey", "Partner", "PartnerEvent", "ReceivedMessage", "Subscription"]
