// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/question_batch.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace schultor::dns {

void QuestionBatch::add(ByteView question) {
  auto& packet = packets_[count_];
  if (question.size() > packet.size()) return;
  std::copy(question.begin(), question.end(), packet.begin());
  const auto size = fill_ ? fill_question(packet, question.size(), limits::question_block) : question.size();
  parts_[count_++] = {packet.data(), size};
}

/// How many from there on are of one length.
std::size_t QuestionBatch::run_from(std::size_t first) const {
  std::size_t end = first + 1;
  while (end < count_ && parts_[end].iov_len == parts_[first].iov_len) ++end;
  return end - first;
}

/// False where the kernel does not do so.
bool QuestionBatch::send_as_one(int socket, std::size_t first, std::size_t count) {
  const auto size = static_cast<std::uint16_t>(parts_[first].iov_len);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof size)> control{};
  msghdr header{};
  header.msg_iov = &parts_[first];
  header.msg_iovlen = count;
  if (count > 1) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof size);
    std::memcpy(CMSG_DATA(part), &size, sizeof size);
  }
  const auto send = [&] { return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0; };
  // The first error may be an earlier packet's (ECONNREFUSED), and is told once.
  if (send() || (errno == ECONNREFUSED && send())) return true;
  return count == 1 || errno == EAGAIN || errno == ECONNREFUSED || errno == ENOBUFS;
}

void QuestionBatch::send(int socket) {
  for (std::size_t first = 0; first < count_;) {
    const auto count = segments_ ? run_from(first) : 1;
    if (send_as_one(socket, first, count)) first += count;
    else segments_ = false;
  }
  count_ = 0;
}

}  // namespace schultor::dns
