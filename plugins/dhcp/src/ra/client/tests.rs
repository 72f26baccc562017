// SPDX-License-Identifier: Apache-2.0

use super::*;

#[tokio::test]
async fn a_link_that_does_not_exist_is_named() {
    let (sender, _receiver) = mpsc::channel(1);
    let config = DiscoveryConfig {
        interface: "no-such-link".to_owned(),
        ..DiscoveryConfig::default()
    };
    let error = spawn(config, true, sender).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("no-such-link: looking up the link: "),
        "{text}"
    );
    assert!(error.is_recoverable());
}
