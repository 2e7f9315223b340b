// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/version.hpp"
#include "daemon/bus/gateway_client.hpp"
#include "daemon/bus/report_service.hpp"
#include "daemon/report/options.hpp"
#include "daemon/report/reporter.hpp"

#include <systemd/sd-daemon.h>
#include <boost/program_options.hpp>

#include <iostream>

namespace {

namespace base = schultor::base;
namespace bus = schultor::bus;
namespace report = schultor::report;
namespace po = boost::program_options;

/// The directories of configuration and state; none when only help was wanted.
using Arguments = std::pair<std::string, std::string>;

base::Result<std::optional<Arguments>> parse_options(int argc, char** argv) {
  Arguments arguments;
  po::options_description described("schultor-report: tells the city how the school is doing\n\nOptions");
  auto add = described.add_options();
  add("help,h", "show this help");
  add("version", "show the version");
  add("config", po::value(&arguments.first)->default_value("/etc/schultor")->value_name("DIR"), "configuration directory");
  add("state", po::value(&arguments.second)->default_value("/var/lib/schultor-report")->value_name("DIR"), "where the outbox lies");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    if (values.contains("help")) return std::cout << described, std::nullopt;
    if (values.contains("version")) return std::cout << "schultor-report " << base::version << '\n', std::nullopt;
    po::notify(values);
  } catch (const po::error& error) {
    return base::fail("{}: see schultor-report --help", error.what());
  }
  return arguments;
}

base::Result<void> run(report::Reporter::Options options) {
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  auto signals = loop->handle_signals(
      [] { base::log(base::Priority::notice, {}, "schultor-report reads its configuration at a restart only"); });
  if (!signals) return base::pass(std::move(signals));
  std::unique_ptr<bus::GatewayClient> client;
  std::unique_ptr<bus::ReportService> service;
  std::optional<base::Error> failure;
  std::unique_ptr<report::Reporter> reporter;
  const auto changed = [&] {
    if (!service) return;
    service->update({reporter->broker_connected(), static_cast<std::uint32_t>(reporter->outbox_depth())});
    sd_notifyf(0, "STATUS=%s", reporter->status_line().c_str());
  };
  auto started = report::Reporter::start(*loop, std::move(options),
                                         {changed, [&] { client->list_events(); }, [&] { client->describe(); },
                                          [&](const std::string& why) {
                                            failure = base::Error(why);
                                            loop->quit();
                                          }});
  if (!started) return base::pass(std::move(started));
  reporter = std::move(*started);
  auto offered = bus::ReportService::create(*loop, {});
  if (!offered) return base::pass(std::move(offered));
  service = std::move(*offered);
  auto followed = bus::GatewayClient::create(
      *loop,
      {[&](std::string_view json) { reporter->described(json); }, [&](std::string_view json) { reporter->event_raised(json); },
       [&](const std::vector<std::string>& events) { reporter->events_listed(events); }, [&] { reporter->gateway_gone(); }});
  if (!followed) return base::pass(std::move(followed));
  client = std::move(*followed);
  loop->enable_watchdog();
  changed();
  sd_notify(0, "READY=1");
  const auto ended = loop->run();
  sd_notify(0, "STOPPING=1");
  reporter->stop();
  if (failure) return tl::unexpected(*failure);
  return ended;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse_options(argc, argv);
  if (!arguments) {
    std::cerr << "schultor-report: " << arguments.error().what() << '\n';
    return 2;
  }
  if (!*arguments) return 0;
  auto options = report::read_options((*arguments)->first, (*arguments)->second);
  const auto ran = options ? run(std::move(*options)) : base::pass(std::move(options));
  if (ran) return 0;
  base::log(base::Priority::error, {}, ran.error().what());
  return 1;
}
