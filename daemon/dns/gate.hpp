// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/answer_cache.hpp"
#include "daemon/dns/decide.hpp"
#include "daemon/dns/fair_share.hpp"
#include "daemon/dns/gate_counters.hpp"
#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"
#include "daemon/dns/pin_protocol.hpp"
#include "daemon/dns/pin_table.hpp"
#include "daemon/dns/question_log.hpp"

#include <netinet/in.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
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
  in6_addr source{};             ///< IPv4 mapped
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
    /// 64 bits that nobody can guess.
    std::function<std::uint64_t()> random;
    /// A question that an administrator wants to see.
    std::function<void(const LoggedQuestion&)> log{};
  };

  /// `pins`: what is known of them from an earlier run. `kept`: of answers that are given again.
  explicit Gate(Edges edges, PinTable pins = PinTable(limits::remembered_pins),
                const AnswerCache::Bounds& kept = {limits::kept_answers, limits::kept_octets});

  /// From now on these rules. Questions parked for them are judged anew.
  void on_rules(std::shared_ptr<const Rulebook> rules, const Announcement& announcement, Time now);
  [[nodiscard]] bool has_rules() const { return rules_ != nullptr; }
  /// Of the pins that are known.
  [[nodiscard]] std::uint64_t pins_epoch() const { return pins_.meaning().pins_epoch; }
  /// From now on views change then. Known ones that are past hold nothing back for long, in case schultord is away.
  void on_switches(const Switches& switches);
  /// From now on names of these origins alone are steered; with other rules, or none of schultord's, no longer.
  void on_well_origins(const WellOrigins& well);
  /// The connection to schultord ended: no reply will come.
  void on_link_lost(Time now);
  /// Writes the answer to a packet from a tablet, if one is kept, to `out`: its length, or 0. on_question() has the others.
  [[nodiscard]] std::size_t answer_kept(const UdpPeer& peer, std::uint32_t mark, ByteView packet, std::span<std::uint8_t> out,
                                        Time now);
  /// A packet from a tablet, with its mark.
  void on_question(const Client& client, std::uint32_t mark, ByteView packet, Time now);
  /// The resolver's answer; that it belongs to the question was checked.
  void on_upstream(JobId id, ByteView packet, Time now);
  void on_upstream_silent(JobId id, Ede why, Time now);
  void on_pin_reply(const PinReply& reply, Time now);
  /// Everything of this turn of the loop was handed in: sends what it needs pinned, in one request.
  void end_of_turn(Time now);
  /// Gives up on pins that take too long.
  void tick(Time now);
  /// Whether tick() is needed.
  [[nodiscard]] bool waiting() const { return !deadlines_.empty() || !outstanding_.empty() || log_.on(); }
  /// From now on questions are logged, or not any more. tick() ends it in time.
  void log_questions(const QuestionLogging& wanted, Time now) { log_.use(wanted, now); }
  [[nodiscard]] const QuestionLog& log() const { return log_; }
  [[nodiscard]] const GateCounters& counters() const { return counters_; }
  /// Questions that have no answer yet.
  [[nodiscard]] std::size_t under_way() const { return jobs_.size(); }

private:
  struct Job {
    Client client;
    Query query;
    std::uint32_t view = 0;
    Time asked;
    std::uint64_t generation = 0;  // of the rules that `decision` is of
    Decision decision;
    Answer answer;
    bool answered = false;                 // by the resolver, and screened under the rules of `generation`
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

  [[nodiscard]] Bytes reply(const Client& client, std::uint32_t view, const Query& query, Answer answer, Verdict verdict, Time now);
  void reply_at_once(const Client& client, std::uint32_t view, const Query& query, Answer answer, Verdict verdict, Time now);
  void finish(Jobs::iterator job, Answer answer, Verdict verdict, Time now);
  void finish(Jobs::iterator job, Time now);
  void fail(Jobs::iterator job, Ede why, Time now);
  void log(std::uint32_t view, const Name& name, std::uint16_t type, Verdict verdict, bool kept, Time now);
  void ask(Jobs::iterator job, Time now);
  [[nodiscard]] static const Query& asked_of(const Job& job, Query& room);
  [[nodiscard]] bool judge_anew(Jobs::iterator job, Time now);
  [[nodiscard]] bool pass_screen(Jobs::iterator job, Time now);
  void weigh(Jobs::iterator job, Time now);
  [[nodiscard]] bool is_open(std::uint32_t view) const;
  void give_up(Jobs::iterator job, Time now);
  void do_without_pins(Jobs::iterator job, Time now);
  void forget(Jobs::iterator job);
  void take_for_well(std::uint64_t origins);
  [[nodiscard]] std::chrono::seconds until_switch(std::uint32_t view, Time now) const;
  [[nodiscard]] std::vector<PinEntry> lacking(const Job& job, Time now) const;
  void send(Outstanding batch, Time now);

  Edges edges_;
  std::shared_ptr<const Rulebook> rules_;
  Announcement announcement_;
  std::uint64_t generation_ = 0;
  PinTable pins_;
  FairShare fair_share_;
  AnswerCache kept_;
  GateCounters counters_;
  QuestionLog log_;
  std::unordered_map<std::uint32_t, Time> switches_;
  Time other_switches_ = Time::max();
  std::uint64_t well_ = 0;
  Jobs jobs_;
  JobId last_job_ = 0;
  std::vector<JobId> batch_;   // to be pinned at the end of this turn
  std::vector<JobId> parked_;  // stale: waiting for the rules that are under way
  std::map<std::uint32_t, Outstanding> outstanding_;
  std::uint32_t last_sequence_ = 0;
  std::deque<std::pair<Time, JobId>> deadlines_;
};

}  // namespace schultor::dns
