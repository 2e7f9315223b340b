// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string_view>

/// Safe search: names of search engines that are answered with the name of the engine's own filtered service.
namespace schultor::policy {

/// YouTube's restricted mode. Ordered by strictness.
enum class YouTube : std::uint8_t { off, moderate, strict };

/// What a profile wants of them.
struct SafeSearch {
  bool search = false;
  YouTube youtube = YouTube::off;
  bool operator==(const SafeSearch&) const = default;
};

/// The name that stands in for `name` (lower case, no trailing dot); empty when there is none. Lives for ever.
/// Sources: the providers' own instructions for networks, as they stand in November 2026.
[[nodiscard]] std::string_view rewritten(const SafeSearch& wanted, std::string_view name);

/// Whether some profile may want another name in its place.
[[nodiscard]] inline bool is_rewritable(std::string_view name) { return !rewritten({true, YouTube::strict}, name).empty(); }

}  // namespace schultor::policy
