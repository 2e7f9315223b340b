// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/header_fields.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace schultor::cache {

/// Header sections as they come, line by line: interim responses (1xx) are dropped, trailers are passed over. Bounded.
class ResponseLines {
public:
  /// Of all header sections of one exchange, interim ones and trailers too.
  static constexpr std::size_t most_octets = 64U << 10U;

  /// A line with its end. False where there are too many octets or fields, or where this is no HTTP: the exchange is to be ended.
  bool add(std::string_view line);
  /// Whether the final response's header section is complete.
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const HeaderFields& fields() const { return fields_; }
  /// Of the body, where Content-Length tells it and nothing speaks against it; of none it is nothing.
  [[nodiscard]] std::optional<std::uint64_t> length() const;
  /// That the body of a response to GET was cut short would show (RFC 9112, 6.3): by its length, its last chunk, or HTTP/2.
  [[nodiscard]] bool delimited() const;
  /// False where fields that are none were left out.
  [[nodiscard]] bool well_formed() const { return well_formed_; }

private:
  bool begin(std::string_view status_line);

  HeaderFields fields_;
  std::size_t octets_ = 0;
  int status_ = 0;
  int version_ = 0;  ///< 10, 11, 20
  bool complete_ = false;
  bool well_formed_ = true;
};

}  // namespace schultor::cache
