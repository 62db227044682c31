import pytest

from workflows.obstacles import obstacle

BEGINS = "Failed client connect: `get_system_info` call error after connection: Status { code: "
HANGS_UP = [
    (
        'Unknown, message: "transport error", source: Some(tonic::transport::Error(Transport, hyper::Error(Io, Custom '
        '{ kind: UnexpectedEof, error: "peer closed connection" }))) }'
    ),
    (
        'Unknown, message: "transport error", source: Some(tonic::transport::Error(Transport, hyper::Error(Io, '
        "Kind(ConnectionReset)))) }"
    ),
    (
        'Cancelled, message: "operation was canceled", source: Some(tonic::transport::Error(Transport, '
        'hyper::Error(Canceled, "connection closed"))) }'
    ),
]


@pytest.mark.parametrize("words", HANGS_UP)
@pytest.mark.parametrize(("tls", "setting"), [(True, "TEMPORAL_TLS_CLIENT_CERT_PATH"), (False, "TEMPORAL_TLS=true")])
def test_a_server_that_hangs_up_however_that_comes_about_has_its_remedy(words: str, tls: bool, setting: str) -> None:
    found = obstacle(RuntimeError(BEGINS + words), tls=tls)

    assert "hangs up" in found.reason
    assert setting in found.remedy


def test_what_is_not_known_is_told_in_the_words_of_the_innermost_error() -> None:
    words = 'Server connection error: Custom { kind: Other, error: "failed to lookup address" }'
    found = obstacle(RuntimeError(words), tls=False)

    assert found.reason == "failed to lookup address"
    assert "TEMPORAL_ADDRESS" in found.remedy
