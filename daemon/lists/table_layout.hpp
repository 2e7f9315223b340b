// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/lists/digest.hpp"
#include "daemon/lists/list_set.hpp"
#include "daemon/lists/sip_hash.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

/// The octets of a table's file, in this order: header, lists, the lists' names, sets, then from a multiple of 4096 the buckets,
/// and the networks. Little-endian. A change of any of it is a new version.
namespace schultor::lists::layout {

static_assert(std::endian::native == std::endian::little, "the table is mapped as it lies on disk");

inline constexpr std::array<char, 16> magic{'s', 'c', 'h', 'u', 'l', 't', 'o', 'r', ' ', 'l', 'i', 's', 't', 's', '\n', '\0'};
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t page = 4096;

struct Header {
  std::array<char, 16> magic{};
  std::uint32_t version = 0;
  std::uint32_t lists = 0;
  std::uint64_t size = 0;  ///< of the file
  SipKey key;
  std::uint64_t names = 0;
  std::uint64_t home_buckets = 0;  ///< those that hashes lead to
  std::uint32_t reach = 0;         ///< how many buckets further a name may lie; there are as many behind the last home
  std::uint32_t sets = 0;          ///< number 0 is the empty one
  std::uint32_t list_names = 0;    ///< octets
  std::uint32_t networks = 0;
  std::array<std::uint64_t, 2> depths{};  ///< bit n: there is a name of n labels
  Digest body{};                          ///< of the buckets and the networks
  Digest head{};                          ///< of all before the buckets, with zeros in this place
};
static_assert(sizeof(Header) == 160 && std::is_trivially_copyable_v<Header>);

struct List {
  std::uint32_t name_size = 0;
  std::uint32_t unused = 0;
  std::uint64_t names = 0;
  std::uint64_t networks = 0;
  std::uint64_t junk = 0;
  std::uint64_t unusable = 0;
};
static_assert(sizeof(List) == 40);

/// Which lists hold a name, and which all names below it.
struct Set {
  ListSet self;
  ListSet below;

  auto operator<=>(const Set&) const = default;
};
static_assert(sizeof(Set) == 32);

/// Eight slots of 48 bits of a name's hash and 16 bits of a set's number: one cache line. Filled from the first; 0 is a free slot.
inline constexpr std::size_t slots = 8;
using Bucket = std::array<std::uint64_t, slots>;
static_assert(sizeof(Bucket) == 64);
inline constexpr unsigned set_bits = 16;
inline constexpr std::size_t most_sets = std::size_t{1} << set_bits;

struct Network {
  std::array<std::uint8_t, 16> octets{};
  std::uint8_t family = 0;  ///< 4 or 6
  std::uint8_t length = 0;
  std::array<std::uint8_t, 6> unused{};
  ListSet lists;
};
static_assert(sizeof(Network) == 40);

/// A hash's bucket: its highest bits. The tag is its lowest 48: together they are all of it from 65,536 buckets on.
[[nodiscard]] constexpr std::uint64_t home_of(std::uint64_t hash, std::uint64_t home_buckets) {
  // The upper half of the product, in steps that need no wider type; home_buckets is below 2^32.
  const std::uint64_t low = (hash & 0xffffffffU) * home_buckets;
  return ((hash >> 32U) * home_buckets + (low >> 32U)) >> 32U;
}

[[nodiscard]] constexpr std::size_t rounded_up(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

}  // namespace schultor::lists::layout
