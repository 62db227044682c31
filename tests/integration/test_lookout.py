"""What a process shows to those who watch it, over a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from nurture import lookout as module
from nurture.catalogue import Catalogue
from nurture.channels.measured import MeasuredChannel
from nurture.errors import AddressRefused, Ambiguous, BadSettings, MessageRefused, ProviderUnavailable
from nurture.intake import Internal
from nurture.intake.measured import MeasuredIntake
from nurture.lookout import Lookout, shown
from nurture.metrics import Metrics
from nurture.readiness import Checklist, going
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.models import BreakerRow, DeadLetterRow, MessageRow, OutboxRow, new_id
from tests.integration.life import Postbox
from tests.integration.scene import Scene, simple
from tests.integration.test_guarded_channel import envelope


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def watcher(
    metrics: Metrics, store: Store, stop: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who watches a process."""
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    lookout = Lookout(metrics, Checklist({"process": going(stop)}), store)
    with capture_logs() as lines:
        async with shown(lookout, "127.0.0.1", 0, "NURTURE_WORKER_METRICS_PORT"):
            url = f"http://127.0.0.1:{lines[0]['port']}"
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                yield client


async def seen(watcher: httpx.AsyncClient) -> dict[str, float]:
    """Every sample of ours: `nurture_dead_letters`, `nurture_sends_total email accepted`."""
    answer = await watcher.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    samples = (sample for family in families for sample in family.samples)
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples if one.name.startswith("nurture_")}


async def test_it_tells_that_it_lives_and_whether_it_is_ready(watcher: httpx.AsyncClient, stop: asyncio.Event) -> None:
    assert (await watcher.get("/live")).json() == {"status": "alive"}
    assert (await watcher.get("/ready")).json() == {"status": "ready", "checks": {"process": "ok"}}

    stop.set()
    answer = await watcher.get("/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"process": "is stopping"})


async def test_what_is_in_the_store_is_shown(watcher: httpx.AsyncClient, scene: Scene) -> None:
    await scene.publish(simple())
    for who in ("ann", "bob", "cem"):
        await scene.lead(who)
        await scene.enrols("welcome", to=who)
    await scene.dispatch()
    await scene.ends((await scene.journeys())[0].id)
    about: dict[str, Any] = {"campaign": "c", "template": "c/one", "channel": "email", "purpose": "marketing"}
    about |= {"topic": "news", "message_id": "<m>", "due_at": scene.now, "updated_at": scene.now}
    async with scene.store.write() as session:
        session.add(DeadLetterRow(lead_id="ann", kind="enrol", reason="no such campaign", at=scene.now))
        session.add(MessageRow(occurrence=new_id(), status="unknown", **about))
        session.add(MessageRow(occurrence=new_id(), status="accepted", **about))
        session.add(BreakerRow(provider="email", opened_at=scene.now, reason="down"))
    samples = await seen(watcher)

    assert samples.items() >= {
        ("nurture_dead_letters", 1),
        ("nurture_messages email unknown", 1),
        ("nurture_messages email accepted", 1),
        ("nurture_journeys welcome active", 2),
        ("nurture_journeys welcome ended", 1),
        ("nurture_journeys_started_total welcome", 3),
        ("nurture_journeys_ended_total welcome", 1),
        ("nurture_breaker_open email", 1),
        ("nurture_outbox_rows", 0),
        ("nurture_outbox_age_seconds", 0),
    }


async def test_the_oldest_row_of_the_outbox_that_is_due_has_an_age(
    watcher: httpx.AsyncClient, store: Store, now: datetime
) -> None:
    async with store.write() as session:
        for due in (now - timedelta(days=1), now, now + timedelta(days=10_000)):
            session.add(OutboxRow(lead_id="ann", kind="event", due_at=due, created_at=now))
    samples = await seen(watcher)

    assert samples["nurture_outbox_rows"] == 3
    assert samples["nurture_outbox_age_seconds"] >= timedelta(days=1).total_seconds()


async def test_a_store_out_of_reach_hides_nothing_of_what_the_process_did(metrics: Metrics) -> None:
    lookout = Lookout(metrics, Checklist({}), Store("postgresql://nobody@127.0.0.1:1/none"))
    metrics.events.labels("taken").inc()
    transport = httpx.ASGITransport(lookout.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://lookout") as client:
        assert (await seen(client))["nurture_events_total taken"] == 1


async def test_what_the_dispatcher_did_is_shown(watcher: httpx.AsyncClient, metrics: Metrics, scene: Scene) -> None:
    metrics.tally("nurture_dispatched", "Rows.", "outcome", scene.dispatcher.tally)
    await scene.lead("ann")
    await scene.enrols("nothing", to="ann")
    await scene.publish(simple())
    await scene.enrols("welcome", to="ann")
    await scene.dispatch()
    samples = await seen(watcher)

    assert (samples["nurture_dispatched_total done"], samples["nurture_dispatched_total buried"]) == (1, 1)
    assert scene.dispatcher.looked_at == scene.now - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (None, "accepted"),
        (AddressRefused("no such user"), "address_refused"),
        (MessageRefused("policy"), "message_refused"),
        (ProviderUnavailable("down"), "put_off"),
        (Ambiguous("no answer"), "unknown"),
        (ValueError("a bug"), "broke"),
    ],
)
async def test_hand_overs_are_counted_by_how_they_went(
    metrics: Metrics, watcher: httpx.AsyncClient, trouble: Exception | None, outcome: str
) -> None:
    channel = MeasuredChannel(Postbox(troubles=[trouble] if trouble else []), metrics)
    if trouble is None:
        await channel.send(envelope("a"))
    else:
        with pytest.raises(type(trouble)):
            await channel.send(envelope("a"))
    samples = await seen(watcher)

    assert samples[f"nurture_sends_total email {outcome}"] == samples["nurture_send_seconds_count email"] == 1


async def test_what_comes_in_is_counted_by_what_became_of_it(
    metrics: Metrics, watcher: httpx.AsyncClient, store: Store, now: datetime
) -> None:
    intake = MeasuredIntake(store, Catalogue(), Settings(_env_file=None), metrics)
    for item in (
        Internal(id="1", name="visit", lead={"email": "ann@example.com"}),
        Internal(id="1", name="visit", lead={"email": "ann@example.com"}),
        Internal(id="2", name="visit", lead={}),
    ):
        await intake.accept([item], now)
    await intake.close()
    samples = await seen(watcher)

    assert [samples[f"nurture_events_total {result}"] for result in ("taken", "duplicate", "refused")] == [1, 1, 1]
    assert samples["nurture_intake_seconds_count"] == 3


async def test_a_port_that_is_taken_is_named_with_its_setting(metrics: Metrics, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSettings, match=f"NURTURE_WEB_METRICS_PORT: 127.0.0.1:{port} cannot be listened on"):
            async with shown(Lookout(metrics, Checklist({}), store), "127.0.0.1", port, "NURTURE_WEB_METRICS_PORT"):
                pass
