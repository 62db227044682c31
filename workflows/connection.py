"""The connection to Temporal, by its own settings (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from nurture.errors import BadSettings, Unavailable
from workflows.client import register_search_attributes
from workflows.obstacles import obstacle
from workflows.payloads import data_converter

DEFAULT_ADDRESS = "127.0.0.1:7233"


async def connect(load: Callable[[str], Awaitable[str]], keys: Sequence[bytes] = ()) -> Client:
    """A client; raises `Unavailable` while the server cannot be reached.

    `load` answers a version's JSON; `keys` encrypt what is sent.
    """
    config = _config()
    address = config["target_host"]
    try:
        client = await Client.connect(**config, data_converter=data_converter(load, keys))
        await register_search_attributes(client)
    except (RuntimeError, RPCError, ValueError) as error:
        found = obstacle(error, tls=bool(config.get("tls")))
        if isinstance(error, ValueError) and not found.ours:
            raise BadSettings(f"TEMPORAL_ADDRESS: {address} is no address: write host:port") from error
        words = f"Temporal at {address} cannot be reached: {found.reason}; {found.remedy}"
        raise BadSettings(words) if found.ours else Unavailable(words) from error
    return client


def _config() -> dict[str, Any]:
    try:
        config = dict[str, Any](ClientConfig.load_client_connect_config())
    except OSError as error:
        raise BadSettings(f"TEMPORAL_…: {error.filename} cannot be read: {error.strerror}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        # What comes below the first line may quote the file, and a key in it.
        raise BadSettings(f"TEMPORAL_…: the settings cannot be used: {str(error).partition(chr(10))[0]}") from error
    config.setdefault("target_host", DEFAULT_ADDRESS)
    return config


async def require_reachable(client: Client) -> None:
    """Raise unless the server answers now."""
    try:
        await client.service_client.check_health(timeout=timedelta(seconds=2))
    except RPCError as error:
        raise Unavailable("Temporal cannot be reached") from error


def quiet_runtime(host: str, port: int | None) -> Runtime:
    """The runtime of Temporal's client: not a word for each call that it tries again; its metrics at the port, if given."""
    quiet = LoggingConfig(filter="ERROR,temporalio_sdk_core=WARN")
    if port is None:
        return Runtime(telemetry=TelemetryConfig(logging=quiet))
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    metrics = PrometheusConfig(bind_address=place, counters_total_suffix=True, durations_as_seconds=True)
    try:
        return Runtime(telemetry=TelemetryConfig(logging=quiet, metrics=metrics))
    except ValueError as error:
        raise BadSettings(f"NURTURE_TEMPORAL_METRICS_PORT: {place} cannot be listened on: set another") from error
