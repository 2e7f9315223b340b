// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// schultord's end of the gate's socket, with a real socket and a gate played by the test.
#include "daemon/enforce/gate_link.hpp"
#include "tests/catch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <filesystem>

namespace {

using namespace schultor;
using enforce::GateLink;

constexpr auto patience = std::chrono::seconds(20);

base::UniqueFd some_descriptor() { return base::UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

struct School {
  base::EventLoop loop = std::move(*base::EventLoop::create());
  std::filesystem::path directory;
  std::unique_ptr<GateLink> link;
  std::vector<std::vector<dns::PinEntry>> pinned;
  bool kernel_refuses = false;
  base::Address refused{};

  School() {
    std::string pattern = std::filesystem::temp_directory_path() / "schultor-gate-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    auto made = GateLink::listen(loop, socket_path(), std::nullopt, {some_descriptor(), some_descriptor()},
                                 {[this](const std::vector<dns::PinEntry>& entries) { return pin(entries); }, [] {}});
    REQUIRE(made);
    link = std::move(*made);
    link->announce({"{}", {7, 3}});
  }
  ~School() {
    link.reset();
    std::filesystem::remove_all(directory);
  }
  School(const School&) = delete;
  School& operator=(const School&) = delete;

  [[nodiscard]] std::string socket_path() const { return directory / "gate.sock"; }

  base::Result<void> pin(const std::vector<dns::PinEntry>& entries) {
    for (const auto& entry : entries)
      if (kernel_refuses && entry.address == refused) return base::fail("refused");
    pinned.push_back(entries);
    return {};
  }

  template <typename Condition>
  void run_until(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      REQUIRE(sd_event_run(loop.native(), 100'000) >= 0);
    }
  }
};

struct Gate {
  School& school;
  base::UniqueFd fd{};
  std::size_t descriptors = 0;

  explicit Gate(School& owner) : school(owner), fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, school.socket_path().c_str(), sizeof address.sun_path - 1);
    REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  void send(const dns::Message& message) const {
    const auto packet = dns::encode(message);
    REQUIRE(::send(fd.get(), packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size()));
  }

  [[nodiscard]] bool readable() const {
    pollfd poll_for{fd.get(), POLLIN, 0};
    return poll(&poll_for, 1, 0) > 0;
  }

  /// The next message; none when the connection was closed.
  std::optional<dns::Message> receive() {
    school.run_until([&] { return readable(); });
    std::array<std::byte, dns::longest_message> packet{};
    iovec part{packet.data(), packet.size()};
    alignas(cmsghdr) std::array<char, 256> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto size = recvmsg(fd.get(), &header, MSG_CMSG_CLOEXEC);
    if (size <= 0) return std::nullopt;
    descriptors = 0;
    for (auto* part_of = CMSG_FIRSTHDR(&header); part_of != nullptr; part_of = CMSG_NXTHDR(&header, part_of)) {
      descriptors = (part_of->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < descriptors; ++i) {
        int received = -1;
        std::memcpy(&received, CMSG_DATA(part_of) + i * sizeof(int), sizeof received);
        close(received);
      }
    }
    auto message = dns::decode({packet.data(), static_cast<std::size_t>(size)});
    REQUIRE(message);
    return *message;
  }
};

dns::PinRequest request(std::uint32_t sequence, std::uint64_t epoch, const char* address) {
  return {sequence, epoch, {{*base::parse_address(address), 1, std::chrono::seconds(60)}}};
}

}  // namespace

SCENARIO("a gate that connects gets the rules and both sockets, and after a change the rules alone") {
  School school;
  Gate gate(school);
  CHECK(gate.receive() == dns::Message(dns::Announcement{7, 3}));
  CHECK(gate.descriptors == 3);
  CHECK(school.link->connected());
  school.link->announce({"{}", {8, 3}});
  CHECK(gate.receive() == dns::Message(dns::Announcement{8, 3}));
  CHECK(gate.descriptors == 1);
}

SCENARIO("the table of lists travels with the rules that are of it, behind everything else") {
  School school;
  const auto table = std::make_shared<const base::UniqueFd>(some_descriptor());
  school.link->announce({"{}", {7, 3}, table});
  Gate gate(school);
  CHECK(gate.receive() == dns::Message(dns::Announcement{7, 3, true}));
  CHECK(gate.descriptors == 4);
  school.link->announce({"{}", {8, 3}, table});
  CHECK(gate.receive() == dns::Message(dns::Announcement{8, 3, true}));
  CHECK(gate.descriptors == 2);
  school.link->announce({"{}", {9, 3}});
  CHECK(gate.receive() == dns::Message(dns::Announcement{9, 3, false}));
  CHECK(gate.descriptors == 1);
}

SCENARIO("requests that wait together share one transaction, and each is answered") {
  School school;
  Gate gate(school);
  gate.receive();
  gate.send(request(1, 7, "198.51.100.10"));
  gate.send(request(2, 7, "198.51.100.20"));
  gate.send(request(3, 7, "2001:db8:51::10"));
  for (const std::uint32_t sequence : {1U, 2U, 3U})
    CHECK(gate.receive() == dns::Message(dns::PinReply{sequence, dns::PinStatus::pinned}));
  REQUIRE(school.pinned.size() == 1);
  CHECK(school.pinned[0].size() == 3);
}

SCENARIO("a request decided under older rules opens nothing") {
  School school;
  Gate gate(school);
  gate.receive();
  gate.send(request(1, 6, "198.51.100.10"));
  CHECK(gate.receive() == dns::Message(dns::PinReply{1, dns::PinStatus::stale}));
  CHECK(school.pinned.empty());
}

SCENARIO("an address that the kernel refuses does not keep another one closed") {
  School school;
  school.kernel_refuses = true;
  school.refused = *base::parse_address("198.51.100.66");
  Gate gate(school);
  gate.receive();
  gate.send(request(1, 7, "198.51.100.66"));
  gate.send(request(2, 7, "198.51.100.20"));
  CHECK(gate.receive() == dns::Message(dns::PinReply{1, dns::PinStatus::failed}));
  CHECK(gate.receive() == dns::Message(dns::PinReply{2, dns::PinStatus::pinned}));
}

SCENARIO("a gate that talks rubbish is cut off, and a new one is served") {
  School school;
  {
    Gate gate(school);
    gate.receive();
    REQUIRE(::send(gate.fd.get(), "rubbish", 7, MSG_NOSIGNAL) == 7);
    CHECK_FALSE(gate.receive());
    CHECK_FALSE(school.link->connected());
  }
  Gate gate(school);
  CHECK(gate.receive() == dns::Message(dns::Announcement{7, 3}));
}

SCENARIO("a gate that sends what only schultord sends is cut off") {
  School school;
  Gate gate(school);
  gate.receive();
  gate.send(dns::PinReply{1, dns::PinStatus::pinned});
  CHECK_FALSE(gate.receive());
}

SCENARIO("the gate's word on the resolver is kept while it is connected") {
  School school;
  Gate gate(school);
  gate.receive();
  CHECK_FALSE(school.link->resolver_answers());
  gate.send(dns::Health{true});
  school.run_until([&] { return school.link->resolver_answers().has_value(); });
  CHECK(school.link->resolver_answers() == true);
  gate.fd.reset();
  school.run_until([&] { return !school.link->connected(); });
  CHECK_FALSE(school.link->resolver_answers());
}

SCENARIO("when views switch is told to a gate that is there and to one that comes") {
  School school;
  const dns::Switches first{{{1, dns::Switches::Instant{std::chrono::hours(3)}}}, dns::Switches::Instant::max()};
  school.link->tell_switches(first);
  Gate gate(school);
  CHECK(gate.receive() == dns::Message(dns::Announcement{7, 3}));
  CHECK(gate.receive() == dns::Message(first));
  const dns::Switches second{{{1, dns::Switches::Instant{std::chrono::hours(4)}}}, dns::Switches::Instant::max()};
  school.link->tell_switches(second);
  CHECK(gate.receive() == dns::Message(second));
}

SCENARIO("who asks what the gate has counted is told when all parts of the answer have come") {
  School school;
  Gate gate(school);
  gate.receive();
  std::vector<std::optional<enforce::ToldStatistics>> told;
  const auto ask = [&] { school.link->ask_statistics([&](const auto& answer) { told.push_back(answer); }); };
  ask();
  CHECK(gate.receive() == dns::Message(dns::StatisticsRequest{1}));
  ask();
  CHECK_FALSE(gate.readable());  // one question for both
  dns::ViewStatistics::View school_view{1, {}};
  school_view.counts.cached = 3;
  dns::Statistics whole;
  whole.waiting = 4;
  gate.send(dns::ViewStatistics{0, {{7, {}}}});  // of nobody's question
  gate.send(dns::GateStatistics{0, {}});
  gate.send(dns::ViewStatistics{1, {school_view}});
  gate.send(dns::ViewStatistics{1, {{2, {}}}});
  gate.send(dns::GateStatistics{1, whole});
  gate.send(dns::GateStatistics{1, {}});  // once too often
  school.run_until([&] { return told.size() == 2; });
  for (const auto& one : told) {
    REQUIRE(one);
    CHECK(one->gate == whole);
    CHECK(one->views == std::map<std::uint32_t, dns::ViewCounts>{{1, school_view.counts}, {2, {}}});
  }
  // What it told last is what there is once it has gone.
  gate.fd.reset();
  school.run_until([&] { return !school.link->connected(); });
  ask();
  REQUIRE(told.size() == 3);
  CHECK(told[2]->gate == whole);
}

SCENARIO("a gate that does not say what it has counted, or goes instead, holds up nobody who asks") {
  School school;
  Gate gate(school);
  gate.receive();
  std::vector<std::optional<enforce::ToldStatistics>> told;
  const auto ask = [&] { school.link->ask_statistics([&](const auto& answer) { told.push_back(answer); }); };
  for (int i = 0; i < 70; ++i) ask();
  CHECK(told.size() == 6);  // too many at a time
  school.run_until([&] { return told.size() == 70; });
  for (const auto& one : told) CHECK_FALSE(one);
  gate.receive();
  gate.send(dns::GateStatistics{1, {}});
  ask();
  CHECK(gate.receive() == dns::Message(dns::StatisticsRequest{2}));
  gate.send(dns::GateStatistics{1, {}});
  gate.fd.reset();
  school.run_until([&] { return told.size() == 71; });
  CHECK(school.link->connected() == false);
}

SCENARIO("a gate that does not read holds nobody up") {
  School school;
  Gate gate(school);
  school.run_until([&] { return school.link->connected(); });
  // Far more than the socket holds: whoever does not read is cut off.
  for (int i = 0; i < 10'000 && school.link->connected(); ++i) school.link->tell_switches({});
  CHECK_FALSE(school.link->connected());
}

SCENARIO("a gate that floods has its pins made, so many in a second") {
  School school;
  Gate gate(school);
  gate.receive();
  constexpr std::uint32_t requests = 300;
  std::uint32_t sent = 0;
  std::uint32_t answered = 0;
  dns::PinRequest full{0, 7, {}};
  full.entries.assign(dns::most_pins, {*base::parse_address("198.51.100.20"), 1, std::chrono::seconds(60)});
  const auto made = [&] {
    std::size_t count = 0;
    for (const auto& entries : school.pinned) count += entries.size();
    return count;
  };
  const auto begun = std::chrono::steady_clock::now();
  std::size_t made_in_first_second = 0;
  school.run_until([&] {
    while (sent < requests) {
      full.sequence = sent + 1;
      const auto packet = dns::encode(full);
      if (::send(gate.fd.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
      ++sent;
    }
    if (std::chrono::steady_clock::now() < begun + std::chrono::milliseconds(900)) made_in_first_second = made();
    std::array<std::byte, dns::longest_message> reply{};
    while (recv(gate.fd.get(), reply.data(), reply.size(), MSG_DONTWAIT) > 0) ++answered;
    return answered == requests;
  });
  CHECK(made() == requests * dns::most_pins);
  CHECK(made_in_first_second <= 60'000 + dns::most_pins);
}

SCENARIO("which origins are well is told to a gate that is there and to one that comes, until the rules are others") {
  School school;
  {
    Gate gate(school);
    CHECK(gate.receive() == dns::Message(dns::Announcement{7, 3}));
    school.link->tell_well_origins(0);  // nothing new: it takes none for well
    school.link->tell_well_origins(5);
    CHECK(gate.receive() == dns::Message(dns::WellOrigins{7, 5}));
  }
  school.run_until([&] { return !school.link->connected(); });
  Gate gate(school);
  CHECK(gate.receive() == dns::Message(dns::Announcement{7, 3}));
  CHECK(gate.receive() == dns::Message(dns::WellOrigins{7, 5}));
  school.link->announce({"{}", {8, 3}});
  CHECK(gate.receive() == dns::Message(dns::Announcement{8, 3}));
  // The same bits mean other origins, and are told anew.
  school.link->tell_well_origins(5);
  CHECK(gate.receive() == dns::Message(dns::WellOrigins{8, 5}));
  school.link->tell_well_origins(0);
  CHECK(gate.receive() == dns::Message(dns::WellOrigins{8, 0}));
}
