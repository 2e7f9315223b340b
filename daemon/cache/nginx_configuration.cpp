// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/nginx_configuration.hpp"

#include "daemon/cache/engine_request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace schultor::cache {
namespace {

using policy::Origin;

constexpr std::uint64_t mebibyte = 1ULL << 20U;
/// Of this machine alone: where connections arrive whose name was looked at first. No unix socket, which a death leaves behind.
constexpr std::uint16_t behind_port = 8445;

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// As nginx takes it without quotes.
bool is_plain_path(std::string_view text) {
  return text.size() > 1 && text.front() == '/' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("/-_.").find(c) != std::string_view::npos;
         });
}

base::Result<void> check(const policy::CacheRules& rules, const EngineSettings& settings) {
  for (const auto* path : {&rules.directory, &settings.runtime, &settings.certificates})
    if (!is_plain_path(*path)) return base::fail("“{}” is no path that nginx takes: letters, digits and /-_. alone", *path);
  for (const auto& origin : rules.origins) {
    if (!is_host(origin.name)) return base::fail("“{}” is no name of an origin", origin.name);
    for (const auto& host : origin.hosts)
      if (!is_host(host)) return base::fail("“{}” is no name of a host", host);
  }
  if (!rules.resolver) return base::fail("there is no resolver: [resolver] address in gateway.toml names it");
  return {};
}

/// A mebibyte holds the keys of some 8,000 slices.
std::uint64_t zone_mebibytes(std::uint64_t size) { return std::clamp<std::uint64_t>(8 + size / slice_size / 8000, 8, 512); }

std::uint64_t fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: tells configurations apart, resists nobody
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::string to_endpoint(const base::Endpoint& endpoint) { return base::to_string(endpoint); }

constexpr std::string_view main_part =
    R"(# Written by schultor-origin. Whatever is changed here is lost: it comes from [cache] and [[origin]] in /etc/schultor.
# Certificates: edition {edition}.
load_module /usr/lib/nginx/modules/ngx_http_perl_module.so;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes {workers};
pid {runtime}/nginx.pid;
# Lines of a lesser kind name tablets and what they asked for.
error_log stderr alert;
events {{ worker_connections 8192; }}
)";

constexpr std::string_view http_part = R"(http {{
  server_tokens off;
  recursive_error_pages on;
  access_log off;
  client_body_temp_path {runtime}/body;
  proxy_temp_path {runtime}/proxy;
  fastcgi_temp_path {runtime}/fastcgi;
  uwsgi_temp_path {runtime}/uwsgi;
  scgi_temp_path {runtime}/scgi;
  proxy_cache_path {directory} levels=1:2 keys_zone=content:{zone}m max_size={size}m min_free={free}m inactive=3650d use_temp_path=off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000;
  client_header_timeout 20s;
  reset_timedout_connection on;
  client_max_body_size 0;
  max_ranges 16;
  # What is stored is opened once a second at most. A purge marks files before it removes them, so it holds at once all the same.
  open_file_cache max=4096 inactive=10s;
  open_file_cache_valid 1s;
  # RFC 9111, 5.1: the age of what is answered, since the origin made it.
  perl_set $answer_age 'sub {{
    my $born = $_[0]->variable("upstream_http_x_origin_born");
    return "" unless $born;
    my $age = time - $born;
    return $age if $age > 0;
    return ($_[0]->variable("upstream_cache_status") || "MISS") eq "MISS" ? "" : 0;
  }}';
  # Asked where nginx is: what it may write the service manager says, and a disk that is failing.
  perl_set $unwritable 'sub {{
    use filetest "access";
    return -w "{directory}" ? "" : 1;
  }}';
  map $request_method $not_for_the_store {{ default 1; GET ""; HEAD ""; }}
  # A body would be no part of the key, and would wait on a disk that others need.
  map "$request_method $http_content_length$http_transfer_encoding" $has_a_body {{ default ""; "GET 0" ""; "HEAD 0" ""; "~^(GET|HEAD) ." 1; }}
  upstream hop {{ server unix:{runtime}/hop.sock; keepalive 64; }}
  proxy_http_version 1.1;
  proxy_next_upstream off;
  proxy_buffer_size 16k;
  proxy_buffers 8 16k;
  proxy_read_timeout 75s;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:sessions:4m;
  ssl_session_timeout 1h;
)";

/// The engine's own host, and the answer to everybody who asks for none of the origins'.
constexpr std::string_view own_part = R"(  server {{
    listen {http} default_server;
    listen [::]:{http} default_server;
    server_name _;
    location / {{ return 421 "Hier gibt es nichts zu sehen. / There is nothing to see here.\n"; }}
  }}
  server {{
    listen {http};
    listen [::]:{http};
    server_name {health};
    location = {path} {{
      allow 127.0.0.1;
      deny all;
      # Nothing that is to be stored could be handed out either.
      if ($unwritable) {{ return 507; }}
      add_header {header} @GENERATION@;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_read_timeout 2s;
      proxy_pass http://hop;
    }}
    location / {{ return 404; }}
  }}
)";

constexpr std::string_view stored_location = R"(    location / {{
      if ($not_for_the_store) {{ return 597; }}
      if ($has_a_body) {{ return 400; }}
      error_page 597 {not_storable} = @direct;
      error_page 502 =503 @line_down;
      proxy_intercept_errors on;
      slice {slice};
      proxy_cache content;
      proxy_cache_key $scheme://$host$request_uri#$slice_range;
      proxy_cache_revalidate on;
      proxy_cache_lock on;
      proxy_cache_lock_timeout 1h;
      proxy_cache_lock_age 1h;
      proxy_force_ranges on;
      if_modified_since before;
      proxy_ignore_headers X-Accel-Redirect X-Accel-Buffering X-Accel-Charset X-Accel-Limit-Rate;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_set_header X-Schultor-Scheme $scheme;
      proxy_set_header X-Schultor-Store 1;
      proxy_set_header X-Schultor-Cache $upstream_cache_status;
      proxy_set_header Range $slice_range;
      proxy_pass_header Date;
      proxy_hide_header Cache-Control;
      proxy_hide_header X-Origin-Cache-Control;
      proxy_hide_header X-Origin-Expires;
      proxy_hide_header X-Origin-Born;
      add_header Cache-Control $upstream_http_x_origin_cache_control always;
      add_header Expires $upstream_http_x_origin_expires always;
      add_header Age $answer_age always;
      proxy_pass http://hop;
    }}
)";

constexpr std::string_view direct_location = R"(    location {name} {{
{before}      error_page 502 =503 @line_down;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_set_header X-Schultor-Scheme $scheme;
{parked}      proxy_pass_header Date;
      proxy_request_buffering off;
      proxy_buffer_size 32k;
      proxy_buffers 4 32k;
      proxy_max_temp_file_size 0;
      proxy_pass http://hop;
    }}
)";

constexpr std::string_view line_down_location = R"(    location @line_down {
      default_type text/html;
      charset utf-8;
      add_header Retry-After 5 always;
      add_header Cache-Control no-store always;
      return 503 '<!doctype html><html lang="de"><meta name="viewport" content="width=device-width"><title>Keine Verbindung</title><body style="font:1.2em sans-serif;max-width:32em;margin:3em auto;padding:0 1em"><h1>Die Schule hat gerade keine Verbindung zum Internet</h1><p>Was hier schon einmal geöffnet wurde, geht trotzdem. Dies noch nicht. Bitte gleich noch einmal versuchen.</p><p lang="en"><b>The school has no connection to the internet right now.</b> What has been opened here before works all the same; this has not been. Please try again in a moment.</p></body></html>';
    }
)";

std::string direct(std::string_view name, bool parked) {
  return fmt::format(fmt::runtime(direct_location), fmt::arg("name", name),
                     fmt::arg("before", parked ? "      set $parked $upstream_http_x_schultor_parked;\n" : ""),
                     fmt::arg("parked", parked ? "      proxy_set_header X-Schultor-Parked $parked;\n" : ""));
}

std::string stored() {
  return fmt::format(fmt::runtime(stored_location), fmt::arg("not_storable", not_stored_status), fmt::arg("slice", slice_size));
}

std::string locations(bool stores) {
  if (!stores) return direct("/", false) + std::string(line_down_location);
  return stored() + direct("@direct", true) + std::string(line_down_location);
}

std::string server(const Origin& origin, std::string_view listen, std::string_view names, std::string_view more, bool stores,
                   const EngineSettings& settings) {
  return fmt::format(
      "  server {{\n{}    server_name {};\n{}    access_log {}/figures.log figures_{} buffer=32k flush=2s;\n{}  }}\n", listen,
      names, more, settings.runtime, origin.name, locations(stores));
}

bool is_certified(const EngineSettings& settings, const std::string& host) {
  return std::binary_search(settings.certified.begin(), settings.certified.end(), host);
}

/// Whether there is an origin whose names come to port 443 for which the box has no certificate by intent.
bool passes_on(const policy::CacheRules& rules) {
  return std::any_of(rules.origins.begin(), rules.origins.end(), [](const Origin& origin) { return !origin.https; });
}

/// Where those who know the box's certificates arrive: at nginx's HTTP server, or behind the server that looks at names first.
std::string tls_listen(const policy::CacheRules& rules) {
  if (passes_on(rules)) return fmt::format("    listen 127.0.0.1:{} ssl http2", behind_port);
  return fmt::format("    listen {0} ssl http2@;\n    listen [::]:{0} ssl http2", tls_port);
}

std::string tls_listen(const policy::CacheRules& rules, std::string_view option) {
  auto text = tls_listen(rules) + std::string(option) + ";\n";
  if (const auto at = text.find('@'); at != std::string::npos) text.replace(at, 1, option);
  return text;
}

std::string http_servers(const policy::CacheRules& rules, const EngineSettings& settings) {
  std::string text;
  for (const auto& origin : rules.origins) {
    const auto plain = fmt::format("    listen {0};\n    listen [::]:{0};\n", http_port);
    text += server(origin, plain, fmt::format("{}", fmt::join(origin.hosts, " ")), "", origin.http, settings);
    if (!origin.https) continue;
    for (const auto& host : origin.hosts)
      if (is_certified(settings, host))
        text += server(
            origin, tls_listen(rules, ""), host,
            fmt::format("    ssl_certificate {0}/{1}.pem;\n    ssl_certificate_key {0}/{1}.pem;\n", settings.certificates, host),
            true, settings);
  }
  text +=
      fmt::format("  server {{\n{}    server_name _;\n    ssl_reject_handshake on;\n  }}\n", tls_listen(rules, " default_server"));
  return text;
}

/// Whoever knows no certificate of the box is passed on to the origin itself, and to no other.
std::string stream_part(const policy::CacheRules& rules, const EngineSettings& settings) {
  std::string text = fmt::format(
      "stream {{\n  resolver {} ipv6=on;\n  resolver_timeout 5s;\n  proxy_connect_timeout 5s;\n  proxy_timeout 10m;\n"
      "  preread_timeout 10s;\n",
      to_endpoint(*rules.resolver));
  const auto listed = [&](std::string_view variable, bool terminates) {
    text += fmt::format("  map $ssl_preread_server_name ${} {{\n    default \"\";\n", variable);
    for (const auto& origin : rules.origins)
      for (const auto& host : origin.hosts) {
        if (!terminates || !origin.https) text += fmt::format("    {0} {0}:443;\n", host);
        else if (is_certified(settings, host)) text += fmt::format("    {} 127.0.0.1:{};\n", host, behind_port);
      }
    text += "  }\n";
  };
  const auto listen = [&](std::uint16_t port, std::string_view variable) {
    text += fmt::format("  server {{\n    listen {0};\n    listen [::]:{0};\n    ssl_preread on;\n    proxy_pass ${1};\n  }}\n",
                        port, variable);
  };
  listed("passed_on", false);
  listen(passthrough_port, "passed_on");
  if (passes_on(rules)) {
    listed("terminated", true);
    listen(tls_port, "terminated");
  }
  return text + "}\n";
}

}  // namespace

base::Result<NginxConfiguration> nginx_configuration(const policy::CacheRules& rules, const EngineSettings& settings) {
  if (auto checked = check(rules, settings); !checked) return base::pass(std::move(checked));
  NginxConfiguration made;
  made.text = fmt::format(fmt::runtime(main_part), fmt::arg("workers", settings.workers), fmt::arg("runtime", settings.runtime),
                          fmt::arg("edition", settings.certificates_edition));
  made.text +=
      fmt::format(fmt::runtime(http_part), fmt::arg("runtime", settings.runtime), fmt::arg("directory", rules.directory),
                  fmt::arg("zone", zone_mebibytes(rules.size)), fmt::arg("size", std::max<std::uint64_t>(rules.size / mebibyte, 1)),
                  fmt::arg("free", rules.least_free / mebibyte));
  for (const auto& origin : rules.origins)
    made.text += fmt::format("  log_format figures_{0} '{0} $upstream_cache_status $status $body_bytes_sent';\n", origin.name);
  made.text += fmt::format(fmt::runtime(own_part), fmt::arg("http", http_port), fmt::arg("health", health_host),
                           fmt::arg("path", health_path), fmt::arg("header", generation_header));
  made.text += http_servers(rules, settings);
  made.text += "}\n" + stream_part(rules, settings);
  made.generation = fmt::format("{:016x}", fingerprint(made.text));
  constexpr std::string_view place = "@GENERATION@";
  made.text.replace(made.text.find(place), place.size(), made.generation);
  return made;
}

std::string storage_key(std::string_view scheme, std::string_view host, std::string_view request_uri, std::string_view slice) {
  return fmt::format("{}://{}{}#{}", scheme, host, request_uri, slice);
}

std::string slice_range(std::uint64_t number) {
  return fmt::format("bytes={}-{}", number * slice_size, (number + 1) * slice_size - 1);
}

}  // namespace schultor::cache
