// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/cache_protocol.hpp"
#include "daemon/policy/policy.hpp"

#include <string>
#include <vector>

/// How the content cache is doing, in words.
namespace schultor::enforce {

struct CacheHealth {
  bool connected = false;
  cache::Health origins{};  ///< of the policy's, by their places
};

struct UnwellOrigin {
  std::string name;
  std::string text;  ///< why it is not answered for, and what to do
  bool operator==(const UnwellOrigin&) const = default;
};

/// The origins whose names lead to themselves because the cache does not answer for them.
[[nodiscard]] std::vector<UnwellOrigin> unwell_origins(const policy::Policy& policy, const CacheHealth& health);
/// One line for all of them; empty where there is none.
[[nodiscard]] std::string cache_fault_text(const policy::Policy& policy, const CacheHealth& health);

}  // namespace schultor::enforce
