// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/applied_configuration.hpp"
#include "daemon/enforce/clock_trust.hpp"
#include "daemon/enforce/kept_overrides.hpp"
#include "daemon/enforce/state_file.hpp"
#include "tests/catch.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace schultor;
using namespace schultor::enforce;
using std::chrono::hours;
using std::chrono::minutes;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() {
    std::string name = (fs::temp_directory_path() / "schultor-state-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { fs::remove_all(path); }
  [[nodiscard]] std::string at(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

config::Files some_files(const std::string& school = "# school\n") {
  config::Files files{"# gateway\n", "# city\n", school, "mac,group\n"};
  files.named = {{"calendars/nrw.ics", "BEGIN:VCALENDAR\r\n"}, {"endpoints/m365.json", "[]"}};
  return files;
}

}  // namespace

SCENARIO("a clock is not believed that is behind the build, until a time service has set it") {
  const Directory state;
  ClockTrust trust(state.at("clock"));
  CHECK_FALSE(trust.trusted());
  CHECK_FALSE(trust.examine(build_time() - minutes{1}, false));
  CHECK_FALSE(trust.trusted());
  // Nothing is written by a clock that is not believed.
  REQUIRE(trust.remember(build_time() - minutes{1}, false));
  CHECK_FALSE(fs::exists(state.at("clock")));
  CHECK(trust.examine(build_time() - minutes{1}, true));
  CHECK(trust.trusted());
}

SCENARIO("a clock that was right already is not believed where it is behind that after a start") {
  const Directory state;
  const auto late = build_time() + hours{100};
  ClockTrust before(state.at("clock"));
  CHECK(before.examine(late, true));
  REQUIRE(before.remember(late, true));
  ClockTrust after(state.at("clock"));
  CHECK_FALSE(after.examine(late - minutes{1}, false));
  CHECK(after.examine(late, false));
  // While it runs a correction of less than a minute is none of this.
  CHECK_FALSE(after.examine(late - std::chrono::seconds{59}, false));
  CHECK(after.trusted());
  CHECK(after.examine(late - minutes{2}, false));
  CHECK_FALSE(after.trusted());
}

SCENARIO("a synchronised clock is right also where it is behind what was written") {
  const Directory state;
  ClockTrust trust(state.at("clock"));
  trust.examine(build_time() + hours{9000}, false);
  REQUIRE(trust.remember(build_time() + hours{9000}, false));
  trust.examine(build_time() + hours{1}, true);
  REQUIRE(trust.remember(build_time() + hours{1}, true));
  ClockTrust after(state.at("clock"));
  CHECK(after.examine(build_time() + hours{1}, false));
}

SCENARIO("a damaged instant counts as none") {
  const Directory state;
  for (const auto* text : {"", "soon", "-5", "99999999999999999999", "4102444801"}) {
    write(state.at("clock"), text);
    ClockTrust trust(state.at("clock"));
    CHECK(trust.examine(build_time(), false));
  }
}

SCENARIO("overrides that are damaged are moved aside, and say so") {
  const Directory state;
  const auto path = state.at("overrides.json");
  const auto none = load_overrides(path);
  REQUIRE(none);
  CHECK_FALSE(*none);
  const policy::KeptOverrides kept{3, {}, {}};
  REQUIRE(save_overrides(path, kept));
  const auto back = load_overrides(path);
  REQUIRE(back);
  REQUIRE(*back);
  CHECK(**back == kept);
  write(path, "{\"last_id\": 3, \"overr");
  const auto damaged = load_overrides(path);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().what().find(".damaged") != std::string::npos);
  CHECK_FALSE(fs::exists(path));
  CHECK(read(path + ".damaged") == "{\"last_id\": 3, \"overr");
}

SCENARIO("nothing is written that the next start would call damaged") {
  const Directory state;
  const auto path = state.at("overrides.json");
  policy::KeptOverrides kept{1, {}, {}};
  REQUIRE(save_overrides(path, kept));
  const auto before = read(path);
  const std::chrono::sys_seconds from{std::chrono::seconds{1}};
  kept.overrides.push_back({1, std::string(600, 'g'), "exam", from, from + hours{1}, "", ""});
  CHECK_FALSE(save_overrides(path, kept));
  CHECK(read(path) == before);
}

SCENARIO("a file that cannot be replaced stays as it is") {
  const Directory state;
  REQUIRE(replace_state(state.at("file"), "old"));
  fs::create_directory(state.at("file.new"));
  CHECK_FALSE(replace_state(state.at("file"), "new"));
  CHECK(read(state.at("file")) == "old");
  CHECK_FALSE(replace_state(state.at("nowhere/file"), "new"));
  CHECK_FALSE(read_state(state.path));
}

SCENARIO("the applied configuration is kept whole and for nobody else's eyes") {
  const Directory state;
  const auto applied = state.at("applied");
  REQUIRE(keep_applied(applied, some_files()));
  const auto back = config::read(applied, config::Need::everything());
  REQUIRE(back.files);
  CHECK(back.files->roster == some_files().roster);
  CHECK(back.files->named == some_files().named);
  CHECK(mode_of(applied) == 0700);
  CHECK(mode_of(applied + "/calendars") == 0700);
  CHECK(mode_of(applied + "/roster.csv") == 0600);

  GIVEN("another one") {
    auto fewer = some_files("# another\n");
    fewer.named.clear();
    REQUIRE(keep_applied(applied, fewer));
    CHECK(read(applied + "/school.toml") == "# another\n");
    CHECK_FALSE(fs::exists(applied + "/calendars/nrw.ics"));
    CHECK_FALSE(fs::exists(applied + ".new"));
  }
  GIVEN("the same one") {
    const auto before = fs::last_write_time(applied + "/school.toml");
    struct stat inode {};
    REQUIRE(stat(applied.c_str(), &inode) == 0);
    REQUIRE(keep_applied(applied, some_files()));
    struct stat after {};
    REQUIRE(stat(applied.c_str(), &after) == 0);
    CHECK(after.st_ino == inode.st_ino);
    CHECK(fs::last_write_time(applied + "/school.toml") == before);
  }
  GIVEN("what a power cut left of another") {
    fs::create_directory(applied + ".new");
    write(applied + ".new/school.toml", "# hal");
    CHECK(read(applied + "/school.toml") == "# school\n");
    REQUIRE(keep_applied(applied, some_files("# another\n")));
    CHECK(read(applied + "/school.toml") == "# another\n");
    CHECK(read(applied + "/city.toml") == "# city\n");
  }
  GIVEN("one that is too large, or a place that is none") {
    CHECK_FALSE(keep_applied(applied, some_files(std::string(largest_applied, '#'))));
    CHECK_FALSE(keep_applied(state.at("nowhere/applied"), some_files()));
    CHECK(read(applied + "/school.toml") == "# school\n");
  }
}

SCENARIO("the rules of the content cache are kept for who makes its certificates") {
  const Directory state;
  const auto path = state.at("cache_rules.json");
  policy::CacheRules rules;
  rules.directory = "/var/cache/schultor";
  auto& origin = rules.origins.emplace_back();
  origin.name = "inhalte";
  origin.hosts = {"inhalte.test"};
  origin.https = true;
  const auto kept = [&] { return policy::to_json(policy::cache_rules_from_json(read(path)).value()); };
  REQUIRE(keep_cache_rules(path, rules));
  CHECK(kept() == policy::to_json(rules));
  const auto inode = [&] {
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_ino;
  };
  const auto before = inode();
  REQUIRE(keep_cache_rules(path, rules));
  CHECK(inode() == before);
  origin.hosts = {"inhalte.test", "packages.example.org"};
  REQUIRE(keep_cache_rules(path, rules));
  CHECK(kept() == policy::to_json(rules));
  REQUIRE(keep_cache_rules(path, std::nullopt));
  CHECK((fs::exists(path) && read(path).empty()));
  CHECK_FALSE(keep_cache_rules(state.at("nowhere/cache_rules.json"), rules));
}
