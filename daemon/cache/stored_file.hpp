// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/header_fields.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

/// The head of a file that nginx stores an answer in (ngx_http_file_cache_header_t of src/http/ngx_http_cache.h, version 5): what
/// one has to know to find, judge and withdraw it. Pure.
namespace schultor::cache {

/// No head is longer: nginx reads no more of one than proxy_buffer_size.
inline constexpr std::size_t longest_stored_head = 16 * std::size_t{1024};

struct StoredHead {
  std::string key;                              ///< as storage_key() writes it
  std::size_t body_start = 0;                   ///< where in the file the answer's body begins
  int status = 0;                               ///< of the answer
  std::optional<std::uint64_t> content_length;  ///< as the answer's header says; none: it was sent in chunks
  std::optional<std::uint64_t> complete;        ///< of the whole representation, where the answer is a part (Content-Range)
  std::string etag;                             ///< of the answer; empty: none
  HeaderFields fields;                          ///< of the answer, as they are stored
};

/// None where it is none, or not one of this version. `start` is the file's beginning, as much of it as there is up to
/// longest_stored_head.
[[nodiscard]] std::optional<StoredHead> read_stored_head(std::span<const char> start);

/// Whether a file of that many octets holds the whole answer: after a power cut one may be shorter than its header promises.
[[nodiscard]] bool is_whole(const StoredHead& head, std::uint64_t file_size);

}  // namespace schultor::cache
