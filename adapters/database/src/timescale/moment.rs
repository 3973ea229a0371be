use processor_domain::Timestamp;
use sea_orm::prelude::TimeDateTimeWithTimeZone;
use sea_orm::sqlx::encode::IsNull;
use sea_orm::sqlx::error::BoxDynError;
use sea_orm::sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sea_orm::sqlx::{Decode, Encode, Postgres, Type};

/// Microseconds from 1970, where [`Timestamp`] begins, to 2000, where `timestamptz` does.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// A [`Timestamp`] as `timestamptz`, to the microsecond and without a detour over a calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PgMoment(pub(crate) Timestamp);

impl PgMoment {
    /// As PostgreSQL counts: microseconds since 2000.
    pub(crate) const fn to_postgres(self) -> i64 {
        self.0.micros().saturating_sub(POSTGRES_EPOCH)
    }
}

impl Type<Postgres> for PgMoment {
    fn type_info() -> PgTypeInfo {
        <TimeDateTimeWithTimeZone as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for PgMoment {
    fn array_type_info() -> PgTypeInfo {
        <TimeDateTimeWithTimeZone as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for PgMoment {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.to_postgres(), buffer)
    }
}

impl Decode<'_, Postgres> for PgMoment {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let micros: i64 = Decode::<Postgres>::decode(value)?;
        Ok(Self(Timestamp::from_micros(micros.saturating_add(POSTGRES_EPOCH))))
    }
}
