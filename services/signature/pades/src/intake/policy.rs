use serde::{Deserialize, Serialize};

use super::refusal::{Reason, Refusal};
use crate::fields::{self, Form, Signature, SignatureField};
use crate::syntax::{Dictionary, Document, Fault, Value};

/// How a seal may be added so that the signatures before it stay valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SealPolicy {
    /// No signature yet: pages may be drawn on and added.
    Unsigned,
    /// Approval signatures without a lock that matters: one more field, which may be seen.
    Approval,
    /// Certified with these permissions: the empty field, else an invisible one; nothing else may change.
    Certified {
        /// 2 (forms and signatures) or 3 (annotations as well).
        p: u8,
        /// A field made for a further signature.
        empty_field: Option<String>,
    },
}

/// What a signature locks (ISO 32000-1, 12.8.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lock {
    /// Every field.
    All,
    /// These fields and those below them.
    Include(Vec<String>),
    /// Every field but these and those below them.
    Exclude(Vec<String>),
}

/// A signature that stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExistingSignature {
    /// Fully qualified name of its field.
    pub field: String,
    /// `/SubFilter`
    pub sub_filter: Option<String>,
    /// `/M` as written.
    pub claimed_time: Option<String>,
    /// Permissions of a certification: 1, 2 or 3.
    pub certification: Option<u8>,
    /// What it locks.
    pub lock: Option<Lock>,
}

impl Lock {
    /// Whether a field of this name may no longer change.
    pub fn covers(&self, field: &str) -> bool {
        let listed = |names: &[String]| {
            names.iter().any(|name| {
                field
                    .strip_prefix(name.as_str())
                    .is_some_and(|r| r.is_empty() || r.starts_with('.'))
            })
        };
        match self {
            Self::All => true,
            Self::Include(names) => listed(names),
            Self::Exclude(names) => !listed(names),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Include(_) => "INCLUDE",
            Self::Exclude(_) => "EXCLUDE",
        }
    }
}

/// Reads the signatures of the form and decides how one more may join them.
pub(super) fn of(
    document: &Document<'_>,
    form: &Form<'_>,
) -> Result<(Vec<ExistingSignature>, SealPolicy), Refusal> {
    let mut signatures = Vec::new();
    for (field, signature) in form.signed() {
        signatures.push(existing(document, field, signature)?);
    }
    for signature in &signatures {
        refuse_locked(signature)?;
    }
    let orphan =
        orphan_certification(document)?.filter(|_| signatures.iter().all(|s| s.certification.is_none()));
    if orphan == Some(1) {
        return Err(Refusal::new(Reason::LockedBySignature).with("lock", "DOCMDP_1"));
    }
    let strictest = signatures
        .iter()
        .filter_map(|signature| signature.certification)
        .chain(orphan)
        .min();
    let policy = match strictest {
        Some(p) => {
            let usable = |field: &&SignatureField<'_>| {
                let covered = signatures.iter().filter_map(|signature| signature.lock.as_ref());
                field.id.is_some() && !covered.into_iter().any(|lock| lock.covers(&field.name))
            };
            SealPolicy::Certified {
                p,
                empty_field: form.empty().find(usable).map(|field| field.name.clone()),
            }
        }
        None if signatures.is_empty() => SealPolicy::Unsigned,
        None => SealPolicy::Approval,
    };
    Ok((signatures, policy))
}

/// No changes at all, or a lock that covers fields not yet there.
fn refuse_locked(signature: &ExistingSignature) -> Result<(), Refusal> {
    let refusal = |lock: &str| {
        Refusal::new(Reason::LockedBySignature)
            .with("field", &signature.field)
            .with("lock", lock)
    };
    if signature.certification == Some(1) {
        return Err(refusal("DOCMDP_1"));
    }
    match &signature.lock {
        Some(lock @ (Lock::All | Lock::Exclude(_))) => Err(refusal(lock.code())),
        _ => Ok(()),
    }
}

fn existing(
    document: &Document<'_>,
    field: &SignatureField<'_>,
    signature: &Signature<'_>,
) -> Result<ExistingSignature, Fault> {
    let text = |value: Option<Value<'_>>| {
        value
            .and_then(|value| value.string())
            .map(|bytes| fields::text(&bytes))
    };
    let name = |value: Option<Value<'_>>| {
        value.and_then(|v| v.name().map(|n| String::from_utf8_lossy(n).into_owned()))
    };
    let lock_dictionary = document.get(&field.dictionary, b"Lock")?;
    let from_field = lock_dictionary.as_ref().and_then(Value::dictionary);
    let transforms = Transforms::read(document, &signature.dictionary)?;
    let permission = match from_field {
        Some(lock) => permission(document, lock)?,
        None => None,
    };
    let field_lock = match from_field {
        Some(lock) => read_lock(document, lock)?,
        None => None,
    };
    Ok(ExistingSignature {
        field: field.name.clone(),
        sub_filter: name(document.get(&signature.dictionary, b"SubFilter")?),
        claimed_time: text(document.get(&signature.dictionary, b"M")?),
        certification: [transforms.certification, permission].into_iter().flatten().min(),
        lock: transforms.lock.or(field_lock),
    })
}

/// The transforms a signature names in `/Reference`.
#[derive(Default)]
struct Transforms {
    certification: Option<u8>,
    lock: Option<Lock>,
}

impl Transforms {
    fn read(document: &Document<'_>, signature: &Dictionary<'_>) -> Result<Self, Fault> {
        let mut transforms = Self::default();
        let Some(references) = document.get(signature, b"Reference")? else {
            return Ok(transforms);
        };
        for reference in references.array().unwrap_or_default() {
            let reference = document.resolve(reference)?;
            let Some(reference) = reference.dictionary() else {
                continue;
            };
            let method = document.get(reference, b"TransformMethod")?;
            let parameters = document.get(reference, b"TransformParams")?;
            let empty = Dictionary::default();
            let parameters = parameters.as_ref().and_then(Value::dictionary).unwrap_or(&empty);
            match method.as_ref().and_then(Value::name) {
                // Without /P the permissions are 2 (table 254).
                Some(b"DocMDP") => {
                    transforms.certification = Some(permission(document, parameters)?.unwrap_or(2));
                }
                Some(b"FieldMDP") => transforms.lock = read_lock(document, parameters)?,
                _ => {}
            }
        }
        Ok(transforms)
    }
}

/// `/P` of transform parameters or, since PDF 2.0, of a lock; an unknown value counts as the strictest.
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

/// Permissions of a certification that the catalogue names and no field holds.
fn orphan_certification(document: &Document<'_>) -> Result<Option<u8>, Fault> {
    let catalogue = document.catalogue()?;
    let Some(catalogue) = catalogue.value.dictionary() else {
        return Ok(None);
    };
    let Some(permissions) = document.get(catalogue, b"Perms")? else {
        return Ok(None);
    };
    let Some(permissions) = permissions.dictionary() else {
        return Ok(None);
    };
    let Some(signature) = document.get(permissions, b"DocMDP")? else {
        return Ok(None);
    };
    let Some(signature) = signature.dictionary() else {
        return Ok(None);
    };
    Ok(Some(
        Transforms::read(document, signature)?.certification.unwrap_or(2),
    ))
}
