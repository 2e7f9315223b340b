// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/connection.hpp"

#include "netfilter/kernel/acknowledgement.hpp"
#include "netfilter/kernel/attribute.hpp"
#include "netfilter/kernel/batch.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <sys/socket.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>

namespace schultor::netfilter::kernel {
namespace {

using base::fail;
using base::fail_errno;
using base::pass;

/// Room for the acknowledgements of some thousand messages.
constexpr int receive_buffer = 8 * 1024 * 1024;
/// The kernel answers before sending returns; so long an absence is no load but a fault.
constexpr int answer_deadline_ms = 10'000;
/// What most transactions fit.
constexpr int least_send_buffer = 256 * 1024;
/// The table that probes make and remove.
constexpr std::string_view scratch = "schultor_probe";

int descriptor(const mnl_socket& socket) { return mnl_socket_get_fd(&socket); }

/// The privileged way first, since the other stops at net.core.{r,w}mem_max.
void raise_buffer(const mnl_socket& socket, int forced, int bounded, int size) {
  if (setsockopt(descriptor(socket), SOL_SOCKET, forced, &size, sizeof size) != 0)
    setsockopt(descriptor(socket), SOL_SOCKET, bounded, &size, sizeof size);
}

}  // namespace

void Connection::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Connection::Connection(std::unique_ptr<mnl_socket, Close> socket) : socket_(std::move(socket)), answers_(64 * std::size_t{1024}) {}

std::uint32_t Connection::port() const { return mnl_socket_get_portid(socket_.get()); }

/// The whole transaction is one datagram, and has to fit the send buffer.
Result<void> Connection::send(std::span<const std::uint8_t> octets) {
  if (send_buffer_ < octets.size() + 4096) {
    if (octets.size() > std::numeric_limits<int>::max() / 2) return fail("the transaction is too large: {} octets", octets.size());
    raise_buffer(*socket_, SO_SNDBUFFORCE, SO_SNDBUF, std::max(least_send_buffer, static_cast<int>(octets.size()) + 4096));
    int size = 0;
    socklen_t length = sizeof size;
    if (getsockopt(descriptor(*socket_), SOL_SOCKET, SO_SNDBUF, &size, &length) == 0) send_buffer_ = static_cast<std::size_t>(size);
  }
  while (mnl_socket_sendto(socket_.get(), octets.data(), octets.size()) < 0) {
    if (errno == EINTR) continue;
    if (errno == EMSGSIZE || errno == ENOBUFS)
      return fail(
          "sending {} octets to nf_tables: {}: the transaction does not fit the send buffer, raise net.core.wmem_max; "
          "nothing was changed",
          octets.size(), std::generic_category().message(errno));
    return fail_errno(errno, "sending to nf_tables");
  }
  return {};
}

/// One datagram of answers; empty when none came within `wait_ms`.
Result<std::vector<Acknowledgement>> Connection::receive(int wait_ms) {
  while (true) {
    // The kernel has answered already, as a rule.
    const ssize_t size = recv(descriptor(*socket_), answers_.data(), answers_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size > static_cast<ssize_t>(answers_.size()))
      return fail("an answer of nf_tables has {} octets: {}", size, remedy(ENOBUFS));
    if (size >= 0) return read_acknowledgements({answers_.data(), static_cast<std::size_t>(size)});
    if (errno == EINTR) continue;
    if (errno != EAGAIN)
      return fail("reading the answers of nf_tables: {}: {}", std::generic_category().message(errno), remedy(errno));
    pollfd ready{descriptor(*socket_), POLLIN, 0};
    const int count = wait_ms == 0 ? 0 : poll(&ready, 1, wait_ms);
    if (count < 0 && errno != EINTR) return fail_errno(errno, "waiting for nf_tables");
    if (count == 0) return std::vector<Acknowledgement>{};
  }
}

Result<Connection> Connection::open() {
  std::unique_ptr<mnl_socket, Close> socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (!socket) return fail_errno(errno, "opening a netlink socket to netfilter");
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return fail_errno(errno, "binding the netlink socket");
  int on = 1;
  // Acknowledgements carry the place of a fault, and not the whole message again.
  mnl_socket_setsockopt(socket.get(), NETLINK_EXT_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket.get(), NETLINK_CAP_ACK, &on, sizeof on);
  raise_buffer(*socket, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
  return Connection(std::move(socket));
}

Result<model::Found> Connection::read(std::string_view table) {
  return read_table(*socket_, sequence_, std::string(table), has_flowtables_);
}

Result<std::vector<CounterValue>> Connection::read_counters(std::string_view table) {
  return kernel::read_counters(*socket_, sequence_, std::string(table));
}

Result<Listing> Connection::read_elements(std::string_view table, const model::SetDeclaration& set,
                                          const std::function<void(const model::Element&)>& visit) {
  return kernel::read_elements(*socket_, sequence_, std::string(table), set, visit);
}

Result<Committed> Connection::commit(const planner::Plan& plan) { return commit(plan, refresh_); }

Result<Committed> Connection::commit(const planner::Plan& plan, RefreshMode refresh) {
  refusal_ = 0;
  if (plan.empty()) return Committed{};
  auto batch = Batch::encode(plan, refresh, sequence_);
  if (!batch) return pass(std::move(batch));
  sequence_ += static_cast<std::uint32_t>(batch->notes().size() + 2);
  if (auto sent = send(batch->octets()); !sent) return pass(std::move(sent));

  Ledger ledger(plan, *batch);
  // After a refusal of the whole, answers to single messages may still stand in the queue: they are taken out as well.
  while (!ledger.has_succeeded()) {
    auto answers = receive(ledger.is_complete() ? 0 : answer_deadline_ms);
    if (!answers) return pass(std::move(answers));
    if (answers->empty()) break;
    for (const Acknowledgement& answer : *answers) ledger.note(answer);
  }
  refusal_ = ledger.error();
  if (auto outcome = ledger.outcome(); !outcome) return pass(std::move(outcome));
  return Committed{batch->notes().size(), batch->elements()};
}

Result<std::uint32_t> Connection::generation() {
  alignas(nlmsghdr) std::array<char, MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg))> room{};
  nlmsghdr* request = mnl_nlmsg_put_header(room.data());
  request->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8U | NFT_MSG_GETGEN;
  request->nlmsg_flags = NLM_F_REQUEST;
  request->nlmsg_seq = sequence_++;
  mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg));
  if (auto sent = send({reinterpret_cast<const std::uint8_t*>(room.data()), request->nlmsg_len}); !sent)
    return pass(std::move(sent));
  const auto size = mnl_socket_recvfrom(socket_.get(), answers_.data(), answers_.size());
  std::optional<std::uint32_t> generation;
  if (size > 0)
    for_each_message(answers_.data(), static_cast<std::size_t>(size), [&](const nlmsghdr& answer) {
      constexpr std::size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg));
      if (answer.nlmsg_seq != request->nlmsg_seq || answer.nlmsg_len < head) return true;
      for_each_attribute(reinterpret_cast<const char*>(&answer) + head, answer.nlmsg_len - head, [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == NFTA_GEN_ID && mnl_attr_get_payload_len(&attribute) >= sizeof(std::uint32_t))
          generation = ntohl(mnl_attr_get_u32(&attribute));
      });
      return true;
    });
  if (!generation) return fail("asking nf_tables for its generation: it gave no answer that can be read");
  return *generation;
}

Result<bool> Connection::probe_flowtables() {
  using namespace planner::operation;
  // The table is gone again before anybody sees it. A module that is missing is loaded by the kernel itself, which then begins
  // anew.
  const model::Flowtable flowtable{"probe"};
  const planner::Plan probe{std::string(scratch),
                            {AddTable{}, DeleteTable{}, AddTable{}, AddFlowtable{flowtable}, AddChain{"probe"},
                             AddRule{"probe", {model::AddFlow{flowtable.name}}}, DeleteTable{}}};
  auto done = commit(probe);
  // Either is no fault of what was asked for: there is no module for it.
  const bool is_absent = !done && (refusal_ == ENOENT || refusal_ == EOPNOTSUPP);
  if (!done && !is_absent) return pass(std::move(done), "probing the kernel for flowtables");
  has_flowtables_ = done.has_value();
  return has_flowtables_;
}

Result<RefreshMode> Connection::probe_refresh() {
  using namespace planner::operation;
  constexpr std::chrono::milliseconds before = std::chrono::minutes(1);
  constexpr std::chrono::milliseconds after = std::chrono::hours(1);
  model::SetDeclaration set{"probe", {model::Type::mark}};
  set.timeout = true;
  const auto element = [](std::chrono::milliseconds life) { return model::Element{{model::Mark{1}}, {}, {}, life}; };

  // Deleting first: a probe that was killed may have left its table.
  planner::Plan prepare{std::string(scratch),
                        {AddTable{}, DeleteTable{}, AddTable{}, AddSet{set}, AddElements{set, {element(before)}}}};
  if (auto prepared = commit(prepare); !prepared) return pass(std::move(prepared), "probing the kernel");
  const planner::Plan update{std::string(scratch), {PinElements{set, {element(after)}}}};
  auto updated = commit(update, RefreshMode::update);
  auto found = read(scratch);
  const planner::Plan remove{std::string(scratch), {DeleteTable{}}};
  if (auto removed = commit(remove); !removed) return pass(std::move(removed), "probing the kernel");
  if (!found) return pass(std::move(found), "probing the kernel");

  const bool is_longer = updated && found->sets.size() == 1 && found->sets.front().elements.size() == 1 &&
                         found->sets.front().elements.front().timeout.value_or(before) > before;
  refresh_ = is_longer ? RefreshMode::update : RefreshMode::replace;
  return refresh_;
}

}  // namespace schultor::netfilter::kernel
