// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/tcp_server.hpp"

#include "daemon/dns/limits.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace schultor::dns {
namespace {

constexpr int most_accepted_a_turn = 64;

}  // namespace

struct TcpServer::Connection {
  explicit Connection(std::size_t& unsent_of_all) : all_unsent(unsent_of_all) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { all_unsent -= unsent.size(); }

  std::size_t& all_unsent;
  base::UniqueFd fd;
  base::EventSource source;
  std::uint32_t mark = 0;
  in6_addr source_address{};  // for as long as the connection lives
  Bytes received;
  Bytes unsent;
  std::size_t under_way = 0;  // questions without an answer
  Time last_active{};
  bool ended = false;  // the tablet sends no more

  /// False when the connection is broken.
  bool read_some();
  bool write_some();
  void add_unsent(const Bytes& packet);
  /// The next whole question; empty when there is none, none when it is no DNS.
  std::optional<Bytes> next_question();
  void wait();
  [[nodiscard]] bool may_ask() const { return under_way < limits::tcp_pipelined && unsent.size() < limits::tcp_unsent; }
  [[nodiscard]] bool may_read() const { return !ended && may_ask(); }
};

bool TcpServer::Connection::read_some() {
  std::array<std::uint8_t, limits::question + 2> buffer;
  // Never more than one longest question is held.
  const auto room = buffer.size() - received.size();
  const auto size = recv(fd.get(), buffer.data(), room, MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) ended = true;
  received.insert(received.end(), buffer.data(), buffer.data() + size);
  return true;
}

bool TcpServer::Connection::write_some() {
  if (unsent.empty()) return true;
  const auto size = send(fd.get(), unsent.data(), unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  unsent.erase(unsent.begin(), unsent.begin() + size);
  all_unsent -= static_cast<std::size_t>(size);
  return true;
}

void TcpServer::Connection::add_unsent(const Bytes& packet) {
  unsent.push_back(static_cast<std::uint8_t>(packet.size() >> 8U));
  unsent.push_back(static_cast<std::uint8_t>(packet.size() & 0xffU));
  unsent.insert(unsent.end(), packet.begin(), packet.end());
  all_unsent += 2 + packet.size();
}

std::optional<Bytes> TcpServer::Connection::next_question() {
  if (received.size() < 2) return Bytes{};
  const std::size_t length = static_cast<std::size_t>(received[0]) << 8U | received[1];
  if (length == 0 || length > limits::question) return std::nullopt;
  if (received.size() < 2 + length) return Bytes{};
  const auto begin = received.begin() + 2;
  Bytes question(begin, begin + static_cast<std::ptrdiff_t>(length));
  received.erase(received.begin(), begin + static_cast<std::ptrdiff_t>(length));
  return question;
}

void TcpServer::Connection::wait() { source.set_events((may_read() ? EPOLLIN : 0U) | (unsent.empty() ? 0U : EPOLLOUT)); }

TcpServer::TcpServer(base::EventLoop& loop, OnQuestion on_question) : loop_(loop), on_question_(std::move(on_question)) {}

TcpServer::~TcpServer() {
  source_.reset();
  connections_.clear();
}

base::Result<void> TcpServer::use(base::UniqueFd listener) {
  const int flags = fcntl(listener.get(), F_GETFL);
  if (flags < 0 || fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return base::fail_errno(errno, "the gate's TCP listener");
  auto source = loop_.watch(listener.get(), EPOLLIN, [this](std::uint32_t) { accept_waiting(); });
  if (!source) return base::pass(std::move(source));
  if (listener_) accept_waiting();
  source_ = std::move(*source);
  listener_ = std::move(listener);
  return {};
}

void TcpServer::accept_waiting() {
  for (int i = 0; i < most_accepted_a_turn; ++i) {
    base::UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    accept_one(std::move(fd));
  }
}

void TcpServer::accept_one(base::UniqueFd fd) {
  auto connection = std::make_unique<Connection>(unsent_);
  socklen_t size = sizeof connection->mark;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_MARK, &connection->mark, &size) != 0) return;
  sockaddr_in6 peer{};
  size = sizeof peer;
  if (getpeername(fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  connection->source_address = peer.sin6_addr;
  const auto of_same = std::count_if(connections_.begin(), connections_.end(), [&](const auto& entry) {
    return IN6_ARE_ADDR_EQUAL(&entry.second->source_address, &peer.sin6_addr);
  });
  if (static_cast<std::size_t>(of_same) >= limits::tcp_connections_of_one) connections_.erase(longest_idle(&peer.sin6_addr));
  else if (connections_.size() >= limits::tcp_connections) connections_.erase(longest_idle(nullptr));
  const auto id = ++last_;
  auto source = loop_.watch(fd.get(), EPOLLIN, [this, id](std::uint32_t events) { on_ready(id, events); });
  if (!source) return;
  connection->fd = std::move(fd);
  connection->source = std::move(*source);
  connection->last_active = std::chrono::steady_clock::now();
  connections_.emplace(id, std::move(connection));
}

TcpServer::Connections::iterator TcpServer::longest_idle(const in6_addr* source) {
  // One that waits for an answer of ours is idle only where all do.
  const auto idle_since = [](const Connection& connection) { return std::pair(connection.under_way > 0, connection.last_active); };
  auto longest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (source != nullptr && !IN6_ARE_ADDR_EQUAL(&it->second->source_address, source)) continue;
    if (longest == connections_.end() || idle_since(*it->second) < idle_since(*longest->second)) longest = it;
  }
  return longest;
}

void TcpServer::on_ready(std::uint64_t id, std::uint32_t events) {
  auto& connection = *connections_.at(id);
  if ((events & (EPOLLERR | EPOLLHUP)) != 0 || !connection.write_some()) return close(id);
  if ((events & EPOLLIN) != 0 && connection.may_read() && !connection.read_some()) return close(id);
  while (connection.may_ask()) {
    const auto question = connection.next_question();
    if (!question) return close(id);
    if (question->empty()) break;
    ++connection.under_way;
    connection.last_active = std::chrono::steady_clock::now();
    // It may be answered before this returns, and that end the connection.
    on_question_(TcpPeer{id, connection.source_address}, connection.mark, *question);
    if (!connections_.contains(id)) return;
  }
  if (connection.ended && connection.under_way == 0 && connection.unsent.empty()) return close(id);
  connection.wait();
}

void TcpServer::answer(const TcpPeer& peer, const Bytes& packet, Time now) {
  const auto found = connections_.find(peer.connection);
  if (found == connections_.end()) return;
  auto& connection = *found->second;
  if (connection.under_way > 0) --connection.under_way;
  connection.last_active = now;
  connection.add_unsent(packet);
  // Written when the socket is ready, which it mostly is at once; that also looks for questions that were held back.
  connection.source.set_events((connection.may_read() ? EPOLLIN : 0U) | EPOLLOUT);
  if (unsent_ <= limits::tcp_unsent_of_all) return;
  connections_.erase(std::max_element(connections_.begin(), connections_.end(), [](const auto& one, const auto& other) {
    return one.second->unsent.size() < other.second->unsent.size();
  }));
}

void TcpServer::close(std::uint64_t id) { connections_.erase(id); }

void TcpServer::tick(Time now) {
  std::erase_if(connections_, [&](const auto& entry) { return entry.second->last_active + limits::tcp_idle <= now; });
}

}  // namespace schultor::dns
