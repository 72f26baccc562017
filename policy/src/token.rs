// SPDX-License-Identifier: Apache-2.0

//! The words of an expression.

use crate::mistake::Mistake;

/// What a word is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A path or a value without quotes.
    Plain(String),
    /// A value in double quotes.
    Quoted(String),
    /// `|`
    Pipe,
    /// `==`
    Equal,
    /// `=~`
    Match,
    /// `:=`
    Replace,
}

/// A word and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) word: Word,
    /// In characters, from 0.
    pub(crate) offset: usize,
}

/// Characters that end a plain word, as in nmstate.
const ENDS_PLAIN: &str = "=!|\":";

/// Splits an expression into its words.
pub(crate) fn tokens(line: &str) -> Result<Vec<Token>, Mistake> {
    let letters: Vec<char> = line.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let (word, length) = match (letter, letters.get(at + 1)) {
            _ if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            ('|', _) => (Word::Pipe, 1),
            ('=', Some('=')) => (Word::Equal, 2),
            ('=', Some('~')) => (Word::Match, 2),
            (':', Some('=')) => (Word::Replace, 2),
            ('"', _) => quoted(&letters, at)?,
            ('=' | ':' | '!', _) => {
                return Err(Mistake::new(
                    at,
                    format!(
                        "`{letter}` is no operator, expected one of `==`, `=~`, `:=`, `|`; text with such a character stands in quotes"
                    ),
                ));
            }
            _ => plain(&letters, at),
        };
        tokens.push(Token { word, offset: at });
        at += length;
    }
    Ok(tokens)
}

fn quoted(letters: &[char], at: usize) -> Result<(Word, usize), Mistake> {
    let rest = &letters[at + 1..];
    let length = rest
        .iter()
        .position(|letter| *letter == '"')
        .ok_or_else(|| Mistake::new(at, "the quotes are never closed"))?;
    Ok((Word::Quoted(rest[..length].iter().collect()), length + 2))
}

fn plain(letters: &[char], at: usize) -> (Word, usize) {
    let word: String = letters[at..]
        .iter()
        .take_while(|letter| !letter.is_whitespace() && !ENDS_PLAIN.contains(**letter))
        .collect();
    let length = word.chars().count();
    (Word::Plain(word), length)
}
