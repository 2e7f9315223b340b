// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"

#include <algorithm>

namespace schultor::dns {
namespace {

constexpr std::uint16_t flag_answer = 0x8000;
constexpr std::uint16_t flag_truncated = 0x0200;
constexpr std::uint16_t flag_recursion_desired = 0x0100;
constexpr std::uint16_t flag_recursion_available = 0x0080;
constexpr std::uint16_t flag_authentic_data = 0x0020;
constexpr std::uint16_t flag_checking_disabled = 0x0010;
constexpr std::uint32_t edns_dnssec_ok = 0x8000;
constexpr std::uint16_t option_keepalive = 11;
constexpr std::uint16_t option_ede = 15;
constexpr std::uint16_t option_filler = 65001;
constexpr std::size_t option_head_size = 4;
constexpr std::uint16_t our_udp_size = limits::udp_answer;

std::uint8_t opcode_of(std::uint16_t flags) { return static_cast<std::uint8_t>(flags >> 11U & 0x0fU); }

/// Reads the additional section of a question for its OPT. Sets the query's fault when it is malformed.
void read_additional(WireReader& in, std::uint16_t count, Query& query) {
  for (; count > 0 && in.ok(); --count) {
    const Name owner = in.name();
    const auto type = in.u16();
    const auto klass = in.u16();
    const auto extended = in.u32();
    const auto data = in.bytes(in.u16());
    if (type != rr::opt || !in.ok()) continue;
    if (query.edns || owner != Name()) return in.fail();
    query.edns = Edns{std::max<std::uint16_t>(klass, limits::plain_udp_answer), (extended & edns_dnssec_ok) != 0};
    if ((extended >> 16U & 0xffU) != 0) {
      query.fault = Rcode::bad_version;
      continue;
    }
    const auto options = read_edns_options(data);
    if (!options) return in.fail();
    query.keepalive = options->keepalive;
  }
}

constexpr std::size_t option_size = 6;
std::size_t options_size(const Answer& answer) { return (answer.ede ? option_size : 0) + (answer.keepalive ? option_size : 0); }

void write_option(WireWriter& out, std::uint16_t code, std::uint16_t value) {
  out.u16(code);
  out.u16(2);
  out.u16(value);
}

void write_opt(WireWriter& out, const Query& query, const Answer& answer) {
  out.u8(0);
  out.u16(rr::opt);
  out.u16(our_udp_size);
  out.u32(static_cast<std::uint32_t>(answer.rcode) >> 4U << 24U | (query.edns->dnssec_ok ? edns_dnssec_ok : 0U));
  out.u16(static_cast<std::uint16_t>(options_size(answer)));
  if (answer.ede) write_option(out, option_ede, static_cast<std::uint16_t>(*answer.ede));
  // In units of 100 ms.
  if (answer.keepalive) write_option(out, option_keepalive, static_cast<std::uint16_t>(answer.keepalive->count() * 10));
}

void write_record(WireWriter& out, const Record& record) {
  out.name(record.owner);
  out.u16(record.type);
  out.u16(class_in);
  out.u32(record.ttl);
  const std::size_t length_at = out.size();
  out.u16(0);
  // Only so that the next record of the chain can point at it; other types' names stay as they are.
  if (record.type == rr::cname) {
    WireReader data(record.data);
    out.name(data.name());
  } else {
    out.bytes(record.data);
  }
  if (out.ok()) out.patch_u16(length_at, static_cast<std::uint16_t>(out.size() - length_at - 2));
}

}  // namespace

std::optional<EdnsOptions> read_edns_options(ByteView data) {
  EdnsOptions options;
  WireReader in(data);
  while (in.ok() && in.left() > 0) {
    const auto code = in.u16();
    in.skip(in.u16());
    if (code == option_keepalive) options.keepalive = true;
  }
  return in.ok() ? std::optional(options) : std::nullopt;
}

std::optional<Query> read_query(ByteView packet) {
  WireReader in(packet);
  Query query;
  query.id = in.u16();
  const auto flags = in.u16();
  const auto questions = in.u16();
  const auto answers = in.u16();
  const auto authority = in.u16();
  const auto additional = in.u16();
  if (!in.ok() || (flags & flag_answer) != 0) return std::nullopt;
  query.opcode = opcode_of(flags);
  query.recursion_desired = (flags & flag_recursion_desired) != 0;
  query.authentic_data = (flags & flag_authentic_data) != 0;
  query.checking_disabled = (flags & flag_checking_disabled) != 0;
  if (query.opcode != 0) {
    query.fault = Rcode::not_implemented;
    return query;
  }
  query.fault = Rcode::form_error;
  if (questions != 1 || answers != 0 || authority != 0 || packet.size() > limits::question) return query;
  query.name = in.name();
  query.type = in.u16();
  query.klass = in.u16();
  if (!in.ok()) return query;
  query.has_question = true;
  query.fault = Rcode::no_error;
  read_additional(in, additional, query);
  if (!in.ok() || in.left() != 0) {
    query.fault = Rcode::form_error;
    query.edns.reset();
  }
  return query;
}

std::size_t udp_limit(const Query& query) {
  if (!query.edns) return limits::plain_udp_answer;
  return std::clamp<std::size_t>(query.edns->udp_size, limits::plain_udp_answer, limits::udp_answer);
}

Bytes write_answer(const Query& query, const Answer& answer, std::size_t limit) {
  constexpr std::size_t opt_head_size = 11;
  WireWriter out(std::max(limit, limits::plain_udp_answer));
  const auto flags = static_cast<std::uint16_t>(
      flag_answer | static_cast<unsigned>(query.opcode) << 11U | (answer.truncated ? flag_truncated : 0) |
      (query.recursion_desired ? flag_recursion_desired : 0) | flag_recursion_available |
      (answer.authentic_data ? flag_authentic_data : 0) | (query.checking_disabled ? flag_checking_disabled : 0) |
      (static_cast<unsigned>(answer.rcode) & 0x0fU));
  out.u16(query.id);
  out.u16(flags);
  out.u16(query.has_question ? 1 : 0);
  out.u16(0);
  out.u16(0);
  out.u16(query.edns ? 1 : 0);
  if (query.has_question) {
    out.name(query.name);
    out.u16(query.type);
    out.u16(query.klass);
  }
  const std::size_t head = out.size();
  for (const auto& record : answer.answers) write_record(out, record);
  for (const auto& record : answer.authority) write_record(out, record);
  const std::size_t tail = query.edns ? opt_head_size + options_size(answer) : 0;
  if (!out.ok() || out.size() + tail > limit) {
    out.rewind(head);
    out.patch_u16(2, flags | flag_truncated);
  } else {
    out.patch_u16(6, static_cast<std::uint16_t>(answer.answers.size()));
    out.patch_u16(8, static_cast<std::uint16_t>(answer.authority.size()));
  }
  if (query.edns) write_opt(out, query, answer);
  return out.take();
}

Bytes write_question(std::uint16_t id, const Query& query, std::uint16_t udp_size) {
  WireWriter out(limits::question);
  out.u16(id);
  // Whether it wants recursion or not: a tablet's answer does not depend on what the resolver happens to have cached.
  out.u16(static_cast<std::uint16_t>(flag_recursion_desired | (query.authentic_data ? flag_authentic_data : 0) |
                                     (query.checking_disabled ? flag_checking_disabled : 0)));
  for (const bool one : {true, false, false, true}) out.u16(one ? 1 : 0);
  out.name(query.name);
  out.u16(query.type);
  out.u16(query.klass);
  out.u8(0);
  out.u16(rr::opt);
  out.u16(udp_size);
  out.u32(query.edns && query.edns->dnssec_ok ? edns_dnssec_ok : 0U);
  out.u16(0);
  return out.take();
}

std::size_t fill_question(std::span<std::uint8_t> room, std::size_t size, std::size_t block) {
  if (size % block == 0) return size;
  const auto filled = (size + option_head_size + block - 1) / block * block;
  if (filled > room.size()) return size;
  const auto put = [&](std::size_t at, std::size_t value) {
    room[at] = static_cast<std::uint8_t>(value >> 8U);
    room[at + 1] = static_cast<std::uint8_t>(value);
  };
  // The OPT record stands last, and without options.
  put(size - 2, filled - size);
  put(size, option_filler);
  put(size + 2, filled - size - option_head_size);
  std::fill(room.begin() + static_cast<std::ptrdiff_t>(size + option_head_size), room.begin() + static_cast<std::ptrdiff_t>(filled),
            std::uint8_t{0});
  return filled;
}

Answer refusal(const Query& query, Rcode rcode, std::optional<Ede> ede, std::chrono::seconds holds) {
  WireWriter soa(limits::plain_udp_answer);
  soa.bytes(name_from_text("schultor.internal").value_or(Name()).wire());
  soa.bytes(name_from_text("hostmaster.schultor.internal").value_or(Name()).wire());
  const auto ttl = static_cast<std::uint32_t>(holds.count());
  for (const std::uint32_t field : {std::uint32_t{1}, ttl, ttl, std::uint32_t{86400}, ttl}) soa.u32(field);
  Answer answer = failure(rcode, ede);
  answer.authority.push_back({query.name, rr::soa, ttl, soa.take()});
  return answer;
}

Answer minimal_any(const Query& query) {
  Answer answer;
  answer.answers.push_back(
      {query.name, rr::hinfo, static_cast<std::uint32_t>(limits::ttl_cap.count()), {7, 'R', 'F', 'C', '8', '4', '8', '2', 0}});
  return answer;
}

Answer failure(Rcode rcode, std::optional<Ede> ede) {
  Answer answer;
  answer.rcode = rcode;
  answer.ede = ede;
  return answer;
}

}  // namespace schultor::dns
