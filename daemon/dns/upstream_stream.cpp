// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/upstream_stream.hpp"

#include "daemon/dns/limits.hpp"
#include "daemon/dns/resolver_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace schultor::dns {
namespace {

constexpr std::size_t length_size = 2;

bool would_block(int error) { return error == EAGAIN || error == EINTR || error == EINPROGRESS; }

}  // namespace

struct UpstreamStream::Connection {
  base::UniqueFd fd;
  base::EventSource source;
  ResponseHead head;
  Bytes unsent;
  Bytes received;
  Time end;

  [[nodiscard]] std::size_t wanted() const {
    return received.size() < length_size ? length_size : length_size + (static_cast<std::size_t>(received[0]) << 8U | received[1]);
  }
  [[nodiscard]] ByteView answer() const { return ByteView(received).subspan(length_size); }
};

UpstreamStream::UpstreamStream(base::EventLoop& loop, const base::Endpoint& resolver, Handlers handlers)
    : loop_(loop), resolver_(resolver), handlers_(std::move(handlers)) {}

UpstreamStream::~UpstreamStream() { connections_.clear(); }

void UpstreamStream::drop(JobId job) { connections_.erase(job); }
bool UpstreamStream::contains(JobId job) const { return connections_.contains(job); }
std::size_t UpstreamStream::size() const { return connections_.size(); }

bool UpstreamStream::ask(JobId job, const Bytes& question, Time end) {
  const auto query = read_query(question);
  if (!query || connections_.size() >= limits::upstream_streams || connections_.contains(job)) return false;
  auto fd = connect_to_resolver(resolver_, SOCK_STREAM);
  if (!fd) return false;
  auto source = loop_.watch(fd->get(), EPOLLOUT, [this, job](std::uint32_t) { on_ready(job); });
  if (!source) return false;
  auto connection = std::make_unique<Connection>();
  connection->fd = std::move(*fd);
  connection->source = std::move(*source);
  connection->head = {query->id, query->name, query->type};
  connection->unsent = {static_cast<std::uint8_t>(question.size() >> 8U), static_cast<std::uint8_t>(question.size() & 0xffU)};
  connection->unsent.insert(connection->unsent.end(), question.begin(), question.end());
  connection->end = end;
  connections_.emplace(job, std::move(connection));
  return true;
}

UpstreamStream::Progress UpstreamStream::exchange(Connection& connection) {
  auto& unsent = connection.unsent;
  if (!unsent.empty()) {
    const auto size = send(connection.fd.get(), unsent.data(), unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) return would_block(errno) ? Progress::waits : Progress::broken;
    unsent.erase(unsent.begin(), unsent.begin() + size);
    if (unsent.empty()) connection.source.set_events(EPOLLIN);
    return Progress::waits;
  }
  auto& received = connection.received;
  std::array<std::uint8_t, 16384> buffer;
  const auto room = std::min(buffer.size(), connection.wanted() - received.size());
  const auto size = recv(connection.fd.get(), buffer.data(), room, MSG_DONTWAIT);
  if (size < 0) return would_block(errno) ? Progress::waits : Progress::broken;
  if (size == 0) return Progress::broken;
  received.insert(received.end(), buffer.data(), buffer.data() + size);
  if (received.size() <= length_size || received.size() < connection.wanted()) return Progress::waits;
  const auto head = read_response_head(connection.answer());
  const bool belongs =
      head && head->id == connection.head.id && head->name == connection.head.name && head->type == connection.head.type;
  return belongs ? Progress::done : Progress::broken;
}

void UpstreamStream::on_ready(JobId job) {
  const auto found = connections_.find(job);
  if (found == connections_.end()) return;
  const auto progress = exchange(*found->second);
  if (progress == Progress::waits) return;
  const auto connection = std::move(connections_.extract(found).mapped());
  if (progress == Progress::done) handlers_.answered(job, connection->answer());
  else handlers_.silent(job);
}

void UpstreamStream::tick(Time now) {
  std::vector<JobId> late;
  for (const auto& [job, connection] : connections_)
    if (connection->end <= now) late.push_back(job);
  for (const JobId job : late) {
    connections_.erase(job);
    handlers_.silent(job);
  }
}

}  // namespace schultor::dns
