// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace schultor::lists {

/// How a file of names is written.
enum class Format : std::uint8_t {
  domains,  ///< a name or an address a line, as UT1 has it; `*.name` for those below a name
  hosts,    ///< `0.0.0.0 name …`. Widened: a name means all below it too
  adblock,  ///< `||name^`; a bare name means itself alone
  rpz,      ///< a response policy zone: `name CNAME .` means itself alone, `*.name CNAME .` those below it
};
[[nodiscard]] std::string_view to_string(Format format);

/// What an entry holds.
enum class Scope : std::uint8_t { self = 1, below = 2, both = 3 };

/// Why a line gave nothing.
enum class LeftOut : std::uint8_t {
  junk,      ///< it cannot be read
  unusable,  ///< it can be read, and says what a table of names cannot hold
};

/// Where in a file: both from 1, the column in code points.
struct Place {
  int line = 0;
  int column = 0;
};

/// Whom a list's contents are told. The views live as long as the call.
class Sink {
public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// What follows is of this line, from 1.
  virtual void begin_line(int number) { static_cast<void>(number); }
  /// `name`: lower case, A-labels, no dot at its end.
  virtual void name(std::string_view name, Scope scope) = 0;
  /// Addresses beyond the local network.
  virtual void prefix(const base::Prefix& prefix) = 0;
  /// `text` is what was found (it may hold anything), `why` what was expected.
  virtual void left_out(LeftOut kind, Place place, std::string_view text, std::string_view why) = 0;
};

/// A line beyond this is junk.
inline constexpr std::size_t longest_line = 8192;

/// The format that a file's name says: `x.domains`, `x.hosts`, `x.adblock`, `x.rpz`. None where its contents are to tell.
[[nodiscard]] std::optional<Format> format_of_file_name(std::string_view file);
/// The format that most of the first lines are written in.
[[nodiscard]] Format detect_format(std::string_view text);
/// Reads a list. Whatever a line holds, the next one is read. Pure but for IDNA's tables.
void read_list(std::string_view text, Format format, Sink& sink);

}  // namespace schultor::lists
