// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/lists/name.hpp"
#include "daemon/lists/reader.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The readers of the formats, line by line: for daemon/lists/reader.cpp.
namespace schultor::lists {

/// One line, and whom to tell what it holds. All texts given to its functions are parts of it.
struct Line {
  std::string_view text;  ///< without its end
  int number = 0;
  Sink* sink = nullptr;

  void junk(std::string_view part, std::string_view why) const { left_out(LeftOut::junk, part, why); }
  void unusable(std::string_view part, std::string_view why) const { left_out(LeftOut::unusable, part, why); }
  /// An entry for a name, or junk.
  void take_name(std::string_view part, Scope scope, Labels labels) const;
  /// An entry for an address or a network if `part` is one, or looks like one (then it may be left out).
  [[nodiscard]] bool take_address(std::string_view part) const;

private:
  void left_out(LeftOut kind, std::string_view part, std::string_view why) const;
};

[[nodiscard]] std::string_view trimmed(std::string_view text);
/// Cuts the first word off `text` and returns it; both empty at the end.
[[nodiscard]] std::string_view take_word(std::string_view& text);
/// What stands before a comment: a `#` at the start or behind a blank.
[[nodiscard]] std::string_view without_comment(std::string_view text);

/// Whether a line is one of a hosts file: an address and at least a name.
[[nodiscard]] bool is_hosts_line(std::string_view text);
void read_hosts_line(const Line& line);
void read_domains_line(const Line& line);
void read_adblock_line(const Line& line);

/// A zone's lines depend on those before them.
class RpzReader {
public:
  void read(const Line& line);

private:
  void record(const Line& line, std::string_view rest);
  static void trigger(const Line& line, std::string_view name, std::string_view target);
  [[nodiscard]] bool directive(const Line& line, std::string_view text);
  [[nodiscard]] std::string absolute(std::string_view owner) const;
  /// Empty for the zone itself; none for a name elsewhere.
  [[nodiscard]] std::optional<std::string> within_zone(std::string_view owner) const;

  // Lower case, a dot at the end; empty: not known.
  std::string origin_;
  std::string zone_;
  std::string owner_;  ///< of the record before
  bool in_parentheses_ = false;
};

}  // namespace schultor::lists
