// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <string_view>

/// Where people sign in. Whoever may read these connections can act as everybody in the school, and some devices refuse them with
/// a certificate that they do not expect. So none is ever an origin of the cache: neither it, nor what lies below or above it.
namespace schultor::policy {

inline constexpr std::array<std::string_view, 42> identity_providers{
    // Microsoft's endpoints for Microsoft 365, sets 56, 59, 96, 97 and 116 ("authentication and identity"), and issuers of tokens.
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline-p.com",
    "microsoftonline-p.net",
    "microsoftazuread-sso.com",
    "login.microsoft.com",
    "auth.microsoft.com",
    "graph.microsoft.com",
    "login.windows.net",
    "login.windows-ppe.net",
    "sts.windows.net",
    "graph.windows.net",
    "enterpriseregistration.windows.net",
    "accounts.accesscontrol.windows.net",
    "account.activedirectory.windowsazure.com",
    "policykeyservice.dc.ad.msft.net",
    "login.live.com",
    "account.live.com",
    "hip.live.com",
    "msftidentity.com",
    "msidentity.com",
    "msauth.net",
    "msauthimages.net",
    "msftauth.net",
    "msftauthimages.net",
    "auth.gfx.ms",
    "phonefactor.net",
    "b2clogin.com",
    "ciamlogin.com",
    // Google's list of hosts that ChromeOS exempts from inspection, those of them for accounts, and issuers of tokens.
    "accounts.google.com",
    "accounts.google.de",
    "accounts.youtube.com",
    "oauth2.googleapis.com",
    "securetoken.googleapis.com",
    "identitytoolkit.googleapis.com",
    // Apple's list of hosts for enterprise networks, those for accounts.
    "account.apple.com",
    "appleid.apple.com",
    "appleid.cdn-apple.com",
    "idmsa.apple.com",
    "gsa.apple.com",
    // Of German states, and the broker between them.
    "vidis.schule",
    "moin.schule",
};

/// First labels of names at which people mostly sign in.
inline constexpr std::array<std::string_view, 14> sign_in_labels{
    "login", "signin", "anmeldung", "sso", "auth", "oauth", "idp", "saml", "account", "accounts", "keycloak", "adfs", "sts", "id"};

}  // namespace schultor::policy
