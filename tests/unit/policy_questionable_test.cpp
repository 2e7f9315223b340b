// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_schedules.hpp"
#include "daemon/policy/questionable.hpp"
#include "tests/catch.hpp"
#include "tests/unit/sample_box.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

using namespace schultor::policy;
using schultor::config::Files;
using schultor::config::Need;

namespace {

using Lines = std::vector<std::string>;

Files files() {
  return {schultor::sample::box(),
          "[cloud]\ndomains = [\"mnspro.cloud\"]\n"
          "[never]\ndomains = [\"casino.test\"]\nbypass = true\n"
          "[[profile]]\nname = \"school\"\naccess = \"listed\"\nallow = [\"anton.app\", \"wikipedia.org\"]\nblock = "
          "[\"games.anton.app\"]\n"
          "[[profile]]\nname = \"leisure\"\naccess = \"open\"\n"
          "[[schedule]]\nname = \"weekdays\"\nwindows = [\"Mon..Fri 08:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n",
          "[[group]]\nname = \"3b\"\nschedule = \"weekdays\"\n"
          "[[group]]\nname = \"gaeste\"\nprofile = \"school\"\nunknown = true\n",
          "mac,group\n02:77:00:00:00:01,3b\n"};
}

Seconds on(std::string_view time) {
  const auto loaded = load(files(), Need::everything());
  REQUIRE(loaded.policy);
  return *parse_local(*loaded.policy, time);
}

/// What is said of files at a time; there must be no error among it.
Lines said(const Files& changed, std::optional<std::string_view> time = "2026-11-23") {
  auto loaded = load(changed, Need::everything());
  add_questionable(loaded, time ? std::optional(on(*time)) : std::nullopt);
  Lines lines;
  for (const auto& one : loaded.diagnostics) lines.push_back(to_string(one));
  INFO((lines.empty() ? std::string() : lines.front()));
  CHECK(loaded.policy);
  return lines;
}

Lines with(const std::string& city, const std::string& school, std::optional<std::string_view> time = "2026-11-23") {
  auto changed = files();
  changed.city->append(city);
  changed.school->append(school);
  return said(changed, time);
}

bool says(const Lines& lines, std::string_view start, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.starts_with(start) && line.find(part) != std::string::npos; });
}

/// Whether something holds, and else what was said.
struct Verdict {
  bool holds;
  Lines lines;
  explicit operator bool() const { return holds; }
  friend std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
    for (const auto& line : verdict.lines) out << line << '\n';
    return out;
  }
};

/// One warning, at a place and with a part of its text.
Verdict says_only(const Lines& lines, std::string_view place, std::string_view part) {
  return {lines.size() == 1 && says(lines, std::string(place) + ": warning: ", part), lines};
}

std::string event(std::string_view from, std::string_view to, std::string_view summary) {
  return fmt::format("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\nSUMMARY:{}\r\nEND:VEVENT\r\n", from, to,
                     summary);
}

/// Files whose schedule has a calendar of these events.
Files with_calendar(const std::string& events, const std::string& entry = "\"calendars/a.ics\"") {
  auto changed = files();
  changed.city->append("calendars = [" + entry + "]\n");
  changed.named["calendars/a.ics"] = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + events + "END:VCALENDAR\r\n";
  return changed;
}

constexpr std::string_view own_used =
    "[[group]]\nname = \"b\"\nprofile = \"own\"\nprefixes = [\"10.1.0.0/24\"]\n[[profile]]\nname = \"own\"\naccess = \"listed\"\n";
constexpr std::string_view own_profile = "[[profile]]\nname = \"own\"\naccess = \"listed\"\n";

}  // namespace

TEST_CASE("what is meant as it is written is not questioned") {
  CHECK(said(files()) == Lines{});
  CHECK(said(files(), std::nullopt) == Lines{});
}

TEST_CASE("a glob fits German letters however their dots are written") {
  CHECK(schultor::policy::fits_glob("FRÜHJAHR*", "Fru\xcc\x88hjahrsferien"));
  CHECK(schultor::policy::fits_glob("a\xcc\x88?O\xcc\x88", "Äuö"));
  CHECK_FALSE(schultor::policy::fits_glob("Fru*", "Fru\xcc\x88hjahr"));
}

TEST_CASE("a profile of the school's own that nothing names is questioned, the city's are an offer") {
  CHECK(says_only(with("", std::string(own_profile)), "school.toml:9:8", "profile “own”: no schedule and no group names it"));
  CHECK(with(std::string(own_profile), "") == Lines{});
  CHECK(with("", std::string(own_profile) + "[[group]]\nname = \"b\"\nprofile = \"own\"\nprefixes = [\"10.1.0.0/24\"]\n") ==
        Lines{});
  auto by_clock = files();
  by_clock.school->append(own_profile);
  by_clock.gateway->append("[clock]\nuntrusted = \"own\"\n");
  CHECK(said(by_clock) == Lines{});
}

TEST_CASE("a schedule of the school's own that no group follows is questioned, the city's are an offer") {
  const std::string schedule =
      "[[schedule]]\nname = \"late\"\nwindows = [\"Mon..Fri 10:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n";
  CHECK(says_only(with("", schedule), "school.toml:9:8", "schedule “late”: no group follows it"));
  CHECK(with(schedule, "") == Lines{});
  CHECK(with("", schedule + "[[group]]\nname = \"b\"\nschedule = \"late\"\nprefixes = [\"10.1.0.0/24\"]\n") == Lines{});
}

TEST_CASE("windows that change nothing are questioned") {
  CHECK(says_only(
      with("[[schedule]]\nname = \"same\"\nwindows = [\"08:00-17:00\"]\nduring = \"school\"\notherwise = \"school\"\n", ""),
      "city.toml:23:13", "profile “school” holds within its windows and outside of them"));
  CHECK(with("[[schedule]]\nname = \"same\"\nduring = \"school\"\notherwise = \"school\"\n", "") == Lines{});
}

TEST_CASE("a group that no device can be in is questioned") {
  const std::string group = "[[group]]\nname = \"b\"\nschedule = \"weekdays\"\n";
  CHECK(says_only(with("", group), "school.toml:9:8", "group “b”: no device is ever in it"));
  CHECK(with("", group + "prefixes = [\"10.1.0.0/24\"]\n") == Lines{});
  CHECK(with("", group + "interfaces = [\"lan0\"]\n") == Lines{});
  auto listed = files();
  listed.school->append(group);
  listed.roster->append("02:77:00:00:00:02,b\n");
  CHECK(said(listed) == Lines{});
}

TEST_CASE("an unknown group that is always open is questioned where others have school hours, unless it says that it is meant") {
  auto open = files();
  open.school->replace(open.school->find("profile = \"school\""), 18, "profile = \"leisure\"");
  CHECK(says_only(said(open), "school.toml:6:11", "a tablet that takes a new random address is in this group"));
  open.school->append("strictest = false\n");
  CHECK(said(open) == Lines{});
}

TEST_CASE("an open profile for a clock that is not known to be right is questioned") {
  auto changed = files();
  changed.gateway->append("[clock]\nuntrusted = \"leisure\"\n");
  CHECK(says_only(said(changed), "gateway.toml:13:13", "profile “leisure” is open"));
}

TEST_CASE("overrides that may last longer than a day are questioned") {
  CHECK(says_only(with("[override]\nlongest = \"25h\"\n", ""), "city.toml:20:11", "expected at most 24h"));
  CHECK(with("[override]\nlongest = \"24h\"\n", "") == Lines{});
}

TEST_CASE("an allow entry that stays closed is questioned: by never, by the city's block, by a block beside it") {
  CHECK(
      says_only(with("", "[extend.school]\nallow = [\"www.casino.test\"]\n"), "school.toml:9:10",
                "“www.casino.test” stays closed, since [never] has “casino.test” (city.toml:4): remove it here, or ask the city"));
  CHECK(says_only(with("", "[extend.leisure]\nallow = [\"dns.google\"]\n"), "school.toml:9:10", "(built-in)"));
  CHECK(says_only(with("", "[extend.school]\nallow = [\"*.games.anton.app\"]\n"), "school.toml:9:10",
                  "since the city's block has “games.anton.app” (city.toml:10)"));
  CHECK(says_only(with("[[profile]]\nname = \"p\"\naccess = \"listed\"\nallow = [\"casino.test\"]\n", ""), "city.toml:22:10",
                  "[never]"));
  CHECK(says_only(with("", "[extend.school]\nallow = [\"a.test\"]\nblock = [\"a.test\"]\n"), "school.toml:9:10",
                  "since block has “a.test” (school.toml:10): remove it here"));
  // What the city itself excepts is open, and a cloud name is open always.
  CHECK(with("[[profile]]\nname = \"p\"\naccess = \"open\"\nallow = [\"edu.games.test\"]\nblock = [\"games.test\"]\n", "") ==
        Lines{});
  CHECK(with("[[profile]]\nname = \"p\"\naccess = \"listed\"\nallow = [\"a.mnspro.cloud\"]\n", "") == Lines{});
  // A school may close what the city allows.
  CHECK(with("", "[extend.school]\nblock = [\"wikipedia.org\"]\n") == Lines{});
}

TEST_CASE("a block entry that the cloud keeps open, or that is closed anyhow, is questioned") {
  CHECK(says_only(with("", "[extend.leisure]\nblock = [\"a.mnspro.cloud\"]\n"), "school.toml:9:10",
                  "“a.mnspro.cloud” stays open, since [cloud] has “mnspro.cloud” (city.toml:2)"));
  CHECK(says_only(with("", "[extend.leisure]\nblock = [\"*.casino.test\"]\n"), "school.toml:9:10",
                  "“*.casino.test” is closed already, since [never] has “casino.test” (city.toml:4)"));
  // Names below it are the cloud's; the name itself is not.
  CHECK(with("", "[extend.leisure]\nblock = [\"cloud\"]\n") == Lines{});
}

TEST_CASE("what a school adds and the city has is questioned") {
  CHECK(says_only(with("", "[extend.school]\nallow = [\"de.wikipedia.org\"]\n"), "school.toml:9:10",
                  "“de.wikipedia.org” is allowed already, since the city's profile has “wikipedia.org” (city.toml:9)"));
  CHECK(
      says_only(with("", "[extend.school]\nallow = [\"a.mnspro.cloud\"]\n"), "school.toml:9:10", "is open already, since [cloud]"));
  CHECK(says_only(with("", "[extend.school]\nblock = [\"x.games.anton.app\"]\n"), "school.toml:9:10",
                  "“x.games.anton.app” is blocked already, since the city's profile has “games.anton.app” (city.toml:10)"));
  // An exception from a block of the school's own is none of that.
  CHECK(with("", "[extend.school]\nallow = [\"de.wikipedia.org\"]\nblock = [\"wikipedia.org\"]\n") == Lines{});
  CHECK(says_only(with("", "[extend.school]\nallow = [\"org\"]\n"), "school.toml:9:10", "allows a whole top-level domain"));
}

TEST_CASE("windows of a schedule that overlap are questioned, also over midnight and over the end of the week") {
  const auto windows = [](const std::string& list) {
    auto changed = files();
    changed.city->replace(changed.city->find("\"Mon..Fri 08:00-17:00\""), 22, list);
    return said(changed);
  };
  CHECK(says_only(windows("\"Mon..Fri 08:00-12:00\", \"Fri,Sat 11:59-13:00\""), "city.toml:16:36",
                  "window “Fri,Sat 11:59-13:00” overlaps “Mon..Fri 08:00-12:00” (city.toml:16)"));
  CHECK(says_only(windows("\"Mon 07:00-08:00\", \"Sun 22:00-07:01\""), "city.toml:16:31", "overlaps"));
  CHECK(says_only(windows("\"Mon 22:00-02:00\", \"Tue 01:00-03:00\""), "city.toml:16:31", "overlaps"));
  CHECK(windows("\"Mon..Fri 08:00-12:00\", \"Mon..Fri 12:00-13:00\", \"Sat 08:00-12:00\"") == Lines{});
  CHECK(windows("\"Mon 07:00-08:00\", \"Sun 22:00-07:00\"") == Lines{});
  // One that lies within a longer one is told of beside it, whatever comes between.
  CHECK(windows("\"Mon 08:00-17:00\", \"Mon 09:00-10:00\", \"Mon 11:00-12:00\"").size() == 2);
  CHECK(says_only(with("", "[[day]]\ndate = \"2026-11-28\"\nwindows = [\"09:00-12:00\", \"11:00-13:00\"]\n"), "school.toml:10:27",
                  "window “11:00-13:00” overlaps “09:00-12:00”"));
}

TEST_CASE("a schedule whose windows hold at no time within 14 days is questioned") {
  const auto holidays = [](std::string_view from, std::string_view to) { return with_calendar(event(from, to, "Ferien")); };
  CHECK(said(holidays("20261123", "20261204")) == Lines{});  // on Friday, 4 December, school begins again
  CHECK(
      says_only(said(holidays("20261123", "20261205")), "city.toml:15:8",
                "schedule “weekdays”: its windows hold at no time from 2026-11-23 to 2026-12-06 (12 of these days are holidays of "
                "its calendars): look at its windows, its calendars and the [[day]]s"));
  CHECK(said(holidays("20261001", "20270801"), std::nullopt) == Lines{});
  // Dates that the school itself makes free count.
  std::string free;
  for (int day = 23; day <= 30; ++day) free += fmt::format("[[day]]\ndate = \"2026-11-{}\"\nwindows = []\n", day);
  for (int day = 1; day <= 4; ++day) free += fmt::format("[[day]]\ndate = \"2026-12-{:02}\"\nwindows = []\n", day);
  CHECK(says(with("", free), "city.toml:15:8: warning: ", "from 2026-11-23 to 2026-12-06"));
  CHECK_FALSE(says(with("", free, "2026-11-24"), "city.toml:15:8", ""));
  auto without_windows = files();
  without_windows.city->replace(without_windows.city->find("windows = [\"Mon"), 34, "");
  CHECK(says_only(said(without_windows), "city.toml:15:8", "its windows hold at no time"));
}

TEST_CASE("a date that has passed is questioned, all such dates in one line") {
  const std::string day = "[[day]]\ndate = \"2026-11-21\"\nwindows = [\"09:00-13:00\"]\n";
  CHECK(says_only(with("", day), "school.toml:9:8", "[[day]] 2026-11-21 has passed: remove it"));
  CHECK(says_only(with("", day, "2026-11-22"), "school.toml:9:8", "has passed"));
  CHECK(with("", day, "2026-11-21 23:59") == Lines{});
  CHECK(with("", day, std::nullopt) == Lines{});
  CHECK(says_only(with("", day + "[[day]]\ndate = \"2026-11-20\"\nwindows = []\n"), "school.toml:9:8",
                  "and 1 more has, too: remove them"));
}

TEST_CASE("a date that changes nothing is questioned") {
  const auto day = [](std::string_view date, std::string_view windows, std::string_view more = "") {
    return with("", fmt::format("[[day]]\ndate = \"{}\"\nwindows = [{}]\n{}", date, windows, more));
  };
  CHECK(says_only(day("2026-11-27", "\"08:00-17:00\""), "school.toml:9:8", "[[day]] 2026-11-27 changes nothing"));
  CHECK(says_only(day("2026-11-28", ""), "school.toml:9:8", "changes nothing"));  // a Saturday
  CHECK(day("2026-11-28", "\"09:00-13:00\"") == Lines{});
  CHECK(day("2026-11-27", "\"08:00-17:01\"") == Lines{});
  CHECK(day("2026-11-27", "") == Lines{});
  // A window into the next date is a change on that one.
  CHECK(day("2026-11-28", "\"23:59-00:01\"") == Lines{});
  // One of a schedule that nobody follows.
  CHECK(says_only(
      with("[[schedule]]\nname = \"late\"\nwindows = [\"Mon 10:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n",
           "[[day]]\ndate = \"2026-11-27\"\nschedule = \"late\"\nwindows = [\"08:00-17:00\"]\n"),
      "school.toml:9:8", "changes nothing, since no group follows its schedule"));
  // On a holiday it says once more what the calendar says.
  auto free = with_calendar(event("20261127", "20261128", "Ferientag"));
  free.school->append("[[day]]\ndate = \"2026-11-27\"\nwindows = []\n");
  CHECK(says_only(said(free), "school.toml:9:8", "changes nothing"));
}

TEST_CASE("a calendar without a holiday in the coming 400 days is questioned") {
  const auto old = event("20251222", "20260107", "Weihnachtsferien");
  CHECK(says_only(
      said(with_calendar(old)), "city.toml:19:14",
      "no event of calendars/a.ics is a holiday within the next 400 days, the last one was on 2026-01-06 (“Weihnachtsferien”)"));
  CHECK(said(with_calendar(old), "2026-01-06") == Lines{});
  CHECK(said(with_calendar(old), std::nullopt) == Lines{});
  CHECK(said(with_calendar(old + event("20271227", "20271228", "fern"))) == Lines{});  // in 399 days
  CHECK(said(with_calendar(old + event("20271228", "20271229", "zu fern"))).size() == 1);
  CHECK(said(with_calendar(event("20280101", "20280102", "Neujahr"))).size() == 1);
  // What is picked counts; that a glob picks nothing is said by whoever reads it.
  const auto both = old + event("20261128", "20261129", "Sitzung");
  CHECK(said(with_calendar(both)) == Lines{});
  CHECK(
      says_only(said(with_calendar(both, "{file = \"calendars/a.ics\", only = [\"*ferien\"]}")), "city.toml:19:22", "no event of"));
  CHECK(said(with_calendar(both, "{file = \"calendars/a.ics\", only = [\"*Prüfung\"]}")).size() == 1);
}

TEST_CASE("more than the cloud in the profiles that are meant to be it alone is questioned") {
  CHECK(says_only(with("", "[extend.exam]\nallow = [\"spiele.test\"]\n"), "school.toml:9:10",
                  "“spiele.test” is open in profile “exam” as well"));
  CHECK(says_only(with("", "[extend.paused]\nallow = [\"spiele.test\"]\n"), "school.toml:9:10", "counts on the cloud alone"));
  CHECK(says_only(with("[[profile]]\nname = \"exam\"\naccess = \"open\"\n", ""), "city.toml:20:8", "profile “exam” is open"));
  CHECK(says_only(with("[[profile]]\nname = \"exam\"\naccess = \"listed\"\nallow = [\"duden.de\"]\n", ""), "city.toml:22:10",
                  "“duden.de” is open in profile “exam”"));
  CHECK(with("[[profile]]\nname = \"exam\"\naccess = \"listed\"\n", "[extend.exam]\nblock = [\"spiele.test\"]\n") == Lines{});
}

TEST_CASE("a whole top-level domain in a listed profile is questioned") {
  for (const std::string name : {"de", "*.net"}) {
    CHECK(says_only(with("", "[extend.school]\nallow = [\"" + name + "\"]\n"), "school.toml:9:10",
                    "“" + name + "” allows a whole top-level domain, in profile “school”"));
    CHECK(says_only(with("[[profile]]\nname = \"wide\"\naccess = \"listed\"\nallow = [\"" + name + "\"]\n", ""), "city.toml:22:10",
                    "“" + name + "” allows a whole top-level domain, in profile “wide”"));
  }
  CHECK(with("", "[extend.school]\nallow = [\"*-lernen.de\", \"lernen.de\"]\n") == Lines{});
  CHECK(with("", "[extend.leisure]\nallow = [\"lernen\"]\n") == Lines{});
  auto own_zone = files();
  own_zone.gateway->append("local = [\"schule\"]\n");
  own_zone.school->append("[extend.school]\nallow = [\"schule\"]\n");
  CHECK(said(own_zone) == Lines{});
}

TEST_CASE("what never is to close within the cloud is questioned") {
  auto changed = files();
  changed.city->replace(changed.city->find("\"casino.test\""), 13, "\"casino.test\", \"doc.mnspro.cloud\", \"cloud\"");
  CHECK(says_only(said(changed), "city.toml:4:27",
                  "“doc.mnspro.cloud” is never closed, since [cloud] has “mnspro.cloud” (city.toml:2)"));
}

TEST_CASE("a calendar of which except leaves nothing is questioned, at any time") {
  const auto events = event("20261221", "20270106", "Weihnachtsferien") + event("20270329", "20270410", "Osterferien");
  const auto entry = [](const std::string& keys) { return "{file = \"calendars/a.ics\", " + keys + "}"; };
  const auto all = with_calendar(events, entry("except = [\"*\"]"));
  CHECK(says_only(said(all), "city.toml:19:51", "no event of calendars/a.ics is a holiday, since except fits all"));
  CHECK(said(all, std::nullopt).size() == 1);
  CHECK(says_only(said(with_calendar(events, entry("only = [\"Oster*\"], except = [\"*ferien\"]"))), "city.toml:19:70",
                  "since except fits all that only picks"));
  CHECK(said(with_calendar(events, entry("except = [\"Oster*\"]"))) == Lines{});
}

TEST_CASE("a cache without an origin, and an origin without a cache, are questioned") {
  const std::string cache = "[cache]\ndirectory = \"/var/cache/schultor\"\nsize = \"200 GiB\"\n";
  const std::string origin = "[[origin]]\nnames = [\"inhalte.mnspro.cloud\"]\nhttps = true\n";
  auto changed = files();
  changed.gateway->append(cache);
  CHECK(says_only(said(changed), "gateway.toml:12:2", "[cache] has no effect: there is no [[origin]]"));
  changed.school->append(origin);
  CHECK(said(changed) == Lines{});
  CHECK(says_only(with("", origin), "school.toml:8:1", "[[origin]] has no effect: gateway.toml has no [cache]"));
}

TEST_CASE("an origin that nobody is steered to, or that is no content's, is questioned") {
  const auto with_names = [](const std::string& names, const std::string& more = "") {
    auto changed = files();
    changed.gateway->append("[cache]\ndirectory = \"/var/cache/schultor\"\nsize = \"200 GiB\"\n");
    changed.city->replace(changed.city->find("\"mnspro.cloud\""), 14, "\"mnspro.cloud\", \"web.app\"");
    changed.school->append("[[origin]]\nnames = [" + names + "]\nhttps = true\n" + more);
    return changed;
  };
  // The city's own names are questioned as ever.
  const auto beside_cloud = [](Lines lines) {
    std::erase_if(lines, [](const std::string& line) { return line.find("opens web.app always") != std::string::npos; });
    return lines;
  };
  CHECK(says_only(beside_cloud(said(with_names("\"login.mnspro.cloud\""))), "school.toml:9:10",
                  "sounds like a place where people sign in"));
  CHECK(says_only(beside_cloud(said(with_names("\"web.app\""))), "school.toml:9:10", "where anyone may host"));
  CHECK(beside_cloud(said(with_names("\"inhalte.web.app\""))) == Lines{});
  auto byod = with_names("\"inhalte.mnspro.cloud\"");
  byod.school->replace(byod.school->find("name = \"3b\"\n"), 12, "name = \"3b\"\nownership = \"byod\"\n");
  CHECK(says_only(beside_cloud(said(byod)), "school.toml:9:1",
                  "has ownership = \"school\", and this origin is kept for such groups alone"));
  byod.school->append("scope = \"all\"\n");
  CHECK(beside_cloud(said(byod)) == Lines{});
}

namespace {

/// What is said with [management] instead of the one that names nobody.
Lines with_management(const std::string& table) {
  auto changed = files();
  const std::string nobody = "[management]\nprefixes = []\n";
  changed.gateway->replace(changed.gateway->find(nobody), nobody.size(), table);
  return said(changed);
}

Lines with_reachable(const std::string& networks) {
  auto changed = files();
  changed.gateway->insert(changed.gateway->find("[wan]"), "reachable = [" + networks + "]\n");
  return said(changed);
}

std::string group_of(const std::string& networks) {
  return "[[group]]\nname = \"b\"\nschedule = \"weekdays\"\nprefixes = [" + networks + "]\n";
}

}  // namespace

TEST_CASE("a network of the LAN is questioned as a group's, one behind a router is not") {
  for (const auto* network : {"10.77.0.0/16", "10.77.4.0/24", "10.77.1.9", "10.0.0.0/8"})
    CHECK(says_only(with("", group_of(fmt::format("\"{}\"", network))), "school.toml:11:13",
                    "is on the LAN (10.77.0.1/16 is the gateway's): whoever takes an address of it is in group “b”"));
  CHECK(with("", group_of("\"10.78.0.0/24\", \"fd77:0:0:78::/64\"")) == Lines{});
}

TEST_CASE("who manages the box is questioned where it is nobody by silence, everybody, or tablets") {
  CHECK(
      says_only(with_management(""), "gateway.toml:1:1", "[management] is missing, so that this box is reached from its console"));
  CHECK(with_management("[management]\nprefixes = [\"10.9.0.0/24\", \"fd09::/64\"]\n") == Lines{});
  for (const auto* network : {"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/7", "2000::/3"})
    CHECK(says_only(with_management(fmt::format("[management]\nprefixes = [\"{}\"]\n", network)), "gateway.toml:9:13",
                    "lets the whole internet try the management of this box"));
  for (const auto* network : {"10.77.0.0/16", "10.77.9.0/24", "10.0.0.0/8"})
    CHECK(says_only(with_management(fmt::format("[management]\nprefixes = [\"{}\"]\n", network)), "gateway.toml:9:13",
                    "has tablets in it (the LAN, 10.77.0.1/16)"));
  CHECK(with_management("[management]\nprefixes = [\"10.77.0.5\"]\n") == Lines{});
  CHECK(says_only(with_management("[management]\nprefixes = []\nports = [22]\n"), "gateway.toml:10:10", "no effect without"));
}

TEST_CASE("a network of a class is questioned as one that manages the box, one of the staff is not") {
  auto changed = files();
  const std::string nobody = "prefixes = []";
  changed.gateway->replace(changed.gateway->find(nobody), nobody.size(), "prefixes = [\"10.78.0.0/24\"]");
  changed.school->append(group_of("\"10.78.0.0/16\""));
  CHECK(says_only(said(changed), "gateway.toml:9:13", "has tablets in it (group “b”, 10.78.0.0/16)"));
  changed.school->append("ownership = \"staff\"\n");
  CHECK(said(changed) == Lines{});
}

TEST_CASE("private networks that are opened whole, and open ones that are opened again, are questioned") {
  CHECK(with_reachable("\"192.168.5.0/24\", \"10.77.8.0/24\", \"fd12::/64\"") == Lines{});
  for (const auto* network : {"0.0.0.0/0", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/8", "fc00::/7"})
    CHECK(says_only(with_reachable(fmt::format("\"{}\"", network)), "gateway.toml:6:14", "to open profiles, whatever is there"));
  CHECK(says_only(with_reachable("\"198.51.100.0/24\""), "gateway.toml:6:14", "is none that is closed in open profiles"));
}

TEST_CASE("services that open nothing are questioned") {
  const auto school = [](const std::string& services) { return std::string(own_used) + "services = [" + services + "]\n"; };
  CHECK(with("", school("\"tcp/22\", \"udp/440-450\"")) == Lines{});
  for (const auto* service : {"tcp/53", "udp/53", "tcp/853", "udp/853"})
    CHECK(says_only(with("", school(fmt::format("\"{}\"", service))), "school.toml:15:13",
                    "stays closed, since names are the gate's"));
  for (const auto* service : {"tcp/443", "udp/5000-6000", "tcp/23"})
    CHECK(says_only(with("", school(fmt::format("\"{}\"", service))), "school.toml:15:13", "profile “own” closes no such port"));
  auto open = files();
  open.city->replace(open.city->find("access = \"open\"\n"), 16, "access = \"open\"\nservices = [\"tcp/22\"]\n");
  CHECK(says_only(said(open), "city.toml:14:13", "services: tcp 22 has no effect, since profile “leisure” closes no such port"));
}

TEST_CASE("nothing is questioned beside errors") {
  auto changed = files();
  changed.school->append(std::string(own_profile) + "colour = 1\n");
  auto loaded = load(changed, Need::everything());
  add_questionable(loaded, on("2026-11-23"));
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].severity == schultor::config::Severity::error);
}

TEST_CASE("what is large is questioned in bounded time") {
  auto changed = files();
  std::string windows, days;
  for (int i = 0; i < 1400; ++i)
    windows += fmt::format("\"Mon {:02}:{:02}-{:02}:{:02}\",", i / 60, i % 60, (i + 1) / 60, (i + 1) % 60);
  for (int i = 0; i < 1000; ++i) {
    const date::year_month_day date{date::local_days{date::year{2026} / 12 / 1} + date::days{i}};
    days += fmt::format("[[day]]\ndate = \"{}\"\nwindows = []\n", date::format("%F", date));
  }
  changed.city->replace(changed.city->find("\"Mon..Fri 08:00-17:00\""), 22, windows);
  changed.school->append(days);
  CHECK(said(changed).size() <= 251);
}
