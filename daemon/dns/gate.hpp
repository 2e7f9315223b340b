// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/decide.hpp"
#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"
#include "daemon/dns/pin_protocol.hpp"
#include "daemon/dns/pin_table.hpp"

#include <netinet/in.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <variant>
#include <vector>

namespace schultor::dns {

/// Where a question came from and its answer goes to.
struct UdpPeer {
  sockaddr_in6 address{};  ///< IPv4 mapped
  in6_pktinfo local{};     ///< the address that was asked
};
struct TcpPeer {
  std::uint64_t connection = 0;  ///< never used twice; the connection may be gone
};
using Client = std::variant<UdpPeer, TcpPeer>;

/// A question that the resolver is asked; never 0.
using JobId = std::uint64_t;

/// What became of handing a PinRequest to schultord.
enum class PinSent : std::uint8_t { sent, busy, away };

/// From question to answer: decides, has the resolver asked, has the addresses pinned, and answers after the
/// acknowledgement. Pure: no socket and no clock, what goes out goes through `Edges`.
class Gate {
public:
  struct Edges {
    std::function<void(const Client&, Bytes)> answer;
    /// Asks the resolver: on_upstream() or on_upstream_silent() follows. False: too many questions are under way.
    std::function<bool(JobId, const Query&)> ask;
    std::function<PinSent(const PinRequest&)> pin;
  };

  explicit Gate(Edges edges) : edges_(std::move(edges)), pins_(limits::remembered_pins) {}

  /// From now on these rules. Questions parked for them are judged anew.
  void on_rules(std::shared_ptr<const policy::GateRules> rules, const Announcement& announcement, Time now);
  [[nodiscard]] bool has_rules() const { return rules_ != nullptr; }
  /// The connection to schultord ended: no reply will come.
  void on_link_lost(Time now);
  /// A packet from a tablet, with its mark.
  void on_question(const Client& client, std::uint32_t mark, ByteView packet);
  /// The resolver's answer; that it belongs to the question was checked.
  void on_upstream(JobId id, ByteView packet, Time now);
  void on_upstream_silent(JobId id, Ede why);
  void on_pin_reply(const PinReply& reply, Time now);
  /// Everything of this turn of the loop was handed in: sends what it needs pinned, in one request.
  void end_of_turn(Time now);
  /// Gives up on pins that take too long.
  void tick(Time now);
  /// Whether tick() is needed.
  [[nodiscard]] bool waiting() const { return !deadlines_.empty() || !outstanding_.empty(); }

private:
  struct Job {
    Client client;
    Query query;
    std::uint32_t view = 0;
    std::uint64_t generation = 0;  // of the rules that `doors` is of
    policy::Doors doors = 0;
    Answer answer;
    std::vector<base::Address> addresses;  // of the answer
    std::chrono::seconds ttl{0};           // of the answer
    bool timed = false;                    // has a deadline
  };
  using Jobs = std::unordered_map<JobId, Job>;
  struct Outstanding {
    PinRequest request;
    std::vector<JobId> jobs;
    Time sent;
  };

  void reply(const Client& client, const Query& query, const Answer& answer);
  void finish(Jobs::iterator job, const Answer& answer);
  void weigh(Jobs::iterator job, Time now);
  void give_up(Jobs::iterator job, Time now);
  [[nodiscard]] std::vector<PinEntry> lacking(const Job& job, Time now) const;
  void send(Outstanding batch, Time now);

  Edges edges_;
  std::shared_ptr<const policy::GateRules> rules_;
  Announcement announcement_;
  std::uint64_t generation_ = 0;
  PinTable pins_;
  Jobs jobs_;
  JobId last_job_ = 0;
  std::vector<JobId> batch_;   // to be pinned at the end of this turn
  std::vector<JobId> parked_;  // stale: waiting for the rules that are under way
  std::map<std::uint32_t, Outstanding> outstanding_;
  std::uint32_t last_sequence_ = 0;
  std::deque<std::pair<Time, JobId>> deadlines_;
};

}  // namespace schultor::dns
