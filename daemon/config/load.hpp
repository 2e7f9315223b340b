// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace schultor::config {

/// What a program asks of the directory: what it does not need may be missing, but is judged where it is there.
/// A roster and endpoint lists that are not needed are not read.
struct Need {
  bool school_name = false;  ///< gateway.toml: school
  bool timezone = false;     ///< gateway.toml: timezone
  bool network = false;      ///< gateway.toml: [lan], [wan], [resolver]
  bool operations = false;   ///< gateway.toml: [operations]
  bool city = false;
  bool school = false;
  bool roster = false;
  bool endpoints = false;  ///< the lists that city.toml names

  /// Everything that makes a gateway; [operations] and [cache] may be left out: a school without a city.
  [[nodiscard]] static constexpr Need everything() { return {true, true, true, false, true, true, true, true}; }
  /// What `timeline` asks for.
  [[nodiscard]] static constexpr Need hours(bool with_roster = false) {
    return {false, true, false, false, true, true, with_roster, false};
  }
  /// What `explain` asks for.
  [[nodiscard]] static constexpr Need rules(bool with_roster) { return {false, true, false, false, true, true, with_roster, true}; }
  /// What schultor-report asks for.
  [[nodiscard]] static constexpr Need reporting() { return {true, false, false, true, false, false, false, false}; }
};

/// Files of which nothing could be read, though they are needed: what they would have said is not known.
struct Unread {
  bool gateway = false;
  bool city = false;
  bool school = false;
};

/// A configuration, or none if there is an error among the diagnostics (there may be warnings beside a configuration).
struct Loaded {
  std::optional<Config> config;
  /// Where there are errors: what could be read all the same, so that more can be said about it. None where there is no directory.
  std::optional<Config> draft;
  Unread unread{};  ///< of the draft
  std::vector<Diagnostic> diagnostics;
};

/// The contents of the files; none where there is no such file.
struct Files {
  std::optional<std::string> gateway;
  std::optional<std::string> city;
  std::optional<std::string> school;
  std::optional<std::string> roster;
  /// Those that the configuration names, by that name: "calendars/nrw.ics", "endpoints/m365.json".
  std::map<std::string, std::string, std::less<>> named{};
  /// The lists of names that are there; what they hold is not read here. None: nobody has looked.
  std::optional<std::vector<NamedList>> lists{};
  /// Those that are there and cannot be read, which whoever tried has said.
  std::set<std::string, std::less<>> unreadable{};
};

/// A file beyond this is refused.
inline constexpr std::size_t largest_file = 16U << 20U;
/// Of calendars and endpoint lists, in each of their folders.
inline constexpr std::size_t most_named_files = 100;

/// A directory's files, before anybody has judged what they say.
struct Reading {
  std::optional<Files> files;        ///< none: there is no such directory
  std::vector<Diagnostic> faults{};  ///< of reading, by whatever cannot be read
};

/// Reads the files of a configuration directory. With folders of lists (find_lists()) also which lists there are.
[[nodiscard]] Reading read(const std::filesystem::path& directory, Need need,
                           std::span<const std::filesystem::path> list_folders = {});
/// Judges what was read: with faults of reading there is no configuration.
[[nodiscard]] Loaded parse(const Reading& reading, Need need);
/// Both.
[[nodiscard]] Loaded load(const std::filesystem::path& directory, Need need);
/// The same from contents. Pure.
[[nodiscard]] Loaded parse(const Files& files, Need need);

}  // namespace schultor::config
