// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/telemetry.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace schultor::report {
namespace {

bool are_enough(const std::optional<std::uint64_t>& online) { return online && *online >= fewest_devices; }

std::uint64_t since(std::uint64_t before, std::uint64_t now) { return now >= before ? now - before : now; }

}  // namespace

void Telemetry::sampled(const GatewayFacts& facts) {
  if (!facts.traffic) return;
  if (last_) {
    Span span{last_time_, facts.time};
    span.counted = are_enough(last_online_) && are_enough(facts.online);
    span.complete = span.counted;
    if (span.counted) {
      span.refused = since(last_->refused, facts.traffic->refused);
      span.allowed = since(last_->admitted, facts.traffic->admitted);
    }
    pending_ = pending_ ? joined(*pending_, span) : span;
  }
  last_ = facts.traffic;
  last_time_ = facts.time;
  last_online_ = facts.online;
}

std::optional<std::string> Telemetry::take() {
  if (!pending_ || on_its_way_) return std::nullopt;
  on_its_way_ = std::exchange(pending_, std::nullopt);
  const auto& span = *on_its_way_;
  const auto known = [&](std::uint64_t count) { return span.counted ? nlohmann::json(count) : nlohmann::json(nullptr); };
  const nlohmann::json payload{{"from", span.from},
                               {"until", span.until},
                               {"complete", span.complete},
                               {"refused", known(span.refused)},
                               {"allowed", known(span.allowed)},
                               {"online", are_enough(last_online_) ? nlohmann::json(*last_online_) : nlohmann::json(nullptr)}};
  return payload.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Telemetry::delivered() { on_its_way_.reset(); }

void Telemetry::lost() {
  if (!on_its_way_) return;
  pending_ = pending_ ? joined(*on_its_way_, *pending_) : *on_its_way_;
  on_its_way_.reset();
}

Telemetry::Span Telemetry::joined(const Span& earlier, const Span& later) {
  return {earlier.from,
          later.until,
          earlier.refused + later.refused,
          earlier.allowed + later.allowed,
          earlier.counted || later.counted,
          earlier.complete && later.complete};
}

}  // namespace schultor::report
