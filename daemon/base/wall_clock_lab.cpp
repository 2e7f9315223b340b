// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The lab's clock: the system's clock plus an offset that tools/lab sets. It is linked into the
// lab's build of the daemon alone, which is never installed.
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/realtime_timer.hpp"
#include "daemon/base/wall_clock.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace schultor::base {
namespace {

using std::chrono::microseconds;

std::optional<microseconds> parse_offset(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return microseconds(count);
}

}  // namespace

struct WallClock::Impl {
  microseconds offset{0};
  bool synchronised = true;
  std::function<void()> recompute;
  std::optional<RealtimeTimer> timer;
  UniqueFd control;
  EventSource source;

  /// A datagram holds the offset to the system's clock in microseconds, or "synchronised 0" or "synchronised 1"; the answer leaves
  /// when the daemon has computed and committed what holds then.
  void on_control() {
    std::array<char, 32> text{};
    sockaddr_un sender{};
    socklen_t length = sizeof sender;
    const auto size = recvfrom(control.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&sender), &length);
    if (size < 0) return;
    const bool taken = take({text.data(), static_cast<std::size_t>(size)});
    if (taken) recompute();
    const std::string_view answer = taken ? "ok" : "neither a number of microseconds nor “synchronised 0” or “synchronised 1”";
    sendto(control.get(), answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&sender), length);
  }

  bool take(std::string_view word) {
    if (word == "synchronised 0" || word == "synchronised 1") {
      synchronised = word.back() == '1';
      return true;
    }
    const auto wanted = parse_offset(word);
    if (!wanted) return false;
    offset = *wanted;
    log(Priority::notice, message_id::clock_jumped, "The clock was set: computing anew what holds now");
    return true;
  }
};

WallClock::WallClock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WallClock::WallClock(WallClock&&) noexcept = default;
WallClock& WallClock::operator=(WallClock&&) noexcept = default;
WallClock::~WallClock() = default;

Result<WallClock> WallClock::create(EventLoop& loop, std::function<void()> recompute) {
  auto impl = std::make_unique<Impl>();
  impl->recompute = std::move(recompute);
  auto timer = RealtimeTimer::create(loop, [clock = impl.get()](bool) { clock->recompute(); });
  if (!timer) return pass(std::move(timer));
  impl->timer.emplace(std::move(*timer));

  if (const char* text = std::getenv("SCHULTOR_LAB_CLOCK_OFFSET")) {
    const auto offset = parse_offset(text);
    if (!offset) return fail("SCHULTOR_LAB_CLOCK_OFFSET: “{}” is no number of microseconds", text);
    impl->offset = *offset;
  }
  if (const char* text = std::getenv("SCHULTOR_LAB_CLOCK_SYNCHRONISED")) impl->synchronised = std::string_view(text) != "0";
  if (const char* path = std::getenv("SCHULTOR_LAB_CLOCK_SOCKET")) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path) return fail("SCHULTOR_LAB_CLOCK_SOCKET: “{}” is too long", path);
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    impl->control.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!impl->control || bind(impl->control.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return fail_errno(errno, path);
    auto source = loop.watch(impl->control.get(), EPOLLIN, [clock = impl.get()](std::uint32_t) { clock->on_control(); });
    if (!source) return pass(std::move(source));
    impl->source = std::move(*source);
  }
  return WallClock(std::move(impl));
}

Instant WallClock::now() const {
  return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now()) + impl_->offset;
}

bool WallClock::synchronised() const { return impl_->synchronised; }

Result<void> WallClock::arm(std::optional<Instant> due) {
  return impl_->timer->arm(due ? std::optional(due->time_since_epoch() - impl_->offset) : std::nullopt);
}

}  // namespace schultor::base
