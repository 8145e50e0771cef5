//! A parcel: the lines of one order produced at one office.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::address::Address;

/// Exception of a parcel of which the post does not take the address.
pub const ADDRESS_REFUSED: &str = "ADDRESS_REFUSED";

/// Exception of a parcel of which the post says what cannot be: that it is back, say, once it was delivered.
pub const CONTRADICTORY_EVENTS: &str = "CONTRADICTORY_EVENTS";

/// State of a parcel that is not posted.
pub const CANCELLED: &str = "CANCELLED";

/// State of a parcel that the carrier is asked to look for.
const CLAIMED: &str = "CLAIMED";

/// Exception of a parcel that nothing is heard of.
const SILENT: &str = "SILENT";

/// What the post does not take of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressFault {
    /// Of the address, such as `postal_code`; empty where it is not of one field.
    pub field: String,
    /// As postal-shipping names it.
    pub reason: String,
}

/// A parcel and what postal-shipping says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    pub id: Uuid,
    pub office_id: Uuid,
    pub created_at: DateTime<Utc>,
    /// Where it goes: the order's, as it was when this was last asked of postal-shipping.
    pub address: Address,
    /// Once postal-shipping knows of it.
    pub shipment_id: Option<Uuid>,
    pub tracking_number: Option<String>,
    /// When the office scanned it for the post.
    pub hand_over_at: Option<DateTime<Utc>>,
    pub deposit_list_id: Option<Uuid>,
    /// As postal-shipping names it.
    pub shipment_state: String,
    /// Sequence of the newest event that was applied.
    pub shipment_sequence: i64,
    pub attempts: i32,
    pub held_until: Option<NaiveDate>,
    pub exception_code: String,
    /// With exception [`ADDRESS_REFUSED`].
    pub address_faults: Vec<AddressFault>,
    /// When the post last said something.
    pub heard_at: Option<DateTime<Utc>>,
}

/// What an event of postal-shipping says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    pub sequence: i64,
    /// As postal-shipping names it, such as `HELD_FOR_COLLECTION`.
    pub state: String,
    /// Known in what the carrier told; none in what postal-shipping says by itself.
    pub attempts: Option<i32>,
    /// Of what the carrier told.
    pub held_until: Option<NaiveDate>,
    pub exception_code: String,
    pub at: DateTime<Utc>,
}

impl Tracking {
    /// Whether the carrier was heard of a parcel in this state. Of what postal-shipping says by itself that is only the answer to a claim: that
    /// nothing was heard, or is asked for, is no news. Nor is an event so late that the silence goes on.
    pub fn is_news(&self, shipment_state: &str) -> bool {
        match self.attempts {
            Some(_) => self.exception_code != SILENT,
            None => shipment_state == CLAIMED && self.state != CLAIMED,
        }
    }
}

impl Parcel {
    /// A parcel that no one has numbered yet.
    pub fn new(id: Uuid, office_id: Uuid, address: Address, now: DateTime<Utc>) -> Self {
        Self {
            id,
            office_id,
            created_at: now,
            address,
            shipment_id: None,
            tracking_number: None,
            hand_over_at: None,
            deposit_list_id: None,
            shipment_state: String::new(),
            shipment_sequence: 0,
            attempts: 0,
            held_until: None,
            exception_code: String::new(),
            address_faults: Vec::new(),
            heard_at: None,
        }
    }

    /// The post does not take the address: the citizen is to give another.
    pub fn waits_for_address(&self) -> bool {
        self.shipment_id.is_none() && self.exception_code == ADDRESS_REFUSED
    }
}
