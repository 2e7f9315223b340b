// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/rule.hpp"

#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>

#include <string>
#include <utility>

/// Statements that several chains are made of.
namespace schultor::netfilter::planner {

inline const model::Statement original = model::Is{model::Field::ct_direction, IP_CT_DIR_ORIGINAL};
inline const model::Statement reply = model::Is{model::Field::ct_direction, IP_CT_DIR_REPLY};
inline const model::Statement is_new = model::InState{NF_CT_STATE_BIT(IP_CT_NEW)};
inline const model::Statement is_established = model::InState{NF_CT_STATE_BIT(IP_CT_ESTABLISHED)};
inline const model::Statement tcp = model::Is{model::Field::l4proto, IPPROTO_TCP};
inline const model::Statement udp = model::Is{model::Field::l4proto, IPPROTO_UDP};
inline const model::Statement from_lan = model::InSet{{model::Field::iifname}, "lan"};
inline const model::Statement not_from_lan = model::InSet{{model::Field::iifname}, "lan", true};
/// A device that the roster names: there are no more of them than it has lines, whatever addresses are made up.
inline const model::Statement known_device = model::InSet{{model::Field::ether_saddr}, "device_group"};
inline const model::Statement accept = model::Verdict{model::Verdict::Code::accept};
inline const model::Statement drop = model::Verdict{model::Verdict::Code::drop};
inline const model::Statement leave = model::Verdict{model::Verdict::Code::leave};

inline model::Statement jump(std::string chain) { return model::Verdict{model::Verdict::Code::jump, std::move(chain)}; }
inline model::Statement go_to(std::string chain) { return model::Verdict{model::Verdict::Code::go_to, std::move(chain)}; }

}  // namespace schultor::netfilter::planner
