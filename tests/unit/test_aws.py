"""Signatures for Amazon's services, by the examples that Amazon gives."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from nurture.channels.aws import Signer, stamp
from nurture.channels.providers import Request
from nurture.channels.providers.amazon_ses import AmazonSes

THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SIGNER = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ],
)
def test_a_request_is_signed_as_amazons_own_examples_are(method: str, signature: str) -> None:
    headers = {"Host": "example.amazonaws.com", "X-Amz-Date": stamp(THEN)}

    assert SIGNER.authorization(method, "/", headers, b"", THEN) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    )


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://email.eu-central-1.amazonaws.com", "eu-central-1"),
        ("https://email-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://proxy.example", "us-east-1"),
    ],
)
def test_the_region_is_that_of_the_address(url: str, region: str) -> None:
    signed = AmazonSes(SecretStr("AKIA:secret")).signed(Request("/v2", content=b"{}"), url, THEN)

    assert f"Credential=AKIA/20150830/{region}/ses/" in signed.headers["Authorization"]
