use super::difference::Addition;
use super::report::Change;
use crate::fields::{self, Form};
use crate::intake::Lock;
use crate::syntax::{Dictionary, Document, Fault, ObjectId, Value};

/// What a signature forbids to add (ISO 32000-1, 12.8.2.2 and 12.8.2.4).
#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// `/P` of a certification or, since PDF 2.0, of the field's lock: 1, 2 or 3.
    certification: Option<u8>,
    locks: Vec<Lock>,
}

impl Permissions {
    /// Reads what the signature with this id says in the revision it closes; what cannot be read forbids everything.
    pub(super) fn of(revision: &Document<'_>, signature: ObjectId) -> Self {
        let mut permissions = Self::default();
        if permissions.read(revision, signature).is_err() {
            permissions.certification = Some(1);
            permissions.locks.push(Lock::All);
        }
        permissions
    }

    fn read(&mut self, revision: &Document<'_>, id: ObjectId) -> Result<(), Fault> {
        let form = Form::read(revision)?;
        for (field, signature) in form.signed().filter(|(_, signature)| signature.id == Some(id)) {
            self.transforms(revision, &signature.dictionary)?;
            if let Some(lock) = revision.get(&field.dictionary, b"Lock")?
                && let Some(lock) = lock.dictionary()
            {
                self.restrict(permission(revision, lock)?);
                self.locks.extend(read_lock(revision, lock)?);
            }
        }
        Ok(())
    }

    fn transforms(&mut self, revision: &Document<'_>, signature: &Dictionary<'_>) -> Result<(), Fault> {
        let Some(references) = revision.get(signature, b"Reference")? else {
            return Ok(());
        };
        for reference in references.array().unwrap_or_default() {
            let reference = revision.resolve(reference)?;
            let Some(reference) = reference.dictionary() else {
                continue;
            };
            let method = revision.get(reference, b"TransformMethod")?;
            let parameters = revision.get(reference, b"TransformParams")?;
            let empty = Dictionary::default();
            let parameters = parameters.as_ref().and_then(Value::dictionary).unwrap_or(&empty);
            match method.as_ref().and_then(Value::name) {
                // Without /P the permissions are 2 (table 254).
                Some(b"DocMDP") => self.restrict(permission(revision, parameters)?.or(Some(2))),
                Some(b"FieldMDP") => self.locks.extend(read_lock(revision, parameters)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn restrict(&mut self, permission: Option<u8>) {
        self.certification = [self.certification, permission].into_iter().flatten().min();
    }

    /// Time-stamps and empty fields that are not seen serve the keeping of signatures and are always allowed
    /// (ISO 32000-2, 12.8.2.2.2), unless they take a field that is locked. A new field that is seen is none of the
    /// changes that a certification allows.
    pub(super) fn forbid(&self, addition: &Addition) -> bool {
        let Some(field) = &addition.field else {
            return false;
        };
        let locked = self.locks.iter().any(|lock| lock.covers(&field.name));
        if addition.change != Change::Signature && !field.visible {
            return field.existed && locked;
        }
        let unforeseen = !field.existed && field.visible;
        locked || self.certification == Some(1) || (self.certification.is_some() && unforeseen)
    }
}

/// An unknown value counts as the strictest.
fn permission(document: &Document<'_>, dictionary: &Dictionary<'_>) -> Result<Option<u8>, Fault> {
    Ok(document
        .get(dictionary, b"P")?
        .map(|value| match value.integer() {
            Some(2) => 2,
            Some(3) => 3,
            _ => 1,
        }))
}

fn read_lock(document: &Document<'_>, dictionary: &Dictionary<'_>) -> Result<Option<Lock>, Fault> {
    let action = document.get(dictionary, b"Action")?;
    let mut names = Vec::new();
    if let Some(fields) = document.get(dictionary, b"Fields")? {
        for field in fields.array().unwrap_or_default() {
            names.extend(document.resolve(field)?.string().map(|name| fields::text(&name)));
        }
    }
    Ok(match action.as_ref().and_then(Value::name) {
        Some(b"Include") => Some(Lock::Include(names)),
        Some(b"Exclude") => Some(Lock::Exclude(names)),
        Some(_) => Some(Lock::All),
        None => None,
    })
}
