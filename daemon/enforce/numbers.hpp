// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/policy.hpp"
#include "netfilter/planner/intent.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace schultor::enforce {

/// The numbers that stand in marks, labels and views, by name. They live on in the kernel's connections, so a number is
/// kept for good: a name that goes leaves its number unused.
struct Numbers {
  std::map<std::string, netfilter::planner::GroupNumber, std::less<>> groups;
  std::map<std::string, std::uint8_t, std::less<>> labels;                   ///< listed profile → conntrack label bit
  std::map<std::string, netfilter::planner::ViewNumber, std::less<>> views;  ///< view_key() → view

  bool operator==(const Numbers&) const = default;
};

/// A view's name: the profile, and whether cached origins are steered: "school/steer", "school/plain".
[[nodiscard]] std::string view_key(std::string_view profile, bool steer);
/// The profile of each view that was ever given a number, also of profiles that are gone.
[[nodiscard]] std::map<netfilter::planner::ViewNumber, std::string> profiles_of_views(const Numbers& numbers);

/// `known` with numbers for everything in the policy that has none yet. Fails when a kind is used up:
/// 65,534 groups, 127 listed profiles.
[[nodiscard]] base::Result<Numbers> with_numbers_for(Numbers known, const policy::Policy& policy);

[[nodiscard]] std::string to_json(const Numbers& numbers);
/// Refuses a number out of range or given twice.
[[nodiscard]] base::Result<Numbers> numbers_from_json(std::string_view json);

/// Reads numbers.json of the state directory; a missing file is a first start and yields no numbers.
[[nodiscard]] base::Result<Numbers> load_numbers(const std::string& path);
/// Replaces the file whole, on disk when it returns (rename(2) after fsync(2)).
[[nodiscard]] base::Result<void> save_numbers(const std::string& path, const Numbers& numbers);

}  // namespace schultor::enforce
