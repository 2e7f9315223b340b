// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/fair_share.hpp"

#include "daemon/dns/limits.hpp"

#include <bit>
#include <cstring>

namespace schultor::dns {
namespace {

/// A round of multiply and fold: enough to spread sources that cannot see what becomes of them, under a key of one second.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  a = (a ^ b) * 0x9e3779b97f4a7c15U;
  return a ^ std::rotl(a, 32);
}

}  // namespace

FairShare::FairShare(std::function<std::uint64_t()> random)
    : random_(std::move(random)), second_key_(fresh_key()), waiting_key_(fresh_key()) {}

std::uint64_t FairShare::hash(const Key& key, const in6_addr& source) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), &source, sizeof source);
  return mix(mix(mix(key.first, halves[0]), halves[1]), key.second);
}

bool FairShare::admit(const in6_addr& source, Time now) {
  if (now >= second_ + std::chrono::seconds(1)) {
    heard_.fill(0);
    second_key_ = fresh_key();
    second_ = now;
  }
  // Two counters each: who shares one with a tablet that floods still has the other (a count-min sketch).
  const auto place = hash(second_key_, source);
  auto& one = heard_.at(place % heard_.size());
  auto& other = heard_.at(place / heard_.size() % heard_.size());
  if (one >= limits::questions_a_second && other >= limits::questions_a_second) return false;
  if (one < limits::questions_a_second) ++one;
  if (&other != &one && other < limits::questions_a_second) ++other;
  return true;
}

bool FairShare::enter(const in6_addr& source) {
  auto& count = waiting_[hash(waiting_key_, source)];
  if (count >= limits::jobs_of_one) return false;
  ++count;
  return true;
}

void FairShare::leave(const in6_addr& source) {
  const auto found = waiting_.find(hash(waiting_key_, source));
  if (found != waiting_.end() && --found->second == 0) waiting_.erase(found);
}

}  // namespace schultor::dns
