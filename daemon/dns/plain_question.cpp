// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/plain_question.hpp"

#include "daemon/dns/limits.hpp"

#include <algorithm>

namespace schultor::dns {
namespace {

constexpr std::size_t head_size = 12;
constexpr std::size_t longest_name = 255;
constexpr std::size_t opt_head_size = 11;
constexpr std::uint8_t longest_label = 63;
constexpr std::uint16_t recursion_desired = 0x0100, authentic_data = 0x0020, checking_disabled = 0x0010;
constexpr std::uint8_t dnssec_ok = 0x80;

std::uint16_t u16_at(ByteView packet, std::size_t at) { return static_cast<std::uint16_t>(packet[at] << 8 | packet[at + 1]); }

/// How many octets the name at `at` takes; 0 where it is compressed, too long or cut off.
std::size_t name_size(ByteView packet, std::size_t at) {
  std::size_t size = 0;
  while (at + size < packet.size()) {
    const auto length = packet[at + size];
    if (length == 0) return size + 1 <= longest_name ? size + 1 : 0;
    if (length > longest_label) return 0;
    size += 1U + length;
    if (size >= longest_name) return 0;
  }
  return 0;
}

/// The packet's end as a single OPT record of version 0.
std::optional<Edns> read_opt(ByteView opt) {
  if (opt.size() < opt_head_size || opt[0] != 0 || u16_at(opt, 1) != rr::opt) return std::nullopt;
  const std::uint8_t version = opt[6];
  if (version != 0 || u16_at(opt, 9) != opt.size() - opt_head_size) return std::nullopt;
  if (opt.size() > opt_head_size && !read_edns_options(opt.subspan(opt_head_size))) return std::nullopt;
  return Edns{std::max<std::uint16_t>(u16_at(opt, 3), limits::plain_udp_answer), (opt[7] & dnssec_ok) != 0};
}

}  // namespace

std::optional<PlainQuestion> read_plain_question(ByteView packet) {
  if (packet.size() < head_size + 5 || packet.size() > limits::question) return std::nullopt;
  const auto flags = u16_at(packet, 2);
  const auto additional = u16_at(packet, 10);
  if ((flags & ~(recursion_desired | authentic_data | checking_disabled)) != 0) return std::nullopt;
  if (u16_at(packet, 4) != 1 || u16_at(packet, 6) != 0 || u16_at(packet, 8) != 0 || additional > 1) return std::nullopt;
  const auto size = name_size(packet, head_size);
  if (size == 0 || packet.size() < head_size + size + 4) return std::nullopt;
  const std::size_t behind = head_size + size + 4;
  if (u16_at(packet, behind - 2) != class_in) return std::nullopt;
  PlainQuestion question;
  question.id = u16_at(packet, 0);
  question.recursion_desired = (flags & recursion_desired) != 0;
  question.authentic_data = (flags & authentic_data) != 0;
  question.checking_disabled = (flags & checking_disabled) != 0;
  question.name = packet.subspan(head_size, size);
  question.type = u16_at(packet, behind - 4);
  if (additional == 1) question.edns = read_opt(packet.subspan(behind));
  if (additional == 1 ? !question.edns : packet.size() != behind) return std::nullopt;
  return question;
}

std::optional<PlainQuestion> plain_question_of(const Query& query) {
  if (query.fault != Rcode::no_error || query.klass != class_in || query.opcode != 0) return std::nullopt;
  return PlainQuestion{
      query.id, query.recursion_desired, query.authentic_data, query.checking_disabled, query.name.wire(), query.type, query.edns};
}

std::size_t udp_limit(const std::optional<Edns>& edns) {
  if (!edns) return limits::plain_udp_answer;
  return std::clamp<std::size_t>(edns->udp_size, limits::plain_udp_answer, limits::udp_answer);
}

}  // namespace schultor::dns
