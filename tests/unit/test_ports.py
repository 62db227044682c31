import socket
from dataclasses import asdict

import pytest

from nurture.errors import Unavailable
from nurture.laptop.ports import HOST, Ports, settled


def test_a_free_port_takes_the_place_of_each_0() -> None:
    ports = settled(Ports())

    assert len({*asdict(ports).values(), 0}) == 9
    assert max(asdict(ports).values()) < 32_768, "the system may give it to a connection before it is listened on"


def test_a_port_in_use_is_named_with_the_option_that_helps() -> None:
    with socket.create_server((HOST, 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} is in use: give another with --temporal-ui-port"):
            settled(Ports(temporal_ui=port))
