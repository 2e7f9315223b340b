// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/diagnostic.hpp"

#include "daemon/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace schultor::config {
namespace {

constexpr std::size_t longest_text = 600;
constexpr std::string_view there_is_more = "there is more than what is shown";

int file_rank(std::string_view file) {
  constexpr std::array<std::string_view, 4> order{"gateway.toml", "city.toml", "school.toml", "roster.csv"};
  return static_cast<int>(std::find(order.begin(), order.end(), file) - order.begin());
}

/// Levenshtein's distance, without regard to case.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string to_string(const Source& source) {
  return source.line > 0 ? fmt::format("{}:{}", source.file, source.line) : source.file;
}

std::string to_string(const Diagnostic& diagnostic) {
  // A file's name may hold anything, too.
  auto where = base::printable(diagnostic.file);
  if (diagnostic.line > 0) where += fmt::format(":{}", diagnostic.line);
  if (diagnostic.line > 0 && diagnostic.column > 0) where += fmt::format(":{}", diagnostic.column);
  return fmt::format("{}: {}: {}", where, diagnostic.severity == Severity::error ? "error" : "warning", diagnostic.text);
}

void Diagnostics::add(const Source& where, Severity severity, const std::string& text) {
  if (severity == Severity::error) ++errors_;
  auto& share = shares_[where.file];
  // That line is said once, at the end, whoever was the first to leave something out.
  const bool is_left_out = where.line == 0 && text == there_is_more;
  if (!is_left_out && list_.size() < most && share.listed < most_of_a_file) {
    list_.push_back({where.file, where.line, where.column, severity, base::printable(text, longest_text)});
    ++share.listed;
  } else {
    share.more = true;
    share.more_errors = share.more_errors || severity == Severity::error;
  }
}

void Diagnostics::append(std::vector<Diagnostic> others) {
  for (const auto& other : others) add({other.file, other.line, other.column}, other.severity, other.text);
}

std::vector<Diagnostic> Diagnostics::take() && {
  // Warnings that filled a file's share must not hide that there is an error.
  for (const auto& [file, share] : shares_)
    if (share.more)
      list_.push_back({file, 0, 0, share.more_errors ? Severity::error : Severity::warning, std::string(there_is_more)});
  std::stable_sort(list_.begin(), list_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(file_rank(a.file), std::string_view(a.file), a.line, a.column) <
           std::tuple(file_rank(b.file), std::string_view(b.file), b.line, b.column);
  });
  // Two who look at one thing say the same of it; others may speak in between.
  std::vector<Diagnostic> once;
  for (auto& one : list_) {
    const auto is_same = [&](const Diagnostic& other) { return other == one; };
    const auto is_elsewhere = [&](const Diagnostic& other) {
      return std::tie(other.file, other.line, other.column) != std::tie(one.file, one.line, one.column);
    };
    const auto here_begins = std::find_if(once.rbegin(), once.rend(), is_elsewhere);
    if (std::none_of(once.rbegin(), here_begins, is_same)) once.push_back(std::move(one));
  }
  return once;
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& one) { return one.severity == Severity::error; });
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t longest_word = 64;
  std::string_view best;
  if (word.size() > longest_word) return best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto candidate : known) {
    if (candidate.size() > longest_word) continue;
    const auto apart = distance(word, candidate);
    if (apart >= best_distance || apart >= candidate.size()) continue;
    best_distance = apart;
    best = candidate;
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t most_named = 12;
  if (known.empty()) return {};
  if (const auto near = nearest(word, known); !near.empty()) return fmt::format("; did you mean “{}”?", near);
  std::string list;
  for (std::size_t i = 0; i < std::min(known.size(), most_named); ++i) list += fmt::format("{}{}", i > 0 ? ", " : "", known[i]);
  return fmt::format("; expected one of {}{}", list, known.size() > most_named ? ", …" : "");
}

}  // namespace schultor::config
