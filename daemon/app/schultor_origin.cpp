// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/file.hpp"
#include "daemon/base/log.hpp"
#include "daemon/base/version.hpp"
#include "daemon/cache/hop.hpp"

#include <systemd/sd-daemon.h>

#include <boost/program_options.hpp>

#include <csignal>
#include <iostream>
#include <optional>

namespace {

namespace base = schultor::base;
namespace cache = schultor::cache;
namespace po = boost::program_options;

constexpr std::size_t largest_rules = std::size_t{8} << 20U;

struct Options {
  std::string runtime = "/run/schultor-cache";
  std::string rules;
  cache::FetchLimits limits;
};

/// Nothing to run with when only help was wanted.
base::Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  int stalled = static_cast<int>(options.limits.stalled.count());
  po::options_description described("schultor-origin: asks the origins of content that is kept on the premises\n\nOptions");
  auto add = described.add_options();
  add("help,h", "show this help");
  add("version", "show the version");
  add("runtime", po::value(&options.runtime)->default_value(options.runtime)->value_name("DIR"), "where hop.sock is made");
  add("rules", po::value(&options.rules)->value_name("FILE"), "the cache's rules as JSON; read again on SIGHUP");
  add("ca", po::value(&options.limits.authorities)->value_name("FILE"), "the authorities to trust, instead of the system's");
  add("stalled", po::value(&stalled)->default_value(stalled)->value_name("SECONDS"),
      "an origin that sends next to nothing for so long is given up");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    if (values.contains("help")) std::cout << described;
    if (values.contains("version")) std::cout << "schultor-origin " << base::version << '\n';
    if (values.contains("help") || values.contains("version")) return std::nullopt;
    po::notify(values);
  } catch (const po::error& error) {
    return base::fail("{}: see schultor-origin --help", error.what());
  }
  if (stalled < 1) return base::fail("--stalled: not a number of seconds above 0");
  options.limits.stalled = std::chrono::seconds{stalled};
  return options;
}

base::Result<void> read_rules(cache::Hop& hop, const std::string& path) {
  auto text = base::read_file(path, largest_rules);
  if (!text) return base::pass(std::move(text));
  if (!*text) return base::fail("{}: there is no such file", path);
  auto rules = schultor::policy::cache_rules_from_json(**text);
  if (!rules) return base::pass(std::move(rules), path);
  return hop.set_rules(std::move(*rules));
}

void log_counts(const cache::FetchCounts& counts) {
  for (const auto& [origin, count] : counts.snapshot())
    base::log(base::Priority::info, {},
              fmt::format("origin {}: {} requests, {} failed, {} octets", origin, count.requests, count.failures, count.octets));
}

base::Result<void> run(const Options& options) {
  // An end of a connection is a result of writing to it, not of this program.
  std::signal(SIGPIPE, SIG_IGN);
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  auto hop = cache::Hop::create(*loop, {options.runtime + "/hop.sock", options.limits});
  if (!hop) return base::pass(std::move(hop));
  const auto reread = [&] {
    if (options.rules.empty()) return;
    if (auto read = read_rules(**hop, options.rules); !read) base::log(base::Priority::error, {}, read.error().what());
  };
  auto signals = loop->handle_signals(reread);
  if (!signals) return base::pass(std::move(signals));
  if (!options.rules.empty())
    if (auto read = read_rules(**hop, options.rules); !read) return read;
  loop->enable_watchdog();
  sd_notify(0, "READY=1");
  auto ran = loop->run();
  sd_notify(0, "STOPPING=1");
  log_counts((*hop)->counts());
  return ran;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::cerr << "schultor-origin: " << options.error().what() << '\n';
    return 2;
  }
  if (!*options) return 0;
  if (const auto ran = run(**options); !ran) {
    base::log(base::Priority::error, {}, ran.error().what());
    return 1;
  }
  return 0;
}
