use super::{Comparison, plain, same_but_for};
use crate::syntax::{Dictionary, Fault, Value};

impl Comparison<'_, '_, '_, '_> {
    /// `/AcroForm`: more signature fields, and flags that say so.
    pub(super) fn form(
        &self,
        old: &Dictionary<'_>,
        new: &Dictionary<'_>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let before = old.get(b"AcroForm");
        let Some(after) = new.get(b"AcroForm") else {
            return Ok(before.is_none());
        };
        let earlier = match before {
            Some(before) => plain(self.old, before)?,
            None => Some(Dictionary::default()),
        };
        let (Some(earlier), Some(now)) = (earlier, plain(self.new, after)?) else {
            return Ok(false);
        };
        // Some writers add default resources and appearance together with a first signature. Fields of other kinds
        // would be drawn with them.
        let defaults = [b"DR".as_slice(), b"DA"]
            .into_iter()
            .filter(|key| self.fields.only_signatures && earlier.get(key).is_none());
        let variable: Vec<&[u8]> = [b"Fields".as_slice(), b"SigFlags"]
            .into_iter()
            .chain(defaults)
            .collect();
        let flags = now.get(b"SigFlags");
        Ok(self.place(before, after, settled)
            && flags.is_none_or(|flags| Value::integer(flags).is_some())
            && same_but_for(&earlier, &now, &variable)
            && self.extended(&earlier, &now, b"Fields", &self.fields.added, settled)?)
    }
}
