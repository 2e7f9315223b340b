// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/gate.hpp"

#include <algorithm>
#include <utility>

namespace schultor::dns {
namespace {

/// When a reply that is still missing is not waited for any more, long after the last question has given up.
constexpr auto forget_request = 5 * limits::pin_wait;

std::vector<std::string> listed_profiles(const policy::GateRules& rules) {
  std::vector<std::string> names;
  for (const auto& profile : rules.profiles)
    if (profile.listed) names.push_back(profile.name);
  return names;
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

}  // namespace

void Gate::reply(const Client& client, const Query& query, const Answer& answer) {
  const auto limit = std::holds_alternative<UdpPeer>(client) ? udp_limit(query) : limits::tcp_answer;
  edges_.answer(client, write_answer(query, answer, limit));
}

void Gate::finish(Jobs::iterator job, const Answer& answer) {
  reply(job->second.client, job->second.query, answer);
  jobs_.erase(job);
}

void Gate::on_question(const Client& client, std::uint32_t mark, ByteView packet) {
  if (!rules_) return;
  auto query = read_query(packet);
  if (!query) return;
  const auto decision = decide(*rules_, mark, *query);
  if (decision.action == Action::drop) return;
  if (decision.action != Action::ask) return reply(client, *query, answer_to(decision.action, *query));
  if (jobs_.size() >= limits::jobs) return reply(client, *query, failure(Rcode::server_failure, Ede::other));
  Job job;
  job.client = client;
  job.query = std::move(*query);
  job.view = mark;
  job.generation = generation_;
  job.doors = decision.doors;
  const auto placed = jobs_.emplace(++last_job_, std::move(job)).first;
  if (!edges_.ask(placed->first, placed->second.query)) finish(placed, failure(Rcode::server_failure, Ede::other));
}

void Gate::on_upstream(JobId id, ByteView packet, Time now) {
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) return;
  auto answer = read_response(packet, job->second.query);
  if (!answer) return finish(job, failure(Rcode::server_failure, Ede::network_error));
  if (answer->rcode != Rcode::no_error && answer->rcode != Rcode::nx_domain) return finish(job, failure(answer->rcode));
  if (answer->truncated) {
    // Only an answer beyond limits::upstream_answer: over TCP there is no more to be had.
    if (std::holds_alternative<TcpPeer>(job->second.client)) return finish(job, failure(Rcode::server_failure, Ede::other));
    answer->answers.clear();
    answer->authority.clear();
    return finish(job, *answer);
  }
  const std::size_t before = answer->answers.size();
  job->second.addresses = keep_public_addresses(*answer);
  const bool of_addresses = job->second.query.type == rr::a || job->second.query.type == rr::aaaa;
  if (of_addresses && job->second.addresses.empty() && answer->answers.size() < before)
    return finish(job, refusal(job->second.query, Rcode::no_error, Ede::filtered, limits::refusal_ttl));
  job->second.answer = std::move(*answer);
  weigh(job, now);
}

void Gate::on_upstream_silent(JobId id, Ede why) {
  if (const auto job = jobs_.find(id); job != jobs_.end()) finish(job, failure(Rcode::server_failure, why));
}

/// Under the rules that hold now: answers, or puts the job into this turn's batch.
void Gate::weigh(Jobs::iterator it, Time now) {
  Job& job = it->second;
  if (job.generation != generation_) {
    const auto decision = decide(*rules_, job.view, job.query);
    if (decision.action == Action::drop) {
      jobs_.erase(it);
      return;
    }
    if (decision.action != Action::ask) return finish(it, answer_to(decision.action, job.query));
    job.generation = generation_;
    job.doors = decision.doors;
  }
  // One TTL for the whole answer: what a tablet keeps of it never outlives the pins of its addresses.
  job.ttl = lowest_ttl(job.answer, highest_ttl(job.doors));
  cap_ttls(job.answer, job.ttl);
  if (lacking(job, now).empty()) return finish(it, job.answer);
  if (!std::exchange(job.timed, true)) deadlines_.emplace_back(now + limits::pin_wait, it->first);
  batch_.push_back(it->first);
}

std::vector<PinEntry> Gate::lacking(const Job& job, Time now) const {
  std::vector<PinEntry> entries;
  for (const auto& address : job.addresses)
    if (const auto doors = pins_.missing(address, job.doors, job.ttl, now); doors != 0)
      entries.push_back({address, doors, pin_lifetime(job.doors)});
  return entries;
}

/// The pins are not to be had: answers from those that live, for as long as they do.
void Gate::give_up(Jobs::iterator it, Time now) {
  Job& job = it->second;
  auto left = limits::cloud_pin;
  for (const auto& address : job.addresses) left = std::min(left, pins_.left(address, job.doors, now));
  if (left <= limits::least_pin) return finish(it, failure(Rcode::server_failure, Ede::other));
  cap_ttls(job.answer, left - limits::least_pin);
  finish(it, job.answer);
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
}

void Gate::send(Outstanding batch, Time now) {
  // Pinned by a reply that came since: nothing is left to ask for.
  if (batch.request.entries.empty()) {
    for (const JobId id : batch.jobs)
      if (const auto job = jobs_.find(id); job != jobs_.end()) finish(job, job->second.answer);
    return;
  }
  batch.request.sequence = ++last_sequence_;
  batch.request.rules_epoch = announcement_.rules_epoch;
  batch.sent = now;
  switch (edges_.pin(batch.request)) {
    case PinSent::sent:
      outstanding_.insert_or_assign(batch.request.sequence, std::move(batch));
      return;
    case PinSent::busy:
      batch_.insert(batch_.end(), batch.jobs.begin(), batch.jobs.end());
      return;
    case PinSent::away:
      break;
  }
  for (const JobId id : batch.jobs)
    if (const auto job = jobs_.find(id); job != jobs_.end()) give_up(job, now);
}

void Gate::on_pin_reply(const PinReply& reply, Time now) {
  auto node = outstanding_.extract(reply.sequence);
  if (!node) return;
  const Outstanding& done = node.mapped();
  if (reply.status == PinStatus::pinned)
    for (const auto& entry : done.request.entries) pins_.pinned(entry, done.sent, now);
  for (const JobId id : done.jobs) {
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    switch (reply.status) {
      case PinStatus::pinned:
        finish(job, job->second.answer);
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

void Gate::on_rules(std::shared_ptr<const policy::GateRules> rules, const Announcement& announcement, Time now) {
  // A door is a place in the list of listed profiles, or in that of the cloud's sets of ports: another list gives the same bit
  // another meaning.
  if (announcement.pins_epoch != announcement_.pins_epoch || !rules_ || listed_profiles(*rules) != listed_profiles(*rules_) ||
      rules->cloud_ports != rules_->cloud_ports)
    pins_.forget();
  rules_ = std::move(rules);
  announcement_ = announcement;
  ++generation_;
  for (const JobId id : std::exchange(parked_, {}))
    if (const auto job = jobs_.find(id); job != jobs_.end()) weigh(job, now);
  // What stands in the batch was decided under the old rules; it goes out under the new epoch only when judged anew.
  for (const JobId id : std::exchange(batch_, {}))
    if (const auto job = jobs_.find(id); job != jobs_.end() && job->second.generation != generation_) weigh(job, now);
    else if (job != jobs_.end()) batch_.push_back(id);
}

void Gate::on_link_lost(Time now) {
  for (auto& [sequence, request] : std::exchange(outstanding_, {}))
    for (const JobId id : request.jobs)
      if (const auto job = jobs_.find(id); job != jobs_.end()) give_up(job, now);
  for (const JobId id : std::exchange(parked_, {}))
    if (const auto job = jobs_.find(id); job != jobs_.end()) give_up(job, now);
}

void Gate::tick(Time now) {
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const auto job = jobs_.find(deadlines_.front().second);
    deadlines_.pop_front();
    if (job != jobs_.end()) give_up(job, now);
  }
  while (!outstanding_.empty() && outstanding_.begin()->second.sent + forget_request <= now)
    outstanding_.erase(outstanding_.begin());
}

}  // namespace schultor::dns
