//! HTML entities as the provider's callback kit decodes them (PHP's `html_entity_decode` with quotes): numeric ones, the marks of
//! markup, and those of ISO 8859-1. What is no entity stays as it is.

/// Names of the characters U+00A0 to U+00FF (HTML 4.01, section 24.2).
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// Longest name or number that is looked at.
const LONGEST: usize = 10;

/// Decodes once: what comes out is not looked at again.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.bytes().take(LONGEST + 2).position(|byte| byte == b';');
        let found = end.and_then(|end| Some((character(&rest[1..end])?, end + 1)));
        let (character, length) = found.unwrap_or(('&', 1));
        decoded.push(character);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    decoded
}

fn character(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "euro" => Some('€'),
        "hellip" => Some('…'),
        "rsquo" => Some('’'),
        name => {
            let place = LATIN.iter().position(|latin| *latin == name)?;
            char::from_u32(0xa0 + u32::try_from(place).ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_decoded_once_and_all_else_stays() {
        assert_eq!(
            decode("&lt;b&gt; &quot;&#039;&nbsp;&yuml;&euro;"),
            "<b> \"'\u{a0}ÿ€"
        );
        assert_eq!(decode("&amp;amp;"), "&amp;");
        for same in [
            "",
            "&",
            "&;",
            "&#;",
            "&#xD800;",
            "&#99999999999;",
            "a & b; c",
            "&é;",
            "&apos;",
        ] {
            assert_eq!(decode(same), same);
        }
    }
}
