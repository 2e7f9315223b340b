// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/schultord_link.hpp"

#include "daemon/base/sealed_memory.hpp"
#include "daemon/dns/limits.hpp"
#include "daemon/lists/table_file.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace schultor::dns {
namespace {

constexpr std::size_t most_descriptors = 4;
/// Messages read before others have their turn.
constexpr int most_messages_a_turn = 64;

/// The descriptors that came along; each is owned from here on.
std::vector<base::UniqueFd> descriptors_of(msghdr& header) {
  std::vector<base::UniqueFd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

base::Result<void> expect_socket(int fd, int type, std::string_view what) {
  int actual = 0;
  socklen_t size = sizeof actual;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &actual, &size) != 0) return base::fail_errno(errno, what);
  if (actual != type) return base::fail("{}: a socket of another type", what);
  return {};
}

base::Result<policy::GateRules> read_json(int fd) {
  if (auto sealed = base::expect_sealed(fd); !sealed) return base::pass(std::move(sealed), "the rules");
  struct stat status {};
  if (fstat(fd, &status) != 0) return base::fail_errno(errno, "the rules' memfd");
  if (status.st_size <= 0 || static_cast<std::size_t>(status.st_size) > limits::rules_json)
    return base::fail("the rules take {} octets, expected 1 to {}", status.st_size, limits::rules_json);
  std::string json(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < json.size()) {
    const auto size = pread(fd, json.data() + done, json.size() - done, static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return base::fail_errno(size < 0 ? errno : EIO, "reading the rules");
    done += static_cast<std::size_t>(size);
  }
  return policy::gate_rules_from_json(json);
}

/// The rules and their table live and go together.
base::Result<Rulebook> read_book(const RuleFiles& files) {
  auto rules = read_json(files.rules.get());
  if (!rules) return base::pass(std::move(rules));
  if (!rules->table && !files.table) return Rulebook(std::move(*rules));
  if (!rules->table) return base::fail("a table of lists came with rules that have none");
  if (!files.table) return base::fail("the rules' table of lists did not come");
  if (auto sealed = base::expect_sealed(files.table.get()); !sealed) return base::pass(std::move(sealed), "the table of lists");
  auto mapped = lists::MappedTable::map(files.table.get());
  if (!mapped) return base::pass(std::move(mapped), "the table of lists");
  const auto kept = std::make_shared<const lists::MappedTable>(std::move(*mapped));
  return Rulebook::with_table(std::move(*rules), {kept, &kept->table()});
}

}  // namespace

base::Result<std::shared_ptr<const Rulebook>> read_rules(const RuleFiles& files) {
  auto book = read_book(files);
  if (!book) return base::pass(std::move(book));
  return std::make_shared<const Rulebook>(std::move(*book));
}

SchultordLink::SchultordLink(base::EventLoop& loop, std::string path, Handlers handlers)
    : loop_(loop), path_(std::move(path)), handlers_(std::move(handlers)), delay_(limits::reconnect_first) {}

void SchultordLink::start() { attempt(); }

base::Result<void> SchultordLink::connect_now() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return base::fail("{}: too long for a socket's path", path_);
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  base::UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return base::fail_errno(errno, path_);
  auto source = loop_.watch(fd.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  if (!source) return base::pass(std::move(source));
  fd_ = std::move(fd);
  source_ = std::move(*source);
  return {};
}

void SchultordLink::attempt() {
  if (auto connected = connect_now(); !connected) drop(connected.error());
}

void SchultordLink::drop(const base::Error& why) {
  source_.reset();
  fd_.reset();
  ready_ = false;
  auto retry = loop_.after(delay_, [this] { attempt(); });
  if (retry) retry_ = std::move(*retry);
  delay_ = std::min(delay_ * 2, limits::reconnect_last);
  if (!std::exchange(told_, true)) handlers_.lost(why);
}

void SchultordLink::receive() {
  for (int i = 0; i < most_messages_a_turn && fd_; ++i) {
    auto more = receive_one();
    if (!more) return drop(more.error());
    if (!*more) return;
  }
}

/// False when nothing is there to be read.
base::Result<bool> SchultordLink::receive_one() {
  std::array<std::byte, longest_message + 1> packet{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  iovec part{packet.data(), packet.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto size = recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size < 0) return base::fail_errno(errno, path_);
  auto descriptors = descriptors_of(header);
  if (size == 0) return base::fail("{}: schultord closed the connection", path_);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return base::fail("{}: a message of schultord's is too long", path_);
  auto message = decode({packet.data(), static_cast<std::size_t>(size)});
  if (!message) return base::pass(std::move(message), path_);
  if (const auto* announcement = std::get_if<Announcement>(&*message)) {
    if (auto taken = take(*announcement, std::move(descriptors)); !taken) return base::pass(std::move(taken), path_);
  } else if (const auto* reply = std::get_if<PinReply>(&*message)) {
    handlers_.replied(*reply);
  } else if (const auto* switches = std::get_if<Switches>(&*message)) {
    handlers_.switches(*switches);
  } else if (const auto* wanted = std::get_if<StatisticsRequest>(&*message)) {
    handlers_.statistics_wanted(*wanted);
  } else if (const auto* logging = std::get_if<QuestionLogging>(&*message)) {
    handlers_.question_logging(*logging);
  } else if (const auto* well = std::get_if<WellOrigins>(&*message)) {
    handlers_.well_origins(*well);
  } else {
    return base::fail("{}: schultord sent a message that only the gate sends", path_);
  }
  return true;
}

base::Result<void> SchultordLink::take(const Announcement& announcement, std::vector<base::UniqueFd> descriptors) {
  const std::size_t without_table = ready_ ? 1 : 3;
  const std::size_t expected = without_table + (announcement.with_table ? 1 : 0);
  if (descriptors.size() != expected)
    return base::fail("an announcement with {} descriptors, expected {}", descriptors.size(), expected);
  RuleFiles files{std::move(descriptors.front()), {}};
  if (announcement.with_table) files.table = std::move(descriptors.back());
  auto rules = read_rules(files);
  if (!rules) return base::pass(std::move(rules));
  std::optional<GateSockets> sockets;
  if (!ready_) {
    if (auto fits = expect_socket(descriptors[1].get(), SOCK_DGRAM, "the gate's UDP socket"); !fits) return fits;
    if (auto fits = expect_socket(descriptors[2].get(), SOCK_STREAM, "the gate's TCP listener"); !fits) return fits;
    sockets = GateSockets{std::move(descriptors[1]), std::move(descriptors[2])};
  }
  const bool first = !std::exchange(ready_, true);
  told_ = false;
  delay_ = limits::reconnect_first;
  handlers_.announced(std::move(*rules), announcement, std::move(files), std::move(sockets));
  if (first && health_) send(Message{Health{*health_}});
  return {};
}

PinSent SchultordLink::send(const Message& message) {
  if (!ready_) return PinSent::away;
  const auto packet = encode(message);
  if (::send(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return PinSent::sent;
  // A broken connection is also readable: receive() ends it.
  return errno == EAGAIN || errno == EINTR ? PinSent::busy : PinSent::away;
}

PinSent SchultordLink::send(const PinRequest& request) { return send(Message{request}); }

void SchultordLink::tell_health(bool resolver_answers) {
  health_ = resolver_answers;
  send(Message{Health{resolver_answers}});
}

void SchultordLink::tell_statistics(const StatisticsRequest& request, const std::vector<ViewCounts>& views,
                                    const Statistics& whole) {
  ViewStatistics part{request.sequence, {}};
  const auto tell_part = [&] {
    const bool told = part.views.empty() || send(Message{part}) == PinSent::sent;
    part.views.clear();
    return told;
  };
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].questions() > 0) part.views.push_back({static_cast<std::uint32_t>(i), views[i]});
    if (part.views.size() == most_views_told && !tell_part()) return;
  }
  if (tell_part()) send(Message{GateStatistics{request.sequence, whole}});
}

}  // namespace schultor::dns
