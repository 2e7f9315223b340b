# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What the kernel knows of a TCP connection (struct tcp_info, linux/tcp.h)."""

import socket
import struct
from dataclasses import dataclass

ESTABLISHED, CLOSE = 1, 7
# Eight bytes, then unsigned 32-bit fields from tcpi_rto on; the last of them is tcpi_total_retrans.
FIELDS = ("rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv pmtu "
          "rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans").split()


@dataclass(frozen=True)
class TcpInfo:
    state: int
    retransmissions: int
    """Segments sent again since the connection began."""
    unacknowledged: int


def tcp_info(connection: socket.socket) -> TcpInfo:
    raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8 + 4 * len(FIELDS))
    values = dict(zip(FIELDS, struct.unpack_from(f"={len(FIELDS)}I", raw, 8)))
    return TcpInfo(raw[0], values["total_retrans"], values["unacked"])
