// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every number that bounds the gate, in one place.
namespace schultor::dns::limits {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers.

/// Of a refusal, as its SOA says: a name refused in school mode is asked for again this soon after the switch.
inline constexpr seconds refusal_ttl{5};
/// Highest TTL handed out. The cloud's pins live a day, so its answers may be kept longer.
inline constexpr seconds ttl_cap{300};
inline constexpr seconds cloud_ttl_cap{3600};
inline constexpr seconds negative_ttl_cap{60};
/// Of the box's own addresses in an origin's place: what the cache cannot answer for is asked of the origin this soon.
inline constexpr seconds steered_ttl{5};
/// Of an origin's own addresses while the cache does not answer for it: a pause of the cache is not to last for an hour.
inline constexpr seconds unsteered_ttl{60};
/// The largest UDP answer, so that none is fragmented (DNS flag day 2020), and one to a client without EDNS (RFC 1035).
inline constexpr std::size_t udp_answer = 1232;
inline constexpr std::size_t plain_udp_answer = 512;
/// Longest message of DNS over TCP.
inline constexpr std::size_t tcp_answer = 65535;
/// A question, with all its options.
inline constexpr std::size_t question = 4096;
/// Of an answer from upstream, all sections together; one with more is not answered.
inline constexpr std::size_t records = 1024;
inline constexpr int cname_chain = 16;
/// Address records handed out and pinned for one question; further ones are left out.
inline constexpr std::size_t addresses = 64;

// Pins.

/// A pin outlives the TTL handed out by this: programs go on using an address a little longer.
inline constexpr seconds pin_grace{60};
inline constexpr seconds cloud_pin{86400};
/// No answer is given whose pin ends within this.
inline constexpr seconds least_pin{5};
/// Of an answer in an open view whose addresses could not be pinned.
inline constexpr seconds unpinned_ttl{5};
/// Pins remembered, an address and a door each; beyond it pins are asked for without being remembered.
inline constexpr std::size_t remembered_pins = 262'144;
/// How long a question waits for its pins.
inline constexpr milliseconds pin_wait{2000};
/// Questions under way, whatever they wait for; and of one source alone.
inline constexpr std::size_t jobs = 8192;
inline constexpr std::uint32_t jobs_of_one = 512;

// Tablets.

/// Heard of one source over UDP and TCP in a second; a tablet that opens a page asks some dozens, thirty behind one address some
/// hundreds.
inline constexpr std::uint16_t questions_a_second = 1000;

// Answers that are kept.

inline constexpr std::size_t kept_answers = 32'768;
inline constexpr std::size_t kept_octets = 16U << 20U;

// Questions in the journal, when an administrator has them written.

inline constexpr seconds question_log{3600};
inline constexpr std::uint32_t logged_a_second = 100;

// Upstream.

inline constexpr std::size_t upstream_sockets = 16;
inline constexpr std::size_t in_flight = 4096;
/// Questions, or answers, of one system call.
inline constexpr std::size_t upstream_batch = 32;
/// Questions to a resolver on this machine are filled up to a multiple of so many octets, so that most are of one length.
inline constexpr std::size_t question_block = 128;
/// Questions over TCP at once: those whose answers were cut short, and those whose packets were not answered.
inline constexpr std::size_t upstream_streams = 32;
/// Of these, at most so many for what was not answered: they take long.
inline constexpr std::size_t upstream_races = 16;
/// How often a question is sent at most, with the last one over TCP as well; and the bounds of how long an answer may take before
/// it is sent again, twice as long the next time.
inline constexpr std::size_t upstream_attempts = 3;
inline constexpr milliseconds upstream_retry_least{200};
inline constexpr milliseconds upstream_retry_most{1000};
/// For one question, however often and by whatever way it was sent.
inline constexpr milliseconds upstream_wait{4000};
/// Between questions of the gate's own while the resolver is silent.
inline constexpr milliseconds probe_interval{5000};
/// The EDNS buffer told to the resolver. Of what is longer it says so, and is asked again over TCP.
inline constexpr std::uint16_t upstream_answer = 4096;

// Tablets over TCP.

inline constexpr std::size_t tcp_connections = 256;
/// Of one source alone.
inline constexpr std::size_t tcp_connections_of_one = 32;
inline constexpr std::size_t tcp_pipelined = 16;
/// Octets that wait for one who reads slowly: no further questions are read then. And of all connections together: then the one
/// that holds most of it ends.
inline constexpr std::size_t tcp_unsent = 256U << 10U;
inline constexpr std::size_t tcp_unsent_of_all = 4U << 20U;
/// Without a whole question and without an answer, however many octets drip in or out meanwhile.
inline constexpr seconds tcp_idle{10};

// schultord.

inline constexpr std::size_t rules_json = 64U << 20U;
inline constexpr milliseconds reconnect_first{100};
inline constexpr milliseconds reconnect_last{2000};

/// How often deadlines are looked at while anything waits.
inline constexpr milliseconds tick{50};

}  // namespace schultor::dns::limits
