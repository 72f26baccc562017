// SPDX-License-Identifier: Apache-2.0

//! What is accepted, and what follows from sources.

use super::*;
use crate::network_state::NetworkState;
use crate::yaml;

#[track_caller]
fn refused<T: std::str::FromStr<Err = String> + fmt::Debug>(text: &str, why: &str) {
    let error = text.parse::<T>().unwrap_err();
    assert!(error.contains(why), "{error}");
}

#[test]
fn servers() {
    for text in ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "127.0.0.53"] {
        assert_eq!(text.parse::<DnsServer>().unwrap().to_string(), text);
    }
    refused::<DnsServer>("dns.example.org", "is not the address");
    refused::<DnsServer>("192.0.2.1:53", "is not the address");
    refused::<DnsServer>("fe80::1", "write the interface behind it");
    refused::<DnsServer>("fe80::1%", "can't be the name of an interface");
    refused::<DnsServer>("fe80::1%a b", "can't be the name of an interface");
    refused::<DnsServer>("2001:db8::1%eth0", "only link-local");
    refused::<DnsServer>("192.0.2.1\noptions rotate", "is not the address");
    refused::<DnsServer>("::", "can't be");
    refused::<DnsServer>("ff02::fb", "can't be");
}

#[test]
fn domains() {
    for text in [
        "lan",
        "example.org",
        "example.org.",
        "_tcp.example.org",
        "xn--bcher-kva.example",
    ] {
        assert_eq!(text.parse::<DomainName>().unwrap().to_string(), text);
    }
    for text in ["", ".", "a..b", "-a.org", "a-.org", "a b", "a\nb", "ä.org"] {
        refused::<DomainName>(text, "is not a domain");
    }
    refused::<DomainName>(&"a".repeat(64), "is not a domain");
    refused::<DomainName>(&["a".repeat(63).as_str(); 4].join("."), "is not a domain");
}

#[test]
fn options() {
    for text in [
        "rotate",
        "use-vc",
        "ndots:0",
        "ndots:15",
        "timeout:30",
        "attempts:5",
    ] {
        assert_eq!(text.parse::<ResolverOption>().unwrap().to_string(), text);
    }
    refused::<ResolverOption>("ndots", "expected ndots:N with N from 0 to 15");
    refused::<ResolverOption>("ndots:16", "from 0 to 15");
    refused::<ResolverOption>("attempts:-1", "from 0 to 5");
    refused::<ResolverOption>("rotate:1", "takes no value");
    refused::<ResolverOption>("fast", "is not known");
}

#[test]
fn mistakes_have_a_place() {
    let text = "dns-resolver:\n  config:\n    server:\n    - 192.0.2.1\n    - nowhere\n";
    let error = yaml::parse::<NetworkState>(text).unwrap_err();
    assert_eq!((error.line, error.column), (5, 7), "{error}");
    assert_eq!(error.path.as_deref(), Some("dns-resolver.config.server[1]"));
}

fn sources(text: &str) -> Vec<DnsSource> {
    let text = format!("sources: {text}");
    yaml::parse::<DnsResolver>(&text).unwrap().sources
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(effective(&sources(text)).to_string(), expected);
}

#[test]
fn the_machine_then_interfaces_then_leases() {
    check("[]", "remove DNS");
    check(
        "[{interface: eth1, origin: dhcp, server: [192.0.2.3], search: [c.org]},
          {interface: eth2, origin: static, server: [192.0.2.2, 192.0.2.1]},
          {origin: static, search: [a.org], options: [rotate]}]",
        "set DNS: server 192.0.2.2 192.0.2.1 192.0.2.3, search a.org, options rotate",
    );
}

#[test]
fn static_lists_replace_learned_ones_list_by_list() {
    let learned = "{interface: eth1, origin: dhcp, server: [192.0.2.3], search: [c.org]}";
    check(
        &format!("[{learned}, {{origin: static, server: [192.0.2.1]}}]"),
        "set DNS: server 192.0.2.1, search c.org",
    );
    check(
        &format!("[{learned}, {{interface: eth1, origin: static, search: [a.org]}}]"),
        "set DNS: server 192.0.2.3, search a.org",
    );
    check(
        &format!("[{learned}, {{interface: eth2, origin: static, search: [a.org]}}]"),
        "set DNS: server 192.0.2.3, search a.org c.org",
    );
    let asked_for = learned.replace("dhcp", "dhcp, beside-static: true");
    check(
        &format!("[{asked_for}, {{origin: static, server: [192.0.2.1]}}]"),
        "set DNS: server 192.0.2.1 192.0.2.3, search c.org",
    );
}

fn config(text: &str) -> DnsConfig {
    yaml::parse(text).unwrap()
}

#[test]
fn lists_are_laid_over_one_by_one() {
    let below = config("{server: [192.0.2.1], search: [a.org]}");
    let over = |upper: &str| DnsConfig::laid_over(Some(&config(upper)), Some(&below));
    assert_eq!(
        over("{search: [b.org]}"),
        Some(config("{server: [192.0.2.1], search: [b.org]}"))
    );
    assert_eq!(over("{}"), None);
    assert_eq!(
        DnsConfig::laid_over(None, Some(&below)),
        Some(below.clone())
    );

    let back = |upper: &str, present: Option<&DnsConfig>| config(upper).reverted_to(present);
    assert_eq!(
        back("{server: [192.0.2.9]}", Some(&below)),
        config("{server: [192.0.2.1]}")
    );
    assert_eq!(back("{server: [192.0.2.9]}", None), config("{server: []}"));
    assert_eq!(
        back("{}", Some(&below)),
        config("{server: [192.0.2.1], search: [a.org], options: []}")
    );
}
