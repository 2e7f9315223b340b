// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/cache_protocol.hpp"

#include <cstring>

namespace schultor::cache {
namespace {

enum class Kind : std::uint32_t { rules = 1, health = 2 };

constexpr std::size_t head_size = 8;
constexpr std::size_t rules_size = head_size + 16;
constexpr std::size_t health_size = head_size + 16 + policy::most_origins;
static_assert(longest_message >= health_size);

template <typename T>
void put(std::vector<std::byte>& out, T value) {
  std::array<std::byte, sizeof(T)> raw;
  std::memcpy(raw.data(), &value, sizeof value);
  out.insert(out.end(), raw.begin(), raw.end());
}

/// Of a packet whose length was checked before.
template <typename T>
T take(std::span<const std::byte>& rest) {
  T value{};
  std::memcpy(&value, rest.data(), sizeof value);
  rest = rest.subspan(sizeof value);
  return value;
}

std::vector<std::byte> head(Kind kind) {
  std::vector<std::byte> out;
  out.reserve(longest_message);
  put(out, cache_protocol_version);
  put(out, static_cast<std::uint32_t>(kind));
  return out;
}

std::vector<std::byte> pack(const Rules& rules) {
  auto out = head(Kind::rules);
  put(out, rules.epoch);
  put(out, std::uint64_t{rules.kept});
  return out;
}

std::vector<std::byte> pack(const Health& health) {
  auto out = head(Kind::health);
  put(out, health.rules_epoch);
  put(out, health.well);
  for (const auto why : health.unwell) put(out, why);
  return out;
}

base::Result<Message> unpack_rules(std::span<const std::byte> rest) {
  Rules rules;
  rules.epoch = take<std::uint64_t>(rest);
  const auto kept = take<std::uint64_t>(rest);
  if (kept > 1) return base::fail("rules with a value out of range");
  rules.kept = kept == 1;
  return Message{rules};
}

base::Result<Message> unpack_health(std::span<const std::byte> rest) {
  Health health;
  health.rules_epoch = take<std::uint64_t>(rest);
  health.well = take<std::uint64_t>(rest);
  for (std::size_t i = 0; i < health.unwell.size(); ++i) {
    const auto why = take<std::uint8_t>(rest);
    if (why >= reasons) return base::fail("health with reason {}, expected one below {}", why, reasons);
    health.unwell[i] = static_cast<Unwell>(why);
    if ((health.well >> i & 1U) != 0 && health.unwell[i] != Unwell::no)
      return base::fail("health of an origin that is well and not");
  }
  return Message{health};
}

}  // namespace

std::string_view to_string(Unwell why) {
  constexpr std::array<std::string_view, reasons> texts{"well",
                                                        "it has not said yet that it is ready",
                                                        "nginx does not answer",
                                                        "nginx refuses its configuration",
                                                        "there is no certificate that holds",
                                                        "its directory cannot be written to"};
  return texts[static_cast<std::size_t>(why)];
}

std::vector<std::byte> encode(const Message& message) {
  return std::visit([](const auto& one) { return pack(one); }, message);
}

base::Result<Message> decode(std::span<const std::byte> packet) {
  if (packet.size() < head_size) return base::fail("message of {} octets, expected at least {}", packet.size(), head_size);
  auto rest = packet;
  if (const auto version = take<std::uint32_t>(rest); version != cache_protocol_version)
    return base::fail("message of protocol version {}, expected {}: restart schultord and schultor-origin together", version,
                      cache_protocol_version);
  const auto kind = take<std::uint32_t>(rest);
  const bool is_rules = kind == static_cast<std::uint32_t>(Kind::rules);
  if (!is_rules && kind != static_cast<std::uint32_t>(Kind::health)) return base::fail("message of unknown kind {}", kind);
  const auto expected = is_rules ? rules_size : health_size;
  if (packet.size() != expected) return base::fail("message of {} octets, expected {}", packet.size(), expected);
  return is_rules ? unpack_rules(rest) : unpack_health(rest);
}

}  // namespace schultor::cache
