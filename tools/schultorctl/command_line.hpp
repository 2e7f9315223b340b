// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace schultor::ctl {

/// Exit codes, as scripts rely on them.
enum class Exit : int { yes = 0, no = 1, failed = 2 };

/// What was asked for, checked against what the command takes.
struct Request {
  std::string command;  ///< empty: help or version
  bool help = false;
  bool version = false;
  bool json = false;
  std::string directory = "/etc/schultor";
  std::optional<std::string> group;
  std::optional<std::string> device;
  std::optional<std::string> address;    ///< explain
  std::optional<std::string> interface;  ///< explain
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::optional<std::string> at;
  std::optional<std::string> map;    ///< roster import: which columns of the export are which
  std::vector<std::string> renames;  ///< roster import: "NAME=GROUP"
  bool remove_missing = false;       ///< roster import
  bool write = false;                ///< roster import
  bool all = false;                  ///< override: for all groups; cache purge: everything
  std::optional<std::string> profile;
  std::optional<std::string> span;                ///< --for, of override and gate debug: "45m"
  std::optional<std::string> until;               ///< override: "10:15", "2026-11-28 10:15"
  std::optional<std::string> extend;              ///< override: "15m"
  std::optional<std::string> reason;              ///< override
  bool clear = false;                             ///< override
  bool follow = false;                            ///< events
  bool off = false;                               ///< gate debug
  std::optional<std::string> output;              ///< lists compile: the table's file
  std::optional<std::string> table;               ///< lists, lists check: the same
  std::string state = "/var/lib/schultor-lists";  ///< lists: where those lie that are downloaded
  std::optional<std::string> only;                ///< lists update
  std::vector<std::string> force;                 ///< lists update: also where they shrank
  std::optional<std::string> cacert;              ///< lists update
  std::optional<std::string> patience;            ///< lists update: seconds
  std::optional<std::string> largest;             ///< lists update: MiB
  std::vector<std::string> arguments;
};

/// Reads the arguments (without the program's name). An error says how the command is used.
[[nodiscard]] base::Result<Request> parse_command_line(std::span<const std::string> arguments);
/// The help text: of one command, or with an empty name of all.
[[nodiscard]] std::string help_text(const std::string& command);

}  // namespace schultor::ctl
