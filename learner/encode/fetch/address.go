package fetch

import (
	"net/netip"
)

// special are the parts of the public ranges that are not public: IANA's IPv4 and IPv6
// special-purpose address registries (RFC 6890) as far as netip has no name for them.
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network
		netip.MustParsePrefix("100.64.0.0/10"),   // shared, behind a provider's NAT
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
		netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo (IPv4 within)
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4 (IPv4 within)
		netip.MustParsePrefix("3fff::/20"),       // documentation
	}
}

// checkAddress refuses what is not on the public internet. address is IP:port, as a dialer has it
// after the resolution.
func checkAddress(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return forbidden("address %q is not an IP address and a port", address)
	}
	if !public(ap.Addr()) {
		return forbidden("%s is not an address of the public internet", ap.Addr())
	}
	return nil
}

func public(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	// All of IPv6 that is assigned to the public is in 2000::/3 (RFC 4291, section 2.4): so NAT64's
	// and other wrapped IPv4 addresses outside it need no entry.
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return false
	}
	for _, p := range special() {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
