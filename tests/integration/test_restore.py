"""A backup is restored while journeys are under way: F34. The backup is a real one, a copy of the database's file."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from activities.doctor import main as doctor
from nurture import Campaign, State, days, leave, on, send, wait
from nurture.errors import BadSettings
from nurture.settings import Settings
from nurture.store import Store, outbox, restores
from nurture.store.models import JourneyRow, MessageRow, OutboxRow
from tests.integration.life import Life, Postbox

BASIS = "the lead asked for it"


@dataclass
class Forgetful(Postbox):
    """A postbox that cannot tell what it took, until it can."""

    tells: bool = True

    async def lookup(self, message_id: str) -> bool | None:
        return await super().lookup(message_id) if self.tells else None


def letters() -> Campaign:
    rooms = [
        State("first", [wait(days(1)), send("test/one", legal_basis=BASIS)]),
        State("second", [wait(days(2)), send("test/two", legal_basis=BASIS), leave("done")]),
    ]
    return Campaign("letters", enters=[on("asked")], states=rooms)


class House:
    """A database's file, its backup, and what the provider took all the while."""

    def __init__(self, file: Path, now: datetime) -> None:
        self.file, self.now, self.provider = file, now, Forgetful()

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        """What goes on over the database as it is now."""
        store = Store(f"sqlite:///{self.file}")
        life = Life(store, self.now)
        life.postbox = self.provider
        life.walkers.equipment.channels["email"] = self.provider  # type: ignore[index]  # a dict here
        async with life:
            yield life
        self.now = life.now
        await store.close()

    def backup(self) -> None:
        shutil.copy(self.file, self.file.with_suffix(".backup"))

    def restore(self) -> None:
        for rest in ("-wal", "-shm"):
            self.file.with_name(self.file.name + rest).unlink(missing_ok=True)
        shutil.copy(self.file.with_suffix(".backup"), self.file)

    @property
    def sent(self) -> list[str]:
        return [mail.subject for mail in self.provider.mails]


@pytest.fixture
async def house(sqlite_url: str, now: datetime) -> House:
    """Ann has got the first letter, and the backup is of an hour before."""
    house = House(Path(sqlite_url.removeprefix("sqlite:///")), now)
    async with house.life() as life:
        await life.publish(letters())
        await life.lead()
        await life.happens("asked")
        await life.passes(hours=23.5)
    house.backup()
    async with house.life() as life:
        await run_again(life)
        await life.passes(hours=1)
    assert house.sent == ["one"]
    house.restore()
    return house


async def run_again(life: Life) -> None:
    """As the doctor has the journeys run that do not."""
    async with life.store.write() as session:
        for row in (await session.exec(select(JourneyRow))).all():
            start = OutboxRow(
                lead_id=row.lead_id, kind="start", body={"journey": row.id}, due_at=life.now, created_at=life.now
            )
            await outbox.put(session, [start])
    await life.settle()


async def restored(life: Life) -> None:
    async with life.store.write() as session:
        await restores.note(session, life.now)
    await run_again(life)


async def ledger(life: Life) -> list[tuple[str, str, str]]:
    async with life.store.read() as session:
        rows = (await session.exec(select(MessageRow).order_by(MessageRow.occurrence))).all()
    return [(row.template, row.status, row.reason) for row in rows]


async def test_what_was_sent_since_the_backup_is_learnt_again_and_not_sent_again(house: House) -> None:
    async with house.life() as life:
        await restored(life)
        await life.passes(hours=1)

        assert house.sent == ["one"]
        assert await ledger(life) == [("test/one", "accepted", "found at the provider after a restore")]


async def test_without_a_word_of_the_restore_it_would_be_sent_twice(house: House) -> None:
    async with house.life() as life:
        await run_again(life)
        await life.passes(hours=1)

    assert house.sent == ["one", "one"]


async def test_what_was_never_sent_goes_in_its_time(house: House) -> None:
    async with house.life() as life:
        await restored(life)
        await life.passes(days=4)

        assert house.sent == ["one", "two"]
        assert [one[1] for one in await ledger(life)] == ["accepted", "accepted"]


async def test_while_the_provider_cannot_tell_the_message_waits(house: House) -> None:
    house.provider.tells = False
    async with house.life() as life:
        await restored(life)
        await life.passes(hours=1)

        assert house.sent == ["one"]
        assert await ledger(life) == [
            ("test/one", "deferred", "a backup was restored, and the provider cannot tell yet whether this was sent before")
        ]  # fmt: skip


async def test_without_a_provider_to_ask_the_command_refuses() -> None:
    with pytest.raises(
        BadSettings, match="nobody can tell what was sent since the backup: set NURTURE_SMTP_LOOKUP_URL"
    ):
        await doctor(Settings(_env_file=None), fix=False, after_restore=True)


async def test_journeys_entered_since_and_a_week_later_nobody_is_asked(house: House) -> None:
    async with house.life() as life:
        await restored(life)
        async with life.store.read() as session:
            [journey] = (await session.exec(select(JourneyRow))).all()
            week = timedelta(days=7)
            assert await restores.in_doubt(session, journey.id, None, life.now + week)
            assert not await restores.in_doubt(session, journey.id, None, life.now + week + timedelta(seconds=1))
        async with life.store.write() as session:
            journey.entered = life.now + timedelta(seconds=1)
            session.add(journey)
        async with life.store.read() as session:
            assert not await restores.in_doubt(session, journey.id, None, life.now + timedelta(hours=1))
