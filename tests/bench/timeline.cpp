// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// What a timeline of five years costs for a rich configuration, beside the least that anybody does (each instant at which something
// may change, converted to local time once) and beside what needs no thought (asking at every minute). With --check one
// group of each schedule is walked minute by minute over a winter, and timeline and walk must agree.
#include "daemon/policy/compile.hpp"
#include "daemon/policy/rules_in_time.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace schultor;
using namespace schultor::bench;

namespace {

constexpr int schedules = 10;
constexpr int groups = 60;

/// Ten schedules with three windows each, one of them over midnight, six of ten with calendars; sixty groups; a movable holiday
/// and an open day in each school year.
config::Files files() {
  config::Files files{"timezone = \"Europe/Berlin\"\n", "revision = 1\n", "", std::nullopt};
  auto& city = *files.city;
  for (const auto* profile : {"school", "leisure", "night"})
    city += fmt::format("[[profile]]\nname = \"{}\"\naccess = \"{}\"\n", profile, *profile == 's' ? "listed" : "open");
  for (int i = 0; i < schedules; ++i) {
    city += fmt::format(
        "[[schedule]]\nname = \"s{0}\"\nduring = \"school\"\notherwise = \"leisure\"\nholidays = \"night\"\n"
        "windows = [\"Mon..Fri {1:02}:{0:02}-12:30\", \"Mon,Wed..Fri 13:{0:02}-16:00\", \"Sun..Thu 22:00-06:{0:02}\"]\n",
        i, 7 + i % 2);
    if (i % 5 > 1) city += "calendars = [{file = \"calendars/a.ics\", except = [\"*Sprechtag*\"]}, \"calendars/b.ics\"]\n";
  }
  auto& school = *files.school;
  for (int i = 0; i < groups; ++i)
    school += fmt::format("[[group]]\nname = \"g{}\"\nschedule = \"s{}\"\n{}", i, i % schedules, i == 0 ? "unknown = true\n" : "");
  auto& holidays = files.named["calendars/a.ics"];
  holidays = "BEGIN:VCALENDAR\n";
  for (int year = 2026; year <= 2031; ++year) {
    school += fmt::format("[[day]]\ndate = \"{}-11-28\"\nwindows = [\"09:00-13:00\"]\n[[day]]\ndate = \"{}-05-15\"\nwindows = []\n",
                          year, year);
    for (const auto* span : {"0330 0410", "0720 0901", "1019 1030", "1223 1231"})
      holidays += fmt::format("BEGIN:VEVENT\nDTSTART:{0}{1:.4}\nDTEND:{0}{2}\nSUMMARY:Ferien\nEND:VEVENT\n", year, span, span + 5);
  }
  holidays +=
      "BEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:20260106T140000\nDURATION:PT2H\nRRULE:FREQ=MONTHLY;BYDAY=1TU\n"
      "SUMMARY:Sprechtag\nEND:VEVENT\nEND:VCALENDAR\n";
  files.named["calendars/b.ics"] =
      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260403\nX-SCHULTOR-EASTER:-2\nSUMMARY:Karfreitag\nEND:VEVENT\n"
      "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261003\nRRULE:FREQ=YEARLY\nSUMMARY:Einheit\nEND:VEVENT\n"
      "BEGIN:VEVENT\nDTSTART:20260112T070000Z\nDTEND:20260112T150000Z\nRRULE:FREQ=WEEKLY;INTERVAL=7\nSUMMARY:Studientag\n"
      "END:VEVENT\nEND:VCALENDAR\n";
  return files;
}

policy::Policy make_policy() {
  auto loaded = policy::load(files(), config::Need::hours());
  if (!loaded.policy) {
    for (const auto& one : loaded.diagnostics) std::fprintf(stderr, "%s\n", config::to_string(one).c_str());
    give_up("the configuration does not load");
  }
  return *std::move(loaded.policy);
}

/// The tenth of the month at 00:00 UTC+1.
policy::Seconds day(int year, unsigned month) {
  return date::sys_days{date::year{year} / date::month{month} / 10} - std::chrono::hours{1};
}

/// Where the group's answer may change at all.
std::vector<policy::Seconds> edges_of(const policy::Policy& policy, const policy::Group& group, policy::Seconds from,
                                      policy::Seconds to) {
  policy::LocalClock clock(*policy.zone);
  std::vector<policy::Seconds> edges;
  add_edges(policy.schedules[*group.schedule], clock, from, to, edges);
  return edges;
}

/// The floor: the instants are given, each is converted once, and nothing is decided.
std::int64_t convert(const policy::Policy& policy, const std::vector<policy::Seconds>& edges) {
  policy::LocalClock clock(*policy.zone);
  std::int64_t sum = 0;
  for (const auto at : edges) sum += clock.local(at).time_since_epoch().count();
  return sum;
}

using Lines = std::vector<std::pair<policy::Seconds, std::string>>;

/// What needs no thought.
Lines walked(const policy::Policy& policy, const policy::Group& group, policy::Seconds from, policy::Seconds to) {
  Lines lines;
  for (auto at = from; at < to; at += std::chrono::minutes{1}) {
    const auto profile = holding_at(policy, group, at).profile;
    if (lines.empty() || lines.back().second != profile) lines.emplace_back(at, profile);
  }
  return lines;
}

Lines told(const policy::Policy& policy, const policy::Group& group, policy::Seconds from, policy::Seconds to) {
  Lines lines;
  for (auto& line : timeline(policy, group, from, to)) lines.emplace_back(line.at, std::move(line.holding.profile));
  return lines;
}

/// One group of each schedule, minute by minute over a winter between two clock changes.
void check(const policy::Policy& policy) {
  for (int i = 0; i < schedules; ++i) {
    const auto& group = policy.groups[static_cast<std::size_t>(i)];
    const auto lines = told(policy, group, day(2026, 10), day(2027, 4));
    if (lines.size() < 300) give_up("the timeline is too short to tell anything");
    if (lines != walked(policy, group, day(2026, 10), day(2027, 4)))
      give_up(group.name + ": the timeline is not what every minute says");
  }
  fmt::print("the timelines of {} schedules are what every minute says\n", schedules);
}

void measure(const policy::Policy& policy, std::size_t rounds) {
  const auto from = day(2026, 8), to = day(2031, 8);
  const auto& group = policy.groups[4];
  std::vector<double> load, one, all, floor, every;
  std::size_t lines = 0, lines_of_one = 0;
  const auto edges = edges_of(policy, group, from, to);
  volatile std::int64_t sink = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    load.push_back(timed<std::milli>([] { make_policy(); }));
    floor.push_back(timed<std::milli>([&] { sink = sink + convert(policy, edges); }));
    one.push_back(timed<std::milli>([&] { lines_of_one = timeline(policy, group, from, to).size(); }));
    all.push_back(timed<std::milli>([&] {
      for (const auto& any : policy.groups) lines = std::max(lines, timeline(policy, any, from, to).size());
    }));
    if (round < 3) every.push_back(timed<std::milli>([&] { walked(policy, group, from, to); }));
  }
  fmt::print(
      "Five years of one of {} groups under {} schedules: medians of {} rounds. Times are this machine's; the ratios are to "
      "converting\n"
      "each of the {} instants at which something may change to local time once (the floor), and of asking at every minute.\n\n",
      groups, schedules, rounds, edges.size());
  fmt::print(
      "{:>28} {:>10.2f} ms\n{:>28} {:>10.2f} ms {:>8.1f}× the floor, {} lines\n{:>28} {:>10.2f} ms {:>8.1f}× the timeline\n"
      "{:>28} {:>10.2f} ms\n{:>28} {:>10.2f} ms\n",
      "the floor", median(floor), "the timeline", median(one), median(one) / median(floor), lines_of_one, "every minute",
      median(every), median(every) / median(one), "the timelines of all groups", median(all), "the configuration, read",
      median(load));
}

}  // namespace

int main(int count, char** words) {
  const auto arguments = arguments_of(count, words, 11, {"--check"});
  const auto policy = make_policy();
  if (arguments.flags.contains("--check")) check(policy);
  else measure(policy, arguments.rounds);
  return 0;
}
