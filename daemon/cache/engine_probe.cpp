// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/engine_probe.hpp"

#include "daemon/cache/engine_request.hpp"
#include "daemon/cache/nginx_configuration.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace schultor::cache {
namespace {

constexpr std::size_t longest_answer = 4096;

base::UniqueFd begin_connecting(std::uint16_t port) {
  base::UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (made && connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    made.reset();
  return made;
}

}  // namespace

EngineProbe::EngineProbe(base::EventLoop& loop, std::uint16_t port, std::chrono::microseconds patience,
                         std::function<void(const std::optional<std::string>&)> heard)
    : socket_(begin_connecting(port)), heard_(std::move(heard)) {
  if (socket_)
    if (auto watching = loop.watch(socket_.get(), EPOLLOUT, [this](std::uint32_t) { ready(); })) watching_ = std::move(*watching);
  if (auto deadline = loop.after(watching_ ? patience : std::chrono::microseconds(0), [this] { finish(std::nullopt); }))
    deadline_ = std::move(*deadline);
}

void EngineProbe::ready() {
  if (!has_asked_) {
    const auto question = fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", health_path, health_host);
    if (send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size())) {
      finish(std::nullopt);
      return;
    }
    has_asked_ = true;
    watching_.set_events(EPOLLIN);
    return;
  }
  std::array<char, longest_answer> room{};
  const auto got = recv(socket_.get(), room.data(), room.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0 && answer_.size() + static_cast<std::size_t>(got) <= longest_answer)
    answer_.append(room.data(), static_cast<std::size_t>(got));
  else finish(got == 0 ? generation_of(answer_) : std::nullopt);
}

void EngineProbe::finish(const std::optional<std::string>& generation) {
  watching_.reset();
  deadline_.reset();
  // It may destroy this.
  const auto heard = std::exchange(heard_, nullptr);
  heard(generation);
}

std::optional<std::string> generation_of(std::string_view answer) {
  const auto status = answer.find(' ');
  if (answer.substr(0, 5) != "HTTP/" || status == std::string_view::npos || answer.substr(status + 1, 3) != "204")
    return std::nullopt;
  const auto wanted = fmt::format("\r\n{}: ", generation_header);
  const auto at = answer.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  const auto value = answer.substr(at + wanted.size());
  const auto end = value.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(value.substr(0, end));
}

}  // namespace schultor::cache
