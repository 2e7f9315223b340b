// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/command_line.hpp"

#include "daemon/config/diagnostic.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace schultor::ctl {
namespace {

namespace po = boost::program_options;

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view help;
  std::vector<std::string_view> options;  ///< beside those of all commands
  std::size_t arguments = 0;
};

const std::array<Command, 7>& commands() {
  static const std::array<Command, 7> list{{
      {"validate",
       "validate [--at TIME]",
       "says what is wrong or questionable in a configuration directory, at TIME or now, or nothing",
       {"at"},
       0},
      {"timeline",
       "timeline --group GROUP --from DATE --to DATE",
       "what holds for a group from DATE until DATE, 00:00",
       {"group", "from", "to"},
       0},
      {"explain",
       "explain (--group GROUP | --device MAC) [--at TIME] NAME",
       "whether a name opens, and the rule behind it; exits with 1 where it is refused",
       {"group", "device", "at"},
       1},
      {"roster",
       "roster import --map MDM [--rename NAME=GROUP]… [--remove-missing] [--write] FILE",
       "what an MDM's export FILE changes in roster.csv; with --write, changes it",
       {"map", "rename", "remove-missing", "write"},
       2},
      {"status", "status", "what holds now, what comes next, and how the gateway's parts are", {}, 0},
      {"ruleset", "ruleset", "the ruleset in force, in nft's syntax", {}, 0},
      {"reload", "reload", "applies the configuration directory anew; a bad one changes nothing", {}, 0},
  }};
  return list;
}

const Command* find_command(std::string_view name) {
  const auto& list = commands();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Command& command) { return command.name == name; });
  return found == list.end() ? nullptr : &*found;
}

po::options_description described() {
  po::options_description options;
  options.add_options()("map", po::value<std::string>(), "")("rename", po::value<std::vector<std::string>>(), "")("remove-missing",
                                                                                                                  "")("write", "");
  options.add_options()("help,h", "")("version", "")("json", "")("config", po::value<std::string>()->default_value("/etc/schultor"),
                                                                 "")("group", po::value<std::string>(), "")(
      "device", po::value<std::string>(), "")("from", po::value<std::string>(), "")("to", po::value<std::string>(), "")(
      "at", po::value<std::string>(), "")("words", po::value<std::vector<std::string>>(), "");
  return options;
}

base::Result<po::variables_map> parse(std::span<const std::string> arguments) {
  try {
    const auto options = described();
    po::positional_options_description positional;
    positional.add("words", -1);
    po::variables_map values;
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(std::vector<std::string>(arguments.begin(), arguments.end()))
                  .options(options)
                  .positional(positional)
                  .style(style)
                  .run(),
              values);
    return values;
  } catch (const po::unknown_option& unknown) {
    auto name = unknown.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    return base::fail("there is no option --{}{}", name,
                      config::suggestion(name, {"config", "json", "help", "version", "group", "device", "from", "to", "at", "map",
                                                "rename", "remove-missing", "write"}));
  } catch (const po::error& error) {
    return base::fail("{}: see “schultorctl --help”", error.what());
  }
}

base::Result<void> check(const Command& command, const po::variables_map& values, const Request& request) {
  for (const auto* option : {"group", "device", "from", "to", "at", "map", "rename", "remove-missing", "write"})
    if (values.contains(option) && std::find(command.options.begin(), command.options.end(), option) == command.options.end())
      return base::fail("{} takes no --{}: schultorctl {}", command.name, option, command.usage);
  if (request.arguments.size() != command.arguments)
    return base::fail("{} takes {}: schultorctl {}", command.name,
                      command.arguments == 0   ? "no more words"
                      : command.arguments == 1 ? "one name"
                                               : "two words",
                      command.usage);
  const bool timeline_lacks = command.name == "timeline" && (!request.group || !request.from || !request.to);
  const bool explain_lacks = command.name == "explain" && request.group.has_value() == request.device.has_value();
  const bool roster_lacks = command.name == "roster" && (request.arguments.front() != "import" || !request.map);
  if (timeline_lacks || explain_lacks || roster_lacks) return base::fail("expected: schultorctl {}", command.usage);
  return {};
}

}  // namespace

base::Result<Request> parse_command_line(std::span<const std::string> arguments) {
  auto parsed = parse(arguments);
  if (!parsed) return base::pass(std::move(parsed));
  const auto& values = *parsed;
  Request request;
  request.help = values.contains("help");
  request.version = values.contains("version");
  request.json = values.contains("json");
  request.directory = values["config"].as<std::string>();
  const auto text = [&](const char* name) {
    return values.contains(name) ? std::optional(values[name].as<std::string>()) : std::nullopt;
  };
  request.group = text("group");
  request.device = text("device");
  request.from = text("from");
  request.to = text("to");
  request.at = text("at");
  request.map = text("map");
  if (values.contains("rename")) request.renames = values["rename"].as<std::vector<std::string>>();
  request.remove_missing = values.contains("remove-missing");
  request.write = values.contains("write");
  if (values.contains("words")) request.arguments = values["words"].as<std::vector<std::string>>();

  std::vector<std::string_view> known;
  for (const auto& command : commands()) known.push_back(command.name);
  if (!request.arguments.empty()) {
    request.command = request.arguments.front();
    request.arguments.erase(request.arguments.begin());
  } else if (!request.help && !request.version) {
    return base::fail("a command is missing{}", config::suggestion("", known));
  }
  const auto* command = find_command(request.command);
  if (!request.command.empty() && command == nullptr)
    return base::fail("there is no command “{}”{}", request.command, config::suggestion(request.command, known));
  if (request.help || request.version) return request;
  if (auto checked = check(*command, values, request); !checked) return base::pass(std::move(checked));
  return request;
}

std::string help_text(const std::string& name) {
  if (const auto* command = find_command(name)) return fmt::format("Usage: schultorctl {}\n\n{}.\n", command->usage, command->help);
  std::string text =
      "Usage: schultorctl [--config DIR] [--json] COMMAND …\n\nOn a configuration directory, also away from the gateway:\n";
  for (const auto& command : commands()) {
    if (command.name == "status") text += "\nAgainst the running gateway:\n";
    text += fmt::format("  {}\n      {}\n", command.usage, command.help);
  }
  text +=
      "\nOptions of all commands:\n"
      "  --config DIR   the configuration directory (/etc/schultor)\n"
      "  --json         print JSON\n"
      "  -h, --help     this text; after a command, its own\n"
      "  --version      the version\n"
      "\nExit status: 0 yes or done, 1 no or invalid, 2 misuse or failure.\n";
  return text;
}

}  // namespace schultor::ctl
