// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The lines of roster.csv, for those who read it and those who write it.
namespace schultor::config {

/// A roster of more devices is refused.
inline constexpr std::size_t most_roster_devices = 100'000;
/// Of a device's label, in octets.
inline constexpr std::size_t longest_device_name = 128;

struct RosterField {
  std::string text;
  int column = 1;  ///< in octets, from 1
};

/// Splits a line at the separator into `fields`, whose old contents go; a field may stand in double quotes (RFC 4180) and loses
/// the blanks around it. False where a quote is left open or has text beside it.
[[nodiscard]] bool split_roster_line(std::string_view line, char separator, std::vector<RosterField>& fields);

/// How a roster's lines are written.
struct RosterLayout {
  char separator = ',';
  std::size_t columns = 3;  ///< 2: there is no name

  bool operator==(const RosterLayout&) const = default;
};

/// Reads the header line, `mac,group` or `mac,group,name` in any case; none where it is something else.
[[nodiscard]] std::optional<RosterLayout> roster_layout(std::string_view header);

/// Whether a line holds neither a header nor a device: it is empty or a comment.
[[nodiscard]] bool is_roster_remark(std::string_view line);

/// Takes the first line off `text`, without its line end ("\n" or "\r\n").
[[nodiscard]] std::string_view take_line(std::string_view& text);

}  // namespace schultor::config
