// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Sockets of the kind SOCK_SEQPACKET in the file system, over which processes of this machine tell one another whole messages,
/// with descriptors beside them (unix(7)). Nothing in here waits.
namespace schultor::base {

/// Of one message.
inline constexpr std::size_t most_descriptors = 4;

/// A listener at `path`, mode 0660, of `group`, or of the process's own without one. What lies there is replaced.
[[nodiscard]] Result<UniqueFd> listen_for_packets(const std::string& path, std::optional<gid_t> group);
[[nodiscard]] Result<UniqueFd> connect_for_packets(const std::string& path);

/// Descriptors are lent. Fails where the other end has no room.
[[nodiscard]] Result<void> send_packet(int fd, std::span<const std::byte> packet, std::span<const int> descriptors = {});

struct Packet {
  std::span<const std::byte> octets;  ///< in the caller's room
  std::vector<UniqueFd> descriptors;
};
/// None where nothing is there to be read. Fails at the connection's end, and for a message that is longer than `room`.
[[nodiscard]] Result<std::optional<Packet>> receive_packet(int fd, std::span<std::byte> room);

}  // namespace schultor::base
