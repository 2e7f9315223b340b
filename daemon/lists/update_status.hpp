// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/wall_clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What is known of the lists that are downloaded: written by the update, told by schultord and schultorctl.
namespace schultor::lists {

/// Where it lies, unless told otherwise.
inline constexpr const char* default_update_status = "/var/lib/schultor-lists/status.json";

enum class UpdateState : std::uint8_t {
  ok,      ///< what the server has is in use
  held,    ///< what the server has is held back; what was there before is in use
  failed,  ///< nothing usable came; what was there before is in use
};
[[nodiscard]] std::string_view to_string(UpdateState state);

struct ListStatus {
  std::string list;
  std::string host;    ///< of its address, of which the rest is nobody's business
  std::string source;  ///< a digest of its address and format: whether these are others now
  UpdateState state = UpdateState::failed;
  std::string reason;     ///< why it is held or failed, for people; empty: ok
  base::Instant since{};  ///< when that came about; of ok: when its contents did. Tells one event from another
  std::optional<std::chrono::sys_seconds> updated;  ///< when the server was last heard to have what is in use
  std::string file;                                 ///< its name in the folder of downloads; empty: there is none
  std::uint64_t entries = 0;                        ///< names and addresses in it
  std::string etag;                                 ///< as the server gave it; may be empty
  std::string last_modified;                        ///< likewise
  bool operator==(const ListStatus&) const = default;
};

struct UpdateStatus {
  /// Whether the table that is in force holds what is in use. False while an update goes on, and after one that was cut short.
  bool compiled = true;
  std::string table_fault;        ///< why no table could be made of the lists; empty: one could
  base::Instant table_since{};    ///< when that came about
  std::vector<ListStatus> lists;  ///< by name
  bool operator==(const UpdateStatus&) const = default;

  /// Null where there is none of that name.
  [[nodiscard]] const ListStatus* find(std::string_view list) const;
};

/// Texts beyond this are not written; a file with one is refused.
inline constexpr std::size_t longest_status_text = 400;
/// A file of it beyond this is refused.
inline constexpr std::size_t largest_status = std::size_t{256} << 10U;

/// Fit for a status: one line of UTF-8, not too long.
[[nodiscard]] std::string status_text(std::string_view text);

[[nodiscard]] std::string to_json(const UpdateStatus& status);
/// Refuses whatever to_json() does not write. Pure.
[[nodiscard]] base::Result<UpdateStatus> update_status_from_json(std::string_view text);
/// Of a file; one that is not there is a status without lists.
[[nodiscard]] base::Result<UpdateStatus> read_update_status(const std::string& path);

}  // namespace schultor::lists
