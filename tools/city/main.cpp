// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/text.hpp"
#include "daemon/base/version.hpp"
#include "tools/city/commands.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <utility>

namespace schultor::city {
namespace {

Exit run(const Request& request) {
  using Handler = Exit (*)(const Request&);
  constexpr std::array<std::pair<std::string_view, Handler>, 3> handlers{{
      {"ca create", create_device_authority},
      {"ca school", create_school_authority},
      {"ca show", show_authorities},
  }};
  for (const auto& [name, handler] : handlers)
    if (request.command == name) return handler(request);
  return Exit::failed;
}

Exit main_of(std::span<const std::string> arguments) {
  const auto request = parse_command_line(arguments);
  if (!request) {
    complain(request.error().what());
    return Exit::failed;
  }
  if (request->help) {
    fmt::print("{}", help_text(request->command));
    return Exit::done;
  }
  if (request->version) {
    fmt::print("schultor-city {}\n", base::version);
    return Exit::done;
  }
  return run(*request);
}

}  // namespace

void complain(std::string_view text) { fmt::print(stderr, "schultor-city: {}\n", base::printable(text)); }

}  // namespace schultor::city

int main(int argc, char** argv) {
  using schultor::city::Exit;
  try {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const auto exit = schultor::city::main_of(arguments);
    // An answer that did not reach its reader is none.
    return std::fflush(stdout) == 0 ? static_cast<int>(exit) : static_cast<int>(Exit::failed);
  } catch (const std::exception& error) {
    schultor::city::complain(error.what());
    return static_cast<int>(Exit::failed);
  }
}
