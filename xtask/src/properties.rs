// SPDX-License-Identifier: Apache-2.0

//! docs/properties.md: each property of an interface, whether it can be set, how it changes, and a test that sets it.
//!
//! Nothing of it is written by hand. Properties and what is shown only or refused come from the schema and the comments in
//! it; how one changes is asked of the code that decides it; tests are found in their sources.

mod tests_of;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::overlay::Difference;
use serde_json::{Value, json};

use self::tests_of::Sources;

const HEAD: &str = "# Properties of interfaces

Made from the sources by `make schema`: every property, whether it can be set, what a change of it does to the living
link, and a whole-system test in which a state has it. What they mean is told in [schema.md](schema.md).

*In place*: the living link is changed. *New link*: it is created anew, with all that stands on it.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn path() -> PathBuf {
    root().join("docs/properties.md")
}

/// Writes the page to where it is checked in.
pub(crate) fn write() -> io::Result<()> {
    fs::write(path(), text()?)
}

/// One property.
struct Property {
    /// Keys from the interface down.
    path: Vec<String>,
    description: String,
}

fn text() -> io::Result<String> {
    let schema = serde_json::to_value(schemars::schema_for!(NetworkState))?;
    let mut properties = Vec::new();
    collect(
        &schema,
        &schema["$defs"]["Interface"],
        &mut Vec::new(),
        &mut properties,
    );
    let sources = Sources::read(&root())?;
    let mut text = HEAD.to_string();
    let mut section = None;
    for property in &properties {
        let own = section_of(property);
        if section != Some(own) {
            section = Some(own);
            let title = own.map_or("All types".to_string(), |key| format!("`{key}`"));
            let _ = write!(
                text,
                "\n## {title}\n\n{}| property | | change | test |\n|---|---|---|---|\n",
                own.map(|key| remark(&schema, key)).unwrap_or_default()
            );
        }
        let status = status(&property.description);
        let change = if status.is_empty() {
            change(property)
        } else {
            "–"
        };
        let test = sources.test_of(&property.path).unwrap_or("–".to_string());
        let _ = writeln!(
            text,
            "| `{}` | {status} | {change} | {test} |",
            property.path.join(".")
        );
    }
    Ok(text)
}

/// What the schema says of a section beside its type, as a paragraph.
fn remark(schema: &Value, section: &str) -> String {
    let description = &schema["$defs"]["Interface"]["properties"][section]["description"];
    let remark = description.as_str().and_then(|text| text.split_once(". "));
    remark.map_or(String::new(), |(_, text)| format!("{text}\n\n"))
}

/// The leaves below a type of the schema.
fn collect(schema: &Value, of: &Value, path: &mut Vec<String>, out: &mut Vec<Property>) {
    for (key, property) in of["properties"].as_object().into_iter().flatten() {
        path.push(key.clone());
        let below = referred(schema, property).filter(|below| below["properties"].is_object());
        match below {
            Some(below) => collect(schema, below, path, out),
            None => out.push(Property {
                path: path.clone(),
                description: property["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_string(),
            }),
        }
        path.pop();
    }
}

/// The type of a property, or of the entries of its list.
fn referred<'a>(schema: &'a Value, property: &Value) -> Option<&'a Value> {
    let variants = property["anyOf"].as_array().into_iter().flatten();
    let mut places = variants.chain([property, &property["items"]]);
    let reference = places.find_map(|place| place["$ref"].as_str())?;
    schema.pointer(reference.strip_prefix('#')?)
}

/// By the words with which the schema's comments begin.
fn status(description: &str) -> &'static str {
    if description.starts_with("Shown only") {
        "shown only"
    } else if description.starts_with("Refused") || description.contains("ot supported") {
        "refused"
    } else {
        ""
    }
}

/// The section of a type that the property is in.
fn section_of(property: &Property) -> Option<&str> {
    let section = property.path.first()?;
    type_of(section).map(|_| section.as_str())
}

/// The type that a section is for.
fn type_of(section: &str) -> Option<InterfaceType> {
    let text = format!("interfaces: [{{name: a, {section}: {{}}}}]");
    let state: NetworkState = nipart_schemas::yaml::parse(&text).ok()?;
    let sections = state.interfaces.first()?.sections();
    sections.first()?.1.first().cloned()
}

/// Asks for changes of every sort whether they need a new link.
fn change(property: &Property) -> &'static str {
    let Some(interface_type) = section_of(property).and_then(type_of) else {
        return "in place";
    };
    let present = Interface {
        interface_type: Some(interface_type),
        ..Interface::named("a")
    };
    let sorts = [
        (Value::Null, json!("192.0.2.1")),
        (json!("192.0.2.1"), json!("192.0.2.2")),
        (json!("passthru"), json!("bridge")),
        (json!("bridge"), json!("vepa")),
        (json!(1), json!(2)),
    ];
    let path = property.path.join(".").replace('_', "-");
    let needs_new_link = |(current, desired): &(Value, Value)| {
        let difference = Difference {
            path: format!(".{path}"),
            current: current.clone(),
            desired: desired.clone(),
        };
        nipart_state::needs_recreation(&present, &[difference])
    };
    match sorts.iter().filter(|sort| needs_new_link(sort)).count() {
        0 => "in place",
        count if count == sorts.len() => "new link",
        _ => "in place, for some values new link",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_fresh() {
        let written = fs::read_to_string(path()).unwrap_or_default();
        assert!(
            written == text().unwrap(),
            "docs/properties.md is stale: run `make schema`"
        );
    }

    #[test]
    fn what_is_known_is_found() {
        let text = text().unwrap();
        for line in [
            "| `permanent-mac-address` | shown only | – |",
            "| `macsec.mka-cak` |  | new link |",
            "| `vlan.id` |  | new link |",
            "| `vlan.reorder-headers` |  | in place |",
            "| `link-aggregation.options.fail_over_mac` |  | new link |",
            "| `gre.remote` |  | in place, for some values new link |",
        ] {
            assert!(text.contains(line), "{line}");
        }
    }
}
