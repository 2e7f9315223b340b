// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/city/command_line.hpp"

#include "daemon/config/diagnostic.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <string_view>

namespace schultor::city {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view help;
  std::vector<std::string_view> options;   ///< beside --help and --version
  std::vector<std::string_view> required;  ///< of these
};

const std::vector<Command>& commands() {
  static const std::vector<Command> list{
      {"ca create",
       "ca create --dir DIR --name TEXT [--curve p256|p384] [--passphrase-file FILE | --plain]",
       "makes the city's device CA: DIR/device-ca.pem, which goes to school-owned tablets by MDM, and its key",
       {"dir", "name", "curve", "passphrase-file", "plain"},
       {"dir", "name"}},
      {"ca school",
       "ca school --dir DIR --name SCHOOL --host NAME… --out DIR [--passphrase-file FILE] [--replace]",
       "makes a school's authority, which may speak for these hosts alone: ca.pem and ca.key for the school's box",
       {"dir", "name", "host", "out", "passphrase-file", "replace"},
       {"dir", "name", "host", "out"}},
      {"ca show",
       "ca show --dir DIR [--json]",
       "the device CA and the schools' authorities that it has made, and when each of them ends",
       {"dir", "json"},
       {"dir"}},
  };
  return list;
}

const Command* find_command(std::string_view name) {
  const auto& list = commands();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Command& one) { return one.name == name; });
  return found == list.end() ? nullptr : &*found;
}

po::options_description described() {
  po::options_description all;
  auto add = all.add_options();
  add("help,h", "");
  add("version", "");
  add("json", "");
  add("plain", "");
  add("replace", "");
  for (const auto* name : {"dir", "name", "out", "curve", "passphrase-file"}) add(name, po::value<std::string>(), "");
  add("host", po::value<Texts>(), "");
  add("words", po::value<Texts>(), "");
  return all;
}

base::Result<po::variables_map> parse(std::span<const std::string> arguments) {
  const auto all = described();
  try {
    po::positional_options_description positional;
    positional.add("words", -1);
    po::variables_map values;
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(
        po::command_line_parser(Texts(arguments.begin(), arguments.end())).options(all).positional(positional).style(style).run(),
        values);
    return values;
  } catch (const po::unknown_option& unknown) {
    auto name = unknown.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    std::vector<std::string_view> known;
    for (const auto& option : all.options()) known.emplace_back(option->long_name());
    return base::fail("there is no option --{}{}", name, config::suggestion(name, known));
  } catch (const po::error& error) {
    return base::fail("{}: see “schultor-city --help”", error.what());
  }
}

std::optional<std::string> text_of(const po::variables_map& values, const char* name) {
  return values.contains(name) ? std::optional(values[name].as<std::string>()) : std::nullopt;
}

Request read(const po::variables_map& values) {
  Request request;
  request.help = values.contains("help");
  request.version = values.contains("version");
  request.json = values.contains("json");
  request.plain = values.contains("plain");
  request.replace = values.contains("replace");
  request.directory = text_of(values, "dir");
  request.name = text_of(values, "name");
  request.out = text_of(values, "out");
  request.curve = text_of(values, "curve");
  request.passphrase_file = text_of(values, "passphrase-file");
  if (values.contains("host")) request.hosts = values["host"].as<Texts>();
  if (values.contains("words")) request.command = fmt::format("{}", fmt::join(values["words"].as<Texts>(), " "));
  return request;
}

base::Result<void> check(const Request& request, const Command& command, const po::variables_map& values) {
  for (const auto& [name, value] : values) {
    const bool is_known = name == "help" || name == "version" || name == "words" ||
                          std::find(command.options.begin(), command.options.end(), name) != command.options.end();
    if (!is_known) return base::fail("{} takes no --{}: schultor-city {}", command.name, name, command.usage);
  }
  for (const auto name : command.required)
    if (!values.contains(std::string(name))) return base::fail("expected: schultor-city {}", command.usage);
  if (request.plain && request.passphrase_file) return base::fail("--plain and --passphrase-file exclude each other");
  if (request.curve && *request.curve != "p256" && *request.curve != "p384")
    return base::fail("--curve: “{}” is none of p256 and p384", *request.curve);
  return {};
}

}  // namespace

base::Result<Request> parse_command_line(std::span<const std::string> arguments) {
  const auto values = parse(arguments);
  if (!values) return tl::unexpected<base::Error>(values.error());
  auto request = read(*values);
  if (request.version || (request.command.empty() && request.help)) return request;
  if (request.command.empty()) return base::fail("expected a command: see “schultor-city --help”");
  const auto* command = find_command(request.command);
  if (command == nullptr) {
    std::vector<std::string_view> known;
    for (const auto& one : commands()) known.push_back(one.name);
    return base::fail("there is no command “{}”{}", request.command, config::suggestion(request.command, known));
  }
  if (request.help) return request;
  if (auto checked = check(request, *command, *values); !checked) return base::pass(std::move(checked));
  return request;
}

std::string help_text(const std::string& command) {
  if (const auto* one = find_command(command)) return fmt::format("schultor-city {}\n  {}\n", one->usage, one->help);
  std::string text = "schultor-city: what the city's operations centre does for its schools\n";
  for (const auto& one : commands()) text += fmt::format("\n{}\n  {}\n", one.usage, one.help);
  return text + "\nMore: man schultor-city\n";
}

}  // namespace schultor::city
