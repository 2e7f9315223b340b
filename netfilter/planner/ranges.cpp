// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/ranges.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace schultor::netfilter::planner {
namespace {

using base::Address;
using model::Element;

struct Range {
  Address first, last;
  bool operator==(const Range&) const = default;
};

/// The address after `address`; nothing after the last of all.
std::optional<Address> successor(Address address) {
  for (std::size_t i = address.bytes().size(); i-- > 0;)
    if (++address.octets[i] != 0) return address;
  return std::nullopt;
}

std::vector<Range> merge(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> merged;
  for (const Range& range : ranges) {
    const auto after = merged.empty() ? std::nullopt : successor(merged.back().last);
    if (!merged.empty() && (!after || range.first <= *after)) merged.back().last = std::max(merged.back().last, range.last);
    else merged.push_back(range);
  }
  return merged;
}

std::optional<Address> predecessor(Address address) {
  for (std::size_t i = address.bytes().size(); i-- > 0;)
    if (address.octets[i]-- != 0) return address;
  return std::nullopt;
}

std::vector<Range> ranges_of(const std::vector<base::Prefix>& prefixes, base::Family family) {
  std::vector<Range> ranges;
  for (const base::Prefix& prefix : prefixes)
    if (prefix.address.family == family) ranges.push_back({prefix.address, base::last_address(prefix)});
  return merge(std::move(ranges));
}

/// What is left of the range; `holes` are in their order and apart.
std::vector<Range> without_holes(const Range& range, const std::vector<Range>& holes) {
  std::vector<Range> rest;
  std::optional<Address> next = range.first;
  for (const Range& hole : holes) {
    if (!next || hole.last < *next || range.last < hole.first) continue;
    if (*next < hole.first) rest.push_back({*next, *predecessor(hole.first)});
    next = successor(hole.last);
  }
  if (next && *next <= range.last) rest.push_back({*next, range.last});
  return rest;
}

Element element_of(const Range& range) {
  Element element{{range.first}};
  if (range.first != range.last) element.last = {range.last};
  return element;
}

using Groups = std::map<base::Prefix, GroupNumber>;

/// What is left of `whole` without the networks [from, to), which all lie in it.
void leave(const base::Prefix& whole, GroupNumber group, Groups::const_iterator from, Groups::const_iterator to, Groups& left) {
  if (from == to) left.emplace(whole, group);
  if (from == to || from->first == whole) return;
  const auto length = static_cast<std::uint8_t>(whole.length + 1);
  const base::Prefix lower{whole.address, length};
  const auto middle = std::find_if(from, to, [&](const auto& one) { return !contains(lower, one.first.address); });
  leave(lower, group, from, middle, left);
  leave(base::network_of(base::last_address(whole), length), group, middle, to, left);
}

/// The ports from a boundary on up to the one before the next boundary, with the addresses open on them.
struct Band {
  std::uint16_t first_port, last_port;
  std::vector<Range> ranges;
};

std::vector<Band> bands_of(const std::vector<Service>& services) {
  std::vector<std::uint32_t> boundaries;
  for (const Service& service : services) {
    boundaries.push_back(service.first_port);
    boundaries.push_back(service.last_port + 1U);
  }
  std::sort(boundaries.begin(), boundaries.end());
  boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
  std::vector<Band> bands;
  for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
    std::vector<Range> ranges;
    for (const Service& service : services)
      if (service.first_port <= boundaries[i] && boundaries[i] <= service.last_port)
        ranges.push_back({service.prefix.address, base::last_address(service.prefix)});
    ranges = merge(std::move(ranges));
    const auto first = static_cast<std::uint16_t>(boundaries[i]);
    const auto last = static_cast<std::uint16_t>(boundaries[i + 1] - 1);
    if (ranges.empty()) continue;
    if (!bands.empty() && bands.back().last_port + 1U == first && bands.back().ranges == ranges) bands.back().last_port = last;
    else bands.push_back({first, last, std::move(ranges)});
  }
  return bands;
}

}  // namespace

std::vector<Element> merged_ranges(const std::vector<base::Prefix>& prefixes, base::Family family) {
  return remaining_ranges(prefixes, {}, family);
}

std::vector<Element> remaining_ranges(const std::vector<base::Prefix>& prefixes, const std::vector<base::Prefix>& without,
                                      base::Family family) {
  std::vector<Element> elements;
  const auto holes = ranges_of(without, family);
  for (const Range& range : ranges_of(prefixes, family))
    for (const Range& rest : without_holes(range, holes)) elements.push_back(element_of(rest));
  return elements;
}

std::map<base::Prefix, GroupNumber> disjoint(const std::map<base::Prefix, GroupNumber>& prefixes) {
  Groups left;
  for (auto own = prefixes.begin(); own != prefixes.end(); ++own) {
    const auto from = std::next(own);
    const auto to = std::find_if(from, prefixes.end(), [&](const auto& one) { return !contains(own->first, one.first.address); });
    leave(own->first, own->second, from, to, left);
  }
  return left;
}

std::vector<Element> group_ranges(const std::map<base::Prefix, GroupNumber>& prefixes, base::Family family) {
  std::vector<Element> elements;
  for (const auto& [prefix, group] : prefixes) {
    if (prefix.address.family != family) continue;
    elements.push_back(element_of({prefix.address, base::last_address(prefix)}));
    elements.back().value = model::Mark{group};
  }
  std::sort(elements.begin(), elements.end());
  return elements;
}

std::vector<Element> service_ranges(const std::vector<Service>& services, base::Family family) {
  std::map<std::uint8_t, std::vector<Service>> by_protocol;
  for (const Service& service : services)
    if (service.prefix.address.family == family && service.first_port <= service.last_port)
      by_protocol[service.protocol].push_back(service);
  std::vector<Element> elements;
  for (const auto& [protocol, own] : by_protocol) {
    for (const Band& band : bands_of(own)) {
      for (const Range& range : band.ranges) {
        Element element{{range.first, model::Protocol{protocol}, model::Port{band.first_port}}};
        const model::Key last{range.last, model::Protocol{protocol}, model::Port{band.last_port}};
        if (last != element.key) element.last = last;
        elements.push_back(std::move(element));
      }
    }
  }
  std::sort(elements.begin(), elements.end());
  return elements;
}

}  // namespace schultor::netfilter::planner
