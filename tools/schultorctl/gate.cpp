// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/window.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/gate_text.hpp"

namespace schultor::ctl {
namespace {

Exit stats(const Request& request, BusClient& bus) {
  const auto answered = bus.gate_statistics();
  return answered ? say(request, *answered, gate_statistics_text) : give_up(answered);
}

Exit debug(const Request& request, BusClient& bus) {
  // A span of the command line is one: it was read before.
  const auto seconds =
      request.span ? config::parse_duration(*request.span).value_or(std::chrono::seconds(0)) : std::chrono::seconds(0);
  const auto answered = request.off
                            ? bus.ask("EndQuestionLog", {})
                            : bus.ask("LogQuestions", {request.profile.value_or("")}, static_cast<std::uint32_t>(seconds.count()));
  if (!answered) return give_up(answered);
  if (!answered->refused) return say(request, answered->text, question_log_text);
  complain(answered->text);
  return Exit::no;
}

}  // namespace

Exit gate(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  return request.arguments.front() == "stats" ? stats(request, *bus) : debug(request, *bus);
}

}  // namespace schultor::ctl
