// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/file.hpp"
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/version.hpp"
#include "daemon/base/wall_clock.hpp"
#include "daemon/cache/authority.hpp"
#include "daemon/cache/certificate_store.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <boost/program_options.hpp>

#include <iostream>

namespace {

namespace base = schultor::base;
namespace cache = schultor::cache;
namespace policy = schultor::policy;
namespace message_id = base::message_id;
namespace po = boost::program_options;
using base::Priority;

constexpr std::size_t largest_rules = std::size_t{16} << 20U;

struct Options {
  std::string rules;
  std::string authority;
  std::string key;
  std::string state;
};

/// None when only help was wanted.
base::Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  po::options_description described("schultor-certificates: certificates for the hosts of cached https origins\n\nOptions");
  auto add = described.add_options();
  const auto file = [](std::string& target, const char* otherwise, const char* name) {
    return po::value(&target)->default_value(otherwise)->value_name(name);
  };
  add("help,h", "show this help");
  add("version", "show the version");
  add("rules", file(options.rules, "/var/lib/schultor/cache_rules.json", "FILE"), "the cache's rules, as schultord keeps them");
  add("authority", file(options.authority, "/etc/schultor/credentials/ca.pem", "FILE"), "the school's authority");
  add("key", file(options.key, "/etc/schultor/credentials/ca.key", "FILE"), "its key");
  add("state", file(options.state, "/var/lib/schultor-certificates", "DIR"), "where the certificates lie");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(described).positional({}).run(), values);
    if (values.contains("help")) return std::cout << described, std::nullopt;
    if (values.contains("version")) return std::cout << "schultor-certificates " << base::version << '\n', std::nullopt;
    po::notify(values);
  } catch (const po::error& error) {
    return base::fail("{}: see schultor-certificates --help", error.what());
  }
  return options;
}

/// An empty text where there is no such file.
base::Result<std::string> read(const std::string& path, std::size_t largest) {
  auto text = base::read_file(path, largest);
  if (!text) return base::pass(std::move(text));
  return text->value_or("");
}

/// The hosts of https origins.
base::Result<std::vector<std::string>> wanted_hosts(const std::string& path) {
  const auto text = read(path, largest_rules);
  if (!text) return tl::unexpected<base::Error>(text.error());
  std::vector<std::string> hosts;
  // What schultord keeps where nothing is cached, and what the service manager hands over where it has kept nothing yet.
  if (text->find_first_not_of(" \n") == std::string::npos) return hosts;
  auto rules = policy::cache_rules_from_json(*text);
  if (!rules) return base::pass(std::move(rules), path);
  for (auto& origin : rules->origins)
    if (origin.https) hosts.insert(hosts.end(), origin.hosts.begin(), origin.hosts.end());
  return hosts;
}

base::Result<cache::FoundAuthority> read_authority(const Options& options, const std::vector<std::string>& hosts,
                                                   cache::sys_seconds now) {
  const auto certificate = read(options.authority, cache::largest_pem);
  if (!certificate) return tl::unexpected<base::Error>(certificate.error());
  const auto key = read(options.key, cache::largest_pem);
  if (!key) return tl::unexpected<base::Error>(key.error());
  return cache::find_authority(*certificate, *key, hosts, now);
}

void tell_authority(const cache::FoundAuthority& authority, cache::sys_seconds now) {
  if (!authority.refusal.empty())
    base::log(
        Priority::error, message_id::certificates_refused,
        fmt::format("The school's authority is refused, and no certificate made: {}. Have the city make another: schultor-city ca "
                    "school",
                    authority.refusal));
  else if (authority.ends && *authority.ends - now < cache::authority_ends_soon)
    base::log(
        Priority::warning, message_id::authority_ends,
        fmt::format("The school's authority ends in {} days, and with it every certificate of cached origins: have the city make "
                    "another: schultor-city ca school",
                    std::chrono::floor<std::chrono::days>(*authority.ends - now).count()));
}

void tell(const cache::Tended& done, const cache::FoundAuthority& authority) {
  for (const auto& host : done.made) base::log(Priority::info, {}, fmt::format("A new certificate for {}", host));
  for (const auto& host : done.removed)
    base::log(Priority::info, {}, fmt::format("{} has no certificate any more: it is the host of no https origin", host));
  for (const auto& [host, why] : done.refused)
    base::log(Priority::error, message_id::certificates_refused, fmt::format("{} gets no new certificate: {}", host, why));
  if (done.clock_doubted)
    base::log(Priority::warning, message_id::certificates_refused,
              "The clock is behind certificates that are there: none is made until a time service has set it");
  else if (!done.without.empty() && !authority.usable && authority.refusal.empty())
    base::log(
        Priority::notice, {},
        fmt::format("No school's authority is here (schultor-city ca school makes one): {} hosts of https origins are not cached",
                    done.without.size()));
}

/// Whether nothing was refused.
base::Result<bool> run(const Options& options) {
  const auto hosts = wanted_hosts(options.rules);
  if (!hosts) return tl::unexpected<base::Error>(hosts.error());
  auto loop = base::EventLoop::create();
  if (!loop) return base::pass(std::move(loop));
  const auto clock = base::WallClock::create(*loop, [] {});
  if (!clock) return tl::unexpected<base::Error>(clock.error());
  const auto now = std::chrono::floor<std::chrono::seconds>(clock->now());
  cache::FoundAuthority authority;
  if (!hosts->empty()) {
    auto found = read_authority(options, *hosts, now);
    if (!found) return base::pass(std::move(found));
    authority = std::move(*found);
  }
  tell_authority(authority, now);
  const auto done = cache::tend(options.state, {*hosts, authority.usable, now, clock->synchronised()});
  if (!done) return tl::unexpected<base::Error>(done.error());
  tell(*done, authority);
  return authority.refusal.empty() && done->refused.empty() && !done->clock_doubted;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::cerr << "schultor-certificates: " << options.error().what() << '\n';
    return 2;
  }
  if (!*options) return 0;
  const auto all_good = run(**options);
  if (all_good) return *all_good ? 0 : 1;
  base::log(Priority::error, message_id::certificates_refused, all_good.error().what());
  return 2;
}
