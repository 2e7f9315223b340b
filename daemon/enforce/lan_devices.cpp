// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/lan_devices.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/online.hpp"

#include <sys/epoll.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

using base::Priority;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds retry_delay{10};
/// Devices that have gone are forgotten soon, also where nothing happens.
constexpr std::chrono::minutes between_looks{1};
constexpr std::chrono::seconds between_counts{1};
/// Of those that are told together, the journal names the first.
constexpr std::size_t most_logged = 20;

std::string summary(std::size_t, const std::string& last) { return "more of this within a minute, at last: " + last; }

}  // namespace

LanDevices::LanDevices(base::EventLoop& loop, std::function<void(const std::string& text)> tell)
    : loop_(loop), told_(loop, std::move(tell), summary) {}

void LanDevices::configure(std::shared_ptr<const policy::Policy> policy, const std::vector<std::string>& interfaces) {
  policy_ = std::move(policy);
  selectors_.emplace(*policy_);
  counts_.reset();
  std::set<std::string> names(interfaces.begin(), interfaces.end());
  if (follower_ && names == interfaces_) return;
  interfaces_ = std::move(names);
  try_to_begin();
}

base::Result<void> LanDevices::begin() {
  readable_.reset();
  follower_.reset();
  auto follower = netfilter::neighbours::Follower::open();
  if (!follower) return base::pass(std::move(follower));
  if (auto done = follower->follow(interfaces_, Clock::now()); !done) return done;
  auto source = loop_.watch(follower->fd(), EPOLLIN, [this](std::uint32_t) { read(); });
  if (!source) return base::pass(std::move(source));
  follower_.emplace(std::move(*follower));
  readable_ = std::move(*source);
  return {};
}

void LanDevices::try_to_begin() {
  const auto done = begin();
  if (done) return arm(between_looks, &LanDevices::read);
  log(Priority::error, base::message_id::devices_unknown,
      fmt::format("It is not known which devices are online: {}; trying again in {} s", done.error().what(), retry_delay.count()));
  arm(retry_delay, &LanDevices::try_to_begin);
}

void LanDevices::arm(std::chrono::microseconds delay, void (LanDevices::*then)()) {
  if (auto source = loop_.after(delay, [this, then] { (this->*then)(); })) timer_ = std::move(*source);
}

void LanDevices::read() {
  const auto now = Clock::now();
  const auto confirmations = follower_->read(now);
  if (!confirmations) {
    log(Priority::warning, base::message_id::devices_unknown,
        fmt::format("Devices are not followed any more: {}; beginning anew in {} s", confirmations.error().what(),
                    retry_delay.count()));
    readable_.reset();
    follower_.reset();
    return arm(retry_delay, &LanDevices::try_to_begin);
  }
  for (const auto& confirmed : *confirmations) judge(confirmed, now);
  const auto due = follower_->resync_due();
  arm(due ? std::chrono::ceil<std::chrono::microseconds>(std::max<Clock::duration>(*due - now, {})) : between_looks,
      &LanDevices::read);
}

void LanDevices::judge(const netfilter::neighbours::Confirmation& confirmed, Instant now) {
  for (const auto& impostor : impostors_.look(*policy_, confirmed, now)) {
    if (told_.held().value_or(0) < most_logged)
      log(Priority::warning, base::message_id::device_tampering,
          fmt::format("A device may pass for another one: {}", impostor.local));
    told_.happened(impostor.text, impostor.text);
  }
}

std::optional<std::vector<std::size_t>> LanDevices::online() {
  if (!follower_) return std::nullopt;
  const auto now = Clock::now();
  if (counts_ && now < counted_ + between_counts) return counts_;
  counts_ = online_by_group(*policy_, *selectors_, follower_->table(), now);
  counted_ = now;
  return counts_;
}

base::Result<std::string> LanDevices::devices_json() {
  if (!follower_) return base::fail("it is not known which devices are online: see the journal of schultord");
  return enforce::devices_json(*policy_, *selectors_, follower_->table(), Clock::now());
}

}  // namespace schultor::enforce
