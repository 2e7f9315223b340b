// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/clock_trust.hpp"

#include "daemon/enforce/state_file.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace schultor::enforce {
namespace {

constexpr std::chrono::hours keep_every{1};

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

bool ClockTrust::examine(base::Instant now, bool synchronised) {
  if (trusted_ || (!synchronised && now < known_past_)) return false;
  trusted_ = true;
  return true;
}

base::Result<void> ClockTrust::remember(base::Instant now, bool synchronised) {
  if (!synchronised || (kept_ && now < *kept_ + keep_every && now >= *kept_)) return {};
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (auto kept = replace_state(path_, fmt::format("{}\n", second)); !kept) return kept;
  kept_ = now;
  return {};
}

}  // namespace schultor::enforce
