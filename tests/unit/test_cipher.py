import pytest
from temporalio.api.common.v1 import Payload

from nurture.errors import BadSettings
from workflows.cipher import Cipher, key_id

OLD, NEW = b"o" * 32, b"n" * 32
PLAIN = ("kind", b"public")
SECRET = Payload(metadata={"encoding": b"json/plain"}, data=b'"in state greet"')
PUBLIC = Payload(metadata={"encoding": b"json/plain", "kind": b"public"}, data=b'"a campaign"')


def cipher(*keys: bytes) -> Cipher:
    return Cipher(keys, PLAIN)


async def test_what_is_encrypted_comes_back_whole() -> None:
    sealed = await cipher(NEW).encode([SECRET])

    assert b"greet" not in sealed[0].SerializeToString()
    assert await cipher(NEW).decode(sealed) == [SECRET]


async def test_the_same_payload_never_looks_the_same_twice() -> None:
    one, two = await cipher(NEW).encode([SECRET, SECRET])

    assert one.data != two.data


async def test_what_is_left_plain_and_what_was_never_encrypted_pass_as_they_are() -> None:
    assert await cipher(NEW).encode([PUBLIC]) == [PUBLIC]
    assert await cipher(NEW).decode([SECRET, PUBLIC]) == [SECRET, PUBLIC]


async def test_an_old_key_still_decrypts_and_the_first_one_encrypts() -> None:
    before = await cipher(OLD).encode([SECRET])
    after = await cipher(NEW, OLD).encode([SECRET])

    assert await cipher(NEW, OLD).decode([*before, *after]) == [SECRET, SECRET]
    assert await cipher(NEW).decode(after) == [SECRET]


async def test_a_key_that_was_taken_away_is_named() -> None:
    before = await cipher(OLD).encode([SECRET])

    with pytest.raises(BadSettings, match=f"encrypted with key {key_id(OLD)}: add that key to NURTURE_PAYLOAD_KEYS"):
        await cipher(NEW).decode(before)


async def test_what_was_altered_is_not_read() -> None:
    [sealed] = await cipher(NEW).encode([SECRET])
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])

    with pytest.raises(ValueError, match="is not what was encrypted"):
        await cipher(NEW).decode([sealed])
