// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Changing roster.csv and leaving alone what nobody asked to be changed.
namespace schultor::config {

/// What a device's line is to say. In a roster without a column for names the name goes unwritten.
struct RosterDevice {
  base::Mac mac;
  std::string group;  ///< a label, see is_label()
  std::string name;   ///< one line of at most longest_device_name octets; may be empty

  bool operator==(const RosterDevice&) const = default;
};

struct RosterEdits {
  std::vector<RosterDevice> set;  ///< a device each: its line is written anew, or added at the end
  std::vector<base::Mac> remove;  ///< none of `set`
};

/// Applies the edits. Lines that no edit concerns stay as they are, with their order, comments and line ends; of a line that
/// changes the address keeps its spelling. An empty text becomes a roster. An error where the text is no valid roster, or the edits
/// would make it none: what is returned reads back as the old devices with the edits applied.
[[nodiscard]] base::Result<std::string> edit_roster(std::string_view text, const RosterEdits& edits);

/// Whether a roster has a column for names; an empty text will have one.
[[nodiscard]] bool has_names(std::string_view text);

}  // namespace schultor::config
