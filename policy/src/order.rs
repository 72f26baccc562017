// SPDX-License-Identifier: Apache-2.0

//! Captures in an order in which each comes after those that it builds on.

use std::collections::HashMap;

use crate::Capture;
use crate::mistake::{Mistake, expected};

/// Sorts them; those that don't depend on each other stay in the order of the file.
///
/// # Errors
/// With the name of the capture that holds the mistake, when one builds on what isn't there, or on itself.
pub(crate) fn sorted(captures: Vec<Capture>) -> Result<Vec<Capture>, (String, Mistake)> {
    let order = {
        let positions: HashMap<&str, usize> = captures
            .iter()
            .enumerate()
            .map(|(index, capture)| (capture.name.as_str(), index))
            .collect();
        let mut visit = Visit {
            captures: &captures,
            positions,
            on_the_way: Vec::new(),
            order: Vec::new(),
        };
        for index in 0..captures.len() {
            visit.visit(index)?;
        }
        visit.order
    };
    let mut captures: Vec<Option<Capture>> = captures.into_iter().map(Some).collect();
    Ok(order
        .into_iter()
        .filter_map(|index| captures[index].take())
        .collect())
}

struct Visit<'a> {
    captures: &'a [Capture],
    positions: HashMap<&'a str, usize>,
    on_the_way: Vec<usize>,
    order: Vec<usize>,
}

impl Visit<'_> {
    fn visit(&mut self, index: usize) -> Result<(), (String, Mistake)> {
        if self.order.contains(&index) {
            return Ok(());
        }
        self.on_the_way.push(index);
        let capture = &self.captures[index];
        for other in capture.expression.builds_on() {
            let refuse = |message| Err((capture.name.clone(), Mistake::new(other.offset, message)));
            let Some(&next) = self.positions.get(other.name.as_str()) else {
                let names = self.captures.iter().map(|capture| capture.name.as_str());
                return refuse(format!(
                    "there is no capture `{}`{}",
                    other.name,
                    expected(names)
                ));
            };
            if let Some(start) = self.on_the_way.iter().position(|passed| *passed == next) {
                let circle = self.on_the_way[start..].iter().chain([&next]);
                let names: Vec<&str> = circle
                    .map(|index| self.captures[*index].name.as_str())
                    .collect();
                return refuse(format!(
                    "captures can't build on each other in a circle: {}",
                    names.join(" → ")
                ));
            }
            self.visit(next)?;
        }
        self.on_the_way.pop();
        self.order.push(index);
        Ok(())
    }
}
