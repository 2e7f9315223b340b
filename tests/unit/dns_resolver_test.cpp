// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate with the resolver that it is shipped with: unbound, configured as installed, asking a real authority (NSD).
#include "daemon/dns/svcb.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

constexpr std::uint16_t authority_port = 5353;
constexpr std::uint16_t resolver_port = 5335;  // as config/defaults/unbound.conf has it

/// A program that ends with this handle.
class Child {
public:
  explicit Child(const std::vector<std::string>& command) : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

private:
  pid_t pid_;
};

base::UniqueFd socket_to(int type, std::uint16_t port, std::uint32_t mark = 0) {
  base::UniqueFd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int value = static_cast<int>(mark);
  REQUIRE(setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &value, sizeof value) == 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return fd;
}

/// Asks until somebody answers.
void wait_until_answering(std::uint16_t port, const Asked& asked) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto fd = socket_to(SOCK_DGRAM, port);
  const auto packet = question(asked);
  for (;;) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    [[maybe_unused]] const auto sent = send(fd.get(), packet.data(), packet.size(), 0);
    pollfd ready{fd.get(), POLLIN, 0};
    std::array<std::uint8_t, 4096> buffer;
    if (poll(&ready, 1, 100) == 1 && recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 12) return;
  }
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

/// NSD for `test.`, and unbound with the installed configuration.
struct Names {
  std::string directory;
  std::unique_ptr<Child> authority;
  std::unique_ptr<Child> resolver;

  explicit Names(const std::string& more_of_resolver = {}) {
    if (access("/usr/sbin/nsd", X_OK) != 0 || access("/usr/sbin/unbound", X_OK) != 0) skip("nsd or unbound is missing");
    std::string pattern = std::filesystem::temp_directory_path() / "schultor-names-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    start_authority();
    wait_until_answering(authority_port, {"lernen.test"});
    start_resolver(more_of_resolver);
    wait_until_answering(resolver_port, {"localhost"});
  }
  ~Names() {
    resolver.reset();
    authority.reset();
    std::filesystem::remove_all(directory);
  }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  void start_authority() {
    std::string zone =
        "$ORIGIN test.\n$TTL 120\n@ SOA ns.test. root.test. 1 3600 600 86400 86400\n@ NS ns\nns A 127.0.0.1\n"
        "lernen A 198.51.100.20\nlernen AAAA 2001:db8:51::20\nlernen MX 10 mail.lernen\n"
        "lernen HTTPS 1 . ipv4hint=198.51.100.66 ech=AAAA\nlernen HTTPS 2 spiele\nspiele A 198.51.100.30\n"
        "umzug.lernen DNAME ziel.lernen\nwww.ziel.lernen A 198.51.100.20\n"
        "www.lernen CNAME edge.cdn\nedge.cdn A 198.51.100.21\n"
        "innen.lernen A 10.77.0.1\ncloud.mnspro A 198.51.100.10\n"
        "kurz.lernen 1 A 198.51.100.22\nfalsch.lernen A 198.51.100.66\nfalsch.lernen TXT falsch\n";
    for (int i = 0; i < 120; ++i) zone += fmt::format("viele.lernen A 198.51.101.{}\n", i);
    zone += "lang.lernen TXT";
    for (int i = 0; i < 40; ++i) zone += " \"" + std::string(200, 'x') + '"';
    write_file(directory + "/test.zone", zone + '\n');
    write_file(directory + "/nsd.conf",
               fmt::format("server:\n ip-address: 127.0.0.1@{1}\n username: \"\"\n chroot: \"\"\n zonesdir: \"{0}\"\n"
                           " database: \"\"\n pidfile: \"\"\n xfrdfile: \"{0}/x\"\n xfrdir: \"{0}\"\n"
                           " zonelistfile: \"{0}/z\"\n cookie-secret-file: \"{0}/c\"\n server-count: 1\n"
                           "remote-control:\n control-enable: no\nzone:\n name: test.\n zonefile: test.zone\n",
                           directory, authority_port));
    authority = std::make_unique<Child>(std::vector<std::string>{"/usr/sbin/nsd", "-d", "-c", directory + "/nsd.conf"});
  }
  void start_resolver(const std::string& more) {
    // What is beside the installed part: no root servers, an authority on this machine, no rights to be dropped.
    write_file(
        directory + "/unbound.conf",
        fmt::format("include: \"{0}/config/defaults/unbound.conf\"\nserver:\n do-daemonize: no\n use-syslog: no\n logfile: \"\"\n"
                    " pidfile: \"\"\n chroot: \"\"\n username: \"\"\n directory: \"{1}\"\n module-config: \"iterator\"\n"
                    " do-not-query-localhost: no\n local-zone: \"test.\" nodefault\n{3}remote-control:\n control-enable: no\n"
                    "stub-zone:\n name: \"test.\"\n stub-addr: 127.0.0.1@{2}\n",
                    SCHULTOR_SOURCE_DIR, directory, authority_port, more));
    resolver =
        std::make_unique<Child>(std::vector<std::string>{"/usr/sbin/unbound", "-d", "-p", "-c", directory + "/unbound.conf"});
  }
};

/// A school that asks the real resolver; every pin is made.
struct School {
  Names names;
  Town town{false};
  std::vector<PinEntry> pinned;

  explicit School(const std::string& more_of_resolver = {}) : names(more_of_resolver) {
    town.use_resolver(resolver_port);
    town.listen();
    town.start_gate();
    town.accept_gate();
    town.announce(rules(), {1, 1}, true);
  }
  void pin() {
    while (auto message = town.next_message()) {
      const auto& request = std::get<PinRequest>(*message);
      pinned.insert(pinned.end(), request.entries.begin(), request.entries.end());
      town.reply(request, PinStatus::pinned);
    }
  }
  Told ask(const Asked& asked, std::uint32_t view = school) {
    Tablet tablet("127.0.0.1", view);
    tablet.ask(asked);
    std::optional<Told> answer;
    town.until([&] {
      pin();
      return (answer = tablet.answer()).has_value();
    });
    return *answer;
  }
  Told ask_over_tcp(const Asked& asked) {
    const auto fd = socket_to(SOCK_STREAM, 5300, school);
    const auto packet = question(asked);
    Bytes octets{0, static_cast<std::uint8_t>(packet.size())};
    octets.insert(octets.end(), packet.begin(), packet.end());
    REQUIRE(send(fd.get(), octets.data(), octets.size(), 0) == static_cast<ssize_t>(octets.size()));
    Bytes received;
    town.until([&] {
      pin();
      std::array<std::uint8_t, 65535> buffer;
      const auto size = recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size > 0) received.insert(received.end(), buffer.data(), buffer.data() + size);
      return received.size() > 2 && received.size() >= 2U + (static_cast<std::size_t>(received[0]) << 8U | received[1]);
    });
    return told(ByteView(received).subspan(2));
  }
};

}  // namespace

SCENARIO("a school's names through a real resolver and a real authority") {
  enter_own_network();
  School at;

  const auto learning = at.ask({"LerNEN.test"});
  CHECK(learning.name == name("LerNEN.test"));
  CHECK(learning.addresses() == std::vector<std::string>{"198.51.100.20"});
  CHECK(at.ask({"lernen.test", rr::aaaa}).addresses() == std::vector<std::string>{"2001:db8:51::20"});
  REQUIRE(at.pinned.size() == 2);
  CHECK(at.pinned[0].doors == school_door);

  const auto chain = at.ask({"www.lernen.test"});
  CHECK(chain.answers.size() == 2);
  CHECK(chain.addresses() == std::vector<std::string>{"198.51.100.21"});

  CHECK(at.ask({"cloud.mnspro.test"}, exam).addresses() == std::vector<std::string>{"198.51.100.10"});
  CHECK(at.pinned.back().doors == policy::cloud_door);

  const auto mail = at.ask({"lernen.test", rr::mx});
  CHECK(mail.answers.size() == 1);
  CHECK(mail.additional.empty());
  // A hint is pinned as an address is; ech and a target that is not on the list do not come through.
  const auto binding = at.ask({"lernen.test", rr::https});
  REQUIRE(binding.answers.size() == 1);
  CHECK(at.pinned.back().address == address("198.51.100.66"));
  const auto service = read_service_binding(binding.answers[0]);
  REQUIRE(service);
  CHECK(service->find(svc_key::ech) == nullptr);
  CHECK(at.ask({"lernen.test", rr::https}, leisure).answers.size() == 2);

  // A whole zone that moved.
  const auto moved = at.ask({"www.umzug.lernen.test"});
  CHECK(moved.addresses() == std::vector<std::string>{"198.51.100.20"});
  CHECK(moved.answers.size() == 2);

  const auto missing = at.ask({"gibtsnicht.lernen.test"});
  CHECK(missing.rcode == 3);
  REQUIRE(missing.authority.size() == 1);
  CHECK(missing.authority[0].owner == name("test"));
  CHECK(missing.authority[0].ttl <= 60);

  const auto pins = at.pinned.size();
  CHECK(at.ask({"innen.lernen.test"}).addresses().empty());
  CHECK(at.ask({"spiele.test", rr::a, 1, true}).ede == 17);
  CHECK(at.pinned.size() == pins);
}

SCENARIO("what is too long for a datagram to a tablet comes over TCP") {
  enter_own_network();
  School at;
  CHECK(at.ask({"viele.lernen.test"}).truncated());
  CHECK(at.ask_over_tcp({"viele.lernen.test"}).addresses().size() == limits::addresses);
  CHECK(at.ask({"lang.lernen.test", rr::txt, 1, true, 4096}).truncated());
  const auto text = at.ask_over_tcp({"lang.lernen.test", rr::txt});
  REQUIRE(text.answers.size() == 1);
  CHECK(text.answers[0].data.size() == 40 * 201);
}

SCENARIO("a resolver that cuts its datagrams short is asked over TCP") {
  enter_own_network();
  School at(" max-udp-size: 1232\n");
  const auto text = at.ask_over_tcp({"lang.lernen.test", rr::txt});
  CHECK(text.rcode == 0);
  REQUIRE(text.answers.size() == 1);
  CHECK(text.answers[0].data.size() == 40 * 201);
}

SCENARIO("a name whose signatures are wrong is not opened, also for a tablet that wants no validation") {
  enter_own_network();
  // Keys that the zone does not have: nothing below can be validated.
  School at(" module-config: \"validator iterator\"\n trust-anchor: \"falsch.lernen.test. DS 4711 13 2 " + std::string(64, 'a') +
            "\"\n");
  for (const auto type : {rr::a, rr::txt}) {
    for (const bool checking_disabled : {false, true}) {
      INFO("type " << type << ", CD " << checking_disabled);
      const auto answer = at.ask({"falsch.lernen.test", type, 1, true, 1232, false, checking_disabled});
      const bool told = type == rr::txt && checking_disabled;
      CHECK(answer.rcode == (told ? 0 : 2));
      CHECK(answer.answers.size() == (told ? 1 : 0));
      CHECK(((answer.flags & 0x0010) != 0) == checking_disabled);
      // DNSSEC Bogus, DNSKEY Missing, or a kindred reason of unbound's (RFC 8914).
      if (!told) CHECK((answer.ede >= 5 && answer.ede <= 12));
    }
  }
  CHECK(at.pinned.empty());
  CHECK(at.ask({"lernen.test"}).addresses().size() == 1);
}

SCENARIO("when nobody outside answers any more, the resolver's expired answers are given and opened") {
  enter_own_network();
  School at;
  CHECK(at.ask({"kurz.lernen.test"}).addresses() == std::vector<std::string>{"198.51.100.22"});
  at.names.authority.reset();
  constexpr int stale_answer = 3;  // RFC 8914
  Told answer;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  do {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    // Not as often as one can: only so many questions of one tablet are heard.
    at.town.until([turns = 0]() mutable { return ++turns > 2; });
    answer = at.ask({"kurz.lernen.test", rr::a, 1, true});
  } while (answer.ede != stale_answer);
  CHECK(answer.addresses() == std::vector<std::string>{"198.51.100.22"});
  CHECK(at.pinned.back().address == address("198.51.100.22"));
  CHECK(answer.answers.at(0).ttl <= 30);
  // What was never known stays unknown, with the reason.
  const auto failed = at.ask({"nie.lernen.test", rr::a, 1, true});
  CHECK(failed.rcode == 2);
  CHECK(failed.ede >= 0);
}
