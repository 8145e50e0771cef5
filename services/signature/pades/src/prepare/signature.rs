use super::update::Update;
use crate::emit;
use crate::plan::SealPlan;
use crate::syntax::ObjectId;

/// Width of the written byte range: four numbers of up to ten digits, padded with spaces.
const BYTE_RANGE_WIDTH: usize = 48;

/// Where the parts that are filled in later stand, counted from the body of the signature dictionary.
pub(super) struct Hole {
    pub(super) byte_range: usize,
    pub(super) contents: usize,
}

/// Writes the signature dictionary of EN 319 142-1, 5.3: `ETSI.CAdES.detached`, the time in `/M`, no `/Cert`.
pub(super) fn write(update: &mut Update<'_, '_>, id: ObjectId, plan: &SealPlan, lock: Option<&[u8]>) -> Hole {
    let mut body =
        b"<<\n/Type /Sig\n/Filter /Adobe.PPKLite\n/SubFilter /ETSI.CAdES.detached\n/ByteRange ".to_vec();
    let byte_range = body.len();
    body.resize(byte_range + BYTE_RANGE_WIDTH, b' ');
    body.extend_from_slice(b"\n/Contents <");
    let contents = body.len();
    body.resize(contents + plan.contents_capacity * 2, b'0');
    body.extend_from_slice(b">\n");
    let offset = plan.signing_time.format("%z").to_string();
    let time = format!(
        "(D:{}{}'{}')",
        plan.signing_time.format("%Y%m%d%H%M%S"),
        &offset[..3],
        &offset[3..]
    );
    push(&mut body, b"/M ", time.as_bytes());
    let texts = [
        (b"/Name ".as_slice(), &plan.signer_name),
        (b"/Reason ", &plan.reason),
        (b"/Location ", &plan.location),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            push(&mut body, key, &emit::text(value));
        }
    }
    if let Some(lock) = lock {
        push(&mut body, b"/Reference ", lock);
    }
    body.extend_from_slice(b">>");
    update.put(id, body);
    Hole { byte_range, contents }
}

fn push(body: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    body.extend_from_slice(key);
    body.extend_from_slice(value);
    body.push(b'\n');
}

/// The byte range padded to its width; `None` if a number does not fit.
pub(super) fn byte_range(range: &[u64; 4]) -> Option<Vec<u8>> {
    let mut written = format!("[{} {} {} {}]", range[0], range[1], range[2], range[3]).into_bytes();
    if written.len() > BYTE_RANGE_WIDTH {
        return None;
    }
    written.resize(BYTE_RANGE_WIDTH, b' ');
    Some(written)
}
