// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/acknowledgement.hpp"

#include "netfilter/kernel/attribute.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace schultor::netfilter::kernel {
namespace {

using base::fail;
using base::Result;

const std::vector<model::Element> no_elements;

/// The elements that an operation is about.
struct Elements {
  const std::vector<model::Element>* operator()(const planner::operation::AddElements& add) const { return &add.elements; }
  const std::vector<model::Element>* operator()(const planner::operation::DeleteElements& remove) const { return &remove.elements; }
  const std::vector<model::Element>* operator()(const planner::operation::PinElements& pin) const { return &pin.elements; }
  template <typename Other>
  const std::vector<model::Element>* operator()(const Other&) const {
    return &no_elements;
  }
};

constexpr int max_errno = 4095;  // MAX_ERRNO of the kernel

/// The same operation with one element alone.
planner::Operation narrowed(planner::Operation operation, const model::Element& element) {
  std::visit(
      [&](auto& own) {
        if constexpr (requires { own.elements; }) own.elements = {element};
      },
      operation);
  return operation;
}

Result<Acknowledgement> parse(const nlmsghdr& message) {
  const std::size_t length = message.nlmsg_len - MNL_NLMSG_HDRLEN;
  if (length < sizeof(nlmsgerr)) return fail("the kernel's answer is too short ({} octets): this is a fault of the kernel", length);
  const auto& answer = *static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
  // Kernel errors are negative.
  Acknowledgement acknowledgement{answer.msg.nlmsg_seq, std::abs(std::max(answer.error, -max_errno))};
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return acknowledgement;
  // Without NLM_F_CAPPED the message answered stands between, whole.
  std::size_t skipped = sizeof(nlmsgerr);
  if ((message.nlmsg_flags & NLM_F_CAPPED) == 0) skipped += MNL_ALIGN(answer.msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
  if (skipped > length) return acknowledgement;
  const auto* attributes = static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(&message)) + skipped;
  for_each_attribute(attributes, length - skipped, [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_MSG && mnl_attr_validate(&attribute, MNL_TYPE_NUL_STRING) == 0)
      acknowledgement.message = mnl_attr_get_str(&attribute);
    if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_OFFS && mnl_attr_validate(&attribute, MNL_TYPE_U32) == 0)
      acknowledgement.offset = mnl_attr_get_u32(&attribute);
  });
  return acknowledgement;
}

}  // namespace

std::string remedy(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "this process needs CAP_NET_ADMIN in the network namespace, or another process owns the table; nothing was changed";
    case ENOENT:
      return "something it refers to is not there, so the table is not as the plan took it to be: read and reconcile; nothing was "
             "changed";
    case EEXIST:
      return "it is there already and different, so the table is not as the plan took it to be: read and reconcile; nothing was "
             "changed";
    case EBUSY:
      return "it is still in use: read and reconcile; nothing was changed";
    case ENOTEMPTY:
      return "it overlaps an element that is there: read and reconcile; nothing was changed";
    case ENOMEM:
      return "the kernel is out of memory; nothing was changed, try again when there is some";
    case ENFILE:
      return "the set is full; nothing was changed";
    case EOPNOTSUPP:
      return "this kernel lacks something that the ruleset needs; nothing was changed";
    case ENOBUFS:
      return "answers of the kernel were lost, what holds is not known: resync, that is read and reconcile";
    default:
      return "nothing was changed";
  }
}

Result<std::vector<Acknowledgement>> read_acknowledgements(std::span<const std::uint8_t> datagram) {
  std::vector<Acknowledgement> acknowledgements;
  Result<void> sound;
  const bool whole = for_each_message(datagram.data(), datagram.size(), [&](const nlmsghdr& message) {
    if (message.nlmsg_type != NLMSG_ERROR) return true;
    auto acknowledgement = parse(message);
    if (acknowledgement) acknowledgements.push_back(std::move(*acknowledgement));
    else sound = base::pass(std::move(acknowledgement));
    return sound.has_value();
  });
  if (!sound) return base::pass(std::move(sound));
  if (!whole) return fail("the kernel's answer is cut off, what holds is not known: resync, that is read and reconcile");
  return acknowledgements;
}

Ledger::Ledger(const planner::Plan& plan, const Batch& batch)
    : plan_(plan), batch_(batch), answered_(batch.notes().size()), open_(batch.notes().size()) {}

void Ledger::note(const Acknowledgement& acknowledgement) {
  const std::uint32_t position = acknowledgement.sequence - batch_.first_sequence();
  if (position > answered_.size() + 1) return;
  if (acknowledgement.error != 0) {
    ++failures_;
    // Messages fail in the order of the plan, and the first failure tends to bring about the others.
    const bool is_earlier = !failure_ || position < failure_->sequence - batch_.first_sequence();
    if (is_earlier) failure_ = acknowledgement;
    if (position == 0) refused_ = true;
  }
  if (position == 0 || position > answered_.size() || answered_[position - 1]) return;
  answered_[position - 1] = true;
  --open_;
}

std::string Ledger::subject(const Acknowledgement& failure) const {
  const std::uint32_t position = failure.sequence - batch_.first_sequence();
  if (position == 0 || position > batch_.notes().size())
    return fmt::format("the transaction of {} operations on table inet {}", plan_.operations.size(), plan_.table);
  const MessageNote& note = batch_.notes()[position - 1];
  const planner::Operation& operation = plan_.operations[note.operation];
  const auto& elements = *std::visit(Elements{}, operation);
  if (elements.empty()) return planner::to_string(operation, plan_.table);
  if (failure.offset && !note.offsets.empty() && *failure.offset >= note.offsets.front()) {
    const auto after = std::upper_bound(note.offsets.begin(), note.offsets.end(), *failure.offset);
    const auto at = note.first_element + static_cast<std::size_t>(after - note.offsets.begin()) - 1;
    return planner::to_string(narrowed(operation, elements[at]), plan_.table);
  }
  const std::string first = planner::to_string(narrowed(operation, elements[note.first_element]), plan_.table);
  return note.offsets.size() > 1 ? fmt::format("{} and {} more", first, note.offsets.size() - 1) : first;
}

Result<void> Ledger::outcome() const {
  if (failure_) {
    const std::string words = failure_->message.empty() ? "" : fmt::format(" (the kernel says: {})", failure_->message);
    const std::string others = failures_ > 1 ? fmt::format("; {} more failed with it", failures_ - 1) : "";
    return fail("{}: {}{}: {}{}", subject(*failure_), std::strerror(failure_->error), words, remedy(failure_->error), others);
  }
  if (open_ > 0)
    return fail("{} of {} messages were not acknowledged, what holds is not known: resync, that is read and reconcile", open_,
                answered_.size());
  return {};
}

}  // namespace schultor::netfilter::kernel
