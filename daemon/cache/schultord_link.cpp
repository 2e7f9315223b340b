// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/schultord_link.hpp"

#include "daemon/base/packet_socket.hpp"
#include "daemon/base/sealed_memory.hpp"

#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace schultor::cache {
namespace {

constexpr std::chrono::milliseconds reconnect_first{100};
constexpr std::chrono::milliseconds reconnect_last{2000};
constexpr off_t longest_rules = 8 << 20;
/// Messages read before others have their turn.
constexpr int most_messages_a_turn = 64;

base::Result<policy::CacheRules> read_rules(int fd) {
  if (auto sealed = base::expect_sealed(fd); !sealed) return base::pass(std::move(sealed), "the rules");
  struct stat status {};
  if (fstat(fd, &status) != 0) return base::fail_errno(errno, "the rules' memfd");
  if (status.st_size <= 0 || status.st_size > longest_rules)
    return base::fail("the rules take {} octets, expected 1 to {}", status.st_size, longest_rules);
  std::string json(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < json.size()) {
    const auto size = pread(fd, json.data() + done, json.size() - done, static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return base::fail_errno(size < 0 ? errno : EIO, "reading the rules");
    done += static_cast<std::size_t>(size);
  }
  return policy::cache_rules_from_json(json);
}

}  // namespace

SchultordLink::SchultordLink(base::EventLoop& loop, std::string path, Handlers handlers)
    : loop_(loop), path_(std::move(path)), handlers_(std::move(handlers)), delay_(reconnect_first) {}

void SchultordLink::start() { attempt(); }

void SchultordLink::attempt() {
  if (auto connected = connect_now(); !connected) drop(connected.error());
}

base::Result<void> SchultordLink::connect_now() {
  auto fd = base::connect_for_packets(path_);
  if (!fd) return base::pass(std::move(fd));
  auto source = loop_.watch(fd->get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  if (!source) return base::pass(std::move(source));
  fd_ = std::move(*fd);
  source_ = std::move(*source);
  return {};
}

void SchultordLink::drop(const base::Error& why) {
  source_.reset();
  fd_.reset();
  epoch_.reset();
  if (auto retry = loop_.after(delay_, [this] { attempt(); })) retry_ = std::move(*retry);
  delay_ = std::min(delay_ * 2, reconnect_last);
  if (!std::exchange(told_, true)) handlers_.lost(why);
}

void SchultordLink::receive() {
  std::array<std::byte, longest_message + 1> room{};
  for (int i = 0; i < most_messages_a_turn && fd_; ++i) {
    auto packet = base::receive_packet(fd_.get(), room);
    if (!packet) return drop(std::move(packet.error()).within(path_));
    if (!*packet) return;
    auto message = decode((*packet)->octets);
    if (!message) return drop(std::move(message.error()).within(path_));
    const auto* rules = std::get_if<Rules>(&*message);
    if (rules == nullptr) return drop(base::Error(path_ + ": schultord sent a message that only the cache sends"));
    if (auto taken = take(*rules, std::move((*packet)->descriptors)); !taken) return drop(std::move(taken.error()).within(path_));
  }
}

base::Result<void> SchultordLink::take(const Rules& rules, std::vector<base::UniqueFd> descriptors) {
  const std::size_t expected = rules.kept ? 1 : 0;
  if (descriptors.size() != expected) return base::fail("rules with {} descriptors, expected {}", descriptors.size(), expected);
  std::optional<policy::CacheRules> read;
  if (rules.kept) {
    auto made = read_rules(descriptors.front().get());
    if (!made) return base::pass(std::move(made));
    read = std::move(*made);
  }
  epoch_ = rules.epoch;
  told_ = false;
  delay_ = reconnect_first;
  handlers_.rules(std::move(read));
  return {};
}

void SchultordLink::tell_health(const Health& health) {
  if (!epoch_) return;
  auto told = health;
  told.rules_epoch = *epoch_;
  if (auto sent = base::send_packet(fd_.get(), encode(told)); !sent) drop(std::move(sent.error()).within(path_));
}

}  // namespace schultor::cache
