"""Whom does an IP address stand for?"""

from ipaddress import IPv4Address, ip_address, ip_network


def network_of(address: str) -> str:
    """The address, or the /64 that it is in: of IPv6 everybody has a whole one. Empty for what is no address."""
    try:
        read = ip_address(address)
    except ValueError:
        return ""
    mapped = read if isinstance(read, IPv4Address) else read.ipv4_mapped
    return str(mapped or ip_network((read.packed, 64), strict=False))
