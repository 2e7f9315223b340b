// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/cache_link.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/packet_socket.hpp"
#include "daemon/base/sealed_memory.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <span>
#include <utility>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// So that a cache that floods leaves the loop to others.
constexpr int most_messages_a_turn = 16;
/// Between news: each costs the gate the answers that it keeps. That the cache has gone is heard of at once.
constexpr std::chrono::milliseconds pause{100};

}  // namespace

/// The cache may remember a predecessor's epoch: this one differs from it.
CacheLink::CacheLink(base::EventLoop& loop, std::function<void()> changed)
    : loop_(loop),
      changed_(std::move(changed)),
      epoch_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())) {}

base::Result<std::unique_ptr<CacheLink>> CacheLink::listen(base::EventLoop& loop, const std::string& path,
                                                           std::optional<gid_t> group, std::function<void()> changed) {
  std::unique_ptr<CacheLink> link(new CacheLink(loop, std::move(changed)));
  auto listener = base::listen_for_packets(path, group);
  if (!listener) return base::pass(std::move(listener));
  link->listener_ = std::move(*listener);
  auto source = loop.watch(link->listener_.get(), EPOLLIN, [made = link.get()](std::uint32_t) { made->on_connection(); });
  if (!source) return base::pass(std::move(source));
  link->listening_ = std::move(*source);
  return link;
}

void CacheLink::on_connection() {
  base::UniqueFd fresh(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fresh) return;
  // There is one cache: a second connection is a restarted one whose predecessor's end is not yet read.
  if (cache_) drop("another one came");
  cache_ = std::move(fresh);
  auto source = loop_.watch(cache_.get(), EPOLLIN, [this](std::uint32_t) { on_messages(); });
  if (!source) return drop(source.error().what());
  reading_ = std::move(*source);
  log(Priority::info, message_id::cache_connected, "The content cache is connected");
  tell_rules();
  changed_();
}

void CacheLink::drop(std::string_view why) {
  reading_.reset();
  cache_.reset();
  health_ = {};
  log(Priority::warning, message_id::cache_lost, fmt::format("The content cache is gone, names lead to their origins: {}", why));
  changed_();
}

void CacheLink::tell_rules() {
  const cache::Rules rules{epoch_, rules_json_.has_value()};
  base::UniqueFd memory;
  std::vector<int> descriptors;
  if (rules_json_) {
    auto made = base::sealed_copy("schultor-cache-rules", std::as_bytes(std::span(*rules_json_)));
    if (!made) return drop(made.error().what());
    memory = std::move(*made);
    descriptors = {memory.get()};
  }
  if (auto sent = base::send_packet(cache_.get(), cache::encode(rules), descriptors); !sent) drop(sent.error().what());
}

void CacheLink::announce(std::optional<std::string> rules_json) {
  if (rules_json_ == rules_json) return;
  rules_json_ = std::move(rules_json);
  ++epoch_;
  health_ = {};
  if (cache_) tell_rules();
  changed_();
}

void CacheLink::on_messages() {
  std::array<std::byte, cache::longest_message + 1> room{};
  bool is_news = false;
  for (int i = 0; i < most_messages_a_turn; ++i) {
    auto packet = base::receive_packet(cache_.get(), room);
    if (!packet) return drop(packet.error().what());
    if (!*packet) break;
    auto message = cache::decode((*packet)->octets);
    if (!message) return drop(message.error().what());
    const auto* health = std::get_if<cache::Health>(&*message);
    if (health == nullptr) return drop("it sent a message that only schultord sends");
    // Of rules that have gone meanwhile it is no word on these.
    if (health->rules_epoch != epoch_ || !rules_json_ || *health == health_) continue;
    health_ = *health;
    is_news = true;
  }
  if (!is_news) return;
  reading_.set_events(0);
  if (auto timer = loop_.after(pause, [this] {
        if (cache_) reading_.set_events(EPOLLIN);
      }))
    resume_ = std::move(*timer);
  else reading_.set_events(EPOLLIN);
  changed_();
}

}  // namespace schultor::enforce
