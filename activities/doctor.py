"""The doctor: settings, store and Temporal, composed for one checkup; nothing else. `nurture doctor` runs it."""

import asyncio
import sys
from datetime import UTC, datetime

from nurture.checkup import Running, examine
from nurture.cli.diagnosis import show
from nurture.doctor import Findings, Word
from nurture.errors import BadSettings, NotFound, NurtureError, Unavailable
from nurture.settings import Settings, read_settings
from nurture.store import Store, restores
from nurture.store.migrate import require_current
from workflows.client import TemporalJourneys
from workflows.connection import connect


async def main(settings: Settings, *, fix: bool, after_restore: bool) -> Findings:
    """What is to be found here; what is out of reach is a finding too."""
    if after_restore and settings.smtp_lookup_url is None:
        raise BadSettings(
            "--after-restore: nobody can tell what was sent since the backup: set NURTURE_SMTP_LOOKUP_URL"
        )
    store = Store(settings.database_url.get_secret_value())
    try:
        await require_current(store)
        if after_restore:
            async with store.write() as session:
                await restores.note(session, datetime.now(UTC))
        engine, trouble = await _engine(settings)
        findings = await examine(store, engine, datetime.now(UTC), fix=fix)
    except (BadSettings, Unavailable) as error:
        findings, trouble = Findings(), None
        findings.add(Word.TABLES if isinstance(error, BadSettings) else Word.DATABASE, str(error))
    finally:
        await store.close()
    if trouble is not None:
        findings.add(Word.TEMPORAL, trouble)
    return findings


async def _engine(settings: Settings) -> tuple[Running | None, str | None]:
    """Temporal's side of the journeys; without it, why not."""
    try:
        client = await connect(_no_version, settings.payload_key_bytes)
    except Unavailable as error:
        return None, str(error)
    return TemporalJourneys(client, settings.task_queue), None


async def _no_version(version_hash: str) -> str:
    raise NotFound(f"a checkup reads no versions, such as {version_hash[:12]}")


if __name__ == "__main__":
    try:
        found = asyncio.run(main(read_settings(), fix="--fix" in sys.argv, after_restore="--after-restore" in sys.argv))
    except NurtureError as error:
        sys.exit(f"nurture: {error}")
    show(found, as_json="--json" in sys.argv)
    sys.exit(0 if found.well else 1)
