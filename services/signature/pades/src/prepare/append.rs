use std::collections::BTreeMap;

use super::PrepareError;
use super::update::Update;
use crate::emit::{self, Edit};
use crate::pages::{self, Page, TreeFault};
use crate::syntax::{Document, Fault, Kind, Lexer, MAX_NESTING, ObjectId, Value, parse_value};

/// Adds all pages of another PDF behind the last page, with everything they refer to, renumbered.
pub(super) fn pages(update: &mut Update<'_, '_>, appendix: &[u8]) -> Result<(), PrepareError> {
    let source = Document::open(appendix).map_err(PrepareError::AppendixUnreadable)?;
    if source.is_encrypted() {
        return Err(PrepareError::Encrypted);
    }
    let document = update.document;
    let (root_id, root) = pages::root(document)?;
    let mut found: Vec<Page<'_>> = Vec::new();
    pages::walk::<PrepareError>(&source, &mut |page| {
        found.push(page);
        Ok(())
    })
    .map_err(of_appendix)?;
    let mut copier = Copier {
        source: &source,
        numbers: BTreeMap::new(),
        waiting: Vec::new(),
    };
    for page in &found {
        let id = update.reserve();
        copier.numbers.insert(page.id, id);
    }
    for page in &found {
        copier.page(update, page, root_id).map_err(of_appendix)?;
    }
    copier.rest(update).map_err(PrepareError::AppendixUnreadable)?;
    let kids = document.get(&root, b"Kids")?;
    let before = kids.as_ref().and_then(Value::array).unwrap_or_default();
    let added = found.iter().filter_map(|page| copier.numbers.get(&page.id));
    let kids = emit::array(
        before
            .iter()
            .map(|kid| kid.raw.to_vec())
            .chain(added.map(|id| emit::reference(*id))),
    );
    let count = document
        .get(&root, b"Count")?
        .and_then(|count| count.integer())
        .unwrap_or(0);
    let count = count + found.len() as i64;
    update.edit(
        root_id,
        &Edit::default()
            .set(b"Kids", kids)
            .set(b"Count", count.to_string()),
    )
}

fn of_appendix(error: PrepareError) -> PrepareError {
    match error {
        PrepareError::Unreadable(fault) => PrepareError::AppendixUnreadable(fault),
        other => other,
    }
}

/// Copies objects of another file under new numbers.
struct Copier<'s, 'b> {
    source: &'s Document<'b>,
    numbers: BTreeMap<ObjectId, ObjectId>,
    waiting: Vec<ObjectId>,
}

impl Copier<'_, '_> {
    /// Writes a page that says itself all it could inherit from its new parent.
    fn page(
        &mut self,
        update: &mut Update<'_, '_>,
        page: &Page<'_>,
        parent: ObjectId,
    ) -> Result<(), PrepareError> {
        let new_id = *self
            .numbers
            .get(&page.id)
            .ok_or(PrepareError::PageTree(page.id))?;
        let media = page
            .boundary(self.source, b"MediaBox")?
            .ok_or(TreeFault::Page(page.id))?;
        let crop = page.boundary(self.source, b"CropBox")?.unwrap_or(media);
        let rotation = page.rotation(self.source)?;
        let resources = page.attribute(self.source, b"Resources")?;
        let mut edit = Edit::default()
            .set(b"MediaBox", emit::numbers(&media))
            .set(b"CropBox", emit::numbers(&crop))
            .set(b"Rotate", rotation.to_string())
            .set(
                b"Resources",
                resources.map_or_else(|| b"<< >>".to_vec(), |value| value.raw.to_vec()),
            )
            .remove(b"Parent");
        // The structure these lead into stays behind; threads and metadata of the source as well.
        for key in [
            b"StructParents".as_slice(),
            b"B",
            b"Metadata",
            b"PieceInfo",
            b"AA",
        ] {
            edit = edit.remove(key);
        }
        let flattened = edit.apply(&page.dictionary);
        let value = parse_value(&mut Lexer::new(&flattened, 0))?;
        let mut body = Vec::new();
        self.rewrite(update, &value, &mut body);
        let dictionary = parse_value(&mut Lexer::new(&body, 0))?;
        let Kind::Dictionary(dictionary) = dictionary.kind else {
            return Err(PrepareError::PageTree(page.id));
        };
        update.put(
            new_id,
            Edit::default()
                .set(b"Parent", emit::reference(parent))
                .apply(&dictionary),
        );
        Ok(())
    }

    /// Writes what has been referred to, and what that refers to.
    fn rest(&mut self, update: &mut Update<'_, '_>) -> Result<(), Fault> {
        while let Some(id) = self.waiting.pop() {
            let Some(new_id) = self.numbers.get(&id).copied() else {
                continue;
            };
            let Some(loaded) = self.source.object(id)? else {
                update.put(new_id, b"null".to_vec());
                continue;
            };
            let mut body = Vec::new();
            let Kind::Dictionary(dictionary) = &loaded.value.kind else {
                self.rewrite(update, &loaded.value, &mut body);
                update.put(new_id, body);
                continue;
            };
            // These keys are indices into the source's structure tree.
            let mut edit = Edit::default().remove(b"StructParent").remove(b"StructParents");
            if let Some(data) = loaded.stream {
                // The length is written directly, so its object need not follow.
                edit = edit.set(b"Length", data.len().to_string());
            }
            let direct = edit.apply(dictionary);
            let value = parse_value(&mut Lexer::new(&direct, 0))?;
            self.rewrite(update, &value, &mut body);
            if let Some(data) = loaded.stream {
                body.extend_from_slice(b"\nstream\n");
                body.extend_from_slice(data);
                body.extend_from_slice(b"\nendstream");
            }
            update.put(new_id, body);
        }
        Ok(())
    }

    /// Copies a value byte for byte but for the numbers in its references.
    fn rewrite(&mut self, update: &mut Update<'_, '_>, value: &Value<'_>, output: &mut Vec<u8>) {
        let mut references = Vec::new();
        collect(value, &mut references, 0);
        let mut done = value.at;
        for reference in references {
            output.extend_from_slice(&value.raw[done - value.at..reference.at - value.at]);
            match reference.reference().and_then(|id| self.target(update, id)) {
                Some(id) => output.extend_from_slice(&emit::reference(id)),
                None => output.extend_from_slice(b"null"),
            }
            done = reference.at + reference.raw.len();
        }
        output.extend_from_slice(&value.raw[done - value.at..]);
    }

    /// The new number of an object; `None` for the nodes above the pages, which are not copied.
    fn target(&mut self, update: &mut Update<'_, '_>, id: ObjectId) -> Option<ObjectId> {
        if let Some(known) = self.numbers.get(&id) {
            return Some(*known);
        }
        let loaded = self.source.object(id).ok()??;
        let stays = loaded.value.dictionary().is_some_and(|dictionary| {
            [b"Catalog".as_slice(), b"Pages", b"StructTreeRoot", b"StructElem"]
                .iter()
                .any(|kind| dictionary.is_type(kind))
        });
        if stays {
            return None;
        }
        let new_id = update.reserve();
        self.numbers.insert(id, new_id);
        self.waiting.push(id);
        Some(new_id)
    }
}

/// The references within a value in the order written.
fn collect<'v, 'a>(value: &'v Value<'a>, found: &mut Vec<&'v Value<'a>>, depth: usize) {
    if depth > MAX_NESTING {
        return;
    }
    match &value.kind {
        Kind::Reference(_) => found.push(value),
        Kind::Array(items) => items.iter().for_each(|item| collect(item, found, depth + 1)),
        Kind::Dictionary(dictionary) => dictionary
            .iter()
            .for_each(|(_, item)| collect(item, found, depth + 1)),
        _ => {}
    }
}
