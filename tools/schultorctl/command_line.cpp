// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/command_line.hpp"

#include "daemon/config/diagnostic.hpp"
#include "daemon/config/window.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

namespace schultor::ctl {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

/// An option, and the member of a Request that it fills.
struct Option {
  const char* name;
  std::variant<bool Request::*, std::string Request::*, std::optional<std::string> Request::*, Texts Request::*> target;
  bool of_all_commands = false;
};

constexpr std::array options{
    Option{"help", &Request::help, true}, Option{"version", &Request::version, true},
    Option{"json", &Request::json, true}, Option{"config", &Request::directory, true},
    Option{"group", &Request::group},     Option{"device", &Request::device},
    Option{"address", &Request::address}, Option{"interface", &Request::interface},
    Option{"from", &Request::from},       Option{"to", &Request::to},
    Option{"at", &Request::at},           Option{"map", &Request::map},
    Option{"rename", &Request::renames},  Option{"remove-missing", &Request::remove_missing},
    Option{"write", &Request::write},     Option{"all", &Request::all},
    Option{"profile", &Request::profile}, Option{"for", &Request::span},
    Option{"until", &Request::until},     Option{"reason", &Request::reason},
    Option{"extend", &Request::extend},   Option{"clear", &Request::clear},
    Option{"follow", &Request::follow},   Option{"output", &Request::output},
    Option{"table", &Request::table},     Option{"state", &Request::state},
    Option{"only", &Request::only},       Option{"force", &Request::force},
    Option{"cacert", &Request::cacert},   Option{"patience", &Request::patience},
    Option{"largest", &Request::largest}, Option{"off", &Request::off},
};

/// Whether what was given makes sense together; what each command takes at all is known then.
using Fits = bool (*)(const Request&);

bool anything_fits(const Request&) { return true; }
bool explain_fits(const Request& request) {
  return request.group.has_value() != (request.device || request.address || request.interface);
}
bool timeline_fits(const Request& request) {
  return request.group.has_value() != request.device.has_value() && request.from && request.to;
}
bool roster_fits(const Request& request) { return request.arguments.front() == "import" && request.map; }

/// `lists` alone or with a verb, with the options that belong to it.
bool lists_fits(const Request& request) {
  const auto& words = request.arguments;
  const bool of_update = request.only || !request.force.empty() || request.cacert || request.patience || request.largest;
  if (words.empty()) return !request.output && !of_update;
  if (words.front() == "check") return words.size() == 2 && !request.output && !of_update;
  if (words.size() != 1 || request.table) return false;
  if (words.front() == "compile") return !of_update;
  return words.front() == "update" || (words.front() == "status" && !request.output && !of_update);
}

/// `gate stats`, or `gate debug` with the one that is meant.
bool gate_fits(const Request& request) {
  const auto& word = request.arguments.front();
  if (word == "stats") return !request.off && !request.span && !request.profile;
  return word == "debug" && request.off != request.span.has_value() && !(request.off && request.profile);
}

/// `cache stats`, or `cache purge` with what is meant: nothing is everything only by --all.
bool cache_fits(const Request& request) {
  const auto& words = request.arguments;
  if (words.front() == "stats") return words.size() == 1 && !request.all;
  return words.front() == "purge" && (words.size() == 2) != request.all && !(words.size() == 2 && words.back().empty());
}

bool override_fits(const Request& request) {
  const bool whose = request.group.has_value() != request.all;
  const bool of_setting = request.span || request.until || request.reason;
  switch ((request.profile ? 1 : 0) + (request.extend ? 1 : 0) + (request.clear ? 1 : 0)) {
    case 0:  // lists
      return !request.group && !request.all && !of_setting;
    case 1:
      if (request.profile) return whose && request.span.has_value() != request.until.has_value();
      return !of_setting && (whose || (request.clear && !request.group && !request.all));
    default:
      return false;
  }
}

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view help;
  std::vector<std::string_view> options;  ///< beside those of all commands
  std::size_t arguments = 0;
  Fits fits = anything_fits;
  std::size_t optional = 0;  ///< how many of the arguments may be left out
};

const std::vector<Command>& commands() {
  static const std::vector<Command> list{
      {"validate",
       "validate [--at TIME]",
       "says what is wrong or questionable in a configuration directory, at TIME or now, or nothing",
       {"at"}},
      {"policy",
       "policy [--group GROUP] [--at TIME]",
       "what holds in the end, each line with the file and line that it comes from; with --at also what holds then",
       {"group", "at"}},
      {"timeline",
       "timeline (--group GROUP | --device MAC) --from DATE --to DATE",
       "what holds for a group, or for a device, from DATE until DATE, 00:00",
       {"group", "device", "from", "to"},
       0,
       timeline_fits},
      {"explain",
       "explain (--group GROUP | [--device MAC] [--address ADDRESS] [--interface NAME]) [--at TIME] NAME",
       "whether a name opens for a group, or for a device by what is known of it, and the rules behind it; exits with 1 where it "
       "is "
       "refused",
       {"group", "device", "address", "interface", "at"},
       1,
       explain_fits},
      {"roster",
       "roster import --map MDM [--rename NAME=GROUP]… [--remove-missing] [--write] FILE",
       "what an MDM's export FILE changes in roster.csv; with --write, changes it",
       {"map", "rename", "remove-missing", "write"},
       2,
       roster_fits},
      {"lists",
       "lists [compile [--output FILE] | check NAME | status | update [--only NAME] [--force NAME]… [--cacert FILE] [--patience "
       "SECONDS] [--largest MIB]] [--table FILE] [--state DIR]",
       "what is on the block lists; compiles them; which of them hold a name or an address (exits with 1 where none does); how "
       "those are that are downloaded; downloads them (exits with 1 where one is held back or fails)",
       {"output", "table", "state", "only", "force", "cacert", "patience", "largest"},
       2,
       lists_fits,
       2},
      {"status", "status", "what holds now, what comes next, and how the gateway's parts are", {}},
      {"devices", "devices", "the devices of the roster and others of the LAN, their groups, and which of them are online", {}},
      {"gate",
       "gate (stats | debug (--for SPAN [--profile PROFILE] | --off))",
       "what the DNS gate has counted: questions by profile and what became of them, how long answers took, the resolver, the "
       "pins; "
       "or has it log questions for a while, without who asks them",
       {"for", "profile", "off"},
       1,
       gate_fits},
      {"cache",
       "cache (stats | purge (ADDRESS | ORIGIN | --all))",
       "what the content cache spares the line, by origin and day; or withdraws what it holds: of an address such as "
       "https://filme.example/a.mp4 with all its parts, of an [[origin]] by its name, or everything",
       {"all"},
       2,
       cache_fits,
       1},
      {"override",
       "override [(--group GROUP | --all) (--profile PROFILE (--for SPAN | --until TIME) [--reason TEXT] | --extend SPAN | "
       "--clear)]",
       "a profile for a while instead of the schedule's, such as --for 45m or --until 10:15; alone: lists what is set; “override "
       "--clear” ends all there are",
       {"group", "all", "profile", "for", "until", "reason", "extend", "clear"},
       0,
       override_fits},
      {"events", "events [--follow]", "what happened, as far as it is still known; with --follow also what happens", {"follow"}},
      {"ruleset", "ruleset", "the ruleset in force, in nft's syntax", {}},
      {"metrics", "metrics", "counts and states as OpenMetrics text", {}},
      {"verify", "verify", "whether the kernel holds what it was told, and what differs", {}},
      {"reload", "reload", "applies the configuration directory anew; a bad one changes nothing", {}},
  };
  return list;
}

const Command* find_command(std::string_view name) {
  const auto& list = commands();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Command& command) { return command.name == name; });
  return found == list.end() ? nullptr : &*found;
}

/// What boost is told of an option, and how its value gets into a request.
struct Describe {
  const char* name;
  po::options_description_easy_init& add;
  void operator()(bool Request::*) const { add(name_of_switch(), ""); }
  void operator()(std::string Request::*) const { add(name, po::value<std::string>(), ""); }
  void operator()(std::optional<std::string> Request::*) const { add(name, po::value<std::string>(), ""); }
  void operator()(Texts Request::*) const { add(name, po::value<Texts>(), ""); }

private:
  [[nodiscard]] const char* name_of_switch() const { return std::string_view(name) == "help" ? "help,h" : name; }
};

struct Store {
  const po::variable_value& value;
  Request& request;
  void operator()(bool Request::*target) const { request.*target = true; }
  void operator()(std::string Request::*target) const { request.*target = value.as<std::string>(); }
  void operator()(std::optional<std::string> Request::*target) const { request.*target = value.as<std::string>(); }
  void operator()(Texts Request::*target) const { request.*target = value.as<Texts>(); }
};

base::Result<po::variables_map> parse(std::span<const std::string> arguments) {
  try {
    po::options_description described;
    auto add = described.add_options();
    for (const auto& option : options) std::visit(Describe{option.name, add}, option.target);
    add("words", po::value<Texts>(), "");
    po::positional_options_description positional;
    positional.add("words", -1);
    po::variables_map values;
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(Texts(arguments.begin(), arguments.end()))
                  .options(described)
                  .positional(positional)
                  .style(style)
                  .run(),
              values);
    return values;
  } catch (const po::unknown_option& unknown) {
    auto name = unknown.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    std::vector<std::string_view> known;
    for (const auto& option : options) known.emplace_back(option.name);
    return base::fail("there is no option --{}{}", name, config::suggestion(name, known));
  } catch (const po::error& error) {
    return base::fail("{}: see “schultorctl --help”", error.what());
  }
}

/// Texts that stand for something else where they are empty or of the wrong form.
base::Result<void> check_texts(const Request& request) {
  if (request.group && request.group->empty()) return base::fail("--group is empty, expected a group's name");
  for (const auto& [option, text] : {std::pair("--for", &request.span), std::pair("--extend", &request.extend)})
    if (*text && !config::parse_duration(**text))
      return base::fail("{}: “{}” is no span of time: expected one such as 45m or 1h30m", option, **text);
  if (request.until && config::parse_duration(*request.until))
    return base::fail("--until: “{}” is a span of time: expected a time such as 10:15 or 2026-11-28 10:15, or --for",
                      *request.until);
  return {};
}

base::Result<void> check(const Command& command, const po::variables_map& values, const Request& request) {
  for (const auto& option : options)
    if (!option.of_all_commands && values.contains(option.name) &&
        std::find(command.options.begin(), command.options.end(), option.name) == command.options.end())
      return base::fail("{} takes no --{}: schultorctl {}", command.name, option.name, command.usage);
  if (request.arguments.size() > command.arguments || request.arguments.size() + command.optional < command.arguments)
    return base::fail("{} takes {}: schultorctl {}", command.name,
                      command.arguments == 0   ? "no more words"
                      : command.arguments == 1 ? "one word"
                                               : "two words",
                      command.usage);
  if (!command.fits(request)) return base::fail("expected: schultorctl {}", command.usage);
  return check_texts(request);
}

}  // namespace

base::Result<Request> parse_command_line(std::span<const std::string> arguments) {
  auto parsed = parse(arguments);
  if (!parsed) return base::pass(std::move(parsed));
  const auto& values = *parsed;
  Request request;
  for (const auto& option : options)
    if (values.contains(option.name)) std::visit(Store{values[option.name], request}, option.target);
  if (values.contains("words")) request.arguments = values["words"].as<Texts>();

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
