// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/database.hpp"
#include "daemon/base/result.hpp"

#include <date/date.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the content cache spares a school's line: counts by origin and day, and nothing of who asked or for what.
namespace schultor::cache {

/// Of an origin on a day. Octets are those of bodies as tablets got them, and of what the line carried to get them.
struct Figures {
  std::uint64_t requests = 0;  ///< of tablets
  std::uint64_t hits = 0;      ///< of these, answered by what was stored
  std::uint64_t served = 0;    ///< octets to tablets
  std::uint64_t fetches = 0;   ///< requests to the origin
  std::uint64_t fetched = 0;   ///< octets from it

  /// What would have been fetched besides; none where more was.
  [[nodiscard]] std::uint64_t saved() const { return served > fetched ? served - fetched : 0; }
  Figures& operator+=(const Figures& more);
  bool operator==(const Figures&) const = default;
};

using FiguresByOrigin = std::map<std::string, Figures, std::less<>>;

/// A line of what nginx counts (nginx_configuration()): origin, what the store did, status, octets. None where it is no such line.
[[nodiscard]] std::optional<std::pair<std::string_view, Figures>> read_figure_line(std::string_view line);
/// All lines of a text; what is none is passed over. Origins beyond 256 are passed over.
[[nodiscard]] FiguresByOrigin read_figure_lines(std::string_view text);

/// Figures of 90 days, in a file of their own.
class FiguresFile {
public:
  static constexpr date::days kept{90};

  struct Row {
    date::sys_days day;
    std::string origin;
    Figures figures;
  };

  /// As base::Database::open().
  [[nodiscard]] static base::Result<FiguresFile> open(const std::filesystem::path& file);

  /// Adds to a day's figures, and forgets days that are too old. `taken` names what they come from: added once, they are not added
  /// again, also after a crash between this and the removal of their source. Empty: there is nothing to be confused with.
  [[nodiscard]] base::Result<void> add(date::sys_days day, const FiguresByOrigin& more, std::string_view taken = {});
  /// In the order of days and origins, from `first` on.
  [[nodiscard]] base::Result<std::vector<Row>> read(date::sys_days first);
  [[nodiscard]] const std::filesystem::path& set_aside() const { return database_.set_aside(); }

private:
  explicit FiguresFile(base::Database database) : database_(std::move(database)) {}
  base::Database database_;
};

}  // namespace schultor::cache
