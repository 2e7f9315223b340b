// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include <memory>

namespace schultor::netfilter::kernel {

/// Frees what libnftnl allocates.
struct NftnlFree {
  void operator()(nftnl_chain* chain) const { nftnl_chain_free(chain); }
  void operator()(nftnl_expr* expression) const { nftnl_expr_free(expression); }
  void operator()(nftnl_flowtable* flowtable) const { nftnl_flowtable_free(flowtable); }
  void operator()(nftnl_obj* object) const { nftnl_obj_free(object); }
  void operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }
  void operator()(nftnl_set* set) const { nftnl_set_free(set); }
  void operator()(nftnl_table* table) const { nftnl_table_free(table); }
};

template <typename T>
using Handle = std::unique_ptr<T, NftnlFree>;

}  // namespace schultor::netfilter::kernel
