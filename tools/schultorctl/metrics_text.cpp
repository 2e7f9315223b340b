// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/metrics_text.hpp"

#include "tools/schultorctl/counter_name.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;
using Labels = std::vector<std::pair<std::string, std::string>>;

std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') text += "\\n";
    else if (c == '"' || c == '\\') (text += '\\') += c;
    else text += c;
  }
  return text;
}

/// Families of samples, each begun by its type and what it means.
class Exposition {
public:
  void family(const std::string& name, const char* type, const char* help) {
    name_ = name + (std::string(type) == "counter" ? "_total" : "");
    text_ += fmt::format("# TYPE {0} {1}\n# HELP {0} {2}\n", name, type, help);
  }
  void sample(const Labels& labels, std::uint64_t value) {
    std::string written;
    for (const auto& [label, what] : labels)
      written += fmt::format("{}{}=\"{}\"", written.empty() ? "" : ",", label, escaped(what));
    text_ += labels.empty() ? fmt::format("{} {}\n", name_, value) : fmt::format("{}{{{}}} {}\n", name_, written, value);
  }
  [[nodiscard]] std::string end() && { return std::move(text_) + "# EOF\n"; }

private:
  std::string name_;  ///< of the samples
  std::string text_;
};

void add_counters(Exposition& out, const json& counters) {
  out.family("schultor_packets", "counter",
             "Packets that the ruleset judged, by verdict and the profile or cause that it came from, since the machine started.");
  for (const auto& [name, packets] : counters.items()) {
    const auto parts = counter_name(name);
    out.sample(
        {{"verdict", std::string(parts.verdict)}, {"profile", std::string(parts.profile)}, {"cause", std::string(parts.cause)}},
        packets.get<std::uint64_t>());
  }
}

void add_kernel(Exposition& out, const json& kernel) {
  add_counters(out, kernel.at("counters"));
  if (const auto& table = kernel.at("connections"); !table.is_null()) {
    out.family("schultor_connections_tracked", "gauge", "Connections that the kernel tracks.");
    out.sample({}, table.at("tracked").get<std::uint64_t>());
    out.family("schultor_connections_most", "gauge", "Connections that it can track; new ones beyond that are dropped.");
    out.sample({}, table.at("most").get<std::uint64_t>());
  }
  if (const auto& settings = kernel.at("settings"); !settings.is_null()) {
    out.family("schultor_settings_wrong", "gauge", "Settings of the kernel that are not as they are to be.");
    out.sample({}, settings.size());
  }
}

void add_gate(Exposition& out, const json& statistics) {
  if (statistics.at("since").is_null()) return;
  out.family("schultor_questions", "counter", "Questions to the DNS gate, by profile and what became of them, since it started.");
  for (const auto& view : statistics.at("views")) {
    const auto& profile = view.at("profile");
    const auto steered = !view.at("steer").is_null() && view.at("steer").get<bool>();
    for (const auto& [verdict, count] : view.at("verdicts").items())
      out.sample({{"view", std::to_string(view.at("view").get<std::uint64_t>())},
                  {"profile", profile.is_null() ? "" : profile.get<std::string>()},
                  {"steered", steered ? "yes" : "no"},
                  {"verdict", verdict}},
                 count.get<std::uint64_t>());
  }
}

}  // namespace

base::Result<std::string> metrics_text(const json& description, const json& gate_statistics) {
  try {
    Exposition out;
    add_kernel(out, description.at("kernel"));
    out.family("schultor_devices", "gauge", "Devices of the roster, by group.");
    for (const auto& group : description.at("groups"))
      out.sample({{"group", group.at("name").get<std::string>()}}, group.at("devices").get<std::uint64_t>());
    out.family("schultor_gate_connected", "gauge", "Whether the DNS gate is connected.");
    out.sample({}, description.at("gate").at("connected").get<bool>() ? 1 : 0);
    out.family("schultor_clock_trusted", "gauge", "Whether the clock is believed.");
    out.sample({}, description.at("clock").at("trusted").get<bool>() ? 1 : 0);
    add_gate(out, gate_statistics);
    return std::move(out).end();
  } catch (const json::exception& error) {
    return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
  }
}

}  // namespace schultor::ctl
