// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/download.hpp"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

namespace schultor::lists {
namespace {

constexpr long most_redirects = 5;
constexpr long slowest = 1000;  // octets a second
constexpr std::size_t longest_validator = 200;

struct Cleanup {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, Cleanup>;
using Headers = std::unique_ptr<curl_slist, Cleanup>;

/// Where the body goes.
struct Body {
  int fd = -1;
  std::uint64_t left = 0;  ///< octets that may still come
  bool too_large = false;
  int error = 0;
};

std::size_t on_body(char* octets, std::size_t, std::size_t size, void* userdata) {
  auto& body = *static_cast<Body*>(userdata);
  body.too_large = size > body.left;
  if (body.too_large) return CURL_WRITEFUNC_ERROR;
  body.left -= size;
  for (std::size_t done = 0; done < size;) {
    const auto written = write(body.fd, octets + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      body.error = errno;
      return CURL_WRITEFUNC_ERROR;
    }
    done += static_cast<std::size_t>(written);
  }
  return size;
}

/// It is kept, and sent back one day: nothing that would make another header of it.
bool is_validator(std::string_view text) {
  return text.size() <= longest_validator && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// A header of the last answer; empty where it is missing, or none to keep.
std::string header_of(CURL* curl, const char* name) {
  curl_header* found = nullptr;
  if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK || !is_validator(found->value)) return {};
  return found->value;
}

Headers headers_of(const DownloadRequest& request) {
  Headers headers;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty() || !is_validator(value)) return;
    if (auto* longer = curl_slist_append(headers.get(), fmt::format("{}: {}", name, value).c_str())) {
      static_cast<void>(headers.release());
      headers.reset(longer);
    }
  };
  add("If-None-Match", request.etag);
  add("If-Modified-Since", request.last_modified);
  return headers;
}

/// In words that say what to do, where there are some.
std::string why(CURLcode code, CURL* curl, const DownloadRequest& request, const char* details) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
      return fmt::format("the server answered {}", status);
    case CURLE_FILESIZE_EXCEEDED:
      return fmt::format("it is larger than {} octets", request.limits.octets);
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "the server redirects to an address that is not https";
    case CURLE_TOO_MANY_REDIRECTS:
      return fmt::format("the server redirects more than {} times", most_redirects);
    case CURLE_PEER_FAILED_VERIFICATION:
      return fmt::format("the server's certificate is not to be trusted: {}", details);
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("the server is too slow: {}", details);
    case CURLE_PARTIAL_FILE:
      return "the server broke off in the middle";
    default:
      return details[0] != '\0' ? details : curl_easy_strerror(code);
  }
}

/// All that curl is told of a download. The members are borrowed until it is done.
class Options {
public:
  explicit Options(CURL* curl) : curl_(curl) {}
  template <typename Value>
  Options& set(CURLoption option, Value value) {
    if (ok_ && curl_easy_setopt(curl_, option, value) != CURLE_OK) ok_ = false;
    return *this;
  }
  [[nodiscard]] bool ok() const { return ok_; }

private:
  CURL* curl_;
  bool ok_ = true;
};

bool configure(CURL* curl, const DownloadRequest& request, Body& body, const Headers& headers, char* details) {
  const auto& limits = request.limits;
  Options options(curl);
  options.set(CURLOPT_URL, request.url.c_str())
      .set(CURLOPT_PROTOCOLS_STR, "https")
      .set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
      .set(CURLOPT_FOLLOWLOCATION, 1L)
      .set(CURLOPT_MAXREDIRS, most_redirects)
      .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS))
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
      .set(CURLOPT_SSL_VERIFYPEER, 1L)
      .set(CURLOPT_SSL_VERIFYHOST, 2L)
      .set(CURLOPT_FAILONERROR, 1L)
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits.connect.count()))
      .set(CURLOPT_TIMEOUT, static_cast<long>(limits.whole.count()))
      .set(CURLOPT_LOW_SPEED_LIMIT, slowest)
      .set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stalled.count()))
      .set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits.octets))
      .set(CURLOPT_USERAGENT, "schultor/" SCHULTOR_VERSION)
      .set(CURLOPT_HTTPHEADER, headers.get())
      .set(CURLOPT_WRITEFUNCTION, on_body)
      .set(CURLOPT_WRITEDATA, &body)
      .set(CURLOPT_ERRORBUFFER, details);
  if (!request.authorities.empty()) options.set(CURLOPT_CAINFO, request.authorities.c_str()).set(CURLOPT_CAPATH, nullptr);
  return options.ok();
}

}  // namespace

base::Result<Downloaded> download(const DownloadRequest& request, int fd) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  const Curl curl(ready ? curl_easy_init() : nullptr);
  std::array<char, CURL_ERROR_SIZE> details{};
  Body body{fd, request.limits.octets};
  const auto headers = headers_of(request);
  if (!curl || !configure(curl.get(), request, body, headers, details.data()))
    return base::fail("libcurl cannot be used: is it one with TLS?");
  const auto code = curl_easy_perform(curl.get());
  if (body.error != 0) return base::fail_errno(body.error, "it cannot be written");
  if (body.too_large) return base::fail("{}", why(CURLE_FILESIZE_EXCEEDED, curl.get(), request, ""));
  if (code != CURLE_OK) return base::fail("{}", why(code, curl.get(), request, details.data()));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool asked_whether_changed = headers != nullptr;
  if (status != 200 && !(status == 304 && asked_whether_changed)) return base::fail("the server answered {}", status);
  return Downloaded{status == 304, header_of(curl.get(), "ETag"), header_of(curl.get(), "Last-Modified")};
}

}  // namespace schultor::lists
