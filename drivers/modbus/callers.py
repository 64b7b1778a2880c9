"""Who is served: the other end of a connection, and what its address is called."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """The other end of one connection."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def plain_address(host: str) -> str:
    """An address as it is configured: without zone, and an IPv4 address that came in over IPv6 as what it is."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
