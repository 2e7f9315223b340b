// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/name_constraints.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

namespace schultor::cache {
namespace {

using Constraints = std::unique_ptr<NAME_CONSTRAINTS_st, FreeNameConstraints>;
using Subtrees = STACK_OF(GENERAL_SUBTREE);

/// Address and mask of nothing but zeroes: every address.
constexpr std::size_t ipv4_octets = 2 * 4;
constexpr std::size_t ipv6_octets = 2 * 16;

std::string_view octets_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& octet : result)
    if (octet >= 'A' && octet <= 'Z') octet = static_cast<char>(octet - 'A' + 'a');
  return result;
}

/// RFC 5280 wants minimum 0, which DER leaves out, and no maximum.
bool has_bounds(const GENERAL_SUBTREE* subtree) { return subtree->minimum != nullptr || subtree->maximum != nullptr; }

void note_permitted(const GENERAL_NAME* name, NameConstraints& found) {
  if (name->type == GEN_DNS) found.permitted.push_back(lower(octets_of(name->d.dNSName)));
  else found.permits_others = true;
}

void note_excluded(const GENERAL_NAME* name, NameConstraints& found) {
  switch (name->type) {
    case GEN_IPADD: {
      const auto octets = octets_of(name->d.iPAddress);
      if (octets.find_first_not_of('\0') != std::string_view::npos) return;
      found.excludes_ipv4 |= octets.size() == ipv4_octets;
      found.excludes_ipv6 |= octets.size() == ipv6_octets;
      return;
    }
    // The empty name is the ancestor of all.
    case GEN_EMAIL:
      found.excludes_mail |= octets_of(name->d.rfc822Name).empty();
      return;
    case GEN_URI:
      found.excludes_uri |= octets_of(name->d.uniformResourceIdentifier).empty();
      return;
    default:
      return;
  }
}

bool add(Subtrees** subtrees, int type, std::string_view octets) {
  if (*subtrees == nullptr) *subtrees = sk_GENERAL_SUBTREE_new_null();
  auto* subtree = GENERAL_SUBTREE_new();
  ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  if (*subtrees == nullptr || subtree == nullptr || value == nullptr ||
      ASN1_STRING_set(value, octets.data(), static_cast<int>(octets.size())) != 1 ||
      sk_GENERAL_SUBTREE_push(*subtrees, subtree) == 0) {
    GENERAL_SUBTREE_free(subtree);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(subtree->base, type, value);
  return true;
}

}  // namespace

void FreeNameConstraints::operator()(NAME_CONSTRAINTS_st* constraints) const noexcept { NAME_CONSTRAINTS_free(constraints); }

bool NameConstraints::permit(std::string_view host) const {
  return std::any_of(permitted.begin(), permitted.end(), [&](const std::string& name) { return is_within(host, name); });
}

NameConstraints name_constraints_of(const Certificate& certificate) {
  NameConstraints found;
  const int where = X509_get_ext_by_NID(certificate.get(), NID_name_constraints, -1);
  if (where < 0) return found;
  found.present = true;
  int critical = 0;
  const Constraints all(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(certificate.get(), NID_name_constraints, &critical, nullptr)));
  ERR_clear_error();
  if (!all) return found;
  found.critical = critical == 1;
  found.readable = true;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(all->permittedSubtrees); ++i) {
    const auto* subtree = sk_GENERAL_SUBTREE_value(all->permittedSubtrees, i);
    found.readable = found.readable && !has_bounds(subtree);
    note_permitted(subtree->base, found);
  }
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(all->excludedSubtrees); ++i) {
    const auto* subtree = sk_GENERAL_SUBTREE_value(all->excludedSubtrees, i);
    found.readable = found.readable && !has_bounds(subtree);
    note_excluded(subtree->base, found);
  }
  return found;
}

bool is_within(std::string_view name, std::string_view ancestor) {
  if (!name.ends_with(ancestor)) return false;
  return name.size() == ancestor.size() || ancestor.empty() || name[name.size() - ancestor.size() - 1] == '.';
}

Constraints make_name_constraints(std::span<const std::string> hosts) {
  Constraints all(NAME_CONSTRAINTS_new());
  if (!all) return nullptr;
  const std::string zeroes(ipv6_octets, '\0');
  bool done =
      std::all_of(hosts.begin(), hosts.end(), [&](const auto& host) { return add(&all->permittedSubtrees, GEN_DNS, host); });
  done = done && add(&all->excludedSubtrees, GEN_IPADD, std::string_view(zeroes).substr(0, ipv4_octets)) &&
         add(&all->excludedSubtrees, GEN_IPADD, zeroes) && add(&all->excludedSubtrees, GEN_EMAIL, "") &&
         add(&all->excludedSubtrees, GEN_URI, "");
  return done ? std::move(all) : nullptr;
}

}  // namespace schultor::cache
