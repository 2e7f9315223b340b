// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/service.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/dns/fd_store.hpp"
#include "daemon/dns/limits.hpp"

#include <sys/random.h>

#include <chrono>
#include <cstdlib>

namespace schultor::dns {
namespace {

using base::Priority;
namespace message_id = base::message_id;

std::uint64_t random_number() {
  std::uint64_t number = 0;
  // So few octets never come short (getrandom(2)); a kernel without randomness leaves nothing to go on with.
  if (getrandom(&number, sizeof number, 0) < 0) std::abort();
  return number;
}

/// An earlier run's, or a new one.
std::optional<PinMemory> pin_memory(std::map<std::string, base::UniqueFd>& stored) {
  auto kept = stored.extract(fd_store::pins);
  auto memory = kept ? PinMemory::adopt(std::move(kept.mapped())) : PinMemory::create();
  if (!memory && kept) memory = PinMemory::create();
  if (memory) return std::move(*memory);
  log(Priority::warning, {}, fmt::format("Pins will not be known after a restart of the gate: {}", memory.error().what()));
  return std::nullopt;
}

Time now() { return std::chrono::steady_clock::now(); }

}  // namespace

Service::Service(base::EventLoop& loop, const Options& options, std::optional<PinMemory> memory)
    : loop_(loop),
      since_(now()),
      memory_(std::move(memory)),
      gate_({[this](const Client& client, Bytes packet) {
               if (const auto* udp = std::get_if<UdpPeer>(&client)) udp_.answer(*udp, packet);
               else tcp_.answer(std::get<TcpPeer>(client), packet, now());
             },
             [this](JobId id, const Query& query) { return upstream_->ask(id, query, now()); },
             [this](const PinRequest& request) { return link_.send(request); }, random_number,
             [](const LoggedQuestion& question) { log(Priority::info, {}, to_string(question)); }},
            memory_ ? memory_->table() : PinTable(limits::remembered_pins)),
      udp_(loop, {[this](const UdpPeer& peer, std::uint32_t mark, ByteView packet, std::span<std::uint8_t> out, Time read) {
                    return gate_.answer_kept(peer, mark, packet, out, read);
                  },
                  [this](const Client& client, std::uint32_t mark, ByteView packet, Time read) {
                    gate_.on_question(client, mark, packet, read);
                  }}),
      tcp_(loop,
           [this](const Client& client, std::uint32_t mark, ByteView packet) { gate_.on_question(client, mark, packet, now()); }),
      link_(loop, options.socket,
            {[this](auto rules, const Announcement& announcement, const RuleFiles& files, auto sockets) {
               on_announced(std::move(rules), announcement, files, std::move(sockets));
             },
             [this](const PinReply& reply) { gate_.on_pin_reply(reply, now()); },
             [this](const Switches& switches) { gate_.on_switches(switches); },
             [this](const StatisticsRequest& request) { tell_statistics(request); },
             [this](const QuestionLogging& wanted) { log_questions(wanted); },
             [this](const WellOrigins& well) { gate_.on_well_origins(well); }, [this](const base::Error& why) { on_lost(why); }}) {}

base::Result<std::unique_ptr<Service>> Service::create(base::EventLoop& loop, const Options& options,
                                                       std::map<std::string, base::UniqueFd> stored) {
  std::unique_ptr<Service> service(new Service(loop, options, pin_memory(stored)));
  if (service->memory_) fd_store::store(fd_store::pins, service->memory_->fd());
  if (auto opened = service->open(options, std::move(stored)); !opened) return base::pass(std::move(opened));
  return service;
}

base::Result<void> Service::open(const Options& options, std::map<std::string, base::UniqueFd> stored) {
  auto upstream = Upstream::create(
      loop_, options.resolver,
      {[this](JobId id, ByteView packet) { gate_.on_upstream(id, packet, now()); },
       [this](JobId id, Ede why) { gate_.on_upstream_silent(id, why, now()); }, [this](bool answers) { on_health(answers); }});
  if (!upstream) return base::pass(std::move(upstream));
  upstream_ = std::move(*upstream);
  turn_ = loop_.after_each([this] { end_of_turn(); });
  auto tick = loop_.after(std::chrono::microseconds(0), [this] { on_tick(); });
  if (!tick) return base::pass(std::move(tick));
  tick_ = std::move(*tick);
  ticking_ = true;
  resume(std::move(stored));
  link_.start();
  return {};
}

base::Result<void> Service::use(GateSockets sockets) {
  const int udp = sockets.udp.get();
  const int tcp = sockets.tcp.get();
  if (auto used = udp_.use(std::move(sockets.udp)); !used) return used;
  if (auto used = tcp_.use(std::move(sockets.tcp)); !used) return used;
  fd_store::store(fd_store::udp, udp);
  fd_store::store(fd_store::tcp, tcp);
  has_sockets_ = true;
  return {};
}

/// Goes on with the sockets, rules and pins of an earlier run, so that all but names whose pins have ended are answered while
/// schultord is away.
void Service::resume(std::map<std::string, base::UniqueFd> stored) {
  auto rules = stored.extract(fd_store::rules);
  auto udp = stored.extract(fd_store::udp);
  auto tcp = stored.extract(fd_store::tcp);
  if (!rules || !udp || !tcp) return;
  RuleFiles files{std::move(rules.mapped()), {}};
  if (auto table = stored.extract(fd_store::table)) files.table = std::move(table.mapped());
  auto read = read_rules(files);
  auto used = read ? use({std::move(udp.mapped()), std::move(tcp.mapped())}) : base::Result<void>(base::pass(std::move(read)));
  if (!used) {
    log(Priority::warning, {}, fmt::format("What the service manager kept is of no use: {}", used.error().what()));
    return;
  }
  gate_.on_rules(std::move(*read), Announcement{0, gate_.pins_epoch()}, now());
  tell();
}

void Service::on_announced(std::shared_ptr<const Rulebook> rules, const Announcement& announcement, const RuleFiles& files,
                           std::optional<GateSockets> sockets) {
  const bool first = sockets.has_value();
  // Rules before sockets: the first question that is read is already judged by them.
  gate_.on_rules(std::move(rules), announcement, now());
  fd_store::store(fd_store::rules, files.rules.get());
  if (files.table) fd_store::store(fd_store::table, files.table.get());
  else fd_store::remove(fd_store::table);
  if (sockets) {
    if (auto used = use(std::move(*sockets)); !used) {
      log(Priority::error, {}, fmt::format("The sockets from schultord are of no use: {}", used.error().what()));
      return loop_.quit();
    }
  }
  if (first) log(Priority::info, message_id::gate_ready, "The DNS gate has its rules and answers");
  tell();
}

void Service::on_lost(const base::Error& why) {
  log(Priority::warning, message_id::gate_waiting, fmt::format("The DNS gate waits for schultord: {}", why.what()));
  gate_.on_link_lost(now());
  // It was switched on by schultord, who answers for it: without it nobody is told any more that it is on.
  log_questions({});
  tell();
}

void Service::on_health(bool answers) {
  if (answers) log(Priority::info, message_id::resolver_answers, "The resolver answers");
  else log(Priority::error, message_id::resolver_silent, "The resolver is silent: see “systemctl status unbound”");
  link_.tell_health(answers);
  tell();
}

void Service::log_questions(const QuestionLogging& wanted) {
  gate_.log_questions(wanted, now());
  note_end_of_log();
  if (!gate_.log().on()) return;
  logging_told_ = true;
  log(Priority::notice, message_id::question_log, "Questions are logged for a while, without who asks them");
}

void Service::note_end_of_log() {
  if (gate_.log().on() || !std::exchange(logging_told_, false)) return;
  log(Priority::notice, message_id::question_log,
      fmt::format("Questions are not logged any more; {} were too many in their second", gate_.log().left_out()));
}

void Service::tell_statistics(const StatisticsRequest& request) {
  const auto& counters = gate_.counters();
  link_.tell_statistics(
      request, counters.views(),
      {since_, counters.answered(), upstream_->counts(), upstream_->round_trip(), counters.pins, gate_.under_way()});
}

void Service::end_of_turn() {
  gate_.end_of_turn(now());
  upstream_->flush();
  udp_.flush();
  if (!ticking_ && (gate_.waiting() || upstream_->waiting() || tcp_.waiting())) {
    ticking_ = true;
    tick_.restart(limits::tick);
  }
}

/// The end of the turn restarts the timer if anything still waits.
void Service::on_tick() {
  ticking_ = false;
  const auto at = now();
  gate_.tick(at);
  note_end_of_log();
  upstream_->tick(at);
  tcp_.tick(at);
}

void Service::tell() {
  const bool serving = gate_.has_rules() && has_sockets_;
  const auto status = fmt::format("{}, schultord {}, resolver {}", serving ? "answering" : "waiting for rules",
                                  link_.connected() ? "connected" : "away",
                                  !upstream_->answers()   ? "not known yet"
                                  : *upstream_->answers() ? "answers"
                                                          : "silent");
  fd_store::tell(status, serving && !ready_told_);
  ready_told_ = ready_told_ || serving;
}

}  // namespace schultor::dns
