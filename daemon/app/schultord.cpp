// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/version.hpp"
#include "daemon/bus/gateway_service.hpp"
#include "daemon/enforce/before_network.hpp"
#include "daemon/enforce/gateway.hpp"
#include "daemon/lists/table_file.hpp"
#include "daemon/lists/update_status.hpp"

#include <fmt/core.h>
#include <systemd/sd-daemon.h>
#include <boost/program_options.hpp>

#include <iostream>

namespace {

namespace base = schultor::base;
namespace bus = schultor::bus;
namespace enforce = schultor::enforce;
namespace po = boost::program_options;

struct Options : enforce::GatewayOptions {
  bool before_network = false;
};

/// None: what was asked for has been printed.
base::Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  po::options_description described("schultord: holds every tablet to what its class may do now\n\nOptions");
  described.add_options()("help,h", "show this help")("version", "show the version")(
      "config", po::value(&options.config_directory)->default_value("/etc/schultor")->value_name("DIR"), "configuration directory")(
      "state", po::value(&options.state_directory)->default_value("/var/lib/schultor")->value_name("DIR"),
      "what must outlive a restart")("runtime",
                                     po::value(&options.runtime_directory)->default_value("/run/schultor")->value_name("DIR"),
                                     "where the gate's socket lies")(
      "table", po::value(&options.table)->default_value(schultor::lists::default_table)->value_name("FILE"), "the compiled lists")(
      "list-status", po::value(&options.list_status)->default_value(schultor::lists::default_update_status)->value_name("FILE"),
      "what is known of downloaded lists")("gate-group",
                                           po::value(&options.gate_group)->default_value("schultor-dns")->value_name("GROUP"),
                                           "who may open the gate's socket")(
      "cache-group", po::value(&options.cache_group)->default_value("schultor-cache")->value_name("GROUP"),
      "who may open the content cache's socket")(
      "before-network", po::bool_switch(&options.before_network),
      "commit the strictest of what was applied last, before there is a network, and end");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    if (values.contains("help") || values.contains("version")) {
      if (values.contains("help")) std::cout << described;
      else std::cout << "schultord " << base::version << '\n';
      return std::nullopt;
    }
    po::notify(values);
  } catch (const po::error& error) {
    return base::fail("{}: see schultord --help", error.what());
  }
  return options;
}

base::Result<void> run_before_network(const std::string& state_directory) {
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  return enforce::hold_before_network(*loop, state_directory);
}

/// For so long a daemon that has opened the school waits until schultor-report knows of it.
constexpr std::chrono::seconds last_word{1};

base::Result<void> run(const enforce::GatewayOptions& options) {
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  std::unique_ptr<bus::GatewayService> service;
  auto gateway = enforce::Gateway::start(*loop, options,
                                         {[&](const std::string& event) {
                                            if (service) service->raise_event(event);
                                          },
                                          [&](const std::string& status) {
                                            if (service) service->state_changed();
                                            sd_notifyf(0, "STATUS=%s", status.c_str());
                                          }});
  if (!gateway) return base::pass(std::move(gateway));
  auto& running = **gateway;
  auto created = bus::GatewayService::create(*loop, running);
  if (!created) return base::pass(std::move(created));
  service = std::move(*created);
  auto signals = loop->handle_signals([&] {
    sd_notify(0, "RELOADING=1");
    // A refusal is logged and is an event; the running policy stays.
    [[maybe_unused]] const auto done = running.reload();
    sd_notify(0, "READY=1");
  });
  if (!signals) return base::pass(std::move(signals));
  // Whoever stops it to stay away may mean that the school goes on without.
  auto end = loop->at_end([&] {
    if (service->stopped_for_good() && running.stop_for_service()) service->describe_once_more(last_word);
  });
  if (!end) return base::pass(std::move(end));
  loop->enable_watchdog();
  sd_notifyf(0, "READY=1\nSTATUS=%s", running.status_line().c_str());
  return loop->run();
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "schultord: {}\n", options.error().what());
    return 2;
  }
  if (!*options) return 0;
  const auto done = (*options)->before_network ? run_before_network((*options)->state_directory) : run(**options);
  if (!done) {
    base::log(base::Priority::error, {}, done.error().what());
    return 1;
  }
  return 0;
}
