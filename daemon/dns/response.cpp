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

std::optional<Name> next_in_chain(const std::vector<Record>& records, const Name& owner) {
  for (const auto& record : records)
    if (record.type == rr::cname && record.owner.same_as(owner)) return target_of(record);
  return std::nullopt;
}

/// The octets of `name` before those of `above`, an ancestor of it; none when it is no proper one.
std::optional<std::string> labels_below(const Name& name, const Name& above) {
  const auto wire = name.wire();
  const auto tail = above.wire();
  for (std::size_t at = 0; wire[at] != 0;) {
    at += 1U + wire[at];
    if (wire.size() - at < tail.size()) return std::nullopt;
    const std::string rest(wire.begin() + static_cast<std::ptrdiff_t>(at), wire.end());
    if (Name::from_wire(rest).same_as(above)) return std::string(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return std::nullopt;
}

/// The CNAME that a DNAME means for `name` (RFC 6672); none when the name gets too long.
std::optional<Record> substituted(const Record& dname, const Name& name) {
  const auto below = labels_below(name, dname.owner);
  WireReader in(dname.data);
  const Name target = in.name();
  if (!below || !in.ok() || below->size() + target.wire().size() > 255) return std::nullopt;
  Bytes data(below->begin(), below->end());
  data.insert(data.end(), target.wire().begin(), target.wire().end());
  return Record{name, rr::cname, dname.ttl, std::move(data)};
}

/// The next link's records: the DNAME that it comes from, with DNSSEC, and the CNAME.
std::optional<Name> take_link(std::vector<Record>& records, const Name& current, bool dnssec, std::vector<Record>& kept) {
  auto next = next_in_chain(records, current);
  for (const auto& dname : records) {
    if (dname.type != rr::dname) continue;
    auto link = substituted(dname, current);
    if (!link) continue;
    // A client that validates believes the link for its DNAME's signature.
    const Name owner = dname.owner;
    if (dnssec) take(records, owner, rr::dname, true, kept);
    if (!next) {
      next = target_of(*link);
      kept.push_back(std::move(*link));
      return next;
    }
    break;
  }
  if (next) take(records, current, rr::cname, dnssec, kept);
  return next;
}

std::vector<Record> follow_chain(std::vector<Record> records, const Query& query) {
  const bool dnssec = query.edns && query.edns->dnssec_ok;
  std::vector<Record> kept;
  Name current = query.name;
  for (int hops = 0; hops < limits::cname_chain && query.type != rr::cname; ++hops) {
    auto next = take_link(records, current, dnssec, kept);
    if (!next) break;
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

/// The extended error among an OPT record's options (RFC 8914).
std::optional<Ede> error_of(const Record& opt) {
  constexpr std::uint16_t option_ede = 15;
  WireReader in(opt.data);
  while (in.ok() && in.left() > 0) {
    const auto code = in.u16();
    auto option = in.part(in.u16());
    const auto info = option.u16();
    if (code == option_ede && option.ok()) return static_cast<Ede>(info);
  }
  return std::nullopt;
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
    if (raw.record.type == rr::opt && i >= answers + authority) {
      answer.rcode = static_cast<Rcode>(static_cast<unsigned>(answer.rcode) | (raw.record.ttl >> 24U) << 4U);
      answer.ede = error_of(raw.record);
    }
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

std::optional<Name> target_of(const Record& record) {
  if (record.type != rr::cname) return std::nullopt;
  WireReader in(record.data);
  return in.name();
}

bool has_type(const Answer& answer, std::uint16_t type) {
  return std::any_of(answer.answers.begin(), answer.answers.end(), [&](const Record& record) { return record.type == type; });
}

void drop_signatures(Answer& answer, std::uint16_t type) {
  std::erase_if(answer.answers, [&](const Record& record) { return covered(record) == type; });
}

void cap_ttls(Answer& answer, std::chrono::seconds cap) {
  const auto cap_all = [](std::vector<Record>& records, std::chrono::seconds highest) {
    for (auto& record : records) record.ttl = std::min(record.ttl, static_cast<std::uint32_t>(highest.count()));
  };
  cap_all(answer.answers, cap);
  // RFC 2308: the SOA's own TTL bounds how long a negative answer is kept, whatever its last field says.
  cap_all(answer.authority, std::min(cap, limits::negative_ttl_cap));
}

void cap_authority(Answer& answer, std::chrono::seconds cap) {
  for (auto& record : answer.authority) record.ttl = std::min(record.ttl, static_cast<std::uint32_t>(cap.count()));
}

std::chrono::seconds lowest_ttl(const Answer& answer, std::chrono::seconds otherwise) {
  for (const auto& record : answer.answers) otherwise = std::min(otherwise, std::chrono::seconds(record.ttl));
  return otherwise;
}

}  // namespace schultor::dns
