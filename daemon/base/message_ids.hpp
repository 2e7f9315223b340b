// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string_view>

/// The ids of journal entries that an operator may meet; each is explained in units/schultor.catalog.
namespace schultor::base::message_id {

inline constexpr std::string_view gateway_ready = "177ede0a467546b48548b73a1d1cfa19";
inline constexpr std::string_view held_before_network = "3ab72651c706453abf8daf0ea153a8aa";
inline constexpr std::string_view opened_for_service = "ed20817cd29c4ba0bacd98b151d15674";
inline constexpr std::string_view kernel_setting = "cae707b42f284648a516350f73e180cf";
inline constexpr std::string_view connections_full = "82264ae28e5f48979ea2f663869f50ab";
inline constexpr std::string_view mode_changed = "8e013c078017460ea1f2bbc7cc01480e";
inline constexpr std::string_view configuration_applied = "aebd015c42084f48a35bc12ec0c5df36";
inline constexpr std::string_view configuration_refused = "f553d122f7c547c1994cd4c79b796333";
inline constexpr std::string_view kernel_refused = "a15ec7eb3c664a4ebb735afdafffaa5c";
inline constexpr std::string_view ruleset_changed = "5b0d7a3c9e6f4c51a8d2f4e1b7c06d93";
inline constexpr std::string_view device_tampering = "a4f1d6f0b1b8463f9f5e5a0f2c7f3d18";
inline constexpr std::string_view devices_unknown = "6c2b86a1c5c84f0d8e0b7f0c9d2a4e57";
inline constexpr std::string_view clock_jumped = "1d9e64def8ef4b548c871836710d6ac6";
inline constexpr std::string_view clock_untrusted = "d8a5cdf801664c619d144724f122fb3b";
inline constexpr std::string_view clock_trusted = "fb4a470aaa9645e18467fcef5a09fa36";
inline constexpr std::string_view override_changed = "209c4b2a6b854c2c9e321288f00685f9";
inline constexpr std::string_view override_ending = "70225da68a2a4cda9787fc7a166f5970";
inline constexpr std::string_view state_damaged = "2932359c9f3744bd9770a7ef372dd558";
inline constexpr std::string_view list_status_unreadable = "cbee31f82e0f4287b326d534d0cea41a";
inline constexpr std::string_view lists_missing = "2ef470f77118408ebb333b3d6f9d35fc";
inline constexpr std::string_view gate_connected = "b41aefc863cf407280cd82177b31f4eb";
inline constexpr std::string_view gate_lost = "d1e233ac5b7b471ab6c6e2bcc3b0331c";
inline constexpr std::string_view gate_ready = "06d6ee0203cd4bbdbccb2f1af979ebd1";
inline constexpr std::string_view gate_waiting = "ecd41d10f98143d8b3f2d33e229b96a8";
inline constexpr std::string_view resolver_silent = "62ce548322af4e57ad9d879dae4c1695";
inline constexpr std::string_view resolver_answers = "da23c7741ccc4708aa5817d530971371";
inline constexpr std::string_view question_log = "2fc8dd78c1fd4791981ecaac40ba918d";
inline constexpr std::string_view cache_connected = "2e72fd4816c54a61bcf70aad775ea6a8";
inline constexpr std::string_view cache_lost = "17bcf28f57ec4eee90754e3be12c7221";
inline constexpr std::string_view cache_unwell = "f1b83d35f3954da79f83552084cfa8c9";
inline constexpr std::string_view broker_connected = "11cc4f5d48d1488590d73215d75c1d61";
inline constexpr std::string_view broker_lost = "4f6c83ea61ca4d81ae5e0736d4c51bae";
inline constexpr std::string_view engine_refused = "45f7d6e7cf174e96872a7ef9c4ec45ef";
inline constexpr std::string_view outbox_failed = "1d654a5ee3cc45c4894fedeadc458b86";
inline constexpr std::string_view certificates_refused = "84604969d89c44fabc8d6b08eedb566d";
inline constexpr std::string_view authority_ends = "ef19b763201643ee8067002289a587b1";
inline constexpr std::string_view origin_unreachable = "08af66d6d31a490983bb91453f20079e";
inline constexpr std::string_view origin_answers = "1278741ed73b4de59cd88f1bf3394fba";

}  // namespace schultor::base::message_id
