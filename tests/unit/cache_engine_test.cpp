// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "daemon/cache/engine.hpp"

#include <filesystem>
#include <fstream>

using namespace schultor;
using namespace schultor::cache;
namespace fs = std::filesystem;

namespace {

/// What nginx is to Engine::apply(): a program that judges a file, and refuses one that names this host.
constexpr const char* judge =
    "#!/bin/sh\nfor last; do :; done\nif grep -q refused.test \"$last\"; then echo 'not this one'; exit 1; fi\n";

policy::CacheRules rules_of(const std::string& directory, const std::string& host) {
  policy::CacheRules rules;
  rules.origins.push_back({"filme", {host}, true, false, {}, 1, {}, {}, {}});
  rules.resolver = base::parse_endpoint("127.0.0.1:5335").value();
  rules.directory = directory;
  return rules;
}

}  // namespace

SCENARIO("a configuration that nginx refuses changes nothing, and is forgotten with the one before") {
  std::string directory = (fs::temp_directory_path() / "schultor-engine-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  std::ofstream(directory + "/judge") << judge;
  fs::permissions(directory + "/judge", fs::perms::owner_all);
  auto loop = base::EventLoop::create();
  REQUIRE(loop);
  const auto in_place = [&] {
    std::ifstream file(directory + "/nginx.conf");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::optional<Engine> engine;
  const auto apply = [&](const char* host) { engine->apply(rules_of(directory, host), {}, 0); };
  std::string first;
  const auto on_change = [&] {
    if (!engine || !engine->is_settled()) return;
    if (first.empty()) {
      first = in_place();
      CHECK_FALSE(engine->is_refused());
      apply("refused.test");
      return;
    }
    CHECK(engine->is_refused());
    CHECK(in_place() == first);
    apply("filme.test");
    loop->quit();
  };
  engine.emplace(*loop, Engine::Options{{directory, directory, {}, 1, 0}, directory + "/judge"}, on_change);
  apply("filme.test");
  REQUIRE(loop->run());
  CHECK(first.find("filme.test") != std::string::npos);
  CHECK(in_place() == first);
  CHECK(engine->is_settled());
  CHECK_FALSE(engine->is_refused());
  engine.reset();
  fs::remove_all(directory);
}
