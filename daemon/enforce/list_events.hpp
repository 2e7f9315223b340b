// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/wall_clock.hpp"
#include "daemon/lists/update_status.hpp"
#include "daemon/policy/policy.hpp"

#include <string>
#include <vector>

/// What is told of lists that are downloaded. Whoever downloads them is another process, which leaves a status; the ids derive from
/// it, so that the same status read again tells the same events.
namespace schultor::enforce {

struct ListEvent {
  std::string id;
  base::Instant at;
  std::string json;
};

/// What came about last of each list, and of the table where none could be made: {"id", "kind": "lists", "at", "list"? (none: all
/// of them), "result": "updated" | "held" | "failed", "text"}.
[[nodiscard]] std::vector<ListEvent> list_events(const policy::Policy& policy, const lists::UpdateStatus& status);

}  // namespace schultor::enforce
