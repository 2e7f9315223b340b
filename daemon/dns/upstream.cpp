// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/upstream.hpp"

#include "daemon/dns/limits.hpp"
#include "daemon/dns/resolver_socket.hpp"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace schultor::dns {
namespace {

/// The gate's own question, which tells whether the resolver is there: it knows the answer without asking anyone (RFC 6761).
constexpr JobId probe_job = 0;
constexpr std::string_view probe_name = "localhost";

bool is_of_this_machine(const base::Address& address) {
  constexpr base::Address ipv6{base::Family::ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return address.family == base::Family::ipv4 ? address.octets[0] == 127 : address == ipv6;
}

bool is_truncated(ByteView packet) { return packet.size() > 2 && (packet[2] & 0x02U) != 0; }

}  // namespace

/// What one system call brings.
struct Upstream::Answers {
  std::array<std::array<std::uint8_t, limits::upstream_answer>, limits::upstream_batch> packets;
  std::array<iovec, limits::upstream_batch> parts;
  std::array<mmsghdr, limits::upstream_batch> headers;

  Answers() : packets(), parts(), headers() {
    for (std::size_t i = 0; i < headers.size(); ++i) {
      parts[i] = {packets[i].data(), packets[i].size()};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  [[nodiscard]] ByteView packet(std::size_t i) const { return ByteView(packets[i]).first(headers[i].msg_len); }
};

Upstream::Upstream(Handlers handlers)
    : handlers_(std::move(handlers)),
      in_flight_(limits::in_flight, limits::upstream_sockets, [this] { return random(); }),
      answers_read_(std::make_unique<Answers>()) {}

Upstream::~Upstream() { source_.reset(); }

base::Result<std::unique_ptr<Upstream>> Upstream::create(base::EventLoop& loop, const base::Endpoint& resolver, Handlers handlers) {
  std::unique_ptr<Upstream> upstream(new Upstream(std::move(handlers)));
  if (auto opened = upstream->open(loop, resolver); !opened) return base::pass(std::move(opened));
  return upstream;
}

base::Result<void> Upstream::open(base::EventLoop& loop, const base::Endpoint& resolver) {
  unsent_ = std::make_unique<QuestionBatch>(is_of_this_machine(resolver.address));
  stream_ = std::make_unique<UpstreamStream>(
      loop, resolver,
      UpstreamStream::Handlers{[this](JobId job, ByteView packet) { on_stream_answer(job, packet); },
                               [this](JobId job) { on_stream_end(job); }});
  ready_ = base::UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!ready_) return base::fail_errno(errno, "watching the sockets towards the resolver");
  for (std::size_t i = 0; i < limits::upstream_sockets; ++i) {
    auto fd = connect_to_resolver(resolver, SOCK_DGRAM);
    if (!fd) return base::pass(std::move(fd));
    epoll_event event{EPOLLIN, {.u64 = i}};
    if (epoll_ctl(ready_.get(), EPOLL_CTL_ADD, fd->get(), &event) != 0)
      return base::fail_errno(errno, "watching the sockets towards the resolver");
    sockets_.push_back(std::move(*fd));
  }
  // One source for all: the loop hands out a source a turn, and what came together shall be pinned together.
  auto source = loop.watch(ready_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  if (!source) return base::pass(std::move(source));
  source_ = std::move(*source);
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

void Upstream::receive() {
  std::array<epoll_event, limits::upstream_sockets> events{};
  const int count = epoll_wait(ready_.get(), events.data(), static_cast<int>(events.size()), 0);
  // What is left in a socket is there at the next turn: others have theirs before.
  for (int i = 0; i < count; ++i) receive(events[static_cast<std::size_t>(i)].data.u64);
}

void Upstream::receive(std::size_t socket) {
  auto& batch = *answers_read_;
  const int count = recvmmsg(sockets_[socket].get(), batch.headers.data(), limits::upstream_batch, MSG_DONTWAIT, nullptr);
  // Below 0 nothing came, or it is told that nobody listens there now (ECONNREFUSED): the question is sent once more, and given up
  // in time.
  if (count <= 0) return;
  const auto now = std::chrono::steady_clock::now();
  // One that is longer than was asked for is cut here, and then no answer that can be read.
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) take(socket, batch.packet(i), now);
}

void Upstream::take(std::size_t socket, ByteView packet, Time now) {
  const auto matched = in_flight_.take(socket, packet, now);
  if (!matched) return;
  set_health(true);
  round_trip_.add(now - matched->asked);
  if (is_truncated(packet) && (stream_->contains(matched->job) || ask_over_tcp(*matched))) return;
  stream_->drop(matched->job);
  hand_over(matched->job, packet);
}

bool Upstream::ask_over_tcp(const InFlight::Matched& matched) {
  const bool asked = stream_->ask(matched.job, matched.question, matched.asked + limits::upstream_wait);
  if (asked) ++counts_.tcp;
  return asked;
}

void Upstream::hand_over(JobId job, ByteView packet) {
  ++counts_.answers;
  if (job == probe_job) probing_ = false;
  else handlers_.answered(job, packet);
}

void Upstream::on_stream_answer(JobId job, ByteView packet) {
  in_flight_.drop(job);
  set_health(true);
  hand_over(job, packet);
}

void Upstream::on_stream_end(JobId job) {
  // In a race the packets may still be answered.
  if (!in_flight_.contains(job)) give_up(job, std::chrono::steady_clock::now());
}

/// All of a turn on one socket: whoever guesses has to guess the socket of each turn.
void Upstream::flush() {
  if (unsent_->empty()) return;
  unsent_->send(sockets_[sending_].get());
  sending_ = random() % limits::upstream_sockets;
}

void Upstream::queue(const InFlight::Sending& sending) {
  if (unsent_->is_full() || sending.socket != sending_) flush();
  sending_ = sending.socket;
  unsent_->add(sending.packet);
}

bool Upstream::ask(JobId job, const Query& query, Time now) {
  const auto sending = in_flight_.add(job, query, sending_, now);
  if (!sending) return false;
  ++counts_.questions;
  queue(*sending);
  return true;
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

ResolverCounts Upstream::counts() const {
  auto counts = counts_;
  counts.under_way = in_flight_.size() + stream_->size();
  return counts;
}

void Upstream::set_health(bool answers) {
  if (answers_ == answers) return;
  answers_ = answers;
  handlers_.health(answers);
}

void Upstream::give_up(JobId job, Time now) {
  ++counts_.silent;
  if (job == probe_job) {
    probing_ = false;
    return set_health(false);
  }
  // A name whose servers are silent keeps the resolver silent too: only the probe tells which it is.
  if (answers_ == true) probe(now);
  handlers_.silent(job, answers_ == false ? Ede::network_error : Ede::no_reachable_authority);
}

void Upstream::tick(Time now) {
  const auto due = in_flight_.due(random() % limits::upstream_sockets, now);
  for (const auto& sending : due.again) queue(sending);
  counts_.again += due.again.size();
  for (const auto& racing : due.race)
    // Where it cannot be asked so, its packets are on their way all the same.
    if (stream_->size() >= limits::upstream_races || !stream_->ask(racing.job, racing.question, racing.end)) break;
  for (const JobId job : due.silent) {
    stream_->drop(job);
    give_up(job, now);
  }
  stream_->tick(now);
  if (answers_ != true && now >= next_probe_) probe(now);
}

}  // namespace schultor::dns
