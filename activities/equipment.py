"""What the activities work with; composed once, by the worker or a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from activities.webhooks import Webhooks
from nurture.catalogue import Catalogue
from nurture.channels import Channel
from nurture.intake import Recorder
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store
from nurture.templates import Templates


@dataclass(frozen=True)
class Equipment:
    """Store, channels by name, templates, links, webhooks, the catalogue and the settings."""

    store: Store
    channels: Mapping[str, Channel]
    templates: Templates
    links: Links
    webhooks: Webhooks
    catalogue: Catalogue
    settings: Settings

    @cached_property
    def recorder(self) -> Recorder:
        """Records what journeys change about leads, by the same rules as what comes in."""
        return Recorder(self.catalogue, self.settings)
