// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"
#include "tools/schultorctl/cache_text.hpp"
#include "tools/schultorctl/columns.hpp"
#include "tools/schultorctl/command_line.hpp"
#include "tools/schultorctl/devices_text.hpp"
#include "tools/schultorctl/diagnostics_json.hpp"
#include "tools/schultorctl/event_text.hpp"
#include "tools/schultorctl/gate_text.hpp"
#include "tools/schultorctl/override_text.hpp"
#include "tools/schultorctl/status_text.hpp"

using namespace schultor::ctl;

namespace {

std::string misuse(const std::vector<std::string>& arguments) {
  const auto request = parse_command_line(arguments);
  return request ? "" : request.error().what();
}

}  // namespace

TEST_CASE("devices are a table, and counted") {
  const auto text = devices_text(nlohmann::ordered_json::parse(
      R"({"devices":[{"mac":"02:77:00:00:00:01","group":"3b","by":"roster","online":true,"interfaces":["lan0"],"addresses":["10.77.1.1","fd77::1"]},
                     {"mac":"02:77:00:00:00:02","group":"3b","by":"roster","online":false,"interfaces":[],"addresses":[]}]})"));
  REQUIRE(text);
  CHECK(*text ==
        "DEVICE             GROUP  BY      ONLINE  INTERFACE  ADDRESSES\n"
        "02:77:00:00:00:01  3b     roster  yes     lan0       10.77.1.1 fd77::1\n"
        "02:77:00:00:00:02  3b     roster  no      -          -\n"
        "\n2 devices, 1 online\n");
  CHECK_FALSE(devices_text(nlohmann::ordered_json::parse(R"({"devices":[{"mac":1}]})")));
  CHECK_FALSE(devices_text(nlohmann::ordered_json::parse("{}")));
}

TEST_CASE("options stand before or behind their command") {
  const auto before =
      parse_command_line(std::vector<std::string>{"--config", "/tmp/x", "--json", "explain", "--group", "3b", "a.test"});
  const auto behind = parse_command_line(std::vector<std::string>{"explain", "a.test", "--group=3b", "--json", "--config=/tmp/x"});
  for (const auto* request : {&before, &behind}) {
    REQUIRE(request->has_value());
    CHECK((*request)->command == "explain");
    CHECK((*request)->directory == "/tmp/x");
    CHECK((*request)->json);
    CHECK((*request)->group == "3b");
    CHECK((*request)->arguments == std::vector<std::string>{"a.test"});
  }
  CHECK(parse_command_line(std::vector<std::string>{"validate"})->directory == "/etc/schultor");
  CHECK(parse_command_line(std::vector<std::string>{"validate", "--at", "2027-08-01"})->at == "2027-08-01");
  CHECK(parse_command_line(std::vector<std::string>{"timeline", "--help"})->help);
}

TEST_CASE("misuse is answered with what was meant or how it is written") {
  CHECK(misuse({"statsu"}) == "there is no command “statsu”; did you mean “status”?");
  CHECK(misuse({"timeline", "--grup", "3b"}) == "there is no option --grup; did you mean “group”?");
  CHECK(misuse({"timeline", "--group", "3b"}) ==
        "expected: schultorctl timeline (--group GROUP | --device MAC) --from DATE --to DATE");
  CHECK(misuse({"validate", "--group", "3b"}) == "validate takes no --group: schultorctl validate [--at TIME]");
  CHECK(misuse({"validate", "x"}) == "validate takes no more words: schultorctl validate [--at TIME]");
  CHECK_FALSE(misuse({}).empty());
  CHECK_FALSE(misuse({"explain", "a.test"}).empty());
  CHECK_FALSE(misuse({"explain", "--group", "a", "--device", "b", "a.test"}).empty());
  CHECK_FALSE(misuse({"explain", "--group", "a"}).empty());
  CHECK_FALSE(misuse({"explain", "--group", "a", "--address", "10.78.0.1", "a.test"}).empty());
  CHECK(misuse({"explain", "--device", "b", "--address", "10.78.0.1", "--interface", "lan1", "a.test"}).empty());
  CHECK(misuse({"explain", "--address", "10.78.0.1", "a.test"}).empty());
  CHECK_FALSE(misuse({"timeline", "--address", "10.78.0.1", "--from", "2026-11-23", "--to", "2026-11-24"}).empty());
  CHECK_FALSE(misuse({"timeline", "--group"}).empty());
  CHECK_FALSE(misuse({"timeline", "--gro", "a"}).empty());
}

TEST_CASE("an override is set, extended, cleared or listed, and nothing in between") {
  const auto request = [](const std::vector<std::string>& arguments) { return parse_command_line(arguments).value(); };
  const auto set = request({"override", "--group", "3b", "--profile", "exam", "--for", "45m", "--reason", "Mathearbeit"});
  CHECK(set.group == "3b");
  CHECK(set.profile == "exam");
  CHECK(set.span == "45m");
  CHECK(set.reason == "Mathearbeit");
  CHECK_FALSE(set.all);
  CHECK(request({"override", "--all", "--profile", "paused", "--until", "10:15"}).until == "10:15");
  CHECK(request({"override", "--all", "--extend", "15m"}).extend == "15m");
  CHECK(request({"override", "--group", "3b", "--clear"}).clear);
  CHECK(request({"override", "--all", "--clear"}).clear);
  CHECK(request({"override", "--clear"}).clear);
  CHECK_FALSE(request({"override"}).clear);

  const std::string usage =
      "expected: schultorctl override [(--group GROUP | --all) (--profile PROFILE (--for SPAN | --until TIME)";
  const std::vector<std::vector<std::string>> wrong{
      {"override", "--profile", "exam", "--for", "45m"},                                       // whose?
      {"override", "--group", "3b", "--all", "--profile", "exam", "--for", "45m"},             // whose?
      {"override", "--group", "3b", "--profile", "exam"},                                      // until when?
      {"override", "--group", "3b", "--profile", "exam", "--for", "45m", "--until", "10:15"},  // until when?
      {"override", "--group", "3b", "--profile", "exam", "--for", "45m", "--clear"},           // which of them?
      {"override", "--group", "3b", "--extend", "15m", "--reason", "x"},
      {"override", "--extend", "15m"},
      {"override", "--group", "3b", "--all", "--clear"},
      {"override", "--group", "3b"},
      {"override", "--for", "45m"}};
  for (const auto& arguments : wrong) {
    INFO(fmt::format("{}", fmt::join(arguments, " ")));
    CHECK(misuse(arguments).substr(0, usage.size()) == usage);
  }
}

TEST_CASE("an option of an override that would mean something else is misuse") {
  // The daemon takes an empty group for all of them.
  CHECK(misuse({"override", "--group", "", "--clear"}) == "--group is empty, expected a group's name");
  CHECK(misuse({"override", "--all", "--profile", "exam", "--for", "10:15"}) ==
        "--for: “10:15” is no span of time: expected one such as 45m or 1h30m");
  CHECK(misuse({"override", "--all", "--extend", "soon"}) ==
        "--extend: “soon” is no span of time: expected one such as 45m or 1h30m");
  CHECK(misuse({"override", "--all", "--profile", "exam", "--until", "45m"}) ==
        "--until: “45m” is a span of time: expected a time such as 10:15 or 2026-11-28 10:15, or --for");
}

TEST_CASE("every command takes the options that its usage names, and has a help text") {
  for (const std::string command : {"validate", "policy", "timeline", "explain", "roster", "lists", "status", "devices", "gate",
                                    "override", "events", "ruleset", "reload"}) {
    INFO(command);
    const auto help = help_text(command);
    CHECK(help.substr(0, 19 + command.size()) == "Usage: schultorctl " + command);
    CHECK(help_text("").find("\n  " + command) != std::string::npos);
    for (auto at = help.find("--"); at != std::string::npos; at = help.find("--", at + 2)) {
      const auto option = help.substr(at, help.find_first_of(" ]),.:\n”", at) - at);
      // With the wrong words beside it, but never unknown and never another command's.
      CHECK(misuse({command, option + "=x"}).find("there is no option") == std::string::npos);
      CHECK(misuse({command, option, "x"}).find("takes no --") == std::string::npos);
    }
  }
  CHECK(misuse({"events", "--clear"}) == "events takes no --clear: schultorctl events [--follow]");
  CHECK(misuse({"policy", "--device", "x"}) == "policy takes no --device: schultorctl policy [--group GROUP] [--at TIME]");
}

TEST_CASE("overrides are a table, and none at all is said") {
  auto overrides = nlohmann::ordered_json::parse(
      R"([{"id":1,"group":"3b","profile":"exam","from":"2026-11-23T10:00:00+01:00","until":"2026-11-23T10:45:00+01:00","by":"root","reason":"Mathearbeit"},
          {"id":2,"group":null,"profile":"paused","from":"2026-11-23T10:01:00+01:00","until":"2026-11-23T10:02:00+01:00","by":"meier","reason":""}])");
  CHECK(overrides_text(overrides).value() ==
        "GROUP       PROFILE  SINCE                      UNTIL                      BY     REASON\n"
        "3b          exam     2026-11-23T10:00:00+01:00  2026-11-23T10:45:00+01:00  root   Mathearbeit\n"
        "all groups  paused   2026-11-23T10:01:00+01:00  2026-11-23T10:02:00+01:00  meier\n");
  CHECK(override_text(overrides[0]).value() == "3b: exam until 2026-11-23T10:45:00+01:00, set by root (Mathearbeit)\n");
  CHECK(override_text(overrides[1]).value() == "all groups: paused until 2026-11-23T10:02:00+01:00, set by meier\n");
  CHECK(overrides_text(nlohmann::ordered_json::array()).value() == "no override is set\n");
  overrides[0].erase("until");
  CHECK_FALSE(overrides_text(overrides));
  CHECK_FALSE(override_text(overrides[0]));
  CHECK(cleared_text({{"cleared", 0}}, "3b").value() == "no override is set for 3b: there was nothing to clear\n");
  CHECK(cleared_text({{"cleared", 1}}, "3b").value() == "1 override cleared for 3b\n");
  CHECK(cleared_text({{"cleared", 2}}, std::nullopt).value() == "2 overrides cleared\n");
  CHECK(cleared_text({{"cleared", 0}}, std::nullopt).value() == "no override is set: there was nothing to clear\n");
  CHECK_FALSE(cleared_text({{"cleared", "x"}}, "3b"));
}

TEST_CASE("an event is one line for people, whatever it holds") {
  const auto line = [](const char* event) { return event_text(nlohmann::ordered_json::parse(event)); };
  CHECK(
      line(
          R"({"id":"i","kind":"mode","at":"T","group":"3b","profile":"school","previous":"leisure","text":"window 08:00-17:00"})") ==
      "T  mode           3b: leisure → school (window 08:00-17:00)");
  CHECK(line(R"({"id":"i","kind":"mode","at":"T","group":"3b","profile":"school","text":"fixed"})") ==
        "T  mode           3b: school (fixed)");
  CHECK(
      line(
          R"({"id":"i","kind":"override","at":"T","result":"set","group":"3b","profile":"exam","until":"U","by":"root","reason":"r"})") ==
      "T  override       3b: exam until U, set by root (r)");
  CHECK(
      line(
          R"({"id":"i","kind":"override","at":"T","result":"ended","group":null,"profile":"exam","until":"U","by":"root","reason":""})") ==
      "T  override       all groups: exam until U, ended, set by root");
  CHECK(line(R"({"id":"i","kind":"override","at":"T","result":"ending","group":"3b","profile":"exam","until":"U"})") ==
        "T  override       3b: exam until U, ends soon");
  CHECK(line(R"({"id":"i","kind":"configuration","at":"T","result":"applied","revision":7})") ==
        "T  configuration  applied, revision 7");
  CHECK(
      line(
          R"({"id":"i","kind":"configuration","at":"T","result":"refused","revision":7,"errors":["a:1: error: x\nb:2: error: y"]})") ==
      "T  configuration  refused: a:1: error: x (and 1 more)");
  CHECK(line(R"({"id":"i","kind":"clock","at":"T","result":"trusted","text":"the clock is right"})") ==
        "T  clock          the clock is right");
  CHECK(line(R"({"id":"i","kind":"fault","at":"T","text":"two\nlines"})") == "T  fault          two lines");
  CHECK(line(R"({"id":"i","kind":"new","at":"T","count":3})") == "T  new            {\"count\":3}");
  CHECK(line(R"("no object")") == "\"no object\"");
}

TEST_CASE("lists takes a verb or none, each with its own options") {
  CHECK(misuse({"lists"}).empty());
  CHECK(misuse({"lists", "--state", "x"}).empty());
  CHECK(misuse({"lists", "status", "--state", "x"}).empty());
  CHECK(misuse({"lists", "update", "--only", "a", "--force", "a", "--force", "b", "--cacert", "x", "--patience", "9", "--largest",
                "9", "--output", "x", "--state", "x"})
            .empty());
  CHECK(misuse({"lists", "--table", "x"}).empty());
  CHECK(misuse({"lists", "compile", "--output", "x"}).empty());
  CHECK(misuse({"lists", "check", "a.test", "--table", "x"}).empty());
  for (const auto& words : std::vector<std::vector<std::string>>{{"lists", "comple"},
                                                                 {"lists", "check"},
                                                                 {"lists", "compile", "x"},
                                                                 {"lists", "check", "a", "b"},
                                                                 {"lists", "--output", "x"},
                                                                 {"lists", "compile", "--table", "x"},
                                                                 {"lists", "check", "a", "--output", "x"},
                                                                 {"lists", "status", "x"},
                                                                 {"lists", "status", "--force", "a"},
                                                                 {"lists", "update", "a"},
                                                                 {"lists", "update", "--table", "x"},
                                                                 {"lists", "compile", "--only", "a"},
                                                                 {"lists", "--cacert", "x"},
                                                                 {"status", "--table", "x"}})
    CHECK_FALSE(misuse(words).empty());
}

TEST_CASE("the status is a table whose columns stand below one another, umlauts or not") {
  CHECK(align({{"a", "b", "c"}, {"äöü", "x", "y"}}) == "a    b  c\näöü  x  y\n");
  auto description =
      nlohmann::ordered_json::parse(R"({"school":"s","version":"0.1.0","time":"2026-03-27T08:00:00+01:00","policy_revision":7,
    "groups":[{"name":"gäste","profile":"school","because":"window","text":"window 08:00-17:00","since":"2026-03-27T08:00:00+01:00","until":null,
    "ownership":"byod","devices":3}],"gate":{"connected":true,"resolver_answers":null},"applied":"2026-03-27T08:00:00+01:00","broker":null})");
  const auto text = status_text(description);
  REQUIRE(text);
  CHECK(text->find("broker:   unknown (schultor-report is not running)\n") != std::string::npos);
  CHECK(text->find("gate:     connected, resolver not asked yet\n") != std::string::npos);
  CHECK(text->find("\ngäste  school   window 08:00-17:00  2026-03-27T08:00:00+01:00  -      byod       3        -\n") !=
        std::string::npos);
  auto counted = description;
  counted["groups"][0]["online"] = 2;
  CHECK(status_text(counted)->find("byod       3        2\n") != std::string::npos);
  CHECK(text->find("debug:") == std::string::npos);
  auto logging = description;
  logging["gate"]["question_log"] = nlohmann::ordered_json::parse(R"({"since":"S","until":"U","profile":null,"by":"root"})");
  CHECK(status_text(logging)->find("debug:    questions of all profiles are logged until U, switched on by root\n") !=
        std::string::npos);
  description["broker"] = {{"connected", true}, {"outbox_depth", 1}};
  CHECK(status_text(description)->find("connected, 1 event waiting") != std::string::npos);
  // What an older schultord does not tell is left out.
  for (const auto* word : {"clock:", "randomised:", "Overrides:", "refused"}) CHECK(text->find(word) == std::string::npos);
  description["clock"] = {{"trusted", true}, {"synchronised", false}};
  description["lists"] = nlohmann::ordered_json::parse(
      R"([{"list":"ads","state":"ok","reason":"","since":"S","updated":"U","entries":7,"from":"a.example"},
          {"list":"adult","state":"failed","reason":"the server answered 503","since":"S","updated":null,"entries":0,"from":"b.example"}])");
  CHECK(status_text(description)
            ->ends_with("\nBlock lists that were not updated:\n"
                        "LIST   STATE   ENTRIES  UPDATED  FROM       WHY\n"
                        "adult  failed  0        never    b.example  the server answered 503\n"));
  description["lists"].erase(1);
  CHECK(status_text(description)->find("Block lists") == std::string::npos);
  description["offload"] = {{"in_effect", true}, {"interfaces", {"lan0", "wan0"}}, {"text", "cloud connections"}};
  CHECK(status_text(description)->find("offload:  cloud connections (lan0, wan0)\n") != std::string::npos);
  description["offload"] = nlohmann::ordered_json::parse(R"({"in_effect":false,"interfaces":[],"text":"switched off"})");
  CHECK(status_text(description)->find("offload:  switched off\n") != std::string::npos);
  CHECK(text->find("cache:") == std::string::npos);
  description["cache"] = nlohmann::ordered_json::parse(
      R"({"connected":true,"origins":[{"name":"filme","well":true,"text":""},{"name":"inhalte","well":false,"text":"nginx does not answer"}]})");
  CHECK(status_text(description)->find("cache:    answers for 1 of 2 origins\n") != std::string::npos);
  CHECK(status_text(description)
            ->ends_with("\nOrigins that the cache does not answer for, whose names lead to themselves:\n"
                        "  inhalte: nginx does not answer\n"));
  description["cache"]["connected"] = false;
  CHECK(status_text(description)->find("cache:    not connected: schultor-origin is not running\n") != std::string::npos);
  description.erase("cache");
  description["randomised_devices"] = 2;
  description["overrides"] = nlohmann::ordered_json::array();
  description["refused"] = nullptr;
  const auto quiet = status_text(description).value();
  CHECK(quiet.find("clock:       believed, not synchronised\n") != std::string::npos);
  CHECK(quiet.find("randomised:  2 of the roster's addresses are random ones") != std::string::npos);
  CHECK(quiet.find("Overrides:") == std::string::npos);
  CHECK(quiet.find("refused") == std::string::npos);
  description["clock"] = {{"trusted", false}, {"synchronised", false}};
  description["overrides"] = nlohmann::ordered_json::parse(
      R"([{"group":"3b","profile":"exam","from":"F","until":"U","by":"root","reason":"Mathearbeit"}])");
  description["refused"] = nlohmann::ordered_json::parse(R"({"at":"T","errors":["a:1: error: x\nb:2: error: y","c:3: error: z"]})");
  const auto loud = status_text(description).value();
  CHECK(loud.find("clock:       not known to be right: until it is,") != std::string::npos);
  CHECK(loud.find("\nOverrides:\nGROUP  PROFILE  SINCE  UNTIL  BY    REASON\n3b     exam     F      U      root  Mathearbeit\n") !=
        std::string::npos);
  CHECK(loud.find("refused at T; what was in force before stays:\n  a:1: error: x\n  b:2: error: y\n  c:3: error: z\n") !=
        std::string::npos);
  description["overrides"] = nlohmann::ordered_json::parse(R"([{"group":"3b"}])");
  CHECK_FALSE(status_text(description));
  description["overrides"] = nullptr;
  CHECK(status_text(description));
  description.erase("gate");
  CHECK_FALSE(status_text(description));
  CHECK_FALSE(status_text(nlohmann::ordered_json::array()));
}

TEST_CASE("what schultord says of a refused configuration is read as validate shows it") {
  using schultor::config::Diagnostic;
  using schultor::config::Severity;
  const std::vector<Diagnostic> said{{"city.toml", 14, 3, Severity::error, "“a: error: b” is no name"},
                                     {"calendars/a:b.ics", 2, 0, Severity::error, "no event"},
                                     {"school.toml", 0, 0, Severity::error, "there is more than what is shown"}};
  std::string text;
  for (const auto& one : said) text += to_string(one) + "\n";
  CHECK(read_refusal(text) == said);
  CHECK(read_refusal("") == std::vector<Diagnostic>{});
  // No place, or none that is a number.
  CHECK(read_refusal("the disk is full: 28") == std::vector<Diagnostic>{{"", 0, 0, Severity::error, "the disk is full: 28"}});
  CHECK(read_refusal("a:0:x:-1:99999999999: error: b") ==
        std::vector<Diagnostic>{{"a:0:x:-1:99999999999", 0, 0, Severity::error, "b"}});
  CHECK(read_refusal(":7: error: ") == std::vector<Diagnostic>{{":7", 0, 0, Severity::error, ""}});

  const auto shown = diagnostics_json(said);
  REQUIRE(shown.size() == 3);
  CHECK(shown[0].dump() == R"({"file":"city.toml","line":14,"column":3,"severity":"error","text":"“a: error: b” is no name"})");
}

TEST_CASE("what the gate has counted is told in tables") {
  CHECK(misuse({"gate", "stats"}).empty());
  CHECK(misuse({"gate", "debug", "--for", "10m"}).empty());
  CHECK(misuse({"gate", "debug", "--for", "10m", "--profile", "school"}).empty());
  CHECK(misuse({"gate", "debug", "--off"}).empty());
  const std::string usage = "schultorctl gate (stats | debug (--for SPAN [--profile PROFILE] | --off))";
  CHECK(misuse({"gate"}) == "gate takes one word: " + usage);
  for (const auto& words : std::vector<std::vector<std::string>>{{"gate", "start"},
                                                                 {"gate", "stats", "--off"},
                                                                 {"gate", "debug"},
                                                                 {"gate", "debug", "--profile", "school"},
                                                                 {"gate", "debug", "--off", "--for", "10m"},
                                                                 {"gate", "debug", "--off", "--profile", "school"}})
    CHECK(misuse(words) == "expected: " + usage);
  auto statistics = nlohmann::ordered_json::parse(R"({"connected":true,"since":"S","seconds":60,"age":0,"waiting":1,
    "views":[{"view":0,"profile":null,"steer":false,"questions":1,"cached":0,"verdicts":{"allowed":0,"rewritten":0,"refused":0,
      "screened":0,"own":0,"steered":0,"no_type":0,"fault":0,"failed":0,"dropped":0,"ignored":1}},
     {"view":2,"profile":"school","steer":true,"questions":8,"cached":4,"verdicts":{"allowed":1,"rewritten":2,"refused":3,
      "screened":0,"own":0,"steered":5,"no_type":1,"fault":0,"failed":0,"dropped":1,"ignored":0}}],
    "answered":{"nothing":{"count":4,"p50_us":48,"p99_us":1536,"buckets_us":[]},"resolver":{"count":0,"p50_us":null,"p99_us":null},
     "pins":{"count":2,"p50_us":2048,"p99_us":4194304}},
    "resolver":{"questions":9,"answers":8,"again":1,"silent":0,"tcp":2,"under_way":1,"round_trip":{"p50_us":640,"p99_us":1024}},
    "pins":{"requests":3,"addresses":5,"pinned":2,"stale":1,"refused":0,"failed":0,"lost":0}})");
  CHECK(gate_statistics_text(statistics).value() ==
        "since:     S\n"
        "gate:      connected\n"
        "waiting:   1\n"
        "resolver:  9 questions, 8 answers (p50 640 µs, p99 1.0 ms), 1 sent again, 0 silent, 2 over TCP, 1 under way\n"
        "pins:      3 requests for 5 addresses: 2 done, 1 stale, 0 refused, 0 failed, 0 lost\n"
        "\n"
        "PROFILE           QUESTIONS  CACHED  ALLOWED  REWRITTEN  REFUSED  SCREENED  OWN  STEERED  NO-TYPE  FAULT  FAILED  DROPPED "
        " IGNORED\n"
        "(no view)         1          0 %     0        0          0        0         0    0        0        0      0       0       "
        " 1\n"
        "school (steered)  8          50 %    1        2          3        0         0    5        1        0      0       1       "
        " 0\n"
        "\n"
        "ANSWERED                 COUNT  P50     P99\n"
        "at once                  4      48 µs   1.5 ms\n"
        "by the resolver          0      -       -\n"
        "after opening addresses  2      2.0 ms  4.2 s\n");
  statistics["connected"] = false;
  statistics["age"] = 12;
  CHECK(gate_statistics_text(statistics)->find("told:      12 s ago\ngate:      not connected") != std::string::npos);
  statistics["since"] = nullptr;
  CHECK(gate_statistics_text(statistics).value() == "the gate is not connected: schultor-dns is not running\n");
  CHECK_FALSE(gate_statistics_text(nlohmann::ordered_json::parse("{}")));
  CHECK_FALSE(gate_statistics_text(nlohmann::ordered_json()));
}

TEST_CASE("that questions are logged is said wherever one looks") {
  const auto json = [](const char* text) { return nlohmann::ordered_json::parse(text); };
  CHECK(question_log_text(json(R"({"since":"S","until":"U","profile":"school","by":"root"})")).value() ==
        "questions of school are logged until U: “journalctl -u schultor-dns”\n");
  CHECK(question_log_text(json(R"({"ended":true})")).value() == "questions are not logged any more\n");
  CHECK(question_log_text(json(R"({"ended":false})")).value() == "questions were not logged\n");
  CHECK_FALSE(question_log_text(json("[]")));
  CHECK(event_text(json(R"({"id":"i","kind":"debug","at":"T","result":"begun","until":"U","by":"root","text":"t"})")) ==
        "T  debug          questions of all profiles are logged until U, by root");
  CHECK(event_text(
            json(R"({"id":"i","kind":"debug","at":"T","result":"ended","until":"U","by":"root","profile":"school","text":"t"})")) ==
        "T  debug          questions of school are not logged any more");
}

TEST_CASE("what the cache spares is a table by origin and day, with a sum where there are several days") {
  const auto text = cache_statistics_text(nlohmann::ordered_json::parse(
      R"({"origins":[{"origin":"filme","days":[{"day":"2026-11-23","requests":30,"hits":29,"served":6000000000,"fetches":50,"fetched":200000000,"saved":5800000000},
                                               {"day":"2026-11-24","requests":1,"hits":0,"served":10,"fetches":1,"fetched":12,"saved":0}]}]})"));
  REQUIRE(text);
  CHECK(*text ==
        "ORIGIN  DAY         REQUESTS  HITS  SERVED  FETCHES  FETCHED  SAVED\n"
        "filme   2026-11-23  30        97 %  6.0 GB  50       200 MB   5.8 GB\n"
        "filme   2026-11-24  1         0 %   10 B    1        12 B     0 B\n"
        "filme   all         31        94 %  6.0 GB  51       200 MB   5.8 GB\n");
  CHECK(cache_statistics_text(nlohmann::ordered_json::parse(R"({"origins":[]})")).value() == "nothing was counted yet\n");
  CHECK_FALSE(cache_statistics_text(nlohmann::ordered_json::parse(R"({"origins":[{"origin":1}]})")));
  CHECK(purge_text(nlohmann::ordered_json::parse(R"({"withdrawn":3,"octets":12582912})")).value() == "3 parts withdrawn, 13 MB\n");
  CHECK_FALSE(purge_text(nlohmann::ordered_json::parse("[]")));
}

TEST_CASE("everything in the cache is withdrawn only where that is said") {
  CHECK(misuse({"cache", "purge", "--all"}).empty());
  CHECK(misuse({"cache", "purge", "filme"}).empty());
  CHECK_FALSE(misuse({"cache", "purge"}).empty());
  CHECK_FALSE(misuse({"cache", "purge", ""}).empty());
  CHECK_FALSE(misuse({"cache", "purge", "filme", "--all"}).empty());
  CHECK_FALSE(misuse({"cache", "stats", "--all"}).empty());
}
