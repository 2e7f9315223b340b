// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The whole gate but for its sockets: a question of a tablet's and the resolver's answer to it, both any octets. The first octet
// picks the view, what becomes of the pins and whether the kept origin is well; the next two are the length of the question; the
// answer's header and question are made to belong, so that what follows is looked at. Whatever comes out, no address leaves that
// was not pinned.
#include "daemon/dns/gate.hpp"
#include "daemon/dns/screen.hpp"
#include "daemon/dns/svcb.hpp"
#include "daemon/policy/address_reach.hpp"

#include <cstdint>
#include <cstdlib>
#include <set>

using namespace schultor;
using namespace schultor::dns;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

policy::NamePatterns patterns(std::initializer_list<std::string_view> names) {
  std::vector<policy::Pattern> list;
  for (const auto text : names) list.push_back(policy::parse_pattern(text, {}).value());
  return policy::NamePatterns(std::move(list));
}

/// View 1 is listed and steered, 2 open with safe search.
const policy::GateRules& rules() {
  static const auto made = [] {
    policy::GateRules all;
    all.cloud = patterns({"cloud.test"});
    all.never = patterns({"doh.test"});
    all.local = patterns({"schule.internal"});
    all.lan = {base::parse_interface_address("10.77.0.1/16").value()};
    policy::ProfileNames listed, open;
    listed.name = "school";
    listed.listed = true;
    listed.allow = patterns({"lernen.test", "schule.internal", "google.de"});
    open.name = "leisure";
    open.block = patterns({"casino.test"});
    open.safe_search = {true, policy::YouTube::strict};
    all.profiles = {listed, open};
    all.views = {{1, {0, true}}, {2, {1, false}}};
    all.steered = {{"kept.cloud.test", 0, policy::Scope::school, {}}};
    return all;
  }();
  return made;
}

/// Every address that an answer tells, hints included.
std::set<base::Address> told_addresses(ByteView packet, const Query& query) {
  std::set<base::Address> all;
  const auto answer = read_response(packet, query);
  if (!answer) return all;
  for (const auto& record : answer->answers) {
    if (const auto one = address_of(record)) all.insert(*one);
    if (record.type != rr::svcb && record.type != rr::https) continue;
    auto binding = read_service_binding(record);
    require(binding.has_value());
    require(keep_hints(*binding, [&](const base::Address& hint) {
      all.insert(hint);
      return true;
    }));
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::uint32_t view = 1U + (data[0] & 1U);
  const bool refuses_pins = (data[0] & 2U) != 0;
  const std::size_t asked = std::min<std::size_t>(std::size_t{data[1]} << 8U | data[2], size - 3);
  const ByteView question(data + 3, asked);
  const ByteView rest(data + 3 + asked, size - 3 - asked);
  const Time now{std::chrono::hours(1)};

  std::vector<std::pair<JobId, Query>> upstream;
  std::vector<PinRequest> requests;
  std::vector<Bytes> answers;
  Gate gate({[&](const Client&, Bytes packet) { answers.push_back(std::move(packet)); },
             [&](JobId id, const Query& query) {
               upstream.emplace_back(id, query);
               return true;
             },
             [&](const PinRequest& request) {
               requests.push_back(request);
               return PinSent::sent;
             },
             [] { return std::uint64_t{1}; }},
            PinTable(64), {16, 1U << 16U});
  gate.on_rules(std::make_shared<const Rulebook>(rules()), {1, 1}, now);
  const bool is_well = (data[0] & 4U) != 0;
  if (is_well) gate.on_well_origins({1, 1});
  gate.on_question(TcpPeer{1}, view, question, now);
  require(answers.size() + upstream.size() <= 1);
  const auto query = read_query(question);
  if (upstream.empty()) {
    // A kept origin's name leads to the box alone, and only while it is well.
    if (query && !answers.empty() && query->name.lower_text() == "kept.cloud.test")
      for (const auto& address : told_addresses(answers[0], *query))
        require(is_well && view == 1 && address == rules().lan[0].address);
    return 0;
  }
  require(query && query->fault == Rcode::no_error);
  require(!upstream[0].second.checking_disabled || !tells_addresses(query->type));

  // As the resolver would send it: its header's counts and all behind the question are the input's.
  auto packet = write_question(7, upstream[0].second, limits::upstream_answer);
  packet.resize(packet.size() - 11);
  packet[2] = 0x81;
  packet[10] = packet[11] = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (i < 1) packet[3] = rest[i];
    else if (i < 4) packet[5U + 2U * i] = rest[i];
    else packet.push_back(rest[i]);
  }
  gate.on_upstream(upstream[0].first, packet, now);
  gate.end_of_turn(now);
  std::set<base::Address> pinned;
  const auto before = answers.size();
  for (const auto& request : requests) {
    for (const auto& entry : request.entries) pinned.insert(entry.address);
    require(decode(encode(request)).has_value());
  }
  if (!requests.empty()) {
    require(answers.empty() && requests.size() == 1);
    gate.on_pin_reply({requests[0].sequence, refuses_pins ? PinStatus::failed : PinStatus::pinned}, now);
  }
  require(answers.size() == 1 && before <= 1);
  const auto head = read_response_head(answers[0]);
  require(head && head->id == query->id && head->name == query->name);
  const bool listed_or_cloud = policy::doors_of(rules(), query->name.lower_text(), {}) != 0;
  for (const auto& address : told_addresses(answers[0], *query)) {
    require(policy::reach_of(rules().lan, address) != policy::Reach::nowhere);
    if (!listed_or_cloud || !policy::rewrite_of(rules().profiles[view - 1],
                                                policy::judge(rules(), rules().profiles[view - 1], query->name.lower_text(), {}),
                                                query->name.lower_text())
                                 .empty())
      continue;
    require(pinned.contains(address) && !refuses_pins);
  }
  return 0;
}
