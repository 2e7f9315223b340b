// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/in_flight.hpp"
#include "daemon/dns/question_batch.hpp"
#include "daemon/dns/statistics.hpp"
#include "daemon/dns/upstream_stream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace schultor::dns {

/// The sockets towards the resolver: UDP, and TCP for what it cuts short or leaves without an answer.
class Upstream {
public:
  struct Handlers {
    std::function<void(JobId, ByteView)> answered;
    std::function<void(JobId, Ede why)> silent;
    /// The resolver began or ceased to answer; at first when either is known.
    std::function<void(bool answers)> health;
  };

  static base::Result<std::unique_ptr<Upstream>> create(base::EventLoop& loop, const base::Endpoint& resolver, Handlers handlers);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream();

  /// False when too many questions are under way. It leaves with the others of this turn, at flush().
  [[nodiscard]] bool ask(JobId job, const Query& query, Time now);
  /// Sends what was asked since.
  void flush();
  /// Asks once more, and over TCP; gives up; and looks after a resolver that is silent.
  void tick(Time now);
  /// Whether tick() is needed.
  [[nodiscard]] bool waiting() const { return !in_flight_.empty() || stream_->size() > 0 || answers_ != true; }
  [[nodiscard]] std::optional<bool> answers() const { return answers_; }
  [[nodiscard]] ResolverCounts counts() const;
  [[nodiscard]] const Histogram& round_trip() const { return round_trip_; }

private:
  explicit Upstream(Handlers handlers);
  base::Result<void> open(base::EventLoop& loop, const base::Endpoint& resolver);
  void receive();
  void receive(std::size_t socket);
  void take(std::size_t socket, ByteView packet, Time now);
  /// What was cut short.
  [[nodiscard]] bool ask_over_tcp(const InFlight::Matched& matched);
  void queue(const InFlight::Sending& sending);
  void hand_over(JobId job, ByteView packet);
  void on_stream_answer(JobId job, ByteView packet);
  void on_stream_end(JobId job);
  void give_up(JobId job, Time now);
  void probe(Time now);
  void set_health(bool answers);
  std::uint32_t random();

  Handlers handlers_;
  InFlight in_flight_;
  std::unique_ptr<UpstreamStream> stream_;
  struct Answers;

  std::vector<base::UniqueFd> sockets_;
  base::UniqueFd ready_;  ///< an epoll(7) instance over all of them
  base::EventSource source_;
  std::unique_ptr<Answers> answers_read_;
  std::unique_ptr<QuestionBatch> unsent_;  ///< all of them on `sending_`
  std::size_t sending_ = 0;
  std::vector<std::uint32_t> dice_;
  std::optional<bool> answers_;
  ResolverCounts counts_;
  Histogram round_trip_;
  bool probing_ = false;
  Time next_probe_{};
};

}  // namespace schultor::dns
