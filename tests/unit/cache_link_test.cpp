// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Both ends of the socket between schultord and the content cache, in one loop, over a real socket.
#include "daemon/enforce/cache_link.hpp"
#include "daemon/base/packet_socket.hpp"
#include "daemon/cache/schultord_link.hpp"
#include "tests/catch.hpp"

#include <sys/stat.h>

#include <filesystem>

namespace {

using namespace schultor;

constexpr auto patience = std::chrono::seconds(20);

policy::CacheRules rules(const std::string& name) {
  policy::CacheRules made;
  made.origins = {{name, {name + ".test"}, true, false, policy::Scope::school, 1, std::chrono::seconds(1), {}, {}}};
  made.directory = "/var/cache/schultor";
  made.size = 1;
  return made;
}

struct Machine {
  base::EventLoop loop = std::move(*base::EventLoop::create());
  std::filesystem::path directory;
  std::unique_ptr<enforce::CacheLink> schultord;
  std::unique_ptr<cache::SchultordLink> cache;
  std::vector<std::string> taken;  // the first origin of rules that came, or "-"
  int lost = 0;
  int changes = 0;

  Machine() {
    std::string pattern = std::filesystem::temp_directory_path() / "schultor-cache-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
  }
  ~Machine() {
    cache.reset();
    schultord.reset();
    std::filesystem::remove_all(directory);
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] std::string path() const { return directory / "cache.sock"; }

  void start_schultord() {
    auto made = enforce::CacheLink::listen(loop, path(), std::nullopt, [this] { ++changes; });
    REQUIRE(made);
    schultord = std::move(*made);
  }
  void start_cache() {
    cache = std::make_unique<cache::SchultordLink>(
        loop, path(),
        cache::SchultordLink::Handlers{
            [this](std::optional<policy::CacheRules> held) { taken.push_back(held ? held->origins.at(0).name : "-"); },
            [this](const base::Error&) { ++lost; }});
    cache->start();
  }

  template <typename Condition>
  void run_until(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      REQUIRE(sd_event_run(loop.native(), 100'000) >= 0);
    }
  }
  /// Everything that has been sent is read.
  void drain() {
    while (sd_event_run(loop.native(), 0) > 0) continue;
  }
  void tell(std::uint64_t well) {
    cache::Health health{0, well, {}};
    if (well == 0) health.unwell[0] = cache::Unwell::engine;
    cache->tell_health(health);
  }
};

}  // namespace

SCENARIO("the cache is handed its rules when it connects and when they change, and is well once it says so") {
  Machine machine;
  machine.start_schultord();
  machine.schultord->announce(policy::to_json(rules("inhalte")));
  machine.start_cache();
  machine.run_until([&] { return machine.taken.size() == 1; });
  CHECK(machine.taken.back() == "inhalte");
  CHECK(machine.schultord->connected());
  CHECK(machine.schultord->health().well == 0);
  machine.tell(1);
  machine.run_until([&] { return machine.schultord->health().well == 1; });
  machine.tell(0);
  machine.run_until([&] { return machine.schultord->health().well == 0; });
  CHECK(machine.schultord->health().unwell[0] == cache::Unwell::engine);
  machine.tell(1);
  machine.run_until([&] { return machine.schultord->health().well == 1; });
  const auto changes = machine.changes;
  machine.schultord->announce(policy::to_json(rules("inhalte")));
  CHECK(machine.changes == changes);
  CHECK(machine.schultord->health().well == 1);
  machine.schultord->announce(policy::to_json(rules("filme")));
  CHECK(machine.schultord->health().well == 0);
  machine.run_until([&] { return machine.taken.size() == 2; });
  CHECK(machine.taken.back() == "filme");
  machine.schultord->announce(std::nullopt);
  machine.run_until([&] { return machine.taken.size() == 3; });
  CHECK(machine.taken.back() == "-");
}

SCENARIO("word of rules that have gone meanwhile is none of the new ones") {
  Machine machine;
  machine.start_schultord();
  machine.schultord->announce(policy::to_json(rules("inhalte")));
  machine.start_cache();
  machine.run_until([&] { return machine.taken.size() == 1; });
  // Both are under way at once.
  machine.schultord->announce(policy::to_json(rules("filme")));
  machine.tell(1);
  machine.drain();
  CHECK(machine.taken.size() == 2);
  CHECK(machine.schultord->health().well == 0);
  machine.tell(1);
  machine.run_until([&] { return machine.schultord->health().well == 1; });
}

SCENARIO("with the connection all that was well is gone at once, and the cache comes back by itself") {
  Machine machine;
  machine.start_schultord();
  machine.schultord->announce(policy::to_json(rules("inhalte")));
  machine.start_cache();
  machine.run_until([&] { return machine.taken.size() == 1; });
  machine.tell(1);
  machine.run_until([&] { return machine.schultord->health().well == 1; });
  machine.cache.reset();
  machine.run_until([&] { return !machine.schultord->connected(); });
  CHECK(machine.schultord->health().well == 0);
  machine.start_cache();
  machine.run_until([&] { return machine.taken.size() == 2; });
  machine.schultord.reset();
  machine.run_until([&] { return machine.lost == 1; });
  CHECK_FALSE(machine.cache->connected());
  machine.tell(1);  // to nobody
  machine.start_schultord();
  machine.schultord->announce(policy::to_json(rules("filme")));
  machine.run_until([&] { return machine.taken.size() >= 3 && machine.taken.back() == "filme"; });
}

SCENARIO("a cache that says what is no message is cut off; schultord goes on") {
  Machine machine;
  machine.start_schultord();
  machine.schultord->announce(policy::to_json(rules("inhalte")));
  for (const auto& packet : {std::vector<std::byte>(5), std::vector<std::byte>(2000), cache::encode(cache::Rules{1, true})}) {
    auto stranger = base::connect_for_packets(machine.path());
    REQUIRE(stranger);
    machine.run_until([&] { return machine.schultord->connected(); });
    REQUIRE(base::send_packet(stranger->get(), packet));
    machine.run_until([&] { return !machine.schultord->connected(); });
  }
  struct stat status {};
  REQUIRE(stat(machine.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0660U);
}
