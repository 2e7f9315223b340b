// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/override.hpp"
#include "daemon/policy/schedule.hpp"
#include "tests/catch.hpp"

#include <date/tz.h>

using namespace schultor::policy;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Two classes, teachers, and guests whom nobody knows; nobody but the classes is school-owned.
Policy a_school() {
  Policy policy;
  policy.timezone = "Europe/Berlin";
  policy.zone = date::locate_zone("Europe/Berlin");
  policy.longest_override = hours{8};
  policy.longest_override_source = {"school.toml", 3};
  for (const auto* name : {"school", "exam", "paused", "leisure"}) {
    ProfileNames profile;
    profile.name = name;
    profile.listed = profile.name != "leisure";
    if (profile.name == "school") profile.allow = NamePatterns({{"lernen.test", {"city.toml", 12}}});
    policy.gate.profiles.push_back(profile);
  }
  for (const auto* name : {"3b", "4a", "lehrkraefte", "gaeste"}) {
    Group group;
    group.name = name;
    group.fixed_profile = "leisure";
    group.ownership = group.name == "3b" || group.name == "4a" ? Ownership::school : Ownership::byod;
    group.unknown = group.strictest = group.name == "gaeste";
    policy.groups.push_back(group);
  }
  return policy;
}

Seconds at(const std::string& text) {
  const auto time = parse_local(a_school(), text);
  REQUIRE(time);
  return *time;
}

/// A list as it is changed by hand, with the ids that the daemon would give.
struct Desk {
  Policy policy = a_school();
  Overrides list{};
  std::uint64_t last_id = 0;
  Seconds now = at("2026-11-23 09:00");

  void keep(Overrides changed) {
    list = std::move(changed);
    for (const auto& one : list) last_id = std::max(last_id, one.id);
  }
  void set(std::optional<std::string> group, const std::string& profile, const std::string& end) {
    auto changed = with_override(policy, list, {std::move(group), profile, end, "", "frau-sommer"}, last_id, now);
    REQUIRE(changed);
    keep(std::move(*changed));
  }
  void clear(const std::optional<std::string>& group) {
    auto changed = cleared(policy, list, group, last_id, now);
    REQUIRE(changed);
    keep(std::move(*changed));
  }
  [[nodiscard]] std::string refusal(const OverrideRequest& request) const {
    const auto changed = with_override(policy, list, request, last_id, now);
    return changed ? "" : changed.error().what();
  }
  [[nodiscard]] std::string holds(std::string_view group) const {
    const auto* one = override_at(list, group, now);
    return one == nullptr ? "" : one->profile;
  }
};

}  // namespace

SCENARIO("of the overrides that concern a group the newest holds, until its end and not an instant longer") {
  Desk desk;
  desk.set(std::nullopt, "paused", "2h");
  desk.set("3b", "exam", "45m");
  CHECK(desk.holds("3b") == "exam");
  CHECK(desk.holds("4a") == "paused");
  desk.now += minutes{45} - seconds{1};
  CHECK(desk.holds("3b") == "exam");
  desk.now += seconds{1};
  CHECK(desk.holds("3b") == "paused");
  desk.now = at("2026-11-23 11:00");
  CHECK(desk.holds("3b").empty());
}

SCENARIO("an end is a span, the next time of day, or an instant") {
  Desk desk;
  for (const auto& [end, until] : {std::pair{"45m", "2026-11-23 09:45"},
                                   {"1h30m", "2026-11-23 10:30"},
                                   {"10:15", "2026-11-23 10:15"},
                                   {"2026-11-23 12:00", "2026-11-23 12:00"}}) {
    desk.set("3b", "exam", end);
    CHECK(desk.list.back().until == at(until));
  }
  desk.now = at("2026-11-23 22:00");
  desk.set("3b", "exam", "01:00");
  CHECK(desk.list.back().until == at("2026-11-24 01:00"));
}

SCENARIO("what is asked for wrongly is refused in words that say what to do") {
  const Desk desk;
  CHECK(desk.refusal({"3c", "exam", "45m", "", "x"}).find("3c") != std::string::npos);
  CHECK(desk.refusal({"3b", "exma", "45m", "", "x"}).find("exam") != std::string::npos);
  CHECK(desk.refusal({"3b", "exam", "soon", "", "x"}).find("expected a span") != std::string::npos);
  CHECK(desk.refusal({"3b", "exam", "2026-11-23 08:00", "", "x"}).find("has passed") != std::string::npos);
  CHECK(desk.refusal({"3b", "exam", "9h", "", "x"}).find("[override] longest, school.toml:3") != std::string::npos);
  CHECK(desk.refusal({"3b", "exam", "45m", std::string(longest_reason + 1, 'a'), "x"}).find("200 octets") != std::string::npos);
  for (const auto* reason : {"two\nlines", "\x1b[2J", "\xff", "\x7f"})
    CHECK_FALSE(desk.refusal({"3b", "exam", "45m", reason, "x"}).empty());
  CHECK(desk.refusal({"3b", "exam", "45m", std::string(longest_reason, 'a'), "x"}).empty());
}

SCENARIO("the list is bounded, and a full one can still be cleared") {
  Desk desk;
  for (std::size_t i = 0; i < most_overrides; ++i)
    desk.set(i % 2 == 0 ? std::optional<std::string>("3b") : std::nullopt, "exam", "45m");
  CHECK(desk.refusal({"4a", "exam", "45m", "", "x"}).find("clear") != std::string::npos);
  desk.clear("4a");
  CHECK(desk.holds("4a").empty());
  CHECK(desk.holds("3b") == "exam");
  desk.clear(std::nullopt);
  CHECK(desk.list.empty());
}

SCENARIO("a group that is cleared is free of what is for all as well, and clearing it again changes nothing") {
  Desk desk;
  desk.set(std::nullopt, "paused", "2h");
  desk.clear("3b");
  CHECK(desk.holds("3b").empty());
  CHECK(desk.holds("4a") == "paused");
  const auto before = desk.list;
  desk.clear("3b");
  CHECK(desk.list == before);
  desk.clear("lehrkraefte");
  CHECK(desk.list.size() == before.size() + 1);
  // One for all that is newer than the lift concerns the group again, and is lifted anew.
  desk.set(std::nullopt, "exam", "1h");
  CHECK(desk.holds("3b") == "exam");
  desk.clear("3b");
  CHECK(desk.holds("3b").empty());
  GIVEN("a list that holds nothing for the group") {
    Desk empty;
    empty.clear("3b");
    CHECK(empty.list.empty());
  }
}

SCENARIO("extending moves the end of what holds, within the limit") {
  Desk desk;
  desk.set("3b", "exam", "45m");
  auto longer = extended(desk.policy, desk.list, "3b", "15m", desk.last_id, desk.now);
  REQUIRE(longer);
  CHECK(longer->back().until == desk.now + hours{1});
  CHECK(longer->back().id == 1);
  CHECK_FALSE(extended(desk.policy, desk.list, "3b", "8h", desk.last_id, desk.now));
  CHECK_FALSE(extended(desk.policy, desk.list, "4a", "15m", desk.last_id, desk.now));
  CHECK_FALSE(extended(desk.policy, desk.list, "3b", "a while", desk.last_id, desk.now));
  GIVEN("one for all groups") {
    desk.set(std::nullopt, "paused", "1h");
    auto own = extended(desk.policy, desk.list, "4a", "15m", desk.last_id, desk.now);
    REQUIRE(own);
    CHECK(own->back().group == "4a");
    CHECK(own->back().id == desk.last_id + 1);
    CHECK(own->back().until == desk.now + minutes{75});
  }
}

SCENARIO("no override outlives a clock that was set back") {
  Desk desk;
  desk.now = at("2031-05-05 09:00");
  desk.set("3b", "exam", "45m");
  const auto right = at("2026-11-23 09:00");
  const auto anchored_now = anchored(desk.policy, desk.list, right);
  CHECK(anchored_now.back().from == right);
  CHECK(anchored_now.back().until == right + minutes{45});
  // Once is enough, and a small correction moves no end that somebody read off the wall.
  CHECK(anchored(desk.policy, anchored_now, right + minutes{10}) == anchored_now);
  CHECK(anchored(desk.policy, desk.list, desk.now - minutes{5}) == desk.list);
}

SCENARIO("no override outlives a clock that was set back within a day, nor one that is as long as may be") {
  Desk desk;
  desk.now = at("2026-11-23 18:20");
  desk.set("3b", "exam", "3m");
  desk.set("4a", "exam", "8h");
  const auto morning = at("2026-11-23 08:30");
  const auto list = anchored(desk.policy, desk.list, morning);
  CHECK(list[0].from == morning);
  CHECK(list[0].until == morning + minutes{3});
  CHECK(list[1].until == morning + hours{8});
  // By a little more than a correction, and by none: of the longest one, too, the end stays.
  const auto corrected = desk.now - small_correction;
  CHECK(anchored(desk.policy, desk.list, corrected) == desk.list);
  CHECK(anchored(desk.policy, desk.list, corrected - seconds{1})[0].until == corrected - seconds{1} + minutes{3});
  // Not behind its beginning: it lasts no longer than its length from then on.
  CHECK(anchored(desk.policy, desk.list, desk.now + minutes{1}) == desk.list);
}

SCENARIO("where the clock is set back, a lift goes on as long as what it lifts") {
  Desk desk;
  desk.set(std::nullopt, "paused", "3h");
  desk.now += hours{2};
  desk.clear("3b");
  for (const auto back : {hours{1}, hours{12}}) {
    auto changed = desk;
    changed.now -= back;
    changed.keep(anchored(changed.policy, desk.list, changed.now));
    REQUIRE(changed.list.size() == 2);
    CHECK(changed.list[1].from == changed.now);
    CHECK(changed.list[1].until == changed.list[0].until);
    changed.now = changed.list[0].until - seconds{1};
    CHECK(changed.holds("3b").empty());
    CHECK(changed.holds("4a") == "paused");
  }
}

SCENARIO("what names a group or profile that has gone is forgotten") {
  Desk desk;
  desk.set("3b", "exam", "45m");
  desk.set("4a", "exam", "45m");
  auto smaller = desk.policy;
  smaller.groups.erase(smaller.groups.begin());
  REQUIRE(pruned(smaller, desk.list, desk.now).size() == 1);
  CHECK(pruned(smaller, desk.list, desk.now)[0].group == "4a");
  CHECK(pruned(desk.policy, desk.list, desk.now + minutes{45}).empty());
}

SCENARIO("an unknown device has the strictest override that any school-owned class has") {
  Desk desk;
  const auto& guests = desk.policy.groups[3];
  const auto holding = [&] { return holding_at(desk.policy, guests, desk.now, {desk.list, true}); };
  CHECK(holding().profile == "leisure");
  desk.set("4a", "paused", "45m");
  CHECK(holding().profile == "paused");
  CHECK(holding().text.find("as 4a") != std::string::npos);
  desk.set("lehrkraefte", "exam", "45m");
  desk.set("3b", "school", "2h");
  CHECK(holding().profile == "paused");
  const auto span = span_at(desk.policy, guests, desk.now, {desk.list, true});
  CHECK(span.until == desk.now + minutes{45});
  desk.now += minutes{45};
  CHECK(holding().profile == "school");
}

SCENARIO("while nobody knows the time, an override holds where it is stricter and is no way out") {
  Desk desk;
  desk.policy.groups[0].fixed_profile = "school";
  desk.set("3b", "leisure", "45m");
  CHECK(holding_at(desk.policy, desk.policy.groups[0], desk.now + hours{9}, {desk.list, false}).profile == "school");
  desk.set("3b", "paused", "45m");
  CHECK(holding_at(desk.policy, desk.policy.groups[0], desk.now + hours{9}, {desk.list, false}).profile == "paused");
}

SCENARIO("what is kept reads back as it was, and rubbish is refused") {
  Desk desk;
  desk.set("3b", "exam", "45m");
  desk.set(std::nullopt, "paused", "1h");
  const KeptOverrides kept{7, desk.list, {{desk.now, R"({"id":"override/1/set"})"}}};
  CHECK(overrides_from_json(to_json(kept)) == kept);
  CHECK(overrides_from_json(to_json(KeptOverrides{})) == KeptOverrides{});
  const auto text = to_json(kept);
  for (std::size_t length = 0; length + 2 < text.size(); ++length) CHECK_FALSE(overrides_from_json(text.substr(0, length)));
  for (const auto* bad :
       {"[]", "{}", R"({"last_id":-1,"overrides":[]})", R"({"last_id":1,"overrides":{}})", R"({"last_id":1,"overrides":[1]})",
        R"({"last_id":0,"overrides":[{"id":1,"group":null,"profile":"x","from":1,"until":2,"reason":"","by":""}]})",
        R"({"last_id":1,"overrides":[{"id":1,"group":null,"profile":"x","from":2,"until":2,"reason":"","by":""}]})",
        R"({"last_id":1,"overrides":[{"id":1,"group":7,"profile":"x","from":1,"until":2,"reason":"","by":""}]})",
        R"({"last_id":1,"overrides":[],"told":[{"at":1}]})"})
    CHECK_FALSE(overrides_from_json(bad));
  CHECK_FALSE(overrides_from_json(std::string(9U << 20U, ' ') + to_json(kept)));
  CHECK_FALSE(overrides_from_json(std::string(100000, '[')));
}
