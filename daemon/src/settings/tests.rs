// SPDX-License-Identifier: Apache-2.0

use clap::Parser;

use super::*;

fn load(text: &str) -> Result<Settings, NipartError> {
    Settings::parse(text).and_then(Settings::complete)
}

fn refusal(text: &str) -> String {
    load(text).unwrap_err().message
}

#[test]
fn without_a_word_the_built_in_plugins_run() {
    for text in ["", "# only a comment\n\n"] {
        let settings = load(text).unwrap();
        assert_eq!(settings.run_dir, Path::new("/run/nipart"));
        let names: Vec<_> = settings
            .plugins
            .iter()
            .map(|plugin| plugin.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "config",
                "state",
                "kernel",
                "monitor",
                "dhcp",
                "dns",
                "commander"
            ]
        );
        let (executable, arguments) = settings.plugins[2].command();
        assert_eq!(executable, Path::new(OWN_EXECUTABLE));
        assert_eq!(arguments, ["nipart-plugin", "kernel"]);
    }
}

#[test]
fn everything_can_be_set() {
    let settings = load(
        "run-dir: /tmp/run
state-dir: /tmp/state
states-dir: /tmp/states
socket-group: wheel
log-level: debug
built-in-plugins: false
plugins:
- name: parrot
  executable: /usr/lib/nipart/parrot
  arguments: [--loud]
  roles: [parrot, echo]
  environment:
    COLOUR: green
heartbeat-ms: 100
start-timeout-ms: 1000
stop-timeout-ms: 500
restart:
  first-delay-ms: 1
  longest-delay-ms: 2
  stable-after-ms: 3
  limit: 4
  window-ms: 5
trace:
  events: 6
  bytes: 7
",
    )
    .unwrap();
    let [plugin] = &settings.plugins[..] else {
        panic!("{:?}", settings.plugins);
    };
    assert_eq!(plugin.roles.len(), 2);
    assert_eq!(plugin.command().1, ["/usr/lib/nipart/parrot", "--loud"]);
    assert_eq!(settings.restart.limit, 4);
    assert_eq!(
        settings.trace,
        TraceSettings {
            events: 6,
            bytes: 7
        }
    );
}

#[test]
fn mistakes_are_located() {
    let message = refusal("run-dir: /tmp\nrun-dri: /tmp\n");
    assert!(
        message.starts_with("2:1: ") && message.contains("run-dri"),
        "{message}"
    );
    let message = refusal("plugins:\n- name: parrot\n  role: x\n");
    assert!(message.starts_with("3:"), "{message}");
}

#[test]
fn contradictions_are_refused() {
    let long = "r".repeat(100);
    let cases = [
        (
            "plugins: [{name: a}, {name: a}]",
            "two plugins are named `a`",
        ),
        (
            "plugins: [{name: a}, {name: b, roles: [a]}]",
            "two plugins have the role `a`",
        ),
        (
            "plugins: [{name: a, roles: [kernel]}]",
            "two plugins have the role `kernel`",
        ),
        (
            "plugins: [{name: a, roles: [client]}]",
            "no plugin can have the role `client`",
        ),
        ("plugins: [{name: ../a}]", "plugin name `../a`"),
        ("plugins: [{name: _core}]", "plugin name `_core`"),
        ("plugins: [{name: ''}]", "plugin name ``"),
        ("heartbeat-ms: 0", "must not be 0"),
        (&format!("run-dir: /{long}"), "too long"),
    ];
    for (text, wanted) in cases {
        let message = refusal(text);
        assert!(message.contains(wanted), "{text}: {message}");
    }
}

#[test]
fn a_built_in_plugin_can_be_replaced() {
    let settings = load("plugins: [{name: kernel, executable: /opt/kernel}]").unwrap();
    assert_eq!(settings.plugins.len(), 7);
    let kernel = &settings.plugins[2];
    assert_eq!(kernel.roles, [Role::Kernel]);
    assert_eq!(kernel.executable.as_deref(), Some(Path::new("/opt/kernel")));
}

#[test]
fn the_command_line_wins() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nipart.yml");
    std::fs::write(&file, "run-dir: /tmp/a\nstate-dir: /tmp/b\n").unwrap();
    let arguments = Arguments::parse_from([
        "nipartd",
        "--config",
        file.to_str().unwrap(),
        "--run-dir",
        "/tmp/c",
        "--log-level",
        "warn",
    ]);
    let settings = Settings::load(&arguments).unwrap();
    assert_eq!(settings.run_dir, Path::new("/tmp/c"));
    assert_eq!(settings.state_dir, Path::new("/tmp/b"));
    assert_eq!(settings.log_level, "warn");
    std::fs::remove_file(&file).unwrap();
    let error = Settings::load(&arguments).unwrap_err();
    assert!(error.message.contains("nipart.yml"), "{error}");
}
