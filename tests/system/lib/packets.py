# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Packets by the byte, for what no honest client sends: IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), UDP, TCP, ICMP."""

import socket
import struct

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS = 0, 43, 44, 51, 60
ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}
ICMP = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
# Type and code of "administratively prohibited".
PROHIBITED = {4: (3, 13), 6: (1, 1)}
SYN, PUSH, ACK = 0x02, 0x08, 0x10


def family_of(address: str) -> int:
    return 6 if ":" in address else 4


def address_family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def packed(address: str) -> bytes:
    return socket.inet_pton(address_family(address), address)


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(source: str, target: str, protocol: int, data: bytes, at: int) -> bytes:
    """`data` with the checksum over it and its pseudo-header in bytes `at` and `at` + 1, which are zero before."""
    if family_of(source) == 4:
        pseudo = packed(source) + packed(target) + struct.pack("!BBH", 0, protocol, len(data))
    else:
        pseudo = packed(source) + packed(target) + struct.pack("!IHBB", len(data), 0, 0, protocol)
    return data[:at] + struct.pack("!H", checksum(pseudo + data) or 0xFFFF) + data[at + 2:]


def crc32c(data: bytes) -> int:
    """RFC 9260, appendix A."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def sctp_init(source_port: int, port: int, parameter: bytes) -> bytes:
    """The first packet of an association, with a parameter that the other end passes over."""
    chunk = struct.pack("!BBHIIHHI", 1, 0, 24 + len(parameter), 1, 65535, 1, 1, 1) + struct.pack("!HH", 0x8001, 4 + len(parameter)) + parameter
    header = struct.pack("!HHI", source_port, port, 0)
    return header + struct.pack("<I", crc32c(header + bytes(4) + chunk)) + chunk


def udp(source: str, target: str, source_port: int, port: int, data: bytes = b"") -> bytes:
    header = struct.pack("!HHHH", source_port, port, 8 + len(data), 0)
    return with_checksum(source, target, socket.IPPROTO_UDP, header + data, 6)


def tcp(source: str, target: str, source_port: int, port: int, flags: int = SYN, data: bytes = b"", sequence: int = 1,
        acknowledged: int = 0) -> bytes:
    header = struct.pack("!HHIIBBHHH", source_port, port, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0)
    return with_checksum(source, target, socket.IPPROTO_TCP, header + data, 16)


def icmp(source: str, target: str, type: int, code: int = 0, rest: bytes = b"\0\0\0\0", data: bytes = b"") -> bytes:
    """`rest`: the four bytes after the checksum."""
    message = struct.pack("!BBH", type, code, 0) + rest + data
    if family_of(source) == 6:
        return with_checksum(source, target, socket.IPPROTO_ICMPV6, message, 2)
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def ip(source: str, target: str, protocol: int, data: bytes, hops: int = 64) -> bytes:
    if family_of(source) == 4:
        return ipv4_fragment(source, target, protocol, data, identification=0, hops=hops)
    return struct.pack("!IHBB", 6 << 28, len(data), protocol, hops) + packed(source) + packed(target) + data


def ipv4_fragment(source: str, target: str, protocol: int, data: bytes, identification: int, offset: int = 0, more: bool = False,
                  hops: int = 64) -> bytes:
    """`offset` in bytes, a multiple of 8."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), identification, (0x2000 if more else 0) | offset // 8, hops, protocol, 0,
                         packed(source), packed(target))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + data


def ipv6_fragment(source: str, target: str, protocol: int, data: bytes, identification: int, offset: int = 0, more: bool = False) -> bytes:
    header = struct.pack("!BBHI", protocol, 0, offset | (1 if more else 0), identification)
    return ip(source, target, FRAGMENT, header + data)


def fragments(source: str, target: str, protocol: int, data: bytes, cuts: list[tuple[int, int]], identification: int) -> list[bytes]:
    """One packet for each piece (begin, end) of `data`, in this order; those that do not end it say that more follows."""
    make = ipv4_fragment if family_of(source) == 4 else ipv6_fragment
    return [make(source, target, protocol, data[begin:end], identification, begin, end < len(data)) for begin, end in cuts]


def extended(source: str, target: str, headers: list[int], protocol: int, data: bytes) -> bytes:
    """An IPv6 packet with these extension headers before its content, each of the shortest valid form."""
    following = [*headers[1:], protocol]
    chain = b""
    for kind, follows in zip(headers, following):
        if kind in (HOP_BY_HOP, DESTINATION_OPTIONS):
            chain += bytes([follows, 0, 1, 4, 0, 0, 0, 0])  # PadN
        elif kind == ROUTING:
            chain += bytes([follows, 0, 4, 0, 0, 0, 0, 0])  # no segments left: to be passed over
        elif kind == FRAGMENT:
            chain += struct.pack("!BBHI", follows, 0, 0, 1)  # the whole in one (RFC 6946)
        elif kind == AUTHENTICATION:
            chain += struct.pack("!BBHII4s", follows, 2, 0, 1, 1, b"\0" * 4)
        else:
            raise ValueError(f"{kind} is no extension header")
    return ip(source, target, headers[0], chain + data)


def source_routed(source: str, via: str, target: str, protocol: int, data: bytes) -> bytes:
    """Addressed to `via`, which is asked to send it on to `target`: LSRR (RFC 791), and the routing header of type 0 (RFC 5095)."""
    if family_of(source) == 6:
        return ip(source, via, ROUTING, bytes([protocol, 2, 0, 1]) + bytes(4) + packed(target) + data)
    option = bytes([131, 7, 4]) + packed(target) + b"\1"
    header = struct.pack("!BBHHHBBH4s4s", 0x47, 0, 28 + len(data), 0, 0, 64, protocol, 0, packed(source), packed(via)) + option
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + data
