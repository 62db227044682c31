"""The connection to Temporal, by its own settings (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from workflows.client import CAMPAIGN, LEAD, VERSION
from workflows.payloads import data_converter

DEFAULT_ADDRESS = "127.0.0.1:7233"
AGAIN_AFTER = 3.0
log = structlog.get_logger()


async def connect(load: Callable[[str], Awaitable[str]], stop: asyncio.Event) -> Client | None:
    """A client, as soon as the server can be reached; None when `stop` is set before. `load` answers a version's JSON."""
    config: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
    address = config.setdefault("target_host", DEFAULT_ADDRESS)
    while not stop.is_set():
        try:
            client = await Client.connect(**config, data_converter=data_converter(load))
            await register_search_attributes(client)
            return client
        except (RuntimeError, RPCError) as error:
            log.warning(
                "temporal.unreachable",
                address=address,
                error=type(error).__name__,
                remedy="start a server (nurture dev) or set TEMPORAL_ADDRESS; trying again",
            )
            await _pause(stop)
    return None


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), AGAIN_AFTER)
    except TimeoutError:
        return


async def register_search_attributes(client: Client) -> None:
    """Make campaign, lead and version searchable; where an operator does that (Temporal Cloud), it is left to them."""
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    request = AddSearchAttributesRequest(
        namespace=client.namespace, search_attributes={key.name: keyword for key in (CAMPAIGN, LEAD, VERSION)}
    )
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status not in (
            RPCStatusCode.ALREADY_EXISTS,
            RPCStatusCode.UNIMPLEMENTED,
            RPCStatusCode.PERMISSION_DENIED,
        ):
            raise
