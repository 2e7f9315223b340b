// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::config {

/// Where something is written.
struct Source {
  std::string file;  ///< relative to the configuration directory: "city.toml"
  int line = 0;      ///< from 1; 0: the file as a whole
  int column = 0;    ///< from 1, in code points; 0: the line as a whole

  auto operator<=>(const Source&) const = default;
};

/// "city.toml:14", for naming the other place of a conflict.
[[nodiscard]] std::string to_string(const Source& source);

enum class Severity : std::uint8_t { error, warning };

/// What is wrong with a configuration, for the person who can mend it: what it is, and what was expected.
struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  Severity severity = Severity::error;
  std::string text;

  bool operator==(const Diagnostic&) const = default;
};

/// "city.toml:14:3: error: …"; line and column are left out where they are 0.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

/// Collects what is wrong, so that everything is shown and not just the first. Bounded: a file full of rubbish fills no memory, and
/// does not hide what is wrong with the others.
class Diagnostics {
public:
  static constexpr std::size_t most = 2000;
  static constexpr std::size_t most_of_a_file = 250;

  void error(const Source& where, const std::string& text) { add(where, Severity::error, text); }
  void warning(const Source& where, const std::string& text) { add(where, Severity::warning, text); }
  void append(std::vector<Diagnostic> others);
  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  /// In the order of the files, then of lines and columns. Says of which files there is more.
  [[nodiscard]] std::vector<Diagnostic> take() &&;

private:
  void add(const Source& where, Severity severity, const std::string& text);

  struct Share {
    std::size_t listed = 0;
    bool more = false;
    bool more_errors = false;
  };
  std::vector<Diagnostic> list_;
  std::map<std::string, Share, std::less<>> shares_;  ///< by file
  std::size_t errors_ = 0;
};

/// Whether one of them is an error.
[[nodiscard]] bool has_errors(const std::vector<Diagnostic>& diagnostics);

/// Of `known`, the one that a typing mistake most likely made `word` of; empty where none is near.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);
/// "; did you mean “schedule”?" or, where nothing is near, "; expected one of …" (or nothing where nothing is known).
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace schultor::config
