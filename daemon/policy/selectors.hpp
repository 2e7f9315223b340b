// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/policy.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace schultor::policy {

/// By what a device is in its group.
enum class SelectedBy : std::uint8_t { roster, prefix, interface, unknown };
/// "roster", "prefix", "interface", "unknown".
[[nodiscard]] std::string_view to_string(SelectedBy by);

/// What is known of a device; whatever is left empty says nothing.
struct Traits {
  std::optional<base::Mac> mac{};
  std::set<base::Address> addresses{};
  std::string_view interface {};
};

struct Selected {
  std::size_t group = 0;  ///< index into Policy::groups
  SelectedBy by = SelectedBy::unknown;
  std::string text{};  ///< the address, network or interface that decides; empty: none does
  Source source;       ///< its line; where none decides, the unknown group's
};

/// Who belongs to which group, as the ruleset judges packets: the roster's line of a MAC address, else the longest network that an
/// address lies in, else the interface's group, else the unknown group. Borrows the policy.
class Selectors {
public:
  explicit Selectors(const Policy& policy);

  [[nodiscard]] Selected find(const Traits& traits) const;

private:
  struct Selector {
    std::size_t group;
    const Source* source;
  };
  const Policy& policy_;
  std::map<base::Prefix, Selector> prefixes_;
  std::set<std::uint8_t, std::greater<>> lengths_;  // of prefixes_, the longest first
  std::map<std::string_view, Selector> interfaces_;
};

}  // namespace schultor::policy
