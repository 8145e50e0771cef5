//! What a person names on the command line: files and folders, in one text as `make demo PDF="…"` gives it, or one by one.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The names in a text, separated by white space. A name with spaces stands in quotes or has a backslash before each; where no
/// such care was taken, words that name nothing by themselves but a file together are one name.
pub(super) fn split(text: &str) -> Vec<String> {
    let whole = text.trim();
    if Path::new(whole).exists() {
        return vec![whole.to_owned()];
    }
    let mut words = words(whole).into_iter().peekable();
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        let mut name = word;
        if !Path::new(&name).exists() {
            let rest: Vec<String> = words.clone().collect();
            if let Some((count, joined)) = joined(&name, &rest) {
                name = joined;
                words.by_ref().take(count).for_each(drop);
            }
        }
        names.push(name);
    }
    names
}

/// The shortest run of further words with which a word names something, and how many those are.
fn joined(first: &str, rest: &[String]) -> Option<(usize, String)> {
    (1..=rest.len())
        .map(|count| (count, format!("{first} {}", rest[..count].join(" "))))
        .find(|(_, name)| Path::new(name).exists())
}

/// Words as a shell splits them, without anything else that a shell does.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, ' ' | '\t' | '\n' | '\r') => words.extend(word.take()),
            (None, '\'' | '"') if closes(&characters, character) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character => quote = None,
            (None | Some('"'), '\\') => word
                .get_or_insert_default()
                .push(characters.next().unwrap_or('\\')),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// Whether a quote has its partner; an apostrophe in a name has none.
fn closes(rest: &std::str::Chars<'_>, quote: char) -> bool {
    rest.as_str().contains(quote)
}

/// The files named, and those in the folders named, by name.
///
/// # Errors
/// When a name is neither, or no PDF file is among them.
pub(super) fn find(named: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in named {
        let path = PathBuf::from(name);
        if path.is_dir() {
            let mut inside: Vec<PathBuf> = std::fs::read_dir(&path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<std::io::Result<_>>()?;
            inside.retain(|file| {
                file.is_file()
                    && file
                        .extension()
                        .is_some_and(|extension| extension.eq_ignore_ascii_case("pdf"))
            });
            inside.sort();
            files.append(&mut inside);
        } else if path.is_file() {
            files.push(path);
        } else {
            bail!("there is no file {name} (a name with spaces stands in quotes of its own)");
        }
    }
    if files.is_empty() {
        bail!("no PDF file among what was named");
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{find, split, words};

    #[test]
    fn names_with_spaces_are_quoted_or_escaped() {
        assert_eq!(
            words(r#" a.pdf  b\ c.pdf "d e.pdf" 'f "g".pdf' h/"#),
            ["a.pdf", "b c.pdf", "d e.pdf", "f \"g\".pdf", "h/"]
        );
        assert_eq!(words("l'acte.pdf"), ["l'acte.pdf"]);
        assert_eq!(words("$HOME;`x`.pdf (1).pdf"), ["$HOME;`x`.pdf", "(1).pdf"]);
        assert!(words("  ").is_empty());
    }

    #[test]
    fn words_that_name_a_file_only_together_are_one_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["mon contrat (1).pdf", "a.pdf"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (contract, other) = (path("mon contrat (1).pdf"), path("a.pdf"));
        assert_eq!(split(&contract), std::slice::from_ref(&contract));
        assert_eq!(
            split(&format!("{other} {contract}")),
            [other.clone(), contract.clone()]
        );
        assert_eq!(split(&contract.replace(' ', "\\ ")), [contract]);
        assert_eq!(
            split(&format!("{other} none.pdf")),
            [other, "none.pdf".to_owned()]
        );
    }

    #[test]
    fn folders_give_their_pdf_files_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.PDF", "a.pdf", "note.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("c.pdf")).unwrap();
        let named = folder.path().display().to_string();
        let found = find(&[named]).unwrap();
        assert_eq!(found, [folder.path().join("a.pdf"), folder.path().join("b.PDF")]);
        assert!(find(&[folder.path().join("none.pdf").display().to_string()]).is_err());
    }
}
