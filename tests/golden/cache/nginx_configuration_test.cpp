// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The configuration, word by word, against files (SCHULTOR_REGENERATE=1 writes them anew), and nginx's own judgement of it.
#include "tests/catch.hpp"

#include "daemon/cache/nginx_configuration.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace schultor;
using namespace schultor::cache;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;

policy::Origin origin(std::string name, std::vector<std::string> hosts, bool http, bool https) {
  policy::Origin made;
  made.name = std::move(name);
  made.hosts = std::move(hosts);
  made.http = http;
  made.https = https;
  made.largest = 4ULL << 30U;
  made.longest = std::chrono::hours{24 * 30};
  return made;
}

policy::CacheRules rules(std::vector<policy::Origin> origins) {
  policy::CacheRules made;
  made.origins = std::move(origins);
  made.resolver = base::parse_endpoint("127.0.0.1:5335").value();
  made.directory = "/var/cache/schultor";
  made.size = 200ULL << 30U;
  made.least_free = 5ULL << 30U;
  return made;
}

EngineSettings settings(std::vector<std::string> certified) {
  return {"/run/schultor-cache", "/var/lib/schultor-certificates", std::move(certified), 2};
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void expect_golden(const char* name, const std::string& text) {
  const auto path = fmt::format("{}/tests/golden/cache/{}", SCHULTOR_SOURCE_DIR, name);
  if (std::getenv("SCHULTOR_REGENERATE") != nullptr) std::ofstream(path) << text;
  CHECK(text == read(path));
}

/// A folder that goes with the test.
class Folder {
public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "schultor-nginx-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// What nginx -t says; empty: nothing is wrong. In a network namespace of its own: it tries the ports.
std::string judgement_of(const std::string& text, const std::string& folder) {
  std::ofstream(folder + "/nginx.conf") << text;
  const auto command = fmt::format("unshare --net nginx -t -q -e stderr -p {0} -c {0}/nginx.conf 2>&1", folder);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  std::string said;
  std::array<char, 1024> room{};
  while (std::fgets(room.data(), room.size(), pipe.get()) != nullptr) said += room.data();
  return said;
}

}  // namespace

SCENARIO("an origin of both schemes is stored by either, and passed through to whoever knows no certificate of the box") {
  const auto made = nginx_configuration(
      rules({origin("filme", {"filme.mnspro.test"}, true, true), origin("pakete", {"a.pakete.test", "pakete.test"}, false, true)}),
      settings({"filme.mnspro.test", "pakete.test"}));
  REQUIRE(made);
  expect_golden("both.conf", made->text);
  THEN("a host without a certificate is terminated nowhere") { CHECK_THAT(made->text, !Contains("a.pakete.test.pem")); }
}

SCENARIO("an origin without https has its port 443 passed on for everybody, by its name") {
  const auto made =
      nginx_configuration(rules({origin("bilder", {"bilder.test"}, true, false), origin("pakete", {"pakete.test"}, true, true)}),
                          settings({"pakete.test"}));
  REQUIRE(made);
  expect_golden("plain.conf", made->text);
}

SCENARIO("nginx takes what is written for it") {
  const Folder folder;
  for (const bool certified : {false, true}) {
    auto given = rules({origin("bilder", {"bilder.test"}, true, false), origin("pakete", {"pakete.test"}, true, true)});
    given.directory = folder.path() + "/stored";
    EngineSettings where{folder.path(), folder.path(), {}, 1};
    if (certified) {
      where.certified = {"pakete.test"};
      REQUIRE(
          std::system(
              fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=pakete.test "
                          "-keyout {0}/key -out {0}/certificate 2>/dev/null && cat {0}/key {0}/certificate > {0}/pakete.test.pem",
                          folder.path())
                  .c_str()) == 0);
    }
    const auto made = nginx_configuration(given, where);
    REQUIRE(made);
    CHECK(judgement_of(made->text, folder.path()).empty());
    CHECK_THAT(judgement_of(made->text + "}\n", folder.path()), Contains("unexpected"));
  }
}

SCENARIO("a configuration is told from another one, and bears its own mark") {
  const auto one = nginx_configuration(rules({origin("filme", {"filme.test"}, true, true)}), settings({}));
  const auto same = nginx_configuration(rules({origin("filme", {"filme.test"}, true, true)}), settings({}));
  const auto other = nginx_configuration(rules({origin("filme", {"filme.test"}, true, true)}), settings({"filme.test"}));
  REQUIRE((one && same && other));
  CHECK(one->generation == same->generation);
  CHECK(one->generation != other->generation);
  CHECK_THAT(one->text, Contains("X-Schultor-Generation " + one->generation));
}

SCENARIO("nothing that means something to nginx gets into its configuration") {
  CHECK_FALSE(nginx_configuration(rules({origin("filme", {"filme.test; return 200"}, true, true)}), settings({})));
  CHECK_FALSE(nginx_configuration(rules({origin("fil me", {"filme.test"}, true, true)}), settings({})));
  CHECK_FALSE(nginx_configuration(rules({origin("filme", {""}, true, true)}), settings({})));
  auto given = rules({});
  given.directory = "/var/cache/{schultor}";
  CHECK_FALSE(nginx_configuration(given, settings({})));
  given = rules({});
  given.resolver.reset();
  CHECK_FALSE(nginx_configuration(given, settings({})));
}
