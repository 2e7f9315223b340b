// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/endpoints_json.hpp"

#include "daemon/config/endpoints.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <iterator>
#include <utility>

namespace schultor::config {
namespace {

using nlohmann::json;

constexpr int deepest_nesting = 16;
constexpr std::size_t longest_text = 512;
constexpr std::size_t most_faults = 8;  ///< of one entry

/// Walks over a text and counts its lines: the parser says nothing of where it is.
class LineCounter {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCounter(const char* at, int& line) : at_(at), line_(&line) {}

  reference operator*() const { return *at_; }
  LineCounter& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  LineCounter operator++(int) {
    const auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LineCounter& other) const { return at_ == other.at_; }
  bool operator!=(const LineCounter& other) const { return at_ != other.at_; }

private:
  const char* at_;
  int* line_;
};

/// The parser's events (nlohmann::json_sax). A callback that returns false ends the parsing; `fault()` says why.
/// The document has depth 0, its list 1, an entry 2, a list of an entry 3.
class Handler {
public:
  explicit Handler(const int& line) : line_(line) {}

  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] std::vector<EndpointEntry> take() { return std::move(entries_); }

  // NOLINTBEGIN(readability-identifier-naming): the names are the library's.
  bool null() { return odd_value(); }
  bool boolean(bool value) {
    if (depth_ != 2 || key_ != "required") return odd_value();
    entry().required = value;
    return true;
  }
  bool number_integer(json::number_integer_t) { return odd_value(); }
  bool number_unsigned(json::number_unsigned_t value) {
    if (depth_ != 2 || key_ != "id") return odd_value();
    entry().id = value;
    return true;
  }
  bool number_float(json::number_float_t, const json::string_t&) { return odd_value(); }
  bool binary(json::binary_t&) { return odd_value(); }
  bool string(json::string_t& value);
  bool key(json::string_t& name) {
    if (depth_ != 2) return true;
    key_ = name.size() <= longest_text ? std::move(name) : std::string{};
    key_line_ = line_;
    return true;
  }
  bool start_object(std::size_t) {
    if (depth_ == 0) return stop("expected a list of entries, [ {…}, … ]");
    if (depth_ == 1) {
      if (entries_.size() == most_endpoints) return stop(fmt::format("more than {} entries", most_endpoints));
      entries_.emplace_back().line = line_;
      key_.clear();
    } else if (!odd_value()) {
      return false;
    }
    return enter();
  }
  bool end_object() { return leave(); }
  bool start_array(std::size_t);
  bool end_array() { return leave(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) {
    return stop("no JSON from here on: expected the list as the web service publishes it");
  }
  // NOLINTEND(readability-identifier-naming)

private:
  EndpointEntry& entry() { return entries_.back(); }

  bool stop(std::string why) {
    if (fault_.empty()) fault_ = std::move(why);
    return false;
  }
  bool enter() { return ++depth_ <= deepest_nesting || stop(fmt::format("nested deeper than {} levels", deepest_nesting)); }
  bool leave() {
    if (--depth_ <= 2) list_ = nullptr;
    return true;
  }

  /// What a member that is known has to be; empty for any other.
  [[nodiscard]] std::string_view expected() const {
    if (key_ == "id") return "a number from 0 up";
    if (key_ == "serviceArea") return "a text such as \"Exchange\"";
    if (key_ == "required") return "true or false";
    if (key_ == "urls") return "a list of names such as [\"*.office.com\"]";
    if (key_ == "ips") return "a list of networks such as [\"13.107.64.0/18\"]";
    if (key_ == "tcpPorts" || key_ == "udpPorts") return "a text such as \"80,443\"";
    return {};
  }

  /// A value that is not what its place asks for: none of our business where the place is not known.
  bool odd_value() {
    if (depth_ < 2) return stop("expected a list of entries, [ {…}, … ]");
    if (depth_ == 2 || (depth_ == 3 && list_ != nullptr)) complain();
    return true;
  }
  void complain() {
    if (!expected().empty() && entry().faults.size() < most_faults)
      entry().faults.push_back({fmt::format("{}: expected {}", key_, expected()), key_line_});
  }

  const int& line_;
  std::string fault_;
  std::vector<EndpointEntry> entries_;
  std::size_t values_ = 0;
  int depth_ = 0;
  std::string key_;  ///< of the entry's member
  int key_line_ = 0;
  std::vector<EndpointText>* list_ = nullptr;  ///< the list that is being read
};

bool Handler::string(json::string_t& value) {
  const bool in_list = depth_ == 3 && list_ != nullptr;
  if (in_list && ++values_ > most_endpoint_values)
    return stop(fmt::format("more than {} names and addresses", most_endpoint_values));
  if (value.size() > longest_text) return odd_value();
  if (in_list) list_->push_back({std::move(value), line_});
  else if (depth_ == 2 && key_ == "serviceArea") entry().service_area = {std::move(value), line_};
  else if (depth_ == 2 && key_ == "tcpPorts") entry().tcp_ports = {std::move(value), line_};
  else if (depth_ == 2 && key_ == "udpPorts") entry().udp_ports = {std::move(value), line_};
  else return odd_value();
  return true;
}

bool Handler::start_array(std::size_t) {
  if (depth_ == 1) return odd_value();
  if (depth_ == 2 && (key_ == "urls" || key_ == "ips")) {
    list_ = key_ == "urls" ? &entry().urls : &entry().ips;
    list_->clear();
  } else if (depth_ > 0 && !odd_value()) {
    return false;
  }
  return enter();
}

}  // namespace

std::optional<std::vector<EndpointEntry>> read_endpoint_entries(std::string_view text, const std::string& file, Diagnostics& out) {
  int line = 1;
  Handler handler(line);
  const char* begin = text.data();
  if (text.empty() || !json::sax_parse(LineCounter(begin, line), LineCounter(begin + text.size(), line), &handler)) {
    out.error({file, line, 0}, text.empty() ? "the file is empty, expected a list of entries, [ {…}, … ]" : handler.fault());
    return std::nullopt;
  }
  return handler.take();
}

}  // namespace schultor::config
