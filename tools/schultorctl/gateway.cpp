// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/text.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/compile_lists.hpp"
#include "tools/schultorctl/devices_text.hpp"
#include "tools/schultorctl/diagnostics_json.hpp"
#include "tools/schultorctl/directory.hpp"
#include "tools/schultorctl/metrics_text.hpp"
#include "tools/schultorctl/status_text.hpp"

namespace schultor::ctl {

Exit status(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto described = bus->describe();
  if (!described) return give_up(described);
  const auto broker = bus->broker();
  if (!broker) return give_up(broker);
  auto document = json::parse(*described, nullptr, false);
  if (!document.is_object())
    return give_up(base::Result<void>(base::fail("schultord's answer is no JSON: restart it after an update")));
  document["broker"] = nullptr;
  if (*broker) document["broker"] = {{"connected", (*broker)->connected}, {"outbox_depth", (*broker)->waiting}};
  const auto text = status_text(document);
  if (!text) return give_up(text);
  if (request.json) print(document);
  else fmt::print("{}", *text);
  return Exit::yes;
}

Exit devices(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto answered = bus->ask("ListDevices", {});
  if (!answered) return give_up(answered);
  const auto document = json::parse(answered->text, nullptr, false);
  const auto text = devices_text(document);
  if (!text) return give_up(text);
  if (request.json) print(document);
  else fmt::print("{}", *text);
  return Exit::yes;
}

Exit metrics(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto described = bus->describe();
  if (!described) return give_up(described);
  const auto gate = bus->gate_statistics();
  if (!gate) return give_up(gate);
  const auto description = json::parse(*described, nullptr, false);
  const auto statistics = json::parse(*gate, nullptr, false);
  const auto text = metrics_text(description, statistics);
  if (!text) return give_up(text);
  if (request.json) print({{"kernel", description.at("kernel")}, {"gate", statistics}});
  else fmt::print("{}", *text);
  return Exit::yes;
}

Exit ruleset(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto text = bus->ruleset();
  if (!text) return give_up(text);
  if (request.json) print({{"ruleset", *text}});
  else fmt::print("{}", *text);
  return Exit::yes;
}

Exit verify(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto differences = bus->verify();
  if (!differences) return give_up(differences);
  if (request.json) print({{"differences", *differences}});
  else if (differences->empty()) fmt::print("the kernel holds what it was told\n");
  else fmt::print("{}\n", fmt::join(*differences, "\n"));
  return differences->empty() ? Exit::yes : Exit::no;
}

Exit reload(const Request& request) {
  // Never in schultord, which has modes to switch meanwhile.
  const auto folders = list_folders(request);
  const auto table = list_table(request);
  const auto newer = are_lists_newer(folders, table);
  auto compiled = newer ? base::Result<void>() : tl::unexpected<base::Error>(newer.error());
  if (newer && *newer) {
    fmt::print(stderr, "the lists have changed: compiling them into {}\n", table);
    compiled = compile_lists(folders, table);
  }
  if (!compiled) {
    const auto why = fmt::format("the lists are not compiled, and what was in force before stays: {}", compiled.error().what());
    if (request.json) print(diagnostics_json({{"lists", 0, 0, config::Severity::error, base::printable(why)}}));
    else complain(why);
    return Exit::no;
  }
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  const auto refusal = bus->reload();
  if (!refusal) return give_up(refusal);
  if (*refusal) {
    if (request.json) print(diagnostics_json(read_refusal(**refusal)));
    else fmt::print(stderr, "{}\n", **refusal);
    return Exit::no;
  }
  if (request.json) print({{"reloaded", true}, {"lists_compiled", *newer}});
  return Exit::yes;
}

}  // namespace schultor::ctl
