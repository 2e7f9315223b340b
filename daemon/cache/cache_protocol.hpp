// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/scope.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

/// What schultord and the content cache say to each other over their SOCK_SEQPACKET socket, one message a packet, in host byte
/// order: both ends run on the same machine.
///
///   schultord → cache   Rules, on connect and after every change of them
///   cache → schultord   Health, when it has taken rules and whenever it changes
///
/// Pure: bytes in, values out. schultord reads the cache's messages as a stranger's.
namespace schultor::cache {

inline constexpr std::uint32_t cache_protocol_version = 1;
inline constexpr std::size_t longest_message = 96;

/// With it travels, where `kept` is true, a descriptor (SCM_RIGHTS): a sealed memfd holding policy::to_json(CacheRules).
struct Rules {
  std::uint64_t epoch = 0;  ///< changes with the rules
  bool kept = false;        ///< false: nothing is to be kept, and nobody is steered
  bool operator==(const Rules&) const = default;
};

/// Why an origin is not answered for.
enum class Unwell : std::uint8_t {
  no,             ///< it is, or there is no such origin
  starting,       ///< nothing is known yet
  engine,         ///< nginx does not answer
  configuration,  ///< nginx refuses what was made of the rules
  certificate,    ///< of its names there is none that holds
  storage,        ///< the directory cannot be written to
};
inline constexpr std::size_t reasons = 6;
/// "nginx does not answer"
[[nodiscard]] std::string_view to_string(Unwell why);

/// Of the origins of the rules with this epoch, by their places in CacheRules::origins.
struct Health {
  std::uint64_t rules_epoch = 0;
  std::uint64_t well = 0;                             ///< bit i: the i-th origin is answered for
  std::array<Unwell, policy::most_origins> unwell{};  ///< `no` for each that is well
  bool operator==(const Health&) const = default;
};

using Message = std::variant<Rules, Health>;

[[nodiscard]] std::vector<std::byte> encode(const Message& message);
/// Refuses anything that is too short, too long, of another version, or holds a value out of range.
[[nodiscard]] base::Result<Message> decode(std::span<const std::byte> packet);

}  // namespace schultor::cache
