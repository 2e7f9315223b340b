# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A DNS client by the byte (RFC 1035, EDE: RFC 8914): what a tablet sends and gets, with nothing in between."""

import ipaddress
import socket
import struct
from dataclasses import dataclass, field

A, NS, CNAME, SOA, TXT, AAAA, OPT, HTTPS = 1, 2, 5, 6, 16, 28, 41, 65
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
EDE_FILTERED = 17


@dataclass
class Record:
    name: str
    type: int
    ttl: int
    data: bytes
    text: str
    """The address, the target name, or empty."""


@dataclass
class Answer:
    id: int
    flags: int
    question: tuple[str, int]
    answers: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)

    @property
    def rcode(self) -> int:
        return self.flags & 15

    @property
    def truncated(self) -> bool:
        return bool(self.flags & 0x0200)

    @property
    def addresses(self) -> list[str]:
        return [record.text for record in self.answers if record.type in (A, AAAA)]

    @property
    def ede(self) -> list[int]:
        """The info codes of extended DNS errors."""
        codes = []
        for record in self.additional:
            at = 0
            while record.type == OPT and at + 4 <= len(record.data):
                code, length = struct.unpack_from("!HH", record.data, at)
                if code == 15 and length >= 2:
                    codes.append(struct.unpack_from("!H", record.data, at + 4)[0])
                at += 4 + length
        return codes


def encode_name(name: str) -> bytes:
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def question(name: str, type: int = A, id: int = 0x1234, edns: bool = True) -> bytes:
    header = struct.pack("!HHHHHH", id, 0x0100, 1, 0, 0, 1 if edns else 0)
    option = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0) if edns else b""
    return header + encode_name(name) + struct.pack("!HH", type, 1) + option


def read_name(message: bytes, at: int) -> tuple[str, int]:
    labels, end = [], None
    for _ in range(128):
        length = message[at]
        if length & 0xC0 == 0xC0:
            end = end if end is not None else at + 2
            at = struct.unpack_from("!H", message, at)[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels) or ".", end if end is not None else at + 1
        else:
            labels.append(message[at + 1:at + 1 + length].decode("ascii", "backslashreplace").lower())
            at += 1 + length
    raise ValueError("a name that does not end")


def read_record(message: bytes, at: int) -> tuple[Record, int]:
    name, at = read_name(message, at)
    type, _class, ttl, length = struct.unpack_from("!HHIH", message, at)
    at += 10
    data = message[at:at + length]
    text = ""
    if type in (A, AAAA):
        text = str(ipaddress.ip_address(data))
    elif type in (CNAME, NS, SOA):
        text = read_name(message, at)[0]
    return Record(name, type, ttl, data, text), at + length


def parse(message: bytes) -> Answer:
    id, flags, questions, *counts = struct.unpack_from("!HHHHHH", message)
    at, asked = 12, ("", 0)
    for _ in range(questions):
        name, at = read_name(message, at)
        asked = (name, struct.unpack_from("!H", message, at)[0])
        at += 4
    answer = Answer(id, flags, asked)
    for section, count in zip((answer.answers, answer.authority, answer.additional), counts):
        for _ in range(count):
            record, at = read_record(message, at)
            section.append(record)
    return answer


def ask_udp(client: socket.socket, server: str, name: str, type: int = A, seconds: float = 10, id: int = 0x1234) -> Answer:
    """By a socket that the caller keeps. Raises TimeoutError when no answer with this id comes in time."""
    client.settimeout(seconds)
    client.sendto(question(name, type, id), (server, 53))
    while True:
        answer = parse(client.recv(65535))
        if answer.id == id and answer.question[0] == name.lower().rstrip("."):
            return answer


def receive_exactly(stream: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise ConnectionError("closed in the middle of a message")
        data += part
    return data


def ask_tcp(stream: socket.socket, name: str, type: int = A, seconds: float = 10, id: int = 0x1234) -> Answer:
    """By a connected stream that the caller keeps."""
    stream.settimeout(seconds)
    message = question(name, type, id)
    stream.sendall(struct.pack("!H", len(message)) + message)
    return parse(receive_exactly(stream, struct.unpack("!H", receive_exactly(stream, 2))[0]))
