// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/gate_link.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/sealed_memory.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// So that a gate that floods leaves the loop to others.
constexpr int most_messages_a_turn = 64;
/// Tablets of a school that all start at once need a thirtieth of it, and all of it a third of a core. What is beyond waits in the
/// socket for the next second.
constexpr std::size_t most_pins_a_second = 60'000;
constexpr std::chrono::seconds pin_window{1};
/// The rules' memfd, two sockets, the table of lists.
constexpr std::size_t most_descriptors = 4;
/// Who asks for statistics waits no longer; and so many at a time.
constexpr std::chrono::seconds statistics_wait{1};
constexpr std::size_t most_inquirers = 64;

base::Result<void> send_message(int fd, const dns::Message& message, const std::vector<int>& descriptors = {}) {
  auto packet = dns::encode(message);
  iovec part{packet.data(), packet.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
  }
  if (sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return base::fail_errno(errno, "writing to the gate");
  return {};
}

base::Result<base::UniqueFd> bind_listener(const std::string& path, std::optional<gid_t> group) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return base::fail("{}: too long for a socket's path", path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno(errno, path);
  base::UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || chmod(path.c_str(), 0660) != 0 ||
      (group && chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) || ::listen(fd.get(), 4) != 0)
    return base::fail_errno(errno, path);
  return fd;
}

}  // namespace

struct GateLink::Impl {
  base::EventLoop& loop;
  DnsSockets sockets;
  Handlers handlers;
  GateState state{};
  base::UniqueFd listener{};
  base::EventSource listening{};
  base::UniqueFd gate{};
  base::EventSource reading{};
  std::optional<bool> resolver_answers{};
  std::optional<dns::Switches> switches{};
  std::uint64_t well_origins = 0;
  std::size_t pins_in_window = 0;
  base::EventSource window{};
  StatisticsInquiry inquiry{};
  std::vector<std::function<void(const std::optional<ToldStatistics>&)>> inquirers{};
  base::EventSource statistics_deadline{};

  void on_connection();
  void on_messages();
  void drop(std::string_view why);
  void tell_rules(bool with_sockets);
  void tell_well_origins();
  void answer(const std::vector<dns::PinRequest>& requests);
  void count(std::size_t pins);
  void ask_statistics();
  void tell_inquirers();
};

void GateLink::Impl::on_connection() {
  base::UniqueFd fresh(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fresh) return;
  // There is one gate: a second connection is a restarted one whose predecessor's end is not yet read.
  if (gate) drop("another one came");
  gate = std::move(fresh);
  auto source = loop.watch(gate.get(), EPOLLIN, [this](std::uint32_t) { on_messages(); });
  if (!source) return drop(source.error().what());
  reading = std::move(*source);
  log(Priority::info, message_id::gate_connected, "The DNS gate is connected");
  tell_rules(true);
  if (gate && switches)
    if (auto sent = send_message(gate.get(), *switches); !sent) drop(sent.error().what());
  // It takes none for well until it hears otherwise.
  if (well_origins != 0) tell_well_origins();
  handlers.changed();
}

/// Beyond its share of a second the gate is not read from until the next.
void GateLink::Impl::count(std::size_t pins) {
  pins_in_window += pins;
  if (!window) {
    auto timer = loop.after(pin_window, [this] {
      window.reset();
      pins_in_window = 0;
      if (gate) reading.set_events(EPOLLIN);
    });
    if (timer) window = std::move(*timer);
  }
  if (window && pins_in_window >= most_pins_a_second) reading.set_events(0);
}

void GateLink::Impl::drop(std::string_view why) {
  reading.reset();
  gate.reset();
  resolver_answers.reset();
  log(Priority::warning, message_id::gate_lost, fmt::format("The DNS gate is gone: {}", why));
  tell_inquirers();
  handlers.changed();
}

void GateLink::Impl::tell_rules(bool with_sockets) {
  auto rules = base::sealed_copy("schultor-gate-rules", std::as_bytes(std::span(state.rules_json)));
  if (!rules) return drop(rules.error().what());
  std::vector<int> descriptors{rules->get()};
  if (with_sockets) descriptors.insert(descriptors.end(), {sockets.udp.get(), sockets.tcp.get()});
  if (state.table) descriptors.push_back(state.table->get());
  auto announcement = state.announcement;
  announcement.with_table = state.table != nullptr;
  if (auto sent = send_message(gate.get(), announcement, descriptors); !sent) drop(sent.error().what());
}

void GateLink::Impl::on_messages() {
  std::vector<dns::PinRequest> requests;
  std::array<std::byte, dns::longest_message + 1> packet{};
  std::string end;
  for (int i = 0; i < most_messages_a_turn; ++i) {
    const auto size = recv(gate.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (size <= 0) {
      end = size == 0 ? "it closed the connection" : std::generic_category().message(errno);
      break;
    }
    auto message = dns::decode({packet.data(), static_cast<std::size_t>(size)});
    if (!message) {
      end = message.error().what();
      break;
    }
    if (auto* request = std::get_if<dns::PinRequest>(&*message)) {
      count(request->entries.size());
      requests.push_back(std::move(*request));
      if (pins_in_window >= most_pins_a_second && window) break;
    } else if (const auto* health = std::get_if<dns::Health>(&*message)) {
      if (std::exchange(resolver_answers, health->resolver_answers) != health->resolver_answers) handlers.changed();
    } else if (const auto* part = std::get_if<dns::ViewStatistics>(&*message)) {
      inquiry.take(*part);
    } else if (const auto* last = std::get_if<dns::GateStatistics>(&*message)) {
      if (inquiry.take(*last, std::chrono::steady_clock::now())) tell_inquirers();
    } else {
      end = "it sent a message that only schultord sends";
      break;
    }
  }
  if (!requests.empty()) answer(requests);
  if (!end.empty() && gate) drop(end);
}

void GateLink::Impl::answer(const std::vector<dns::PinRequest>& requests) {
  std::vector<dns::PinEntry> entries;
  for (const auto& request : requests)
    if (request.rules_epoch == state.announcement.rules_epoch)
      entries.insert(entries.end(), request.entries.begin(), request.entries.end());
  const bool all_pinned = entries.empty() || handlers.pin(entries);
  for (const auto& request : requests) {
    const bool current = request.rules_epoch == state.announcement.rules_epoch;
    dns::PinReply reply{request.sequence, current ? dns::PinStatus::pinned : dns::PinStatus::stale};
    // One request must not spoil another's: each is tried by itself.
    if (current && !all_pinned && (requests.size() == 1 || !handlers.pin(request.entries))) reply.status = dns::PinStatus::failed;
    if (!gate) return;
    if (auto sent = send_message(gate.get(), reply); !sent) return drop(sent.error().what());
  }
}

GateLink::GateLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GateLink::~GateLink() = default;

base::Result<std::unique_ptr<GateLink>> GateLink::listen(base::EventLoop& loop, const std::string& path, std::optional<gid_t> group,
                                                         DnsSockets sockets, Handlers handlers) {
  auto impl = std::make_unique<Impl>(Impl{loop, std::move(sockets), std::move(handlers)});
  auto listener = bind_listener(path, group);
  if (!listener) return base::pass(std::move(listener));
  impl->listener = std::move(*listener);
  auto source = loop.watch(impl->listener.get(), EPOLLIN, [link = impl.get()](std::uint32_t) { link->on_connection(); });
  if (!source) return base::pass(std::move(source));
  impl->listening = std::move(*source);
  return std::unique_ptr<GateLink>(new GateLink(std::move(impl)));
}

void GateLink::announce(GateState state) {
  // Whatever was well was so by its place in other rules.
  if (state.announcement.rules_epoch != impl_->state.announcement.rules_epoch) impl_->well_origins = 0;
  impl_->state = std::move(state);
  if (impl_->gate) impl_->tell_rules(false);
}

void GateLink::tell_switches(dns::Switches switches) {
  impl_->switches = std::move(switches);
  if (!impl_->gate) return;
  if (auto sent = send_message(impl_->gate.get(), *impl_->switches); !sent) impl_->drop(sent.error().what());
}

void GateLink::Impl::tell_well_origins() {
  if (!gate) return;
  if (auto sent = send_message(gate.get(), dns::WellOrigins{state.announcement.rules_epoch, well_origins}); !sent)
    drop(sent.error().what());
}

void GateLink::tell_well_origins(std::uint64_t mask) {
  if (std::exchange(impl_->well_origins, mask) != mask) impl_->tell_well_origins();
}

void GateLink::Impl::ask_statistics() {
  if (auto sent = send_message(gate.get(), inquiry.ask()); !sent) return drop(sent.error().what());
  if (auto timer = loop.after(statistics_wait, [this] { tell_inquirers(); })) statistics_deadline = std::move(*timer);
  else tell_inquirers();
}

void GateLink::Impl::tell_inquirers() {
  statistics_deadline.reset();
  for (const auto& done : std::exchange(inquirers, {})) done(inquiry.told());
}

void GateLink::log_questions(const dns::QuestionLogging& wanted) {
  if (!impl_->gate) return;
  if (auto sent = send_message(impl_->gate.get(), wanted); !sent) impl_->drop(sent.error().what());
}

void GateLink::ask_statistics(std::function<void(const std::optional<ToldStatistics>&)> done) {
  if (!impl_->gate || impl_->inquirers.size() >= most_inquirers) return done(impl_->inquiry.told());
  impl_->inquirers.push_back(std::move(done));
  // Whoever comes while an answer is on the way has the same.
  if (impl_->inquirers.size() == 1) impl_->ask_statistics();
}

bool GateLink::connected() const { return static_cast<bool>(impl_->gate); }
std::optional<bool> GateLink::resolver_answers() const { return impl_->resolver_answers; }

}  // namespace schultor::enforce
