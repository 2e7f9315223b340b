// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar_event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace schultor::config {
namespace {

using date::days;
using date::local_days;
using date::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr auto first_day = local_days(date::year(first_calendar_year) / 1 / 1);
constexpr auto day_after_last = local_days(date::year(last_calendar_year + 1) / 1 / 1);

/// How long an instance is: by the calendar, then by the clock.
using Extent = Length;

class Writer {
public:
  Writer(EventText& text, bool inclusive, const Exceptions* replaced, Zones& zones, Budget& budget, Diagnostics& out)
      : text_(text), inclusive_(inclusive), replaced_(replaced), zones_(zones), budget_(budget), out_(out) {}

  void write() {
    zone_ = zone_of(text_.start);
    whole_days_ = text_.start.value.is_date;
    const auto extent = extent_of();
    if (!extent) return;
    for (const auto& one : text_.exceptions) exceptions_.add(one.value, zone_of(one));
    add(text_.start.value.local, *extent);
    rules(*extent);
    easter(*extent);
    for (const auto& one : text_.further) further(one, *extent);
    // Two instances that begin together are one: what RDATE says of its length came last.
    for (const auto& [start, length] : instances_) instance(start, length);
    sort();
  }

private:
  void error(int line, const std::string& what) { out_.error({text_.event.source.file, line, 0}, what); }

  const Zone* zone_of(const Lined<Stamp>& stamp) {
    if (stamp.value.utc) return &Zones::utc();
    if (stamp.value.tzid.empty()) return nullptr;
    return zones_.find(stamp.value.tzid, stamp.line);
  }

  /// From `start`, which is in our own zone, to `end`; none where that is before it.
  std::optional<Extent> between(const Stamp& start, const Lined<Stamp>& end) {
    Extent extent;
    if (whole_days_) {
      const auto apart = date::floor<days>(end.value.local) - date::floor<days>(start.local);
      extent.days = inclusive_ ? apart + days(1) : std::max(apart, days(apart == days(0) ? 1 : 0));
      if (apart >= days(0)) return extent;
    } else {
      // A DTEND without a zone is in DTSTART's; one with a zone beside a DTSTART without is taken at its word on the clock.
      const auto* other = end.value.utc || !end.value.tzid.empty() ? zone_of(end) : zone_;
      extent.exact = zone_ != nullptr && other != nullptr ? other->to_sys(end.value.local) - zone_->to_sys(start.local)
                                                          : end.value.local - start.local;
      if (extent.exact >= seconds(0)) return extent;
    }
    error(end.line, "the event ends before it begins");
    return std::nullopt;
  }

  std::optional<Extent> extent_of() {
    if (text_.end) return between(text_.start.value, *text_.end);
    if (text_.length) return whole(text_.length->value);
    return whole({});
  }

  /// An all-day event lasts whole days, one at least.
  [[nodiscard]] Extent whole(Extent extent) const {
    if (!whole_days_) return extent;
    return {std::max(days(1), extent.days + date::ceil<days>(extent.exact)), seconds(0)};
  }

  void add(local_seconds start, const Extent& extent) { instances_[start] = extent; }

  void rules(const Extent& extent) {
    for (const auto& rule : text_.rules) {
      const auto times = expand(rule.value, text_.start.value.local, whole_days_, budget_);
      if (!times) {
        error(rule.line, times.error().what());
        continue;
      }
      for (const auto time : *times)
        if (!rule.value.until || within(*rule.value.until, time)) add(time, extent);
    }
  }

  [[nodiscard]] bool within(const Stamp& until, local_seconds time) const {
    // A day is meant with all its hours, also where UNTIL is a day and DTSTART a time or the other way round.
    if (until.is_date || whole_days_) return date::floor<days>(time) <= date::floor<days>(until.local);
    if (until.utc && zone_ != nullptr) return zone_->to_sys(time) <= sys_seconds(until.local.time_since_epoch());
    return time <= until.local;
  }

  void easter(const Extent& extent) {
    if (!text_.easter) return;
    const auto start = text_.start.value.local;
    const auto time_of_day = start - date::floor<days>(start);
    const int year = static_cast<int>(date::year_month_day(date::floor<days>(start)).year());
    for (int y = std::max(year, first_calendar_year); y <= last_calendar_year; ++y)
      add(easter_sunday(y) + days(text_.easter->value) + time_of_day, extent);
  }

  void further(const Lined<Period>& one, const Extent& usual) {
    const auto& period = one.value;
    const Lined<Stamp> start{period.start, one.line};
    if (whole_days_ && !period.start.is_date) return error(one.line, "RDATE is a time where DTSTART is a day, expected both alike");
    std::optional<Extent> extent = usual;
    if (period.length) extent = whole(*period.length);
    // An RDATE may name a zone of its own; a date alone means DTSTART's time on it.
    auto local = period.start.local;
    if (period.start.is_date && !whole_days_) local += text_.start.value.local - date::floor<days>(text_.start.value.local);
    const auto* zone = zone_of(start);
    if (zone_ != nullptr && zone != nullptr) local = zone_->to_local(zone->to_sys(local));
    if (period.end) {
      auto stamp = text_.start.value;
      stamp.local = local;
      extent = between(stamp, {*period.end, one.line});
    }
    if (extent) add(local, *extent);
  }

  [[nodiscard]] bool excepted(local_seconds start) const {
    const auto in = [&](const Exceptions& some) {
      return some.dates.contains(date::floor<days>(start)) || some.local.contains(start) ||
             (!some.instants.empty() &&
              some.instants.contains(zone_ != nullptr ? zone_->to_sys(start) : sys_seconds(start.time_since_epoch())));
    };
    return in(exceptions_) || (replaced_ != nullptr && in(*replaced_));
  }

  void instance(local_seconds start, const Extent& extent) {
    if (start >= day_after_last || excepted(start)) return;
    std::optional<Occurrence> occurrence;
    if (whole_days_) {
      const auto first = date::floor<days>(start);
      const auto last = first + extent.days - days(1);
      if (last >= first_day) occurrence = AllDay{std::max(first, first_day), std::min(last, day_after_last - days(1))};
    } else if (zone_ == nullptr) {
      occurrence =
          clipped<Floating>(start, start + extent.days + extent.exact, local_seconds(first_day), local_seconds(day_after_last));
    } else {
      constexpr sys_seconds from(first_day.time_since_epoch());
      constexpr sys_seconds to(day_after_last.time_since_epoch());
      occurrence = clipped<Timed>(zone_->to_sys(start), zone_->to_sys(start + extent.days) + extent.exact, from, to);
    }
    if (!occurrence) return;
    if (budget_.occurrences-- > 0) {
      text_.event.occurrences.push_back(*occurrence);
    } else if (!std::exchange(budget_.exhausted, true)) {
      error(text_.event.source.line,
            "more than 200000 occurrences in all: keep the events that are holidays, or give rules an UNTIL");
    }
  }

  template <typename T, typename Time>
  static std::optional<Occurrence> clipped(Time start, Time end, Time from, Time to) {
    if (start >= to || end < from || (end == from && start < end)) return std::nullopt;
    return T{std::max(start, from), std::min(end, to)};
  }

  void sort() {
    const auto less = [](const Occurrence& a, const Occurrence& b) {
      if (a.index() != b.index()) return a.index() < b.index();
      if (const auto* x = std::get_if<AllDay>(&a)) {
        const auto& y = std::get<AllDay>(b);
        return std::tie(x->first, x->last) < std::tie(y.first, y.last);
      }
      if (const auto* x = std::get_if<Timed>(&a)) {
        const auto& y = std::get<Timed>(b);
        return std::tie(x->start, x->end) < std::tie(y.start, y.end);
      }
      const auto& x = std::get<Floating>(a);
      const auto& y = std::get<Floating>(b);
      return std::tie(x.start, x.end) < std::tie(y.start, y.end);
    };
    auto& all = text_.event.occurrences;
    std::sort(all.begin(), all.end(), less);
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }

  EventText& text_;
  bool inclusive_;
  const Exceptions* replaced_;
  Exceptions exceptions_;
  Zones& zones_;
  Budget& budget_;
  Diagnostics& out_;
  const Zone* zone_ = nullptr;
  bool whole_days_ = false;
  std::map<local_seconds, Extent> instances_;
};

}  // namespace

void Exceptions::add(const Stamp& stamp, const Zone* zone) {
  if (stamp.is_date) dates.insert(date::floor<days>(stamp.local));
  else if (zone == nullptr) local.insert(stamp.local);
  else instants.insert(zone->to_sys(stamp.local));
}

void work_out(EventText& event, bool inclusive, const Exceptions* replaced, Zones& zones, Budget& budget, Diagnostics& out) {
  Writer(event, inclusive, replaced, zones, budget, out).write();
}

}  // namespace schultor::config
