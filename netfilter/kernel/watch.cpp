// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/watch.hpp"

#include "netfilter/kernel/attribute.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace schultor::netfilter::kernel {
namespace {

using base::fail_errno;

constexpr int group = NFNLGRP_NFTABLES;
constexpr const char* failed = "watching the ruleset for changes of others";
/// What a flush of a large table brings, and more.
constexpr int receive_buffer = 4 * 1024 * 1024;
/// Of one read(): whoever never ceases holds up nobody.
constexpr std::size_t most_datagrams = 256;
/// The first attribute of all that nf_tables tells is its table (NFTA_RULE_TABLE and its likes), but for the end of a transaction.
constexpr std::uint16_t table_attribute = 1;
/// NFTA_SET_NAME, and NFTA_SET_ELEM_LIST_SET.
constexpr std::uint16_t set_attribute = 2;

/// Messages that answer to the port `own` are dropped in the kernel: a school's first lesson pins thousands of addresses.
bool leave_out(int socket, std::uint32_t own) {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)),
      // The machine loads in network order.
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  }};
  const sock_fprog filter{program.size(), program.data()};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

std::string_view text_of(const nlattr& attribute) {
  const std::string_view octets(static_cast<const char*>(mnl_attr_get_payload(&attribute)), mnl_attr_get_payload_len(&attribute));
  return octets.substr(0, octets.find('\0'));
}

/// Calls `visit(const nlattr&)` for each attribute of a message of nfnetlink's.
template <typename Visit>
void for_each_attribute_of(const nlmsghdr& message, Visit visit) {
  const std::size_t size = message.nlmsg_len - sizeof(nlmsghdr);
  const std::size_t head = MNL_ALIGN(sizeof(nfgenmsg));
  if (size > head) for_each_attribute(static_cast<const char*>(mnl_nlmsg_get_payload(&message)) + head, size - head, visit);
}

bool is_of_table(const nlmsghdr& message, const std::string& table) {
  if (message.nlmsg_len < sizeof(nlmsghdr) + sizeof(nfgenmsg)) return false;
  if (static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(&message))->nfgen_family != NFPROTO_INET) return false;
  bool found = false;
  for_each_attribute_of(message, [&](const nlattr& attribute) {
    found = found || (mnl_attr_get_type(&attribute) == table_attribute && text_of(attribute) == table);
  });
  return found;
}

ForeignChange author_of(const nlmsghdr& end) {
  ForeignChange change;
  for_each_attribute_of(end, [&](const nlattr& attribute) {
    const auto type = mnl_attr_get_type(&attribute);
    if (type == NFTA_GEN_PROC_PID && mnl_attr_get_payload_len(&attribute) >= sizeof(std::uint32_t))
      change.pid = ntohl(mnl_attr_get_u32(&attribute));
    if (type == NFTA_GEN_PROC_NAME) change.process = text_of(attribute);
  });
  return change;
}

}  // namespace

Result<Watch> Watch::open(std::string table, std::uint32_t own) {
  base::UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  // Without the filter it would be no less right.
  if (socket) static_cast<void>(leave_out(socket.get(), own));
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno(errno, failed);
  Watch watch(std::move(socket), std::move(table));
  if (auto listening = watch.unmute(); !listening) return tl::unexpected<base::Error>(listening.error());
  return watch;
}

Result<Committed> Watch::commit(Connection& kernel, const planner::Plan& plan, std::size_t elements) {
  if (elements < least_quiet) return kernel.commit(plan);
  // What others do between the two generations is heard, or counted, or both.
  const auto before = kernel.generation();
  const bool quiet = before && mute();
  auto done = kernel.commit(plan);
  if (!quiet) return done;
  if (auto listening = unmute(); !listening) return tl::unexpected<base::Error>(listening.error());
  const auto after = kernel.generation();
  const auto own = *before + (done ? 1 : 0);
  missed_ = missed_ || !after || *after != (own == 0 ? 1 : own);
  return done;
}

Result<void> Watch::mute() {
  cut_ = true;
  if (setsockopt(socket_.get(), SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group) != 0) return fail_errno(errno, failed);
  return {};
}

Result<void> Watch::unmute() {
  if (setsockopt(socket_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) return fail_errno(errno, failed);
  return {};
}

/// One of a transaction's messages.
void Watch::note(const nlmsghdr& message) {
  if (!is_of_table(message, table_)) return;
  touched_ = true;
  const auto type = message.nlmsg_type & 0xffU;
  if (type == NFT_MSG_DELTABLE) taken_from_.reset();
  if ((type != NFT_MSG_DELSETELEM && type != NFT_MSG_DELSET) || !taken_from_) return;
  for_each_attribute_of(message, [&](const nlattr& attribute) {
    if (taken_from_ && mnl_attr_get_type(&attribute) == set_attribute) taken_from_->emplace(text_of(attribute));
    if (taken_from_ && taken_from_->size() > ForeignChange::most_sets) taken_from_.reset();
  });
}

Result<std::vector<ForeignChange>> Watch::read() {
  std::vector<ForeignChange> changes;
  if (std::exchange(missed_, false)) changes.emplace_back();
  std::array<std::uint8_t, 64 * 1024> octets;
  for (std::size_t datagrams = 0; datagrams < most_datagrams;) {
    const auto size = recv(socket_.get(), octets.data(), octets.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      if (std::exchange(cut_, false) && std::exchange(touched_, false)) changes.emplace_back();
      return changes;
    }
    ++datagrams;
    if (size < 0 && errno == ENOBUFS) {
      changes.emplace_back();
      continue;
    }
    if (size < 0) return fail_errno(errno, "reading what others changed in the ruleset");
    for_each_message(octets.data(), static_cast<std::size_t>(size), [&](const nlmsghdr& message) {
      if (message.nlmsg_type >> 8U != NFNL_SUBSYS_NFTABLES) return true;
      if ((message.nlmsg_type & 0xffU) != NFT_MSG_NEWGEN) {
        note(message);
        return true;
      }
      if (std::exchange(touched_, false)) {
        changes.push_back(author_of(message));
        changes.back().taken_from = std::move(taken_from_);
      }
      taken_from_.emplace();
      return true;
    });
  }
  return changes;
}

}  // namespace schultor::netfilter::kernel
