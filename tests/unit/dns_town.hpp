// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_protocol.hpp"
#include "daemon/dns/service.hpp"
#include "tests/unit/dns_packets.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The gate with real sockets on the loopback of a network namespace of its own; schultord, the resolver and the tablets are
/// played by the test. Everything runs on one thread, so that "nothing comes" can be seen without waiting.
namespace schultor::dns::test {

/// Ends the program as skipped.
[[noreturn]] void skip(const char* why);

/// Moves this process into a network namespace of its own, once. Ends the program as skipped when that is not allowed.
void enter_own_network();

base::UniqueFd sealed_rules(const policy::GateRules& rules, bool sealed = true);

/// A socket of `type` bound to an address such as "127.0.0.1" or "::1", not blocking.
base::UniqueFd bound(int type, const std::string& address, std::uint16_t port);

/// What the gate asked the resolver.
struct UpstreamQuestion {
  Bytes packet;
  Query query;
  sockaddr_in6 from{};
};

/// A tablet's UDP socket; its mark stands for the mark that the ruleset would give.
class Tablet {
public:
  /// `from` another address than the loopback's own is another source of questions to the gate.
  Tablet(const std::string& gate, std::uint32_t mark, const std::string& from = {});
  void set_mark(std::uint32_t mark);
  void ask(const Asked& asked) { send(question(asked)); }
  void send(const Bytes& packet);
  /// Without waiting.
  std::optional<Told> answer();

private:
  base::UniqueFd fd_;
};

/// A DNS message with its length before it (RFC 1035, section 4.2.2).
Bytes framed(const Bytes& packet);

/// A tablet's TCP connection to the gate on the loopback address of `from`'s family.
class Session {
public:
  /// `room`: octets that the kernel holds for it unread, about; 0: as it likes.
  explicit Session(std::uint32_t mark, const std::string& from = "127.0.0.1", int room = 0);
  void ask(const Asked& asked) { send(framed(question(asked))); }
  void send(const Bytes& octets);
  /// Sends no more.
  void shut();
  /// The next whole answer, without waiting.
  std::optional<Told> answer();
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  base::UniqueFd fd_;
  Bytes received_;
  bool closed_ = false;
};

class Town {
public:
  /// `connect`: schultord is there and has told its rules.
  explicit Town(bool connect = true);
  ~Town();
  Town(const Town&) = delete;
  Town& operator=(const Town&) = delete;

  void start_gate(std::map<std::string, base::UniqueFd> stored = {});
  void stop_gate() { service_.reset(); }
  /// Runs the gate until `done`, or fails the test after a generous time.
  void until(const std::function<bool()>& done);
  /// Runs the gate until nothing is left to do for it.
  void until_idle();

  /// Another resolver than the one that the test plays, on 127.0.0.1.
  void use_resolver(std::uint16_t port) { resolver_port_ = port; }
  [[nodiscard]] std::uint16_t resolver_port() const { return resolver_port_; }
  void open_sockets();
  void accept_gate();
  void hang_up() { gate_.reset(); }
  void stop_listening();
  void listen();
  /// `table`: of lists, which goes along where there is one.
  void announce(const policy::GateRules& rules, const Announcement& epochs, bool with_sockets, bool sealed = true, int table = -1);
  /// Something else that schultord says.
  void tell(const Message& message);
  /// Waits for the gate's next pin request; health is noted in passing.
  PinRequest next_request();
  void reply(const PinRequest& request, PinStatus status);
  /// Whether the gate said something or hung up.
  std::optional<Message> next_message();
  [[nodiscard]] bool gate_hung_up() const { return hung_up_; }

  UpstreamQuestion next_question();
  /// The next one about `asked`; what comes before it, such as a question that is sent again, is passed over.
  UpstreamQuestion next_question(std::string_view asked);
  /// Every question about a tablet's name that is there; the gate's own are answered in passing unless `mute`.
  std::vector<UpstreamQuestion> questions();
  void resolve(const UpstreamQuestion& question, std::vector<Record> answers);
  void send_upstream(const UpstreamQuestion& question, const Bytes& packet);
  /// From now on the resolver takes TCP connections as well.
  void take_streams();
  /// The gate's next connection to the resolver, and the whole question that came over it.
  struct Stream {
    base::UniqueFd fd;
    Bytes packet;
    void send(ByteView octets) const;
  };
  Stream next_stream();
  /// Answers a question with the TC bit, over UDP, and gives what comes over TCP then.
  Stream cut_short(const UpstreamQuestion& question);
  Told wait_for(Tablet& tablet);
  Told wait_for(Session& session);

  bool mute = false;
  std::vector<bool> health;
  base::UniqueFd udp;
  base::UniqueFd tcp;

private:
  base::EventLoop loop_;
  std::string directory_;
  base::UniqueFd listener_;
  base::UniqueFd gate_;
  base::UniqueFd resolver_;
  base::UniqueFd streams_;
  std::uint16_t resolver_port_ = 0;
  std::vector<UpstreamQuestion> waiting_;
  std::unique_ptr<Service> service_;
  bool hung_up_ = false;
};

}  // namespace schultor::dns::test
