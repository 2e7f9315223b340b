// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/event_loop.hpp"
#include "daemon/bus/gateway_client.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/event_text.hpp"

#include <set>

namespace schultor::ctl {
namespace {

json parsed(const std::string& event) {
  auto document = json::parse(event, nullptr, false);
  return document.is_discarded() ? json(event) : document;
}

Exit list(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto events = bus->events();
  if (!events) return give_up(events);
  if (request.json) {
    json all = json::array();
    for (const auto& event : *events) all.push_back(parsed(event));
    print(all);
  } else {
    for (const auto& event : *events) fmt::print("{}\n", event_text(parsed(event)));
  }
  return Exit::yes;
}

/// Prints each event once, also where schultord was away meanwhile and lists it anew.
class Follower {
public:
  explicit Follower(bool as_json) : as_json_(as_json) {}

  void show(const std::string& text) {
    if (!shown_.insert(text).second) return;
    const auto event = parsed(text);
    if (as_json_) fmt::print("{}\n", event.dump(-1, ' ', false, json::error_handler_t::replace));
    else fmt::print("{}\n", event_text(event));
    std::fflush(stdout);
  }

  /// What is listed no more does not come back: it need not be remembered.
  void show(const std::vector<std::string>& all) {
    for (const auto& event : all) show(event);
    shown_ = std::set<std::string>(all.begin(), all.end());
  }

private:
  bool as_json_;
  std::set<std::string> shown_;
};

Exit follow(const Request& request) {
  auto loop = base::EventLoop::create();
  if (!loop) return give_up(loop);
  const auto signals = loop->handle_signals([&] { loop->quit(); });
  if (!signals) return give_up(signals);
  Follower follower(request.json);
  bool was_there = false;
  bool missing = false;
  auto client = bus::GatewayClient::create(*loop, {[](auto) {}, [&](std::string_view event) { follower.show(std::string(event)); },
                                                   [&](const std::vector<std::string>& all) {
                                                     was_there = true;
                                                     follower.show(all);
                                                   },
                                                   [&] {
                                                     if (was_there) return;
                                                     missing = true;
                                                     loop->quit();
                                                   }});
  if (!client) return give_up(client);
  if (const auto ran = loop->run(); !ran) return give_up(ran);
  if (!missing) return Exit::yes;
  complain("schultord is not running: start it with “systemctl start schultord”");
  return Exit::failed;
}

}  // namespace

Exit events(const Request& request) { return request.follow ? follow(request) : list(request); }

}  // namespace schultor::ctl
