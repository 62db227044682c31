import asyncio

import pytest

from nurture.errors import NotFound
from nurture.store import campaigns
from nurture.store.models import VersionRow
from nurture.version import Version, frozen
from tests.integration.scene import Scene, simple


async def publish(scene: Scene, version: Version) -> campaigns.Published:
    async with scene.store.write() as session:
        return await campaigns.publish(session, version, by="ann", commit="abc123", now=scene.now)


async def test_versions_are_numbered_by_campaign(scene: Scene) -> None:
    numbers = [(await publish(scene, frozen(simple(key, title=title)))).number for key in "ab" for title in ("x", "y")]

    assert numbers == [1, 2, 1, 2]


async def test_publishing_the_same_again_changes_nothing(scene: Scene) -> None:
    first = await publish(scene, frozen(simple()))
    again = await publish(scene, frozen(simple()))

    assert (first.new, again.new, first.hash, first.number) == (True, False, again.hash, again.number)
    [row] = await scene.rows(VersionRow)
    assert (row.campaign, row.published_by, row.commit, row.published_at) == ("welcome", "ann", "abc123", scene.now)


async def test_publishing_an_earlier_version_makes_it_the_current_one_under_its_number(scene: Scene) -> None:
    old, new = frozen(simple(title="old")), frozen(simple(title="new"))
    await publish(scene, old)
    await publish(scene, new)

    assert await publish(scene, old) == (old.hash, 1, True)
    async with scene.store.read() as session:
        assert (await campaigns.current(session, "welcome")).hash == old.hash
        assert (await campaigns.version(session, new.hash)).campaign.title == "new"


async def test_those_who_publish_at_once_get_numbers_of_their_own(scene: Scene) -> None:
    versions = [frozen(simple(title=str(n))) for n in range(6)]
    published = await asyncio.gather(*(publish(scene, version) for version in versions))

    assert sorted(one.number for one in published) == [1, 2, 3, 4, 5, 6]


async def test_a_version_is_read_back_as_it_was_written(scene: Scene) -> None:
    version = frozen(simple(holdout=10))
    await publish(scene, version)
    campaigns.forget()  # as another process would find it

    async with scene.store.read() as session:
        found = await campaigns.version(session, version.hash)
    assert (found, found.hash, found is version) == (version, version.hash, False)


async def test_a_version_goes_by_the_hash_it_was_published_under(scene: Scene) -> None:
    version = frozen(simple())
    async with scene.store.write() as session:
        row = VersionRow(
            hash="of an older nurture",
            campaign="welcome",
            number=1,
            body=version.canonical(),
            published_at=scene.now,
        )
        session.add(row)
    async with scene.store.read() as session:
        assert (await campaigns.version(session, "of an older nurture")).hash == "of an older nurture"


async def test_what_is_not_published_is_not_found(scene: Scene) -> None:
    async with scene.store.read() as session:
        with pytest.raises(NotFound, match="nurture publish"):
            await campaigns.version(session, "0" * 64)
        with pytest.raises(NotFound, match="'nothing' is not published"):
            await campaigns.current(session, "nothing")


async def test_a_pause_lasts_until_it_is_ended(scene: Scene) -> None:
    await publish(scene, frozen(simple()))
    async with scene.store.write() as session:
        assert await campaigns.pause(session, "welcome", scene.now)
        assert not await campaigns.pause(session, "welcome", scene.now)
    async with scene.store.read() as session:
        assert await campaigns.paused(session, "welcome")

    async with scene.store.write() as session:
        await campaigns.resume(session, "welcome", scene.now)
    async with scene.store.read() as session:
        assert not await campaigns.paused(session, "welcome")


async def test_publishing_ends_no_pause(scene: Scene) -> None:
    await publish(scene, frozen(simple(title="old")))
    async with scene.store.write() as session:
        await campaigns.pause(session, "welcome", scene.now)

    await publish(scene, frozen(simple(title="new")))

    async with scene.store.read() as session:
        assert await campaigns.paused(session, "welcome")
