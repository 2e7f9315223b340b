// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/neighbours/follower.hpp"

#include "netfilter/neighbours/message.hpp"

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstdlib>

namespace schultor::netfilter::neighbours {
namespace {

/// No datagram of rtnetlink's notifications or dumps is larger (NLMSG_GOODSIZE, and 32 KiB for who reads with as much).
constexpr std::size_t datagram = std::size_t{32} * 1024;
constexpr int attempts = 3;

struct FreeOctets {
  void operator()(unsigned char* octets) const { std::free(octets); }
};

tl::unexpected<base::Error> failed(int error, const char* what) { return base::fail("{}: {}", what, nl_geterror(error)); }

/// Reads one datagram and calls `visit(nlmsghdr&)` for each message in it. Gives libnl's error, negative, else 0.
template <typename Visit>
int receive(nl_sock* socket, const Visit& visit) {
  sockaddr_nl from{};
  unsigned char* raw = nullptr;
  const int size = nl_recv(socket, &from, &raw, nullptr);
  const std::unique_ptr<unsigned char, FreeOctets> octets(raw);
  // A process that writes to us is not the kernel.
  if (size <= 0 || from.nl_pid != 0) return size < 0 ? size : 0;
  int left = size;
  for (auto* message = reinterpret_cast<nlmsghdr*>(octets.get()); nlmsg_ok(message, left); message = nlmsg_next(message, &left))
    visit(*message);
  return 0;
}

/// What a dump brings; true once it has come to its end. Negative: libnl's error.
template <typename Visit>
int dump(nl_sock* socket, int type, const Visit& visit) {
  rtgenmsg of_all{AF_UNSPEC};
  int r = nl_send_simple(socket, type, NLM_F_DUMP, &of_all, sizeof of_all);
  bool done = false;
  bool interrupted = false;
  int refused = 0;
  while (r >= 0 && !done) {
    r = receive(socket, [&](nlmsghdr& message) {
      interrupted = interrupted || (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      done = done || message.nlmsg_type == NLMSG_DONE || message.nlmsg_type == NLMSG_ERROR;
      if (message.nlmsg_type == NLMSG_ERROR) refused = -nl_syserr2nlerr(static_cast<const nlmsgerr*>(nlmsg_data(&message))->error);
      visit(message);
    });
  }
  return r < 0 ? r : refused < 0 ? refused : interrupted ? -NLE_DUMP_INTR : 0;
}

struct Everything {
  std::vector<Link> links;
  std::vector<Neighbour> neighbours;
};

/// Links first: a neighbour on one that came in between is told by notification.
int read_everything(nl_sock* socket, Everything& all) {
  int r = dump(socket, RTM_GETLINK, [&](nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK) return;
    if (auto link = link_of(message)) all.links.push_back(std::move(*link));
  });
  if (r < 0) return r;
  r = dump(socket, RTM_GETNEIGH, [&](nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWNEIGH) return;
    if (const auto neighbour = neighbour_of(message)) all.neighbours.push_back(*neighbour);
  });
  return r;
}

}  // namespace

void Follower::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<Follower::Socket> Follower::connect() {
  Socket socket(nl_socket_alloc());
  int r = socket ? nl_connect(socket.get(), NETLINK_ROUTE) : -NLE_NOMEM;
  if (r >= 0) r = nl_socket_set_msg_buf_size(socket.get(), datagram);
  if (r < 0) return failed(r, "a socket for neighbours");
  return socket;
}

Result<Follower> Follower::open(int receive_buffer) {
  auto socket = connect();
  if (!socket) return base::pass(std::move(socket));
  const int fd = nl_socket_get_fd(socket->get());
  // Without the right to as much there is what the system allows to all.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0)
    static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer));
  int r = nl_socket_set_nonblocking(socket->get());
  if (r >= 0) r = nl_socket_add_memberships(socket->get(), RTNLGRP_LINK, RTNLGRP_NEIGH, 0);
  if (r < 0) return failed(r, "listening for neighbours");
  return Follower(std::move(*socket));
}

int Follower::fd() const { return nl_socket_get_fd(socket_.get()); }

Result<void> Follower::follow(std::set<std::string> interfaces, Instant now) {
  table_.follow(std::move(interfaces));
  return resync(now);
}

std::optional<Instant> Follower::resync_due() const {
  return behind_ ? std::optional(last_resync_ + between_resyncs) : std::nullopt;
}

Result<std::vector<Confirmation>> Follower::read(Instant now) {
  std::vector<Confirmation> confirmations;
  const auto empty = drain(now, confirmations);
  if (!empty) return base::pass(Result<bool>(empty));
  // Not before the last of what had been told until then is read: it is older than what is read now, and nothing would correct it.
  if (behind_ && *empty && now >= last_resync_ + between_resyncs)
    if (auto done = resync(now); !done) return base::pass(std::move(done));
  table_.forget(now);
  return confirmations;
}

/// True when nothing is left to be read.
Result<bool> Follower::drain(Instant now, std::vector<Confirmation>& confirmations) {
  for (std::size_t i = 0; i < most_notifications; ++i) {
    const int r = receive(socket_.get(), [&](nlmsghdr& message) {
      if (message.nlmsg_type == RTM_NEWLINK || message.nlmsg_type == RTM_DELLINK) {
        const auto link = link_of(message);
        if (!link) return;
        if (message.nlmsg_type == RTM_DELLINK) table_.remove_link(link->index);
        else behind_ = table_.set_link(*link) || behind_;
      } else if (message.nlmsg_type == RTM_NEWNEIGH || message.nlmsg_type == RTM_DELNEIGH) {
        const auto neighbour = neighbour_of(message);
        if (!neighbour) return;
        if (message.nlmsg_type == RTM_DELNEIGH) table_.remove(neighbour->link, neighbour->address, now);
        else if (auto confirmed = table_.note(*neighbour, now)) confirmations.push_back(std::move(*confirmed));
      }
    });
    if (r == -NLE_AGAIN) return true;
    // ENOBUFS, as libnl calls it.
    if (r == -NLE_NOMEM) behind_ = true;
    else if (r < 0) return failed(r, "reading what has become of neighbours");
  }
  return false;
}

Result<void> Follower::resync(Instant now) {
  behind_ = true;
  last_resync_ = now;
  auto socket = connect();
  if (!socket) return base::pass(std::move(socket));
  int r = -NLE_DUMP_INTR;
  Everything all;
  for (int attempt = 0; attempt < attempts && r == -NLE_DUMP_INTR; ++attempt) {
    all = {};
    r = read_everything(socket->get(), all);
  }
  if (r < 0) return failed(r, "reading the neighbours of all interfaces");
  table_.replace(all.links, all.neighbours, now);
  behind_ = false;
  ++resyncs_;
  return {};
}

}  // namespace schultor::netfilter::neighbours
