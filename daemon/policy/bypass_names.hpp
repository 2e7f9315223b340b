// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <string_view>

/// Names by which a device gets round the gate: what [never] bypass = true refuses.
namespace schultor::policy {

inline constexpr std::array<std::string_view, 58> bypass_names{
    // Asked by browsers and systems whether the network wants them to keep to its resolver: refused means yes.
    "use-application-dns.net",
    "mask.icloud.com",
    "mask-h2.icloud.com",
    "mask-canary.icloud.com",
    "mask-api.icloud.com",
    "apple-relay.apple.com",
    "apple-relay.cloudflare.com",
    "apple-relay.fastly-edge.com",
    // Designated resolvers (RFC 9462): the way from plain DNS to an encrypted one.
    "resolver.arpa",
    // Public resolvers that speak DoH, DoT or DoQ.
    "dns.google",
    "dns.google.com",
    "dns64.dns.google",
    "8888.google",
    "cloudflare-dns.com",
    "one.one.one.one",
    "1dot1dot1dot1.cloudflare-dns.com",
    "dns.cloudflare.com",
    "cloudflare-gateway.com",
    "dns.quad9.net",
    "dns9.quad9.net",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "dns12.quad9.net",
    "doh.opendns.com",
    "dns.opendns.com",
    "doh.familyshield.opendns.com",
    "doh.sandbox.opendns.com",
    "dns.umbrella.com",
    "doh.umbrella.com",
    "dns.adguard.com",
    "dns-family.adguard.com",
    "dns-unfiltered.adguard.com",
    "adguard-dns.com",
    "dns.nextdns.io",
    "doh.cleanbrowsing.org",
    "security-filter-dns.cleanbrowsing.org",
    "family-filter-dns.cleanbrowsing.org",
    "adult-filter-dns.cleanbrowsing.org",
    "dns.mullvad.net",
    "doh.mullvad.net",
    "dns.controld.com",
    "freedns.controld.com",
    "dns0.eu",
    "unfiltered.joindns4.eu",
    "dns.digitale-gesellschaft.ch",
    "dns.switch.ch",
    "dnsforge.de",
    "doh.ffmuc.net",
    "dot.ffmuc.net",
    "doh.applied-privacy.net",
    "dot1.applied-privacy.net",
    "fdns1.dismail.de",
    "dns.njal.la",
    "odvr.nic.cz",
    "doh.libredns.gr",
    "ordns.he.net",
    "dns.sb",
    "dns.alidns.com",
};

}  // namespace schultor::policy
