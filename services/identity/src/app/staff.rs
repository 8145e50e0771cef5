//! What a member of staff may do, decided on the state of this moment and not on the token: a role or a session that has
//! ended has ended at once.

use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, Surface as TokenSurface, civil_date};

use super::{App, Error, reauthenticate};
use crate::domain::membership::Grant;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::store::{memberships, offices, people};

/// A member of staff in a live staff session.
#[derive(Debug)]
pub(super) struct Staff {
    pub(super) person_id: Uuid,
    grants: Vec<Grant>,
    platform_administrator: bool,
}

impl Staff {
    /// # Errors
    /// [`Refusal::WrongSurface`], [`Refusal::SessionExpired`], [`Refusal::PersonNotProved`].
    pub(super) async fn of(conn: &mut PgConnection, app: &App, caller: &Caller) -> Result<Self, Error> {
        if caller.surface != TokenSurface::Staff {
            return Err(Refusal::WrongSurface.into());
        }
        reauthenticate::live_session(conn, app, caller).await?;
        let person = people::find(conn, caller.person_id)
            .await?
            .ok_or(Refusal::SessionExpired)?;
        person.require_proved()?;
        let grants = memberships::grants(conn, person.id, civil_date(app.ambient.now())).await?;
        Ok(Self {
            person_id: person.id,
            grants,
            platform_administrator: person.platform_administrator,
        })
    }

    /// # Errors
    /// [`Refusal::RoleRequired`].
    pub(super) fn require(&self, office: Uuid, role: Role) -> Result<(), Error> {
        let holds = self
            .grants
            .iter()
            .any(|grant| grant.office_id == office && grant.role == role);
        if holds {
            Ok(())
        } else {
            Err(Refusal::RoleRequired.into())
        }
    }

    /// Any role at the office, or what [`Self::require_administrator`] asks.
    ///
    /// # Errors
    /// [`Refusal::RoleRequired`].
    pub(super) async fn require_member(&self, conn: &mut PgConnection, office: Uuid) -> Result<(), Error> {
        if self.grants.iter().any(|grant| grant.office_id == office) {
            return Ok(());
        }
        self.require_administrator(conn, office).await
    }

    /// A role at any office.
    ///
    /// # Errors
    /// [`Refusal::RoleRequired`].
    pub(super) fn require_anywhere(&self, role: Role) -> Result<(), Error> {
        let holds = self.grants.iter().any(|grant| grant.role == role);
        if holds {
            Ok(())
        } else {
            Err(Refusal::RoleRequired.into())
        }
    }

    /// # Errors
    /// [`Refusal::RoleRequired`].
    pub(super) fn require_platform_administrator(&self) -> Result<(), Error> {
        if self.platform_administrator {
            Ok(())
        } else {
            Err(Refusal::RoleRequired.into())
        }
    }

    /// Administrator of the office, of one above it, or of the platform.
    ///
    /// # Errors
    /// [`Refusal::RoleRequired`].
    pub(super) async fn require_administrator(
        &self,
        conn: &mut PgConnection,
        office: Uuid,
    ) -> Result<(), Error> {
        if self.platform_administrator {
            return Ok(());
        }
        let above = offices::ancestry(conn, office).await?;
        let administers =
            |grant: &Grant| grant.role == Role::Administrator && above.contains(&grant.office_id);
        if self.grants.iter().any(administers) {
            Ok(())
        } else {
            Err(Refusal::RoleRequired.into())
        }
    }
}
