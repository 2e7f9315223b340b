// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/outbox.hpp"

#include <sqlite3.h>

#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace schultor::report {
namespace {

using base::fail;
using base::Result;

constexpr std::int64_t schema_version = 1;
constexpr const char* schema = R"(
CREATE TABLE pending(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL,
                     payload TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE delivered(id TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX delivered_seen ON delivered(seen);
PRAGMA user_version = 1;)";

bool means_damage(int code) { return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB; }

struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

}  // namespace

struct Outbox::Database {
  std::unique_ptr<sqlite3, Close> handle;
  bool damaged = false;

  tl::unexpected<base::Error> failed(int code) {
    damaged = damaged || means_damage(code);
    return fail("the outbox: {}", handle ? sqlite3_errmsg(handle.get()) : sqlite3_errstr(code));
  }

  Result<void> execute(const char* sql) {
    const int code = sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failed(code);
    return {};
  }
};

namespace {

/// One statement, its parameters bound in order. The first failure sticks and is given by step().
template <typename Database>
class Statement {
public:
  Statement(Database& database, std::string_view sql) : database_(database) {
    sqlite3_stmt* statement = nullptr;
    code_ = sqlite3_prepare_v2(database.handle.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    statement_.reset(statement);
  }
  Statement& bind(std::int64_t value) {
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_.get(), ++bound_, value);
    return *this;
  }
  /// The text must live until the last step().
  Statement& bind(std::string_view text) {
    if (code_ == SQLITE_OK)
      code_ = sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
  }
  /// Whether there is a row.
  Result<bool> step() {
    if (code_ == SQLITE_OK) code_ = sqlite3_step(statement_.get());
    if (code_ != SQLITE_ROW && code_ != SQLITE_DONE) return database_.failed(code_);
    return std::exchange(code_, SQLITE_OK) == SQLITE_ROW;
  }
  Statement& again() {
    code_ = sqlite3_reset(statement_.get());
    bound_ = 0;
    return *this;
  }
  [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
  }

private:
  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_ = SQLITE_OK;
  int bound_ = 0;
};

/// Rolls back what was not committed.
template <typename Database>
class Transaction {
public:
  explicit Transaction(Database& database) : database_(&database), begun_(database.execute("BEGIN IMMEDIATE")) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (begun_ && sqlite3_get_autocommit(database_->handle.get()) == 0)
      sqlite3_exec(database_->handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  [[nodiscard]] const Result<void>& begun() const { return begun_; }
  Result<void> commit() { return database_->execute("COMMIT"); }

private:
  Database* database_;
  Result<void> begun_;
};

/// What the first column of the first row says.
template <typename Database>
Result<std::string> ask(Database& database, std::string_view sql) {
  Statement statement(database, sql);
  auto row = statement.step();
  if (!row) return base::pass(std::move(row));
  return *row ? statement.text(0) : std::string();
}

/// Opens and judges the file; `damaged` of the database tells damage from other failures.
template <typename Database>
Result<void> open_file(Database& database, const std::string& file) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle.reset(handle);
  if (code != SQLITE_OK) return database.failed(code);
  sqlite3_busy_timeout(handle, 1000);
  for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 4194304"})
    if (auto done = database.execute(sql); !done) return done;
  auto sound = ask(database, "PRAGMA integrity_check(1)");
  if (!sound) return base::pass(std::move(sound));
  if (*sound != "ok") {
    database.damaged = true;
    return fail("the outbox: {}", *sound);
  }
  Statement version(database, "PRAGMA user_version");
  if (auto row = version.step(); !row) return base::pass(std::move(row));
  const auto found = version.number(0);
  if (found > schema_version)
    return fail(
        "the outbox was written by a newer version of schultor-report (schema {}, this one knows {}): install that one again",
        found, schema_version);
  if (found == schema_version) return {};
  Transaction transaction(database);
  if (!transaction.begun()) return transaction.begun();
  if (auto done = database.execute(schema); !done) return done;
  return transaction.commit();
}

/// The file with its journal, to names that are free.
Result<std::filesystem::path> rename_aside(const std::filesystem::path& file) {
  std::filesystem::path aside;
  std::error_code error;
  for (int i = 1;; ++i) {
    aside = fmt::format("{}.damaged-{}", file.string(), i);
    if (!std::filesystem::exists(aside, error)) break;
  }
  std::filesystem::rename(file, aside, error);
  if (error) return fail("renaming the damaged outbox {} to {}: {}", file.string(), aside.string(), error.message());
  for (const char* suffix : {"-wal", "-shm"}) {
    std::filesystem::rename(file.string() + suffix, aside.string() + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory)
      return fail("renaming {}{}: {}", file.string(), suffix, error.message());
  }
  return aside;
}

}  // namespace

Outbox::Outbox(std::unique_ptr<Database> database, Limits limits) : database_(std::move(database)), limits_(limits) {}
Outbox::Outbox(Outbox&&) noexcept = default;
Outbox& Outbox::operator=(Outbox&&) noexcept = default;
Outbox::~Outbox() = default;

bool Outbox::damaged() const { return database_->damaged; }

Result<Outbox> Outbox::open(const std::filesystem::path& file, Limits limits) {
  auto database = std::make_unique<Database>();
  auto opened = open_file(*database, file.string());
  std::filesystem::path set_aside;
  if (!opened && database->damaged) {
    // Closed without a checkpoint into the damaged file: what is to be salvaged stays as it was found.
    if (database->handle) sqlite3_db_config(database->handle.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    database = std::make_unique<Database>();
    auto aside = rename_aside(file);
    if (!aside) return base::pass(std::move(aside));
    set_aside = std::move(*aside);
    opened = open_file(*database, file.string());
  }
  if (!opened) return base::pass(std::move(opened), file.string());
  Outbox outbox(std::move(database), limits);
  outbox.set_aside_ = std::move(set_aside);
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
    removed += static_cast<std::size_t>(sqlite3_changes(database_->handle.get()));
  }
  remember.again();
  remove.again();
  if (auto done = transaction.commit(); !done) return done;
  depth_ -= removed;
  return {};
}

}  // namespace schultor::report
