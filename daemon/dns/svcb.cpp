// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/svcb.hpp"

#include <algorithm>

namespace schultor::dns {
namespace {

std::size_t hint_size(std::uint16_t key) { return key == svc_key::ipv4hint ? 4 : key == svc_key::ipv6hint ? 16 : 0; }

/// Ascending, without itself, and all there.
bool is_mandatory_list(const ServiceBinding& binding, ByteView value) {
  if (value.empty() || value.size() % 2 != 0) return false;
  int last = svc_key::mandatory;
  WireReader in(value);
  while (in.left() > 0) {
    const auto key = in.u16();
    if (key <= last || binding.find(key) == nullptr) return false;
    last = key;
  }
  return true;
}

bool is_mandatory(const ServiceBinding& binding, std::uint16_t key) {
  const auto* list = binding.find(svc_key::mandatory);
  if (list == nullptr) return false;
  WireReader in(list->value);
  while (in.left() > 0)
    if (in.u16() == key) return true;
  return false;
}

bool well_formed(const ServiceBinding& binding) {
  return std::all_of(binding.params.begin(), binding.params.end(), [&](const auto& param) {
    if (param.key == svc_key::mandatory) return is_mandatory_list(binding, param.value);
    const auto size = hint_size(param.key);
    return size == 0 || (!param.value.empty() && param.value.size() % size == 0);
  });
}

}  // namespace

const ServiceBinding::Param* ServiceBinding::find(std::uint16_t key) const {
  const auto found = std::find_if(params.begin(), params.end(), [&](const auto& param) { return param.key == key; });
  return found == params.end() ? nullptr : &*found;
}

std::optional<ServiceBinding> read_service_binding(const Record& record) {
  WireReader in(record.data);
  ServiceBinding binding;
  binding.priority = in.u16();
  const auto before = in.position();
  binding.target = in.name();
  // The target is never compressed; a pointer would point into this record's data here, and elsewhere in the packet.
  if (!in.ok() || in.position() - before != binding.target.wire().size()) return std::nullopt;
  int last = -1;
  while (in.ok() && in.left() > 0) {
    const auto key = in.u16();
    const auto value = in.bytes(in.u16());
    if (!in.ok() || key <= last) return std::nullopt;
    last = key;
    binding.params.push_back({key, Bytes(value.begin(), value.end())});
  }
  if (!binding.is_alias() && !well_formed(binding)) return std::nullopt;
  return binding;
}

Bytes write_service_binding(const ServiceBinding& binding) {
  WireWriter out(0xffff);
  out.u16(binding.priority);
  out.bytes(binding.target.wire());
  for (const auto& param : binding.params) {
    out.u16(param.key);
    out.u16(static_cast<std::uint16_t>(param.value.size()));
    out.bytes(param.value);
  }
  return out.take();
}

bool remove_param(ServiceBinding& binding, std::uint16_t key) {
  std::erase_if(binding.params, [&](const auto& param) { return param.key == key; });
  return !is_mandatory(binding, key);
}

bool keep_hints(ServiceBinding& binding, const std::function<bool(const base::Address&)>& may_pass) {
  for (const auto key : {svc_key::ipv4hint, svc_key::ipv6hint}) {
    const auto found =
        std::find_if(binding.params.begin(), binding.params.end(), [&](const auto& param) { return param.key == key; });
    if (found == binding.params.end()) continue;
    Bytes kept;
    WireReader in(found->value);
    while (in.left() > 0) {
      const auto octets = in.bytes(hint_size(key));
      if (may_pass(base::address_from_bytes(octets))) kept.insert(kept.end(), octets.begin(), octets.end());
    }
    found->value = std::move(kept);
    if (found->value.empty() && !remove_param(binding, key)) return false;
  }
  return true;
}

}  // namespace schultor::dns
