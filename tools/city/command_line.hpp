// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// schultor-city: what the city's operations centre does by itself, away from any school.
namespace schultor::city {

/// Exit codes, as scripts rely on them.
enum class Exit : int { done = 0, refused = 1, failed = 2 };

/// What was asked for, checked against what the command takes.
struct Request {
  std::string command;  ///< of two words, "ca create"; empty: help or version
  bool help = false;
  bool version = false;
  bool json = false;                           ///< ca show
  std::optional<std::string> directory;        ///< --dir: of the device CA
  std::optional<std::string> name;             ///< of the device CA, or of the school
  std::vector<std::string> hosts;              ///< ca school
  std::optional<std::string> out;              ///< ca school
  std::optional<std::string> curve;            ///< ca create
  std::optional<std::string> passphrase_file;  ///< else it is asked for at the terminal
  bool plain = false;                          ///< ca create: the key is not encrypted
  bool replace = false;                        ///< ca school: what lies in --out already
};

/// Reads the arguments (without the program's name). An error says how the command is used.
[[nodiscard]] base::Result<Request> parse_command_line(std::span<const std::string> arguments);
/// The help text: of one command, or with an empty name of all.
[[nodiscard]] std::string help_text(const std::string& command);

}  // namespace schultor::city
