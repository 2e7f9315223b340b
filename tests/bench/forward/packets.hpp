// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/unique_fd.hpp"
#include "tests/bench/forward/gateways.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Small datagrams, written as frames and put on the cable.
namespace schultor::bench {

/// A frame of Ethernet at its shortest, without its checksum: IPv4 and UDP with 18 octets of nothing.
using Frame = std::array<std::uint8_t, 60>;

struct End {
  base::Mac mac;  ///< of the frame's sender or receiver on this cable
  base::Address address;
  std::uint16_t port = 0;
};
[[nodiscard]] Frame frame_of(const End& from, const End& to);

/// An interface of a host, to send frames from, that takes in no UDP itself: what arrives is counted and dropped.
class Wire {
public:
  Wire(const Host& host, std::string interface);
  /// All of `frames` in turn until `count` are sent, many a system call.
  void send(const std::vector<Frame>& frames, std::size_t count);
  /// Datagrams that have arrived here so far.
  [[nodiscard]] std::size_t arrived() const;

private:
  const Host& host_;
  std::string interface_;
  base::UniqueFd socket_;
};

struct Packets {
  double per_second = 0;  ///< of those that arrived
  double cpu_us = 0;      ///< for each: sending, the way through the gateway, and dropping
  std::size_t lost = 0;
};

/// Datagrams of many devices to many addresses of the profile they are in, and back, through one gateway.
class Traffic {
public:
  explicit Traffic(const Gateway& gateway);
  /// Each flow is known to the gateway in either direction afterwards.
  void warm_up();
  /// All on the first core: the packet goes the whole way in the sender's own system call, so that its CPU time is what it costs.
  [[nodiscard]] Packets measure(bool from_school, std::size_t count);
  /// What is allowed arrives, and where the gateway filters nothing else does.
  void check();

private:
  /// How many arrive of one datagram to an address that is not pinned, from the school alone, and of one in each flow. Waits for
  /// so many.
  std::size_t arriving(bool from_school, std::size_t least);

  const Gateway& gateway_;
  Wire school_, internet_;
  std::vector<Frame> up_, down_;
};

}  // namespace schultor::bench
