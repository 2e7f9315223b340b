// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/clock_trust.hpp"

#include "daemon/enforce/state_file.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace schultor::enforce {
namespace {

/// A time service's correction, at which the kernel forgets for a moment that the clock is synchronised, is no lie.
constexpr std::chrono::minutes correction{1};

std::optional<base::Instant> read_instant(const std::string& path) {
  const auto text = read_state(path);
  if (!text || !*text) return std::nullopt;
  std::int64_t count = 0;
  const auto& held = **text;
  const auto [end, error] = std::from_chars(held.data(), held.data() + held.size(), count);
  constexpr std::int64_t last_second = 4'102'444'800;  // 2100: what is beyond was never right
  if (error != std::errc{} || end == held.data() || count < 0 || count > last_second) return std::nullopt;
  return base::Instant{std::chrono::seconds{count}};
}

}  // namespace

ClockTrust::ClockTrust(std::string path)
    : path_(std::move(path)), known_past_(std::max(build_time(), read_instant(path_).value_or(base::Instant{}))) {}

bool ClockTrust::judge(base::Instant now, bool synchronised) const {
  return synchronised || now >= (trusted_ ? known_past_ - correction : known_past_);
}

bool ClockTrust::examine(base::Instant now, bool synchronised) {
  const bool before = std::exchange(trusted_, judge(now, synchronised));
  return trusted_ != before;
}

base::Result<void> ClockTrust::remember(base::Instant now, bool synchronised) {
  if (!trusted_) return {};
  known_past_ = synchronised ? now : std::max(known_past_, now);
  const auto second = std::chrono::floor<std::chrono::seconds>(known_past_).time_since_epoch().count();
  return replace_state(path_, fmt::format("{}\n", second));
}

}  // namespace schultor::enforce
