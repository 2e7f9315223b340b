// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/gate.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace schultor::dns {

/// The questions that the resolver has not answered yet, each under a random id of the socket that it left by. Pure: randomness and
/// time are passed in.
class InFlight {
public:
  struct Sending {
    std::size_t socket = 0;
    ByteView packet;  ///< until the next call
  };
  /// What is due: packets to be sent once more, and questions that remain without an answer.
  struct Due {
    std::vector<Sending> again;
    std::vector<JobId> silent;
  };

  /// `random`: a number that nobody can guess.
  InFlight(std::size_t most, std::function<std::uint32_t()> random) : most_(most), random_(std::move(random)) {}

  /// To be sent on `socket`. None when too many are under way.
  [[nodiscard]] std::optional<Sending> add(JobId job, const Query& query, std::size_t socket, Time now);
  struct Matched {
    JobId job = 0;
    Bytes question;  ///< as it was sent
  };
  /// The job that `packet`, which came on `socket`, answers: same id, same socket, the question as it was sent,
  /// case included. It is no longer in flight then.
  [[nodiscard]] std::optional<Matched> take(std::size_t socket, ByteView packet);
  [[nodiscard]] Due due(Time now);
  [[nodiscard]] bool empty() const { return entries_.empty(); }

private:
  using Key = std::uint32_t;  // socket << 16 | id
  struct Entry {
    JobId job = 0;
    Name name;
    std::uint16_t type = 0;
    Bytes packet;
  };
  struct Deadline {
    Time at;
    Key key = 0;
    JobId job = 0;  // tells a key's later use from the one meant
  };
  [[nodiscard]] Entry* find(const Deadline& deadline);

  std::size_t most_;
  std::function<std::uint32_t()> random_;
  std::unordered_map<Key, Entry> entries_;
  std::deque<Deadline> retries_;
  std::deque<Deadline> ends_;
};

}  // namespace schultor::dns
