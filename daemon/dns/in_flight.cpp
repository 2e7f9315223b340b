// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/in_flight.hpp"

#include <algorithm>
#include <utility>

namespace schultor::dns {
namespace {

// The last attempt is made well before the end, however slow the resolver is.
static_assert(limits::upstream_retry_most * ((1U << (limits::upstream_attempts - 1U)) - 1U) < limits::upstream_wait);

}  // namespace

/// Once more, or for the first time, under a fresh id.
void InFlight::send(JobId job, Question& question, std::size_t socket, Time now) {
  Key key = 0;
  // Far fewer are in flight than a socket has ids, so that this ends soon.
  do key = static_cast<Key>(socket << 16U | (random_() & 0xffffU));
  while (!sent_.emplace(key, Sent{job, now}).second);
  question.packet[0] = static_cast<std::uint8_t>(key >> 8U);
  question.packet[1] = static_cast<std::uint8_t>(key);
  question.keys[question.attempts] = key;
  stages_[question.attempts++].push_back({now, job});
}

void InFlight::forget(Questions::iterator question) {
  for (std::size_t i = 0; i < question->second.attempts; ++i) sent_.erase(question->second.keys[i]);
  questions_.erase(question);
}

std::optional<InFlight::Sending> InFlight::add(JobId job, const Query& query, std::size_t socket, Time now) {
  if (questions_.size() >= most_ || questions_.contains(job)) return std::nullopt;
  auto& question = questions_.emplace(job, Question{query.name, query.type, write_question(0, query, limits::upstream_answer), now})
                       .first->second;
  send(job, question, socket, now);
  return Sending{socket, question.packet};
}

std::optional<InFlight::Matched> InFlight::take(std::size_t socket, ByteView packet, Time now) {
  const auto head = read_response_head(packet);
  if (!head) return std::nullopt;
  const auto sent = sent_.find(static_cast<Key>(socket << 16U | head->id));
  if (sent == sent_.end()) return std::nullopt;
  const auto found = questions_.find(sent->second.job);
  if (found->second.name != head->name || found->second.type != head->type) return std::nullopt;
  round_trip_.measured(std::chrono::duration_cast<RoundTrip::Duration>(now - sent->second.at));
  Matched matched{found->first, std::move(found->second.packet), found->second.begun};
  forget(found);
  return matched;
}

void InFlight::drop(JobId job) {
  if (const auto found = questions_.find(job); found != questions_.end()) forget(found);
}

/// The next question that was sent `attempts` times and then nothing was heard of for so long; questions_.end() when there is none.
/// One that is asked anew under its number may be found by its earlier place, and is sent again a little early.
InFlight::Questions::iterator InFlight::next_due(std::deque<Stage>& stages, std::size_t attempts, RoundTrip::Duration patience,
                                                 Time now) {
  while (!stages.empty() && stages.front().at + patience <= now) {
    const auto found = questions_.find(stages.front().job);
    stages.pop_front();
    if (found != questions_.end() && found->second.attempts == attempts) return found;
  }
  return questions_.end();
}

InFlight::Due InFlight::due(std::size_t socket, Time now) {
  Due due;
  auto patience = round_trip_.retry_after();
  for (std::size_t attempts = 1; attempts < limits::upstream_attempts; ++attempts, patience *= 2) {
    auto& stages = stages_[attempts - 1];
    for (auto it = next_due(stages, attempts, patience, now); it != questions_.end();
         it = next_due(stages, attempts, patience, now)) {
      auto& question = it->second;
      // Nobody came here for so long: it has no more time to be sent again.
      if (question.begun + limits::upstream_wait <= now) {
        due.silent.push_back(it->first);
        forget(it);
        continue;
      }
      const auto by = question.keys[attempts - 1] >> 16U == socket ? (socket + 1) % sockets_ : socket;
      send(it->first, question, by, now);
      due.again.push_back({by, question.packet});
      if (question.attempts == limits::upstream_attempts)
        due.race.push_back({it->first, question.packet, question.begun + limits::upstream_wait});
    }
  }
  // They begin in the order in which they come to the end, but for moments.
  auto& last = stages_.back();
  while (!last.empty()) {
    const auto found = questions_.find(last.front().job);
    const bool waits = found != questions_.end() && found->second.attempts == limits::upstream_attempts;
    if (waits && found->second.begun + limits::upstream_wait > now) break;
    if (waits) {
      due.silent.push_back(found->first);
      forget(found);
    }
    last.pop_front();
  }
  return due;
}

}  // namespace schultor::dns
