// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/load.hpp"
#include "daemon/config/table_reader.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// The files of the directory, one reader each. Faults go to the diagnostics.
namespace schultor::config {

[[nodiscard]] Gateway read_gateway(TableReader file, Need need);
[[nodiscard]] City read_city(TableReader file);
[[nodiscard]] School read_school(TableReader file);
[[nodiscard]] std::vector<RosterEntry> read_roster(std::string_view text, const std::string& file, Diagnostics& out);

/// [[profile]] and [[schedule]], which the city and the school write alike.
[[nodiscard]] std::vector<Profile> read_profiles(TableReader& file);
[[nodiscard]] std::vector<Schedule> read_schedules(TableReader& file);

/// [override], which the city and the school write alike.
[[nodiscard]] OverrideLimits read_override_limits(TableReader& file);
/// [[list]], which the city and the school write alike.
[[nodiscard]] std::vector<BlockList> read_lists(TableReader& file);
/// [[origin]], which the city and the school write alike.
[[nodiscard]] std::vector<Origin> read_origins(TableReader& file);
/// "200 GiB" in octets, from 1 MiB up.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// Lists of one name, and more than there may be: city and school are held against each other.
void check_lists(const Config& config, Diagnostics& out);
/// safe_search and youtube of a profile or of what a school adds to one.
[[nodiscard]] SafeSearch read_safe_search(TableReader& table);
/// block_categories of a profile or of what a school adds to one; refuses allow_categories.
[[nodiscard]] std::vector<Text> read_block_categories(TableReader& table);

/// Whether a text may name a group or a schedule: 1 to 64 characters, none of them a control character, a separator of
/// roster.csv or a space at an end.
[[nodiscard]] bool is_label(std::string_view text);
/// Reports where the name of a table is missing or no label.
[[nodiscard]] Text read_name(TableReader& table);

}  // namespace schultor::config
