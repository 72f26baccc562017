// SPDX-License-Identifier: Apache-2.0

use super::*;

#[tokio::test]
async fn a_link_that_does_not_exist_is_named() {
    let (sender, _receiver) = mpsc::channel(1);
    let config = Dhcpv4Config {
        interface: "no-such-link".to_owned(),
        ..Dhcpv4Config::default()
    };
    let error = spawn(config, true, sender).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no-such-link: looking up the link: "),
        "{error}"
    );
    assert!(error.is_recoverable());
}

#[tokio::test]
async fn a_link_without_ethernet_is_refused() {
    let (sender, _receiver) = mpsc::channel(1);
    let config = Dhcpv4Config {
        interface: "lo".to_owned(),
        ..Dhcpv4Config::default()
    };
    let error = spawn(config, true, sender).unwrap_err();
    assert!(
        matches!(error, DhcpError::UnsupportedHardware { kind: 772, .. }),
        "{error}"
    );
}
