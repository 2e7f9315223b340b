// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/extremes.hpp"
#include "tests/catch.hpp"

using namespace schultor::policy;

namespace {

ProfileNames profile(const std::string& name, bool listed, int blocked = 0, const std::string& file = "city.toml") {
  ProfileNames made;
  made.name = name;
  made.listed = listed;
  made.source = {file, 1};
  std::vector<Pattern> patterns;
  for (int i = 0; i < blocked; ++i) patterns.push_back(*parse_pattern("name" + std::to_string(i) + ".test", {"city.toml", 1}));
  (listed ? made.allow : made.block) = NamePatterns(std::move(patterns));
  return made;
}

Group group(const std::string& name, const std::string& fixed, bool unknown = false) {
  Group made;
  made.name = name;
  made.fixed_profile = fixed;
  made.unknown = unknown;
  return made;
}

Policy school() {
  Policy policy;
  policy.gate.profiles = {profile("school", true, 2), profile("leisure", false, 1), profile("exam", true),
                          profile("staff", false, 3), profile("wide", false, 0, "school.toml")};
  policy.schedules.push_back({"weekdays", {}, "school", "leisure", {"city.toml", 9}});
  policy.schedules[0].holidays = "leisure";
  policy.groups = {group("3b", ""), group("lehrkraefte", "staff"), group("gaeste", "leisure", true)};
  policy.groups[0].schedule = 0;
  policy.groups[1].ownership = Ownership::staff;
  return policy;
}

Override override_of(const std::optional<std::string>& group, const std::string& profile) {
  Override made;
  made.group = group;
  made.profile = profile;
  return made;
}

}  // namespace

SCENARIO("a group's strictest profile is of all that it may be in") {
  auto policy = school();
  const auto& classes = policy.groups[0];
  const auto& staff = policy.groups[1];
  CHECK(strictest_profile(policy, classes, {}) == "school");
  CHECK(strictest_profile(policy, staff, {}) == "staff");
  // Whether it has ended nobody knows before there is a clock.
  CHECK(strictest_profile(policy, classes, {override_of("3b", "exam")}) == "exam");
  CHECK(strictest_profile(policy, classes, {override_of("lehrkraefte", "exam")}) == "school");
  CHECK(strictest_profile(policy, staff, {override_of(std::nullopt, "school"), override_of("lehrkraefte", "")}) == "school");
  CHECK(strictest_profile(policy, classes, {override_of("3b", "leisure")}) == "school");
  policy.untrusted = "exam";
  CHECK(strictest_profile(policy, classes, {}) == "exam");
  CHECK(strictest_profile(policy, staff, {}) == "staff");
}

SCENARIO("whoever nobody knows is held to what the school's own classes are held to, unless that is not wanted") {
  auto policy = school();
  auto& unknown = policy.groups[2];
  CHECK(strictest_profile(policy, unknown, {}) == "leisure");
  unknown.strictest = true;
  CHECK(strictest_profile(policy, unknown, {}) == "school");
  CHECK(strictest_profile(policy, unknown, {override_of("3b", "exam")}) == "exam");
  CHECK(strictest_profile(policy, unknown, {override_of("lehrkraefte", "exam")}) == "school");
  unknown.fixed_profile.clear();
  CHECK(strictest_profile(policy, unknown, {}) == "school");
}

SCENARIO("the widest profile is the city's that blocks least") {
  auto policy = school();
  REQUIRE(widest_profile(policy) != nullptr);
  CHECK(widest_profile(policy)->name == "leisure");
  for (auto& one : policy.gate.profiles) one.listed = true;
  CHECK(widest_profile(policy) == nullptr);
}
