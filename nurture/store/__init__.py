"""The store: the record of leads, events, messages, scores, hand-offs and of where each journey stands."""

from nurture.store.database import Session, Store

__all__ = ["Session", "Store"]
