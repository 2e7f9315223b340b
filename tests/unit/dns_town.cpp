// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/unit/dns_town.hpp"

#include "tests/catch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

namespace schultor::dns::test {
namespace {

constexpr auto patience = std::chrono::seconds(30);

/// Of a string such as "127.0.0.1" or "::1", IPv4 mapped.
sockaddr_in6 endpoint(const std::string& text, std::uint16_t port) {
  sockaddr_in6 made{};
  made.sin6_family = AF_INET6;
  made.sin6_port = htons(port);
  const auto mapped = text.find(':') == std::string::npos ? "::ffff:" + text : text;
  REQUIRE(inet_pton(AF_INET6, mapped.c_str(), &made.sin6_addr) == 1);
  return made;
}

const sockaddr* as_address(const sockaddr_in6& address) { return reinterpret_cast<const sockaddr*>(&address); }

void set(int fd, int level, int option, int value) { REQUIRE(setsockopt(fd, level, option, &value, sizeof value) == 0); }

}  // namespace

base::UniqueFd bound(int type, const std::string& address, std::uint16_t port) {
  base::UniqueFd fd(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  const auto local = endpoint(address, port);
  REQUIRE(bind(fd.get(), as_address(local), sizeof local) == 0);
  return fd;
}

void skip(const char* why) {
  std::fprintf(stderr, "skipped: %s\n", why);
  std::fflush(stderr);
  std::_Exit(77);
}

void enter_own_network() {
  static const bool entered = [] {
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) skip("no network namespace may be made here");
    base::UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_UP;
    if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) skip("the loopback interface cannot be brought up");
    base::UniqueFd knob(open("/proc/sys/net/ipv4/tcp_fwmark_accept", O_WRONLY | O_CLOEXEC));
    if (!knob || write(knob.get(), "1", 1) != 1) skip("net.ipv4.tcp_fwmark_accept cannot be set");
    return true;
  }();
  REQUIRE(entered);
}

base::UniqueFd sealed_rules(const policy::GateRules& rules, bool sealed) {
  const auto json = policy::to_json(rules);
  base::UniqueFd fd(memfd_create("rules", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(write(fd.get(), json.data(), json.size()) == static_cast<ssize_t>(json.size()));
  if (sealed) REQUIRE(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
  return fd;
}

Tablet::Tablet(const std::string& gate, std::uint32_t mark, const std::string& from)
    : fd_(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  set_mark(mark);
  if (!from.empty()) {
    const auto own = endpoint(from, 0);
    REQUIRE(bind(fd_.get(), as_address(own), sizeof own) == 0);
  }
  const auto to = endpoint(gate, 5300);
  // Connected: an answer from any other address does not come in.
  REQUIRE(connect(fd_.get(), as_address(to), sizeof to) == 0);
}

void Tablet::set_mark(std::uint32_t mark) { set(fd_.get(), SOL_SOCKET, SO_MARK, static_cast<int>(mark)); }

void Tablet::send(const Bytes& packet) {
  REQUIRE(::send(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT) == static_cast<ssize_t>(packet.size()));
}

std::optional<Told> Tablet::answer() {
  std::array<std::uint8_t, 65535> buffer;
  const auto size = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  return told(ByteView(buffer.data(), static_cast<std::size_t>(size)));
}

Bytes framed(const Bytes& packet) {
  Bytes octets{static_cast<std::uint8_t>(packet.size() >> 8U), static_cast<std::uint8_t>(packet.size() & 0xffU)};
  octets.insert(octets.end(), packet.begin(), packet.end());
  return octets;
}

Session::Session(std::uint32_t mark, const std::string& from, int room) : fd_(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (room > 0) set(fd_.get(), SOL_SOCKET, SO_RCVBUF, room);
  set(fd_.get(), SOL_SOCKET, SO_MARK, static_cast<int>(mark));
  const auto own = endpoint(from, 0);
  const auto gate = endpoint(from.find(':') == std::string::npos ? "127.0.0.1" : "::1", 5300);
  REQUIRE(bind(fd_.get(), as_address(own), sizeof own) == 0);
  REQUIRE(connect(fd_.get(), as_address(gate), sizeof gate) == 0);
}

void Session::send(const Bytes& octets) {
  REQUIRE(::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
}

void Session::shut() { REQUIRE(shutdown(fd_.get(), SHUT_WR) == 0); }

std::optional<Told> Session::answer() {
  const auto wanted = [&] { return 2 + (received_.size() < 2 ? 0 : static_cast<std::size_t>(received_[0]) << 8U | received_[1]); };
  std::array<std::uint8_t, 65535> buffer;
  while (received_.size() < 2 || received_.size() < wanted()) {
    const auto size = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    closed_ = size == 0 || (size < 0 && errno == ECONNRESET);
    if (size <= 0) return std::nullopt;
    received_.insert(received_.end(), buffer.data(), buffer.data() + size);
  }
  const auto length = wanted() - 2;
  const auto one = told(ByteView(received_).subspan(2, length));
  received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(2 + length));
  return one;
}

Town::Town(bool connect) : loop_(std::move(*base::EventLoop::create())) {
  std::string pattern = std::filesystem::temp_directory_path() / "schultor-dns-XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  resolver_ = bound(SOCK_DGRAM, "127.0.0.1", 0);
  sockaddr_in6 local{};
  socklen_t size = sizeof local;
  REQUIRE(getsockname(resolver_.get(), reinterpret_cast<sockaddr*>(&local), &size) == 0);
  resolver_port_ = ntohs(local.sin6_port);
  open_sockets();
  if (!connect) return;
  listen();
  start_gate();
  accept_gate();
  announce(rules(), {1, 1}, true);
  until_idle();
}

Town::~Town() {
  service_.reset();
  std::filesystem::remove_all(directory_);
}

void Town::open_sockets() {
  udp = bound(SOCK_DGRAM, "::", 5300);
  set(udp.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  set(udp.get(), SOL_SOCKET, SO_RCVMARK, 1);
  tcp = bound(SOCK_STREAM, "::", 5300);
  REQUIRE(::listen(tcp.get(), 64) == 0);
}

void Town::listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = directory_ + "/gate.sock";
  std::memcpy(address.sun_path, path.c_str(), path.size());
  listener_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  REQUIRE(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener_.get(), 4) == 0);
}

void Town::stop_listening() {
  listener_.reset();
  std::filesystem::remove(directory_ + "/gate.sock");
}

void Town::start_gate(std::map<std::string, base::UniqueFd> stored) {
  auto created = Service::create(loop_, {directory_ + "/gate.sock", {address("127.0.0.1"), resolver_port_}}, std::move(stored));
  REQUIRE(created);
  service_ = std::move(*created);
}

void Town::until(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    REQUIRE(sd_event_run(loop_.native(), 10'000) >= 0);
  }
}

void Town::until_idle() {
  while (sd_event_run(loop_.native(), 0) > 0) questions();
}

void Town::accept_gate() {
  until([&] {
    gate_.reset(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return static_cast<bool>(gate_);
  });
  hung_up_ = false;
}

void Town::announce(const policy::GateRules& held, const Announcement& epochs, bool with_sockets, bool sealed, int table) {
  const auto memfd = sealed_rules(held, sealed);
  std::vector<int> descriptors{memfd.get()};
  if (with_sockets) descriptors.insert(descriptors.end(), {udp.get(), tcp.get()});
  if (table >= 0) descriptors.push_back(table);
  const std::size_t bytes = descriptors.size() * sizeof(int);
  auto packet = encode(epochs);
  iovec part{packet.data(), packet.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = CMSG_SPACE(bytes);
  auto* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
  REQUIRE(sendmsg(gate_.get(), &header, MSG_NOSIGNAL) > 0);
}

std::optional<Message> Town::next_message() {
  std::array<std::byte, longest_message + 1> packet{};
  while (gate_) {
    const auto size = recv(gate_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size == 0) hung_up_ = true;
    if (size <= 0) return std::nullopt;
    auto message = decode({packet.data(), static_cast<std::size_t>(size)});
    REQUIRE(message);
    if (const auto* said = std::get_if<Health>(&*message)) health.push_back(said->resolver_answers);
    else return std::move(*message);
  }
  return std::nullopt;
}

PinRequest Town::next_request() {
  std::optional<Message> message;
  until([&] { return (message = next_message()).has_value(); });
  REQUIRE(std::holds_alternative<PinRequest>(*message));
  return std::get<PinRequest>(*message);
}

void Town::tell(const Message& message) {
  const auto packet = encode(message);
  REQUIRE(::send(gate_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) > 0);
}

void Town::reply(const PinRequest& request, PinStatus status) {
  const auto packet = encode(PinReply{request.sequence, status});
  REQUIRE(::send(gate_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) > 0);
}

std::vector<UpstreamQuestion> Town::questions() {
  std::array<std::uint8_t, 65535> buffer;
  for (;;) {
    UpstreamQuestion question;
    socklen_t size = sizeof question.from;
    const auto length =
        recvfrom(resolver_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&question.from), &size);
    if (length < 0) break;
    question.packet.assign(buffer.begin(), buffer.begin() + length);
    question.query = read_query(question.packet).value();
    if (question.query.name == name("localhost")) {
      if (!mute) resolve(question, {address_record("localhost", "127.0.0.1")});
    } else {
      waiting_.push_back(std::move(question));
    }
  }
  return std::exchange(waiting_, {});
}

UpstreamQuestion Town::next_question() {
  std::vector<UpstreamQuestion> found;
  until([&] {
    found = questions();
    return !found.empty();
  });
  waiting_.assign(found.begin() + 1, found.end());
  return found.front();
}

UpstreamQuestion Town::next_question(std::string_view asked) {
  for (;;)
    if (auto question = next_question(); question.query.name == name(asked)) return question;
}

void Town::resolve(const UpstreamQuestion& question, std::vector<Record> answers) {
  send_upstream(question, response(question.packet, {std::move(answers), {}, {}}));
}

void Town::send_upstream(const UpstreamQuestion& question, const Bytes& packet) {
  REQUIRE(sendto(resolver_.get(), packet.data(), packet.size(), 0, as_address(question.from), sizeof question.from) >= 0);
}

void Town::take_streams() {
  streams_ = bound(SOCK_STREAM, "127.0.0.1", resolver_port_);
  REQUIRE(::listen(streams_.get(), 64) == 0);
}

Town::Stream Town::next_stream() {
  Stream stream;
  until([&] {
    stream.fd.reset(accept4(streams_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return static_cast<bool>(stream.fd);
  });
  Bytes octets(4096);
  ssize_t size = 0;
  until([&] {
    size = recv(stream.fd.get(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_PEEK);
    return size > 2 && static_cast<std::size_t>(size) == 2U + (static_cast<std::size_t>(octets[0]) << 8U | octets[1]);
  });
  REQUIRE(recv(stream.fd.get(), octets.data(), octets.size(), MSG_DONTWAIT) == size);
  stream.packet.assign(octets.begin() + 2, octets.begin() + size);
  return stream;
}

void Town::Stream::send(ByteView octets) const {
  REQUIRE(::send(fd.get(), octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
}

Town::Stream Town::cut_short(const UpstreamQuestion& question) {
  auto cut = response(question.packet, {});
  cut[2] |= 0x02;
  send_upstream(question, cut);
  return next_stream();
}

Told Town::wait_for(Tablet& tablet) {
  std::optional<Told> answer;
  until([&] { return (answer = tablet.answer()).has_value(); });
  return *answer;
}

Told Town::wait_for(Session& session) {
  std::optional<Told> answer;
  until([&] { return (answer = session.answer()).has_value(); });
  return *answer;
}

}  // namespace schultor::dns::test
