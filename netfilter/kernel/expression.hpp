// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/kernel/handles.hpp"
#include "netfilter/model/program.hpp"

namespace schultor::netfilter::kernel {

/// For libnftnl; nothing for instruction::Foreign, which is never written.
Handle<nftnl_expr> encode(const model::Instruction& instruction);

/// What the kernel holds, exactly: whatever has no place in the instruction makes it a Foreign one.
model::Instruction decode(const nftnl_expr& expression);

}  // namespace schultor::netfilter::kernel
