// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/batch.hpp"

#include "netfilter/kernel/element.hpp"
#include "netfilter/kernel/expression.hpp"

#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <array>

namespace schultor::netfilter::kernel {

using base::fail;
using base::Result;
using namespace planner::operation;

namespace {

/// Room kept free for one message: the longest nest of elements (an attribute's length has 16 bits), or a rule.
constexpr std::size_t message_room = 128 * 1024;
constexpr std::size_t longest_nest = 60 * 1024;

constexpr std::array<const char*, 2> hook_types{"filter", "nat"};

Result<void> check_name(std::string_view name) {
  if (name.empty() || name.size() >= NFT_NAME_MAXLEN)
    return fail("“{}” is no name for nf_tables: expected 1 to {} characters", name.substr(0, 64), NFT_NAME_MAXLEN - 1);
  return {};
}

}  // namespace

/// Appends the messages of one operation.
struct OperationEncoder {
  Batch& batch;
  const std::string& table;
  RefreshMode refresh;
  std::size_t index;

  Result<void> with_table(std::uint16_t type, std::uint16_t flags, std::uint32_t table_flags) const {
    const Handle<nftnl_table> handle(nftnl_table_alloc());
    nftnl_table_set_str(handle.get(), NFTNL_TABLE_NAME, table.c_str());
    if (table_flags != 0) nftnl_table_set_u32(handle.get(), NFTNL_TABLE_FLAGS, table_flags);
    nlmsghdr* message = batch.start(type, flags, {index});
    nftnl_table_nlmsg_build_payload(message, handle.get());
    batch.finish(message);
    return {};
  }
  Result<void> operator()(const AddTable& add) const {
    return with_table(NFT_MSG_NEWTABLE, NLM_F_CREATE, add.owned ? std::uint32_t{NFT_TABLE_F_OWNER} : 0);
  }
  Result<void> operator()(const DeleteTable&) const { return with_table(NFT_MSG_DELTABLE, 0, 0); }

  Result<void> operator()(const AddSet& add) const {
    if (auto valid = check_name(add.set.name); !valid) return valid;
    const SetAttributes attributes = attributes_of(add.set);
    const Handle<nftnl_set> handle(nftnl_set_alloc());
    nftnl_set* set = handle.get();
    nftnl_set_set_str(set, NFTNL_SET_TABLE, table.c_str());
    nftnl_set_set_str(set, NFTNL_SET_NAME, add.set.name.c_str());
    nftnl_set_set_u32(set, NFTNL_SET_FLAGS, attributes.flags);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, attributes.key_type);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, attributes.key_length);
    if (add.set.maps != model::Maps::nothing) {
      nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, attributes.data_type);
      nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, attributes.data_length);
    }
    if (attributes.size > 0) nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, attributes.size);
    if (attributes.lifetime > 0) nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, attributes.lifetime);
    if (!attributes.fields.empty())
      nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, attributes.fields.data(),
                         static_cast<std::uint32_t>(attributes.fields.size()));
    nftnl_set_set_u32(set, NFTNL_SET_ID, static_cast<std::uint32_t>(index + 1));
    nftnl_set_set_data(set, NFTNL_SET_USERDATA, attributes.userdata.data(), static_cast<std::uint32_t>(attributes.userdata.size()));
    nlmsghdr* message = batch.start(NFT_MSG_NEWSET, NLM_F_CREATE, {index});
    nftnl_set_nlmsg_build_payload(message, set);
    batch.finish(message);
    return {};
  }
  Result<void> operator()(const DeleteSet& remove) const {
    if (auto valid = check_name(remove.set); !valid) return valid;
    nlmsghdr* message = batch.start(NFT_MSG_DELSET, 0, {index});
    mnl_attr_put_strz(message, NFTA_SET_TABLE, table.c_str());
    mnl_attr_put_strz(message, NFTA_SET_NAME, remove.set.c_str());
    batch.finish(message);
    return {};
  }

  Result<void> with_object(std::uint16_t type, std::uint16_t flags, const std::string& name, std::uint32_t object_type) const {
    if (auto valid = check_name(name); !valid) return valid;
    const Handle<nftnl_obj> handle(nftnl_obj_alloc());
    nlmsghdr* message = batch.start(type, flags, {index});
    if (type == NFT_MSG_NEWOBJ) {
      nftnl_obj_set_str(handle.get(), NFTNL_OBJ_TABLE, table.c_str());
      nftnl_obj_set_str(handle.get(), NFTNL_OBJ_NAME, name.c_str());
      nftnl_obj_set_u32(handle.get(), NFTNL_OBJ_TYPE, object_type);
      nftnl_obj_set_u64(handle.get(), NFTNL_OBJ_CTR_PKTS, 0);
      nftnl_obj_set_u64(handle.get(), NFTNL_OBJ_CTR_BYTES, 0);
      nftnl_obj_nlmsg_build_payload(message, handle.get());
    } else {
      mnl_attr_put_strz(message, NFTA_OBJ_TABLE, table.c_str());
      mnl_attr_put_strz(message, NFTA_OBJ_NAME, name.c_str());
      mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(object_type));
    }
    batch.finish(message);
    return {};
  }
  Result<void> operator()(const AddCounter& add) const {
    return with_object(NFT_MSG_NEWOBJ, NLM_F_CREATE, add.counter, NFT_OBJECT_COUNTER);
  }
  Result<void> operator()(const DeleteObject& remove) const { return with_object(NFT_MSG_DELOBJ, 0, remove.object, remove.type); }

  Result<void> with_flowtable(std::uint16_t type, std::uint16_t flags, const model::Flowtable& flowtable) const {
    if (auto valid = check_name(flowtable.name); !valid) return valid;
    const Handle<nftnl_flowtable> handle(nftnl_flowtable_alloc());
    nftnl_flowtable_set_str(handle.get(), NFTNL_FLOWTABLE_TABLE, table.c_str());
    nftnl_flowtable_set_str(handle.get(), NFTNL_FLOWTABLE_NAME, flowtable.name.c_str());
    nftnl_flowtable_set_u32(handle.get(), NFTNL_FLOWTABLE_HOOKNUM, NF_NETDEV_INGRESS);
    nftnl_flowtable_set_s32(handle.get(), NFTNL_FLOWTABLE_PRIO, flowtable.priority);
    std::vector<const char*> devices;
    for (const auto& device : flowtable.devices) devices.push_back(device.c_str());
    devices.push_back(nullptr);
    nftnl_flowtable_set_array(handle.get(), NFTNL_FLOWTABLE_DEVICES, devices.data());
    nlmsghdr* message = batch.start(type, flags, {index});
    nftnl_flowtable_nlmsg_build_payload(message, handle.get());
    batch.finish(message);
    return {};
  }
  Result<void> operator()(const AddFlowtable& add) const {
    return with_flowtable(NFT_MSG_NEWFLOWTABLE, NLM_F_CREATE, add.flowtable);
  }
  Result<void> operator()(const DeleteDevices& remove) const { return with_flowtable(NFT_MSG_DELFLOWTABLE, 0, remove.flowtable); }
  Result<void> operator()(const DeleteFlowtable& remove) const {
    if (auto valid = check_name(remove.flowtable); !valid) return valid;
    nlmsghdr* message = batch.start(NFT_MSG_DELFLOWTABLE, 0, {index});
    mnl_attr_put_strz(message, NFTA_FLOWTABLE_TABLE, table.c_str());
    mnl_attr_put_strz(message, NFTA_FLOWTABLE_NAME, remove.flowtable.c_str());
    batch.finish(message);
    return {};
  }

  Result<void> with_chain(std::uint16_t type, std::uint16_t flags, const std::string& name,
                          const std::optional<model::Hook>& hook) const {
    if (auto valid = check_name(name); !valid) return valid;
    const Handle<nftnl_chain> handle(nftnl_chain_alloc());
    nftnl_chain_set_str(handle.get(), NFTNL_CHAIN_TABLE, table.c_str());
    nftnl_chain_set_str(handle.get(), NFTNL_CHAIN_NAME, name.c_str());
    if (hook) {
      nftnl_chain_set_str(handle.get(), NFTNL_CHAIN_TYPE, hook_types.at(static_cast<std::size_t>(hook->type)));
      nftnl_chain_set_u32(handle.get(), NFTNL_CHAIN_HOOKNUM, static_cast<std::uint32_t>(hook->point));
      nftnl_chain_set_s32(handle.get(), NFTNL_CHAIN_PRIO, hook->priority);
      nftnl_chain_set_u32(handle.get(), NFTNL_CHAIN_POLICY, hook->drops ? 0 : 1);  // NF_DROP, NF_ACCEPT
    }
    nlmsghdr* message = batch.start(type, flags, {index});
    nftnl_chain_nlmsg_build_payload(message, handle.get());
    batch.finish(message);
    return {};
  }
  Result<void> operator()(const AddChain& add) const { return with_chain(NFT_MSG_NEWCHAIN, NLM_F_CREATE, add.chain, add.hook); }
  Result<void> operator()(const DeleteChain& remove) const { return with_chain(NFT_MSG_DELCHAIN, 0, remove.chain, {}); }

  /// A delete that names no rule takes all of the chain's.
  Result<void> operator()(const FlushChain& flush) const {
    if (auto valid = check_name(flush.chain); !valid) return valid;
    nlmsghdr* message = batch.start(NFT_MSG_DELRULE, 0, {index});
    mnl_attr_put_strz(message, NFTA_RULE_TABLE, table.c_str());
    mnl_attr_put_strz(message, NFTA_RULE_CHAIN, flush.chain.c_str());
    batch.finish(message);
    return {};
  }
  Result<void> operator()(const AddRule& add) const {
    if (auto valid = check_name(add.chain); !valid) return valid;
    const Handle<nftnl_rule> rule(nftnl_rule_alloc());
    nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, table.c_str());
    nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, add.chain.c_str());
    for (const model::Instruction& instruction : lower(add.rule)) {
      auto expression = encode(instruction);
      if (!expression) return fail("{}: this rule cannot be written", to_string(add.rule));
      nftnl_rule_add_expr(rule.get(), expression.release());
    }
    nlmsghdr* message = batch.start(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, {index});
    nftnl_rule_nlmsg_build_payload(message, rule.get());
    batch.finish(message);
    return {};
  }

  Result<void> operator()(const FlushSet& flush) const {
    if (auto valid = check_name(flush.set); !valid) return valid;
    nlmsghdr* message = batch.start(NFT_MSG_DELSETELEM, 0, {index});
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table.c_str());
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, flush.set.c_str());
    batch.finish(message);
    return {};
  }

  /// As few messages as hold them all.
  Result<void> with_elements(std::uint16_t type, std::uint16_t flags, const model::SetDeclaration& set,
                             const std::vector<model::Element>& elements, bool with_value, Timeouts timeouts) const {
    if (auto valid = check_name(set.name); !valid) return valid;
    for (const auto& element : elements)
      if (auto valid = check_element(set, element); !valid) return valid;
    for (std::size_t next = 0; next < elements.size();) {
      MessageNote note{index, next};
      nlmsghdr* message = batch.start(type, flags, {});
      mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table.c_str());
      mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set.name.c_str());
      const std::uint32_t begin = message->nlmsg_len;
      nlattr* nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
      for (; next < elements.size() && message->nlmsg_len - begin < longest_nest; ++next) {
        note.offsets.push_back(message->nlmsg_len);
        put_element(message, set, elements[next], with_value, timeouts);
      }
      mnl_attr_nest_end(message, nest);
      batch.notes_.back() = std::move(note);
      batch.finish(message);
    }
    batch.elements_ += elements.size();
    return {};
  }
  Result<void> operator()(const AddElements& add) const {
    return with_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, add.set, add.elements, true, Timeouts::timeout);
  }
  Result<void> operator()(const DeleteElements& remove) const {
    return with_elements(NFT_MSG_DELSETELEM, 0, remove.set, remove.elements, false, Timeouts::none);
  }
  Result<void> operator()(const PinElements& pin) const {
    const auto add = [&](Timeouts timeouts) {
      return with_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, pin.set, pin.elements, true, timeouts);
    };
    if (refresh == RefreshMode::update) return add(Timeouts::refresh);
    // The first add makes sure of the delete: the element may be missing, or expire at this moment.
    if (auto added = add(Timeouts::timeout); !added) return added;
    if (auto deleted = with_elements(NFT_MSG_DELSETELEM, 0, pin.set, pin.elements, false, Timeouts::none); !deleted) return deleted;
    auto added = add(Timeouts::timeout);
    batch.elements_ -= 2 * pin.elements.size();
    return added;
  }
};

char* Batch::room() {
  if (buffer_.size() < used_ + message_room) buffer_.resize(2 * buffer_.size() + 2 * message_room);
  return reinterpret_cast<char*>(buffer_.data() + used_);
}

nlmsghdr* Batch::start(std::uint16_t type, std::uint16_t flags, MessageNote note) {
  notes_.push_back(std::move(note));
  const auto sequence = static_cast<std::uint32_t>(first_sequence_ + notes_.size());
  return nftnl_nlmsg_build_hdr(room(), type, NFPROTO_INET, static_cast<std::uint16_t>(flags | NLM_F_ACK), sequence);
}

void Batch::finish(const nlmsghdr* message) { used_ += MNL_ALIGN(message->nlmsg_len); }

Result<Batch> Batch::encode(const planner::Plan& plan, RefreshMode refresh, std::uint32_t first_sequence) {
  if (auto valid = check_name(plan.table); !valid) return base::pass(std::move(valid));
  Batch batch(first_sequence);
  batch.finish(nftnl_batch_begin(batch.room(), first_sequence));
  for (std::size_t i = 0; i < plan.operations.size(); ++i) {
    auto encoded = std::visit(OperationEncoder{batch, plan.table, refresh, i}, plan.operations[i]);
    if (!encoded) return base::pass(std::move(encoded));
  }
  batch.finish(nftnl_batch_end(batch.room(), static_cast<std::uint32_t>(first_sequence + batch.notes_.size() + 1)));
  return batch;
}

}  // namespace schultor::netfilter::kernel
