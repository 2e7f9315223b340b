// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/describe.hpp"
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include <date/tz.h>

using namespace schultor;
using namespace schultor::enforce;
using nlohmann::json;

namespace {

policy::Policy school() {
  policy::Policy school;
  school.zone = date::locate_zone("Europe/Berlin");
  school.cache.emplace();
  for (const auto* name : {"bilder", "filme", "inhalte"})
    school.cache->origins.push_back({name, {std::string(name) + ".test"}, true, false, policy::Scope::school, 1, {}, {}, {}});
  return school;
}

CacheHealth health(std::uint64_t well) { return {true, {1, well, {}}}; }

}  // namespace

TEST_CASE("an origin is well when the cache that is connected says so, and else there is a reason and what to do") {
  CHECK(unwell_origins(school(), health(7)).empty());
  CHECK(cache_fault_text(school(), health(7)).empty());
  auto partly = health(5);
  partly.origins.unwell[1] = cache::Unwell::certificate;
  CHECK(unwell_origins(school(), partly) ==
        std::vector<UnwellOrigin>{{"filme", "there is no certificate that holds: see “systemctl status schultor-certificates”"}});
  CHECK(cache_fault_text(school(), partly) ==
        "the cache answers for 2 of 3 origins, the names of the others lead to the origins themselves: filme; there is no "
        "certificate "
        "that holds: see “systemctl status schultor-certificates”");
  partly.origins.well = 1;
  CHECK(cache_fault_text(school(), partly).find("filme (there is no certificate") != std::string::npos);
  CHECK(cache_fault_text(school(), partly).find("inhalte (it has not said yet") != std::string::npos);
  // What a cache that has gone said last is no word any more.
  auto gone = health(7);
  gone.connected = false;
  CHECK(unwell_origins(school(), gone).size() == 3);
  CHECK(cache_fault_text(school(), gone)
            .ends_with("bilder, filme, inhalte; the content cache is not running: see “systemctl status "
                       "schultor-origin”"));
}

TEST_CASE("without origins nothing is unwell, and nothing is told") {
  policy::Policy without = school();
  without.cache.reset();
  CHECK(unwell_origins(without, {}).empty());
  CHECK(json::parse(describe(without, GatewayStatus{}, Health{}))["cache"] == nullptr);
}

TEST_CASE("what is told names each origin") {
  Health told{};
  told.cache = health(6);
  const auto cache = json::parse(describe(school(), GatewayStatus{}, told))["cache"];
  CHECK(cache["connected"] == true);
  REQUIRE(cache["origins"].size() == 3);
  CHECK(cache["origins"][0]["name"] == "bilder");
  CHECK(cache["origins"][0]["well"] == false);
  CHECK(cache["origins"][1] == json{{"name", "filme"}, {"well", true}, {"text", ""}});
}
