// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/model/program.hpp"
#include "netfilter/model/ruleset.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

struct nlattr;
struct nlmsghdr;

/// Sets and their elements as nf_tables writes them (NFTA_SET_…, NFTA_SET_ELEM_… of linux/netfilter/nf_tables.h).
namespace schultor::netfilter::kernel {

/// What a set is declared with besides its name.
struct SetAttributes {
  std::uint32_t flags = 0;     ///< NFT_SET_…
  std::uint32_t key_type = 0;  ///< nft's own numbering, for its listings
  std::uint32_t key_length = 0;
  std::uint32_t data_type = 0;  ///< nft's numbering, or NFT_DATA_VERDICT; 0 for sets
  std::uint32_t data_length = 0;
  std::uint32_t size = 0;                ///< how many elements there may be; 0: any number
  std::uint64_t lifetime = 0;            ///< milliseconds, of elements without a timeout of their own; 0: for ever
  std::vector<std::uint8_t> fields{};    ///< lengths of a concatenation's fields, when it is an interval set
  std::vector<std::uint8_t> userdata{};  ///< nft's notes on byte order
};
SetAttributes attributes_of(const model::SetDeclaration& declaration);

/// The declaration that has these attributes, of which `fields` and `userdata` are not looked at; nothing when this library
/// declares no such set.
std::optional<model::SetDeclaration> declaration_of(std::string name, const SetAttributes& attributes);

enum class Timeouts : std::uint8_t {
  none,     ///< keys, as for deleting
  timeout,  ///< of new elements
  refresh,  ///< also says when the element expires, which newer kernels take for one that is there
};

/// Appends what the kernel wants for one element: one attribute, two for a range in a set without concatenation.
/// Octets are written to the message as far as its buffer reaches; callers keep `element_room` free.
void put_element(nlmsghdr* message, const model::SetDeclaration& set, const model::Element& element, bool with_value,
                 Timeouts timeouts);
inline constexpr std::size_t element_room = 1024;

/// A key or value that does not fit the set: of other types, or a name that is too long.
base::Result<void> check_element(const model::SetDeclaration& set, const model::Element& element);

/// One element of a dump. In an interval set without concatenation its `is_end` closes the range begun by the one before.
struct RawElement {
  model::Bytes key, last;
  model::Value value{};
  std::optional<std::chrono::milliseconds> left{};
  bool is_end = false;
  bool catches_all = false;
  bool does_more = false;  ///< has expressions or an object of its own, which this library never gives one
};
RawElement parse_element(const nlattr& element);

/// The elements that `raw` stands for, sorted. Nothing when they are of no shape that this library writes.
std::optional<std::vector<model::Element>> elements_of(const model::SetDeclaration& set, std::vector<RawElement> raw);

}  // namespace schultor::netfilter::kernel
