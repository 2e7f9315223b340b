// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar_zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace schultor::config {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

sys_seconds less(date::local_seconds local, seconds offset) { return sys_seconds(local.time_since_epoch() - offset); }

const date::time_zone* of_database(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

/// "/example.org/20260101/Europe/Berlin" is how some programs write Europe/Berlin.
const date::time_zone* of_database_or_suffix(std::string_view name) {
  constexpr std::size_t longest_name = 200;
  if (name.empty() || name.size() > longest_name) return nullptr;
  if (const auto* zone = of_database(std::string(name))) return zone;
  // The tz database's names have up to three parts.
  auto start = name.size();
  for (int parts = 0; parts < 3 && start > 0; ++parts) {
    const auto slash = name.rfind('/', start - 1);
    if (slash == std::string_view::npos) return nullptr;
    if (const auto* zone = of_database(std::string(name.substr(slash + 1)))) return zone;
    start = slash;
  }
  return nullptr;
}

const ContentLine* line_of(const CalendarComponent& component, std::string_view name) {
  for (const auto& line : component.lines)
    if (line.name == name) return &line;
  return nullptr;
}

/// The beginnings of a STANDARD or DAYLIGHT, as changes of the zone.
class Observance {
public:
  Observance(const CalendarComponent& component, Budget& budget) : component_(component), budget_(budget) {}

  [[nodiscard]] base::Result<std::vector<Zone::Change>> changes() {
    const auto* dtstart = line_of(component_, "DTSTART");
    const auto* from = line_of(component_, "TZOFFSETFROM");
    const auto* to = line_of(component_, "TZOFFSETTO");
    if (dtstart == nullptr || from == nullptr || to == nullptr) return base::fail("expected DTSTART, TZOFFSETFROM and TZOFFSETTO");
    const auto start = read_stamps(*dtstart);
    if (!start) return tl::unexpected(start.error());
    const auto before = read_offset(plain_value(*from));
    if (!before) return tl::unexpected(before.error());
    const auto after = read_offset(plain_value(*to));
    if (!after) return tl::unexpected(after.error());
    before_ = *before;
    after_ = *after;
    add(start->front().local);
    for (const auto& line : component_.lines) {
      if (auto added = onsets(line, start->front().local); !added) return tl::unexpected(added.error());
    }
    return std::move(changes_);
  }

private:
  void add(date::local_seconds onset) { changes_.push_back({less(onset, before_), before_, after_}); }

  base::Result<void> onsets(const ContentLine& line, date::local_seconds start) {
    if (line.name == "RDATE") {
      const auto dates = read_periods(line);
      if (!dates) return tl::unexpected(dates.error());
      for (const auto& one : *dates) add(one.start.local);
    } else if (line.name == "RRULE") {
      const auto rule = read_rule(plain_value(line));
      if (!rule) return tl::unexpected(rule.error());
      // Some programs let their zones begin in the year 1; the rule is a yearly one.
      const auto earliest = date::local_days(date::year(1601) / 1 / 1);
      const auto times = expand(*rule, std::max<date::local_seconds>(start, earliest), false, budget_);
      if (!times) return tl::unexpected(times.error());
      for (const auto time : *times)
        if (!rule->until || less(time, before_) <= less(rule->until->local, rule->until->utc ? seconds{0} : before_)) add(time);
    }
    return {};
  }

  const CalendarComponent& component_;
  Budget& budget_;
  seconds before_{0};
  seconds after_{0};
  std::vector<Zone::Change> changes_;
};

}  // namespace

seconds Zone::offset_at(sys_seconds at) const {
  const auto& changes = std::get<std::vector<Change>>(rules_);
  const auto next = std::upper_bound(changes.begin(), changes.end(), at,
                                     [](sys_seconds instant, const Change& change) { return instant < change.at; });
  return next == changes.begin() ? changes.front().before : std::prev(next)->offset;
}

sys_seconds Zone::to_sys(date::local_seconds local) const {
  // In a gap and in an overlap alike, date's `first` is what held before.
  if (const auto* const* known = std::get_if<const date::time_zone*>(&rules_))
    return less(local, (*known)->get_info(local).first.offset);
  const auto earlier = offset_at(less(local, seconds{0}) - std::chrono::hours(24));
  const auto later = offset_at(less(local, seconds{0}) + std::chrono::hours(24));
  const auto with_earlier = less(local, earlier);
  const auto with_later = less(local, later);
  return offset_at(with_earlier) != earlier && offset_at(with_later) == later ? with_later : with_earlier;
}

date::local_seconds Zone::to_local(sys_seconds at) const {
  if (const auto* const* known = std::get_if<const date::time_zone*>(&rules_)) return (*known)->to_local(at);
  return date::local_seconds((at + offset_at(at)).time_since_epoch());
}

Zones::Zones(const CalendarText& calendar, const std::string& file, Budget& budget, Diagnostics& out)
    : calendar_(calendar), file_(file), budget_(budget), out_(out) {
  for (const auto& component : calendar_.zones)
    if (const auto* id = line_of(component.zone, "TZID"))
      for (auto& name : read_texts(*id)) components_.emplace(std::move(name), &component);
}

const Zone& Zones::utc() {
  static const Zone zone(std::vector<Zone::Change>{{sys_seconds{}, seconds{0}, seconds{0}}});
  return zone;
}

std::optional<Zone> Zones::own(const ZoneComponent& component) const {
  std::vector<Zone::Change> all;
  for (const auto& observance : component.observances) {
    auto changes = Observance(observance, budget_).changes();
    if (!changes) {
      out_.error({file_, observance.line, 0}, fmt::format("a time zone that cannot be read: {}", changes.error().what()));
      continue;
    }
    all.insert(all.end(), changes->begin(), changes->end());
  }
  if (all.empty()) return std::nullopt;
  std::stable_sort(all.begin(), all.end(), [](const Zone::Change& a, const Zone::Change& b) { return a.at < b.at; });
  return Zone(std::move(all));
}

const Zone* Zones::find(const std::string& tzid, int line) {
  constexpr std::size_t most_names = 1000;
  if (found_.size() >= most_names && !found_.contains(tzid)) return nullptr;
  const auto [place, fresh] = found_.try_emplace(tzid);
  auto& zone = place->second;
  if (fresh) {
    const auto component = components_.find(tzid);
    if (component != components_.end()) zone = own(*component->second);
    if (!zone) {
      if (const auto* known = of_database_or_suffix(tzid)) {
        zone.emplace(known);
      } else {
        out_.warning({file_, line, 0},
                     fmt::format("the time zone “{}” is neither a VTIMEZONE of the file nor in the tz database: its times are read "
                                 "as the gateway's own",
                                 shortened(tzid)));
      }
    }
  }
  return zone ? &*zone : nullptr;
}

}  // namespace schultor::config
