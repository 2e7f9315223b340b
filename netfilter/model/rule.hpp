// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/value.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace schultor::netfilter::model {

/// What a rule looks at. Each knows its spelling, its type and what must be asked first.
enum class Field : std::uint8_t {
  iifname,
  oifname,
  nfproto,
  mark,
  l4proto,
  ip_saddr,
  ip_daddr,
  ip6_saddr,
  ip6_daddr,
  ip_ttl,
  ip6_hoplimit,
  icmp_type,
  icmpv6_type,
  ether_saddr,
  th_sport,
  th_dport,
  tcp_dport,
  udp_dport,
  ct_mark,
  ct_direction,
  ct_original_ip_daddr,
  ct_original_ip6_daddr,
  ct_original_proto_dst,
};

/// "ip daddr . meta l4proto . th dport @cloud4"; a map is asked for its keys.
struct InSet {
  std::vector<Field> fields;
  std::string set;
  bool negated = false;
};
/// "ct direction original", "tcp dport 53".
struct Is {
  Field field{};
  std::uint32_t value = 0;  ///< host byte order; directions: 0 original, 1 reply
  bool negated = false;
};
/// "ct state invalid,untracked": any of the bits (NF_CT_STATE_… of nf_conntrack_common.h).
struct InState {
  std::uint32_t bits = 0;
};
/// "fib saddr . iif oif missing": answers to the packet's source would not leave by the interface that it came in by.
struct FromElsewhere {};
/// "tcp flags syn": set, whatever the others are.
struct IsSyn {};
/// "add @flows_of_device { ether saddr ct count over 1000 }": holds where the key has more connections than that, this one counted
/// in.
struct CountConnections {
  Field key{};
  std::string set;  ///< one that fills itself
  std::uint32_t most = 0;
};
/// "update @errors_of_device { ether saddr limit rate over 100/second burst 100 packets }": holds for packets beyond that.
struct LimitRate {
  Field key{};
  std::string set;  ///< one that fills itself, with a lifetime
  std::uint32_t per_second = 0;
  std::uint32_t burst = 0;
};
/// "add @addresses { ip saddr . ether saddr }": holds where it is there from now on, for as long as the set's elements live; not
/// where the set is full.
struct Remember {
  std::vector<Field> fields;
  std::string set;  ///< one that fills itself
};
/// "ct label 1"
struct HasLabel {
  std::uint8_t bit = 0;  ///< 0 to 127
};
enum class Target : std::uint8_t { mark, ct_mark };
/// "meta mark set iifname map @link_group"; no element: the rule ends here.
struct SetByMap {
  Target target{};
  Field key{};
  std::string map;
};
/// "meta mark set 0x00000000"
struct SetTo {
  Target target{};
  std::uint32_t value = 0;
};
/// "meta mark set ct mark >> 16"
struct SetByShift {
  Target target{};
  Field source{};
  std::uint32_t shift = 0;
};
/// "ct label set 1"
struct SetLabel {
  std::uint8_t bit = 0;
};
/// "counter name "refused_school""
struct Count {
  std::string counter;
};
/// "redirect to :5300"
struct Redirect {
  std::uint16_t port = 0;
};
/// "masquerade": the source becomes the address of the interface that the packet leaves by.
struct Masquerade {};
/// "tcp option maxseg size set rt mtu": no segment is longer than the routes of both directions bear.
struct ClampSegments {};
/// "flow add @cloud_flows": from its next packet on the connection is forwarded where its packets come in, past all chains. The
/// rule ends here where the kernel has no way to: other protocols than TCP and UDP, TCP that is not established, options of IP. So
/// it wants a rule of its own.
struct AddFlow {
  std::string flowtable;
};
enum class Reject : std::uint8_t { tcp_reset, admin_prohibited };
/// "meta mark vmap @group_policy"
struct ByVerdictMap {
  Field key;
  std::string map;
};

using Statement =
    std::variant<InSet, Is, InState, FromElsewhere, IsSyn, CountConnections, LimitRate, Remember, HasLabel, SetByMap, SetTo,
                 SetByShift, SetLabel, Count, Redirect, Masquerade, ClampSegments, AddFlow, Reject, ByVerdictMap, Verdict>;
using Rule = std::vector<Statement>;

}  // namespace schultor::netfilter::model
