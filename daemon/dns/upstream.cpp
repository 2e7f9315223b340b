// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/upstream.hpp"

#include "daemon/dns/limits.hpp"
#include "daemon/dns/resolver_socket.hpp"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace schultor::dns {
namespace {

/// The gate's own question, which tells whether the resolver is there: it knows the answer without asking anyone (RFC 6761).
constexpr JobId probe_job = 0;
constexpr std::string_view probe_name = "localhost";
/// Answers read from one socket before others have their turn.
constexpr int most_answers_a_turn = 32;
constexpr std::size_t longest_answer = 65535;

bool is_truncated(ByteView packet) { return packet.size() > 2 && (packet[2] & 0x02U) != 0; }

}  // namespace

Upstream::Upstream(Handlers handlers)
    : handlers_(std::move(handlers)),
      in_flight_(limits::upstream_sockets, limits::in_flight, [this] { return random(); }),
      buffer_(longest_answer) {}

Upstream::~Upstream() { sources_.clear(); }

base::Result<std::unique_ptr<Upstream>> Upstream::create(base::EventLoop& loop, const base::Endpoint& resolver, Handlers handlers) {
  std::unique_ptr<Upstream> upstream(new Upstream(std::move(handlers)));
  if (auto opened = upstream->open(loop, resolver); !opened) return base::pass(std::move(opened));
  return upstream;
}

base::Result<void> Upstream::open(base::EventLoop& loop, const base::Endpoint& resolver) {
  stream_ = std::make_unique<UpstreamStream>(
      loop, resolver,
      UpstreamStream::Handlers{[this](JobId job, ByteView packet) { handlers_.answered(job, packet); },
                               [this](JobId job) { handlers_.silent(job, Ede::no_reachable_authority); }});
  for (std::size_t i = 0; i < limits::upstream_sockets; ++i) {
    auto fd = connect_to_resolver(resolver, SOCK_DGRAM);
    if (!fd) return base::pass(std::move(fd));
    auto source = loop.watch(fd->get(), EPOLLIN, [this, i](std::uint32_t) { receive(i); });
    if (!source) return base::pass(std::move(source));
    sockets_.push_back(std::move(*fd));
    sources_.push_back(std::move(*source));
  }
  return {};
}

std::uint32_t Upstream::random() {
  if (dice_.empty()) {
    dice_.resize(64);
    // Up to 256 octets never come short (getrandom(2)); a kernel without randomness leaves nothing to go on with.
    if (getrandom(dice_.data(), dice_.size() * sizeof(std::uint32_t), 0) < 0) std::abort();
  }
  const auto value = dice_.back();
  dice_.pop_back();
  return value;
}

void Upstream::receive(std::size_t socket) {
  for (int i = 0; i < most_answers_a_turn; ++i) {
    const auto size = recv(sockets_[socket].get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    // ECONNREFUSED tells that nobody listens there now: the question is sent once more, and given up in time.
    if (size < 0 && errno != ECONNREFUSED) return;
    if (size <= 0) continue;
    const ByteView packet(buffer_.data(), static_cast<std::size_t>(size));
    const auto matched = in_flight_.take(socket, packet);
    if (!matched) continue;
    set_health(true);
    if (matched->job == probe_job) probing_ = false;
    else if (!is_truncated(packet) || !stream_->ask(matched->job, matched->question, std::chrono::steady_clock::now()))
      handlers_.answered(matched->job, packet);
  }
}

void Upstream::send(const InFlight::Sending& sending) {
  // A packet that does not go out is one that got lost: it is sent once more.
  [[maybe_unused]] const auto sent =
      ::send(sockets_[sending.socket].get(), sending.packet.data(), sending.packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool Upstream::ask(JobId job, const Query& query, Time now) {
  const auto sending = in_flight_.add(job, query, now);
  if (sending) send(*sending);
  return sending.has_value();
}

void Upstream::probe(Time now) {
  if (probing_) return;
  Query query;
  query.name = name_from_text(probe_name).value_or(Name());
  query.type = rr::a;
  query.klass = class_in;
  probing_ = ask(probe_job, query, now);
  next_probe_ = now + limits::probe_interval;
}

void Upstream::set_health(bool answers) {
  if (answers_ == answers) return;
  answers_ = answers;
  handlers_.health(answers);
}

void Upstream::tick(Time now) {
  stream_->tick(now);
  auto due = in_flight_.due(now);
  for (const auto& sending : due.again) send(sending);
  for (const JobId job : due.silent) {
    if (job == probe_job) {
      probing_ = false;
      set_health(false);
      continue;
    }
    // A name whose servers are silent keeps the resolver silent too: only the probe tells which it is.
    if (answers_ == true) probe(now);
    handlers_.silent(job, answers_ == false ? Ede::network_error : Ede::no_reachable_authority);
  }
  if (answers_ != true && now >= next_probe_) probe(now);
}

}  // namespace schultor::dns
