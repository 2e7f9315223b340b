// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/wall_clock.hpp"
#include "daemon/policy/policy.hpp"
#include "daemon/policy/schedule.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace schultor::enforce {

/// As it ends an event's id: UTC, with a fraction of the second only where there is one. Two events of a second are two.
[[nodiscard]] std::string instant_in_id(base::Instant at);

/// A group went from one profile to another.
struct ModeChange {
  std::string group;
  std::string previous;  ///< empty when it is not known, as after a start with an empty kernel
  policy::Holding holding;
  base::Instant at;  ///< when it fell due, a whole second; or when somebody brought it about
  bool operator==(const ModeChange&) const = default;
};

/// Sees to it that no two changes of a group are told by one instant: where a change leads back to what held before, as a cleared
/// override does, what holds since long ago is due to now. The latest instant of each group is kept in `told`.
void tell_apart(std::vector<ModeChange>& changes, base::Instant now, std::map<std::string, base::Instant>& told);

/// {"id", "kind": "mode", "at", "group", "profile", "previous", "because", "text"}. The id derives from group and
/// instant alone, so that the same change described again after a crash is the same event.
[[nodiscard]] std::string mode_event(const policy::Policy& policy, const ModeChange& change);
/// Of a refused configuration's errors as many as are told one by one, and how many more there are; the journal has them all.
inline constexpr std::size_t most_told_errors = 50;  ///< lines, that one with it; no more than the city is told
[[nodiscard]] std::vector<std::string> in_short(std::vector<std::string> errors);
/// {"id", "kind": "configuration", "at", "result": "applied" | "refused", "revision", "errors"?}. `errors`: each with its place.
[[nodiscard]] std::string configuration_event(const policy::Policy& policy, base::Instant at,
                                              const std::vector<std::string>& errors);

/// {"id", "kind": "clock", "at", "result": "trusted" | "untrusted", "text"}.
[[nodiscard]] std::string clock_event(const policy::Policy& policy, base::Instant at, bool trusted);

/// Questions that the DNS gate writes to its journal for a while.
struct QuestionLog {
  std::chrono::sys_seconds since;
  std::chrono::sys_seconds until;
  std::optional<std::string> profile;  ///< none: all
  std::string by;                      ///< who switched it on
};
/// {"id", "kind": "debug", "at", "result": "begun" | "ended", "until", "profile"?, "by", "text"}: that it is on, never what is
/// written.
[[nodiscard]] std::string question_log_event(const policy::Policy& policy, base::Instant at, bool begun, const QuestionLog& about,
                                             const std::string& by);

/// {"id", "kind": "fault", "at", "text"}: something of the gateway's is broken. `what`: a word for it.
[[nodiscard]] std::string fault_event(const policy::Policy& policy, base::Instant at, const std::string& what,
                                      const std::string& text);

/// {"id", "kind": "tampering", "at", "text"}: somebody else had a hand in what the gateway enforces. `what`: a word for it.
[[nodiscard]] std::string tampering_event(const policy::Policy& policy, base::Instant at, const std::string& what,
                                          const std::string& text);

/// The latest events, for a reporter that was away when they were raised.
class EventLog {
public:
  /// More than a week of a school with a hundred groups.
  static constexpr std::size_t most = 2048;
  static constexpr std::size_t most_octets = std::size_t{16} << 20U;

  /// `at`: the event's instant. Those that were added first make room; the one that was added last is always there.
  void add(base::Instant at, std::string event);
  /// By their instants, oldest first; those of one instant as they were added. After a crash older ones are told after newer ones.
  [[nodiscard]] std::vector<std::string> all() const;

private:
  struct Entry {
    base::Instant at;
    std::string event;
  };
  std::deque<Entry> events_;
  std::size_t octets_ = 0;
};

}  // namespace schultor::enforce
