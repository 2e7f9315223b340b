// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/in_flight.hpp"

#include "daemon/dns/limits.hpp"

#include <utility>

namespace schultor::dns {

std::optional<InFlight::Sending> InFlight::add(JobId job, const Query& query, std::size_t socket, Time now) {
  if (entries_.size() >= most_) return std::nullopt;
  Key key = 0;
  // Far fewer are in flight than a socket has ids, so that this ends soon.
  do key = static_cast<Key>(socket << 16U | (random_() & 0xffffU));
  while (entries_.count(key) != 0);
  const auto& entry =
      entries_
          .emplace(key, Entry{job, query.name, query.type,
                              write_question(static_cast<std::uint16_t>(key & 0xffffU), query, limits::upstream_answer)})
          .first->second;
  retries_.push_back({now + limits::upstream_retry, key, job});
  ends_.push_back({now + limits::upstream_wait, key, job});
  return Sending{socket, entry.packet};
}

std::optional<InFlight::Matched> InFlight::take(std::size_t socket, ByteView packet) {
  const auto head = read_response_head(packet);
  if (!head) return std::nullopt;
  const auto found = entries_.find(static_cast<Key>(socket << 16U | head->id));
  if (found == entries_.end() || found->second.name != head->name || found->second.type != head->type) return std::nullopt;
  Matched matched{found->second.job, std::move(found->second.packet)};
  entries_.erase(found);
  return matched;
}

InFlight::Entry* InFlight::find(const Deadline& deadline) {
  const auto found = entries_.find(deadline.key);
  return found != entries_.end() && found->second.job == deadline.job ? &found->second : nullptr;
}

InFlight::Due InFlight::due(Time now) {
  Due due;
  for (; !ends_.empty() && ends_.front().at <= now; ends_.pop_front()) {
    if (find(ends_.front()) == nullptr) continue;
    due.silent.push_back(ends_.front().job);
    entries_.erase(ends_.front().key);
  }
  for (; !retries_.empty() && retries_.front().at <= now; retries_.pop_front())
    if (const auto* entry = find(retries_.front())) due.again.push_back({retries_.front().key >> 16U, entry->packet});
  return due;
}

}  // namespace schultor::dns
