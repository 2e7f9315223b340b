// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/figures.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace schultor::cache {
namespace {

using base::Result;
using Statement = base::Database::Statement;
using Transaction = base::Database::Transaction;

constexpr std::size_t most_read_origins = 256;
constexpr std::size_t longest_origin = 253;

constexpr base::Database::Schema schema{1, R"(
CREATE TABLE figures(day INTEGER NOT NULL, origin TEXT NOT NULL, requests INTEGER NOT NULL, hits INTEGER NOT NULL, served INTEGER NOT NULL,
                     fetches INTEGER NOT NULL, fetched INTEGER NOT NULL, PRIMARY KEY(day, origin)) WITHOUT ROWID;
CREATE TABLE taken(name TEXT PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;)"};

/// SQLite's integers have a sign.
std::int64_t stored(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

bool is_hit(std::string_view outcome) {
  constexpr std::array<std::string_view, 4> hits{"HIT", "STALE", "UPDATING", "REVALIDATED"};
  return std::find(hits.begin(), hits.end(), outcome) != hits.end();
}

std::string_view next_word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool is_origin(std::string_view text) {
  return !text.empty() && text.size() <= longest_origin && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

Figures& Figures::operator+=(const Figures& more) {
  requests += more.requests;
  hits += more.hits;
  served += more.served;
  fetches += more.fetches;
  fetched += more.fetched;
  return *this;
}

std::optional<std::pair<std::string_view, Figures>> read_figure_line(std::string_view line) {
  const auto origin = next_word(line), outcome = next_word(line), status = next_word(line), octets = next_word(line);
  if (!is_origin(origin) || outcome.empty() || status.size() != 3 || !line.empty()) return std::nullopt;
  Figures figures;
  const auto [end, error] = std::from_chars(octets.data(), octets.data() + octets.size(), figures.served);
  if (error != std::errc{} || end != octets.data() + octets.size() || figures.served > (1ULL << 50U)) return std::nullopt;
  figures.requests = 1;
  figures.hits = is_hit(outcome) ? 1 : 0;
  return std::pair(origin, figures);
}

FiguresByOrigin read_figure_lines(std::string_view text) {
  FiguresByOrigin all;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto read = read_figure_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!read) continue;
    auto found = all.find(read->first);
    if (found == all.end() && all.size() < most_read_origins) found = all.emplace(read->first, Figures{}).first;
    if (found != all.end()) found->second += read->second;
  }
  return all;
}

Result<FiguresFile> FiguresFile::open(const std::filesystem::path& file) {
  auto database = base::Database::open(file, "what was counted of the content cache", schema);
  if (!database) return base::pass(std::move(database));
  return FiguresFile(std::move(*database));
}

Result<void> FiguresFile::add(date::sys_days day, const FiguresByOrigin& more, std::string_view taken) {
  Transaction transaction(database_);
  if (!transaction.begun()) return transaction.begun();
  const std::int64_t number = day.time_since_epoch().count();
  if (!taken.empty()) {
    Statement take(database_, "INSERT OR IGNORE INTO taken(name, day) VALUES(?, ?)");
    if (auto done = take.bind(taken).bind(number).step(); !done) return base::pass(std::move(done));
    if (database_.changes() == 0) return {};
  }
  Statement upsert(database_, R"(INSERT INTO figures VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(day, origin) DO UPDATE SET
    requests = requests + excluded.requests, hits = hits + excluded.hits, served = served + excluded.served,
    fetches = fetches + excluded.fetches, fetched = fetched + excluded.fetched)");
  for (const auto& [origin, figures] : more) {
    upsert.again().bind(number).bind(origin);
    for (const auto value : {figures.requests, figures.hits, figures.served, figures.fetches, figures.fetched})
      upsert.bind(stored(value));
    if (auto done = upsert.step(); !done) return base::pass(std::move(done));
  }
  upsert.again();
  for (const auto* forget : {"DELETE FROM figures WHERE day <= ?", "DELETE FROM taken WHERE day <= ?"}) {
    Statement old(database_, forget);
    if (auto done = old.bind((day - kept).time_since_epoch().count()).step(); !done) return base::pass(std::move(done));
  }
  return transaction.commit();
}

Result<std::vector<FiguresFile::Row>> FiguresFile::read(date::sys_days first) {
  Statement select(database_, "SELECT * FROM figures WHERE day >= ? ORDER BY day, origin");
  select.bind(first.time_since_epoch().count());
  std::vector<Row> rows;
  for (;;) {
    auto row = select.step();
    if (!row) return base::pass(std::move(row));
    if (!*row) return rows;
    const auto count = [&](int column) { return static_cast<std::uint64_t>(select.number(column)); };
    rows.push_back(
        {date::sys_days(date::days(select.number(0))), select.text(1), {count(2), count(3), count(4), count(5), count(6)}});
  }
}

}  // namespace schultor::cache
