// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/gate_text.hpp"

namespace schultor::ctl {

Exit gate(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto answered = bus->gate_statistics();
  if (!answered) return give_up(answered);
  const auto document = json::parse(*answered, nullptr, false);
  const auto text = gate_statistics_text(document);
  if (!text) return give_up(text);
  if (request.json) print(document);
  else fmt::print("{}", *text);
  return Exit::yes;
}

}  // namespace schultor::ctl
