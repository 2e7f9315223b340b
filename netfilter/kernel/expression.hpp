// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/kernel/handles.hpp"
#include "netfilter/model/program.hpp"

#include <optional>

namespace schultor::netfilter::kernel {

/// For libnftnl; nothing for instruction::Foreign, which is never written.
Handle<nftnl_expr> encode(const model::Instruction& instruction);

/// What the kernel holds, exactly: whatever has no place in the instruction makes it a Foreign one. Nothing for an expression
/// that does nothing: nft swaps the octets of fields that have but one.
std::optional<model::Instruction> decode(const nftnl_expr& expression);

}  // namespace schultor::netfilter::kernel
