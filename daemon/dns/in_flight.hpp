// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/gate.hpp"
#include "daemon/dns/limits.hpp"
#include "daemon/dns/round_trip.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace schultor::dns {

/// The questions that the resolver has not answered yet. Each goes out up to limits::upstream_attempts times, each time under
/// another random id and by another socket, and the first answer to any of them is the answer. Pure: randomness and time are passed
/// in.
class InFlight {
public:
  struct Sending {
    std::size_t socket = 0;
    ByteView packet;  ///< until the next call
  };
  /// A question that is to be asked over TCP too: nobody has answered its packets.
  struct Racing {
    JobId job = 0;
    Bytes question;  ///< as it was sent at last
    Time end;        ///< when it is given up
  };
  /// What is due: packets to be sent once more, questions that go over TCP too, and those that remain without an answer.
  struct Due {
    std::vector<Sending> again;
    std::vector<Racing> race;
    std::vector<JobId> silent;
  };

  /// At most `most` questions over `sockets` sockets. `random`: a number that nobody can guess.
  InFlight(std::size_t most, std::size_t sockets, std::function<std::uint32_t()> random)
      : most_(most), sockets_(sockets), random_(std::move(random)) {}

  /// To be sent on `socket`. None when too many are under way.
  [[nodiscard]] std::optional<Sending> add(JobId job, const Query& query, std::size_t socket, Time now);
  struct Matched {
    JobId job = 0;
    Bytes question;  ///< as it was sent
    Time asked;      ///< for the first time
  };
  /// The job that `packet`, which came on `socket`, answers: same id, same socket, the question as it was sent,
  /// case included. It is no longer in flight then, nor is what else was sent of it.
  [[nodiscard]] std::optional<Matched> take(std::size_t socket, ByteView packet, Time now);
  /// Was answered another way.
  void drop(JobId job);
  /// What is sent again goes by `socket`, or by the next one where it went by that before.
  [[nodiscard]] Due due(std::size_t socket, Time now);
  [[nodiscard]] bool contains(JobId job) const { return questions_.contains(job); }
  [[nodiscard]] bool empty() const { return questions_.empty(); }
  [[nodiscard]] std::size_t size() const { return questions_.size(); }

private:
  using Key = std::uint32_t;  // socket << 16 | id
  struct Question {
    Name name;
    std::uint16_t type = 0;
    Bytes packet;  // as it was sent at last
    Time begun;
    std::array<Key, limits::upstream_attempts> keys{};
    std::size_t attempts = 0;
  };
  using Questions = std::unordered_map<JobId, Question>;
  struct Sent {
    JobId job = 0;
    Time at;
  };
  struct Stage {
    Time at;
    JobId job = 0;
  };

  void send(JobId job, Question& question, std::size_t socket, Time now);
  void forget(Questions::iterator question);
  [[nodiscard]] Questions::iterator next_due(std::deque<Stage>& stages, std::size_t attempts, RoundTrip::Duration patience,
                                             Time now);

  std::size_t most_;
  std::size_t sockets_;
  std::function<std::uint32_t()> random_;
  RoundTrip round_trip_;
  Questions questions_;
  std::unordered_map<Key, Sent> sent_;
  // Each question stands in the one of those that were sent so often, and in their order.
  std::array<std::deque<Stage>, limits::upstream_attempts> stages_;
};

}  // namespace schultor::dns
