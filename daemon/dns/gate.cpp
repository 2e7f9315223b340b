// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/gate.hpp"

#include "daemon/dns/screen.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace schultor::dns {
namespace {

/// When a reply that is still missing is not waited for any more, long after the last question has given up.
constexpr auto forget_request = 5 * limits::pin_wait;

/// What the doors are places of: the listed profiles, and the cloud's sets of ports.
std::vector<std::string> meaning_of_doors(const policy::GateRules& rules) {
  std::vector<std::string> meaning;
  for (const auto& profile : rules.profiles)
    if (profile.listed) meaning.push_back(profile.name);
  for (const auto& ports : rules.cloud_ports) {
    meaning.emplace_back();
    for (const auto& range : ports) meaning.back() += base::to_string(range) + ",";
  }
  return meaning;
}

/// FNV-1a over the texts and their ends.
std::uint64_t fingerprint(const std::vector<std::string>& texts) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](unsigned char octet) { hash = (hash ^ octet) * 0x100000001b3U; };
  for (const auto& text : texts) {
    for (const char c : text) add(static_cast<unsigned char>(c));
    add(0);
  }
  return hash;
}

/// Adds `more` to `entries`, each address once. False, and nothing added, when there would be too many.
bool merge(std::vector<PinEntry>& entries, const std::vector<PinEntry>& more) {
  if (entries.size() + more.size() > most_pins) return false;
  for (const auto& entry : more) {
    const auto same = std::find_if(entries.begin(), entries.end(),
                                   [&](const auto& other) { return other.address == entry.address && other.doors == entry.doors; });
    if (same == entries.end()) entries.push_back(entry);
    else same->lifetime = std::max(same->lifetime, entry.lifetime);
  }
  return true;
}

/// The answer about `target` as one to `query`, by a link of the gate's own.
void put_in_place(Answer& answer, const Query& query, const Name& target) {
  const auto wire = target.wire();
  answer.answers.insert(answer.answers.begin(), {query.name, rr::cname, static_cast<std::uint32_t>(limits::ttl_cap.count()),
                                                 Bytes(wire.begin(), wire.end())});
  answer.authentic_data = false;
}

const in6_addr& source_of(const Client& client) {
  if (const auto* udp = std::get_if<UdpPeer>(&client)) return udp->address.sin6_addr;
  return std::get<TcpPeer>(client).source;
}

bool is_over_tcp(const Client& client) { return std::holds_alternative<TcpPeer>(client); }
bool is_told_keepalive(const Client& client, const Query& query) { return is_over_tcp(client) && query.keepalive; }

Verdict verdict_of(Action action) {
  switch (action) {
    case Action::drop:
      return Verdict::ignored;
    case Action::fault:
    case Action::not_ours:
      return Verdict::fault;
    case Action::nx_domain:
    case Action::no_data:
      return Verdict::refused;
    case Action::no_type:
    case Action::any:
      return Verdict::no_type;
    case Action::own:
    case Action::absent:
      return Verdict::own;
    case Action::steered:
      return Verdict::steered;
    case Action::ask:
      break;
  }
  return Verdict::allowed;
}

AnswerCache::Secret secret_of(const std::function<std::uint64_t()>& random) {
  const std::array<std::uint64_t, 2> halves{random(), random()};
  return std::bit_cast<AnswerCache::Secret>(halves);
}

}  // namespace

Gate::Gate(Edges edges, PinTable pins, const AnswerCache::Bounds& kept)
    : edges_(std::move(edges)), pins_(std::move(pins)), fair_share_(edges_.random), kept_(kept, secret_of(edges_.random)) {}

Bytes Gate::reply(const Client& client, std::uint32_t view, const Query& query, Answer answer, Verdict verdict, Time now) {
  counters_.count(view, verdict);
  if (log_.on()) log(view, query.name, query.type, verdict, false, now);
  // What is denied is asked for again after the next switch.
  if (!answer.authority.empty()) cap_authority(answer, until_switch(view, now));
  if (is_told_keepalive(client, query)) answer.keepalive = limits::tcp_idle;
  return write_answer(query, answer, is_over_tcp(client) ? limits::tcp_answer : udp_limit(query));
}

/// It is not kept: to decide again costs about as much as to keep it, and it takes no room from answers that cost a question.
void Gate::reply_at_once(const Client& client, std::uint32_t view, const Query& query, Answer answer, Verdict verdict, Time now) {
  counters_.at_once(now);
  edges_.answer(client, reply(client, view, query, std::move(answer), verdict, now));
}

/// It knows the question, and not who asked it.
void Gate::log(std::uint32_t view, const Name& name, std::uint16_t type, Verdict verdict, bool kept, Time now) {
  const auto& rules = rules_->rules();
  const auto known = rules.views.find(view);
  if (known == rules.views.end() || known->second.profile >= rules.profiles.size() || !log_.wants(view, now)) return;
  edges_.log({name.lower_text(), type, rules.profiles[known->second.profile].name, verdict, kept});
}

void Gate::finish(Jobs::iterator it, Answer answer, Verdict verdict, Time now) {
  const Job& job = it->second;
  counters_.answered(job.timed ? Waited::pins : Waited::resolver, now - job.asked);
  auto packet = reply(job.client, job.view, job.query, std::move(answer), verdict, now);
  // What is kept is given over UDP, where the option for TCP must not be (RFC 7828, section 3.2.2).
  const bool current = job.generation == generation_;
  if (const auto question = plain_question_of(job.query); current && question && !is_told_keepalive(job.client, job.query))
    kept_.keep(*question, job.view, packet, verdict, now);
  edges_.answer(job.client, std::move(packet));
  forget(it);
}

/// With the answer that it has.
void Gate::finish(Jobs::iterator it, Time now) {
  finish(it, std::move(it->second.answer), it->second.decision.in_place.empty() ? Verdict::allowed : Verdict::rewritten, now);
}

void Gate::fail(Jobs::iterator it, Ede why, Time now) { finish(it, failure(Rcode::server_failure, why), Verdict::failed, now); }

void Gate::forget(Jobs::iterator job) {
  fair_share_.leave(source_of(job->second.client));
  jobs_.erase(job);
}

std::chrono::seconds Gate::until_switch(std::uint32_t view, Time now) const {
  const auto found = switches_.find(view);
  const auto at = found == switches_.end() ? other_switches_ : found->second;
  if (at == Time::max()) return limits::cloud_ttl_cap;
  // One that is past has happened, or happens as soon as schultord is back.
  return at <= now ? std::chrono::seconds(0) : std::chrono::floor<std::chrono::seconds>(at - now);
}

void Gate::on_switches(const Switches& switches) {
  switches_.clear();
  for (const auto& one : switches.views) switches_.insert_or_assign(one.view, one.at);
  other_switches_ = switches.others;
  // What is kept was given by other instants.
  kept_.clear();
}

std::size_t Gate::answer_kept(const UdpPeer& peer, std::uint32_t mark, ByteView packet, std::span<std::uint8_t> out, Time now) {
  const auto question = read_plain_question(packet);
  if (!question) return 0;
  const auto room = std::min(out.size(), udp_limit(question->edns));
  const auto found = kept_.answer(*question, mark, out.first(room), now);
  // Who is not heard has no answer from here either; on_question() finds the same.
  if (found.size == 0 || !fair_share_.admit(peer.address.sin6_addr, now)) return 0;
  counters_.at_once(now);
  counters_.count_kept(mark, found.verdict);
  if (log_.on()) log(mark, WireReader(question->name).name(), question->type, found.verdict, true, now);
  return found.size;
}

void Gate::on_question(const Client& client, std::uint32_t mark, ByteView packet, Time now) {
  if (!rules_) return;
  // Over TCP as well: a connection whose questions are left unanswered is soon not read any more, and ends when it is idle for
  // long.
  if (!fair_share_.admit(source_of(client), now)) return counters_.count(mark, Verdict::dropped);
  auto query = read_query(packet);
  if (!query) return counters_.count(mark, Verdict::ignored);
  const auto decision = decide(*rules_, mark, *query, well_);
  // By no view: what a packet without one says of itself is nobody's.
  if (decision.action == Action::drop) return counters_.count(0, Verdict::ignored);
  if (decision.action != Action::ask)
    return reply_at_once(client, mark, *query, answer_to(decision, rules_->rules(), *query), verdict_of(decision.action), now);
  if (jobs_.size() >= limits::jobs)
    return reply_at_once(client, mark, *query, failure(Rcode::server_failure, Ede::other), Verdict::failed, now);
  if (!fair_share_.enter(source_of(client))) return counters_.count(mark, Verdict::dropped);
  Job job;
  job.client = client;
  job.query = std::move(*query);
  job.view = mark;
  job.asked = now;
  job.generation = generation_;
  job.decision = decision;
  ask(jobs_.emplace(++last_job_, std::move(job)).first, now);
}

/// What the resolver is asked: the question, or, in `room`, the one in its place.
const Query& Gate::asked_of(const Job& job, Query& room) {
  // What opens a door has been validated, or the resolver fails: a tablet's CD bit must not have addresses pinned that somebody
  // forged. It goes along for the rest, such as the keys and digests of a client that validates by itself.
  const bool is_to_be_checked = job.query.checking_disabled && tells_addresses(job.query.type);
  if (job.decision.in_place.empty() && !is_to_be_checked) return job.query;
  room = job.query;
  if (!job.decision.in_place.empty()) room.name = name_from_text(job.decision.in_place).value_or(Name());
  if (is_to_be_checked) room.checking_disabled = false;
  return room;
}

void Gate::ask(Jobs::iterator job, Time now) {
  Query room;
  if (!edges_.ask(job->first, asked_of(job->second, room))) fail(job, Ede::other, now);
}

void Gate::on_upstream(JobId id, ByteView packet, Time now) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  Query room;
  const auto& asked = asked_of(job, room);
  auto answer = read_response(packet, asked);
  if (!answer) return fail(found, Ede::network_error, now);
  if (answer->rcode != Rcode::no_error && answer->rcode != Rcode::nx_domain)
    return fail(found, answer->ede.value_or(Ede::no_reachable_authority), now);
  if (answer->truncated) {
    // Only an answer beyond limits::upstream_answer: over TCP there is no more to be had.
    if (std::holds_alternative<TcpPeer>(job.client)) return fail(found, Ede::other, now);
    answer->answers.clear();
    answer->authority.clear();
    job.answer = std::move(*answer);
    return finish(found, now);
  }
  if (!job.decision.in_place.empty()) put_in_place(*answer, job.query, asked.name);
  job.answer = std::move(*answer);
  job.answered = true;
  if (job.generation != generation_ ? judge_anew(found, now) : pass_screen(found, now)) weigh(found, now);
}

void Gate::on_upstream_silent(JobId id, Ede why, Time now) {
  if (const auto job = jobs_.find(id); job != jobs_.end()) fail(job, why, now);
}

/// Under the rules that hold now. False when the job is finished, or the resolver is asked for something else.
bool Gate::judge_anew(Jobs::iterator it, Time now) {
  Job& job = it->second;
  const auto decision = decide(*rules_, job.view, job.query, well_);
  if (decision.action == Action::drop) {
    counters_.count(job.view, Verdict::ignored);
    forget(it);
    return false;
  }
  if (decision.action != Action::ask) {
    finish(it, answer_to(decision, rules_->rules(), job.query), verdict_of(decision.action), now);
    return false;
  }
  const bool other_name = decision.in_place != job.decision.in_place;
  job.generation = generation_;
  job.decision = decision;
  if (!other_name) return pass_screen(it, now);
  job.answered = false;
  ask(it, now);
  return false;
}

/// Keeps of the answer what may be told. False when the job is finished.
bool Gate::pass_screen(Jobs::iterator it, Time now) {
  Job& job = it->second;
  auto screened = screen(*rules_, job.view, job.query, job.answer);
  if (screened.outcome == Outcome::passes) {
    job.addresses = std::move(screened.addresses);
    return true;
  }
  // NODATA, not NXDOMAIN: what lies below the name is another matter (RFC 8020).
  finish(it, refusal(job.query, Rcode::no_error, Ede::filtered, limits::refusal_ttl), Verdict::screened, now);
  return false;
}

/// Under the rules that hold now: answers, or puts the job into this turn's batch.
void Gate::weigh(Jobs::iterator it, Time now) {
  Job& job = it->second;
  if (!job.answered || (job.generation != generation_ && !judge_anew(it, now))) return;
  // One TTL for the whole answer: what a tablet keeps of it never outlives the pins of its addresses.
  job.ttl = lowest_ttl(job.answer, highest_ttl(job.decision.doors));
  // Nor does a safe name outlive the profile that asks for it, or a plain one the profile that does not.
  if (policy::is_rewritable(job.query.name.lower_text())) job.ttl = std::min(job.ttl, until_switch(job.view, now));
  if (job.decision.kept) job.ttl = std::min(job.ttl, limits::unsteered_ttl);
  cap_ttls(job.answer, job.ttl);
  if (lacking(job, now).empty()) return finish(it, now);
  if (!std::exchange(job.timed, true)) deadlines_.emplace_back(now + limits::pin_wait, it->first);
  batch_.push_back(it->first);
}

std::vector<PinEntry> Gate::lacking(const Job& job, Time now) const {
  std::vector<PinEntry> entries;
  for (const auto& address : job.addresses)
    if (const auto doors = pins_.missing(address, job.decision.doors, job.ttl, now); doors != 0)
      entries.push_back({address, doors, pin_lifetime(job.decision.doors)});
  return entries;
}

bool Gate::is_open(std::uint32_t view) const {
  const auto& rules = rules_->rules();
  const auto found = rules.views.find(view);
  return found != rules.views.end() && !rules.profiles[found->second.profile].listed;
}

/// The pins are not to be had: answers from those that live, for as long as they do.
void Gate::give_up(Jobs::iterator it, Time now) {
  Job& job = it->second;
  auto left = limits::cloud_pin;
  for (const auto& address : job.addresses) left = std::min(left, pins_.left(address, job.decision.doors, now));
  if (left <= limits::least_pin) return fail(it, Ede::other, now);
  cap_ttls(job.answer, left - limits::least_pin);
  finish(it, now);
}

/// Nobody is there to open its addresses, and an open view needs no pin: there everything else is open as well. Whoever holds the
/// answer is to ask again soon: a listed view may come with schultord.
void Gate::do_without_pins(Jobs::iterator it, Time now) {
  if (!is_open(it->second.view)) return give_up(it, now);
  cap_ttls(it->second.answer, limits::unpinned_ttl);
  finish(it, now);
}

void Gate::end_of_turn(Time now) {
  Outstanding batch;
  for (const JobId id : std::exchange(batch_, {})) {
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    const auto entries = lacking(job->second, now);
    if (!merge(batch.request.entries, entries)) {
      send(std::exchange(batch, {}), now);
      merge(batch.request.entries, entries);
    }
    batch.jobs.push_back(id);
  }
  if (!batch.jobs.empty()) send(std::move(batch), now);
  counters_.end_of_turn(now);
}

void Gate::send(Outstanding batch, Time now) {
  // Pinned by a reply that came since: nothing is left to ask for.
  if (batch.request.entries.empty()) {
    for (const JobId id : batch.jobs)
      if (const auto job = jobs_.find(id); job != jobs_.end()) finish(job, now);
    return;
  }
  batch.request.sequence = ++last_sequence_;
  batch.request.rules_epoch = announcement_.rules_epoch;
  batch.sent = now;
  switch (edges_.pin(batch.request)) {
    case PinSent::sent:
      counters_.requested(batch.request.entries.size());
      outstanding_.insert_or_assign(batch.request.sequence, std::move(batch));
      return;
    case PinSent::busy:
      batch_.insert(batch_.end(), batch.jobs.begin(), batch.jobs.end());
      return;
    case PinSent::away:
      ++counters_.pins.lost;
      break;
  }
  for (const JobId id : batch.jobs)
    if (const auto job = jobs_.find(id); job != jobs_.end()) do_without_pins(job, now);
}

void Gate::on_pin_reply(const PinReply& reply, Time now) {
  auto node = outstanding_.extract(reply.sequence);
  if (!node) return;
  const Outstanding& done = node.mapped();
  counters_.replied(reply.status);
  if (reply.status == PinStatus::pinned)
    for (const auto& entry : done.request.entries) pins_.pinned(entry, done.sent, now);
  for (const JobId id : done.jobs) {
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    switch (reply.status) {
      case PinStatus::pinned:
        finish(job, now);
        break;
      case PinStatus::stale:
        if (done.request.rules_epoch != announcement_.rules_epoch) weigh(job, now);
        else parked_.push_back(id);
        break;
      case PinStatus::refused:
      case PinStatus::failed:
        give_up(job, now);
        break;
    }
  }
}

void Gate::on_rules(std::shared_ptr<const Rulebook> rules, const Announcement& announcement, Time now) {
  // A door is a place in the list of listed profiles, or in that of the cloud's sets of ports: another list gives the same bit
  // another meaning.
  pins_.keep_for({announcement.pins_epoch, fingerprint(meaning_of_doors(rules->rules()))});
  rules_ = std::move(rules);
  // The origins' places are those of the rules.
  if (announcement.rules_epoch != announcement_.rules_epoch) take_for_well(0);
  announcement_ = announcement;
  ++generation_;
  kept_.clear();
  for (const JobId id : std::exchange(parked_, {}))
    if (const auto job = jobs_.find(id); job != jobs_.end()) weigh(job, now);
  // What stands in the batch was decided under the old rules; it goes out under the new epoch only when judged anew.
  for (const JobId id : std::exchange(batch_, {}))
    if (const auto job = jobs_.find(id); job != jobs_.end() && job->second.generation != generation_) weigh(job, now);
    else if (job != jobs_.end()) batch_.push_back(id);
}

void Gate::on_well_origins(const WellOrigins& well) {
  take_for_well(well.rules_epoch == announcement_.rules_epoch ? well.mask : 0);
}

void Gate::take_for_well(std::uint64_t origins) {
  if (std::exchange(well_, origins) == origins) return;
  // What is kept, and what is under way, was decided by what was well before.
  ++generation_;
  kept_.clear();
}

void Gate::on_link_lost(Time now) {
  take_for_well(0);
  counters_.pins.lost += outstanding_.size();
  for (auto& [sequence, request] : std::exchange(outstanding_, {}))
    for (const JobId id : request.jobs)
      if (const auto job = jobs_.find(id); job != jobs_.end()) do_without_pins(job, now);
  for (const JobId id : std::exchange(parked_, {}))
    if (const auto job = jobs_.find(id); job != jobs_.end()) give_up(job, now);
}

void Gate::tick(Time now) {
  log_.tick(now);
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const auto job = jobs_.find(deadlines_.front().second);
    deadlines_.pop_front();
    if (job != jobs_.end()) give_up(job, now);
  }
  for (; !outstanding_.empty() && outstanding_.begin()->second.sent + forget_request <= now; ++counters_.pins.lost)
    outstanding_.erase(outstanding_.begin());
}

}  // namespace schultor::dns
