// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/engine_request.hpp"
#include "daemon/cache/freshness.hpp"
#include "daemon/cache/messages.hpp"

#include <chrono>
#include <cstdint>

/// What becomes of an origin's response. Pure.
namespace schultor::cache {

struct Decision {
  enum class Move : std::uint8_t {
    store,      ///< hand it on, to be stored
    refuse,     ///< tell the engine that it is not stored
    ask_whole,  ///< it is no slice that could be stored: ask anew, for the whole representation
    hang_up,    ///< no response that could be handed on: as though the origin could not be had
  };
  Move move = Move::hang_up;
  Refusal refusal = Refusal::status;  ///< where refused
  ResponseHead response{};            ///< where stored
};

/// To a request for what may be stored. `whole`: it was asked for without a range.
[[nodiscard]] Decision decide(const EngineRequest& request, bool whole, const FetchedHead& head, const UrlRules& rules,
                              std::chrono::sys_seconds asked, std::chrono::sys_seconds now);

/// The response to the engine where the origin's is not stored.
[[nodiscard]] ResponseHead refusal_response(Refusal refusal, const std::string& parked);

/// A response as it is passed on; HEAD's has a length and no body.
[[nodiscard]] ResponseHead passed_on(const FetchedHead& head);

/// The response to `request`, which is not stored, by one that waits since the engine asked for `slice` of the same URL. None where
/// it is not what is asked for now.
[[nodiscard]] std::optional<ResponseHead> from_parked(const EngineRequest& request, const FetchedHead& head,
                                                      const std::optional<ByteRange>& slice);

}  // namespace schultor::cache
