// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/enforce/state_file.hpp"

namespace schultor::enforce {

using base::Priority;

void Gateway::Impl::load_counters() {
  const auto text = read_state(counters_path());
  if (text && !*text) return;
  auto loaded = text ? CounterSums::from_json(**text) : base::Result<CounterSums>(tl::unexpected<base::Error>(text.error()));
  if (loaded) counter_sums = std::move(*loaded);
  else
    log(Priority::warning, base::message_id::state_damaged,
        fmt::format("{}: {}; counts begin anew", counters_path(), loaded.error().what()));
}

void Gateway::Impl::look_at_counters() {
  const auto found = enforcer.counters();
  if (!found) return log(Priority::warning, {}, found.error().what());
  std::vector<CounterReading> readings;
  for (const auto& counter : *found) readings.push_back({counter.name, counter.handle, counter.packets});
  if (!counter_sums.take(readings)) return;
  if (auto saved = replace_state(counters_path(), counter_sums.to_json()); !saved)
    log(Priority::warning, {}, fmt::format("Counts are not kept over a restart: {}", saved.error().what()));
}

}  // namespace schultor::enforce
