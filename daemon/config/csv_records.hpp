// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Tables that other programs have written (RFC 4180, and what they make of it).
namespace schultor::config {

struct CsvField {
  std::string text;  ///< without the quotes and the blanks around it; may hold line breaks
  int line = 1;
  int column = 1;  ///< in code points
};

/// What made a table unreadable from a place on.
struct CsvFault {
  int line = 1;
  int column = 1;
  std::string text;
};

/// Reads a table record by record. Separated by ";", "," or tabs, as its first line is or as a line "sep=;" before it says; lines
/// end with CR, LF or both; a field may be quoted, also around line breaks; a quote within a field that does not begin with one is
/// a character like others.
class CsvReader {
public:
  static constexpr std::size_t longest_record = std::size_t{256} << 10U;
  static constexpr std::size_t most_fields = 1024;

  /// `text` is UTF-8 and outlives the reader.
  explicit CsvReader(std::string_view text);

  /// Reads the next record into `fields`, whose old contents go; an empty line is a record with one empty field. False at the end
  /// and where reading on is of no use: see fault().
  [[nodiscard]] bool next(std::vector<CsvField>& fields);
  [[nodiscard]] const std::optional<CsvFault>& fault() const { return fault_; }
  [[nodiscard]] char separator() const { return separator_; }

private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] bool at_line_end() const { return at_end() || text_[at_] == '\n' || text_[at_] == '\r'; }
  void step();
  void skip_line_end();
  bool quoted(std::string& text);
  bool field(CsvField& field);
  bool give_up(int line, int column, std::string text);

  std::string_view text_;
  char separator_ = ',';
  std::size_t at_ = 0;
  std::size_t start_ = 0;  ///< of the record
  int line_ = 1;
  int column_ = 1;
  std::optional<CsvFault> fault_;
};

}  // namespace schultor::config
