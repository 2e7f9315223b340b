// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/compile.hpp"
#include "daemon/policy/schedule.hpp"
#include "tools/schultorctl/commands.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// What the offline commands ask of the request's directory. Whatever is missing has been complained about.
namespace schultor::ctl {

struct Directory {
  config::Config config;
  policy::Policy policy;
};

/// Where the lists lie: those of the configuration directory, then those that were downloaded.
[[nodiscard]] std::array<std::filesystem::path, 2> list_folders(const Request& request);
/// The table that they are compiled into.
[[nodiscard]] std::string list_table(const Request& request);

/// What is read there, or nothing where there are errors. Warnings alone are not worth a word: `validate` has them.
[[nodiscard]] std::optional<Directory> load(const Request& request, config::Need need);
[[nodiscard]] bool has_roster(const Request& request);

/// Null where there is none of that name.
[[nodiscard]] const policy::Group* find_group(const policy::Policy& policy, const std::string& name);

/// The time that an option gives.
[[nodiscard]] std::optional<policy::Seconds> time_of(const policy::Policy& policy, std::string_view option,
                                                     const std::string& text);

}  // namespace schultor::ctl
