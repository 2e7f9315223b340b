// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace schultor::base {
class Database;
}

namespace schultor::report {

/// What waits for the city, in an SQLite file of its own (WAL, synchronous=FULL): what add() has returned for survives
/// a crash and a power cut. A message is pending until it is delivered; its id is remembered after that, so that an
/// event which schultord lists once more is not sent once more.
class Outbox {
public:
  using Instant = std::chrono::sys_seconds;

  struct Limits {
    std::size_t pending = 100'000;              ///< then add() refuses; a large school needs months to get there
    std::chrono::seconds remember{30 * 86400};  ///< a delivered id, after it was last listed
    std::size_t remembered = 100'000;           ///< delivered ids; far beyond what schultord lists
  };
  struct Message {
    std::string id;
    std::string topic;
    std::string payload;
  };
  struct Row {
    std::int64_t number = 0;  ///< rising in the order of add(), above 0
    std::string topic;
    std::string payload;
  };
  struct Added {
    std::size_t kept = 0;
    std::size_t known = 0;    ///< pending or delivered already
    std::size_t refused = 0;  ///< the outbox is full
  };

  /// Creates the file where there is none. A damaged one is renamed aside (set_aside()) and begun anew; one of a newer
  /// version is an error and stays as it is.
  static base::Result<Outbox> open(const std::filesystem::path& file, Limits limits);
  static base::Result<Outbox> open(const std::filesystem::path& file) { return open(file, Limits{}); }

  /// Keeps those that are neither pending nor delivered, in their order, all or none of them in one transaction.
  [[nodiscard]] base::Result<Added> add(std::span<const Message> messages, Instant now);
  /// The same for everything that schultord still lists; forgets delivered ids that have grown old and are not among them.
  [[nodiscard]] base::Result<Added> reconcile(std::span<const Message> listed, Instant now);

  /// Pending messages in order, those numbered above `after`, at most `most`.
  [[nodiscard]] base::Result<std::vector<Row>> pending(std::int64_t after, std::size_t most) const;
  /// The broker has them: no longer pending, their ids remembered. One transaction; numbers not pending are no error.
  [[nodiscard]] base::Result<void> deliver(std::span<const std::int64_t> numbers, Instant now);

  /// How many are pending.
  [[nodiscard]] std::size_t depth() const { return depth_; }
  /// Where a damaged file was put at open(); empty if it was sound.
  [[nodiscard]] const std::filesystem::path& set_aside() const;
  /// Whether a failure was damage of the file: to be opened anew.
  [[nodiscard]] bool damaged() const;

  Outbox(Outbox&&) noexcept;
  Outbox& operator=(Outbox&&) noexcept;
  ~Outbox();

private:
  Outbox(std::unique_ptr<base::Database> database, Limits limits);
  base::Result<Added> add_all(std::span<const Message> messages, Instant now, bool forget);
  base::Result<void> forget_old(Instant now);

  std::unique_ptr<base::Database> database_;
  Limits limits_;
  std::size_t depth_ = 0;
};

}  // namespace schultor::report
