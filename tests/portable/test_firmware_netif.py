"""Wi-Fi and Ethernet come up and come back, with a stand-in for MicroPython's network module."""

import json

from firmware.board.config import parse
from firmware.board.netif import DOWN, JOINING, UP, ChipNetwork
from tests.portable.firmware_bench import ticks_diff

BASE = {"desk": "desk-1", "broker_host": "h", "broker_port": 1, "password": "pw"}


class Interface:
    """network.WLAN or network.LAN as the test wants it."""

    def __init__(self):
        self.calls = []
        self.connected = False
        self.given = ("10.0.0.5", "255.255.255.0", "10.0.0.1", "10.0.0.2")
        self.breaks = False

    def active(self, on):
        self.calls.append(on)
        if self.breaks:
            raise OSError(5)

    def connect(self, *credentials):
        self.calls.append(credentials)

    def isconnected(self):
        if self.breaks:
            raise OSError(5)
        return self.connected

    def ifconfig(self, given=None):
        if given is None:
            return self.given
        self.calls.append(given)

    def status(self, what):
        if what != "rssi":
            raise ValueError(what)
        return -61


class Bench:
    def __init__(self, **settings):
        self.now = (1 << 30) - 3000
        self.interface = Interface()
        fields = dict(BASE)
        fields.update(settings)
        self.network = ChipNetwork(self.interface, parse(json.dumps(fields).encode()), self)

    def ticks_ms(self):
        return self.now

    def ticks_diff(self, later, earlier):
        return ticks_diff(later, earlier)

    def step(self, ms=0):
        for _ in range(0, ms + 1, 250):
            self.network.step(self.now)
            self.now = (self.now + 250) % (1 << 30)
        return self.network.state


def wifi():
    return Bench(network="wifi", wifi_ssid="office", wifi_password="12345678")


def test_wifi_joins_with_its_password_and_is_up_with_an_address():
    bench = wifi()
    assert not bench.network.is_up and bench.step() == JOINING
    assert bench.interface.calls == [True, ("office", "12345678")]
    bench.interface.connected = True
    assert bench.step() == UP
    network = bench.network
    assert (network.is_up, network.address, network.name_servers) == (True, "10.0.0.5", ("10.0.0.2",))
    assert network.signal_dbm == -61


def test_an_open_network_gets_no_password():
    bench = Bench(network="wifi", wifi_ssid="office")
    bench.step()
    assert bench.interface.calls == [True, ("office",)]


def test_ethernet_joins_without_credentials_and_has_no_signal():
    bench = Bench(network="ethernet")
    bench.interface.connected = True
    assert bench.step(500) == UP
    assert bench.interface.calls == [True]
    assert bench.network.signal_dbm is None


def test_a_static_address_is_set_before_joining():
    bench = Bench(network="ethernet", address="10.1.2.3/22", gateway="10.1.0.1", dns=["10.1.0.2"])
    bench.step()
    assert bench.interface.calls == [True, ("10.1.2.3", "255.255.252.0", "10.1.0.1", "10.1.0.2")]


def test_joined_without_an_address_is_not_up():
    bench = wifi()
    bench.interface.connected = True
    bench.interface.given = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
    assert bench.step(5000) == JOINING
    bench.interface.given = ("10.0.0.5", "255.255.255.0", "10.0.0.1", "0.0.0.0")
    assert bench.step(250) == UP
    assert bench.network.name_servers == ()


def test_what_does_not_join_is_switched_off_and_tried_again():
    bench = wifi()
    bench.step(19500)
    assert bench.network.state == JOINING
    assert bench.step(1000) == DOWN
    assert bench.interface.calls[-1] is False
    bench.step(2500)
    assert bench.network.state == JOINING
    assert bench.interface.calls.count(True) == 2


def test_joined_for_long_without_an_address_is_tried_anew():
    bench = wifi()
    bench.interface.connected = True
    bench.interface.given = ("0.0.0.0", "", "", "")
    bench.step(21000)
    assert bench.interface.calls.count(False) == 1


def test_a_lost_network_has_no_address_and_comes_back_by_itself():
    bench = wifi()
    bench.interface.connected = True
    bench.step(500)
    bench.interface.connected = False
    assert bench.step(250) == JOINING
    assert bench.network.address is None and bench.network.signal_dbm is None
    bench.interface.connected = True
    assert bench.step(250) == UP
    assert bench.interface.calls.count(True) == 1


def test_a_driver_that_raises_never_stops_the_pad():
    bench = wifi()
    bench.interface.breaks = True
    assert bench.step(10000) == DOWN
    bench.interface.breaks = False
    bench.interface.connected = True
    assert bench.step(3000) == UP
