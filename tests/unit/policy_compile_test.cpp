// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <chrono>

using namespace schultor::policy;
using schultor::config::Files;
using schultor::config::Need;

namespace {

Files files() {
  return {"timezone = \"Europe/Berlin\"\n",
          "[cloud]\ndomains = [\"mnspro.cloud\"]\n"
          "[[profile]]\nname = \"school\"\naccess = \"listed\"\nallow = [\"anton.app\"]\nblock = [\"games.anton.app\"]\n"
          "[[profile]]\nname = \"leisure\"\naccess = \"open\"\n"
          "[[schedule]]\nname = \"weekdays\"\nwindows = [\"Mon..Fri 08:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n",
          "[[group]]\nname = \"3b\"\nschedule = \"weekdays\"\nprefixes = [\"10.78.0.0/24\"]\n"
          "[[group]]\nname = \"gaeste\"\nprofile = \"school\"\nunknown = true\n",
          "mac,group\n02:77:00:00:00:02,gaeste\n02:77:00:00:00:01,3b\n"};
}

std::vector<std::string> said(const Files& changed) {
  const auto loaded = load(changed, Need::rules(true));
  std::vector<std::string> lines;
  for (const auto& one : loaded.diagnostics) lines.push_back(to_string(one));
  CHECK(loaded.policy.has_value() == loaded.config.has_value());
  return lines;
}

using Lines = std::vector<std::string>;

Lines said_with(const std::string& city, const std::string& school, const std::string& roster = {}) {
  auto changed = files();
  changed.city->append(city);
  changed.school->append(school);
  changed.roster->append(roster);
  return said(changed);
}

Explanation explained(const Policy& policy, const std::string& group, const std::string& time, const std::string& name) {
  const auto result = explain(policy, *policy.find_group(group), *parse_local(policy, time), name);
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("a configuration becomes a policy") {
  const auto loaded = load(files(), Need::rules(true));
  REQUIRE(loaded.policy);
  const auto& policy = *loaded.policy;
  CHECK(loaded.diagnostics.empty());
  CHECK(policy.unknown_group().name == "gaeste");
  CHECK(policy.group_of(*schultor::base::parse_mac("02:77:00:00:00:01"))->name == "3b");
  CHECK(policy.group_of(*schultor::base::parse_mac("02:77:00:00:00:09")) == nullptr);
  CHECK(policy.find_group("3b")->prefixes.size() == 1);
  CHECK(policy.gate.profiles.size() == 4);  // exam and paused are built in
  CHECK(policy.gate.views.empty());
  CHECK_FALSE(policy.bypass);
}

TEST_CASE("a name that nobody defined is an error with the nearest that somebody did") {
  CHECK(said_with("", "[[group]]\nname = \"a\"\nschedule = \"weekday\"\n[[group]]\nname = \"b\"\nprofile = \"schol\"\n",
                  "02:77:00:00:00:03,3c\n") ==
        Lines{"school.toml:11:12: error: there is no schedule “weekday”; did you mean “weekdays”?",
              "school.toml:14:11: error: there is no profile “schol”; did you mean “school”?",
              "roster.csv:4:19: error: there is no group “3c”; did you mean “3b”?"});
}

TEST_CASE("what is defined twice names both places") {
  CHECK(said_with("[[profile]]\nname = \"school\"\naccess = \"open\"\n", "[[group]]\nname = \"3b\"\nprofile = \"school\"\n") ==
        Lines{"city.toml:17:8: error: profile “school” exists already, first at city.toml:4",
              "school.toml:10:8: error: group “3b” exists already, first at school.toml:2"});
}

TEST_CASE("a school cannot change what is the city's, and is told what it can do") {
  CHECK(said_with("", "[[profile]]\nname = \"school\"\naccess = \"open\"\n") ==
        Lines{"school.toml:10:8: error: profile “school” is the city's (city.toml:4): write [extend.school] to add to it, or "
              "choose another name"});
  CHECK(said_with("", "[[schedule]]\nname = \"weekdays\"\nduring = \"school\"\notherwise = \"school\"\n").size() == 1);
  CHECK(said_with("", "[[profile]]\nname = \"own\"\naccess = \"open\"\n[extend.own]\nallow = []\n").size() == 1);
}

TEST_CASE("exactly one group takes the devices that nothing else names") {
  CHECK(said_with("", "[[group]]\nname = \"b\"\nprofile = \"school\"\nunknown = true\n") ==
        Lines{"school.toml:10:8: error: group “b” has unknown = true, as “gaeste” has (school.toml:6): expected exactly one"});
  auto none = files();
  none.school->erase(none.school->find("unknown"));
  CHECK(said(none).size() == 1);
}

TEST_CASE("a network and an interface belong to one group, a part of a network may be another's") {
  CHECK(
      said_with(
          "", "[[group]]\nname = \"b\"\nprofile = \"school\"\nprefixes = [\"10.78.0.128/25\", \"10.0.0.0/8\", \"10.79.0.0/24\"]\n")
          .empty());
  CHECK(said_with(
            "",
            "[[group]]\nname = \"b\"\nprofile = \"school\"\nprefixes = [\"10.78.0.0/24\", \"10.78.0.0/25\", \"10.78.0.0/25\"]\n") ==
        Lines{"school.toml:12:13: error: network 10.78.0.0/24 is a group's already, first at school.toml:4: expected it once, or a "
              "part of it",
              "school.toml:12:45: error: network 10.78.0.0/25 is a group's already, first at school.toml:12: expected it once, or "
              "a part of it"});
  CHECK(said_with("", "[[group]]\nname = \"b\"\nprofile = \"school\"\nprefixes = [\"10.78.1.0/24\", \"fd77::/64\"]\n").empty());
  CHECK(said_with("", "interfaces = [\"lan1\"]\n[[group]]\nname = \"b\"\nprofile = \"school\"\ninterfaces = [\"lan1\"]\n").size() ==
        1);
}

TEST_CASE("faults of both steps are shown together") {
  CHECK(said_with("colour = 1\n", "[[group]]\nname = \"b\"\nprofile = \"none\"\n").size() == 2);
}

TEST_CASE(
    "a file that cannot be read hides nothing that is wrong with the others, and is blamed alone for what it would have said") {
  const std::string own_faults = "[[group]]\nname = \"3b\"\nschedule = \"weekdays\"\n";
  auto changed = files();
  changed.gateway = "timezone = \"Europe/Berln\"\n";
  changed.school->append(own_faults);
  changed.roster->append("02:77:00:00:00:03,3c\n02:77\n");
  const Lines others{
      "gateway.toml:1:12: error: time zone “Europe/Berln” is not in the tz database of this machine; did you mean "
      "“Europe/Berlin”?",
      "school.toml:10:8: error: group “3b” exists already, first at school.toml:2"};
  const auto holds_others = [&](const Lines& lines) {
    return std::all_of(others.begin(), others.end(),
                       [&](const std::string& one) { return std::find(lines.begin(), lines.end(), one) != lines.end(); });
  };
  const auto whole = said(changed);
  CHECK(whole.size() == 4);
  CHECK(holds_others(whole));

  auto broken = changed;
  broken.city = "[cloud\n";
  CHECK(said(broken).size() == 5);
  CHECK(holds_others(said(broken)));
  broken.city.reset();
  CHECK(said(broken).size() == 5);
  broken.unreadable = {"city.toml"};  // whoever tried has said it
  CHECK(said(broken).size() == 4);

  broken = changed;
  broken.school = "[[group]\n";
  CHECK(said(broken).size() == 3);  // nobody knows which groups there are
  broken = changed;
  broken.gateway = "timezone = \n";
  const auto lines = said(broken);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].substr(0, 15) == "gateway.toml:1:");
}

TEST_CASE("one file full of faults leaves room for those of the others") {
  auto changed = files();
  for (int i = 0; i < 5000; ++i) changed.roster->append("rubbish\n");
  changed.school->append("[[group]]\nname = \"b\"\nprofile = \"none\"\n");
  const auto lines = said(changed);
  CHECK(lines.front() == "school.toml:11:11: error: there is no profile “none”; expected one of exam, leisure, paused, school");
  CHECK(lines.size() == 1 + schultor::config::Diagnostics::most_of_a_file + 1);
}

TEST_CASE("exam and paused are built in: the cloud alone, unless the city writes them") {
  const auto loaded = load(files(), Need::rules(true));
  REQUIRE(loaded.policy);
  for (const auto* name : {"exam", "paused"}) {
    INFO(name);
    const auto* profile = loaded.policy->find_profile(name);
    REQUIRE(profile != nullptr);
    CHECK(profile->listed);
    CHECK(profile->allow.patterns().empty());
    CHECK(profile->source == Source{"built-in", 0});
  }
  auto written = files();
  written.city->append("[[profile]]\nname = \"exam\"\naccess = \"listed\"\nallow = [\"rechner.test\"]\n");
  written.school->append("[[group]]\nname = \"b\"\nprofile = \"paused\"\n");
  const auto own = load(written, Need::rules(true));
  REQUIRE(own.policy);
  CHECK(own.policy->find_profile("exam")->source == Source{"city.toml", 17});
  CHECK(own.policy->find_profile("exam")->allow.patterns().size() == 1);
  const auto paused = explained(*own.policy, "b", "2026-03-27 08:00", "anton.app");
  CHECK(paused.because == "default");
  CHECK(paused.rule_text == "profile paused is listed");
  CHECK(paused.rule == Source{"built-in", 0});
  CHECK(explained(*own.policy, "b", "2026-03-27 08:00", "a.mnspro.cloud").verdict == Verdict::allow);
  // A school that writes one collides with what every city has.
  CHECK(said_with("", "[[profile]]\nname = \"exam\"\naccess = \"open\"\n").size() == 1);
}

TEST_CASE("an override lasts a day at most, or as the city says, or less where the school says so") {
  const auto limit = [](const std::string& city, const std::string& school) {
    auto changed = files();
    changed.city->append(city);
    changed.school->append(school);
    return load(changed, Need::rules(true));
  };
  const auto built_in = limit("", "");
  REQUIRE(built_in.policy);
  CHECK(built_in.policy->longest_override == std::chrono::hours{24});
  CHECK(built_in.policy->longest_override_source == Source{"built-in", 0});
  const auto city = limit("[override]\nlongest = \"4h\"\n", "");
  REQUIRE(city.policy);
  CHECK(city.policy->longest_override == std::chrono::hours{4});
  CHECK(city.policy->longest_override_source == Source{"city.toml", 17});
  const auto less = limit("[override]\nlongest = \"4h\"\n", "[override]\nlongest = \"90m\"\n");
  REQUIRE(less.policy);
  CHECK(less.policy->longest_override == std::chrono::minutes{90});
  CHECK(less.policy->longest_override_source == Source{"school.toml", 10});
  CHECK_FALSE(limit("[override]\nlongest = \"4h\"\n", "[override]\nlongest = \"5h\"\n").policy);
}

TEST_CASE("two [[day]]s for the same date and schedules are an error, one for a schedule beside one for all is none") {
  const std::string day = "[[day]]\ndate = \"2026-11-28\"\nwindows = []\n";
  const std::string own = "[[day]]\ndate = \"2026-11-28\"\nschedule = \"weekdays\"\nwindows = [\"09:00-13:00\"]\n";
  CHECK(said_with("", day + own).empty());
  CHECK(said_with("", own + day).empty());
  CHECK(said_with("", day + day) == Lines{"school.toml:13:8: error: 2026-11-28 has windows of its own already for all schedules, "
                                          "first at school.toml:10"});
  CHECK(said_with("", own + day + own).size() == 1);
  CHECK(said_with("", "[[day]]\ndate = \"2026-11-28\"\nschedule = \"weekday\"\nwindows = []\n").size() == 1);
}

TEST_CASE("a time zone that does not exist is an error") {
  auto changed = files();
  for (const auto* zone : {"Europe/Berln", "", "../../etc/passwd", "Europe/Berlin\\u0000"}) {
    changed.gateway = std::string("timezone = \"") + zone + "\"\n";
    INFO(zone);
    CHECK(said(changed).size() == 1);
  }
}

TEST_CASE("at most 47 listed profiles, since that many doors there are beside the cloud's") {
  std::string profiles;
  for (int i = 0; i < 44; ++i) profiles += fmt::format("[[profile]]\nname = \"p{}\"\naccess = \"listed\"\n", i);
  CHECK(said_with(profiles, "").empty());
  // The built-in ones come last and stand nowhere; so the last one that is written is named.
  const auto more = said_with(profiles + "[[profile]]\nname = \"one-more\"\naccess = \"listed\"\n", "");
  REQUIRE(more.size() == 1);
  CHECK(more[0].starts_with("city.toml:149:8: error: more than 47 listed profiles"));
  CHECK(said_with("[[profile]]\nname = \"a-b\"\naccess = \"open\"\n[[profile]]\nname = \"a_b\"\naccess = \"open\"\n", "").size() ==
        1);
}

TEST_CASE("a school's additions join the city's profile, and never beat its block") {
  auto changed = files();
  changed.school->append("[extend.school]\nallow = [\"schlaukopf.de\", \"x.games.anton.app\"]\nblock = [\"ads.schlaukopf.de\"]\n");
  const auto loaded = load(changed, Need::rules(true));
  REQUIRE(loaded.policy);
  const auto& policy = *loaded.policy;
  const auto added = explained(policy, "3b", "2026-03-27 08:00", "WWW.Schlaukopf.de.");
  CHECK(added.name == "www.schlaukopf.de");
  CHECK(added.verdict == Verdict::allow);
  CHECK(added.rule_text == "schlaukopf.de");
  CHECK(added.rule == Source{"school.toml", 10});
  CHECK(explained(policy, "3b", "2026-03-27 08:00", "ads.schlaukopf.de").because == "block");
  CHECK(explained(policy, "3b", "2026-03-27 08:00", "x.games.anton.app").because == "city-block");
  const auto refused = explained(policy, "3b", "2026-03-27 08:00", "spiele.test");
  CHECK(refused.because == "default");
  CHECK(refused.rule_text == "profile school is listed");
  CHECK(refused.rule == Source{"city.toml", 4});
  CHECK(explained(policy, "3b", "2026-03-27 17:00", "spiele.test").verdict == Verdict::allow);
  CHECK(explained(policy, "3b", "2026-03-27 08:00", "a.mnspro.cloud").because == "cloud");
  CHECK_FALSE(explain(policy, policy.groups[0], Seconds{}, "no name"));
  CHECK_FALSE(explain(policy, policy.groups[0], Seconds{}, "198.51.100.30"));
  CHECK_FALSE(explain(policy, policy.groups[0], Seconds{}, "*.a.test"));
}

TEST_CASE("bypass names are refused in an open profile too") {
  auto changed = files();
  changed.city->append("[never]\nbypass = true\n");
  const auto loaded = load(changed, Need::rules(true));
  REQUIRE(loaded.policy);
  CHECK(loaded.policy->bypass);
  for (const auto* name : {"dns.google", "mozilla.cloudflare-dns.com", "use-application-dns.net", "mask-h2.icloud.com",
                           "mask.icloud.com", "doh.dns.apple.com"}) {
    INFO(name);
    const auto one = explained(*loaded.policy, "3b", "2026-03-28", name);
    CHECK(one.because == "never");
    CHECK(one.rule.file == "built-in");
  }
}

TEST_CASE("a whole top-level domain is no cloud") {
  for (const std::string name : {"com", "*.com", "**.*.com"}) {
    auto changed = files();
    changed.city->replace(changed.city->find("\"mnspro.cloud\""), 14, "\"" + name + "\"");
    const auto loaded = load(changed, Need::rules(true));
    CHECK_FALSE(loaded.policy);
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK(to_string(loaded.diagnostics[0]).find("city.toml:2:12: error: “" + name + "” opens a whole top-level domain") == 0);
  }
}

TEST_CASE("a cloud name under which anyone may host is warned of, and a name twice in a list") {
  auto changed = files();
  changed.city->replace(changed.city->find("\"mnspro.cloud\""), 14,
                        "\"*.blob.core.windows.net\", \"ours.github.io\", \"a.test\", \"A.test\"");
  const auto loaded = load(changed, Need::rules(true));
  REQUIRE(loaded.policy);
  REQUIRE(loaded.diagnostics.size() == 2);
  CHECK(to_string(loaded.diagnostics[0]).find("city.toml:2:12: warning: “*.blob.core.windows.net”") == 0);
  CHECK(to_string(loaded.diagnostics[1]).find("is in this list already, first at city.toml:2") != std::string::npos);
}

TEST_CASE("cloud names that fit anyone's hosts or registrations are warned of") {
  const auto warnings = [](const std::string& name) {
    auto changed = files();
    changed.city->replace(changed.city->find("\"mnspro.cloud\""), 14, "\"" + name + "\"");
    const auto loaded = load(changed, Need::rules(true));
    CHECK(loaded.policy);
    std::string lines;
    for (const auto& one : loaded.diagnostics) lines += to_string(one);
    return lines;
  };
  for (const std::string name : {"s3.amazonaws.com", "*.s3.amazonaws.com", "s3.eu-central-1.amazonaws.com",
                                 "eu-west-1.amazonaws.com", "wordpress.com", "co.uk", "*-schule.co.uk", "*-files.de"})
    CHECK(warnings(name).find("city.toml:2:12: warning: “" + name + "” opens ") == 0);
  for (const std::string name : {"ours.s3.amazonaws.com", "ours.s3.eu-central-1.amazonaws.com", "ours.wordpress.com", "ours.co.uk",
                                 "*-files.ours.de", "s3.ours.com"})
    CHECK(warnings(name).empty());
}

TEST_CASE("what is wrong is said once, with its value and its limit") {
  CHECK(said_with("", "[[day]]\ndate = 2026-12-01\nwindows = []\n") ==
        Lines{"school.toml:10:8: error: [[day]]: date is a date or time, expected a text in quotes"});
  auto changed = files();
  changed.gateway = "";
  CHECK(said(changed) ==
        Lines{"gateway.toml:1:1: error: timezone is missing, expected a name of the tz database such as \"Europe/Berlin\""});
  changed = files();
  changed.city->insert(0, "revision = -1\n");
  CHECK(said(changed) == Lines{"city.toml:1:12: error: revision is -1, expected a number from 0 up"});
  const auto spans = said_with("[override]\nlongest = \"2401h\"\n", "");
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].find("at most 100 days (2400h)") != std::string::npos);
}

TEST_CASE("a name with what is not seen is none, and is shown so") {
  for (const std::string name : {"3b\u200b", "\u202e3b", "3\u00adb", "\ufeff3b"}) {
    const auto lines = said_with("", "[[group]]\nname = \"" + name + "\"\nprofile = \"school\"\n");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("characters that are not seen") != std::string::npos);
    CHECK(lines[0].find("\\x") != std::string::npos);
  }
  CHECK(said_with("", "[[group]]\nname = \"Größe – “ß”\"\nprofile = \"school\"\n").empty());
}

TEST_CASE("safe search is the city's or the school's, whoever asks for more, and explain says whose") {
  const auto rewrite = [](const std::string& city, const std::string& school, const std::string& name) {
    auto changed = files();
    changed.city->append("[[profile]]\nname = \"abend\"\naccess = \"open\"\n" + city);
    changed.school->append("[[group]]\nname = \"a\"\nprofile = \"abend\"\n[extend.abend]\n" + school);
    const auto loaded = load(changed, Need::rules(true));
    REQUIRE(loaded.policy);
    return explained(*loaded.policy, "a", "2026-03-27 08:00", name);
  };
  CHECK(rewrite("", "", "google.de").rewrite.empty());
  const auto engine = rewrite("safe_search = true\n", "", "WWW.Google.de");
  CHECK(engine.verdict == Verdict::allow);
  CHECK(engine.rewrite == "forcesafesearch.google.com");
  CHECK(engine.because == "safe-search");
  CHECK(engine.rule.file == "city.toml");
  CHECK(rewrite("safe_search = true\n", "", "www.youtube.com").rewrite == "restrictmoderate.youtube.com");
  const auto stricter = rewrite("safe_search = true\n", "youtube = \"strict\"\n", "www.youtube.com");
  CHECK(stricter.rewrite == "restrict.youtube.com");
  CHECK(stricter.rule.file == "school.toml");
  CHECK(
      rewrite("safe_search = true\nyoutube = \"strict\"\n", "youtube = \"off\"\nsafe_search = false\n", "m.youtube.com").rewrite ==
      "restrict.youtube.com");
  CHECK(rewrite("", "safe_search = true\n", "bing.com").rewrite == "strict.bing.com");
}

TEST_CASE("the gate hears of the gateway's addresses and of the school's own zones, and explain of special names") {
  auto changed = files();
  changed.gateway->append(
      "[lan]\ninterfaces = [\"lan0\"]\naddresses = [\"10.77.0.1/16\"]\n[wan]\ninterface = \"wan0\"\n"
      "[resolver]\naddress = \"127.0.0.1:5335\"\nlocal = [\"schule.internal\"]\n");
  const auto loaded = load(changed, Need::rules(true));
  REQUIRE(loaded.policy);
  CHECK(loaded.policy->gate.lan.size() == 1);
  CHECK(loaded.policy->gate.local.best("a.schule.internal").pattern != nullptr);
  const auto says = [&](const std::string& name) { return explained(*loaded.policy, "3b", "2026-03-27 17:00", name); };
  CHECK(says("schultor.internal").verdict == Verdict::allow);
  CHECK(says("schultor.internal").because == "special");
  CHECK(says("drucker.local").verdict == Verdict::refuse);
  CHECK(says("_dns.resolver.arpa").because == "special");
  CHECK(says("a.schule.internal").because == "default");
}
