// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/result.hpp"
#include "daemon/policy/override.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace schultor::enforce {

struct GatewayOptions {
  std::string config_directory;
  std::string state_directory;
  std::string runtime_directory;
  std::string list_status;  ///< what the update of downloaded lists left, see lists::UpdateStatus
  std::string table;        ///< of lists: lists::default_table
  std::string gate_group;   ///< a group of the system that may open the gate's socket; one that does not exist is a warning
  std::string cache_group;  ///< the same for the content cache's
};

/// Who wants to know what happens.
struct GatewayObserver {
  std::function<void(const std::string& event_json)> event;
  /// Modes, health or configuration changed; with a line for people.
  std::function<void(const std::string& status_line)> changed;
};

/// A group as it stands now.
struct GroupStatus {
  std::string name;
  std::string profile;
  std::string because;
  std::string text;
  std::optional<std::chrono::sys_seconds> since;  ///< none where no change of profile is known
  std::optional<std::chrono::sys_seconds> until;
  std::string ownership;
  std::size_t devices = 0;  ///< in the roster
};

struct GatewayStatus {
  std::string school;
  std::uint64_t policy_revision = 0;
  std::vector<GroupStatus> groups;
};

/// The gate of a school at work: keeps the kernel at what the policy says now, and the DNS gate supplied.
class Gateway {
public:
  /// Reads the configuration, commits what holds now and opens the gate's socket: what holds is in the kernel when this returns.
  static base::Result<std::unique_ptr<Gateway>> start(base::EventLoop& loop, const GatewayOptions& options,
                                                      GatewayObserver observer);
  ~Gateway();

  /// Reads the configuration anew and applies it whole, or leaves everything as it is and says why.
  [[nodiscard]] base::Result<void> reload();

  /// To be called last, when the daemon ends for service: does what [service] on_stop says. The rules outlive the daemon.
  /// Returns whether anything holds otherwise now.
  bool stop_for_service();

  /// Sets an override, on disk before the kernel knows it. Answers with it as JSON: {"id", "group" (null: all), "profile", "from",
  /// "until", "reason", "by"}.
  [[nodiscard]] base::Result<std::string> set_override(const policy::OverrideRequest& request);
  /// Extends the override that holds for the group, or with none the last one for all groups. Answers as set_override().
  [[nodiscard]] base::Result<std::string> extend_override(const std::optional<std::string>& group, const std::string& span,
                                                          const std::string& by);
  /// Ends the group's overrides, or with none all. Answers with how many ended, as JSON: {"cleared": 1}.
  [[nodiscard]] base::Result<std::string> clear_override(const std::optional<std::string>& group, const std::string& by);

  /// Has the DNS gate write the questions of a profile, or with none of all, to its journal: for a second to an hour. Answers with
  /// {"since", "until", "profile" (null: all), "by"}.
  [[nodiscard]] base::Result<std::string> log_questions(std::chrono::seconds span, const std::optional<std::string>& profile,
                                                        const std::string& by);
  /// Answers with whether there was anything to end: {"ended": true}.
  [[nodiscard]] std::string end_question_log(const std::string& by);

  /// Borrowed; holds until the next turn of the loop.
  [[nodiscard]] const GatewayStatus& status() const;
  /// status() and health as the JSON that Manager.Describe answers with.
  [[nodiscard]] std::string describe() const;
  /// The kept origins whose names lead to themselves because the cache does not answer for them, by name.
  [[nodiscard]] std::vector<std::string> unwell_origins() const;
  /// What the gate has counted, as the JSON that Manager.GateStatistics answers with: `answer` is called once, within about a
  /// second, perhaps before this returns.
  void gate_statistics(std::function<void(const std::string& json)> answer) const;
  /// Which devices are there, as the JSON that Manager.ListDevices answers with.
  [[nodiscard]] base::Result<std::string> devices() const;
  /// What the kernel was told, in nft syntax, without the pins.
  [[nodiscard]] std::string ruleset() const;
  /// What the kernel holds otherwise than it was told, in lines for people, without pins. Reads all of the table.
  [[nodiscard]] base::Result<std::vector<std::string>> verify() const;
  /// Whether the kernel holds what it is to hold, as far as that is known: false while it refuses that.
  [[nodiscard]] bool ruleset_in_force() const;
  /// The events that are still known, oldest first.
  [[nodiscard]] std::vector<std::string> events() const;
  /// "3b: school until 17:00; byod: …"
  [[nodiscard]] std::string status_line() const;

private:
  struct Impl;
  explicit Gateway(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::enforce
