use super::{App, Error};
use crate::domain::quota::Answer;
use crate::store::quotas;

/// Takes from a shared quota. The key may be a plain digest of an address, which can be counted through, so that what is stored
/// is a keyed hash of it.
///
/// # Errors
/// [`Error::Invalid`] for a bucket that has no rate, or a cost above its burst.
pub async fn take_quota(app: &App, bucket: &str, key: &[u8; 32], cost: u32) -> Result<Answer, Error> {
    let rate = app
        .quotas
        .rate(bucket)
        .ok_or_else(|| Error::field("bucket", "BUCKET_UNKNOWN", "no such bucket"))?;
    if cost == 0 || cost > rate.burst {
        return Err(Error::field(
            "cost",
            "OUT_OF_RANGE",
            "the cost lies outside 1 to the bucket's burst",
        ));
    }
    let key = app.quota_key(bucket, &[key]);
    let mut conn = app.pool.acquire().await?;
    Ok(quotas::take(&mut conn, bucket, &key, rate, cost, app.ambient.now()).await?)
}
