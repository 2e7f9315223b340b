// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/neighbours/table.hpp"

#include <algorithm>

namespace schultor::netfilter::neighbours {
namespace {

bool is_present(State state) { return state == State::confirmed || state == State::in_use; }
/// Whether an entry in this state tells of a device at all.
bool is_of_device(const Neighbour& neighbour) {
  constexpr std::uint8_t group_bit = 1;
  return neighbour.mac && neighbour.state != State::unknown && neighbour.state != State::fixed &&
         (neighbour.mac->octets[0] & group_bit) == 0;
}

}  // namespace

void Table::follow(std::set<std::string> names) {
  names_ = std::move(names);
  links_.clear();
  entries_.clear();
  presences_.clear();
  departed_.clear();
}

const std::string* Table::followed_name(unsigned link) const {
  const auto known = links_.find(link);
  const bool followed = known != links_.end() && known->second.running && names_.contains(known->second.name);
  return followed ? &known->second.name : nullptr;
}

bool Table::set_link(const Link& link) {
  const bool before = followed_name(link.index) != nullptr;
  links_[link.index] = link;
  const bool now = followed_name(link.index) != nullptr;
  if (before && !now) drop_all_of(link.index);
  return now && !before;
}

void Table::remove_link(unsigned index) {
  links_.erase(index);
  drop_all_of(index);
}

void Table::drop_all_of(unsigned link) {
  entries_.erase(entries_.lower_bound({link, {base::Family{}, {}}}), entries_.lower_bound({link + 1, {base::Family{}, {}}}));
  for (auto presence = presences_.begin(); presence != presences_.end();) {
    const auto next = std::next(presence);
    if (presence->first.second == link) drop(presence);
    presence = next;
  }
}

void Table::drop(Presences::iterator presence) {
  departed_.erase({presence->second.until, presence->first});
  presences_.erase(presence);
}

/// The kernel knows it behind no address any more, though it did not fail to answer.
void Table::depart(Presences::iterator presence, Instant now) {
  if (presence->second.until <= now) return drop(presence);
  departed_.emplace(presence->second.until, presence->first);
  if (departed_.size() > most_departed) drop(presences_.find(departed_.begin()->second));
}

/// Takes an entry out. `answers`: as far as is known its device is still there.
void Table::take(const Key& key, Instant now, bool answers) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  const auto presence = presences_.find({entry->second.mac, key.first});
  auto& [place, known] = *presence;
  known.addresses.erase(key.second);
  if (is_present(entry->second.state)) {
    --known.present;
    if (answers) known.until = std::max(known.until, now + linger);
  }
  entries_.erase(entry);
  if (!known.addresses.empty()) return;
  if (answers) depart(presence, now);
  else drop(presence);
}

void Table::put(const Neighbour& neighbour, Instant now) {
  const Key key{neighbour.link, neighbour.address};
  const auto before = entries_.find(key);
  const bool same = before != entries_.end() && before->second.mac == *neighbour.mac;
  // Who had the address before is still there, as far as is known.
  if (before != entries_.end() && !same) take(key, now, true);
  const Place place{*neighbour.mac, neighbour.link};
  auto& presence = presences_[place];
  departed_.erase({presence.until, place});
  auto& entry = entries_[key];
  if (same && is_present(entry.state)) --presence.present;
  entry = {*neighbour.mac, neighbour.state};
  presence.addresses.insert(neighbour.address);
  if (is_present(neighbour.state)) ++presence.present;
  else presence.until = std::max(presence.until, now - neighbour.age + linger);
}

std::optional<Confirmation> Table::note(const Neighbour& neighbour, Instant now) {
  const auto* name = followed_name(neighbour.link);
  if (name == nullptr) return std::nullopt;
  const Key key{neighbour.link, neighbour.address};
  if (!is_of_device(neighbour)) {
    take(key, now, neighbour.state == State::fixed);
    return std::nullopt;
  }
  const auto before = entries_.find(key);
  const bool known = before != entries_.end() && before->second.mac == *neighbour.mac && before->second.state == State::confirmed;
  put(neighbour, now);
  if (neighbour.state != State::confirmed || known) return std::nullopt;
  return Confirmation{*neighbour.mac, neighbour.address, *name};
}

void Table::remove(unsigned link, const base::Address& address, Instant now) { take({link, address}, now, true); }

void Table::replace(const std::vector<Link>& links, const std::vector<Neighbour>& neighbours, Instant now) {
  std::set<unsigned> there;
  for (const auto& link : links) {
    there.insert(link.index);
    static_cast<void>(set_link(link));
  }
  for (auto link = links_.begin(); link != links_.end();) {
    const auto next = std::next(link);
    if (!there.contains(link->first)) remove_link(link->first);
    link = next;
  }
  std::set<Key> told;
  for (const auto& neighbour : neighbours) {
    told.emplace(neighbour.link, neighbour.address);
    static_cast<void>(note(neighbour, now));
  }
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (!told.contains(entry->first)) take(Key(entry->first), now, true);
    entry = next;
  }
}

void Table::for_each(Instant now, const std::function<void(const Device&)>& visit) const {
  for (const auto& [place, presence] : presences_)
    visit({place.first, links_.at(place.second).name, presence.addresses, presence.present > 0 || presence.until > now});
}

void Table::forget(Instant now) {
  while (!departed_.empty() && departed_.begin()->first <= now) drop(presences_.find(departed_.begin()->second));
}

}  // namespace schultor::netfilter::neighbours
