// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"

#include <algorithm>

namespace schultor::enforce {
namespace {

using base::Priority;
using std::chrono::steady_clock;

/// After the first pin: what the same moment brings is written with it.
constexpr std::chrono::seconds gather{5};
/// Between two writings, for the disk's sake.
constexpr std::chrono::minutes write_again{10};

}  // namespace

std::vector<netfilter::planner::Pin> Gateway::Impl::pins_of_before(const policy::GateRules& rules) const {
  auto loaded = load_kept_pins(pin_keeper.path());
  if (!loaded) log(Priority::warning, base::message_id::state_damaged, loaded.error().what());
  if (!loaded || !*loaded) return {};
  return pins_left(**loaded, rules, clock->now(), clock_trust.trusted());
}

void Gateway::Impl::keep_pins_soon() {
  if (pins_due) return;
  const auto now = steady_clock::now();
  auto delay = std::chrono::duration_cast<std::chrono::microseconds>(gather);
  if (pins_kept) delay = std::max(delay, std::chrono::ceil<std::chrono::microseconds>(*pins_kept + write_again - now));
  auto source = loop.after(delay, [this] {
    pins_kept = steady_clock::now();
    pins_due.reset();
    pin_keeper.begin(second_now(), clock_trust.trusted());
  });
  if (source) pins_due = std::move(*source);
  else log(Priority::error, {}, source.error().what());
}

void Gateway::Impl::keep_pins_now() {
  pins_due.reset();
  pin_keeper.save(second_now(), clock_trust.trusted());
}

}  // namespace schultor::enforce
