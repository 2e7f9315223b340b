// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/config/config.hpp"
#include "daemon/lists/download.hpp"
#include "daemon/lists/update_status.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace schultor::lists {

/// How lists are downloaded.
struct UpdateOptions {
  std::string authorities;  ///< a PEM file; empty: those that the system trusts
  DownloadLimits limits;
};

/// Brings the lists of a folder up to date, one by one: each is replaced whole or stays as it is, whatever becomes of the others.
///
/// `STATE/lists` holds NAME.FORMAT for each list, beside it .NAME.held for one that is held back, and what is under way.
/// `STATE/status.json` says how they are, and is written after each.
class Updater {
public:
  /// Creates the folders where they are missing. Fails while another update goes on. A status that cannot be read is begun anew:
  /// fault() says why.
  static base::Result<Updater> open(const std::filesystem::path& state);

  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] const UpdateStatus& status() const { return status_; }
  /// Whether there is anything that was not there before: what is in use, or the state of a list.
  [[nodiscard]] bool has_news() const { return has_news_; }

  /// Removes what belongs to none of these.
  [[nodiscard]] base::Result<void> keep_only(const std::vector<config::BlockList>& lists);
  /// Downloads a list and takes it, or says in the status why not. `forced`: also one that shrank. Fails only where the status
  /// cannot be written.
  [[nodiscard]] base::Result<void> update(const config::BlockList& list, bool forced, const UpdateOptions& options,
                                          base::Instant now);
  /// Whether a table could be made of what is in use now; empty: yes.
  [[nodiscard]] base::Result<void> note_table(const std::string& fault, base::Instant now);
  /// The table that holds what is in use is in force.
  [[nodiscard]] base::Result<void> note_in_force();

private:
  explicit Updater(std::filesystem::path state) : state_(std::move(state)), folder_(state_ / "lists") {}
  /// What became of one list.
  struct Outcome;
  [[nodiscard]] Outcome attempt(const config::BlockList& list, bool forced, const UpdateOptions& options, const ListStatus& before);
  [[nodiscard]] Outcome take(const config::BlockList& list, bool forced, int fd, const UpdateOptions& options,
                             const ListStatus& before);
  /// The name of the file that is in use; empty: there is none.
  [[nodiscard]] std::string file_in_use(const std::string& list, const ListStatus& before) const;
  /// Removes what is in use under other names than `file`, and what was held back.
  [[nodiscard]] base::Result<void> tidy(const std::string& list, const std::string& file);
  [[nodiscard]] base::Result<void> about_to_change();
  [[nodiscard]] base::Result<void> save();
  [[nodiscard]] std::string aside(const std::string& list, std::string_view ending) const;

  std::filesystem::path state_;
  std::filesystem::path folder_;
  base::UniqueFd lock_;
  UpdateStatus status_;
  bool has_news_ = false;
  std::string fault_;
};

}  // namespace schultor::lists
