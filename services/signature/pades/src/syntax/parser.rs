use std::borrow::Cow;

use super::lexer::{Lexer, Token, TokenKind};
use super::{Dictionary, Fault, FaultKind, Kind, MAX_NESTING, ObjectId, Value};

/// Reads one value at the lexer's position.
///
/// # Errors
/// [`FaultKind::Object`] where no value stands, [`FaultKind::NestedTooDeep`] beyond [`MAX_NESTING`].
pub fn parse_value<'a>(lexer: &mut Lexer<'a>) -> Result<Value<'a>, Fault> {
    let token = lexer.next_token()?;
    value_from(lexer, token, 0)
}

fn value_from<'a>(lexer: &mut Lexer<'a>, token: Token<'a>, depth: usize) -> Result<Value<'a>, Fault> {
    if depth > MAX_NESTING {
        return Err(Fault::new(FaultKind::NestedTooDeep, token.at));
    }
    let at = token.at;
    let kind = match token.kind {
        TokenKind::Integer(first) => integer_or_reference(lexer, first),
        TokenKind::Real(value) => Kind::Real(value),
        TokenKind::Name(name) => Kind::Name(name),
        TokenKind::String => Kind::String,
        TokenKind::ArrayOpen => Kind::Array(array(lexer, depth)?),
        TokenKind::DictionaryOpen => Kind::Dictionary(dictionary(lexer, depth)?),
        TokenKind::Keyword => match token.raw {
            b"null" => Kind::Null,
            b"true" => Kind::Boolean(true),
            b"false" => Kind::Boolean(false),
            _ => return Err(Fault::new(FaultKind::Object, at)),
        },
        TokenKind::ArrayClose | TokenKind::DictionaryClose | TokenKind::End => {
            return Err(Fault::new(FaultKind::Object, at));
        }
    };
    Ok(Value {
        raw: &lexer.bytes()[at..lexer.position()],
        at,
        kind,
    })
}

/// Leaves the lexer behind the reference, or behind the first integer.
fn integer_or_reference<'a>(lexer: &mut Lexer<'a>, first: i64) -> Kind<'a> {
    let mut ahead = lexer.clone();
    let reference = reference_rest(&mut ahead, first);
    match reference {
        Some(id) => {
            lexer.seek(ahead.position());
            Kind::Reference(id)
        }
        None => Kind::Integer(first),
    }
}

fn reference_rest(ahead: &mut Lexer<'_>, first: i64) -> Option<ObjectId> {
    let number = u32::try_from(first).ok()?;
    let TokenKind::Integer(second) = ahead.next_token().ok()?.kind else {
        return None;
    };
    let generation = u16::try_from(second).ok()?;
    ahead.keyword(b"R").ok()?;
    Some(ObjectId { number, generation })
}

fn array<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Result<Vec<Value<'a>>, Fault> {
    let mut items = Vec::new();
    loop {
        let token = lexer.next_token()?;
        if token.kind == TokenKind::ArrayClose {
            return Ok(items);
        }
        items.push(value_from(lexer, token, depth + 1)?);
    }
}

fn dictionary<'a>(lexer: &mut Lexer<'a>, depth: usize) -> Result<Dictionary<'a>, Fault> {
    let mut entries: Vec<(Cow<'a, [u8]>, Value<'a>)> = Vec::new();
    loop {
        let token = lexer.next_token()?;
        let key = match token.kind {
            TokenKind::DictionaryClose => return Ok(Dictionary::from_entries(entries)),
            TokenKind::Name(key) => key,
            _ => return Err(Fault::new(FaultKind::Object, token.at)),
        };
        let token = lexer.next_token()?;
        entries.push((key, value_from(lexer, token, depth + 1)?));
    }
}
