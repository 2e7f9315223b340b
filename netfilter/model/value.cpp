// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/model/value.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <string_view>
#include <utility>

namespace schultor::netfilter::model {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string protocol_name(std::uint8_t number) {
  constexpr std::array<std::pair<std::uint8_t, std::string_view>, 4> names{
      {{IPPROTO_ICMP, "icmp"}, {IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"}, {IPPROTO_ICMPV6, "ipv6-icmp"}}};
  for (const auto& [known, name] : names)
    if (known == number) return std::string(name);
  return std::to_string(number);
}

/// The prefix that the range is, or nothing.
std::optional<base::Prefix> as_prefix(const base::Address& first, const base::Address& last) {
  const unsigned bits = first.family == base::Family::ipv4 ? 32 : 128;
  unsigned length = 0;
  while (length < bits && ((first.octets[length / 8] ^ last.octets[length / 8]) >> (7 - length % 8) & 1U) == 0) ++length;
  const base::Prefix prefix{first, static_cast<std::uint8_t>(length)};
  for (unsigned bit = length; bit < bits; ++bit)
    if ((first.octets[bit / 8] >> (7 - bit % 8) & 1U) != 0) return std::nullopt;
  return base::last_address(prefix) == last ? std::optional(prefix) : std::nullopt;
}

std::string range_text(const Atom& first, const Atom& last) {
  if (first == last) return to_string(first);
  const auto* from = std::get_if<base::Address>(&first);
  const auto* to = std::get_if<base::Address>(&last);
  if (from && to) {
    const auto prefix = as_prefix(*from, *to);
    if (prefix) return base::to_string(*prefix);
  }
  return to_string(first) + "-" + to_string(last);
}

}  // namespace

std::string to_string(const Verdict& verdict) {
  switch (verdict.code) {
    case Verdict::Code::accept:
      return "accept";
    case Verdict::Code::drop:
      return "drop";
    case Verdict::Code::leave:
      return "return";
    case Verdict::Code::jump:
      return "jump " + verdict.chain;
    case Verdict::Code::go_to:
      return "goto " + verdict.chain;
  }
  return {};
}

std::string to_string(const Atom& atom) {
  return std::visit(Overloaded{[](const Mark& mark) { return fmt::format("0x{:08x}", mark.value); },
                               [](const base::Address& address) { return base::to_string(address); },
                               [](const base::Mac& mac) { return base::to_string(mac); },
                               [](const InterfaceName& interface) { return fmt::format("\"{}\"", interface.name); },
                               [](const Protocol& protocol) { return protocol_name(protocol.number); },
                               [](const Port& port) { return std::to_string(port.number); },
                               [](const IcmpType& type) { return std::to_string(type.number); }},
                    atom);
}

std::string to_string(const Element& element) {
  std::string text = element.key.empty() ? "*" : "";
  for (std::size_t i = 0; i < element.key.size(); ++i) {
    if (i > 0) text += " . ";
    text += i < element.last.size() ? range_text(element.key[i], element.last[i]) : to_string(element.key[i]);
  }
  if (element.timeout) {
    const auto milliseconds = element.timeout->count();
    text +=
        milliseconds % 1000 == 0 ? fmt::format(" timeout {}s", milliseconds / 1000) : fmt::format(" timeout {}ms", milliseconds);
  }
  if (const auto* mark = std::get_if<Mark>(&element.value)) text += fmt::format(" : 0x{:08x}", mark->value);
  if (const auto* verdict = std::get_if<Verdict>(&element.value)) text += " : " + to_string(*verdict);
  return text;
}

}  // namespace schultor::netfilter::model
