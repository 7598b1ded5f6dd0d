"""Closes the network: a test that leaves the machine fails at once, and says where it went."""

import ipaddress
import socket

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


class NetworkClosedError(RuntimeError):
    """No OSError, so that code which tolerates an unreachable server does not hide it."""


def close() -> None:
    """Allow loopback addresses and Unix sockets only, from now on, in this process."""
    socket.socket.connect = _guarded(_connect)
    socket.socket.connect_ex = _guarded(_connect_ex)
    socket.getaddrinfo = _resolve


def reopen() -> None:
    """Undo `close`."""
    socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = _connect, _connect_ex, _getaddrinfo


def _guarded(call):
    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(address[0]):
            raise NetworkClosedError(f"A test tried to reach {address[0]} port {address[1]}; only this machine may be reached")
        return call(self, address)

    return guarded


def _resolve(host, *args, **kwargs):
    if not _is_local(host):
        raise NetworkClosedError(f"A test asked for the address of {host}; only this machine may be reached")
    return _getaddrinfo(host, *args, **kwargs)


def _is_local(host) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in {None, "", "localhost", "0.0.0.0", "::"}:  # noqa: S104 - what one binds to, nothing leaves
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
