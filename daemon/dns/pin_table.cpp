// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_table.hpp"

#include "daemon/dns/limits.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <string_view>

namespace schultor::dns {
namespace {

using std::chrono::seconds;

/// So that a full table is not swept for every pin.
constexpr seconds sweep_interval{1};

template <typename Function>
void for_each_door(policy::Doors doors, Function&& function) {
  for (; doors != 0; doors &= doors - 1) function(static_cast<unsigned>(std::countr_zero(doors)));
}

}  // namespace

seconds pin_lifetime(policy::Doors doors) {
  if ((doors & policy::any_cloud_door) != 0) return limits::cloud_pin;
  return limits::ttl_cap + limits::pin_grace;
}

seconds highest_ttl(policy::Doors doors) {
  const bool cloud_alone = doors != 0 && (doors & ~policy::any_cloud_door) == 0;
  return cloud_alone ? limits::cloud_ttl_cap : limits::ttl_cap;
}

std::size_t PinTable::Hash::operator()(const Key& key) const {
  const std::string_view octets(reinterpret_cast<const char*>(key.address.octets.data()), key.address.octets.size());
  return std::hash<std::string_view>{}(octets) ^ (std::size_t{key.door} * 0x9e3779b97f4a7c15U);
}

std::optional<Time> PinTable::until(const base::Address& address, unsigned door) const {
  const auto found = until_.find(Key{address, static_cast<std::uint8_t>(door)});
  return found == until_.end() ? std::nullopt : std::optional(found->second);
}

policy::Doors PinTable::missing(const base::Address& address, policy::Doors doors, seconds ttl, Time now) const {
  const auto wanted = std::max(ttl + limits::least_pin, pin_lifetime(doors) / 2);
  policy::Doors lacking = 0;
  for_each_door(doors, [&](unsigned door) {
    const auto end = until(address, door);
    if (!end || *end < now + wanted) lacking |= policy::Doors{1} << door;
  });
  return lacking;
}

seconds PinTable::left(const base::Address& address, policy::Doors doors, Time now) const {
  auto least = limits::cloud_pin;
  for_each_door(doors, [&](unsigned door) {
    const auto end = until(address, door);
    const auto rest = end && *end > now ? std::chrono::floor<seconds>(*end - now) : seconds(0);
    least = std::min(least, rest);
  });
  return least;
}

void PinTable::pinned(const PinEntry& entry, Time since, Time now) {
  if (until_.size() >= most_ && now >= swept_ + sweep_interval) {
    std::erase_if(until_, [&](const auto& pin) { return pin.second <= now; });
    swept_ = now;
  }
  for_each_door(entry.doors, [&](unsigned door) {
    const Key key{entry.address, static_cast<std::uint8_t>(door)};
    const auto found = until_.find(key);
    if (found != until_.end()) found->second = std::max(found->second, since + entry.lifetime);
    else if (until_.size() < most_) until_.emplace(key, since + entry.lifetime);
  });
}

}  // namespace schultor::dns
