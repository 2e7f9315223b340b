// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/file.hpp"
#include "daemon/base/log.hpp"
#include "daemon/base/version.hpp"
#include "daemon/base/wall_clock.hpp"
#include "daemon/bus/cache_service.hpp"
#include "daemon/cache/content_cache.hpp"

#include <systemd/sd-daemon.h>

#include <boost/program_options.hpp>

#include <csignal>
#include <iostream>
#include <optional>

namespace {

namespace base = schultor::base;
namespace bus = schultor::bus;
namespace cache = schultor::cache;
namespace policy = schultor::policy;
namespace po = boost::program_options;

constexpr std::size_t largest_rules = std::size_t{8} << 20U;

struct Options {
  cache::ContentCache::Options cache;
  std::string rules;
};

/// Nothing to run with when only help was wanted.
base::Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  auto& own = options.cache;
  int stalled = static_cast<int>(own.limits.stalled.count());
  po::options_description described("schultor-origin: asks the origins of content that is kept on the premises\n\nOptions");
  auto add = described.add_options();
  const auto text = [](std::string& target, const char* name) {
    return po::value(&target)->default_value(target)->value_name(name);
  };
  add("help,h", "show this help");
  add("version", "show the version");
  add("runtime", text(own.runtime, "DIR"), "where the engine's configuration and the hop's socket are made");
  add("state", text(own.state, "DIR"), "where is kept what was counted");
  add("control", text(own.control, "SOCKET"), "schultord's, which hands over the rules");
  add("certificates", text(own.certificates, "DIR"), "those of the box for https origins: HOST.pem");
  add("workers", po::value(&own.workers)->default_value(own.workers)->value_name("N"), "of nginx");
  add("ca", po::value(&own.limits.authorities)->value_name("FILE"), "the authorities to trust, instead of the system's");
  add("stalled", po::value(&stalled)->default_value(stalled)->value_name("SECONDS"),
      "an origin that sends next to nothing for so long is given up");
  add("rules", po::value(&options.rules)->value_name("FILE"),
      "the rules as JSON, instead of schultord's, and without the bus; read again on SIGHUP");
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
  if (own.workers < 1 || own.workers > 64) return base::fail("--workers: expected 1 to 64");
  own.limits.stalled = std::chrono::seconds{stalled};
  if (!options.rules.empty()) own.control.clear();
  return options;
}

base::Result<policy::CacheRules> read_rules(const std::string& path) {
  auto text = base::read_file(path, largest_rules);
  if (!text) return base::pass(std::move(text));
  if (!*text) return base::fail("{}: there is no such file", path);
  auto rules = policy::cache_rules_from_json(**text);
  if (!rules) return base::pass(std::move(rules), path);
  return rules;
}

base::Result<std::string> in_words(const base::Result<cache::Swept>& swept) {
  if (!swept) return tl::unexpected(swept.error());
  return fmt::format(R"({{"withdrawn":{},"octets":{}}})", swept->withdrawn, swept->octets);
}

bus::CacheService::Commands commands_of(cache::ContentCache& content) {
  return {[&content] { return content.statistics(); },
          [&content](const std::string& what, const bus::CacheService::Answer& done) {
            content.purge(what, [done](const base::Result<cache::Swept>& swept) { done(in_words(swept)); });
          }};
}

base::Result<void> run(Options options) {
  // An end of a connection is a result of writing to it, not of this program.
  std::signal(SIGPIPE, SIG_IGN);
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  auto clock = base::WallClock::create(*loop, [] {});
  if (!clock) return base::pass(std::move(clock));
  options.cache.now = [&clock] { return std::chrono::floor<std::chrono::seconds>(clock->now()); };
  auto content = cache::ContentCache::create(*loop, std::move(options.cache), [] { sd_notify(0, "READY=1"); });
  if (!content) return base::pass(std::move(content));
  const auto reread = [&] {
    if (options.rules.empty()) return;
    if (auto rules = read_rules(options.rules)) (*content)->set_rules(std::move(*rules));
    else base::log(base::Priority::error, {}, rules.error().what());
  };
  auto signals = loop->handle_signals(reread);
  if (!signals) return base::pass(std::move(signals));
  std::unique_ptr<bus::CacheService> service;
  if (options.rules.empty()) {
    auto offered = bus::CacheService::create(*loop, commands_of(**content));
    if (!offered) return base::pass(std::move(offered));
    service = std::move(*offered);
  } else {
    auto rules = read_rules(options.rules);
    if (!rules) return base::pass(std::move(rules));
    (*content)->set_rules(std::move(*rules));
  }
  loop->enable_watchdog();
  auto ran = loop->run();
  sd_notify(0, "STOPPING=1");
  return ran;
}

}  // namespace

int main(int argc, char** argv) {
  auto options = parse_options(argc, argv);
  if (!options) {
    std::cerr << "schultor-origin: " << options.error().what() << '\n';
    return 2;
  }
  if (!*options) return 0;
  if (const auto ran = run(std::move(**options)); !ran) {
    base::log(base::Priority::error, {}, ran.error().what());
    return 1;
  }
  return 0;
}
