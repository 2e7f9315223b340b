// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/name_lookup.hpp"

#include "daemon/cache/outside.hpp"

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <utility>

namespace schultor::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// Of one attempt; the second has twice that, the third four times.
constexpr int first_timeout_ms = 600;
constexpr int most_attempts = 3;
constexpr seconds shortest_ttl{1};
constexpr seconds longest_ttl{300};
/// A name that could not be found is not asked for again for so long.
constexpr seconds failure_ttl{1};
constexpr std::size_t most_addresses = 16;

base::Address address_of(const ares_addrinfo_node& node) {
  std::array<std::uint8_t, 16> octets{};
  if (node.ai_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, node.ai_addr, sizeof address);
    std::memcpy(octets.data(), &address.sin_addr, 4);
    return base::address_from_bytes(std::span(octets).first(4));
  }
  sockaddr_in6 address{};
  std::memcpy(&address, node.ai_addr, sizeof address);
  std::memcpy(octets.data(), &address.sin6_addr, 16);
  return base::address_from_bytes(octets);
}

struct FreeAnswer {
  void operator()(ares_addrinfo* answer) const noexcept { ares_freeaddrinfo(answer); }
};

}  // namespace

struct NameLookup::Impl {
  /// A name of an origin.
  struct Name {
    Impl* impl = nullptr;
    std::string host;
    bool asking = false;
    std::vector<base::Address> addresses;
    std::string fault;  ///< why there are none
    steady_clock::time_point until{};
    std::vector<std::weak_ptr<Found>> waiting;

    [[nodiscard]] base::Result<std::vector<base::Address>> answer() const {
      if (addresses.empty()) return base::fail("{}", fault);
      return addresses;
    }
  };

  Impl(base::EventLoop& on, std::vector<base::Prefix> networks) : loop(on), inside(std::move(networks)) {}
  ~Impl() {
    // Those who wait are told of nothing any more.
    for (auto& [host, name] : names) name.waiting.clear();
    if (channel != nullptr) ares_destroy(channel);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void watch(ares_socket_t fd, bool readable, bool writable) {
    const auto known = sockets.find(fd);
    if (!readable && !writable) {
      if (known != sockets.end()) sockets.erase(known);
      return;
    }
    const auto events = (readable ? std::uint32_t{EPOLLIN} : 0U) | (writable ? std::uint32_t{EPOLLOUT} : 0U);
    if (known != sockets.end()) return known->second.set_events(events);
    auto source = loop.watch(fd, events, [this, fd](std::uint32_t ready) {
      ares_process_fd(channel, (ready & ~std::uint32_t{EPOLLOUT}) != 0 ? fd : ARES_SOCKET_BAD,
                      (ready & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
      settle();
    });
    if (source) sockets.emplace(fd, std::move(*source));
  }

  /// c-ares has no event of its own for what it gives up.
  void arm() {
    const auto is_asking = [](const auto& entry) { return entry.second.asking; };
    if (std::none_of(names.begin(), names.end(), is_asking)) return;
    timeval longest{most_attempts * 5, 0};
    timeval wait{};
    const auto* next = ares_timeout(channel, &longest, &wait);
    const auto delay = seconds{next->tv_sec} + std::chrono::microseconds{next->tv_usec};
    if (timer) {
      timer.restart(delay);
      return;
    }
    auto made = loop.after(delay, [this] {
      ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      settle();
    });
    if (made) timer = std::move(*made);
  }

  void ask(Name& name) {
    name.asking = true;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    // In the resolver's order: which family is better, whoever connects tries out.
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(
        channel, name.host.c_str(), nullptr, &hints,
        [](void* userdata, int status, int, ares_addrinfo* answer) {
          const std::unique_ptr<ares_addrinfo, FreeAnswer> owned(answer);
          auto& asked = *static_cast<Name*>(userdata);
          asked.impl->learn(asked, status, owned.get());
        },
        &name);
    arm();
  }

  void learn(Name& name, int status, const ares_addrinfo* answer) {
    name.asking = false;
    name.addresses.clear();
    auto ttl = longest_ttl;
    bool refused = false;
    for (const auto* alias = answer != nullptr ? answer->cnames : nullptr; alias != nullptr; alias = alias->next)
      ttl = std::min(ttl, seconds{std::max(alias->ttl, 0)});
    for (const auto* node = answer != nullptr ? answer->nodes : nullptr; node != nullptr; node = node->ai_next) {
      const auto address = address_of(*node);
      ttl = std::min(ttl, seconds{std::max(node->ai_ttl, 0)});
      const bool good = is_outside(address, inside);
      refused = refused || !good;
      if (good && name.addresses.size() < most_addresses) name.addresses.push_back(address);
    }
    if (name.addresses.empty()) {
      ttl = failure_ttl;
      name.fault = refused ? fmt::format("{} has no address outside of private networks", name.host)
                           : fmt::format("{} cannot be resolved: {}", name.host,
                                         ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status));
    }
    name.until = steady_clock::now() + std::max(ttl, shortest_ttl);
    learned.push_back(&name);
  }

  /// Tells those who wait, when c-ares is done: they may ask for another name.
  void settle() {
    for (auto* name : std::exchange(learned, {}))
      for (const auto& weak : std::exchange(name->waiting, {}))
        if (const auto waiting = weak.lock()) (*waiting)(name->answer());
    arm();
  }

  base::EventLoop& loop;
  std::vector<base::Prefix> inside;
  std::map<ares_socket_t, base::EventSource> sockets;
  std::map<std::string, Name, std::less<>> names;
  std::vector<Name*> learned;
  base::EventSource timer;
  ares_channel channel = nullptr;
};

NameLookup::NameLookup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NameLookup::~NameLookup() = default;

base::Result<std::unique_ptr<NameLookup>> NameLookup::create(base::EventLoop& loop, const base::Endpoint& resolver,
                                                             std::vector<base::Prefix> inside) {
  static const int ready = ares_library_init(ARES_LIB_INIT_ALL);
  auto impl = std::make_unique<Impl>(loop, std::move(inside));
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = first_timeout_ms;
  options.tries = most_attempts;
  char lookups[] = "b";  // DNS alone: no file of hosts
  options.lookups = lookups;
  options.sock_state_cb_data = impl.get();
  options.sock_state_cb = [](void* userdata, ares_socket_t fd, int readable, int writable) {
    static_cast<Impl*>(userdata)->watch(fd, readable != 0, writable != 0);
  };
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  int status = ready == ARES_SUCCESS ? ares_init_options(&impl->channel, &options, mask) : ready;
  if (status == ARES_SUCCESS) status = ares_set_servers_ports_csv(impl->channel, base::to_string(resolver).c_str());
  if (status != ARES_SUCCESS) return base::fail("asking the resolver {}: {}", base::to_string(resolver), ares_strerror(status));
  return std::unique_ptr<NameLookup>(new NameLookup(std::move(impl)));
}

NameLookup::Waiting NameLookup::find(const std::string& host, Found found) {
  auto& name = impl_->names[host];
  if (!name.asking && name.until > steady_clock::now()) {
    found(name.answer());
    return nullptr;
  }
  auto waiting = std::make_shared<Found>(std::move(found));
  name.waiting.push_back(waiting);
  if (name.asking) return waiting;
  name.impl = impl_.get();
  name.host = host;
  impl_->ask(name);
  // c-ares may have failed at once, without an event to come.
  if (!impl_->learned.empty()) impl_->timer.restart(std::chrono::microseconds{0});
  return waiting;
}

}  // namespace schultor::cache
