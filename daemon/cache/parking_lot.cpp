// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/parking_lot.hpp"

#include <sys/random.h>

#include <array>
#include <utility>

namespace schultor::cache {
namespace {

/// 128 bits in hexadecimal; empty where the kernel has none to give.
std::string new_token() {
  std::array<unsigned char, 16> octets{};
  if (getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) return {};
  std::string token;
  for (const auto octet : octets) token += fmt::format("{:02x}", octet);
  return token;
}

}  // namespace

std::string ParkingLot::park(Parked parked) {
  if (waiting_.size() >= most) return {};
  auto token = new_token();
  if (token.empty()) return {};
  auto timer = loop_.after(longest, [this, token] { waiting_.erase(token); });
  if (!timer) return {};
  parked.fetch->on_progress(nullptr);
  waiting_.emplace(token, Waiting{std::move(parked), std::move(*timer)});
  return token;
}

std::optional<Parked> ParkingLot::take(const EngineRequest& request) {
  const auto at = waiting_.find(request.parked);
  if (at == waiting_.end()) return std::nullopt;
  auto& parked = at->second.parked;
  if (parked.https != request.https || parked.host != request.host || parked.target != request.target) return std::nullopt;
  auto taken = std::optional(std::move(parked));
  waiting_.erase(at);
  return taken;
}

}  // namespace schultor::cache
