// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/version.hpp"
#include "daemon/dns/fd_store.hpp"
#include "daemon/dns/service.hpp"

#include <boost/program_options.hpp>

#include <iostream>
#include <optional>

namespace {

namespace base = schultor::base;
namespace dns = schultor::dns;
namespace po = boost::program_options;

/// Nothing to run with when only help was wanted.
base::Result<std::optional<dns::Service::Options>> parse_options(int argc, char** argv) {
  dns::Service::Options options;
  std::string resolver;
  po::options_description described("schultor-dns: the DNS gate\n\nOptions");
  auto add = described.add_options();
  add("help,h", "show this help");
  add("version", "show the version");
  add("socket", po::value(&options.socket)->default_value(options.socket)->value_name("PATH"), "schultord's socket for the gate");
  add("resolver", po::value(&resolver)->default_value("127.0.0.1:5335")->value_name("ADDRESS:PORT"), "the resolver that is asked");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    if (values.contains("help")) std::cout << described;
    if (values.contains("version")) std::cout << "schultor-dns " << base::version << '\n';
    if (values.contains("help") || values.contains("version")) return std::nullopt;
    po::notify(values);
  } catch (const po::error& error) {
    return base::fail("{}: see schultor-dns --help", error.what());
  }
  auto endpoint = base::parse_endpoint(resolver);
  if (!endpoint) return base::pass(std::move(endpoint), "--resolver");
  options.resolver = *endpoint;
  return options;
}

base::Result<void> run(const dns::Service::Options& options) {
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  // There is nothing to reload: rules come from schultord.
  auto signals = loop->handle_signals([] {});
  if (!signals) return base::pass(std::move(signals));
  auto service = dns::Service::create(*loop, options, dns::fd_store::take_back());
  if (!service) return base::pass(std::move(service));
  loop->enable_watchdog();
  return loop->run();
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::cerr << "schultor-dns: " << options.error().what() << '\n';
    return 2;
  }
  if (!*options) return 0;
  if (const auto ran = run(**options); !ran) {
    base::log(base::Priority::error, {}, ran.error().what());
    return 1;
  }
  return 0;
}
