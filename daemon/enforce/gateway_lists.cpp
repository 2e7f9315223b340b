// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/enforce/list_events.hpp"

#include <fmt/format.h>

namespace schultor::enforce {
namespace {

/// A start tells again what came about so long ago at most: schultord may have been away when it did. The city is not told
/// twice, since the outbox remembers the ids of what is still listed.
constexpr std::chrono::days told_at_start{7};

}  // namespace

void Gateway::Impl::tell_lists(Occasion occasion) {
  auto read = lists::read_update_status(options.list_status);
  if (!read) {
    log(base::Priority::warning, base::message_id::list_status_unreadable,
        fmt::format("What is known of downloaded lists cannot be read: {}", read.error().what()));
    return;
  }
  list_status = std::move(*read);
  std::set<std::string> known;
  for (const auto& event : list_events(*current.policy, list_status)) {
    const bool is_old = occasion == Occasion::start && event.at + told_at_start < clock->now();
    if (!told_lists.contains(event.id) && !is_old) raise(event.at, event.json);
    known.insert(event.id);
  }
  told_lists = std::move(known);
}

}  // namespace schultor::enforce
