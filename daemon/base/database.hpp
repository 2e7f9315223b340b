// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace schultor::base {

/// An SQLite file of one process (WAL, synchronous=FULL): what a Transaction has committed survives a crash and a power cut.
class Database {
public:
  struct Schema {
    std::int64_t version = 1;
    const char* statements = "";  ///< that make it in an empty file
  };

  /// Creates the file where there is none. A damaged one is renamed aside (set_aside()) and begun anew; one of a newer schema is an
  /// error and stays as it is. `what` names it in messages: "the outbox".
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, std::string what, Schema schema);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Statements without parameters or rows.
  [[nodiscard]] Result<void> execute(const char* sql);
  /// Rows that the last statement changed.
  [[nodiscard]] std::size_t changes() const;
  /// Where a damaged file was put at open(); empty if it was sound.
  [[nodiscard]] const std::filesystem::path& set_aside() const;
  /// Whether a failure was damage of the file: to be opened anew.
  [[nodiscard]] bool damaged() const;

  class Statement;
  class Transaction;

private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One statement, its parameters bound in order. The first failure sticks and is given by step(). The database outlives it.
class Database::Statement {
public:
  Statement(Database& database, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& bind(std::int64_t value);
  /// The text must live until the last step().
  Statement& bind(std::string_view text);
  /// Whether there is a row.
  [[nodiscard]] Result<bool> step();
  /// Ready for the next parameters. One that still stands on a row keeps a transaction from ending.
  Statement& again();

  /// Columns of the row, from 0.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

private:
  State& database_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = 0;
  int bound_ = 0;
};

/// Rolls back what was not committed. The database outlives it.
class Database::Transaction {
public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  [[nodiscard]] const Result<void>& begun() const { return begun_; }
  [[nodiscard]] Result<void> commit();

private:
  Database& database_;
  Result<void> begun_;
};

}  // namespace schultor::base
