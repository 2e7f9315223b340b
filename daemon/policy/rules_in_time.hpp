// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/schedule.hpp"

#include <date/tz.h>

#include <vector>

/// A schedule's rules as a function of the wall-clock time, and the instants at which their answer may change.
namespace schultor::policy {

using LocalTime = date::local_seconds;

/// The wall clock of a zone. Remembers the offset that it used last: instants are mostly asked for in order.
class LocalClock {
public:
  explicit LocalClock(const date::time_zone& zone) : zone_(zone) {}

  /// The stretch of one offset that the instant lies in.
  const date::sys_info& info(Seconds at);
  LocalTime local(Seconds at) { return LocalTime{at.time_since_epoch() + info(at).offset}; }

private:
  const date::time_zone& zone_;
  date::sys_info info_{};
};

/// Which rule of a schedule decides. All borrowed.
struct Ruling {
  Because because = Because::otherwise;
  const Day* day = nullptr;          ///< for `day`
  const Holiday* holiday = nullptr;  ///< for `holiday`
  const Window* window = nullptr;    ///< that holds; null where none does
};

/// The first that applies at a local time: [[day]] → holiday → windows → otherwise. A [[day]] and a holiday rule their whole date.
[[nodiscard]] Ruling ruling_at(const Schedule& schedule, LocalTime local);
/// In words.
[[nodiscard]] Holding describe(const Schedule& schedule, const Ruling& ruling);

/// Adds the instants in [begin, end) at which the ruling may change: where the local time comes by the edge of a window or a date,
/// and where the zone's clock is changed.
void add_edges(const Schedule& schedule, LocalClock& clock, Seconds begin, Seconds end, std::vector<Seconds>& instants);

}  // namespace schultor::policy
