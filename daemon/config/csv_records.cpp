// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/csv_records.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace schultor::config {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// The candidate that stands most often in the first line, outside of quotes.
char guess_separator(std::string_view text) {
  constexpr std::array<char, 3> candidates{';', ',', '\t'};
  std::array<std::size_t, candidates.size()> counts{};
  bool quoted = false;
  for (const char c : text.substr(0, CsvReader::longest_record)) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (c == candidates[i]) ++counts[i];
  }
  std::size_t best = 1;
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}})
    if (counts[i] > counts[best]) best = i;
  return candidates[best];
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
  while (!at_end() && at_line_end()) skip_line_end();
  // How Excel is told of the separator.
  const auto first = text_.substr(at_, 5);
  const bool told = first.size() == 5 && (first.substr(0, 4) == "sep=" || first.substr(0, 4) == "SEP=") &&
                    (first[4] == ';' || first[4] == ',' || first[4] == '\t');
  if (told) {
    for (std::size_t i = 0; i < first.size(); ++i) step();
    while (!at_end() && at_line_end()) skip_line_end();
  }
  separator_ = told ? first[4] : guess_separator(text_.substr(at_));
}

void CsvReader::step() {
  const char c = text_[at_++];
  const bool ends_line = c == '\n' || (c == '\r' && (at_end() || text_[at_] != '\n'));
  if (ends_line) {
    ++line_;
    column_ = 1;
  } else if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) {
    ++column_;
  }
}

void CsvReader::skip_line_end() {
  if (at_end()) return;
  const bool both = text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
  step();
  if (both) step();
}

bool CsvReader::give_up(int line, int column, std::string text) {
  fault_ = CsvFault{line, column, std::move(text)};
  return false;
}

/// What stands in quotes, from behind the first one to behind the last one.
bool CsvReader::quoted(std::string& text) {
  const int line = line_, column = column_;
  step();
  while (true) {
    if (at_end() || at_ - start_ > longest_record)
      return give_up(
          line, column,
          fmt::format("a quote that is not closed within {} KiB, expected one at the field's end: what follows is not read",
                      longest_record >> 10U));
    const char c = text_[at_];
    step();
    if (c == '"') {
      if (at_end() || text_[at_] != '"') return true;
      step();
    }
    text += c;
  }
}

bool CsvReader::field(CsvField& field) {
  while (!at_end() && is_blank(text_[at_]) && text_[at_] != separator_) step();
  field.text.clear();
  field.line = line_;
  field.column = column_;
  if (!at_end() && text_[at_] == '"' && !quoted(field.text)) return false;
  while (!at_line_end() && text_[at_] != separator_) {
    if (at_ - start_ > longest_record)
      return give_up(field.line, field.column,
                     fmt::format("a record of more than {} KiB: what follows is not read", longest_record >> 10U));
    field.text += text_[at_];
    step();
  }
  while (!field.text.empty() && is_blank(field.text.back())) field.text.pop_back();
  return true;
}

bool CsvReader::next(std::vector<CsvField>& fields) {
  if (fault_ || at_end()) return false;
  start_ = at_;
  std::size_t count = 0;
  while (true) {
    if (count == most_fields)
      return give_up(line_, column_, fmt::format("a record of more than {} fields: what follows is not read", most_fields));
    // The strings of the record before are written over: they keep their memory.
    if (count == fields.size()) fields.emplace_back();
    if (!field(fields[count++])) return false;
    if (at_line_end()) break;
    step();
  }
  fields.resize(count);
  skip_line_end();
  return true;
}

}  // namespace schultor::config
