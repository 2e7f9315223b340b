// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/gate_rules.hpp"
#include "tests/catch.hpp"

using namespace schultor::policy;

namespace {

NamePatterns names(const std::vector<std::string>& texts) {
  std::vector<Pattern> list;
  int line = 1;
  for (const auto& text : texts) list.push_back(*parse_pattern(text, {"city.toml", line++}));
  return NamePatterns(list);
}

GateRules example() {
  GateRules rules;
  rules.cloud = names({"mnspro.test", "files.anyone.test"});
  rules.never = names({"anyone.test", "doh.test"});
  ProfileNames school;
  school.name = "school";
  school.listed = true;
  school.city_block = names({"games.lernen.test"});
  school.city_allow = names({"lernen.test", "chess.games.lernen.test"});
  school.allow = names({"lernen.test", "chess.games.lernen.test", "games.lernen.test", "extra.test", "mnspro.test"});
  school.block = names({"ads.extra.test", "tie.test"});
  ProfileNames leisure;
  leisure.name = "leisure";
  leisure.city_block = names({"casino.test"});
  leisure.block = names({"tie.test", "wide.test"});
  leisure.allow = names({"tie.test", "narrow.wide.test"});
  ProfileNames exam;
  exam.name = "exam";
  exam.listed = true;
  exam.allow = names({"lernen.test"});
  exam.source = {"city.toml", 30};
  rules.profiles = {school, leisure, exam};
  rules.views = {{1, {0, true}}, {2, {1, false}}, {7, {2, false}}};
  return rules;
}

/// With endpoint lists: a whole domain on tcp 80 and 443, a name below it on ports of its own, one below a usual cloud name too.
GateRules with_ports() {
  auto rules = example();
  rules.cloud_ports = {{{6, 80, 80}, {6, 443, 443}}, {{6, 143, 143}, {6, 587, 587}}, {{6, 444, 444}}};
  auto patterns = names({"mnspro.test", "*.office.test", "s*.office.test", "autodiscover.*.test"}).patterns();
  for (std::size_t i = 0; i < rules.cloud_ports.size(); ++i) patterns[i + 1].doors = port_class_door(i);
  rules.cloud = NamePatterns(patterns);
  return rules;
}

std::string judged(const GateRules& rules, std::size_t profile, const std::string& name) {
  const auto judgement = judge(rules, rules.profiles[profile], name, {});
  return std::string(judgement.verdict == Verdict::allow ? "allow " : "refuse ") + std::string(judgement.because) +
         (judgement.pattern != nullptr ? " " + judgement.pattern->text : "");
}

}  // namespace

TEST_CASE("cloud comes before never, never before the city's block, that before the profile, the profile before its default") {
  const auto rules = example();
  CHECK(judged(rules, 0, "a.mnspro.test") == "allow cloud mnspro.test");
  CHECK(judged(rules, 2, "x.files.anyone.test") == "allow cloud files.anyone.test");
  CHECK(judged(rules, 1, "other.anyone.test") == "refuse never anyone.test");
  CHECK(judged(rules, 0, "www.lernen.test") == "allow allow lernen.test");
  CHECK(judged(rules, 0, "ads.extra.test") == "refuse block ads.extra.test");
  CHECK(judged(rules, 0, "unlisted.test") == "refuse default");
  CHECK(judged(rules, 1, "unlisted.test") == "allow default");
}

TEST_CASE("a school's addition never beats the city's block; the city's own more specific entry does") {
  const auto rules = example();
  CHECK(judged(rules, 0, "games.lernen.test") == "refuse city-block games.lernen.test");
  CHECK(judged(rules, 0, "x.games.lernen.test") == "refuse city-block games.lernen.test");
  CHECK(judged(rules, 0, "chess.games.lernen.test") == "allow allow chess.games.lernen.test");
}

TEST_CASE("the most specific name wins and block wins a tie") {
  const auto rules = example();
  CHECK(judged(rules, 1, "tie.test") == "refuse block tie.test");
  CHECK(judged(rules, 1, "wide.test") == "refuse block wide.test");
  CHECK(judged(rules, 1, "a.narrow.wide.test") == "allow allow narrow.wide.test");
}

TEST_CASE("an address is pinned for the cloud alone or for every listed profile that allows the name, whatever view asked") {
  const auto rules = example();
  CHECK(doors_of(rules, "a.mnspro.test", {}) == cloud_door);
  constexpr Doors school = first_listed_door, exam = first_listed_door << 1U;
  CHECK(doors_of(rules, "www.lernen.test", {}) == (school | exam));
  CHECK(doors_of(rules, "extra.test", {}) == school);
  CHECK(doors_of(rules, "games.lernen.test", {}) == exam);
  CHECK(doors_of(rules, "doh.test", {}) == 0);
  CHECK(doors_of(rules, "spiele.test", {}) == 0);
}

TEST_CASE("RFC 8020: where an allowed or a cloud name may lie below, a refused name must not be denied with all below it") {
  const auto rules = example();
  CHECK(allowed_below(rules, rules.profiles[0], "test", {}));
  CHECK(allowed_below(rules, rules.profiles[2], "anyone.test", {}));
  CHECK_FALSE(allowed_below(rules, rules.profiles[0], "doh.test", {}));
  CHECK(allowed_below(rules, rules.profiles[0], "games.lernen.test", {}));
  CHECK_FALSE(allowed_below(rules, rules.profiles[0], "x.games.lernen.test", {}));
  CHECK(allowed_below(rules, rules.profiles[1], "wide.test", {}));
  CHECK_FALSE(allowed_below(rules, rules.profiles[1], "casino.test", {}));
  CHECK_FALSE(allowed_below(rules, rules.profiles[0], "unlisted.test", {}));
}

TEST_CASE("the rules come back from JSON as they went") {
  const auto rules = example();
  const auto text = to_json(rules);
  const auto back = gate_rules_from_json(text);
  REQUIRE(back);
  CHECK(to_json(*back) == text);
  CHECK(back->views.at(7).profile == 2);
  CHECK(back->profiles[2].source == Source{"city.toml", 30});
  CHECK(back->cloud.patterns() == rules.cloud.patterns());
  CHECK(judged(*back, 0, "games.lernen.test") == "refuse city-block games.lernen.test");
}

TEST_CASE("a cloud name is open on the ports of all patterns that hold it, and on no others") {
  const auto rules = with_ports();
  const auto open_on = [&](const char* name) {
    std::string text;
    for (const auto& range : ports_of(rules, doors_of(rules, name, {}))) text += schultor::base::to_string(range) + " ";
    return text;
  };
  CHECK(doors_of(rules, "mnspro.test", {}) == cloud_door);
  CHECK(open_on("mnspro.test") == "tcp 80 tcp 443 udp 443 ");
  CHECK(doors_of(rules, "smtp.office.test", {}) == (port_class_door(0) | port_class_door(1)));
  CHECK(open_on("smtp.office.test") == "tcp 80 tcp 143 tcp 443 tcp 587 ");
  CHECK(open_on("www.office.test") == "tcp 80 tcp 443 ");
  CHECK(open_on("x.autodiscover.mnspro.test") == "tcp 80 tcp 443-444 udp 443 ");
  CHECK(open_on("spiele.test").empty());
  CHECK(doors_of(rules, "www.lernen.test", {}) == (first_listed_door | first_listed_door << 1U));
  CHECK(open_on("www.lernen.test").empty());
}

TEST_CASE("of one name twice in the cloud both entries count") {
  auto patterns = names({"office.test", "office.test"}).patterns();
  patterns[1].doors = port_class_door(0);
  CHECK(NamePatterns(patterns).doors("www.office.test") == (cloud_door | port_class_door(0)));
}

TEST_CASE("the ports of cloud names come back from JSON as they went, and nothing but such ports is read") {
  const auto rules = with_ports();
  const auto text = to_json(rules);
  const auto back = gate_rules_from_json(text);
  REQUIRE(back);
  CHECK(to_json(*back) == text);
  CHECK(back->cloud_ports == rules.cloud_ports);
  CHECK(doors_of(*back, "smtp.office.test", {}) == doors_of(rules, "smtp.office.test", {}));
  const std::string ports = R"("cloud_ports":[[[6,80,80],[6,443,443]],)";
  REQUIRE(text.find(ports) != std::string::npos);
  const auto with = [&](const std::string& to) {
    auto changed = text;
    return gate_rules_from_json(changed.replace(changed.find(ports), ports.size(), R"("cloud_ports":[)" + to + ","));
  };
  CHECK(with("[[6,80,80]]"));
  CHECK(with("[[6,1,8],[17,1,8]]"));
  std::string many = "[[6,1,1]]";
  for (int i = 2; i <= 14; ++i) many += fmt::format(",[[6,{0},{0}]]", i);
  CHECK(with(many));
  for (const std::string odd :
       {"", "[]", "[[]]", "[[6,80]]", "[[1,80,80]]", "[[6,0,80]]", "[[6,90,80]]", "[[6,80,65536]]", "[[6,80,80],[6,81,81]]",
        "[[6,443,443],[6,80,80]]", "[[6,1,17]]", "[[6,1,8],[17,1,9]]", "[[6,80,80],[6,443,443],[17,443,443]]",
        "[[6,143,143],[6,587,587]]", "{}", "6", "[[\"6\",80,80]]"}) {
    INFO(odd);
    CHECK_FALSE(with(odd));
  }
  CHECK_FALSE(with(many + ",[[6,15,15]]"));
}

TEST_CASE("a kept origin's name is steered exactly, within the cloud, and in views that may be") {
  auto rules = example();
  rules.steered = {{"files.anyone.test", 1, Scope::all, {"city.toml", 40}},
                   {"inhalte.mnspro.test", 0, Scope::school, {"school.toml", 9}},
                   {"lernen.test", 2, Scope::all, {}}};
  const auto steered = [&](bool steer, const std::string& name) {
    return steered_host(rules, steer, judge(rules, rules.profiles[0], name, {}), name);
  };
  REQUIRE(steered(true, "inhalte.mnspro.test") != nullptr);
  CHECK(steered(true, "inhalte.mnspro.test")->origin == 0);
  CHECK(steered(false, "inhalte.mnspro.test") == nullptr);
  REQUIRE(steered(false, "files.anyone.test") != nullptr);
  CHECK(steered(false, "files.anyone.test")->source.line == 40);
  CHECK(steered(true, "a.inhalte.mnspro.test") == nullptr);
  CHECK(steered(true, "mnspro.test") == nullptr);
  // Allowed, and not the cloud's.
  CHECK(steered(true, "lernen.test") == nullptr);
  const auto back = gate_rules_from_json(to_json(rules));
  REQUIRE(back);
  CHECK(back->steered == rules.steered);
}

TEST_CASE("JSON that is not the rules is refused") {
  const std::string empty =
      R"({"version":4,"table":"","cloud":[],"cloud_ports":[],"never":[],"never_lists":[],"profiles":[],"views":[],"local":[],"lan":[],"steered":[]})";
  REQUIRE(gate_rules_from_json(empty));
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = empty;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string profile =
      R"({"name":"a","listed":true,"city_block":[],"city_allow":[],"allow":[],"block":[],"city_block_lists":[],"block_lists":[],"file":"c","line":1,"safe_search":false,"youtube":0,"safe_search_file":"","safe_search_line":0})";
  REQUIRE(gate_rules_from_json(with(R"("profiles":[])", R"("profiles":[)" + profile + "]")));
  std::string many = R"("profiles":[)" + profile;
  for (int i = 0; i < 47; ++i) many += "," + profile;
  for (const auto& text :
       {std::string(),
        std::string("[]"),
        std::string("{"),
        empty + "x",
        with(R"("version":4)", R"("version":3)"),
        with(R"("table":"")", R"("table":"00")"),
        with(R"("table":"")", R"("table":")" + std::string(64, 'g') + "\""),
        with(R"("never_lists":[])", R"("never_lists":[["adult","c",1,0]])"),
        with(R"("never_lists":[])", R"("never_lists":[["adult","c",1]])"),
        with(R"("never_lists":[])", R"("never_lists":["adult"])"),
        with(R"("cloud":[])", R"("cloud":{})"),
        with(R"("cloud":[])", R"("cloud":[["a..b","f",1,1]])"),
        with(R"("cloud":[])", R"("cloud":[["a.b","f"]])"),
        with(R"("cloud":[])", R"("cloud":[["a.b","f",-1,1]])"),
        with(R"("cloud":[])", R"("cloud":[["a.b","f",1]])"),
        with(R"("cloud":[])", R"("cloud":[["a.b","f",1,0]])"),
        with(R"("cloud":[])", R"("cloud":[["a.b","f",1,2]])"),
        with(R"("never":[])", R"("never":[["a.b","f",1,1]])"),
        with(R"("cloud":[],)", ""),
        with(R"("lan":[])", R"("lan":["10.0.0.1"])"),
        with(R"("lan":[])", R"("lan":[1])"),
        with(R"("steered":[])", R"("steered":["a.b"])"),
        with(R"("steered":[])", R"("steered":[["a.b",0,true,"f"]])"),
        with(R"("steered":[])", R"("steered":[["*.b",0,true,"f",1]])"),
        with(R"("steered":[])", R"("steered":[["A.b",0,true,"f",1]])"),
        with(R"("steered":[])", R"("steered":[["a.b",64,true,"f",1]])"),
        with(R"("steered":[])", R"("steered":[["a.b",0,1,"f",1]])"),
        with(R"("steered":[])", R"("steered":[["b.b",0,true,"f",1],["a.b",0,true,"f",1]])"),
        with(R"("steered":[])", R"("steered":[["a.b",0,true,"f",1],["a.b",1,true,"f",1]])"),
        with(R"("profiles":[])",
             R"("profiles":[)" + std::string(profile).replace(profile.find("\"youtube\":0"), 11, "\"youtube\":3") + "]"),
        with(R"("views":[])", R"("views":[],"more":1)"),
        with(R"("views":[])", R"("views":[{"number":1,"profile":0,"steer":true}])"),
        with(R"("profiles":[])", many + "]"),
        with(R"("cloud":[])", R"("cloud":[[[[[[[[["a"]]]]]]]]])"),
        std::string(100'000, '[')}) {
    INFO(text.substr(0, 200));
    CHECK_FALSE(gate_rules_from_json(text));
  }
}
