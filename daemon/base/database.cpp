// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/database.hpp"

#include <sqlite3.h>

#include <system_error>
#include <utility>

namespace schultor::base {
namespace {

bool means_damage(int code) { return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB; }

struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};

/// The file with its journal, to names that are free.
Result<std::filesystem::path> rename_aside(const std::filesystem::path& file) {
  std::filesystem::path aside;
  std::error_code error;
  for (int i = 1;; ++i) {
    aside = fmt::format("{}.damaged-{}", file.string(), i);
    if (!std::filesystem::exists(aside, error)) break;
  }
  std::filesystem::rename(file, aside, error);
  if (error) return fail("renaming the damaged {} to {}: {}", file.string(), aside.string(), error.message());
  for (const char* suffix : {"-wal", "-shm"}) {
    std::filesystem::rename(file.string() + suffix, aside.string() + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory)
      return fail("renaming {}{}: {}", file.string(), suffix, error.message());
  }
  return aside;
}

}  // namespace

struct Database::State {
  std::string what;
  std::unique_ptr<sqlite3, Close> handle;
  bool damaged = false;
  std::filesystem::path set_aside;

  tl::unexpected<Error> failed(int code) {
    damaged = damaged || means_damage(code);
    return fail("{}: {}", what, handle ? sqlite3_errmsg(handle.get()) : sqlite3_errstr(code));
  }

  Result<void> execute(const char* sql) {
    const int code = sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failed(code);
    return {};
  }

  Result<void> open(const std::string& file) {
    sqlite3* made = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle.reset(made);
    if (code != SQLITE_OK) return failed(code);
    sqlite3_busy_timeout(made, 1000);
    for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 4194304"})
      if (auto done = execute(sql); !done) return done;
    return {};
  }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

namespace {

/// What the first column of the first row says.
Result<std::string> ask(Database& database, std::string_view sql) {
  Database::Statement statement(database, sql);
  auto row = statement.step();
  if (!row) return pass(std::move(row));
  return *row ? statement.text(0) : std::string();
}

/// Looks at the whole file, and makes the schema where there is none.
Result<void> prepare(Database& database, bool& is_damaged, const std::string& what, const Database::Schema& schema) {
  auto sound = ask(database, "PRAGMA integrity_check(1)");
  if (!sound) return pass(std::move(sound));
  if (*sound != "ok") {
    is_damaged = true;
    return fail("{}: {}", what, *sound);
  }
  Database::Statement version(database, "PRAGMA user_version");
  if (auto row = version.step(); !row) return pass(std::move(row));
  const auto found = version.number(0);
  if (found > schema.version)
    return fail("{} was written by a newer version (schema {}, this one knows {}): install that one again", what, found,
                schema.version);
  if (found == schema.version) return {};
  version.again();
  Database::Transaction transaction(database);
  if (!transaction.begun()) return transaction.begun();
  if (auto done = database.execute(schema.statements); !done) return done;
  if (auto done = database.execute(fmt::format("PRAGMA user_version = {}", schema.version).c_str()); !done) return done;
  return transaction.commit();
}

}  // namespace

Result<Database> Database::open(const std::filesystem::path& file, std::string what, Schema schema) {
  const auto attempt = [&](Database& database) -> Result<void> {
    if (auto opened = database.state_->open(file.string()); !opened) return opened;
    return prepare(database, database.state_->damaged, what, schema);
  };
  const auto begin = [&] {
    Database made(std::make_unique<State>());
    made.state_->what = what;
    return made;
  };
  auto database = begin();
  auto opened = attempt(database);
  if (!opened && database.damaged()) {
    // Closed without a checkpoint into the damaged file: what is to be salvaged stays as it was found.
    if (database.state_->handle) sqlite3_db_config(database.state_->handle.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    database = begin();
    auto aside = rename_aside(file);
    if (!aside) return pass(std::move(aside));
    database.state_->set_aside = std::move(*aside);
    opened = attempt(database);
  }
  if (!opened) return pass(std::move(opened), file.string());
  return database;
}

Result<void> Database::execute(const char* sql) { return state_->execute(sql); }
std::size_t Database::changes() const { return static_cast<std::size_t>(sqlite3_changes(state_->handle.get())); }
const std::filesystem::path& Database::set_aside() const { return state_->set_aside; }
bool Database::damaged() const { return state_->damaged; }

Database::Statement::Statement(Database& database, std::string_view sql) : database_(*database.state_) {
  code_ = sqlite3_prepare_v2(database_.handle.get(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
}

Database::Statement::~Statement() { sqlite3_finalize(statement_); }

Database::Statement& Database::Statement::bind(std::int64_t value) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Database::Statement& Database::Statement::bind(std::string_view text) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Result<bool> Database::Statement::step() {
  if (code_ == SQLITE_OK) code_ = sqlite3_step(statement_);
  if (code_ != SQLITE_ROW && code_ != SQLITE_DONE) return database_.failed(code_);
  return std::exchange(code_, SQLITE_OK) == SQLITE_ROW;
}

Database::Statement& Database::Statement::again() {
  code_ = sqlite3_reset(statement_);
  bound_ = 0;
  return *this;
}

std::int64_t Database::Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Database::Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Database::Transaction::Transaction(Database& database) : database_(database), begun_(database.execute("BEGIN IMMEDIATE")) {}

Database::Transaction::~Transaction() {
  if (begun_ && sqlite3_get_autocommit(database_.state_->handle.get()) == 0) static_cast<void>(database_.execute("ROLLBACK"));
}

Result<void> Database::Transaction::commit() { return database_.execute("COMMIT"); }

}  // namespace schultor::base
