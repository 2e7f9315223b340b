// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/content_cache.hpp"

#include "daemon/base/file.hpp"
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/text.hpp"
#include "daemon/cache/certified_hosts.hpp"
#include "daemon/cache/engine.hpp"
#include "daemon/cache/figures_json.hpp"
#include "daemon/cache/figures_log.hpp"
#include "daemon/cache/hop.hpp"
#include "daemon/cache/purge.hpp"
#include "daemon/cache/renewal.hpp"
#include "daemon/cache/schultord_link.hpp"
#include "daemon/cache/sweeper.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace schultor::cache {
namespace {

using base::Priority;

constexpr std::chrono::seconds looks_every{1};
/// Then it is as ready as it can be without schultord, for which nothing else is to wait.
constexpr std::chrono::seconds longest_start{10};
constexpr std::chrono::seconds counts_every{60};
constexpr std::chrono::hours sweeps_every{24};

/// Where the machine stands: what people call a day.
date::sys_days day_of(std::chrono::sys_seconds at) {
  const std::time_t seconds = at.time_since_epoch().count();
  std::tm local{};
  localtime_r(&seconds, &local);
  return date::year{local.tm_year + 1900} / (local.tm_mon + 1) / local.tm_mday;
}

std::vector<std::string> hosts_of_https(const policy::CacheRules& rules) {
  std::vector<std::string> hosts;
  for (const auto& origin : rules.origins)
    if (origin.https) hosts.insert(hosts.end(), origin.hosts.begin(), origin.hosts.end());
  return hosts;
}

/// Whether this is the first start since the machine's; from then on it is not.
bool is_first_of_boot(const std::string& state) {
  const auto boot = base::read_file("/proc/sys/kernel/random/boot_id", 64);
  const auto path = state + "/boot_id";
  const auto before = base::read_file(path, 64);
  if (boot && *boot && before && *before == *boot) return false;
  if (boot && *boot) static_cast<void>(base::replace_file(path, path + ".new", **boot, 0640));
  return true;
}

}  // namespace

struct ContentCache::Impl {
  Impl(base::EventLoop& its_loop, Options its_options, std::function<void()> its_ready)
      : loop(its_loop), options(std::move(its_options)), ready(std::move(its_ready)), certified(options.certificates) {}

  base::EventLoop& loop;
  Options options;
  std::function<void()> ready;
  std::optional<policy::CacheRules> rules;
  CertifiedHosts certified;
  std::vector<std::string> certified_hosts;
  std::uint64_t edition = 0;
  std::unique_ptr<Hop> hop;
  std::optional<Engine> engine;
  std::optional<FiguresFile> figures;
  std::optional<FiguresLog> log;
  std::map<std::string, FetchCount> counted;  ///< of what was fetched, what is in the file
  std::unique_ptr<Sweeper> sweeper;
  std::optional<SchultordLink> link;
  base::EventSource looking, counting, starting, sweeping;

  base::Result<void> start();
  void take(std::optional<policy::CacheRules> given);
  void look();
  void apply();
  void tell();
  void tell_ready();
  void count();
  [[nodiscard]] date::sys_days today() const { return day_of(options.now()); }
  [[nodiscard]] Health health() const;
  [[nodiscard]] Unwell state_of(const policy::Origin& origin) const;
  void sweep_damaged();
  [[nodiscard]] HopEvents events();
};

base::Result<void> ContentCache::Impl::start() {
  auto made = Hop::create(loop, {options.runtime + "/hop.sock", options.limits}, events());
  if (!made) return base::pass(std::move(made));
  hop = std::move(*made);
  auto swept = Sweeper::create(loop);
  if (!swept) return base::pass(std::move(swept));
  sweeper = std::move(*swept);
  auto file = FiguresFile::open(options.state + "/figures.db");
  if (!file) return base::pass(std::move(file));
  figures.emplace(std::move(*file));
  if (!figures->set_aside().empty())
    base::log(Priority::error, base::message_id::state_damaged,
              fmt::format("what was counted of the content cache is damaged: it was moved to {}", figures->set_aside().string()));
  log.emplace(loop, options.runtime, *figures, [this] { return today(); });
  engine.emplace(loop, Engine::Options{{options.runtime, options.certificates, {}, options.workers, 0}}, [this] { tell(); });
  if (!options.control.empty()) {
    link.emplace(loop, options.control,
                 SchultordLink::Handlers{[this](auto given) { take(std::move(given)); },
                                         [](const base::Error& why) {
                                           base::log(Priority::warning, {},
                                                     fmt::format("schultord: {}: nobody is steered", why.what()));
                                         }});
    link->start();
  }
  look();
  count();
  if (auto timer = loop.after(longest_start, [this] { tell_ready(); })) starting = std::move(*timer);
  return {};
}

HopEvents ContentCache::Impl::events() {
  const auto scheme = [](const StoredAddress& address) { return address.https ? "https" : "http"; };
  HopEvents events;
  events.changed = [this, scheme](const StoredAddress& address) {
    if (rules) Store(rules->directory).withdraw(scheme(address), address.host, address.target);
  };
  events.slice = [this, scheme](const StoredAddress& address, const ByteRange& slice, std::uint64_t total, const std::string& tag) {
    if (rules) Store(rules->directory).withdraw_others(scheme(address), address.host, address.target, tag, total, slice.first == 0);
  };
  events.stored = [this, scheme](const StoredAddress& address,
                                 const std::optional<ByteRange>& slice) -> std::optional<StoredResponse> {
    const auto range = slice ? fmt::format("bytes={}-{}", slice->first, slice->last) : std::string();
    auto body =
        rules ? Store(rules->directory).read(storage_key(scheme(address), address.host, address.target, range), longest_renewed)
              : std::nullopt;
    if (!body) return std::nullopt;
    return StoredResponse{body->head.status, std::move(body->head.fields), std::move(body->octets)};
  };
  return events;
}

void ContentCache::Impl::take(std::optional<policy::CacheRules> given) {
  const bool begins = given && (!rules || rules->directory != given->directory);
  rules = std::move(given);
  if (auto set = hop->set_rules(rules.value_or(policy::CacheRules{})); !set)
    base::log(Priority::error, base::message_id::engine_refused,
              fmt::format("the rules of the content cache: {}", set.error().what()));
  if (!rules) {
    tell_ready();
    return;
  }
  certified_hosts = certified.among(hosts_of_https(*rules), options.now());
  apply();
  if (begins) sweep_damaged();
  tell();
}

void ContentCache::Impl::apply() {
  edition = certified.edition();
  engine->apply(*rules, certified_hosts, edition);
}

void ContentCache::Impl::look() {
  if (rules) {
    auto now_certified = certified.among(hosts_of_https(*rules), options.now());
    if (now_certified != certified_hosts || certified.edition() != edition) {
      certified_hosts = std::move(now_certified);
      apply();
      tell();
    }
  }
  if (auto timer = loop.after(looks_every, [this] { look(); })) looking = std::move(*timer);
}

void ContentCache::Impl::tell() {
  if (engine->is_settled()) tell_ready();
  if (link && rules) link->tell_health(health());
}

void ContentCache::Impl::tell_ready() {
  if (const auto tell_once = std::exchange(ready, nullptr)) tell_once();
}

Unwell ContentCache::Impl::state_of(const policy::Origin& origin) const {
  if (engine->is_refused()) return Unwell::configuration;
  // nginx says the same of itself: the two see file systems of their own.
  if (engine->is_settled() && access(rules->directory.c_str(), W_OK | X_OK) != 0) return Unwell::storage;
  // What nginx works by until then is another configuration, which may not know the origin.
  if (!engine->is_settled()) return Unwell::starting;
  if (!engine->is_well()) return Unwell::engine;
  const bool is_certified = !origin.https || std::all_of(origin.hosts.begin(), origin.hosts.end(), [&](const std::string& host) {
    return std::binary_search(certified_hosts.begin(), certified_hosts.end(), host);
  });
  return is_certified ? Unwell::no : Unwell::certificate;
}

Health ContentCache::Impl::health() const {
  Health told;
  for (std::size_t i = 0; i < rules->origins.size() && i < policy::most_origins; ++i) {
    told.unwell[i] = state_of(rules->origins[i]);
    if (told.unwell[i] == Unwell::no) told.well |= 1ULL << i;
  }
  return told;
}

void ContentCache::Impl::count() {
  FiguresByOrigin more;
  for (const auto& [origin, now] : hop->counts().snapshot()) {
    auto& before = counted[origin];
    if (now == before) continue;
    more[origin] = Figures{0, 0, 0, now.requests - before.requests, now.octets - before.octets};
    before = now;
  }
  if (!more.empty())
    if (auto added = figures->add(today(), more); !added) base::log(Priority::warning, {}, added.error().what());
  if (auto timer = loop.after(counts_every, [this] { count(); })) counting = std::move(*timer);
}

void ContentCache::Impl::sweep_damaged() {
  if (auto timer = loop.after(sweeps_every, [this] { sweep_damaged(); })) sweeping = std::move(*timer);
  if (!rules || access(rules->directory.c_str(), F_OK) != 0) return;
  const bool unsure = is_first_of_boot(options.state);
  sweeper->begin(
      [store = Store(rules->directory), unsure](const std::atomic<bool>& stop) { return store.sweep_damaged(unsure, stop); },
      [](const base::Result<Swept>& swept) {
        if (!swept)
          base::log(Priority::warning, {}, fmt::format("what is stored could not be looked at: {}", swept.error().what()));
        else if (swept->withdrawn > 0)
          base::log(Priority::notice, {},
                    fmt::format("{} of {} stored parts were damaged, as after a power cut: they are withdrawn", swept->withdrawn,
                                swept->seen));
      });
}

ContentCache::ContentCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ContentCache::~ContentCache() {
  impl_->log->take();
  impl_->count();
}

base::Result<std::unique_ptr<ContentCache>> ContentCache::create(base::EventLoop& loop, Options options,
                                                                 std::function<void()> ready) {
  auto impl = std::make_unique<Impl>(loop, std::move(options), std::move(ready));
  if (auto started = impl->start(); !started) return base::pass(std::move(started));
  return std::unique_ptr<ContentCache>(new ContentCache(std::move(impl)));
}

void ContentCache::set_rules(std::optional<policy::CacheRules> rules) { impl_->take(std::move(rules)); }

std::string ContentCache::statistics() {
  impl_->log->take();
  impl_->count();
  const auto rows = impl_->figures->read(impl_->today() - FiguresFile::kept);
  if (!rows) base::log(Priority::warning, {}, rows.error().what());
  return figures_json(rows ? *rows : std::vector<FiguresFile::Row>{});
}

void ContentCache::purge(const std::string& what, const Purged& done) {
  if (!impl_->rules) {
    done(base::fail("nothing is kept: [cache] in gateway.toml and [[origin]] in city.toml say what is to be"));
    return;
  }
  auto judge = condemned(what, *impl_->rules);
  if (!judge) {
    done(base::pass(std::move(judge)));
    return;
  }
  impl_->sweeper->begin([store = Store(impl_->rules->directory),
                         judge = std::move(*judge)](const std::atomic<bool>& stop) { return store.sweep(judge, stop); },
                        done);
}

}  // namespace schultor::cache
