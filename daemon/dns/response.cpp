// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace schultor::dns {
namespace {

/// Where the names lie in a type's data that RFC 3597, section 4, lets servers compress: octets before the first name, and
/// how many names follow. Data of other types is copied as it is.
struct NamesWithin {
  std::uint16_t type;
  std::size_t before;
  int names;
};
constexpr std::array names_within{
    NamesWithin{rr::ns, 0, 1},  NamesWithin{3, 0, 1},         NamesWithin{4, 0, 1},      NamesWithin{rr::cname, 0, 1},
    NamesWithin{rr::soa, 0, 2}, NamesWithin{7, 0, 1},         NamesWithin{8, 0, 1},      NamesWithin{9, 0, 1},
    NamesWithin{rr::ptr, 0, 1}, NamesWithin{14, 0, 2},        NamesWithin{rr::mx, 2, 1}, NamesWithin{17, 0, 2},
    NamesWithin{18, 2, 1},      NamesWithin{21, 2, 1},        NamesWithin{26, 2, 2},     NamesWithin{rr::srv, 6, 1},
    NamesWithin{36, 2, 1},      NamesWithin{rr::dname, 0, 1},
};

void copy_name(WireReader& in, Bytes& out) {
  const Name name = in.name();
  out.insert(out.end(), name.wire().begin(), name.wire().end());
}

void copy_bytes(WireReader& in, std::size_t count, Bytes& out) {
  const auto raw = in.bytes(count);
  out.insert(out.end(), raw.begin(), raw.end());
}

/// The record's data with its names decompressed.
Bytes read_data(WireReader in, std::uint16_t type) {
  Bytes data;
  const auto* known = std::find_if(names_within.begin(), names_within.end(), [&](const auto& entry) { return entry.type == type; });
  if (known != names_within.end()) {
    copy_bytes(in, known->before, data);
    for (int i = 0; i < known->names; ++i) copy_name(in, data);
  } else if (type == rr::naptr) {
    copy_bytes(in, 4, data);
    for (int i = 0; i < 3; ++i) {
      const auto length = in.u8();
      data.push_back(length);
      copy_bytes(in, length, data);
    }
    copy_name(in, data);
  }
  copy_bytes(in, in.left(), data);
  if (!in.ok()) data.clear();
  return data;
}

struct RawRecord {
  Record record;
  std::uint16_t klass = 0;
  bool well_formed = false;
};

RawRecord read_record(WireReader& in) {
  RawRecord raw;
  raw.record.owner = in.name();
  raw.record.type = in.u16();
  raw.klass = in.u16();
  raw.record.ttl = in.u32();
  // RFC 2181, section 8: with the highest bit set it means zero.
  if ((raw.record.ttl & 0x80000000U) != 0) raw.record.ttl = 0;
  const std::size_t length = in.u16();
  auto data = in.part(length);
  if (!in.ok()) return raw;
  raw.record.data = read_data(data, raw.record.type);
  raw.well_formed = length == 0 || !raw.record.data.empty();
  return raw;
}

/// The type that an RRSIG is over; 0 for other records.
std::uint16_t covered(const Record& record) {
  if (record.type != rr::rrsig || record.data.size() < 2) return 0;
  return static_cast<std::uint16_t>(record.data[0] << 8 | record.data[1]);
}

bool of_type(const Record& record, std::uint16_t type, bool with_signature) {
  return record.type == type || (with_signature && covered(record) == type);
}

/// Moves the records of `type` owned by `owner` out of `from`.
void take(std::vector<Record>& from, const Name& owner, std::uint16_t type, bool with_signature, std::vector<Record>& to) {
  for (auto& record : from)
    if (of_type(record, type, with_signature) && record.owner.same_as(owner)) to.push_back(std::move(record));
}

std::optional<Name> target_of(const std::vector<Record>& records, const Name& owner) {
  for (const auto& record : records) {
    if (record.type != rr::cname || !record.owner.same_as(owner)) continue;
    WireReader in(record.data);
    return in.name();
  }
  return std::nullopt;
}

std::vector<Record> follow_chain(std::vector<Record> records, const Query& query) {
  const bool dnssec = query.edns && query.edns->dnssec_ok;
  std::vector<Record> kept;
  Name current = query.name;
  for (int hops = 0; hops < limits::cname_chain && query.type != rr::cname; ++hops) {
    auto next = target_of(records, current);
    if (!next) break;
    take(records, current, rr::cname, dnssec, kept);
    current = std::move(*next);
  }
  take(records, current, query.type, dnssec, kept);
  return kept;
}

bool is_proof(const Record& record, bool dnssec) {
  if (record.type == rr::soa) return true;
  if (!dnssec) return false;
  const auto over = covered(record);
  return record.type == rr::nsec || record.type == rr::nsec3 || over == rr::nsec || over == rr::nsec3 || over == rr::soa;
}

constexpr std::uint16_t flag_answer = 0x8000;
constexpr std::uint16_t flag_truncated = 0x0200;
constexpr std::uint16_t flag_authentic_data = 0x0020;

}  // namespace

std::optional<ResponseHead> read_response_head(ByteView packet) {
  WireReader in(packet);
  ResponseHead head;
  head.id = in.u16();
  const auto flags = in.u16();
  const auto questions = in.u16();
  in.skip(6);
  head.name = in.name();
  head.type = in.u16();
  const auto klass = in.u16();
  if (!in.ok() || (flags & flag_answer) == 0 || (flags & 0x7800U) != 0 || questions != 1 || klass != class_in) return std::nullopt;
  return head;
}

std::optional<Answer> read_response(ByteView packet, const Query& query) {
  WireReader in(packet);
  in.skip(2);
  const auto flags = in.u16();
  in.skip(2);
  const std::size_t answers = in.u16();
  const std::size_t authority = in.u16();
  const std::size_t additional = in.u16();
  if (!in.ok() || answers + authority + additional > limits::records) return std::nullopt;
  in.name();
  in.skip(4);
  if (!in.ok()) return std::nullopt;
  Answer answer;
  answer.rcode = static_cast<Rcode>(flags & 0x0fU);
  answer.authentic_data = (flags & flag_authentic_data) != 0;
  answer.truncated = (flags & flag_truncated) != 0;
  const bool dnssec = query.edns && query.edns->dnssec_ok;
  std::vector<Record> records;
  for (std::size_t i = 0; i < answers + authority + additional; ++i) {
    auto raw = read_record(in);
    if (!in.ok() || !raw.well_formed) return std::nullopt;
    if (raw.record.type == rr::opt && i >= answers + authority)
      answer.rcode = static_cast<Rcode>(static_cast<unsigned>(answer.rcode) | (raw.record.ttl >> 24U) << 4U);
    if (raw.klass != class_in) continue;
    if (i < answers) records.push_back(std::move(raw.record));
    else if (i < answers + authority && is_proof(raw.record, dnssec)) answer.authority.push_back(std::move(raw.record));
  }
  answer.answers = follow_chain(std::move(records), query);
  return answer;
}

std::optional<base::Address> address_of(const Record& record) {
  const bool fits = (record.type == rr::a && record.data.size() == 4) || (record.type == rr::aaaa && record.data.size() == 16);
  return fits ? std::optional(base::address_from_bytes(record.data)) : std::nullopt;
}

std::vector<base::Address> keep_public_addresses(Answer& answer) {
  std::vector<base::Address> addresses;
  const auto removed = std::erase_if(answer.answers, [&](const Record& record) {
    if (record.type != rr::a && record.type != rr::aaaa) return false;
    const auto address = address_of(record);
    if (!address || !is_public(*address) || addresses.size() == limits::addresses) return true;
    addresses.push_back(*address);
    return false;
  });
  if (removed > 0) answer.authentic_data = false;
  return addresses;
}

void cap_ttls(Answer& answer, std::chrono::seconds cap) {
  const auto cap_all = [](std::vector<Record>& records, std::chrono::seconds highest) {
    for (auto& record : records) record.ttl = std::min(record.ttl, static_cast<std::uint32_t>(highest.count()));
  };
  cap_all(answer.answers, cap);
  // RFC 2308: the SOA's own TTL bounds how long a negative answer is kept, whatever its last field says.
  cap_all(answer.authority, std::min(cap, limits::negative_ttl_cap));
}

std::chrono::seconds lowest_ttl(const Answer& answer, std::chrono::seconds otherwise) {
  for (const auto& record : answer.answers) otherwise = std::min(otherwise, std::chrono::seconds(record.ttl));
  return otherwise;
}

}  // namespace schultor::dns
