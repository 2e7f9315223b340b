// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/outbox.hpp"

#include "daemon/base/database.hpp"

#include <utility>

namespace schultor::report {
namespace {

using base::Result;

constexpr std::int64_t schema_version = 1;
constexpr const char* schema = R"(
CREATE TABLE pending(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL,
                     payload TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE delivered(id TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX delivered_seen ON delivered(seen);)";

using Statement = base::Database::Statement;
using Transaction = base::Database::Transaction;

}  // namespace

Outbox::Outbox(std::unique_ptr<base::Database> database, Limits limits) : database_(std::move(database)), limits_(limits) {}
Outbox::Outbox(Outbox&&) noexcept = default;
Outbox& Outbox::operator=(Outbox&&) noexcept = default;
Outbox::~Outbox() = default;

bool Outbox::damaged() const { return database_->damaged(); }
const std::filesystem::path& Outbox::set_aside() const { return database_->set_aside(); }

Result<Outbox> Outbox::open(const std::filesystem::path& file, Limits limits) {
  auto database = base::Database::open(file, "the outbox", {schema_version, schema});
  if (!database) return base::pass(std::move(database));
  Outbox outbox(std::make_unique<base::Database>(std::move(*database)), limits);
  Statement count(*outbox.database_, "SELECT count(*) FROM pending");
  if (auto row = count.step(); !row) return base::pass(std::move(row), file.string());
  outbox.depth_ = static_cast<std::size_t>(count.number(0));
  return outbox;
}

Result<Outbox::Added> Outbox::add(std::span<const Message> messages, Instant now) { return add_all(messages, now, false); }

Result<Outbox::Added> Outbox::reconcile(std::span<const Message> listed, Instant now) { return add_all(listed, now, true); }

Result<Outbox::Added> Outbox::add_all(std::span<const Message> messages, Instant now, bool forget) {
  Transaction transaction(*database_);
  if (!transaction.begun()) return tl::unexpected(transaction.begun().error());
  const std::int64_t at = now.time_since_epoch().count();
  Statement see(*database_, "UPDATE delivered SET seen = ? WHERE id = ? AND seen <> ? RETURNING 1");
  Statement was_delivered(*database_, "SELECT 1 FROM delivered WHERE id = ?");
  Statement is_pending(*database_, "SELECT 1 FROM pending WHERE id = ?");
  Statement insert(*database_, "INSERT INTO pending(id, topic, payload, created) VALUES(?, ?, ?, ?)");
  Added added;
  for (const auto& message : messages) {
    auto known = was_delivered.again().bind(message.id).step();
    if (known && *known && forget) {
      if (auto seen = see.again().bind(at).bind(message.id).bind(at).step(); !seen) return base::pass(std::move(seen));
    }
    if (known && !*known) known = is_pending.again().bind(message.id).step();
    if (!known) return base::pass(std::move(known));
    if (*known) {
      ++added.known;
    } else if (depth_ + added.kept >= limits_.pending) {
      ++added.refused;
    } else {
      auto done = insert.again().bind(message.id).bind(message.topic).bind(message.payload).bind(at).step();
      if (!done) return base::pass(std::move(done));
      ++added.kept;
    }
  }
  // A statement that still stands on a row would keep the transaction from ending.
  see.again();
  was_delivered.again();
  is_pending.again();
  insert.again();
  if (forget)
    if (auto done = forget_old(now); !done) return base::pass(std::move(done));
  if (auto done = transaction.commit(); !done) return base::pass(std::move(done));
  depth_ += added.kept;
  return added;
}

Result<void> Outbox::forget_old(Instant now) {
  Statement by_age(*database_, "DELETE FROM delivered WHERE seen < ?");
  if (auto done = by_age.bind((now - limits_.remember).time_since_epoch().count()).step(); !done)
    return base::pass(std::move(done));
  Statement by_count(*database_,
                     "DELETE FROM delivered WHERE id IN (SELECT id FROM delivered ORDER BY seen DESC, id LIMIT -1 OFFSET ?)");
  if (auto done = by_count.bind(static_cast<std::int64_t>(limits_.remembered)).step(); !done) return base::pass(std::move(done));
  return {};
}

Result<std::vector<Outbox::Row>> Outbox::pending(std::int64_t after, std::size_t most) const {
  Statement select(*database_, "SELECT number, topic, payload FROM pending WHERE number > ? ORDER BY number LIMIT ?");
  select.bind(after).bind(static_cast<std::int64_t>(most));
  std::vector<Row> rows;
  for (;;) {
    auto row = select.step();
    if (!row) return base::pass(std::move(row));
    if (!*row) return rows;
    rows.push_back({select.number(0), select.text(1), select.text(2)});
  }
}

Result<void> Outbox::deliver(std::span<const std::int64_t> numbers, Instant now) {
  Transaction transaction(*database_);
  if (!transaction.begun()) return transaction.begun();
  Statement remember(*database_, "INSERT OR REPLACE INTO delivered(id, seen) SELECT id, ? FROM pending WHERE number = ?");
  Statement remove(*database_, "DELETE FROM pending WHERE number = ?");
  std::size_t removed = 0;
  for (const auto number : numbers) {
    if (auto done = remember.again().bind(now.time_since_epoch().count()).bind(number).step(); !done)
      return base::pass(std::move(done));
    if (auto done = remove.again().bind(number).step(); !done) return base::pass(std::move(done));
    removed += database_->changes();
  }
  remember.again();
  remove.again();
  if (auto done = transaction.commit(); !done) return done;
  depth_ -= removed;
  return {};
}

}  // namespace schultor::report
