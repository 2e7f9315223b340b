// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/cache_text.hpp"

namespace schultor::ctl {
Exit cache(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  if (request.arguments.front() == "stats") {
    const auto answered = bus->cache_statistics();
    return answered ? say(request, *answered, cache_statistics_text) : give_up(answered);
  }
  const auto answered = bus->purge(request.all ? std::string() : request.arguments.back());
  if (!answered) return give_up(answered);
  if (!answered->refused) return say(request, answered->text, purge_text);
  complain(answered->text);
  return Exit::no;
}

}  // namespace schultor::ctl
