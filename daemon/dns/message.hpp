// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/dns/wire.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

/// Questions and answers as values. Pure: bytes in, values out, and back.
namespace schultor::dns {

/// Numbers of the IANA registry "Domain Name System (DNS) Parameters".
namespace rr {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, hinfo = 13, mx = 15, txt = 16, aaaa = 28, srv = 33,
                               naptr = 35, dname = 39, opt = 41, ds = 43, rrsig = 46, nsec = 47, dnskey = 48, nsec3 = 50, svcb = 64,
                               https = 65, any = 255;
}  // namespace rr
inline constexpr std::uint16_t class_in = 1;

enum class Rcode : std::uint16_t {
  no_error = 0,
  form_error = 1,
  server_failure = 2,
  nx_domain = 3,
  not_implemented = 4,
  refused = 5,
  bad_version = 16
};

/// Extended DNS errors (RFC 8914).
enum class Ede : std::uint16_t { other = 0, not_ready = 14, filtered = 17, no_reachable_authority = 22, network_error = 23 };

/// What a client says in its OPT record (RFC 6891).
struct Edns {
  std::uint16_t udp_size = 512;
  bool dnssec_ok = false;
  bool operator==(const Edns&) const = default;
};

/// The options of an OPT record of version 0.
struct EdnsOptions {
  bool keepalive = false;  ///< RFC 7828
};
/// `data`: an OPT record's. None where an option is cut off: the message is malformed (RFC 6891, section 6.1.2).
[[nodiscard]] std::optional<EdnsOptions> read_edns_options(ByteView data);

/// A client's message. With a `fault` only the header's fields are certain; `has_question` tells of the rest.
struct Query {
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  bool authentic_data = false;
  bool checking_disabled = false;
  Rcode fault = Rcode::no_error;
  bool has_question = false;
  Name name;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::optional<Edns> edns;
  bool keepalive = false;  ///< asks how long an idle TCP connection is kept (RFC 7828); ignored over UDP
};

/// None for what is not answered at all: shorter than a header, or itself an answer.
[[nodiscard]] std::optional<Query> read_query(ByteView packet);

/// A record; names within `data` are not compressed.
struct Record {
  Name owner;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  Bytes data;
};

/// An answer to a query, to be written.
struct Answer {
  Rcode rcode = Rcode::no_error;
  bool authentic_data = false;
  bool truncated = false;
  std::vector<Record> answers;
  std::vector<Record> authority;
  std::optional<Ede> ede;
  std::optional<std::chrono::seconds> keepalive;  ///< how long its TCP connection is kept when idle (RFC 7828)
};

/// Writes at most `limit` octets: with TC set and no records when they do not fit. The question comes back octet for octet.
[[nodiscard]] Bytes write_answer(const Query& query, const Answer& answer, std::size_t limit);
/// How long the answer to `query` may be over UDP.
[[nodiscard]] std::size_t udp_limit(const Query& query);

/// The question as it goes to the resolver, with an EDNS buffer of `udp_size`.
[[nodiscard]] Bytes write_question(std::uint16_t id, const Query& query, std::uint16_t udp_size);
/// Fills a question of `size` octets, as write_question() wrote it, up to a multiple of `block` with an EDNS option that means
/// nothing (RFC 6891, section 9: local use); its new size. One for which there is no room stays as it is.
[[nodiscard]] std::size_t fill_question(std::span<std::uint8_t> room, std::size_t size, std::size_t block);

/// What holds an answer of the resolver against its question: everything but the records.
struct ResponseHead {
  std::uint16_t id = 0;
  Name name;
  std::uint16_t type = 0;
};
/// None when it is no answer to exactly one question of class IN.
[[nodiscard]] std::optional<ResponseHead> read_response_head(ByteView packet);

/// Reads the resolver's answer and keeps of it what the gate hands out: the CNAME chain from the question's name
/// (a missing link made from its DNAME, RFC 6672), the records of the type asked for at its end, the signatures over them and the
/// proofs if the client wants DNSSEC, the SOA of a negative answer, the extended error. Other records, among them every address
/// that was not asked for, do not come out. None when malformed.
[[nodiscard]] std::optional<Answer> read_response(ByteView packet, const Query& query);

/// Of an A or AAAA record whose data has the right length.
[[nodiscard]] std::optional<base::Address> address_of(const Record& record);
/// Where a CNAME record leads.
[[nodiscard]] std::optional<Name> target_of(const Record& record);
[[nodiscard]] bool has_type(const Answer& answer, std::uint16_t type);
/// Takes out the signatures over records of `type`.
void drop_signatures(Answer& answer, std::uint16_t type);
/// Lowers every TTL to `cap`, and those of a negative answer's proof to limits::negative_ttl_cap.
void cap_ttls(Answer& answer, std::chrono::seconds cap);
/// Lowers how long a negative answer may be kept.
void cap_authority(Answer& answer, std::chrono::seconds cap);
/// The lowest TTL of the answer section; `otherwise` without records.
[[nodiscard]] std::chrono::seconds lowest_ttl(const Answer& answer, std::chrono::seconds otherwise);

/// A negative answer of the gate's own: NXDOMAIN or NODATA (`no_error`), with an SOA owned by the question's name that holds
/// for `ttl`.
[[nodiscard]] Answer refusal(const Query& query, Rcode rcode, std::optional<Ede> ede, std::chrono::seconds ttl);
/// To ANY: a HINFO in place of everything (RFC 8482).
[[nodiscard]] Answer minimal_any(const Query& query);
[[nodiscard]] Answer failure(Rcode rcode, std::optional<Ede> ede = std::nullopt);

}  // namespace schultor::dns
