"""Definitions in the shadow, looked at as leads come in: who would be handed over is noted, and nobody is."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from nurture.decisions import events_needed
from nurture.definitions import Definition
from nurture.facts import Facts, by_name
from nurture.fading import points_now
from nurture.profile import facts_tree
from nurture.store import shadows
from nurture.store.facts import happenings
from nurture.store.held import HeldLead


class Shadows:
    """The definitions in the shadow, by what may make them true."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._definitions = [
            (one, one.ready.depends_on(), events_needed(one.ready)) for one in definitions if one.shadow
        ]

    def look(self, connection: Connection, leads: Mapping[str, HeldLead], changed: Mapping[str, set[str]]) -> None:
        """Look at the leads of which something changed that a definition depends on; all else is written already."""
        for definition, depends_on, names in self._definitions:
            meant = [lead_id for lead_id, keys in changed.items() if keys & depends_on]
            did = happenings(connection, meant, names)
            found = []
            for lead in map(leads.__getitem__, meant):
                now = lead.last_received
                assert now is not None
                tree = facts_tree(lead.profile, lead.stage, points_now(lead.scores, lead.fading, now))
                facts = Facts(now, tree, by_name(did.get(lead.id, [])))
                if definition.ready.test(facts):
                    found.append(shadows.row(lead.id, definition, facts, now))
            shadows.note(connection, found)
