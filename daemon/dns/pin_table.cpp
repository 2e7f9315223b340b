// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_table.hpp"

#include "daemon/dns/limits.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <string_view>

namespace schultor::dns {
namespace {

using std::chrono::seconds;

std::int64_t nanoseconds_of(Time at) { return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count(); }

Time time_of(std::int64_t nanoseconds) {
  return Time(std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

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

PinTable::PinTable(std::size_t most)
    : own_head_(std::make_unique<Head>()),
      own_slots_((most + slots_of_bucket - 1) / slots_of_bucket * slots_of_bucket),
      head_(own_head_.get()),
      slots_(own_slots_) {}

void PinTable::keep_for(const PinMeaning& meaning) {
  if (head_->meaning == meaning) return;
  forget();
  head_->meaning = meaning;
}

void PinTable::forget() { ++head_->generation; }

std::span<PinTable::Slot> PinTable::bucket_of(const base::Address& address, unsigned door) const {
  const std::string_view octets(reinterpret_cast<const char*>(address.octets.data()), address.octets.size());
  const auto hash = std::hash<std::string_view>{}(octets) ^ (std::size_t{door} * 0x9e3779b97f4a7c15U);
  return slots_.subspan(hash % (slots_.size() / slots_of_bucket) * slots_of_bucket, slots_of_bucket);
}

bool PinTable::holds(const Slot& slot, const base::Address& address, unsigned door) const {
  return slot.until != 0 && slot.generation == head_->generation && slot.door == door &&
         slot.family == static_cast<std::uint8_t>(address.family) && slot.octets == address.octets;
}

bool PinTable::lives(const Slot& slot, Time now) const {
  return slot.until != 0 && slot.generation == head_->generation && time_of(slot.until) > now;
}

std::size_t PinTable::size(Time now) const {
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return lives(slot, now); }));
}

std::optional<Time> PinTable::until(const base::Address& address, unsigned door) const {
  for (const auto& slot : bucket_of(address, door))
    if (holds(slot, address, door)) return time_of(slot.until);
  return std::nullopt;
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
  const auto end = nanoseconds_of(since + entry.lifetime);
  for_each_door(entry.doors, [&](unsigned door) {
    Slot* free = nullptr;
    for (auto& slot : bucket_of(entry.address, door)) {
      if (holds(slot, entry.address, door)) {
        slot.until = std::max(slot.until, end);
        return;
      }
      if (free == nullptr && !lives(slot, now)) free = &slot;
    }
    if (free == nullptr) return;
    // Whenever this run ends, the next one finds a whole pin or none.
    std::atomic_ref(free->until).store(0, std::memory_order_seq_cst);
    free->octets = entry.address.octets;
    free->family = static_cast<std::uint8_t>(entry.address.family);
    free->door = static_cast<std::uint8_t>(door);
    free->generation = head_->generation;
    std::atomic_ref(free->until).store(end, std::memory_order_seq_cst);
  });
}

}  // namespace schultor::dns
