// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/text.hpp"
#include "daemon/base/version.hpp"
#include "tools/schultorctl/commands.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <utility>

namespace schultor::ctl {
namespace {

Exit run(const Request& request) {
  using Handler = Exit (*)(const Request&);
  constexpr std::array<std::pair<std::string_view, Handler>, 16> handlers{{
      {"validate", validate},
      {"policy", policy},
      {"timeline", timeline},
      {"explain", explain},
      {"roster", roster},
      {"lists", lists},
      {"status", status},
      {"devices", devices},
      {"gate", gate},
      {"cache", cache},
      {"metrics", metrics},
      {"override", override_profile},
      {"events", events},
      {"ruleset", ruleset},
      {"verify", verify},
      {"reload", reload},
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
    return Exit::yes;
  }
  if (request->version) {
    fmt::print("schultorctl {}\n", base::version);
    return Exit::yes;
  }
  return run(*request);
}

}  // namespace

void complain(std::string_view text) {
  // What the daemon refuses may have several lines, each an error of its own.
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    fmt::print(stderr, "schultorctl: {}\n", base::printable(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace schultor::ctl

int main(int argc, char** argv) {
  using schultor::ctl::Exit;
  try {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const auto exit = schultor::ctl::main_of(arguments);
    // An answer that did not reach its reader is none.
    return std::fflush(stdout) == 0 ? static_cast<int>(exit) : static_cast<int>(Exit::failed);
  } catch (const std::exception& error) {
    schultor::ctl::complain(error.what());
    return static_cast<int>(Exit::failed);
  }
}
