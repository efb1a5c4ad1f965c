"""The bucket of wrong keys."""

from serving.throttle import ADDRESSES, Throttle


class Clock:
    """A time that the test sets, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_one_in_a_while() -> None:
    clock = Clock()
    throttle = Throttle(burst=3, seconds_a_try=10.0, clock=clock)
    for _ in range(3):
        assert not throttle.closed("192.0.2.1")
        throttle.wrong("192.0.2.1")
    assert throttle.closed("192.0.2.1")
    assert not throttle.closed("192.0.2.2")
    clock.now += 9.9
    assert throttle.closed("192.0.2.1")
    clock.now += 0.1
    assert not throttle.closed("192.0.2.1")
    throttle.wrong("192.0.2.1")
    assert throttle.closed("192.0.2.1")
    clock.now += 1000
    for _ in range(3):
        assert not throttle.closed("192.0.2.1")
        throttle.wrong("192.0.2.1")


def test_a_network_of_ipv6_is_one_address_and_so_is_a_mapped_one() -> None:
    throttle = Throttle(burst=1, clock=Clock())
    throttle.wrong("2001:db8:1:2::1")
    assert throttle.closed("2001:db8:1:2:ffff::9")
    assert not throttle.closed("2001:db8:1:3::1")
    throttle.wrong("192.0.2.1")
    assert throttle.closed("::ffff:192.0.2.1")


def test_it_forgets_the_oldest_and_knows_sockets_without_address() -> None:
    throttle = Throttle(burst=1, clock=Clock())
    throttle.wrong("")
    assert throttle.closed("")
    for number in range(ADDRESSES):
        throttle.wrong(f"name-{number}")
    assert not throttle.closed("")
    assert throttle.closed(f"name-{ADDRESSES - 1}")
