import socket

import pytest

from nurture.errors import Unavailable
from nurture.laptop.ports import HOST, Ports, settled


def test_a_free_port_takes_the_place_of_each_0() -> None:
    ports = settled(Ports())

    assert len({ports.web, ports.inbox, ports.smtp, ports.temporal, ports.temporal_ui, 0}) == 6


def test_a_port_in_use_is_named_with_the_option_that_helps() -> None:
    with socket.create_server((HOST, 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} is in use: give another with --temporal-ui-port"):
            settled(Ports(temporal_ui=port))
