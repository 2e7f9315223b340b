// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/header_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Heads of messages, as the parts of the origin hop hand them to one another.
namespace schultor::cache {

/// Of a request that the engine makes.
struct RequestHead {
  std::string method;
  std::string target;  ///< as it was on the request line
  HeaderFields fields;
  bool well_formed = true;  ///< false: fields that are none, or too many, were left out
};

/// Of an origin's final response.
struct FetchedHead {
  int status = 0;
  HeaderFields fields;                    ///< with those that frame the body
  std::optional<std::uint64_t> length{};  ///< octets of the body; none: not told
  bool delimited = false;                 ///< that the body was cut short would show
  bool well_formed = true;                ///< false: fields that are none were left out
};

/// Of a response to the engine.
struct ResponseHead {
  int status = 200;
  std::vector<HeaderField> fields{};      ///< in this order; those that frame the body are added
  std::optional<std::uint64_t> length{};  ///< octets of the body, or of what HEAD asks about; none: it tells its end
};

}  // namespace schultor::cache
