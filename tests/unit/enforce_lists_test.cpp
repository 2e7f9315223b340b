// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/list_events.hpp"
#include "tests/catch.hpp"

#include <date/tz.h>
#include <nlohmann/json.hpp>

using namespace schultor;
using namespace schultor::enforce;
using lists::UpdateState;
using nlohmann::json;

namespace {

policy::Policy a_school() {
  policy::Policy policy;
  policy.timezone = "Europe/Berlin";
  policy.zone = date::locate_zone("Europe/Berlin");
  return policy;
}

lists::ListStatus list(const std::string& name, UpdateState state, const std::string& reason = "") {
  lists::ListStatus one;
  one.list = name;
  one.host = "lists.example";
  one.state = state;
  one.reason = reason;
  one.since = std::chrono::sys_seconds{std::chrono::seconds{1'790'000'000}};
  one.entries = 7;
  return one;
}

}  // namespace

SCENARIO("what became of each list is an event, by an id that derives from what the update wrote") {
  const auto school = a_school();
  lists::UpdateStatus status;
  CHECK(list_events(school, status).empty());
  status.lists = {list("ads", UpdateState::held, "it shrank from 7 entries to 1"), list("adult", UpdateState::ok),
                  list("games", UpdateState::failed, "the server answered 503")};
  status.table_fault = "the lists hold too much";
  const auto events = list_events(school, status);
  REQUIRE(events.size() == 4);
  CHECK(json::parse(events[0].json) ==
        json{{"id", "lists/ads/held/2026-09-21T14:13:20Z"},
             {"kind", "lists"},
             {"at", "2026-09-21T16:13:20+02:00"},
             {"list", "ads"},
             {"result", "held"},
             {"text",
              "list ads from lists.example is held back: it shrank from 7 entries to 1; “schultorctl lists update --force "
              "ads” takes it"}});
  CHECK(events[1].id == "lists/adult/updated/2026-09-21T14:13:20Z");
  CHECK(json::parse(events[2].json)["text"] == "list games from lists.example was not updated: the server answered 503");
  CHECK(events[3].id == "lists/failed/1970-01-01T00:00:00Z");
  CHECK_FALSE(json::parse(events[3].json).contains("list"));
  // Read again, the same; and another instant, be it of the same second, makes another event.
  CHECK(list_events(school, status)[1].id == events[1].id);
  status.lists[1].since += std::chrono::microseconds{1};
  CHECK(list_events(school, status)[1].id == "lists/adult/updated/2026-09-21T14:13:20.000001Z");
}
