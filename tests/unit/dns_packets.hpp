// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/message.hpp"
#include "daemon/policy/gate_rules.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Packets and rules for the gate's tests.
namespace schultor::dns::test {

inline Name name(std::string_view text) { return name_from_text(text).value(); }

inline base::Address address(std::string_view text) { return base::parse_address(text).value(); }

/// What a stub resolver sends.
struct Asked {
  std::string_view name;
  std::uint16_t type = rr::a;
  std::uint16_t id = 0x1234;
  bool edns = false;
  std::uint16_t udp_size = 1232;
  bool dnssec_ok = false;
  bool checking_disabled = false;
  Bytes options{};  ///< of the OPT record
};

inline Bytes question(const Asked& asked) {
  WireWriter out(4096);
  out.u16(asked.id);
  out.u16(asked.checking_disabled ? 0x0110 : 0x0100);
  out.u16(1);
  out.u16(0);
  out.u16(0);
  out.u16(asked.edns ? 1 : 0);
  out.name(name(asked.name));
  out.u16(asked.type);
  out.u16(class_in);
  if (asked.edns) {
    out.u8(0);
    out.u16(rr::opt);
    out.u16(asked.udp_size);
    out.u32(asked.dnssec_ok ? 0x8000 : 0);
    out.u16(static_cast<std::uint16_t>(asked.options.size()));
    out.bytes(asked.options);
  }
  return out.take();
}

inline Record address_record(std::string_view owner, std::string_view text, std::uint32_t ttl = 300) {
  const auto parsed = address(text);
  const auto octets = parsed.bytes();
  return {name(owner), parsed.family == base::Family::ipv4 ? rr::a : rr::aaaa, ttl, Bytes(octets.begin(), octets.end())};
}

inline Record name_record(std::string_view owner, std::uint16_t type, std::string_view target, std::uint32_t ttl = 300) {
  const auto wire = name(target);
  return {name(owner), type, ttl, Bytes(wire.wire().begin(), wire.wire().end())};
}

struct Sections {
  std::vector<Record> answers;
  std::vector<Record> authority;
  std::vector<Record> additional;
  std::uint16_t flags = 0x8180;
};

/// What a resolver answers to `asked`, the question's octets.
inline Bytes response(ByteView asked, const Sections& sections) {
  const auto query = read_query(asked).value();
  WireWriter out(65535);
  out.u16(query.id);
  out.u16(sections.flags);
  out.u16(1);
  for (const auto* section : {&sections.answers, &sections.authority, &sections.additional})
    out.u16(static_cast<std::uint16_t>(section->size()));
  out.name(query.name);
  out.u16(query.type);
  out.u16(query.klass);
  for (const auto* section : {&sections.answers, &sections.authority, &sections.additional})
    for (const auto& record : *section) {
      out.name(record.owner);
      out.u16(record.type);
      out.u16(class_in);
      out.u32(record.ttl);
      out.u16(static_cast<std::uint16_t>(record.data.size()));
      out.bytes(record.data);
    }
  return out.take();
}

/// What a stub resolver reads of an answer: everything, nothing left out.
struct Told {
  std::size_t size = 0;  // of the whole message
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t rcode = 0;
  Name name;
  std::uint16_t type = 0;
  std::vector<Record> answers;
  std::vector<Record> authority;
  std::vector<Record> additional;  // with the OPT, its data, and the class in place of the TTL
  int ede = -1;
  int keepalive = -1;  // in tenths of a second

  [[nodiscard]] bool truncated() const { return (flags & 0x0200U) != 0; }
  [[nodiscard]] std::vector<std::string> addresses() const {
    std::vector<std::string> all;
    for (const auto& record : answers)
      if (const auto one = address_of(record)) all.push_back(base::to_string(*one));
    return all;
  }
};

inline Told told(ByteView packet) {
  WireReader in(packet);
  Told out;
  out.size = packet.size();
  out.id = in.u16();
  out.flags = in.u16();
  out.rcode = out.flags & 0x0fU;
  const auto questions = in.u16();
  const std::uint16_t counts[] = {in.u16(), in.u16(), in.u16()};
  if (questions == 1) {
    out.name = in.name();
    out.type = in.u16();
    in.u16();
  }
  std::vector<Record>* const sections[] = {&out.answers, &out.authority, &out.additional};
  for (int section = 0; section < 3; ++section)
    for (int i = 0; i < counts[section]; ++i) {
      Record record;
      record.owner = in.name();
      record.type = in.u16();
      in.u16();
      record.ttl = in.u32();
      auto data = in.part(in.u16());
      if (record.type == rr::cname) {
        const auto target = data.name();
        record.data.assign(target.wire().begin(), target.wire().end());
      } else {
        const auto raw = data.bytes(data.left());
        record.data.assign(raw.begin(), raw.end());
      }
      if (record.type == rr::opt) {
        out.rcode = static_cast<std::uint16_t>(out.rcode | record.ttl >> 24U << 4U);
        for (WireReader options(record.data); options.ok() && options.left() > 0;) {
          const auto code = options.u16();
          auto option = options.part(options.u16());
          if (code == 15) out.ede = option.u16();
          if (code == 11) out.keepalive = option.u16();
        }
      }
      sections[section]->push_back(std::move(record));
    }
  if (!in.ok() || in.left() != 0) out.rcode = 0xffff;
  return out;
}

inline policy::NamePatterns patterns(std::initializer_list<std::string_view> names) {
  std::vector<policy::Pattern> list;
  for (const auto text : names) list.push_back(policy::parse_pattern(text, {}).value());
  return policy::NamePatterns(std::move(list));
}

inline constexpr std::uint32_t school = 1, leisure = 2, exam = 3;  // views
inline constexpr policy::Doors school_door = policy::first_listed_door, exam_door = school_door << 1U;

/// School lists lernen.test, leisure is open but for a block, exam is the cloud alone.
inline policy::GateRules rules() {
  policy::GateRules made;
  made.cloud = patterns({"cloud.mnspro.test"});
  made.never = patterns({"doh.test"});
  policy::ProfileNames listed;
  listed.name = "school";
  listed.listed = true;
  listed.allow = patterns({"lernen.test", "tief.unter.test"});
  policy::ProfileNames open;
  open.name = "leisure";
  open.block = patterns({"casino.test"});
  policy::ProfileNames none;
  none.name = "exam";
  none.listed = true;
  made.profiles = {listed, open, none};
  made.views = {{school, {0, false}}, {leisure, {1, false}}, {exam, {2, false}}};
  return made;
}

/// The same with an endpoint list's mail.mnspro.test, open on tcp 143 and 587 or what the doors say.
inline policy::GateRules with_listed_ports(policy::Doors doors) {
  auto made = rules();
  made.cloud_ports = {{{6, 143, 143}, {6, 587, 587}}};
  auto cloud = patterns({"cloud.mnspro.test", "mail.mnspro.test"}).patterns();
  cloud[1].doors = doors;
  made.cloud = policy::NamePatterns(std::move(cloud));
  return made;
}

}  // namespace schultor::dns::test
