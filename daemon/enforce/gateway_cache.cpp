// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What the content cache is told, and what becomes of its word on which origins it answers for.
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/applied_configuration.hpp"
#include "daemon/enforce/gateway_impl.hpp"

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// An origin that is unwell for longer is a fault: a restart, or other rules, are over by then.
constexpr std::chrono::seconds bearable{60};

}  // namespace

void Gateway::Impl::announce_cache_rules() {
  if (!cache) return;
  const auto& kept_content = current.policy->cache;
  if (auto done = keep_cache_rules(options.state_directory + "/cache_rules.json", kept_content); !done)
    log(Priority::warning, {}, fmt::format("Certificates are made for the origins of before: {}", done.error().what()));
  cache->announce(kept_content ? std::optional(policy::to_json(*kept_content)) : std::nullopt);
  // The gate takes none for well under new rules of its own.
  steer_by_health();
}

void Gateway::Impl::steer_by_health() {
  if (gate) gate->tell_well_origins(cache->health().well);
}

void Gateway::Impl::on_cache_changed() {
  steer_by_health();
  if (enforce::unwell_origins(*current.policy, cache_health()).empty()) {
    cache_unwell.reset();
    if (std::exchange(cache_fault_told, false))
      log(Priority::notice, message_id::cache_unwell, "The content cache answers for all origins again");
  } else if (!cache_unwell && !cache_fault_told) {
    if (auto timer = loop.after(bearable, [this] { tell_cache_fault(); })) cache_unwell = std::move(*timer);
  }
  tell_changed();
}

void Gateway::Impl::tell_cache_fault() {
  cache_unwell.reset();
  const auto text = cache_fault_text(*current.policy, cache_health());
  if (text.empty()) return;
  cache_fault_told = true;
  log(Priority::error, message_id::cache_unwell, text);
  raise(clock->now(), fault_event(*current.policy, clock->now(), "cache", text));
}

CacheHealth Gateway::Impl::cache_health() const { return cache ? CacheHealth{cache->connected(), cache->health()} : CacheHealth{}; }

}  // namespace schultor::enforce
