"""How payloads travel: everything inline as JSON, but a version by the hash of its content; encrypted where there are keys.

A version is immutable, so a replay that fetches it again reads the same. See Temporal's external storage.
"""

import dataclasses
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    ExternalStorage,
    JSONPlainPayloadConverter,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
)

from nurture.version import Version
from workflows.cipher import Cipher

KIND, VERSION = "nurture-kind", b"version"


class MarkedJson(PydanticJSONPlainPayloadConverter):
    """JSON by pydantic; a version is marked, so that it alone is stored outside."""

    def to_payload(self, value: Any) -> Payload | None:
        """The value as a payload."""
        payload = super().to_payload(value)
        if payload is not None and isinstance(value, Version):
            payload.metadata[KIND] = VERSION
        return payload


class Payloads(CompositePayloadConverter):
    """The default converters with our JSON."""

    def __init__(self) -> None:
        ours = MarkedJson()
        defaults = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(ours if isinstance(one, JSONPlainPayloadConverter) else one for one in defaults))


class VersionStorage(StorageDriver):
    """Versions by the hash of their content; `load` answers a published version's JSON."""

    def __init__(self, load: Callable[[str], Awaitable[str]]) -> None:
        self._load = load
        self._known: dict[str, bytes] = {}

    def name(self) -> str:
        """In every reference: never to be changed."""
        return "v"

    def type(self) -> str:
        """What it stores."""
        return "nurture.version"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """References to versions; publishing has stored them already."""
        claims = []
        for payload in payloads:
            key = hashlib.sha256(payload.data).hexdigest()
            self._known.setdefault(key, payload.data)
            claims.append(StorageDriverClaim(claim_data={"sha256": key}))
        return claims

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """The versions referred to."""
        return [await self._payload(claim.claim_data["sha256"]) for claim in claims]

    async def _payload(self, key: str) -> Payload:
        if key not in self._known:
            content = (await self._load(key)).encode()
            if hashlib.sha256(content).hexdigest() != key:
                raise ValueError(f"the stored version {key} is not what was published")
            self._known[key] = content
        return Payload(metadata={"encoding": b"json/plain", KIND: VERSION}, data=self._known[key])


def data_converter(load: Callable[[str], Awaitable[str]], keys: Sequence[bytes] = ()) -> DataConverter:
    """The converter that every client, worker and replayer of ours must use; with `keys`, what it sends is encrypted.

    A version is left plain: it goes to the store and not to Temporal, and is found there by the hash of its text.
    """
    storage = VersionStorage(load)

    def select(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        return storage if payload.metadata.get(KIND) == VERSION else None

    return dataclasses.replace(
        pydantic_data_converter,
        payload_converter_class=Payloads,
        payload_codec=Cipher(keys, left_plain=(KIND, VERSION)) if keys else None,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes if keys else DefaultFailureConverter,
        external_storage=ExternalStorage(drivers=[storage], driver_selector=select, payload_size_threshold=0),
    )
